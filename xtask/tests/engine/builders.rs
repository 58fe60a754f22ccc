// SPDX-License-Identifier: Apache-2.0
//! Builders that are not the engine's own: two daemons of `BuildKit` beside it, which one builder of the driver `remote` has as its nodes.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::repository::{Registry, Repository, sandboxed};

/// Where somebody pulls BuildKit from who can.
const IMAGE: &str = "moby/buildkit:v0.25.2";
const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// Two daemons of `BuildKit`, each for a platform of its own, and the builder that has them. They end with this value.
struct Farm<'a> {
    repository: &'a Repository,
    name: String,
    /// Below it lie their sockets and all that they keep, where the engine runs.
    folder: String,
    nodes: Vec<Node>,
}

enum Node {
    Process(Child),
    Container(String),
}

impl<'a> Farm<'a> {
    fn start(repository: &'a Repository) -> Self {
        let name = format!("xtask-farm-{}", std::process::id());
        let mut farm = Self {
            repository,
            folder: format!("/var/lib/{name}"),
            name,
            nodes: Vec::new(),
        };
        for (place, platform) in PLATFORMS.iter().enumerate() {
            let socket = farm.socket(place);
            let node = if sandboxed() {
                farm.process(place)
            } else {
                farm.container(place)
            };
            farm.nodes.push(node);
            let create = [
                "buildx", "create", "--name", &farm.name, "--driver", "remote",
            ];
            let more: &[&str] = if place == 0 { &[] } else { &["--append"] };
            let node = ["--platform", platform, &socket];
            let create = [&create, more, &node].concat();
            repository.docker(&create).success();
        }
        for _ in 0..200 {
            let said = repository
                .docker(&["buildx", "inspect", &farm.name])
                .success();
            if said.stdout.matches("Status:           running").count() == PLATFORMS.len() {
                return farm;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("the nodes do not answer");
    }

    fn socket(&self, place: usize) -> String {
        if sandboxed() {
            format!("unix://{}/{place}.sock", self.folder)
        } else {
            format!("docker-container://{}-{place}", self.name)
        }
    }

    /// One that the lab has compiled, in the sandbox.
    fn process(&self, place: usize) -> Node {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let program = Command::new(source.join("test/lab/builders"))
            .arg("program")
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(program.status.success(), "the lab has no buildkitd");
        let program = String::from_utf8(program.stdout).unwrap();
        let root = format!("{}/{place}", self.folder);
        let mut command = self.repository.command(&["sandbox", "exec", "--"]);
        command
            .args([
                program.trim(),
                "--addr",
                &self.socket(place),
                "--root",
                &root,
            ])
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Node::Process(command.spawn().unwrap())
    }

    fn container(&self, place: usize) -> Node {
        let name = format!("{}-{place}", self.name);
        let run = [
            "run",
            "--detach",
            "--privileged",
            "--network",
            "host",
            "--name",
        ];
        self.repository
            .docker(&[&run[..], &[&name, IMAGE]].concat())
            .success();
        Node::Container(name)
    }
}

impl Drop for Farm<'_> {
    fn drop(&mut self) {
        for node in self.nodes.drain(..) {
            match node {
                Node::Process(mut process) => {
                    let group = format!("-{}", process.id());
                    let _ended = Command::new("kill").args(["-TERM", "--", &group]).status();
                    let _status = process.wait();
                }
                Node::Container(name) => {
                    self.repository
                        .docker(&["rm", "--force", "--volumes", &name]);
                }
            }
        }
        self.repository
            .docker(&["buildx", "rm", "--force", &self.name]);
        if sandboxed() {
            self.repository
                .xtask(&["sandbox", "exec", "--", "rm", "-rf", &self.folder]);
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

/// The architectures of the images that an index names.
fn architectures(repository: &Repository, index: &str) -> Vec<String> {
    let inspect = ["buildx", "imagetools", "inspect", "--raw", index];
    let index = repository.docker(&inspect).success().json();
    let manifests = index["manifests"].as_array().unwrap().iter();
    let mut built: Vec<String> = manifests
        .map(|manifest| text(manifest, "/platform/architecture").to_owned())
        .filter(|architecture| architecture != "unknown")
        .collect();
    built.sort_unstable();
    built
}

/// Each node builds its platform, buildx makes the index of both, and what the metadata file names is tested by its digest.
fn pushes_and_tests_by_digest(farm: &Farm<'_>) {
    let repository = farm.repository;
    let registry = Registry::start(repository);
    let host = registry.host();
    let env = [("registry", host.as_str())];
    let bake = format!(
        "bake pgvector wal2json --builder {} --push --platform linux/amd64,linux/arm64 --metadata-file images.json --json",
        farm.name
    );
    let bake: Vec<&str> = bake.split(' ').collect();
    let images = repository.xtask_with(&bake, &env).success().json();
    let written = fs::read_to_string(repository.path().join("images.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    for image in images.as_array().unwrap() {
        let (tag, digest) = (text(image, "/image"), text(image, "/digest"));
        assert_eq!(image["result"], "passed", "{images:#}");
        let said = &written[text(image, "/target")];
        assert_eq!(text(said, "/containerimage.digest"), digest);
        let tags = image["tags"].as_array().unwrap();
        assert!(tags.iter().any(|one| one == tag), "{image:#}");
        let named = format!("{}@{digest}", tag.rsplit_once(':').unwrap().0);
        assert_eq!(architectures(repository, &named), ["amd64", "arm64"]);
    }
    // Without names: what is in the file, and nothing of the other extensions.
    let smoke = "smoke --metadata-file images.json --json";
    let smoke: Vec<&str> = smoke.split(' ').collect();
    let tested = repository.xtask_with(&smoke, &env).success().json();
    let results: Vec<&str> = tested
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "/result"))
        .collect();
    assert_eq!(results, ["passed", "passed"], "{tested:#}");
}

/// What is tested here, a remote builder hands over without being told to.
fn hands_over(farm: &Farm<'_>) {
    let smoke = ["smoke", "pgvector", "--builder", &farm.name, "--json"];
    let tested = farm.repository.xtask(&smoke).success().json();
    assert_eq!(tested[0]["result"], "passed", "{tested:#}");
}

/// A builder of which no node runs, and one that buildx does not know, are refused.
fn is_refused_once_gone(repository: &Repository, name: &str) {
    let bake = ["bake", "pgvector", "--push", "--builder", name];
    repository
        .xtask(&bake)
        .status(3)
        .says(&format!("builder `{name}` cannot be used"));
    let create = ["buildx", "create", "--name", name, "--driver", "remote"];
    let create = [&create[..], &["tcp://127.0.0.1:9"]].concat();
    repository.docker(&create).success();
    let dead = repository.xtask(&bake);
    repository
        .docker(&["buildx", "rm", "--force", name])
        .success();
    dead.status(3).says(&format!(
        "node `{name}0` does not answer at tcp://127.0.0.1:9"
    ));
}

/// One test, as each new node asks the archive for its index first.
#[test]
fn a_builder_of_two_remote_nodes_pushes_indexes_hands_images_over_and_is_missed_when_gone() {
    let repository = Repository::new();
    let farm = Farm::start(&repository);
    pushes_and_tests_by_digest(&farm);
    hands_over(&farm);
    let name = farm.name.clone();
    drop(farm);
    is_refused_once_gone(&repository, &name);
}
