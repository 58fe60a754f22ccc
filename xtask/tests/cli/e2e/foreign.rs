// SPDX-License-Identifier: Apache-2.0
//! What others made under the names of the environment: refused, named, and left.

use super::convergence::{REGISTRY, changes};
use crate::cli::world::{CLUSTER, CONTROL_PLANE, LABEL, World};

/// Expects a refusal that names `what`, after which all is as it was.
#[track_caller]
fn refused(world: &World, what: &str) {
    let before = world.engine.inventory();
    world
        .run("e2e setup-env")
        .status(2)
        .says(what)
        .says("was not created by xtask")
        .says("hint: ");
    assert_eq!(changes(world), Vec::<String>::new());
    assert_eq!(world.engine.inventory(), before);
}

#[test]
fn what_is_somebody_elses_is_refused_and_not_touched() {
    let world = World::e2e();
    world.engine.put("networks", "pg-extensions-e2e", "team=a");
    refused(&world, "the network `pg-extensions-e2e`");

    let world = World::e2e();
    world.engine.put(
        "networks",
        "pg-extensions-e2e",
        "io.cloudnativepg.xtask.environment=another",
    );
    refused(&world, "the network `pg-extensions-e2e`");

    let world = World::e2e();
    world.engine.put("volumes", REGISTRY, "");
    refused(&world, "the volume `registry.pg-extensions`");

    for state in ["running", "exited"] {
        let world = World::e2e();
        world.engine.put_network();
        world
            .engine
            .put_container(REGISTRY, "team=a", "pg-extensions-e2e", state);
        refused(&world, "the container `registry.pg-extensions`");
    }
}

#[test]
fn a_cluster_of_that_name_which_somebody_else_made_is_not_touched() {
    let world = World::e2e();
    let label = format!("io.x-k8s.kind.cluster={CLUSTER},io.x-k8s.kind.role=control-plane");
    world
        .engine
        .put_container(CONTROL_PLANE, &label, "kind", "running");
    let ended = world.run("e2e setup-env");
    assert_ne!(ended.status, Some(0), "{ended:#?}");
    assert!(
        ended.stderr.contains(CLUSTER) && ended.stderr.contains("hint: "),
        "{}",
        ended.stderr
    );
    assert_eq!(
        world.engine.container(CONTROL_PLANE, "state").as_deref(),
        Some("running"),
        "{:#?}",
        world.calls.names()
    );
}

#[test]
fn things_of_that_name_which_others_made_stay_and_are_named() {
    let world = World::e2e();
    world.engine.put("networks", "pg-extensions-e2e", "team=a");
    world.engine.put("volumes", "registry.pg-extensions", "");
    world.engine.put_container(
        "registry.pg-extensions",
        "team=a",
        "pg-extensions-e2e",
        "running",
    );
    let label = format!("io.x-k8s.kind.cluster={CLUSTER}");
    world
        .engine
        .put_container(CONTROL_PLANE, &label, "pg-extensions-e2e", "running");
    let before = world.engine.inventory();
    world
        .run("e2e cleanup")
        .success()
        .says("the network `pg-extensions-e2e` was not created by xtask: it is kept")
        .says("the volume `registry.pg-extensions` was not created by xtask: it is kept")
        .says("the container `registry.pg-extensions` was not created by xtask: it is kept");
    assert_eq!(world.engine.inventory(), before);
}

#[test]
fn a_labels_text_does_not_speak_for_another_label() {
    let world = World::e2e();
    // Docker shows the end of each value as if it were a label of its own.
    let label = format!("owner=team-b,note=see%2C{LABEL}%2Cx=y");
    world.engine.put("networks", "pg-extensions-e2e", &label);
    world
        .engine
        .put("volumes", "registry.pg-extensions", &label);
    world
        .engine
        .put_container("registry.pg-extensions", &label, "x", "running");
    let node = format!("note=%0Asee%2Cio.x-k8s.kind.cluster={CLUSTER}");
    world
        .engine
        .put_container(CONTROL_PLANE, &node, "pg-extensions-e2e", "running");
    let vault = "io.x-k8s.kind.cluster=pg-extensions-vault,io.x-k8s.kind.role=control-plane";
    let of_vault = "pg-extensions-vault-control-plane";
    world
        .engine
        .put_container(of_vault, vault, "pg-extensions-e2e", "running");
    let before = world.engine.inventory();
    world
        .run("e2e cleanup")
        .success()
        .says("the network `pg-extensions-e2e` was not created by xtask: it is kept")
        .says("the container `registry.pg-extensions` was not created by xtask: it is kept");
    world.calls.never("kind delete");
    assert_eq!(world.engine.inventory(), before);
    world
        .run("e2e setup-env")
        .status(2)
        .says("not created by xtask");
    assert_eq!(world.engine.inventory(), before);
}

#[test]
fn a_cluster_without_a_version_is_somebody_elses_on_our_network_too() {
    let world = World::e2e();
    world.engine.put_network();
    for name in [
        "pg-extensions-vault",
        "pg-extensions-v1.x",
        "pg-extensions-v",
    ] {
        let label = format!("io.x-k8s.kind.cluster={name},io.x-k8s.kind.role=control-plane");
        world.engine.put_container(
            &format!("{name}-control-plane"),
            &label,
            "pg-extensions-e2e",
            "exited",
        );
    }
    // Its name is that of a cluster of ours, but its label says another.
    let label = "io.x-k8s.kind.cluster=theirs,io.x-k8s.kind.role=control-plane";
    world.engine.put_container(
        "pg-extensions-v1.35.0-control-plane",
        label,
        "pg-extensions-e2e",
        "exited",
    );
    world.run("e2e cleanup").success();
    world.calls.never("kind delete");
    assert_eq!(world.engine.names("containers").len(), 4);
}

#[test]
fn a_cluster_of_that_name_on_another_network_stays() {
    let world = World::e2e();
    world.engine.put_network();
    let label = format!("io.x-k8s.kind.cluster={CLUSTER}");
    world
        .engine
        .put_container(CONTROL_PLANE, &label, "kind", "running");
    world.run("e2e cleanup").success();
    assert_eq!(world.engine.names("containers"), [CONTROL_PLANE]);
    assert!(world.engine.names("networks").is_empty());
}
