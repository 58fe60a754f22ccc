// SPDX-License-Identifier: Apache-2.0
//! A cluster that does not come up: what is said, and which of it is taken back.

use crate::cli::world::{CLUSTER, CONTROL_PLANE, World, end_by};

/// Lines of a fake kind that make the cluster's node, with what the configuration lets it mount.
fn node_of_kind() -> String {
    let node = format!("$here/engine/containers/{CONTROL_PLANE}");
    format!(
        "mkdir -p {node}; echo io.x-k8s.kind.cluster={CLUSTER},x=y > {node}/labels; echo running > {node}/state; echo pg-extensions-e2e > {node}/networks; sed -n 's/.*\"containerPath\": \"\\(.*\\)\".*/\\1/p' \"${{11}}\" > {node}/mounts;"
    )
}

/// The same, made by somebody else.
fn node_of_another() -> String {
    format!(
        "{} echo /io.cloudnativepg.xtask.run/0123456789abcdef > $here/engine/containers/{CONTROL_PLANE}/mounts;",
        node_of_kind()
    )
}

#[test]
fn a_cluster_that_does_not_come_up_says_why_and_goes_again() {
    let world = World::e2e();
    world.tools.rule("kind create", &format!("{} echo 'Creating cluster' ; echo 'ERROR: failed to create cluster: failed to init node with kubeadm' >&2; exit 1", node_of_kind()));
    world
        .run("e2e setup-env")
        .status(1)
        .says("failed to create the kind cluster `pg-extensions-v1.36.1`")
        .says("first error: ERROR: failed to create cluster: failed to init node with kubeadm")
        .says("full log: target/xtask/runs/");
    world.calls.in_order(&[
        "kind create",
        "docker logs --tail 200 pg-extensions-v1.36.1-control-plane",
        "docker rm",
    ]);
    assert_eq!(world.engine.container(CONTROL_PLANE, "state"), None);
    assert!(
        world
            .engine
            .container("registry.pg-extensions", "state")
            .is_some(),
        "what was made for it stays"
    );
    world.tools.no_rules();
    world.run("e2e setup-env").success();
}

#[test]
fn a_cluster_that_another_made_meanwhile_is_not_taken_back() {
    // Whatever kind says, before it looked or after.
    for said in [
        format!(
            "ERROR: failed to create cluster: node(s) already exist for a cluster with the name \\\"{CLUSTER}\\\""
        ),
        format!(
            "ERROR: failed to create cluster: command \\\"docker run --name {CONTROL_PLANE}\\\" failed with error: exit status 125 docker: Error response from daemon: Conflict. The container name \\\"/{CONTROL_PLANE}\\\" is already in use by container \\\"f00\\\""
        ),
        "ERROR: something else".to_owned(),
    ] {
        let world = World::e2e();
        world.tools.rule(
            "kind create cluster",
            &format!("{} fail \"{said}\"", node_of_another()),
        );
        let ended = world.run("e2e setup-env");
        assert_ne!(ended.status, Some(0));
        if !said.contains("something else") {
            ended
                .says(CLUSTER)
                .says("hint: somebody else has created a cluster of that name");
        }
        world.calls.never("kind delete");
        world.calls.never("docker rm");
        assert!(world.engine.container(CONTROL_PLANE, "state").is_some());
    }
}

#[test]
fn of_two_nodes_ours_alone_is_taken_back() {
    let world = World::e2e();
    let theirs = format!("$here/engine/containers/{CLUSTER}-worker");
    world.tools.rule("kind create cluster", &format!(
            "{} mkdir -p {theirs}; echo io.x-k8s.kind.cluster={CLUSTER},x=y > {theirs}/labels; echo running > {theirs}/state; fail 'Conflict. The container name is already in use'",
            node_of_kind()
        ));
    world.run("e2e setup-env").status(3);
    assert_eq!(world.engine.container(CONTROL_PLANE, "state"), None);
    assert!(
        world
            .engine
            .container(&format!("{CLUSTER}-worker"), "state")
            .is_some()
    );
}

#[test]
fn interrupted_while_it_comes_up_it_is_taken_away() {
    let world = World::e2e();
    world.tools.rule(
        "kind create",
        &format!(
            "{} echo $$ > \"$here/hanging\"; trap '' EXIT; sleep 20; exit 1",
            node_of_kind()
        ),
    );
    end_by("-INT", world.started("e2e setup-env")).status(130);
    assert_eq!(world.engine.container(CONTROL_PLANE, "state"), None);
    world.tools.no_rules();
    world.run("e2e setup-env").success();
}
