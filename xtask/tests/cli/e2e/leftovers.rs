// SPDX-License-Identifier: Apache-2.0
//! What the suites leave in the cluster: nothing, what was asked for, or what a killed run could not remove.

use std::fs;

use crate::cli::world::{CLUSTER, World};

#[test]
fn what_the_suites_made_can_be_kept() {
    for words in [
        &["e2e", "test", "alpha", "--skip-delete"][..],
        &["e2e", "test", "alpha", "--", "--skip-delete"],
        &["e2e:test", "TARGET=alpha", "EXTRA_ARGS=--skip-delete"],
    ] {
        let world = World::e2e_up(&["alpha"]);
        world.run(words).success();
        world.calls.never("kubectl delete namespace");
        assert_eq!(world.clusters.namespaces(CLUSTER).len(), 2, "{words:?}");
        // Given once, whatever the user says: chainsaw refuses it twice.
        for test in world.calls.of("chainsaw ") {
            assert_eq!(test.line().matches("--skip-delete").count(), 1);
        }
    }
    let world = World::e2e_up(&["alpha"]);
    world.chainsaw.fails("shared-suite-of-alpha", "no\n");
    world.run("e2e test alpha --skip-delete").status(1);
    assert_eq!(world.clusters.namespaces(CLUSTER).len(), 2);
}

#[test]
fn what_an_earlier_run_has_left_goes_first() {
    let world = World::e2e_up(&["alpha"]);
    world.run("e2e test alpha --skip-delete").success();
    assert_eq!(world.clusters.namespaces(CLUSTER).len(), 2);
    // Another checkout's may be running: it can reach the cluster without its engine.
    let theirs = world
        .clusters
        .of_kind(CLUSTER, "objects/Namespace-theirs.json");
    fs::write(
        &theirs,
        r#"{"kind": "Namespace", "metadata": {"name": "theirs", "labels": {
    "io.cloudnativepg.xtask.environment": "suite", "io.cloudnativepg.xtask.owner": "0123456789abcdef"}}}"#,
    )
    .unwrap();
    world.calls.forget();
    world.run("e2e test alpha").success();
    let cleared =
        world.calls.only("kubectl delete namespace --selector io.cloudnativepg.xtask.environment=suite,io.cloudnativepg.xtask.owner=");
    assert!(cleared.ended_before(&world.calls.of("chainsaw test test ")[0]));
    assert_eq!(
        world.clusters.namespaces(CLUSTER),
        ["Namespace-theirs.json"]
    );
}
