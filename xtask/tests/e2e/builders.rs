// SPDX-License-Identifier: Apache-2.0
//! A builder in pods of the cluster, by buildx's driver `kubernetes`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::lab::{Lab, NAME};
use crate::support::{ended::Ended, repository::sandboxed};

const NAMESPACE: &str = "builders";
/// Where nodes pull it from who can.
const IMAGE: &str = "moby/buildkit:v0.25.2";

/// A builder whose BuildKit runs in a pod, which buildx starts when it builds. It ends with this value.
struct Pods<'a> {
    lab: &'a Lab,
    name: String,
}

impl<'a> Pods<'a> {
    fn create(lab: &'a Lab) -> Self {
        let pods = Self {
            lab,
            name: format!("{NAME}-pods"),
        };
        lab.kubectl(&["create", "namespace", NAMESPACE]).success();
        let trusted = format!("[registry.\"registry.{NAME}:5000\"]\n  http = true\n");
        fs::write(lab.repository.path().join("buildkitd.toml"), trusted).unwrap();
        let options = format!("namespace={NAMESPACE},image={}", image(lab));
        let create = ["create", "--name", &pods.name, "--driver", "kubernetes"];
        let options = [
            "--driver-opt",
            &options,
            "--buildkitd-config",
            "buildkitd.toml",
        ];
        pods.buildx(&[&create[..], &options].concat()).success();
        pods
    }

    /// The cluster of a new builder is that of the environment's variable.
    fn buildx(&self, args: &[&str]) -> Ended {
        let root = fs::canonicalize(self.lab.repository.path()).unwrap();
        let cluster = format!("KUBECONFIG={}/target/xtask/e2e/kubeconfig", root.display());
        let buildx = [&["env", &cluster, "docker", "buildx"], args].concat();
        if sandboxed() {
            return self
                .lab
                .xtask(&[&["sandbox", "exec", "--"], &buildx[..]].concat());
        }
        let mut command = Command::new(buildx[0]);
        command.args(&buildx[1..]).current_dir(root);
        Ended::from(&command.output().unwrap())
    }
}

impl Drop for Pods<'_> {
    fn drop(&mut self) {
        self.buildx(&["rm", "--force", &self.name]);
        self.lab.kubectl(&["delete", "namespace", NAMESPACE]);
    }
}

/// The name by which nodes pull BuildKit: of the one that the lab has compiled, in the environment's registry.
fn image(lab: &Lab) -> String {
    if !sandboxed() {
        return IMAGE.to_owned();
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let made = Command::new(source.join("test/lab/builders"))
        .arg("image")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(made.status.success(), "the lab has no image of BuildKit");
    let made = String::from_utf8(made.stdout).unwrap();
    let pushed = format!("{}/{}", lab.setting("registry"), made.trim());
    lab.docker(&["tag", made.trim(), &pushed]).success();
    lab.docker(&["push", "--quiet", &pushed]).success();
    format!("registry.{NAME}:5000/{}", made.trim())
}

#[test]
fn a_pod_builds_and_pushes_what_is_tested_by_its_digest() {
    let lab = Lab::up();
    let pods = Pods::create(&lab);
    let bake = [
        "bake",
        "pgvector",
        "--push",
        "--json",
        "--builder",
        &pods.name,
    ];
    lab.xtask(&bake)
        .status(3)
        .says("there that is its own pod")
        .says("hint: set `registry` to a name");
    let mut elsewhere = lab.command(&bake);
    let host = format!("registry.{NAME}:5000");
    let output = elsewhere.env("registry", &host).output().unwrap();
    let image = &Ended::from(&output).success().json()[0];
    assert_eq!(image["result"], "passed", "{image:#}");
    let platforms = serde_json::json!(["linux/amd64", "linux/arm64"]);
    assert_eq!(image["platforms"], platforms, "{image:#}");
    // This machine has another name for the registry.
    let (name, digest) = (image["image"].as_str(), image["digest"].as_str());
    let path = name.unwrap().strip_prefix(&host).unwrap();
    let path = path.rsplit_once(':').unwrap().0;
    let named = format!("{}{path}@{}", lab.setting("registry"), digest.unwrap());
    let smoke = ["smoke", "pgvector", "--image", &named, "--json"];
    let tested = lab.xtask(&smoke).success().json();
    assert_eq!(tested[0]["result"], "passed", "{tested:#}");
    // What is tested without a registry is handed over.
    let smoke = ["smoke", "pgvector", "--builder", &pods.name, "--json"];
    let tested = lab.xtask(&smoke).success().json();
    assert_eq!(tested[0]["result"], "passed", "{tested:#}");
}
