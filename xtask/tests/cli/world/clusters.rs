// SPDX-License-Identifier: Apache-2.0
//! What is in the clusters that the fake kubectl knows, put there or looked at by a test.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{image::architecture, tools::Tools};

const KUBECTL: &str = include_str!("fakes/kubectl.sh");

pub(crate) struct Clusters {
    fakes: PathBuf,
}

impl Clusters {
    pub(super) fn in_fakes(fakes: &Path) -> Self {
        for folder in ["kube", "kubectl"] {
            fs::create_dir(fakes.join(folder)).unwrap();
        }
        // For the nodes of the fake docker.
        fs::write(fakes.join("kubectl.sh"), KUBECTL).unwrap();
        Self {
            fakes: fakes.to_owned(),
        }
    }

    pub(super) fn put_on_path(tools: &Tools) {
        tools.fake("kubectl", KUBECTL);
    }

    /// A file of a cluster, which is known by its context: below `objects`, `databases` and `operator`.
    pub(crate) fn file(&self, context: &str, path: &str) -> PathBuf {
        self.fakes.join("kube").join(context).join(path)
    }

    /// A file of a cluster of kind.
    pub(crate) fn of_kind(&self, cluster: &str, path: &str) -> PathBuf {
        self.file(&format!("kind-{cluster}"), path)
    }

    pub(crate) fn put_database(&self, cluster: &str, namespace: &str, name: &str) {
        let object = format!(
            "{{\"kind\": \"Cluster\", \"metadata\": {{\"namespace\": \"{namespace}\", \"name\": \"{name}\"}}}}"
        );
        let file = format!("databases/{namespace}.{name}.json");
        fs::write(self.of_kind(cluster, &file), object).unwrap();
    }

    /// A cluster that kind would not know. Gives a kubeconfig for it.
    pub(crate) fn put(&self, context: &str) -> String {
        for folder in ["objects", "databases"] {
            fs::create_dir_all(self.file(context, folder)).unwrap();
        }
        let node = format!(
            "{{\"kind\": \"Node\", \"metadata\": {{\"name\": \"far\"}}, \"status\": {{\"conditions\": [{{\"type\": \"Ready\", \"status\": \"True\"}}], \
             \"nodeInfo\": {{\"kubeletVersion\": \"v1.35.2\", \"operatingSystem\": \"linux\", \"architecture\": \"{}\"}}}}}}",
            architecture()
        );
        fs::write(self.file(context, "objects/node.json"), node).unwrap();
        kubeconfig(context)
    }

    /// An operator that somebody has installed, with nothing of ours on it.
    pub(crate) fn put_operator(&self, context: &str) {
        let folder = self.file(context, "operator");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("image"), "their/operator:9\n").unwrap();
        fs::write(folder.join("available"), "True\n").unwrap();
    }

    /// What the operator of a cluster of kind has: `image`, `stamp`, `release`, `available`.
    pub(crate) fn operator(&self, cluster: &str, fact: &str) -> Option<String> {
        let path = self.of_kind(cluster, "operator").join(fact);
        Some(fs::read_to_string(path).ok()?.trim().to_owned())
    }

    /// The namespaces of suites that are in a cluster of kind.
    pub(crate) fn namespaces(&self, cluster: &str) -> Vec<String> {
        let mut names = super::names_in(&self.of_kind(cluster, "objects"));
        names.retain(|name| name.starts_with("Namespace-"));
        names
    }

    /// What is said of the objects of a suite while it runs, as JSON.
    pub(crate) fn watched(&self, json: &str) {
        fs::write(self.fakes.join("kubectl/watched"), json).unwrap();
    }

    /// The log of every pod that is watched.
    pub(crate) fn pod_log(&self, text: &str) {
        fs::write(self.fakes.join("kubectl/pod.log"), text).unwrap();
    }
}

/// A kubeconfig with one cluster, as people have them.
pub(crate) fn kubeconfig(context: &str) -> String {
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    server: https://far.example:6443\n  name: {context}\ncontexts:\n- context:\n    cluster: {context}\n    user: {context}\n  name: {context}\ncurrent-context: {context}\nkind: Config\nusers:\n- name: {context}\n  user:\n    token: abc\n"
    )
}
