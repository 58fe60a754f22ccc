// SPDX-License-Identifier: Apache-2.0
//! An environment of the lane's own, beside the one that a developer may have.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

use crate::support::{
    ended::Ended,
    repository::{Repository, free_port, sandboxed},
};

/// The environment's name: of its network, registry and cluster.
pub(crate) const NAME: &str = "xtask-lane";

/// Settings that point xtask at the lab; none where images can be pulled.
fn settings() -> &'static BTreeMap<String, String> {
    static SETTINGS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let mut settings = BTreeMap::new();
        if sandboxed() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
            let script = "settings=$(\"$1/test/lab/up\") && eval \"$settings\" && env -0";
            let output = Command::new("bash")
                .args(["-euc", script, "lab"])
                .arg(source)
                .stderr(Stdio::inherit())
                .output()
                .unwrap();
            assert!(output.status.success(), "the lab could not be made");
            let text = String::from_utf8(output.stdout).unwrap();
            let wanted = |name: &str| name.starts_with("XTASK_") || name == "PATH";
            let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
            settings.extend(
                pairs
                    .filter(|(name, _)| wanted(name))
                    .map(|(name, value)| (name.to_owned(), value.to_owned())),
            );
        }
        settings.insert("XTASK_E2E_NAME".into(), NAME.into());
        settings.insert("registry".into(), format!("localhost:{}", free_port()));
        settings
    })
}

/// A copy of this repository whose commands use the lane's environment.
pub(crate) struct Lab {
    pub(crate) repository: Repository,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            repository: Repository::new(),
        }
    }

    /// The same, with the environment created or repaired.
    pub(crate) fn up() -> Self {
        let lab = Self::new();
        lab.xtask(&["e2e", "setup-env"]).success();
        lab
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.repository.command(args);
        command.envs(settings());
        command
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Ended {
        Ended::from(&self.command(args).output().unwrap())
    }

    pub(crate) fn docker(&self, args: &[&str]) -> Ended {
        self.repository.docker(args)
    }

    /// Asks the cluster, by way of the kubeconfig that `setup-env` left.
    pub(crate) fn kubectl(&self, args: &[&str]) -> Ended {
        let kubeconfig = ["--kubeconfig", "target/xtask/e2e/kubeconfig"];
        if !sandboxed() {
            let output = Command::new("kubectl")
                .args(kubeconfig)
                .args(args)
                .current_dir(self.repository.path())
                .output();
            return Ended::from(&output.unwrap());
        }
        let all = [&["sandbox", "exec", "--", "kubectl"], &kubeconfig[..], args].concat();
        self.xtask(&all)
    }

    /// The cluster's one node.
    pub(crate) fn node(&self) -> String {
        let network = format!("network={NAME}-e2e");
        let filters = ["--filter", "label=io.x-k8s.kind.cluster", "--filter"];
        let args = [&["ps"][..], &filters, &[&network, "--format", "{{.Names}}"]].concat();
        self.docker(&args).success().stdout.trim().to_owned()
    }

    /// What a setting is.
    pub(crate) fn setting(&self, name: &str) -> String {
        let all = self.xtask(&["config", "--json"]).success().json();
        let settings = all.as_array().unwrap();
        let found = settings.iter().find(|setting| setting["key"] == name);
        found.unwrap()["value"].as_str().unwrap().to_owned()
    }

    /// A file of the repository.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repository.path().join(path)).unwrap()
    }

    /// Bakes and pushes pgvector; gives the image's name and digest, as the metadata file has them.
    pub(crate) fn pushed(&self, more: &[&str]) -> (String, String) {
        let bake = "bake TARGET=pgvector PUSH=true METADATA_FILE=images.json";
        let bake: Vec<&str> = bake.split(' ').collect();
        self.xtask(&[&bake, more].concat()).success();
        let metadata: Value = serde_json::from_str(&self.read("images.json")).unwrap();
        let mut targets = metadata.as_object().unwrap().values();
        let target = targets.next().unwrap();
        let text = |key: &str| target[key].as_str().unwrap().to_owned();
        let names = text("image.name");
        let name = names.split(',').next().unwrap().to_owned();
        (name, text("containerimage.digest"))
    }

    /// All containers, networks and volumes of the engine, by name.
    pub(crate) fn things(&self) -> Vec<String> {
        let lists: [&[&str]; 3] = [
            &["ps", "--all", "--format", "container {{.Names}}"],
            &["network", "ls", "--format", "network {{.Name}}"],
            &["volume", "ls", "--format", "volume {{.Name}}"],
        ];
        let lists = lists.iter().map(|args| self.docker(args).success().stdout);
        let mut things: Vec<String> = lists
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        things.sort();
        things
    }
}
