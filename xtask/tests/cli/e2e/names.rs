// SPDX-License-Identifier: Apache-2.0
//! An environment whose parts have names of their own: each command finds them by these.

use crate::cli::world::World;

const NAMES: &str = "E2E_NETWORK=net_1 REGISTRY_NAME=images.example KIND_CLUSTER_NAME=mine";

#[test]
fn each_part_is_made_found_and_removed_by_its_name() {
    let mut world = World::e2e();
    world.registry.is_called("images.example");
    world.run(&format!("e2e:setup-env {NAMES}")[..]).success();
    let network = world.calls.only("docker network create").line();
    assert!(network.ends_with(" -- net_1"), "{network}");
    let registry = world.calls.only("docker run").line();
    for part in [
        "--name images.example ",
        "--network net_1 ",
        "--volume images.example:",
    ] {
        assert!(registry.contains(part), "`{part}` is not in {registry}");
    }
    let create = world.calls.only("kind create").line();
    assert!(create.contains("--name mine "), "{create}");
    let wire = world.calls.only("docker exec").line();
    assert!(wire.contains("http://images.example:5000"), "{wire}");
    assert!(wire.contains(" mine-control-plane "), "{wire}");
    world.calls.forget();
    world
        .run(&format!("e2e:setup-env {NAMES}")[..])
        .success()
        .says("the environment is up: cluster `mine`");
    for begins in [
        "docker run",
        "docker network create",
        "kind create",
        "kind delete",
    ] {
        world.calls.never(begins);
    }
    world
        .run(&format!("e2e:export-kubeconfig KUBECONFIG_PATH=./k {NAMES}")[..])
        .success();
    assert!(world.exists("k"));
    world.run(&format!("e2e:cleanup {NAMES}")[..]).success();
    assert!(
        world.engine.inventory().is_empty(),
        "{:?}",
        world.engine.inventory()
    );
}

#[test]
fn another_version_replaces_the_cluster_of_that_name() {
    let world = World::e2e();
    world.run("e2e:setup-env KIND_CLUSTER_NAME=mine").success();
    world.calls.forget();
    world
        .run("e2e:setup-env KIND_CLUSTER_NAME=mine KIND_NODE_VERSION=v1.35.0")
        .success()
        .says("cluster `mine` is deleted and created again: `mine-control-plane` runs Kubernetes v1.36.1");
    world.calls.in_order(&["kind delete", "kind create"]);
    let create = world.calls.only("kind create").line();
    assert!(create.contains("--image kindest/node:v1.35.0 "), "{create}");
}

#[test]
fn what_a_dry_run_prints_says_the_names_again() {
    let world = World::e2e_with_images();
    let dry = world
        .run("e2e:test:full TARGET=alpha REGISTRY_NAME=images.example DRY_RUN=true")
        .success()
        .stdout;
    let values = dry
        .lines()
        .find(|line| line.contains("e2e generate-values"));
    let values = values.unwrap();
    assert!(
        values.contains(" --set e2e.registry=images.example"),
        "{values}"
    );
}

#[test]
fn a_name_that_is_none_is_refused() {
    for (variable, message) in [
        (
            "E2E_NETWORK=a/b",
            "variable `E2E_NETWORK` stands for the setting `e2e.network`, which must be the name of a network",
        ),
        (
            "REGISTRY_NAME=a:5000",
            "variable `REGISTRY_NAME` stands for the setting `e2e.registry`",
        ),
        (
            "KIND_CLUSTER_NAME=-x",
            "variable `KIND_CLUSTER_NAME` stands for the setting `e2e.cluster`",
        ),
    ] {
        let world = World::e2e();
        world
            .run(["e2e:setup-env", variable])
            .status(2)
            .says(message);
        assert!(world.calls.names().is_empty());
    }
}
