// SPDX-License-Identifier: Apache-2.0
//! `kubectl`: its arguments, and what it says of nodes and of the operator.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{
    plan::{Cmd, Diagnose, Said},
    symptom,
};

/// When a command that removes has done its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// When nothing is left.
    Awaited,
    /// When it has been asked for.
    Begun,
}

/// Where kubectl is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kubectl {
    /// The one on PATH.
    OnPath,
    /// The one that a kind cluster's control plane has, a container of this name.
    InNode(String),
}

/// What a command's input and output are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Console {
    Pipes,
    Terminal,
}

/// Where nodes of kind have kubectl.
pub(crate) const IN_NODE: &str = "/usr/bin/kubectl";
/// What opens a kind cluster to programs in its control plane.
const ADMIN: &str = "/etc/kubernetes/admin.conf";

/// How a cluster is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterAccess {
    /// For programs of this machine.
    pub kubeconfig: PathBuf,
    /// None: the kubeconfig's current one.
    pub context: Option<String>,
    pub kubectl: Kubectl,
}

impl ClusterAccess {
    pub(crate) fn cmd(&self, purpose: impl Into<String>) -> Cmd {
        self.cmd_at(Console::Pipes, purpose)
    }

    /// The same, of which a person may be at the other end.
    pub(crate) fn cmd_at(&self, console: Console, purpose: impl Into<String>) -> Cmd {
        match &self.kubectl {
            Kubectl::OnPath => Cmd::new("kubectl", purpose)
                .arg("--kubeconfig")
                .arg(&self.kubeconfig)
                .args(self.context.iter().flat_map(|name| ["--context", name])),
            Kubectl::InNode(node) => Cmd::new("docker", purpose)
                .args(["exec", "--interactive"])
                .args((console == Console::Terminal).then_some("--tty"))
                .args(["--", node, "kubectl", "--kubeconfig", ADMIN]),
        }
    }

    /// Asks for objects of several kinds in all namespaces as one JSON list.
    pub(crate) fn list(&self, purpose: &str, kinds: &str) -> Cmd {
        self.cmd(purpose).args([
            "get",
            kinds,
            "--all-namespaces",
            "--output",
            "json",
            "--request-timeout",
            "10s",
        ])
    }

    /// Removes the namespaces that carry all of these labels, whatever they are called; none is no error.
    pub(crate) fn remove_namespaces(
        &self,
        purpose: impl Into<String>,
        labels: &[(&str, &str)],
        removal: Removal,
    ) -> Cmd {
        let selector: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        self.cmd(purpose)
            .args(["delete", "namespace", "--selector", &selector.join(",")])
            .args((removal == Removal::Begun).then_some("--wait=false"))
    }

    /// Succeeds when the cluster's API answers, and says that it is ready.
    pub(crate) fn readiness(&self) -> Cmd {
        self.cmd("ask the cluster whether it is ready").args([
            "get",
            "--raw",
            "/readyz",
            "--request-timeout",
            "5s",
        ])
    }

    /// Applies one object, given as JSON on standard input.
    pub(crate) fn apply(&self, purpose: impl Into<String>, object: &Value) -> Cmd {
        self.cmd(purpose)
            .args([
                "apply",
                "--server-side",
                "--force-conflicts",
                "--filename",
                "-",
            ])
            .stdin(crate::json::pretty(object))
    }

    /// Makes one object, given as JSON on standard input; fails when it is there.
    pub(crate) fn create(&self, purpose: impl Into<String>, object: &Value) -> Cmd {
        self.cmd(purpose)
            .args(["create", "--filename", "-"])
            .stdin(crate::json::pretty(object))
    }

    /// Applies a manifest from a path of this machine or a URL. A node has no files of this machine.
    pub(crate) fn apply_file(&self, purpose: impl Into<String>, source: &str) -> Cmd {
        let apply = ["apply", "--server-side", "--force-conflicts", "--filename"];
        let cmd = self.cmd(purpose).args(apply);
        if is_path(source) && self.kubectl != Kubectl::OnPath {
            cmd.arg("-").stdin_of(source)
        } else {
            cmd.arg(source)
        }
    }

    /// The environment for a program that reads KUBECONFIG.
    pub(crate) fn kubeconfig_env(&self, root: &Path) -> (String, String) {
        (
            "KUBECONFIG".to_owned(),
            root.join(&self.kubeconfig).to_string_lossy().into_owned(),
        )
    }
}

/// Whether a manifest is a file of this machine.
pub(crate) fn is_path(source: &str) -> bool {
    !source.contains("://")
}

/// The items of a list of objects, or of one object.
pub(crate) fn items(text: &str) -> Vec<Value> {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return Vec::new();
    };
    match value.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => vec![value],
    }
}

/// Whether a condition of this type is `True`: `Ready` of a node, `Available` of a deployment.
pub(crate) fn condition(object: &Value, kind: &str) -> bool {
    let conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == kind && condition["status"] == "True")
}

/// Finds the cause in what a cluster has said: what ended the step stands before what was asked after it.
#[derive(Debug)]
pub(crate) struct InCluster;

impl Diagnose for InCluster {
    fn cause(&self, said: &Said) -> Option<String> {
        let own = [&said.failure, &said.log];
        let all: Vec<&String> = own.into_iter().chain(&said.answers).collect();
        symptom::cause_in_cluster(&all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_from_any_object() {
        let list = r#"{"kind":"List","items":[{"kind":"Node","status":{"conditions":[{"type":"Ready","status":"True"}]}},
            {"kind":"Node","status":{"conditions":[{"type":"Ready","status":"Unknown"}]}}]}"#;
        let ready: Vec<bool> = items(list)
            .iter()
            .map(|node| condition(node, "Ready"))
            .collect();
        assert_eq!(ready, [true, false]);
        assert!(items("no json").is_empty());
    }
}
