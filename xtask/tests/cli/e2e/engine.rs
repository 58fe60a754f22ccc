// SPDX-License-Identifier: Apache-2.0
//! What is in the fake engine and in the fake cluster, put there or looked at by a test.

use std::{fs, path::PathBuf};

use super::lab::{LABEL, Lab};

impl Lab {
    pub(crate) fn engine(&self, path: &str) -> PathBuf {
        self.fake("engine").join(path)
    }

    /// A network or a volume with labels.
    pub(crate) fn put(&self, kind: &str, name: &str, labels: &str) {
        fs::write(self.engine(kind).join(name), format!("{labels}\n")).unwrap();
    }

    pub(crate) fn put_container(&self, name: &str, labels: &str, network: &str, state: &str) {
        let folder = self.engine("containers").join(name);
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in [
            ("labels", labels),
            ("networks", network),
            ("state", state),
            ("image", "some/image:1"),
            ("ports", ""),
            ("volume", ""),
        ] {
            fs::write(folder.join(file), format!("{text}\n")).unwrap();
        }
    }

    /// A fact about a container: `state`, `labels`, `ports`.
    pub(crate) fn container(&self, name: &str, fact: &str) -> Option<String> {
        let path = self.engine("containers").join(name).join(fact);
        Some(fs::read_to_string(path).ok()?.trim().to_owned())
    }

    pub(crate) fn set_state(&self, name: &str, state: &str) {
        let path = self.engine("containers").join(name).join("state");
        fs::write(path, format!("{state}\n")).unwrap();
    }

    /// The names below `networks`, `volumes` or `containers`.
    pub(crate) fn names(&self, kind: &str) -> Vec<String> {
        let entries = fs::read_dir(self.engine(kind)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// All that the engine has, to be compared.
    pub(crate) fn inventory(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for kind in ["networks", "volumes"] {
            for name in self.names(kind) {
                let labels = fs::read_to_string(self.engine(kind).join(&name)).unwrap();
                all.push((format!("{kind}/{name}"), labels));
            }
        }
        for name in self.names("containers") {
            let state = self.container(&name, "state").unwrap();
            all.push((format!("containers/{name}"), state));
        }
        all
    }

    /// A file on a node.
    pub(crate) fn on_node(&self, node: &str, path: &str) -> Option<String> {
        let files = self.engine("containers").join(node).join("files");
        fs::read_to_string(files.join(path.trim_start_matches('/'))).ok()
    }

    pub(crate) fn hosts_toml(&self, node: &str, host: &str) -> Option<String> {
        self.on_node(node, &format!("etc/containerd/certs.d/{host}/hosts.toml"))
    }

    /// A folder of the fake cluster of kind, by its name there.
    pub(crate) fn kube(&self, cluster: &str, path: &str) -> PathBuf {
        self.fake("kube").join(format!("kind-{cluster}")).join(path)
    }

    pub(crate) fn put_database(&self, cluster: &str, namespace: &str, name: &str) {
        let object = format!(
            "{{\"kind\": \"Cluster\", \"metadata\": {{\"namespace\": \"{namespace}\", \"name\": \"{name}\"}}}}"
        );
        let file = format!("databases/{namespace}.{name}.json");
        fs::write(self.kube(cluster, &file), object).unwrap();
    }

    /// A cluster that kind would not know, with a kubeconfig for it below the root. Gives its path.
    pub(crate) fn put_existing(&self, context: &str) -> String {
        for below in ["objects", "databases"] {
            fs::create_dir_all(self.fake("kube").join(context).join(below)).unwrap();
        }
        let node = format!(
            "{{\"kind\": \"Node\", \"metadata\": {{\"name\": \"far\"}}, \"status\": {{\"conditions\": [{{\"type\": \"Ready\", \"status\": \"True\"}}], \
             \"nodeInfo\": {{\"kubeletVersion\": \"v1.35.2\", \"operatingSystem\": \"linux\", \"architecture\": \"{}\"}}}}}}",
            super::lab::architecture()
        );
        let file = self.fake("kube").join(context).join("objects/node.json");
        fs::write(file, node).unwrap();
        self.write("theirs.kubeconfig", &kubeconfig(context));
        "theirs.kubeconfig".to_owned()
    }

    /// An operator that somebody has installed, with nothing of ours on it.
    pub(crate) fn put_operator(&self, context: &str) {
        let folder = self.fake("kube").join(context).join("operator");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("image"), "their/operator:9\n").unwrap();
        fs::write(folder.join("available"), "True\n").unwrap();
    }

    /// What the operator of the kind cluster has: `image`, `stamp`, `release`, `available`.
    pub(crate) fn operator(&self, cluster: &str, fact: &str) -> Option<String> {
        let path = self.kube(cluster, "operator").join(fact);
        Some(fs::read_to_string(path).ok()?.trim().to_owned())
    }

    /// Our network, and somebody else's things that have nothing to do with it.
    pub(crate) fn put_strangers(&self) {
        self.put("networks", "kind", "");
        self.put("volumes", "somebodys", "team=a");
        self.put_container("registry", "team=a", "bridge", "running");
        let label = "io.x-k8s.kind.cluster=kind,io.x-k8s.kind.role=control-plane";
        self.put_container("kind-control-plane", label, "kind", "running");
        let label = "io.cloudnativepg.xtask.environment=another";
        self.put("networks", "another-e2e", label);
        self.put("volumes", "registry.another", label);
        self.put_container("registry.another", label, "another-e2e", "exited");
    }

    pub(crate) fn put_network(&self) {
        self.put("networks", "pg-extensions-e2e", LABEL);
    }
}

/// A kubeconfig with one cluster, as people have them.
pub(crate) fn kubeconfig(context: &str) -> String {
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    server: https://far.example:6443\n  name: {context}\ncontexts:\n- context:\n    cluster: {context}\n    user: {context}\n  name: {context}\ncurrent-context: {context}\nkind: Config\nusers:\n- name: {context}\n  user:\n    token: abc\n"
    )
}
