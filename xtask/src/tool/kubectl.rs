// SPDX-License-Identifier: Apache-2.0
//! `kubectl`: its arguments, and what it says of nodes and of the operator.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{plan::Cmd, yaml};

/// When a command that removes has done its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// When nothing is left.
    Awaited,
    /// When it has been asked for.
    Begun,
}

/// How a cluster is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterAccess {
    pub kubeconfig: PathBuf,
    /// None: the kubeconfig's current one.
    pub context: Option<String>,
}

impl ClusterAccess {
    pub(crate) fn cmd(&self, purpose: impl Into<String>) -> Cmd {
        Cmd::new("kubectl", purpose)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(self.context.iter().flat_map(|name| ["--context", name]))
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

    /// Applies a manifest from a path or a URL.
    pub(crate) fn apply_file(&self, purpose: impl Into<String>, source: &str) -> Cmd {
        self.cmd(purpose).args([
            "apply",
            "--server-side",
            "--force-conflicts",
            "--filename",
            source,
        ])
    }

    /// The environment for a program that reads KUBECONFIG.
    pub(crate) fn kubeconfig_env(&self, root: &Path) -> (String, String) {
        (
            "KUBECONFIG".to_owned(),
            root.join(&self.kubeconfig).to_string_lossy().into_owned(),
        )
    }
}

/// A kubeconfig's current context, cluster and server, without its secrets.
pub(crate) fn view_cmd(kubeconfig: &Path) -> Cmd {
    Cmd::new("kubectl", format!("read `{}`", kubeconfig.display()))
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(["config", "view", "--output", "json"])
}

/// The certificate authority of the cluster that a kubeconfig's context opens: no two clusters have the
/// same, whatever they are called and at whatever address they are reached. None when the file names none
/// in its own text.
pub(crate) fn authority(kubeconfig: &str, context: Option<&str>) -> Option<String> {
    let file = yaml::from_text(kubeconfig)?;
    let find = |list: &str, name: &str| {
        let mut items = file[list].as_array()?.iter();
        items.find(|item| item["name"] == name).cloned()
    };
    let context = context.or(file["current-context"].as_str())?;
    let context = find("contexts", context)?;
    let cluster = find("clusters", context["context"]["cluster"].as_str()?)?;
    authority_of(&cluster)
}

/// The authorities of all clusters in a kubeconfig.
pub(crate) fn authorities(kubeconfig: &str) -> Vec<Option<String>> {
    let file = yaml::from_text(kubeconfig).unwrap_or_default();
    let clusters = file["clusters"].as_array().into_iter().flatten();
    clusters.map(authority_of).collect()
}

fn authority_of(cluster: &Value) -> Option<String> {
    let text = cluster["cluster"]["certificate-authority-data"].as_str()?;
    let text: String = text.split_whitespace().collect();
    (!text.is_empty()).then_some(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_that_of_the_context() {
        let file = "clusters:\n- name: a\n  cluster: {server: 'https://x', certificate-authority-data: QQ==}\n- name: b\n  cluster: {server: 'https://x'}\n\
            contexts:\n- name: one\n  context: {cluster: a}\n- name: two\n  context: {cluster: b}\n- name: three\n  context: {cluster: c}\ncurrent-context: one\n";
        assert_eq!(authority(file, None).as_deref(), Some("QQ=="));
        assert_eq!(authority(file, Some("one")).as_deref(), Some("QQ=="));
        for context in ["two", "three", "four"] {
            assert_eq!(authority(file, Some(context)), None);
        }
        assert_eq!(authorities(file), [Some("QQ==".to_owned()), None]);
        for text in ["", "no: kubeconfig", "[", "- 1", "clusters: 7"] {
            assert_eq!(authority(text, None), None);
            assert!(authorities(text).is_empty());
        }
    }

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
