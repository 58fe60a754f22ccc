// SPDX-License-Identifier: Apache-2.0
//! `kind`: clusters whose nodes are containers of the engine.

use std::path::Path;

use serde_json::{Value, json};

use super::version::Least;
use crate::{
    failure::{Failure, Section},
    plan::Cmd,
};

/// Kind labels each node's container with the cluster's name and the node's role.
pub(crate) const CLUSTER_LABEL: &str = "io.x-k8s.kind.cluster";

/// The gate for image volumes is needed below this minor of Kubernetes 1.
const IMAGE_VOLUME_BY_DEFAULT: u32 = 35;

/// Who is to reach a cluster by a kubeconfig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Programs of this machine.
    Machine,
    /// Those in containers on the cluster's network.
    Container,
}

impl Client {
    fn flag(self) -> Option<&'static str> {
        (self == Self::Container).then_some("--internal")
    }
}

/// Kind, told which network its nodes are on.
#[derive(Clone, Debug)]
pub(crate) struct Kind<'a> {
    pub network: &'a str,
}

impl Kind<'_> {
    fn cmd(&self, purpose: impl Into<String>) -> Cmd {
        // Kind reads the network in every call and would otherwise use its own.
        Cmd::new("kind", purpose).env("KIND_EXPERIMENTAL_DOCKER_NETWORK", self.network)
    }

    /// Makes a cluster and waits until its nodes are ready. Nodes that do not come up stay, to be asked why.
    pub(crate) fn create(
        &self,
        cluster: &str,
        image: &str,
        config: &Path,
        kubeconfig: &Path,
    ) -> Cmd {
        self.cmd(format!("create the kind cluster `{cluster}`"))
            .args([
                "create", "cluster", "--name", cluster, "--image", image, "--wait", "3m",
                "--retain",
            ])
            .arg("--config")
            .arg(config)
            .arg("--kubeconfig")
            .arg(kubeconfig)
    }

    pub(crate) fn delete(&self, cluster: &str, kubeconfig: &Path) -> Cmd {
        self.cmd(format!("delete the kind cluster `{cluster}`"))
            .args(["delete", "cluster", "--name", cluster, "--kubeconfig"])
            .arg(kubeconfig)
    }

    /// Prints a kubeconfig, with the address for such a client.
    pub(crate) fn kubeconfig(&self, cluster: &str, client: Client) -> Cmd {
        self.cmd(format!("ask kind for the kubeconfig of `{cluster}`"))
            .args(["get", "kubeconfig", "--name", cluster])
            .args(client.flag())
    }

    /// Adds the cluster to a kubeconfig and makes it the current one; the file keeps what it holds.
    pub(crate) fn export(&self, cluster: &str, client: Client, into: &Path) -> Cmd {
        self.cmd(format!("add `{cluster}` to `{}`", into.display()))
            .args(["export", "kubeconfig", "--name", cluster, "--kubeconfig"])
            .arg(into)
            .args(client.flag())
    }
}

pub(crate) fn version_cmd() -> Cmd {
    Cmd::new("kind", "ask kind for its version").args(["version", "--quiet"])
}

/// One before it does not speak to containerd 2.
pub(crate) const LEAST: Least = Least::of(&[0, 27]);
/// One before it cannot start nodes of Kubernetes 1.37.
pub(crate) const LEAST_FOR_NEW_NODES: Least = Least::of(&[0, 32]);
/// The first minor of Kubernetes 1 whose nodes are new to kind in this sense.
const NEW_NODES: u32 = 37;

/// Kind's own version, and whether it is new enough for the nodes.
pub(crate) fn check_version(kind: &str, kubernetes: &str) -> Result<(), Failure> {
    let needed = match minor_of(kubernetes) {
        Some(minor) if minor >= NEW_NODES => LEAST_FOR_NEW_NODES,
        _ => LEAST,
    };
    if needed.is_after(kind) {
        return Err(Failure::unavailable(format!(
            "kind {kind} is too old for nodes of Kubernetes {kubernetes}"
        ))
        .hint(format!(
            "install kind {needed} or newer, add `--sandbox`, which brings one (Linux, root), or choose an older Kubernetes with `--kubernetes`"
        ))
        .see(Section::Cluster));
    }
    Ok(())
}

/// On every machine that runs nodes: kind itself mounts it into each of them.
const ANYWHERE: &str = "/lib/modules";

/// The configuration of a cluster with one control plane and `nodes - 1` workers, each with a mount at
/// `mark`. JSON, which is YAML.
pub(crate) fn config(nodes: u32, kubernetes: &str, mark: &str) -> String {
    let mounts = json!([{"hostPath": ANYWHERE, "containerPath": mark, "readOnly": true}]);
    let roles: Vec<Value> = (0..nodes.max(1))
        .map(|at| {
            let role = if at == 0 { "control-plane" } else { "worker" };
            json!({"role": role, "extraMounts": mounts})
        })
        .collect();
    let mut config =
        json!({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": roles});
    if minor_of(kubernetes).is_some_and(|minor| minor < IMAGE_VOLUME_BY_DEFAULT) {
        config["featureGates"] = json!({"ImageVolume": true});
    }
    crate::json::pretty(&config) + "\n"
}

/// The names that kind gives the nodes of a cluster: control plane first.
pub(crate) fn nodes(cluster: &str, nodes: u32) -> Vec<String> {
    (0..nodes.max(1))
        .map(|at| match at {
            0 => format!("{cluster}-control-plane"),
            1 => format!("{cluster}-worker"),
            _ => format!("{cluster}-worker{at}"),
        })
        .collect()
}

/// `v1.36.1` -> 36.
pub(crate) fn minor_of(kubernetes: &str) -> Option<u32> {
    let mut parts = kubernetes.trim_start_matches('v').split('.');
    (parts.next() == Some("1"))
        .then(|| parts.next()?.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_named_as_kind_names_them() {
        assert_eq!(nodes("x", 3), ["x-control-plane", "x-worker", "x-worker2"]);
    }

    #[test]
    fn the_gate_is_set_only_where_it_is_needed() {
        assert!(config(1, "v1.34.2", "/m").contains("ImageVolume"));
        assert!(!config(1, "v1.36.1", "/m").contains("ImageVolume"));
        let two = config(2, "v1.36.1", "/m");
        assert_eq!(two.matches("role").count(), 2);
        assert_eq!(two.matches("\"containerPath\": \"/m\"").count(), 2);
    }
}
