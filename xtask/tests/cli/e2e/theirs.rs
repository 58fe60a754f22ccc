// SPDX-License-Identifier: Apache-2.0
//! What others have in a cluster of somebody's own stays.

use super::existing::engine_was_left_alone;
use crate::cli::world::World;

#[test]
fn cleaning_it_up_by_name_removes_what_suites_and_psql_made() {
    let world = World::e2e();
    let file = world.put_cluster("ci");
    world.clusters.put_operator("ci");
    let object = |name: &str, labels: &str| {
        let path = world
            .clusters
            .file("ci", &format!("objects/Namespace-{name}.json"));
        let text = format!(
            r#"{{"kind": "Namespace", "metadata": {{"name": "{name}", "labels": {labels}}}}}"#
        );
        std::fs::write(&path, text).unwrap();
        path
    };
    let theirs = object("theirs", "{}");
    let owned = |owner: &str| {
        ["suite", "psql"].map(|role| {
            let labels = format!(
                r#"{{"io.cloudnativepg.xtask.environment": "{role}", "io.cloudnativepg.xtask.owner": "{owner}"}}"#
            );
            object(&format!("xtask-{role}-{owner}"), &labels)
        })
    };
    // A first call draws what tells this checkout from others.
    world.run(("e2e cleanup --kubeconfig", [&file])).success();
    let drawn: serde_json::Value = serde_json::from_str(&world.read("target/xtask/owner")).unwrap();
    let ours = owned(drawn["owner"].as_str().unwrap());
    // Another machine's, or another user's, on the same cluster.
    let of_others = owned("fedcba9876543210");
    // In a copy of this checkout nothing of it is ours.
    let note = world.read("target/xtask/owner");
    let root = std::fs::canonicalize(world.root()).unwrap();
    let copied = note.replace(root.to_str().unwrap(), "/copied/from");
    assert_ne!(copied, note);
    world.write("target/xtask/owner", &copied);
    let copy = world.run(("e2e cleanup --kubeconfig", [&file, "--dry-run"]));
    assert!(!copy.success().stdout.contains("delete namespace"));
    world.write("target/xtask/owner", &note);
    let dry = world.run(("e2e cleanup --kubeconfig", [&file, "--dry-run"]));
    assert!(dry.success().stdout.contains("delete namespace"));
    assert!(ours.iter().all(|path| path.exists()));
    world.run(("e2e cleanup --kubeconfig", [&file])).success();
    engine_was_left_alone(&world);
    assert!(!ours.iter().any(|path| path.exists()));
    assert!(theirs.exists());
    assert!(of_others.iter().all(|path| path.exists()));
    world
        .run(("e2e cleanup --kubeconfig", [&file]))
        .success()
        .says("nothing to remove");
}

#[test]
fn a_full_test_with_cleanup_leaves_it() {
    let world = World::e2e_with_images();
    let file = world.put_cluster("ci");
    world.clusters.put_operator("ci");
    let registry = format!("localhost:{}", world.registry.port);
    world.set_up();
    let before = world.engine.inventory();
    world
        .run_with(
            (
                "e2e",
                &["test-full", "alpha", "--kubeconfig", &file, "--cleanup"],
            ),
            &[("registry", &registry)],
        )
        .success()
        .says("the existing cluster is kept");
    assert_eq!(world.engine.inventory(), before);
}

#[test]
fn cleaning_up_does_not_concern_it() {
    let world = World::e2e();
    let file = world.put_cluster("ci");
    world.clusters.put_operator("ci");
    world
        .run_with("e2e cleanup", &[("XTASK_CLUSTER_KUBECONFIG", &file)])
        .success();
    world.calls.never("kubectl ");
    assert!(world.clusters.file("ci", "operator").exists());
}

#[test]
fn a_namespace_of_somebody_else_is_neither_used_nor_removed() {
    let world = World::e2e();
    let file = world.put_cluster("ci");
    world.clusters.put_operator("ci");
    world.put_values("alpha");
    let psql = ["psql", "alpha", "--kubeconfig", &file, "--", "SELECT 1"];
    world.run(("e2e", &psql)).success();
    world
        .run(("e2e psql alpha --delete --kubeconfig", [&file]))
        .success();
    let drawn: serde_json::Value = serde_json::from_str(&world.read("target/xtask/owner")).unwrap();
    let name = format!(
        "xtask-psql-alpha-{}",
        &drawn["owner"].as_str().unwrap()[..8]
    );
    let theirs = world
        .clusters
        .file("ci", &format!("objects/Namespace-{name}.json"));
    // With a database in it that looks like ours.
    let digest = "cd".repeat(32);
    let image = format!("ghcr.io/x/alpha-testing:1.2-18-trixie@sha256:{digest}");
    let database = world
        .clusters
        .file("ci", &format!("databases/{name}.alpha"));
    for labels in [
        "",
        r#""io.cloudnativepg.xtask.environment": "suite""#,
        r#""io.cloudnativepg.xtask.environment": "psql", "io.cloudnativepg.xtask.owner": "0123456789abcdef""#,
    ] {
        std::fs::write(
            &theirs,
            format!(
                r#"{{"kind": "Namespace", "metadata": {{"name": "{name}", "labels": {{{labels}}}}}}}"#
            ),
        )
        .unwrap();
        std::fs::write(&database, format!("{image} Cluster in healthy state")).unwrap();
        world.calls.forget();
        world
            .run(("e2e", &psql))
            .status(1)
            .says(&format!("the namespace `{name}` already exists"));
        world.calls.never("chainsaw ");
        world.calls.never(&format!("kubectl --namespace {name}"));
        world.calls.never("kubectl delete");
    }
    world
        .run(("e2e psql alpha --delete --kubeconfig", [&file]))
        .success();
    assert!(theirs.exists());
}
