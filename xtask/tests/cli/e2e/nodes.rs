// SPDX-License-Identifier: Apache-2.0
//! Where the nodes find images: the local registry, what it was seeded with, and mirrors.

use std::fs;

use crate::cli::world::{CLUSTER, CONTROL_PLANE, World};

#[track_caller]
pub(super) fn hosts(world: &World, host: &str) -> String {
    world
        .engine
        .hosts_toml(CONTROL_PLANE, host)
        .unwrap_or_else(|| panic!("the node knows nothing of {host}"))
}

#[test]
fn every_node_is_wired() {
    let world = World::e2e();
    world.run("e2e setup-env --nodes 3").success();
    let config = fs::read_to_string(world.clusters.of_kind(CLUSTER, "config.yaml")).unwrap();
    assert_eq!(config.matches("\"worker\"").count(), 2, "{config}");
    assert_eq!(config.matches("\"control-plane\"").count(), 1, "{config}");
    let nodes = [
        CONTROL_PLANE.to_owned(),
        format!("{CLUSTER}-worker"),
        format!("{CLUSTER}-worker2"),
    ];
    let mut wired: Vec<String> = world
        .calls
        .of("docker exec")
        .iter()
        .map(|call| call.args()[2].to_owned())
        .collect();
    wired.sort();
    assert_eq!(wired, nodes);
    for node in nodes {
        for host in [
            format!("localhost:{}", world.registry.port),
            "registry.pg-extensions:5000".into(),
        ] {
            assert!(
                world.engine.hosts_toml(&node, &host).is_some(),
                "{node}: {host}"
            );
        }
    }
    let create = world.calls.only("kind create");
    for wire in world.calls.of("docker exec") {
        assert!(create.ended_before(&wire), "{wire:#?}");
    }
}

#[test]
fn a_number_of_nodes_that_cannot_be_is_refused() {
    for number in ["0", "10", "-1", "two"] {
        let world = World::e2e();
        let ended = world.run(("e2e setup-env", [&format!("--nodes={number}")]));
        ended.status(2).says("--nodes");
        assert!(world.calls.names().is_empty(), "{number}");
    }
}

#[test]
fn seeds_are_pushed_and_found_under_their_own_names() {
    let world = World::e2e();
    let operator = "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0";
    for image in [operator, "alpine/psql:18.4", "busybox:1"] {
        world.engine.put_image(image);
    }
    let seeds = format!("{operator},alpine/psql:18.4,busybox:1");
    world
        .run_with("e2e setup-env", &[("XTASK_E2E_SEED", &seeds)])
        .success();
    let port = world.registry.port;
    let mut tags: Vec<String> = world
        .calls
        .of("docker tag")
        .iter()
        .map(|call| call.args()[1..].join(" "))
        .collect();
    tags.sort();
    assert_eq!(
        tags,
        [
            format!("alpine/psql:18.4 localhost:{port}/alpine/psql:18.4"),
            format!("busybox:1 localhost:{port}/library/busybox:1"),
            format!("{operator} localhost:{port}/cloudnative-pg/cloudnative-pg:1.30.0"),
        ]
    );
    for call in world.calls.of("docker tag") {
        let [_, image, copy] = call.args()[..] else {
            panic!("{call}");
        };
        world.calls.in_order(&[
            &format!("docker tag {image} {copy}"),
            &format!("docker push --quiet {copy}"),
            &format!("docker image rm {copy}"),
        ]);
        let push = world.calls.only(&format!("docker push --quiet {copy}"));
        assert!(world.calls.only("docker run").ended_before(&push));
        // The operator's image may be a seed.
        let apply = world
            .calls
            .only("kubectl apply --server-side --force-conflicts --filename https");
        assert!(push.ended_before(&apply));
    }
    assert!(
        world.engine.path("images").join(operator).exists(),
        "the engine's own tag stays"
    );
    let text = hosts(&world, "ghcr.io");
    assert!(
        text.contains("server = \"https://ghcr.io\"")
            && text.contains("[host.\"http://registry.pg-extensions:5000\"]"),
        "{text}"
    );
    // Docker's own registry has another name than its images.
    let text = hosts(&world, "docker.io");
    assert!(
        text.contains("server = \"https://registry-1.docker.io\""),
        "{text}"
    );
    assert_eq!(
        world
            .calls
            .only("docker exec")
            .line()
            .matches(" docker.io ")
            .count(),
        1
    );
}

#[test]
fn a_seed_that_cannot_be_pushed_is_refused() {
    let digest = format!("ghcr.io/x/y@sha256:{}", "ab".repeat(32));
    for (seed, says) in [
        (digest.as_str(), "a tag is needed"),
        ("a b", "`a b` in it must be an image reference"),
    ] {
        let world = World::e2e();
        world
            .run_with("e2e setup-env", &[("XTASK_E2E_SEED", seed)])
            .status(2)
            .says(says);
        world.calls.never("docker network create");
    }
    let world = World::e2e();
    world
        .run_with("e2e setup-env", &[("XTASK_E2E_SEED", "ghcr.io/x/y:1")])
        .status(1)
        .says("failed to tag `ghcr.io/x/y:1`")
        .says("No such image: ghcr.io/x/y:1");
}

#[test]
fn seeds_in_the_file_are_a_list() {
    let world = World::e2e();
    world.engine.put_image("ghcr.io/x/y:1");
    world.write(
        "xtask.toml",
        &format!(
            "registry = \"localhost:{}\"\n[e2e]\nseed = [\"ghcr.io/x/y:1\"]\n",
            world.registry.port
        ),
    );
    world.run("e2e setup-env").success();
    world.calls.only("docker push");
}

#[test]
fn images_of_another_registry_need_none_of_ours() {
    let world = World::e2e();
    world
        .run_with("e2e setup-env", &[("registry", "registry.example/team")])
        .success();
    world.calls.never("docker run");
    world.calls.never("docker volume create");
    world.calls.only("docker network create");
    world.calls.only("kind create");
    let wire = world.calls.only("docker exec").line();
    assert!(!wire.contains("registry.pg-extensions"), "{wire}");
}
