// SPDX-License-Identifier: Apache-2.0
//! `e2e status`: what there is, and what setting up would change.

use crate::cli::world::{CLUSTER, CONTROL_PLANE, World};

#[test]
fn all_that_is_there_is_listed() {
    let world = World::e2e();
    world.set_up();
    world.clusters.put_database(CLUSTER, "somewhere", "data");
    let ended = world.run("e2e status").success();
    for part in [
        "network ",
        "registry ",
        "volume ",
        "cluster ",
        "node ",
        "operator ",
        "somewhere/data",
        "v1.36.1",
    ] {
        assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
    let json = world.run("e2e status --json").success().json();
    assert_eq!(json["up"], true);
    assert_eq!(json["kubernetes"], "v1.36.1");
    assert_eq!(json["operator"]["release"], "1.30");
    assert_eq!(
        json["registry"]["host"],
        format!("localhost:{}", world.registry.port)
    );
    assert_eq!(json["databases"][0], "somewhere/data");
    assert_eq!(json["differs"], serde_json::json!([]));
}

#[test]
fn asking_changes_nothing() {
    let world = World::e2e();
    world.run("e2e status").status(1);
    world.set_up();
    let before = world.engine.inventory();
    world.run("e2e status").success();
    assert_eq!(world.engine.inventory(), before);
    for line in world.calls.names() {
        let asks = [" ls ", "docker ps", "docker info", "get ", "version"];
        assert!(asks.iter().any(|word| line.contains(word)), "{line}");
    }
}

#[test]
fn what_is_stopped_or_missing_is_said() {
    let world = World::e2e();
    world.set_up();
    world.engine.set_state(CONTROL_PLANE, "exited");
    world.engine.set_state("registry.pg-extensions", "exited");
    let json = world.run("e2e status --json").status(1).json();
    assert_eq!(json["up"], false);
    let state = |name: &str| {
        let parts = json["parts"].as_array().unwrap();
        let part = parts.iter().find(|part| part["name"] == name).unwrap();
        part["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state("registry"), "exited");
    assert_eq!(state("cluster"), "stopped");
    assert_eq!(state("network"), "there");
}

#[test]
fn what_differs_from_what_is_wanted_is_said() {
    let world = World::e2e();
    world.set_up();
    let env = [("XTASK_CNPG_RELEASE", "main"), ("XTASK_E2E_NODES", "2")];
    let ended = world.run_with("e2e status", &env);
    ended.says("1 of 2 nodes").says("`setup-env` would say");
}

#[test]
fn a_network_of_somebody_else_is_told_from_ours() {
    let world = World::e2e();
    world.engine.put("networks", "pg-extensions-e2e", "team=a");
    let ended = world.run("e2e status").status(1);
    assert!(ended.stdout.contains("not ours"), "{}", ended.stdout);
}
