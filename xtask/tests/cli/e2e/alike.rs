// SPDX-License-Identifier: Apache-2.0
//! Extensions whose names differ in `_` and `-` alone: what Kubernetes and CloudNativePG make of such names is the same.

use crate::cli::world::{CLUSTER, World, metadata};

const BOTH: [&str; 2] = ["pg_x", "pg-x"];

fn world() -> World {
    let world = World::e2e_up(&[]);
    for name in BOTH {
        world.extension(name, &metadata(name, &[]));
        world.put_values(name);
    }
    world
}

#[test]
fn each_is_tested_in_namespaces_of_its_own() {
    let world = world();
    world
        .run(("e2e test", BOTH))
        .success()
        .says("2 of 2 passed");
    let suites = world.calls.of("chainsaw test ");
    assert_eq!(suites.len(), 2);
    for option in ["--namespace", "--report-name", "--values"] {
        assert_ne!(suites[0].after(option), suites[1].after(option));
    }
    // A database for each.
    for name in BOTH {
        world.run(("e2e psql", [name])).success();
    }
    assert_eq!(world.clusters.namespaces(CLUSTER).len(), 2);
    world.run("e2e psql pg_x --delete").success();
    assert_eq!(
        world.clusters.namespaces(CLUSTER),
        ["Namespace-xtask-psql-pg-x.json"]
    );
}

#[test]
fn one_server_cannot_have_both() {
    let world = world();
    let needs = [("required_extensions", "[\"pg_x\", \"pg-x\"]")];
    world.extension("top", &metadata("top", &needs));
    let said = "a server with `top` has `pg_x` and `pg-x`, and CloudNativePG calls the volumes of both `ext-pg-x`";
    world.run("checks top").status(2).says(said);
    for command in ["smoke top", "e2e test-full top"] {
        world.run(command).status(2).says(said);
    }
    // Of the others nothing is wrong, and its image may be built.
    world.run("checks pg_x pg-x").success();
    world.run("bake top --dry-run").success();
}
