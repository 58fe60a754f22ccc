// SPDX-License-Identifier: Apache-2.0
//! What the fake docker's engine holds, put there or looked at by a test.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What says on a network, a volume or a container that it is of the environment.
pub(crate) const LABEL: &str = "io.cloudnativepg.xtask.environment=pg-extensions";

pub(crate) struct Engine {
    folder: PathBuf,
}

impl Engine {
    pub(super) fn in_fakes(fakes: &Path) -> Self {
        let folder = fakes.join("engine");
        for kind in ["networks", "volumes", "containers", "images", "registries"] {
            fs::create_dir_all(folder.join(kind)).unwrap();
        }
        Self { folder }
    }

    /// What it holds as files: below `networks`, `volumes`, `containers` and `images`.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// A network or a volume with labels.
    pub(crate) fn put(&self, kind: &str, name: &str, labels: &str) {
        fs::write(self.path(kind).join(name), format!("{labels}\n")).unwrap();
    }

    pub(crate) fn put_container(&self, name: &str, labels: &str, network: &str, state: &str) {
        let folder = self.path("containers").join(name);
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

    /// An image that the engine has.
    pub(crate) fn put_image(&self, reference: &str) {
        let path = self.path("images").join(reference);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    /// The environment's network.
    pub(crate) fn put_network(&self) {
        self.put("networks", "pg-extensions-e2e", LABEL);
    }

    /// Somebody else's things, which have nothing to do with the environment.
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

    /// A fact about a container: `state`, `labels`, `ports`.
    pub(crate) fn container(&self, name: &str, fact: &str) -> Option<String> {
        let path = self.path("containers").join(name).join(fact);
        Some(fs::read_to_string(path).ok()?.trim().to_owned())
    }

    pub(crate) fn set_state(&self, name: &str, state: &str) {
        let path = self.path("containers").join(name).join("state");
        fs::write(path, format!("{state}\n")).unwrap();
    }

    /// The names of `networks`, `volumes` or `containers`.
    pub(crate) fn names(&self, kind: &str) -> Vec<String> {
        super::names_in(&self.path(kind))
    }

    /// All that the engine has, to be compared.
    pub(crate) fn inventory(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for kind in ["networks", "volumes"] {
            for name in self.names(kind) {
                let labels = fs::read_to_string(self.path(kind).join(&name)).unwrap();
                all.push((format!("{kind}/{name}"), labels));
            }
        }
        for name in self.names("containers") {
            let state = self.container(&name, "state").unwrap();
            all.push((format!("containers/{name}"), state));
        }
        all
    }

    /// A file on a node, which is a container.
    pub(crate) fn on_node(&self, node: &str, path: &str) -> Option<String> {
        let files = self.path("containers").join(node).join("files");
        fs::read_to_string(files.join(path.trim_start_matches('/'))).ok()
    }

    pub(crate) fn hosts_toml(&self, node: &str, host: &str) -> Option<String> {
        self.on_node(node, &format!("etc/containerd/certs.d/{host}/hosts.toml"))
    }
}
