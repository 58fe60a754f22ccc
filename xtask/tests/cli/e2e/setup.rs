// SPDX-License-Identifier: Apache-2.0
//! `e2e setup-env` where nothing is: what is made, in which order, and how exactly.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::cli::world::{CLUSTER, CONTROL_PLANE, LABEL, World};

const NODE_IMAGE: &str =
    "kindest/node:v1.36.1@sha256:3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5";
const REGISTRY_IMAGE: &str =
    "registry:3.1.1@sha256:1be55279f18a2fe1a74edf2664cac61c1bea305b7b4642dab412e7affdcb3e33";
const MANIFEST: &str = "https://raw.githubusercontent.com/cloudnative-pg/artifacts/release-1.30/manifests/operator-manifest.yaml";

#[test]
fn each_part_is_made_after_what_it_needs() {
    let world = World::e2e();
    world
        .run("e2e setup-env")
        .success()
        .says("the environment is up");
    world.calls.in_order(&[
        "docker network create",
        "kind create cluster",
        "docker exec --interactive",
        "kubectl apply --server-side --force-conflicts --filename https://",
        "kubectl --namespace cnpg-system rollout status",
        "kubectl --namespace cnpg-system annotate",
    ]);
    world
        .calls
        .in_order(&["docker network create", "docker run"]);
    world
        .calls
        .in_order(&["docker volume create", "docker run"]);
    let last = world.calls.names().pop().unwrap();
    assert!(
        last.starts_with("kubectl --namespace cnpg-system annotate"),
        "{last}"
    );
}

#[test]
fn the_cluster_comes_up_while_the_registry_gets_its_images() {
    for (first, second) in [
        ("docker push", "kind create"),
        ("kind create", "docker push"),
    ] {
        let world = World::e2e();
        world.engine.put_image("ghcr.io/x/y:1");
        world.tools.waits(first, second);
        world
            .run_with("e2e setup-env", &[("XTASK_E2E_SEED", "ghcr.io/x/y:1")])
            .success();
        // The registry's address comes before the nodes', here and when they are started again.
        world.calls.in_order(&["docker run", "kind create"]);
    }
}

#[test]
fn a_registry_that_starts_slowly_is_waited_for() {
    let world = World::e2e();
    let busy = world.registry.busy();
    std::fs::write(&busy, "").unwrap();
    world.tools.rule(
        "kubectl * annotate",
        &format!("(sleep 0.5; rm {}) > /dev/null 2>&1 &", busy.display()),
    );
    world.run("e2e setup-env").success();
    assert!(!busy.exists());
}

#[test]
fn every_call_is_what_it_should_be() {
    let world = World::e2e();
    world.write("xtask.toml", "");
    let port = world.registry.port.to_string();
    world
        .run(("e2e setup-env --registry-port", [&port]))
        .success();
    let (network, registry) = ("pg-extensions-e2e", "registry.pg-extensions");
    assert_eq!(
        world.calls.only("docker network create").line(),
        format!("docker network create --label {LABEL} -- {network}")
    );
    assert_eq!(
        world.calls.only("docker volume create").line(),
        format!("docker volume create --label {LABEL} -- {registry}")
    );
    let run = world.calls.only("docker run");
    assert_eq!(run.args().pop(), Some(REGISTRY_IMAGE));
    let line = run.line();
    for part in [
        "--detach ".to_owned(),
        format!("--name {registry} "),
        format!("--network {network} "),
        format!("--label {LABEL} "),
        format!("--publish 127.0.0.1:{port}:5000 "),
        "--restart unless-stopped ".into(),
        format!("--volume {registry}:/var/lib/registry "),
    ] {
        assert!(line.contains(&part), "`{part}` is not in {line}");
    }
    assert_eq!(line.matches("--publish").count(), 1, "{line}");
    assert_eq!(
        world.calls.only("kind create").line(),
        format!(
            "kind create cluster --name {CLUSTER} --image {NODE_IMAGE} --wait 3m --retain --config target/xtask/e2e/kind/config.yaml --kubeconfig target/xtask/e2e/kind/kubeconfig"
        )
    );
    let wire = world.calls.only("docker exec");
    let inside = "registry.pg-extensions:5000";
    assert_eq!(
        wire.line(),
        format!(
            "docker exec --interactive -- {CONTROL_PLANE} sh -s -- localhost:{port} http://{inside} http://{inside} {inside} http://{inside} http://{inside}"
        )
    );
    let own = "target/xtask/e2e/kubeconfig";
    let apply = world
        .calls
        .only("kubectl apply --server-side --force-conflicts --filename https");
    assert_eq!(
        apply.line(),
        format!(
            "kubectl --kubeconfig {own} apply --server-side --force-conflicts --filename {MANIFEST}"
        )
    );
    let stamp = world.calls.only("kubectl --namespace cnpg-system annotate");
    assert_eq!(
        stamp.args()[6..],
        [
            "deployment/cnpg-controller-manager".to_owned(),
            format!("io.cloudnativepg.xtask.manifest={MANIFEST}"),
            "io.cloudnativepg.xtask.release=1.30".into(),
        ]
    );
}

#[test]
fn every_call_of_kind_names_the_network() {
    let world = World::e2e();
    world.set_up();
    world.engine.set_state(CONTROL_PLANE, "created");
    world.run("e2e setup-env").success();
    world.run("e2e export-kubeconfig").success();
    world.run("e2e export-kubeconfig it --merge").success();
    world.run("e2e cleanup").success();
    let calls = world.calls.of("kind ");
    for verb in ["create", "delete", "get", "export"] {
        assert!(calls.iter().any(|call| call.args()[0] == verb), "{verb}");
    }
    for call in calls {
        if call.args()[0] != "version" {
            assert_eq!(
                call.variable("KIND_EXPERIMENTAL_DOCKER_NETWORK"),
                "pg-extensions-e2e",
                "{call:#?}"
            );
        }
    }
}

#[test]
fn the_node_is_told_both_names_of_the_registry() {
    let world = World::e2e();
    world.set_up();
    for host in [
        format!("localhost:{}", world.registry.port),
        "registry.pg-extensions:5000".into(),
    ] {
        let text = world.engine.hosts_toml(CONTROL_PLANE, &host).unwrap();
        assert!(
            text.contains("[host.\"http://registry.pg-extensions:5000\"]"),
            "{text}"
        );
        assert!(text.contains("\"pull\", \"resolve\""), "{text}");
        assert!(
            !text.contains("override_path"),
            "containerd adds /v2: {text}"
        );
    }
}

#[test]
fn tools_in_the_cluster_find_the_registry_by_its_config_map() {
    let world = World::e2e();
    world.set_up();
    let object = world
        .clusters
        .of_kind(CLUSTER, "objects/ConfigMap-local-registry-hosting.json");
    let object: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(object).unwrap()).unwrap();
    assert_eq!(object["metadata"]["namespace"], "kube-public");
    let hosting = object["data"]["localRegistryHosting.v1"].as_str().unwrap();
    let hosting: serde_json::Value = serde_json::from_str(hosting).unwrap();
    let inside = "registry.pg-extensions:5000";
    assert_eq!(
        hosting["host"],
        format!("localhost:{}", world.registry.port)
    );
    assert_eq!(hosting["hostFromContainerRuntime"], inside);
    assert_eq!(hosting["hostFromClusterNetwork"], inside);
}

#[test]
fn the_gate_for_image_volumes_is_set_where_it_is_needed() {
    for (version, gate) in [("1.34.2", true), ("v1.35.0", false), ("1.36.1", false)] {
        let world = World::e2e();
        world
            .run(("e2e setup-env --kubernetes", [version]))
            .success();
        let bare = version.trim_start_matches('v');
        let cluster = format!("pg-extensions-v{bare}");
        let create = world.calls.only("kind create");
        assert_eq!(create.after("--name"), cluster);
        // The digest is known of the version that the setting names, and of no other.
        let image = create.after("--image");
        if bare == "1.36.1" {
            assert_eq!(image, NODE_IMAGE);
        } else {
            assert_eq!(image, format!("kindest/node:v{bare}"));
        }
        let config =
            std::fs::read_to_string(world.clusters.of_kind(&cluster, "config.yaml")).unwrap();
        assert_eq!(config.contains("ImageVolume"), gate, "{config}");
    }
}

#[test]
fn it_says_where_things_are_and_what_to_do_next() {
    let world = World::e2e();
    let ended = world
        .run("e2e setup-env")
        .success()
        .says(CLUSTER)
        .says(&format!("registry localhost:{}", world.registry.port))
        .says("operator 1.30")
        .says("target/xtask/e2e/kubeconfig");
    assert_eq!(ended.stdout, "");
    // The printed kubeconfig is there, and for its owner alone.
    let file = world.root().join("target/xtask/e2e/kubeconfig");
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        world
            .read("target/xtask/e2e/kubeconfig")
            .contains(&format!("current-context: kind-{CLUSTER}"))
    );
}

#[test]
fn with_events_every_line_is_one() {
    let world = World::e2e();
    let ended = world.run("e2e setup-env --format json").success();
    assert_eq!(ended.stderr, "");
    let steps: Vec<String> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|event| event["event"] == "finished")
        .map(|event| event["step"].as_str().unwrap().to_owned())
        .collect();
    let cluster = format!("kind cluster {CLUSTER}");
    assert!(steps.contains(&cluster), "{steps:#?}");
}

#[test]
fn behind_a_proxy_nodes_ask_the_local_registry_directly() {
    let world = World::e2e();
    let set = [
        ("https_proxy", "http://proxy:3128"),
        ("no_proxy", "intranet"),
    ];
    world.run_with("e2e setup-env", &set).success();
    let create = world.calls.only("kind create cluster");
    for name in ["NO_PROXY", "no_proxy"] {
        assert_eq!(create.variable(name), "intranet,registry.pg-extensions");
    }
    let world = World::e2e();
    world.run("e2e setup-env").success();
    let create = world.calls.only("kind create cluster");
    assert_eq!(create.variable("NO_PROXY"), "");
    assert_eq!(create.variable("http_proxy"), "");
    // Docker gives the nodes those of its own configuration.
    let world = World::e2e();
    let folder = world.home().join(".docker");
    fs::create_dir(&folder).unwrap();
    let proxies =
        r#"{"proxies": {"default": {"httpProxy": "http://proxy:3128", "noProxy": "intranet"}}}"#;
    fs::write(folder.join("config.json"), proxies).unwrap();
    world.run("e2e setup-env").success();
    let create = world.calls.only("kind create cluster");
    assert_eq!(
        create.variable("NO_PROXY"),
        "intranet,registry.pg-extensions"
    );
}

#[test]
fn programs_that_read_proxies_in_lower_case_alone_get_them_so() {
    let world = World::e2e();
    let set = [
        ("HTTP_PROXY", "http://u:s3cret@proxy:3128"),
        ("HTTPS_PROXY", "http://upper:3128"),
        ("https_proxy", "http://lower:3128"),
    ];
    let ended = world.run_with("e2e setup-env", &set).success();
    assert!(!ended.stdout.contains("s3cret") && !ended.stderr.contains("s3cret"));
    let create = world.calls.only("kind create cluster");
    assert_eq!(create.variable("http_proxy"), "http://u:s3cret@proxy:3128");
    assert_eq!(create.variable("https_proxy"), "http://lower:3128");
    assert!(!create.line().contains("s3cret"));
}

#[test]
fn a_release_that_is_not_supported_any_more_is_said_to_be_so() {
    let world = World::e2e();
    let ended = "CloudNativePG 1.27 has not been supported since 2026-03-09";
    world
        .run("e2e setup-env --cnpg-release 1.27 --kubernetes 1.36.1")
        .success()
        .says(&format!("note: {ended}"))
        .says(
            "CloudNativePG 1.27 is tested with Kubernetes 1.29 to 1.33, and the nodes have v1.36.1",
        );
    let set = [("XTASK_CNPG_RELEASE", "1.27")];
    let checks = world.run_with("prereqs --for e2e --json", &set).json();
    let mut checks = checks.as_array().unwrap().iter();
    let operator = checks.find(|check| check["name"] == "operator").unwrap();
    assert_eq!(operator["state"], "warning");
    assert!(operator["found"].as_str().unwrap().starts_with(ended));
}
