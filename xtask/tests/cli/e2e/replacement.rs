// SPDX-License-Identifier: Apache-2.0
//! A cluster that is not what is wanted is deleted and created again, and the reason is said.

use std::fs;

use crate::cli::world::{CLUSTER, CONTROL_PLANE, World};

/// After `spoil`, a call with `args` makes the cluster anew once, says `reason`, and a further call finds
/// all as it should be.
#[track_caller]
fn anew(args: &[&str], reason: &str, spoil: impl FnOnce(&World)) {
    let world = World::e2e();
    world.set_up();
    spoil(&world);
    let note = format!("note: cluster `{CLUSTER}` is deleted and created again: ");
    let ended = world.run(("e2e", args)).success().says(&note);
    let said = ended.stderr.split(&note).nth(1).unwrap();
    let said = said.lines().next().unwrap();
    assert!(said.contains(reason), "{said}");
    world.calls.in_order(&[
        "kind delete",
        "kind create",
        "kubectl --namespace cnpg-system rollout",
    ]);
    assert_eq!(world.calls.only("kind delete").after("--name"), CLUSTER);
    world.calls.never("docker rm");
    world.calls.never("docker run");
    world.calls.forget();
    world.run(("e2e", args)).success();
    world.calls.never("kind delete");
    world.calls.never("kind create");
}

#[test]
fn when_its_api_does_not_answer() {
    anew(&["setup-env"], "does not answer", |world| {
        // Not at once, and not after it was waited for.
        for _ in 0..2 {
            world.tools.fails_at(
                1,
                "kubectl * get nodes,",
                1,
                "The connection to the server 127.0.0.1:35000 was refused\n",
            );
        }
    });
}

#[test]
fn when_it_has_not_got_as_far_as_a_kubeconfig() {
    anew(&["setup-env"], "not fully created", |world| {
        world.tools.fails_at(1, "kind get kubeconfig", 1, "ERROR: failed to get cluster internal kubeconfig: cat: /etc/kubernetes/admin.conf: No such file or directory\n");
    });
}

#[test]
fn one_that_only_comes_to_itself_slowly_is_kept() {
    let world = World::e2e();
    world.set_up();
    world.tools.fails_at(
        1,
        "kubectl * get nodes,",
        1,
        "The connection to the server 127.0.0.1:35000 was refused\n",
    );
    world.run("e2e setup-env").success().says(&format!(
        "waiting up to 45s for cluster `{CLUSTER}`: it does not answer"
    ));
    world.calls.never("kind delete");
}

#[test]
fn when_a_node_was_never_started() {
    anew(&["setup-env"], "was never started", |world| {
        world.engine.set_state(CONTROL_PLANE, "created");
    });
}

#[test]
fn when_nodes_are_missing() {
    anew(&["setup-env", "--nodes", "2"], "1 of 2 nodes", |_| {});
}

#[test]
fn when_there_are_too_many_nodes() {
    let world = World::e2e();
    world.run("e2e setup-env --nodes 3").success();
    world.calls.forget();
    world.run("e2e setup-env").success().says("3 of 1 nodes");
    world.calls.in_order(&["kind delete", "kind create"]);
}

#[test]
fn when_it_has_no_storage_class() {
    anew(&["setup-env"], "not fully created", |world| {
        fs::remove_file(world.clusters.of_kind(CLUSTER, "objects/storage.json")).unwrap();
    });
}

/// Replaces a text in what the cluster says of its node.
fn edit_node(world: &World, from: &str, to: &str) {
    let path = world
        .clusters
        .of_kind(CLUSTER, &format!("objects/node-{CONTROL_PLANE}.json"));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn when_a_node_runs_another_kubernetes() {
    anew(&["setup-env"], "runs Kubernetes v1.33.9", |world| {
        edit_node(world, "v1.36.1", "v1.33.9");
    });
}

#[test]
fn when_a_node_is_not_ready() {
    anew(&["setup-env"], "is not ready", |world| {
        edit_node(world, "\"True\"", "\"Unknown\"");
    });
}

#[test]
fn a_cluster_of_another_version_makes_way() {
    let world = World::e2e();
    world.set_up();
    let other = "pg-extensions-v1.35.0";
    world
        .run("e2e setup-env --kubernetes 1.35.0")
        .success()
        .says(&format!(
            "cluster `{CLUSTER}` is deleted: `{other}` replaces it"
        ));
    world.calls.in_order(&["kind delete", "kind create"]);
    assert_eq!(world.calls.only("kind delete").after("--name"), CLUSTER);
    assert_eq!(world.calls.only("kind create").after("--name"), other);
    assert_eq!(
        world.engine.names("containers"),
        [
            "pg-extensions-v1.35.0-control-plane",
            "registry.pg-extensions"
        ]
    );
    assert!(
        world
            .read("target/xtask/e2e/kubeconfig")
            .contains("current-context: kind-pg-extensions-v1.35.0")
    );
}

#[test]
fn a_cluster_that_only_begins_with_our_name_is_somebody_elses() {
    let world = World::e2e();
    world.set_up();
    let label = "io.x-k8s.kind.cluster=pg-extensions-vanilla";
    world.engine.put_container(
        "pg-extensions-vanilla-control-plane",
        label,
        "kind",
        "running",
    );
    world.run("e2e setup-env").success();
    world.calls.never("kind delete");
}

#[test]
fn without_kubectl_nothing_is_taken_for_broken() {
    let world = World::e2e();
    world.set_up();
    world.tools.without("kubectl");
    let before = world.engine.inventory();
    world.run("e2e setup-env").success();
    world.calls.never("kind delete");
    world.calls.never("kind create");
    assert_eq!(world.engine.inventory(), before);
}

#[test]
fn what_suites_left_in_the_old_cluster_does_not_matter_in_the_new_one() {
    let world = World::e2e_with_images();
    world.run("e2e test-full alpha --skip-delete").success();
    world.calls.forget();
    world
        .run("e2e test-full alpha --nodes 2")
        .success()
        .says("1 of 1 passed");
    let create = world.calls.only("kind create");
    for call in world
        .calls
        .of("kubectl delete namespace --selector io.cloudnativepg.xtask.environment=suite")
    {
        assert!(create.ended_before(&call), "{}", call.line());
    }
}
