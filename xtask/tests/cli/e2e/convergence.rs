// SPDX-License-Identifier: Apache-2.0
//! `e2e setup-env` where something is already: what is right stays, what is stopped is started.

use crate::cli::world::{CLUSTER, CONTROL_PLANE, World, free_port};

pub(super) const REGISTRY: &str = "registry.pg-extensions";

/// What makes or removes something, as calls begin.
const CHANGES: [&str; 14] = [
    "docker network create",
    "docker network rm",
    "docker volume",
    "docker run",
    "docker rm",
    "docker start",
    "docker tag",
    "docker push",
    "kind create",
    "kind delete",
    "kubectl delete",
    "kubectl apply --server-side --force-conflicts --filename https",
    "kubectl --namespace cnpg-system annotate",
    "kubectl --namespace cnpg-system rollout",
];

/// The calls that have made or removed something, beyond asking what there is.
pub(super) fn changes(world: &World) -> Vec<String> {
    let is_change = |line: &String| {
        CHANGES.iter().any(|start| line.starts_with(start)) && !line.contains(" ls ")
    };
    world.calls.names().into_iter().filter(is_change).collect()
}

#[test]
fn what_is_there_is_not_made_again() {
    let world = World::e2e();
    world.set_up();
    let before = world.engine.inventory();
    world
        .run("e2e setup-env")
        .success()
        .says("the environment is up")
        .says("as it was");
    assert_eq!(changes(&world), Vec::<String>::new());
    assert_eq!(world.calls.of("docker exec").len(), 1, "its node is wired");
    assert_eq!(world.engine.inventory(), before);
}

#[test]
fn a_dry_run_prints_only_what_differs() {
    let world = World::e2e();
    world.set_up();
    world.engine.set_state(REGISTRY, "exited");
    let before = (world.engine.inventory(), world.texts("target/xtask/e2e"));
    let ended = world.run("e2e setup-env --dry-run").success();
    for part in ["kind create", "docker run", "network create", "rollout"] {
        assert!(!ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
    let start = format!("docker start -- {REGISTRY}\n");
    assert!(ended.stdout.contains(&start), "{}", ended.stdout);
    assert_eq!(
        (world.engine.inventory(), world.texts("target/xtask/e2e")),
        before
    );
}

#[test]
fn a_stopped_registry_is_started() {
    let world = World::e2e();
    world.set_up();
    world.engine.set_state(REGISTRY, "exited");
    world.run("e2e setup-env").success();
    assert_eq!(changes(&world), [format!("docker start {REGISTRY}")]);
}

#[test]
fn a_registry_with_other_settings_is_made_anew_and_keeps_its_images() {
    let world = World::e2e();
    world.set_up();
    let other = free_port();
    world
        .run(("e2e setup-env --registry-port", [&other.to_string()]))
        .success()
        .says("the registry is created again")
        .says(&format!("registry localhost:{other}"));
    world.calls.in_order(&["docker rm", "docker run"]);
    world.calls.never("docker volume rm");
    world.calls.never("docker volume create");
    world.calls.never("kind create");
    assert_eq!(world.engine.names("volumes"), [REGISTRY]);
    let ports = world.engine.container(REGISTRY, "ports").unwrap();
    assert_eq!(ports, format!("127.0.0.1:{other}->5000/tcp"));
    // The node is told the new name, and the old one is dropped.
    assert!(
        world
            .engine
            .hosts_toml(CONTROL_PLANE, &format!("localhost:{other}"))
            .is_some()
    );
    assert!(
        world
            .engine
            .hosts_toml(CONTROL_PLANE, &format!("localhost:{}", world.registry.port))
            .is_none()
    );
    world.calls.forget();
    world
        .run_with(
            "e2e setup-env",
            &[("XTASK_IMAGES_REGISTRY", "our/registry:9")],
        )
        .success();
    assert_eq!(
        world.calls.only("docker run").args().pop().unwrap(),
        "our/registry:9"
    );
}

#[test]
fn a_registry_that_has_lost_its_network_is_made_anew() {
    let world = World::e2e();
    world.set_up();
    let networks = world
        .engine
        .path("containers")
        .join(REGISTRY)
        .join("networks");
    std::fs::write(networks, "bridge\n").unwrap();
    world.run("e2e setup-env").success();
    world.calls.in_order(&["docker rm", "docker run"]);
    assert_eq!(
        world.engine.container(REGISTRY, "networks").unwrap(),
        "pg-extensions-e2e"
    );
}

#[test]
fn a_registry_that_is_gone_comes_back_with_its_volume() {
    let world = World::e2e();
    world.set_up();
    std::fs::remove_dir_all(world.engine.path("containers").join(REGISTRY)).unwrap();
    world.run("e2e setup-env").success();
    world.calls.only("docker run");
    world.calls.never("docker volume create");
    world.calls.never("kind create");
}

#[test]
fn stopped_nodes_are_started_and_waited_for() {
    let world = World::e2e();
    world.run("e2e setup-env --nodes 2").success();
    world.calls.forget();
    let worker = format!("{CLUSTER}-worker");
    for node in [CONTROL_PLANE, &worker] {
        world.engine.set_state(node, "exited");
    }
    // It takes a moment until the API answers.
    world
        .tools
        .fails_at(1, "kubectl * get --raw /readyz", 1, "refused\n");
    // The registry had its address first.
    world.engine.set_state(REGISTRY, "exited");
    world.run("e2e setup-env --nodes 2").success();
    world.calls.never("kind create");
    world.calls.never("kind delete");
    let nodes = format!("docker start {CONTROL_PLANE} {worker}");
    world
        .calls
        .in_order(&[&format!("docker start {REGISTRY}"), &nodes]);
    assert_eq!(world.calls.only(&nodes).name(), nodes);
    assert_eq!(world.calls.of("kubectl get --raw /readyz").len(), 2);
    world.calls.in_order(&[
        &nodes,
        "kubectl wait --for=condition=Ready node --all",
        "kubectl --namespace cnpg-system rollout status",
    ]);
    for wired in world.calls.of("docker exec") {
        assert!(world.calls.only("kubectl wait").ended_before(&wired));
    }
}

#[test]
fn a_node_that_does_not_know_the_registry_is_told() {
    let world = World::e2e();
    world.set_up();
    let files = world
        .engine
        .path("containers")
        .join(CONTROL_PLANE)
        .join("files");
    std::fs::remove_dir_all(&files).unwrap();
    world
        .run("e2e setup-env")
        .success()
        .says("wrote localhost:")
        .says("registry.pg-extensions:5000");
    assert!(
        world
            .engine
            .hosts_toml(CONTROL_PLANE, "registry.pg-extensions:5000")
            .is_some()
    );
}

#[test]
fn a_hosts_file_that_somebody_else_wrote_stays() {
    let world = World::e2e();
    world.set_up();
    let folder = world
        .engine
        .path("containers")
        .join(CONTROL_PLANE)
        .join("files/etc/containerd/certs.d/their.example");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("hosts.toml"),
        "server = \"https://their.example\"\n",
    )
    .unwrap();
    world.run("e2e setup-env").success();
    assert!(folder.join("hosts.toml").exists());
}

#[test]
fn another_environment_beside_ours_has_everything_of_its_own() {
    let world = World::e2e();
    world.set_up();
    let before = world.engine.inventory();
    let ended = world
        .run_with(
            "e2e setup-env --dry-run",
            &[("XTASK_E2E_NAME", "second"), ("registry", "localhost:9")],
        )
        .success();
    for part in [
        "network create --label io.cloudnativepg.xtask.environment=second -- second-e2e",
        "--name registry.second",
        "--name second-v1.36.1",
        "http://registry.second:5000",
    ] {
        assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("pg-extensions"), "{}", ended.stdout);
    assert_eq!(world.engine.inventory(), before);
}
