// SPDX-License-Identifier: Apache-2.0
//! The source of an extension that is compiled: where its archive is, of which version it is, and what builds it.

use crate::{
    plan::shell,
    stage::package::BUILT,
    value::{DebianVersion, Digest, Name, PackageName, SourceUrl},
};

/// What compiles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builder {
    /// PostgreSQL's own makefiles: <https://www.postgresql.org/docs/current/extend-pgxs.html>.
    Pgxs,
    /// cargo-pgrx: <https://github.com/pgcentralfoundation/pgrx>.
    Pgrx,
}

/// An archive of source code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub url: SourceUrl,
    /// None: it is not known yet.
    pub checksum: Option<Digest>,
    pub builder: Builder,
    /// Its own, by its name in SPDX. None: it is not known.
    pub licence: Option<String>,
    /// Debian packages that must be there to compile it, beside those that any extension needs.
    pub build_depends: Vec<PackageName>,
}

/// The file that the answer to a question is in.
pub(crate) const ANSWER: &str = "facts";

/// What of an address ends the name of an archive.
const ENDS: [&str; 7] = [
    ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".zip", ".crate",
];

impl Source {
    /// The version in the name of the archive: numbers with dots between them. None: it says none.
    pub(crate) fn version(&self) -> Option<DebianVersion> {
        let (at, end) = self.version_at()?;
        self.url[at..end].parse().ok()
    }

    /// The address, with a variable in the place of the version.
    fn url_for_any_version(&self) -> String {
        match self.version_at() {
            None => self.url.to_string(),
            Some((at, end)) => format!("{}${{EXT_VERSION}}{}", &self.url[..at], &self.url[end..]),
        }
    }

    /// Where the version is in the address: all that stands behind a crate's name, or the last one in the last part.
    fn version_at(&self) -> Option<(usize, usize)> {
        let path = self.url.split('?').next().unwrap_or_default();
        if let Some(stem) = path.strip_suffix(".crate")
            && let Some((above, name)) = stem.rsplit_once('/')
            && let Some((_, of)) = above.rsplit_once('/')
            && let Some(version) = name
                .strip_prefix(of)
                .and_then(|rest| rest.strip_prefix('-'))
        {
            return Some((stem.len() - version.len(), stem.len()));
        }
        let begin = path.rfind('/').map_or(0, |at| at + 1);
        let stem = ENDS.iter().find_map(|end| path.strip_suffix(end));
        let stem = stem.unwrap_or(path);
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let mut found = None;
        let mut at = begin.min(stem.len());
        while let Some(from) = stem[at..].find(|c: char| c.is_ascii_digit()) {
            let from = at + from;
            let length = stem[from..].find(|c| !is_number(c));
            let end = length.map_or(stem.len(), |length| from + length);
            let number = stem[from..end].trim_end_matches('.');
            // A commit's name has digits too.
            let is_alone = !stem[..from].ends_with(|c: char| c.is_ascii_alphanumeric() && c != 'v');
            if number.contains('.') && !number.contains("..") && is_alone {
                found = Some((from, from + number.len()));
            }
            at = end;
        }
        found
    }

    /// The comment by which Renovate follows it. None: it is nowhere that Renovate knows.
    pub(crate) fn renovate(&self) -> Option<String> {
        let (_, place) = self.url.split_once("://")?;
        let parts: Vec<&str> = place.split('/').collect();
        let followed = match parts[..] {
            ["github.com" | "codeload.github.com", owner, name, _, ..] => {
                format!("datasource=github-tags depName={owner}/{name}")
            }
            ["static.crates.io", "crates", name, _] => {
                return Some(format!("renovate: datasource=crate depName={name}"));
            }
            _ => return None,
        };
        Some(format!(
            "renovate: {followed} extractVersion=^v?(?<version>.+)$"
        ))
    }

    /// The stages of a Dockerfile that compile it, the last of which has the image's files in `/build/image`.
    pub(crate) fn stages(&self, name: &Name, base: &str) -> String {
        let checksum = match &self.checksum {
            Some(checksum) => format!("--checksum={checksum} "),
            None => String::new(),
        };
        let url = self.url_for_any_version();
        let mut text = format!(
            "ARG BASE={base}\n\n\
             # Its source. The checksum is that of this version: another one has another.\n\
             FROM scratch AS source\n{}ADD {checksum}{url} /archive\n\n\
             FROM $BASE AS builder\nARG PG_MAJOR\nUSER 0\n\
             # What the base image has, to tell it from what comes with the packages that compile.\n\
             RUN ldconfig -p | sed -n 's/^\\t\\([^ ]*\\) .*/\\1/p' | sort -u > /base-libraries\n",
            if self.version_at().is_some() {
                "ARG EXT_VERSION\n"
            } else {
                ""
            }
        );
        text += &self.install();
        text += "WORKDIR /build\nCOPY --from=source /archive ./\n";
        text += &run(&[], UNPACK);
        text += &match self.builder {
            Builder::Pgxs => run(&[], PGXS),
            Builder::Pgrx => format!("ARG BASE\nARG TARGETARCH\n{}", run(&PGRX_MOUNTS, PGRX)),
        };
        text + &run(&[], &IMAGE.replace("@name@", name))
    }

    /// What compiles is installed. Of the server's headers and makefiles the package alone is unpacked: what it depends on, a
    /// compiler for bitcode, makes nothing here.
    fn install(&self) -> String {
        let fixed = match self.builder {
            Builder::Pgxs => ["bzip2", "gcc", "libc6-dev", "make", "unzip", "xz-utils"].as_slice(),
            // Its bindings are made of all that the server's headers include.
            Builder::Pgrx => &[
                "bzip2",
                "ca-certificates",
                "cargo",
                "gcc",
                "libc6-dev",
                "libclang-dev",
                "libicu-dev",
                "libkrb5-dev",
                "libssl-dev",
                "libxml2-dev",
                "pkg-config",
                "rustfmt",
                "unzip",
                "xz-utils",
            ],
        };
        let own = self.build_depends.iter().map(|one| &**one);
        let mut packages: Vec<&str> = fixed.iter().copied().chain(own).collect();
        packages.sort_unstable();
        packages.dedup();
        format!(
            "RUN apt-get update && \\\n    apt-get install -y --no-install-recommends \\\n      {} && \\\n    \
             cd /tmp && \\\n    apt-get -o APT::Sandbox::User=root download \"postgresql-server-dev-${{PG_MAJOR}}\" && \\\n    \
             dpkg-deb -x postgresql-server-dev-*.deb / && \\\n    rm postgresql-server-dev-*.deb\n",
            packages.join(" \\\n      ")
        )
    }

    /// What fails where that was not built which metadata.hcl says. An address with the version in it has no other.
    fn check_version(&self) -> &'static str {
        match (self.version_at(), self.builder) {
            (Some(_), _) => "",
            (None, Builder::Pgxs) => OF_CONTROL,
            (None, Builder::Pgrx) => OF_CRATE,
        }
    }

    /// Says the licence for machines, beside the source's own files.
    fn copyright(&self, name: &Name) -> String {
        // Operators are small there, and parentheses are unknown.
        let licence = self.licence.iter().find(|text| !text.contains('('));
        let Some(licence) = licence else {
            return String::new();
        };
        let licence = licence.replace(" OR ", " or ").replace(" AND ", " and ");
        format!(
            "COPY <<'END' image/licenses/{name}/copyright\n\
             Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
             Source: {}\n\nFiles: *\nCopyright: see the files beside this one\nLicense: {licence}\nEND\n",
            self.url
        )
    }

    /// The Dockerfile of the extension's own.
    pub(crate) fn dockerfile(&self, name: &Name, base: &str) -> String {
        format!(
            "# SPDX-License-Identifier: Apache-2.0\n\
             #\n\
             # No archive of Debian packages has it: it is compiled here, from a source that is known by its checksum. For a new version\n\
             # change `package` in metadata.hcl and the checksum here: a build with the old one fails and says the new one.\n{}{}{}\n\
             FROM scratch\nCOPY --from=builder /build/image/ /\nUSER 65532:65532\n",
            self.stages(name, base),
            self.copyright(name),
            self.check_version()
        )
    }

    /// A Dockerfile that compiles it and asks what has come of that: its last stage has the answer alone, in the file [`ANSWER`].
    /// `words` are the arguments of the script that asks.
    pub(crate) fn question(&self, name: &Name, base: &str, words: &[String]) -> String {
        let words: Vec<String> = words.iter().map(shell::word).collect();
        format!(
            "{}\nFROM $BASE AS asked\nUSER 0\nWORKDIR /asked\nCOPY --from=builder /build/archive ./\n\
             COPY --from=builder /build/root root/\nCOPY --from=builder /build/image image/\nCOPY --from=builder /build/source source/\n\
             COPY --from=builder /build/said said/\nCOPY <<'END' ask.sh\n{BUILT}END\nRUN sh ask.sh {} > {ANSWER}\n\n\
             FROM scratch\nCOPY --from=asked /asked/{ANSWER} /\n",
            self.stages(name, base),
            words.join(" ")
        )
    }
}

/// What cargo is given: certificates, where the user says that others are to be trusted, and a place to keep cargo-pgrx in, which
/// runs on this base image and platform alone.
const PGRX_MOUNTS: [&str; 2] = [
    CERTIFICATES,
    "type=cache,id=cargo-pgrx-$BASE-$TARGETARCH,target=/tools,sharing=locked",
];

/// Stands in the place of the base image's authorities where a build has the secret.
const CERTIFICATES: &str = "type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt";

/// A step of the build that runs a script of several lines, with what it is for above it.
fn run(mounts: &[&str], script: &str) -> String {
    let (_, script) = script.split_once('\n').unwrap_or_default();
    let about = script.lines().take_while(|line| line.starts_with('#'));
    let about: Vec<&str> = about.collect();
    let body = script.lines().skip(about.len());
    let body: Vec<&str> = body.collect();
    let mounts: String = mounts
        .iter()
        .map(|mount| ["--mount=", mount, " "].concat())
        .collect();
    format!(
        "{}\nRUN {mounts}<<'END'\n{}\nEND\n",
        about.join("\n"),
        body.join("\n")
    )
}

const UNPACK: &str = include_str!("source/unpack.sh");
const PGRX: &str = include_str!("source/pgrx.sh");
const PGXS: &str = include_str!("source/pgxs.sh");
const IMAGE: &str = include_str!("source/image.sh");

const OF_CONTROL: &str = "ARG EXT_VERSION\nRUN <<'END'\n\
    set -eu\n\
    wanted=$(printf '%s' \"$EXT_VERSION\" | sed 's/[.+]/\\\\&/g')\n\
    if ! grep -rqxE \" *default_version *= *'$wanted' *\" root/usr/share/postgresql/*/extension; then\n  \
      echo \"error: the source is not of version $EXT_VERSION, as metadata.hcl says\" >&2\n  exit 1\nfi\nEND\n";

const OF_CRATE: &str = "ARG EXT_VERSION\nRUN <<'END'\n\
    set -eu\n\
    if ! grep -qxF \"version = \\\"$EXT_VERSION\\\"\" source/Cargo.toml; then\n  \
      echo \"error: the source is not of version $EXT_VERSION, as metadata.hcl says\" >&2\n  exit 1\nfi\nEND\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn source(url: &str) -> Source {
        Source {
            url: url.parse().unwrap(),
            checksum: None,
            builder: Builder::Pgxs,
            licence: None,
            build_depends: Vec::new(),
        }
    }

    #[test]
    fn the_version_is_the_last_number_with_dots_in_the_archives_name() {
        for (url, version, any) in [
            (
                "https://x.io/1.2/pg_x-1.10.tar.gz",
                Some("1.10"),
                "https://x.io/1.2/pg_x-${EXT_VERSION}.tar.gz",
            ),
            (
                "https://x.io/tar.gz/refs/tags/v2.0.1",
                Some("2.0.1"),
                "https://x.io/tar.gz/refs/tags/v${EXT_VERSION}",
            ),
            (
                "https://x.io/crates/x-2/x-2-1.0.0-rc.1+b.crate",
                Some("1.0.0-rc.1+b"),
                "https://x.io/crates/x-2/x-2-${EXT_VERSION}.crate",
            ),
            (
                "https://x.io/x2.0-3.1.zip?raw=9.9",
                Some("3.1"),
                "https://x.io/x2.0-${EXT_VERSION}.zip?raw=9.9",
            ),
            (
                "https://x.io/pg18.0-x.tar.gz",
                None,
                "https://x.io/pg18.0-x.tar.gz",
            ),
            (
                "https://x.io/0a1b2.3c4.tar.gz",
                None,
                "https://x.io/0a1b2.3c4.tar.gz",
            ),
            (
                "https://x.io/x-1.2.3c4.tgz",
                Some("1.2.3"),
                "https://x.io/x-${EXT_VERSION}c4.tgz",
            ),
            ("https://x.io/x.7.tar.gz", None, "https://x.io/x.7.tar.gz"),
            (
                "https://x.io/x-1..2.tar.gz",
                None,
                "https://x.io/x-1..2.tar.gz",
            ),
            ("https://x.io/x.tar.gz", None, "https://x.io/x.tar.gz"),
        ] {
            let source = source(url);
            assert_eq!(source.version().as_deref(), version, "{url}");
            assert_eq!(source.url_for_any_version(), any, "{url}");
        }
    }

    #[test]
    fn renovate_follows_what_it_knows() {
        for (url, followed) in [
            (
                "https://github.com/o/r/archive/refs/tags/v1.0.tar.gz",
                Some("datasource=github-tags depName=o/r "),
            ),
            (
                "https://codeload.github.com/o/r/tar.gz/v1.0",
                Some("datasource=github-tags depName=o/r "),
            ),
            (
                "https://static.crates.io/crates/pg_x/pg_x-1.0.0.crate",
                Some("datasource=crate depName=pg_x"),
            ),
            ("https://x.io/o/r/v1.0.tar.gz", None),
            ("https://github.com/x-1.0.tar.gz", None),
        ] {
            let said = source(url).renovate();
            match followed {
                Some(followed) => assert!(said.unwrap().contains(followed), "{url}"),
                None => assert_eq!(said, None, "{url}"),
            }
        }
    }
}
