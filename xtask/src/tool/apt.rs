// SPDX-License-Identifier: Apache-2.0
//! apt, dpkg and mmdebstrap: fetching packages without installing them, making a Debian root, asking
//! which versions the archive has and what an installation would download.

use std::{collections::BTreeMap, fmt, path::Path};

use crate::{
    plan::Cmd,
    value::{DebianVersion, Suite, Url},
};

/// An `apt-get` that keeps its lists and packages in `folder` and leaves the machine's own alone.
fn private(folder: &Path, purpose: &str) -> Cmd {
    let at = |name: &str, path: &str| format!("{name}={}", folder.join(path).display());
    Cmd::new("apt-get", purpose)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .arg("-o")
        .arg(at("Dir::State::lists", "lists"))
        .arg("-o")
        .arg(at("Dir::Cache", "cache"))
        // It reads dpkg's state, so as to fetch only what is missing, but changes nothing there.
        .args(["-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"])
}

/// With this option `update` asks and fetches alone, which takes a tenth of a second: apt reads what has changed when it is next
/// asked for packages. Fact: apt's `private-update.cc`.
pub(crate) const UNREAD: &str = "pkgCacheFile::Generate=false";

pub(crate) fn update_cmd(folder: &Path) -> Cmd {
    private(
        folder,
        "read the package index of this machine's distribution",
    )
    .args(["-q", "update"])
}

/// Downloads packages and what they need that is not installed, into `folder/cache/archives`.
pub(crate) fn download_cmd(folder: &Path, packages: &[&str]) -> Cmd {
    private(folder, "download packages")
        .args([
            "-q",
            "--yes",
            "--download-only",
            "--no-install-recommends",
            "install",
            "--",
        ])
        .args(packages)
}

/// Prints `URI release` for each source that apt knows, one a line.
pub(crate) fn sources_cmd() -> Cmd {
    Cmd::new("apt-get", "ask apt which mirror it uses").args([
        "indextargets",
        "--format",
        "$(REPO_URI) $(RELEASE)",
        "Created-By: Packages",
    ])
}

/// The mirror of Debian's main archive among the lines of [`sources_cmd`].
pub(crate) fn parse_mirror(text: &str) -> Option<Url> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, release)| {
            !["security", "updates", "backports"]
                .iter()
                .any(|part| release.contains(part))
        })
        .map(|(uri, _)| uri.trim_end_matches('/'))
        .find(|uri| uri.ends_with("/debian"))
        .and_then(|uri| uri.parse().ok())
}

/// One call of mmdebstrap.
pub(crate) struct Root<'a> {
    pub purpose: &'a str,
    pub mmdebstrap: &'a Path,
    /// Where its Perl modules lie when the machine has none of its own.
    pub extracted: Option<&'a Path>,
    /// For its temporary files, of which a kill leaves some behind.
    pub temporary: &'a Path,
    pub format: &'a str,
    pub suite: &'a Suite,
    pub target: &'a Path,
    pub mirror: Option<&'a Url>,
    pub packages: &'a [&'a str],
    /// Run by a shell, with the root's path as `$1`.
    pub hooks: &'a [(&'a str, String)],
    /// Leave out manuals and translations.
    pub slim: bool,
}

impl Root<'_> {
    pub(crate) fn cmd(&self) -> Cmd {
        // In namespaces of its own: killed in the middle, it takes its mounts along, and nothing of the
        // machine's /dev or /proc is left below a folder that somebody may want to remove. And it ends
        // when we do, even by SIGKILL: the next run must not find it still writing.
        let mut cmd = Cmd::new("setpriv", self.purpose)
            .env("TMPDIR", self.temporary.display().to_string())
            .args(["--pdeathsig", "KILL", "--", "unshare"])
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "--",
            ])
            .arg(self.mmdebstrap)
            .args(["--quiet", "--mode=root", "--variant=minbase"])
            .arg(format!("--format={}", self.format))
            // A testing suite's index may be past its validity date.
            .arg("--aptopt=Acquire::Check-Valid-Until \"false\"")
            .arg(format!("--include={}", self.packages.join(",")));
        if let Some(extracted) = self.extracted {
            let path = std::env::var("PATH").unwrap_or_default();
            cmd = cmd
                .env(
                    "PERL5LIB",
                    extracted.join("usr/share/perl5").display().to_string(),
                )
                .env(
                    "PATH",
                    format!("{}:{path}", extracted.join("usr/bin").display()),
                );
        }
        if self.slim {
            for (option, path) in [
                ("path-exclude", "man/*"),
                ("path-exclude", "locale/*"),
                ("path-exclude", "doc/*"),
                ("path-include", "doc/*/copyright"),
            ] {
                cmd = cmd.arg(format!("--dpkgopt={option}=/usr/share/{path}"));
            }
        }
        for (stage, hook) in self.hooks {
            cmd = cmd.arg(format!("--{stage}-hook={hook}"));
        }
        cmd.arg("--")
            .arg(self.suite)
            .arg(self.target)
            .args(self.mirror)
    }
}

/// Asks for the newest version of each package; unknown packages are left out of the answer.
pub(crate) fn versions_cmd(packages: &[String]) -> Cmd {
    Cmd::new("apt-cache", "read the archive's versions")
        .args(["policy", "--"])
        .args(packages)
}

/// package -> candidate version, from `apt-cache policy`. `(none)` is none.
pub(crate) fn parse_versions(text: &str) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    let mut package = None;
    for line in text.lines() {
        if let Some(name) = line.strip_suffix(':')
            && !line.starts_with(' ')
        {
            package = Some(name.to_owned());
        } else if let (Some(version), Some(name)) =
            (line.trim().strip_prefix("Candidate: "), &package)
            && DebianVersion::is(version)
        {
            versions.insert(name.clone(), version.to_owned());
        }
    }
    versions
}

/// Run as root by `sh -c` in an image, with the names of packages as arguments: prints what installing them there would
/// download, from a package index that was read for it.
pub(crate) const WOULD_DOWNLOAD: &str = "apt-get -q --error-on=any -o pkgCacheFile::Generate=false update >&2 && \
    exec apt-get install -qq --print-uris --no-install-recommends -- \"$@\"";

/// Of the lines that [`WOULD_DOWNLOAD`] prints, prints those of libraries as [`Download`] is shown: for `sed`.
pub(crate) const LIBRARIES: &str = "s/^[^[:space:]]+ (lib[A-Za-z0-9.+~_%:-]*\\.deb) [0-9]+$/\\1/p; \
    s/^[^[:space:]]+ (lib[A-Za-z0-9.+~_%:-]*\\.deb) [0-9]+ ([A-Za-z0-9.+~_%-]*:[A-Za-z0-9.+~_%:-]*)$/\\1 \\2/p";

/// A package that apt would download: the name of its file, and the checksum as apt says it (`MD5Sum:…`, newer ones
/// `SHA256:…`), which an index may lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Download {
    pub file: String,
    pub checksum: Option<String>,
}

impl Download {
    /// From a line `'URI' FILE BYTES [CHECKSUM]`. None: it is none, or its words hold what is in no such name.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (_, file, bytes) = (words.next()?, words.next()?, words.next()?);
        let checksum = words.next();
        let is_word = |word: &str| {
            word.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".+~_%:-".contains(&byte))
        };
        let known = file.strip_suffix(".deb").is_some_and(is_word)
            && bytes.bytes().all(|byte| byte.is_ascii_digit())
            && checksum.is_none_or(|sum| is_word(sum) && sum.contains(':'))
            && words.next().is_none();
        known.then(|| Self {
            file: file.to_owned(),
            checksum: checksum.map(str::to_owned),
        })
    }

    /// Whether it is one of Debian's packages of a library, by the policy for their names.
    pub(crate) fn is_library(&self) -> bool {
        self.file.starts_with("lib")
    }
}

/// As a line of a list: `libaec0_1.1.3-1+b1_amd64.deb MD5Sum:883972a5`.
impl fmt::Display for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match &self.checksum {
            Some(checksum) => write!(f, " {checksum}"),
            None => Ok(()),
        }
    }
}

/// What apt would download, in its order, from what [`WOULD_DOWNLOAD`] has printed.
pub(crate) fn parse_downloads(text: &str) -> Vec<Download> {
    text.lines().filter_map(Download::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_that_of_the_main_archive() {
        let text = "http://mirror.example/debian-security/ bookworm-security\nhttp://mirror.example/debian/ bookworm-updates\nhttp://mirror.example/debian/ bookworm\n";
        assert_eq!(
            parse_mirror(text).as_deref(),
            Some("http://mirror.example/debian")
        );
        assert_eq!(parse_mirror("https://other.example/ubuntu noble\n"), None);
    }

    #[test]
    fn candidates_are_read_and_unknown_packages_left_out() {
        let text = "postgresql-18-pgvector:\n  Installed: (none)\n  Candidate: 0.8.1-2\n  Version table:\n     0.8.1-2 500\nnothing:\n  Installed: (none)\n  Candidate: (none)\nodd:\n  Candidate: 1\"\n";
        let versions = parse_versions(text);
        assert_eq!(versions.len(), 1);
        assert_eq!(versions["postgresql-18-pgvector"], "0.8.1-2");
    }
    #[test]
    fn downloads_are_read_with_and_without_a_checksum() {
        let text = "'http://a.example/p/libaec0_1.1.3-1%2bb1_amd64.deb' libaec0_1.1.3-1+b1_amd64.deb 22852 MD5Sum:883972\n\
                    'http://a.example/p/liba_1%3a2_amd64.deb' liba_1%3a2_amd64.deb 1\n\
                    'http://a.example/p/gdal-data_3_all.deb' gdal-data_3_all.deb 5 SHA256:00ff\n\
                    Reading package lists...\n\
                    'x' lib\u{1b}[2J_1_amd64.deb 1 MD5Sum:0\n\
                    'x' libb_1_amd64.deb 1 none\n\
                    'x' libb_1_amd64.deb many MD5Sum:0\n\
                    'x' libb_1_amd64.deb 1 MD5Sum:0 more\n";
        let downloads = parse_downloads(text);
        let shown: Vec<String> = downloads.iter().map(Download::to_string).collect();
        assert_eq!(
            shown,
            [
                "libaec0_1.1.3-1+b1_amd64.deb MD5Sum:883972",
                "liba_1%3a2_amd64.deb",
                "gdal-data_3_all.deb SHA256:00ff",
            ]
        );
        let libraries = downloads.iter().filter(|one| one.is_library());
        assert_eq!(libraries.count(), 2);
    }
}
