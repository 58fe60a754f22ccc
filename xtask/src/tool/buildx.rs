// SPDX-License-Identifier: Apache-2.0
//! `docker buildx`: the arguments of bake, and what is known of the builder.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::docker;
use crate::{
    config::{CERTIFICATES, Config},
    failure::CmdFailure,
    plan::Cmd,
    value::ImageRef,
};

/// One call of bake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bake {
    pub purpose: String,
    /// Later files win.
    pub files: Vec<PathBuf>,
    /// Empty: bake's default group.
    pub targets: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub builder: Option<String>,
    pub metadata_file: Option<PathBuf>,
    pub set: Vec<String>,
    pub push: bool,
    pub no_cache: bool,
    pub check: bool,
    /// Nothing is built: bake prints what it would build, as JSON.
    pub print: bool,
    /// How progress is printed; None: as bake likes.
    pub progress: Option<&'static str>,
}

/// The bake file's variables that the settings say.
pub(crate) fn variables(config: &Config) -> Vec<(String, String)> {
    let pairs = config.bake_variables().into_iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The secrets that the settings let builds read, as buildx takes them: an `id`, and the file on this machine.
pub(crate) fn secrets(config: &Config) -> Vec<String> {
    let file = config.get(CERTIFICATES);
    if file.is_empty() {
        return Vec::new();
    }
    // It is read as CSV: <https://docs.docker.com/reference/cli/docker/buildx/build/#secret>.
    let field = format!("src={file}").replace('"', "\"\"");
    vec![format!("id=certificates,\"{field}\"")]
}

/// Lets bake read a secret outside of its folder. Fact: buildx 0.36, `docker buildx bake --allow`.
const ENTITLEMENTS: &str = "BUILDX_BAKE_ENTITLEMENTS_FS";

/// What bake is told besides where it is to read these secrets.
pub(crate) fn may_read(config: &Config) -> Vec<(String, String)> {
    let secrets = secrets(config).into_iter();
    let allowed = secrets.map(|_| (ENTITLEMENTS.to_owned(), "0".to_owned()));
    allowed.collect()
}

/// Folders that hold docker's plugins, the user's own first. Fact: docker/cli, `cli-plugins/manager`.
const PLUGINS: &[&str] = &[
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// Where the buildx plugin may be: below `root` where the program has a root of its own, else on this machine.
pub(crate) fn plugin_files(root: Option<&Path>) -> Vec<PathBuf> {
    let own = match root {
        Some(_) => None,
        None => docker::own_folder().map(|folder| folder.join("cli-plugins")),
    };
    let shared = PLUGINS.iter().map(|folder| match root {
        Some(root) => root.join(folder.trim_start_matches('/')),
        None => PathBuf::from(folder),
    });
    let folders = own.into_iter().chain(shared);
    folders.map(|folder| folder.join("docker-buildx")).collect()
}

/// Lets bake take the paths in a file from that file's folder. Fact: buildx 0.36, `docker buildx bake --file`.
const RELATIVE_PATHS: &str = "BUILDX_BAKE_FILE_RELATIVE_PATHS";

impl Bake {
    pub(crate) fn cmd(&self) -> Cmd {
        let mut cmd = Cmd::new("docker", &self.purpose);
        for (name, value) in &self.variables {
            cmd = cmd.env(name, value);
        }
        if self.metadata_file.is_some() {
            // Provenance in the file made it 444 KB of JSON; nobody here reads it.
            cmd = cmd.env("BUILDX_METADATA_PROVENANCE", "disabled");
        }
        if !self.print && std::env::var_os(RELATIVE_PATHS).is_some() {
            // What was printed has its paths from the root already.
            cmd = cmd.env(RELATIVE_PATHS, "0");
        }
        cmd = cmd.args(["buildx", "bake"]);
        for file in &self.files {
            cmd = cmd.arg("-f").arg(file);
        }
        if let Some(builder) = &self.builder {
            cmd = cmd.arg("--builder").arg(builder);
        }
        if let Some(file) = &self.metadata_file {
            cmd = cmd.arg("--metadata-file").arg(file);
        }
        if let Some(progress) = self.progress {
            cmd = cmd.arg("--progress").arg(progress);
        }
        for set in &self.set {
            cmd = cmd.arg("--set").arg(set);
        }
        for (wanted, flag) in [
            (self.no_cache, "--no-cache"),
            (self.push, "--push"),
            (self.check, "--check"),
            (self.print, "--print"),
        ] {
            if wanted {
                cmd = cmd.arg(flag);
            }
        }
        if !self.targets.is_empty() {
            cmd = cmd.arg("--");
        }
        cmd.args(&self.targets)
    }
}

/// Folders of an image that files are copied from, relative to its root.
pub(crate) struct Copied<'a> {
    pub image: &'a ImageRef,
    pub folders: Vec<String>,
}

/// Copies files of images into an archive: those that `files`, a pattern, matches in their folders. Images without such a folder
/// have none.
pub(crate) fn copy_cmd(
    purpose: &str,
    from: &[Copied<'_>],
    files: &str,
    platform: &str,
    builder: Option<&str>,
    archive: &Path,
) -> Cmd {
    let mut stages = String::new();
    let mut copies = "FROM scratch\n".to_owned();
    for (place, Copied { image, folders }) in from.iter().enumerate() {
        stages += &format!("FROM {image} AS image{place}\n");
        for folder in folders {
            let pattern = pattern(&format!("{folder}/{files}"));
            copies += &format!("COPY --from=image{place} [\"/{pattern}\", \"/\"]\n");
        }
    }
    let mut cmd = Cmd::new("docker", purpose).args(["buildx", "build", "--provenance", "false"]);
    if let Some(builder) = builder {
        cmd = cmd.args(["--builder", builder]);
    }
    let mut output = OsString::from("type=tar,dest=");
    output.push(archive);
    cmd.args(["--platform", platform, "--output"])
        .arg(output)
        .arg("-")
        .stdin(stages + &copies)
}

/// Copies the files of two images into an archive, each of them into one of `folders`, for all of the platforms.
pub(crate) fn pair_cmd(
    images: [&ImageRef; 2],
    folders: [&str; 2],
    platforms: &[String],
    builder: Option<&str>,
    archive: &Path,
) -> Cmd {
    let [old, new] = images;
    let purpose = format!("read the files of `{old}` and of `{new}`");
    let mut cmd = Cmd::new("docker", purpose).args(["buildx", "build", "--provenance", "false"]);
    if let Some(builder) = builder {
        cmd = cmd.args(["--builder", builder]);
    }
    let stages = format!("FROM {old} AS old\nFROM {new} AS new\nFROM scratch\n");
    let [of_old, of_new] = folders;
    let copies = format!("COPY --from=old / /{of_old}/\nCOPY --from=new / /{of_new}/\n");
    let mut output = OsString::from("type=tar,dest=");
    output.push(archive);
    cmd.args(["--platform", &platforms.join(","), "--output"])
        .arg(output)
        .arg("-")
        .stdin(stages + &copies)
}

/// Builds a Dockerfile that needs no files beside it, and copies the files of its last stage into a folder.
pub(crate) fn into_folder_cmd(
    purpose: &str,
    dockerfile: String,
    args: &[(&str, String)],
    config: &Config,
    folder: &Path,
) -> Cmd {
    let mut cmd = Cmd::new("docker", purpose).args(["buildx", "build", "--provenance", "false"]);
    if let Some(builder) = config.builder() {
        cmd = cmd.args(["--builder", builder]);
    }
    for secret in secrets(config) {
        cmd = cmd.args(["--secret", &secret]);
    }
    for (name, value) in args {
        cmd = cmd.args(["--build-arg", &format!("{name}={value}")]);
    }
    let mut output = OsString::from("type=local,dest=");
    output.push(folder);
    cmd.arg("--output").arg(output).arg("-").stdin(dockerfile)
}

/// The builder of the engine's own, in the context of that name.
pub(crate) const DEFAULT: &str = "default";

/// Copies an image of the engine's into a folder, in OCI's layout.
pub(crate) fn layout_cmd(image: &ImageRef, folder: &Path) -> Cmd {
    let mut output = OsString::from("type=oci,tar=false,dest=");
    output.push(folder);
    Cmd::new("docker", format!("copy {image} out of the engine"))
        .args([
            "buildx",
            "build",
            "--builder",
            DEFAULT,
            "--provenance",
            "false",
            "--output",
        ])
        .arg(output)
        .arg("-")
        .stdin(format!("FROM {image}\n"))
}

/// A pattern of a Dockerfile that a folder may be missing for: BuildKit wants the part before the first wildcard to be
/// there. A character that means something to it is any one.
fn pattern(path: &str) -> String {
    let mut pattern = String::new();
    for (place, c) in path.trim_start_matches("./").chars().enumerate() {
        match c {
            c if place == 0 && c.is_ascii_alphanumeric() => pattern += &format!("[{c}]"),
            c if c.is_ascii_alphanumeric() || "/._-+~*".contains(c) => pattern.push(c),
            _ => pattern.push('?'),
        }
    }
    pattern
}

/// Whether a call has failed because docker knows no `buildx`: without the plugin it takes the word for an option's operand
/// or for a command that it does not have.
pub(crate) fn is_missing(failed: &CmdFailure) -> bool {
    [
        "'buildx' is not a docker command",
        "unknown command: docker buildx",
        "unknown shorthand flag: 'f' in -f",
    ]
    .iter()
    .any(|said| failed.mentions(said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Stdin;

    #[test]
    fn files_are_copied_from_folders_that_may_be_missing() {
        let (one, other) = ("x/a:1".parse().unwrap(), "y/b:2".parse().unwrap());
        let from = [
            Copied {
                image: &one,
                folders: vec!["share".into(), "a b$c/[x]".into()],
            },
            Copied {
                image: &other,
                folders: vec!["usr/share/postgresql/*".into()],
            },
        ];
        let archive = Path::new("target/a.tar");
        let cmd = copy_cmd("copy", &from, "*.x", "linux/amd64", Some("farm"), archive);
        assert_eq!(
            cmd.headline(),
            "docker buildx build --provenance false --builder farm --platform linux/amd64 --output type=tar,dest=target/a.tar -"
        );
        assert_eq!(
            cmd.stdin,
            Some(Stdin::Text(
                "FROM x/a:1 AS image0\nFROM y/b:2 AS image1\nFROM scratch\n\
                 COPY --from=image0 [\"/[s]hare/*.x\", \"/\"]\n\
                 COPY --from=image0 [\"/[a]?b?c/?x?/*.x\", \"/\"]\n\
                 COPY --from=image1 [\"/[u]sr/share/postgresql/*/*.x\", \"/\"]\n"
                    .to_owned()
            ))
        );
    }

    #[test]
    fn arguments_are_in_bakes_order_and_the_metadata_file_wins() {
        let bake = Bake {
            purpose: "bake `postgis`".into(),
            files: vec![
                "docker/bake.hcl".into(),
                "extensions/postgis/metadata.hcl".into(),
            ],
            targets: vec!["postgis-3_6_4-18-trixie".into()],
            variables: vec![("registry".into(), "localhost:5000".into())],
            metadata_file: Some("target/m.json".into()),
            set: vec!["*.platform=linux/amd64".into()],
            push: true,
            ..Bake::default()
        };
        assert_eq!(
            bake.cmd().to_string(),
            "registry=localhost:5000 BUILDX_METADATA_PROVENANCE=disabled docker buildx bake -f docker/bake.hcl \
             -f extensions/postgis/metadata.hcl --metadata-file target/m.json --set '*.platform=linux/amd64' --push -- \
             postgis-3_6_4-18-trixie"
        );
    }
}
