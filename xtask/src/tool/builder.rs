// SPDX-License-Identifier: Apache-2.0
//! A builder of buildx, as `docker buildx inspect` describes it: how its BuildKit is reached, where that runs, and whether
//! it does.
//!
//! Facts: docker/buildx, `commands/inspect.go` for the form, `driver/` for the words, and
//! <https://docs.docker.com/build/builders/drivers/> for what a driver is.

use std::{fmt, io::ErrorKind, path::PathBuf};

use serde::Deserialize;

use crate::{own::source, plan::Cmd};

/// How buildx reaches the BuildKit of a builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// The engine's own, with the engine's image store.
    Docker,
    /// In a container of the engine's.
    Container,
    /// In pods of a cluster.
    Kubernetes,
    /// At an address, where somebody else runs it.
    Remote,
    /// One that is not known here.
    Other(String),
}

impl From<&str> for Driver {
    fn from(name: &str) -> Self {
        match name {
            "docker" => Self::Docker,
            "docker-container" => Self::Container,
            "kubernetes" => Self::Kubernetes,
            "remote" => Self::Remote,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Buildx's own word.
impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Container => "docker-container",
            Self::Kubernetes => "kubernetes",
            Self::Remote => "remote",
            Self::Other(name) => name,
        })
    }
}

/// A builder, and what is known of it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Builder {
    pub name: String,
    pub driver: Driver,
    /// Why its nodes are not known, where they are not.
    error: Option<String>,
    nodes: Vec<Node>,
}

/// One BuildKit of a builder's; of the driver `kubernetes` a deployment of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    name: String,
    endpoint: String,
    options: String,
    status: String,
    error: Option<String>,
    platforms: String,
}

/// Whether buildx may have selected another builder than the engine's own, by what is in docker's configuration folder or
/// where `BUILDX_CONFIG` says. Fact: `store/store.go` of <https://github.com/docker/buildx>, which keeps it in `current` and,
/// for each endpoint, below `defaults`.
pub(crate) fn may_be_selected(configuration: Option<PathBuf>) -> bool {
    let said = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = said("BUILDX_CONFIG").map(PathBuf::from);
    let folder = own.or_else(|| Some(configuration?.join("buildx")));
    let selects = |folder: PathBuf| {
        // What cannot be read may say anything.
        let current = match source::read_named(&folder.join("current")) {
            Ok(text) => text.unwrap_or_else(|| "{}".to_owned()),
            Err(_) => return true,
        };
        let of_endpoints = match fs_err::read_dir(folder.join("defaults")) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) => error.kind() != ErrorKind::NotFound,
        };
        let current = serde_json::from_str::<Current>(&current);
        of_endpoints || current.map_or(true, |current| !current.name.is_empty())
    };
    said("BUILDX_BUILDER").is_some() || folder.is_some_and(selects)
}

/// What buildx keeps of its selection: without a name it is the engine's own builder.
#[derive(Deserialize)]
struct Current {
    #[serde(default, rename = "Name")]
    name: String,
}

/// Describes a builder; None: the one that buildx has selected.
pub(crate) fn inspect_cmd(builder: Option<&str>) -> Cmd {
    Cmd::new("docker", "ask buildx for its builder")
        .args(["buildx", "inspect", "--"])
        .args(builder)
}

impl Builder {
    /// Reads what [`inspect_cmd`] prints: the builder's fields, and then those of each node, which begin with its name.
    /// None: it names no driver.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mut name, mut driver, mut error) = (String::new(), None, None);
        let mut nodes: Vec<Node> = Vec::new();
        let mut of_nodes = false;
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim().to_owned();
            match (key, of_nodes, nodes.last_mut()) {
                ("Nodes", ..) => of_nodes = true,
                ("Name", false, _) => name = value,
                ("Driver", false, _) => driver = Some(Driver::from(value.as_str())),
                ("Error", false, _) => error = Some(value),
                ("Name", true, _) => nodes.push(Node {
                    name: value,
                    ..Node::default()
                }),
                ("Endpoint", true, Some(node)) => node.endpoint = value,
                ("Driver Options", true, Some(node)) => node.options = value,
                ("Status", true, Some(node)) => node.status = value,
                ("Error", true, Some(node)) => node.error = Some(value),
                ("Platforms", true, Some(node)) => node.platforms = value,
                _ => {}
            }
        }
        Some(Self {
            name,
            driver: driver?,
            error,
            nodes,
        })
    }

    /// What it builds is in the engine's image store.
    pub(crate) fn is_engines_own(&self) -> bool {
        self.driver == Driver::Docker
    }

    /// Why it cannot build, as far as that is known before it has begun: buildx starts containers and pods itself.
    pub(crate) fn refusal(&self) -> Option<String> {
        if let Some(error) = &self.error {
            return Some(error.clone());
        }
        let dead: Vec<String> = self
            .nodes
            .iter()
            .filter_map(|node| self.dead(node))
            .collect();
        (!dead.is_empty() && dead.len() == self.nodes.len()).then(|| dead.join("; "))
    }

    /// The nodes that cannot build, where others can.
    pub(crate) fn lost(&self) -> Vec<String> {
        let dead = self.nodes.iter().filter_map(|node| self.dead(node));
        dead.filter(|_| self.refusal().is_none()).collect()
    }

    fn dead(&self, node: &Node) -> Option<String> {
        let Node { name, endpoint, .. } = node;
        if let Some(error) = &node.error {
            return Some(format!("node `{name}`: {error}"));
        }
        // Nobody but its owner starts a remote one, which is `inactive` whatever the reason.
        let down = self.driver == Driver::Remote && node.status != "running";
        down.then(|| format!("node `{name}` does not answer at {endpoint}"))
    }

    /// Whether this machine's loopback address means, where it builds, the builder's own container or pod. Of a remote
    /// one nobody knows: its address may be the end of a tunnel.
    pub(crate) fn has_own_loopback(&self) -> bool {
        match self.driver {
            Driver::Kubernetes => true,
            // Without the option it is on a network of the engine's.
            Driver::Container => {
                let set = |node: &Node| node.options.contains("network=");
                !self.nodes.is_empty() && !self.nodes.iter().any(set)
            }
            Driver::Docker | Driver::Remote | Driver::Other(_) => false,
        }
    }

    /// Whether one of its nodes says that it builds for that platform. None: they do not say what they build for, as one
    /// that is not started yet.
    pub(crate) fn builds_for(&self, platform: &str) -> Option<bool> {
        let lists = self.nodes.iter().map(|node| node.platforms.as_str());
        let mut known = lists.filter(|list| !list.is_empty()).peekable();
        known.peek()?;
        let is_it = |one: &str| one.trim().trim_end_matches('*') == platform;
        Some(known.any(|list| list.split(',').any(is_it)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As buildx 0.29.1 has printed it, of two nodes of which one does not run.
    const FARM: &str = "\
Name:          farm
Driver:        remote
Last Activity: 2026-11-26 10:50:01 +0000 UTC

Nodes:
Name:             farm0
Endpoint:         unix:///run/farm/0.sock
Status:           running
BuildKit version: v0.25.2
Platforms:        linux/amd64*, linux/amd64/v2, linux/386
Labels:
 org.mobyproject.buildkit.worker.hostname: host
GC Policy rule#0:
 All:            false

Name:      farm1
Endpoint:  tcp://10.0.0.7:1234
Status:    inactive
Platforms: linux/arm64*
";

    #[test]
    fn nodes_are_read_one_after_the_other() {
        let farm = Builder::parse(FARM).unwrap();
        assert_eq!(
            (farm.name.as_str(), &farm.driver),
            ("farm", &Driver::Remote)
        );
        assert_eq!(farm.refusal(), None);
        assert_eq!(
            farm.lost(),
            ["node `farm1` does not answer at tcp://10.0.0.7:1234"]
        );
        assert_eq!(farm.builds_for("linux/amd64"), Some(true));
        assert_eq!(farm.builds_for("linux/arm64"), Some(true));
        assert_eq!(farm.builds_for("linux/s390x"), Some(false));
        assert!(!farm.is_engines_own() && !farm.has_own_loopback());
        assert_eq!(Builder::parse("Name: x\n"), None);
    }

    #[test]
    fn a_builder_of_which_no_node_can_build_is_refused_with_the_reason() {
        let dead = FARM.replace("running", "inactive");
        assert_eq!(
            Builder::parse(&dead).unwrap().refusal().unwrap(),
            "node `farm0` does not answer at unix:///run/farm/0.sock; \
             node `farm1` does not answer at tcp://10.0.0.7:1234"
        );
        let unknown = "Name: k\nDriver: kubernetes\nError: no such context\n";
        let unknown = Builder::parse(unknown).unwrap();
        assert_eq!(unknown.refusal().unwrap(), "no such context");
        // Buildx starts it.
        let idle = "Name: k\nDriver: kubernetes\n\nNodes:\nName: k0\nStatus: inactive\n";
        let idle = Builder::parse(idle).unwrap();
        assert_eq!((idle.refusal(), idle.lost()), (None, Vec::new()));
        assert_eq!(idle.builds_for("linux/amd64"), None);
    }

    #[test]
    fn what_the_loopback_address_means_depends_on_where_it_runs() {
        for (driver, options, own) in [
            ("docker", "", false),
            ("kubernetes", "", true),
            ("remote", "", false),
            ("docker-container", "", true),
            (
                "docker-container",
                "Driver Options: network=\"host\"\n",
                false,
            ),
            ("cloud", "", false),
        ] {
            let text = format!("Name: x\nDriver: {driver}\n\nNodes:\nName: x0\n{options}");
            let builder = Builder::parse(&text).unwrap();
            assert_eq!(builder.has_own_loopback(), own, "{driver} {options}");
            assert_eq!(builder.driver.to_string(), driver);
        }
    }
}
