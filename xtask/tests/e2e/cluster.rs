// SPDX-License-Identifier: Apache-2.0
//! The environment: it converges, opens for people, and says what is wrong.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Stdio,
    time::{Duration, Instant},
};

use super::lab::{Lab, NAME};

#[test]
fn setting_up_again_makes_nothing_and_repairs_what_differs() {
    let lab = Lab::up();
    let again = lab.xtask(&["e2e", "setup-env"]).success().says("as it was");
    for made in ["kind cluster", "registry at", "operator"] {
        assert!(
            !again.stderr.contains(&format!("✓ {made}")),
            "{}",
            again.stderr
        );
    }
    // A registry that was stopped, a node that lost a file, an operator of another release.
    let registry = format!("registry.{NAME}");
    lab.docker(&["stop", &registry]).success();
    let node = lab.node();
    let file = format!("/etc/containerd/certs.d/registry.{NAME}:5000/hosts.toml");
    lab.docker(&["exec", &node, "rm", &file]).success();
    let repaired = lab
        .xtask(&["e2e", "setup-env"])
        .success()
        .says("start the registry")
        .says("wrote registry.");
    assert!(
        !repaired.stderr.contains("kind cluster"),
        "{}",
        repaired.stderr
    );
    lab.docker(&["exec", &node, "test", "-s", &file]).success();
    let config = lab.kubectl(&[
        "get",
        "configmap",
        "--namespace",
        "kube-public",
        "local-registry-hosting",
        "--output",
        "yaml",
    ]);
    assert!(
        config
            .success()
            .stdout
            .contains(&format!("registry.{NAME}:5000"))
    );
}

#[test]
fn nodes_that_were_stopped_start_with_all_that_they_held() {
    let lab = Lab::up();
    let held = ["create", "configmap", "held", "--from-literal", "a=b"];
    lab.kubectl(&held).success();
    let registry = format!("registry.{NAME}");
    lab.docker(&["stop", &lab.node(), &registry]).success();
    let status = lab.xtask(&["e2e", "status"]).status(1);
    assert!(status.stdout.contains("stopped"), "{}", status.stdout);
    let restarted = lab.xtask(&["e2e", "setup-env"]).success();
    restarted.says("operator restarted");
    lab.kubectl(&["delete", "configmap", "held"]).success();
    lab.xtask(&["e2e", "status"]).success();
}

#[test]
fn another_manifest_is_an_upgrade_in_place() {
    let lab = Lab::up();
    let args = [
        "get",
        "deployment",
        "--namespace",
        "cnpg-system",
        "cnpg-controller-manager",
        "--output",
        "json",
    ];
    let deployment = lab.kubectl(&args).success().json();
    let image = deployment
        .pointer("/spec/template/spec/containers/0/image")
        .unwrap()
        .as_str()
        .unwrap();
    // A manifest that says the same and a little more.
    let addition =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: addition, namespace: cnpg-system}\n";
    fs::write(lab.repository.path().join("addition.yaml"), addition).unwrap();
    let up = lab
        .xtask(&["e2e", "setup-env", "--cnpg-release", "./addition.yaml"])
        .success();
    up.says("the operator is changed from ")
        .says("addition.yaml");
    let status = lab.xtask(&["e2e", "status", "--json"]).success().json();
    assert_eq!(status["operator"]["image"], image);
    assert!(
        status["operator"]["release"]
            .as_str()
            .unwrap()
            .ends_with("addition.yaml"),
        "{status:#}"
    );
    assert_ne!(status["differs"], serde_json::json!([]));
    let missing = lab
        .xtask(&["e2e", "setup-env", "--cnpg-release", "./nothing.yaml"])
        .status(2);
    missing.says("nothing.yaml").says("does not exist");
}

/// What is killed in the middle is stopped and repaired by the next run.
#[test]
fn a_kill_in_the_middle_is_repaired() {
    let lab = Lab::new();
    lab.xtask(&["e2e", "cleanup"]).success();
    let mut child = lab
        .command(&["e2e", "setup-env"])
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Until kind has started a node.
    let patience = Instant::now() + Duration::from_secs(60);
    while lab.node().is_empty() {
        assert!(Instant::now() < patience, "no node was started");
        std::thread::sleep(Duration::from_millis(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let repaired = lab.xtask(&["e2e", "setup-env"]).success();
    repaired
        .says("is deleted and created again")
        .says("the environment is up");
}

#[test]
fn people_get_in() {
    let lab = Lab::up();
    let line = lab.xtask(&["e2e", "export-kubeconfig"]).success().stdout;
    let path = line.trim().strip_prefix("export KUBECONFIG=").unwrap();
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Somebody else's stays as it is, to the byte, unless it is to be added to.
    let other = "apiVersion: v1\nkind: Config\nclusters: [{name: work, cluster: {server: 'https://work.example'}}]\n";
    let file = lab.repository.path().join("config");
    fs::write(&file, other).unwrap();
    lab.xtask(&["e2e", "export-kubeconfig", "config"])
        .status(2)
        .says("holds `work`")
        .says("--merge");
    assert_eq!(fs::read_to_string(&file).unwrap(), other);
    lab.xtask(&["e2e", "export-kubeconfig", "config", "--merge"])
        .success();
    let merged = fs::read_to_string(&file).unwrap();
    assert!(
        merged.contains("work.example") && merged.contains(&format!("kind-{NAME}")),
        "{merged}"
    );
    // The internal address is for containers; tests with such a file reach the cluster all the same.
    lab.xtask(&[
        "e2e:export-kubeconfig",
        "KUBECONFIG_PATH=./kubeconfig",
        "INTERNAL=true",
    ])
    .success();
    let internal = lab.read("kubeconfig");
    assert!(internal.contains("control-plane:6443"), "{internal}");
}

#[test]
fn the_old_guide_step_by_step() {
    let lab = Lab::up();
    let (image, digest) = lab.pushed(&[]);
    lab.xtask(&["e2e:test", "TARGET=pgvector"])
        .status(2)
        .says("values.yaml");
    lab.xtask(&[
        "e2e:generate-values",
        "TARGET=pgvector",
        &format!("EXTENSION_IMAGE={image}"),
    ])
    .success();
    let values = lab.read("extensions/pgvector/values.yaml");
    assert!(values.contains(&digest), "{values}");
    lab.xtask(&[
        "e2e:export-kubeconfig",
        "KUBECONFIG_PATH=./kubeconfig",
        "INTERNAL=true",
    ])
    .success();
    let ended = lab
        .xtask(&[
            "e2e:test",
            "TARGET=pgvector",
            "KUBECONFIG_PATH=./kubeconfig",
        ])
        .success();
    assert!(
        ended.stdout.contains("passed  pgvector"),
        "{}",
        ended.stdout
    );
    let psql = lab
        .xtask(&[
            "e2e",
            "psql",
            "pgvector",
            "--",
            "SELECT '[1,2,3]'::vector <-> '[1,2,4]' AS distance",
        ])
        .success();
    assert!(psql.stdout.contains("distance"), "{}", psql.stdout);
    lab.xtask(&["e2e", "psql", "pgvector", "--", "SELECT nosuchfunction()"])
        .status(1);
    lab.xtask(&["e2e", "psql", "pgvector", "--delete"])
        .success();
}

#[test]
fn wrong_images_have_their_message() {
    let lab = Lab::up();
    let missing = format!("registry.{NAME}:5000/nothing:1");
    lab.xtask(&[
        "e2e",
        "generate-values",
        "pgvector",
        "--extension-image",
        &missing,
    ])
    .status(2)
    .says("is not in its registry");
    // An image that says nothing of itself.
    let folder = lab.repository.path().join("plain");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("Dockerfile"),
        "FROM scratch\nCOPY Dockerfile /\n",
    )
    .unwrap();
    let status = lab.xtask(&["e2e", "status", "--json"]).success().json();
    let plain = format!("{}/plain:1", status["registry"]["host"].as_str().unwrap());
    let folder = folder.to_string_lossy().into_owned();
    lab.docker(&[
        "buildx",
        "build",
        "--quiet",
        "--provenance=false",
        "--push",
        "--tag",
        &plain,
        &folder,
    ])
    .success();
    lab.xtask(&[
        "e2e",
        "generate-values",
        "pgvector",
        "--extension-image",
        &plain,
    ])
    .status(2)
    .says("has no annotation `io.cloudnativepg.image.base.name`");
    // And one for another processor, with everything else in place.
    let (image, _) = lab.pushed(&["--platform", "linux/arm64"]);
    lab.xtask(&[
        "e2e",
        "generate-values",
        "pgvector",
        "--extension-image",
        &image,
    ])
    .status(2)
    .says("is for linux/arm64, and the cluster's nodes are linux/amd64");
}

#[test]
fn clusters_that_cannot_be_used_have_their_message() {
    let lab = Lab::up();
    let unreachable = "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\nusers: [{name: x, user: {}}]\n\
                       clusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}]\n";
    fs::write(lab.repository.path().join("unreachable"), unreachable).unwrap();
    fs::write(
        lab.repository.path().join("values.yaml"),
        "name: 'pgvector'\n",
    )
    .unwrap();
    let args = [
        "e2e",
        "test",
        "pgvector",
        "--values",
        "values.yaml",
        "--kubeconfig",
        "unreachable",
    ];
    lab.xtask(&args)
        .status(3)
        .says("cannot be used")
        .says("refused");
    // A cluster that answers, but not to these.
    let own = lab.read("target/xtask/e2e/kubeconfig");
    let server = own
        .lines()
        .find_map(|line| line.trim().strip_prefix("server: "))
        .unwrap();
    let stranger = unreachable
        .replace(
            "http://127.0.0.1:1'",
            &format!("{server}', insecure-skip-tls-verify: true"),
        )
        .replace("user: {}", "user: {token: wrong}");
    fs::write(lab.repository.path().join("unreachable"), stranger).unwrap();
    lab.xtask(&args)
        .status(3)
        .says("credentials are not accepted");
    // A port that somebody listens at.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    lab.xtask(&["e2e", "setup-env", "--registry-port", &port])
        .status(3)
        .says("is in use by another program")
        .says("--registry-port");
}
