// SPDX-License-Identifier: Apache-2.0
//! The `docker` command: containers, images and their sizes, networks and volumes.

mod info;

use std::{
    collections::BTreeMap,
    fmt::Display,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    failure::Failure,
    plan::{Cmd, Diagnose, Said},
    symptom,
    value::{Annotations, Digest, Platform},
};

pub(crate) use info::{Info, LEAST, info_cmd, no_answer, user};

/// On everything that an environment makes: how `cleanup` knows what is ours.
pub(crate) const LABEL: &str = "io.cloudnativepg.xtask.environment";
/// On every container and namespace that a run makes, with the run's id.
pub(crate) const RUN_LABEL: &str = "io.cloudnativepg.xtask.run";

/// Its own configuration, in the folder for that.
pub(crate) const CONFIGURATION: &str = "config.json";

/// Where docker's own configuration and plugins of this user are; None without a home.
pub(crate) fn own_folder() -> Option<PathBuf> {
    match std::env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(PathBuf::from(folder)),
        None => Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")),
    }
}

/// `x86_64` -> `linux/amd64`.
pub(crate) fn platform_of(architecture: &str) -> String {
    let oci = match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("linux/{oci}")
}

/// This machine's platform.
pub(crate) fn here() -> Result<Platform, Failure> {
    let text = platform_of(std::env::consts::ARCH);
    text.parse().map_err(|wanted| {
        Failure::unavailable(format!("this machine is `{text}`, which is not {wanted}"))
    })
}

/// Whether `docker` has an image of that name.
pub(crate) fn has_image_cmd(reference: &impl Display) -> Cmd {
    Cmd::new("docker", format!("look for the image `{reference}`"))
        .args(["image", "inspect", "--format", "{{.Id}}", "--"])
        .arg(reference.to_string())
}

/// A file or folder of this machine that a container sees, as an option of `docker run`.
pub(crate) struct Mount(String);

impl Mount {
    pub(crate) fn read_only(source: &Path, target: &Path) -> Self {
        let Self(mount) = Self::writable(source, target);
        Self(format!("{mount},readonly"))
    }

    pub(crate) fn writable(source: &Path, target: &Path) -> Self {
        let (source, target) = (field("source", source), field("target", target));
        Self(format!("type=bind,{source},{target}"))
    }

    pub(crate) fn option(&self) -> [&str; 2] {
        ["--mount", &self.0]
    }
}

/// A field of `--mount`, which is a line of CSV.
fn field(name: &str, path: &Path) -> String {
    let field = format!("{name}={}", path.display());
    if field.contains([',', '"', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

/// Copies a file out of a container that runs, what it is a link to in its place.
pub(crate) fn copy_from(container: &str, path: &str, to: &Path) -> Cmd {
    Cmd::new("docker", format!("copy `{path}` from `{container}`"))
        .args(["cp", "--follow-link", "--"])
        .arg(format!("{container}:{path}"))
        .arg(to)
}

/// Asks what the engine knows of an image that it has, as JSON.
pub(crate) fn image_cmd(reference: &impl Display) -> Cmd {
    Cmd::new("docker", format!("look at the image `{reference}`"))
        .args(["image", "inspect", "--format", "{{json .}}", "--"])
        .arg(reference.to_string())
}

/// An image that the engine has, as it describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Image {
    pub labels: Annotations,
    /// `linux/amd64`; empty where it does not say.
    pub platform: String,
    /// Of the index or the manifest; None: the engine knows no more than the image's configuration.
    pub digest: Option<Digest>,
}

impl Image {
    /// What [`image_cmd`] has printed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let field = |name: &str| value[name].as_str().unwrap_or_default();
        let platform = match (field("Os"), field("Architecture")) {
            ("", _) | (_, "") => String::new(),
            (system, architecture) => format!("{system}/{architecture}"),
        };
        // Without the containerd store there is a digest for each registry that has the image.
        let of_registry = value["RepoDigests"][0].as_str();
        let of_registry = of_registry.and_then(|text| text.rsplit_once('@'));
        let digest = value["Descriptor"]["digest"].as_str();
        let digest = digest.or(of_registry.map(|(_, digest)| digest));
        Ok(Self {
            labels: Annotations::of(&value["Config"]["Labels"]),
            platform,
            digest: digest.and_then(|digest| digest.parse().ok()),
        })
    }
}

pub(crate) fn pull_cmd(reference: &impl Display) -> Cmd {
    Cmd::new("docker", format!("pull `{reference}`"))
        .args(["pull", "--quiet", "--"])
        .arg(reference.to_string())
}

/// Lists images, one a line: `repository:tag`, the digest and the size, with tabs between.
pub(crate) fn listed_cmd() -> Cmd {
    Cmd::new("docker", "list images").args([
        "image",
        "ls",
        "--no-trunc",
        "--format",
        "{{.Repository}}:{{.Tag}}\t{{.ID}}\t{{.Size}}",
    ])
}

/// An image of the engine's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// By which the engine knows it: the image's own digest where images live in containerd, and else its configuration's.
    pub digest: Option<Digest>,
    /// As docker prints it: `1.25MB`.
    pub size: String,
}

/// reference -> what the list says of it.
pub(crate) fn parse_listed(text: &str) -> BTreeMap<String, Listed> {
    let listed = text.lines().filter_map(|line| {
        let (name, said) = line.split_once('\t')?;
        let (digest, size) = said.split_once('\t').unwrap_or((said, ""));
        let listed = Listed {
            digest: digest.trim().parse().ok(),
            size: size.trim().to_owned(),
        };
        Some((name.to_owned(), listed))
    });
    listed.collect()
}

/// A container as `docker ps` lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Container {
    pub name: String,
    /// `running`, `exited`, `created`, `paused`, `restarting`, `dead`.
    pub state: String,
    pub running: bool,
    pub image: String,
    pub networks: Vec<String>,
    /// `127.0.0.1:5000->5000/tcp`; empty when it does not run.
    pub ports: String,
}

/// Lists all containers, one JSON object a line.
pub(crate) fn containers_cmd() -> Cmd {
    Cmd::new("docker", "list containers").args([
        "ps",
        "--all",
        "--no-trunc",
        "--format",
        "{{json .}}",
    ])
}

/// Lists those of them that carry the label (`name=value`), on this network alone when one is given. The
/// engine compares: in the text that it prints, a label's value may look like another label.
pub(crate) fn labelled_containers_cmd(label: &str, network: Option<&str>) -> Cmd {
    let mut list = Cmd::new("docker", format!("list containers with `{label}`"))
        .args(["ps", "--all", "--no-trunc", "--filter"])
        .arg(format!("label={label}"));
    if let Some(network) = network {
        list = list.args(["--filter", &format!("network={network}")]);
    }
    list.args(["--format", "{{json .}}"])
}

pub(crate) fn networks_cmd() -> Cmd {
    Cmd::new("docker", "list networks").args(["network", "ls", "--format", "{{json .}}"])
}

pub(crate) fn volumes_cmd() -> Cmd {
    Cmd::new("docker", "list volumes").args(["volume", "ls", "--format", "{{json .}}"])
}

/// What [`containers_cmd`] printed.
pub(crate) fn parse_containers(text: &str) -> Vec<Container> {
    objects(text)
        .map(|object| {
            let field = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
            let state = field("State");
            Container {
                name: field("Names"),
                running: state == "running",
                state,
                image: field("Image"),
                networks: field("Networks").split(',').map(str::to_owned).collect(),
                ports: field("Ports"),
            }
        })
        .collect()
}

/// Whether there is a network or a volume of that name, in what [`networks_cmd`] or [`volumes_cmd`] printed.
pub(crate) fn is_named(text: &str, name: &str) -> bool {
    objects(text).any(|object| object["Name"] == name)
}

fn objects(text: &str) -> impl Iterator<Item = Value> {
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}

/// Finds the cause where the engine and what works on it speak of this machine, and only the answers of a node.
#[derive(Debug)]
pub(crate) struct OnEngine;

impl Diagnose for OnEngine {
    fn cause(&self, said: &Said) -> Option<String> {
        symptom::cause_on_machine(&[&said.failure, &said.log])
            .or_else(|| symptom::cause_in_cluster(&said.answers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_platform_by_dockers_name() {
        assert_eq!(platform_of("x86_64"), "linux/amd64");
    }

    #[test]
    fn a_mount_is_a_line_of_csv() {
        let option = |path: &str| Mount::read_only(Path::new(path), Path::new("/x")).0;
        assert_eq!(option("/a b"), "type=bind,source=/a b,target=/x,readonly");
        assert_eq!(
            option("/a,\"b"),
            "type=bind,\"source=/a,\"\"b\",target=/x,readonly"
        );
    }
}
