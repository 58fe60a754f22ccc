// SPDX-License-Identifier: Apache-2.0
//! `kubectl`: its arguments, and what it says of nodes and of the operator.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::plan::Cmd;

/// A cluster that can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub kubeconfig: PathBuf,
    /// None: the kubeconfig's current one.
    pub context: Option<String>,
}

impl Access {
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
        wait: bool,
    ) -> Cmd {
        let selector: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        self.cmd(purpose)
            .args(["delete", "namespace", "--selector", &selector.join(",")])
            .args((!wait).then_some("--wait=false"))
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
            .stdin(crate::ui::pretty(object))
    }

    /// Makes one object, given as JSON on standard input; fails when it is there.
    pub(crate) fn create(&self, purpose: impl Into<String>, object: &Value) -> Cmd {
        self.cmd(purpose)
            .args(["create", "--filename", "-"])
            .stdin(crate::ui::pretty(object))
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
