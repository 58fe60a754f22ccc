// SPDX-License-Identifier: Apache-2.0
//! `e2e setup-env --until`: a part of the environment with those that it needs, and no more; the old internal tasks.

use crate::cli::world::World;

#[test]
fn each_task_makes_its_part_and_what_it_needs() {
    for (task, made, says) in [
        (
            "e2e:create-docker-network",
            1,
            "the network `pg-extensions-e2e` is there",
        ),
        (
            "e2e:start-container-registry",
            3,
            "the registry answers at localhost:",
        ),
        (
            "e2e:setup-kind",
            4,
            "cluster `pg-extensions-v1.36.1` is up, without an operator",
        ),
        ("e2e:install-cnpg", 4, "the environment is up"),
    ] {
        let world = World::e2e();
        world.run(task).success().says(says);
        let inventory = world.engine.inventory();
        assert_eq!(inventory.len(), made, "{task}: {inventory:#?}");
        assert_eq!(
            !world
                .calls
                .of("kubectl --namespace cnpg-system rollout status")
                .is_empty(),
            task == "e2e:install-cnpg",
            "{task}"
        );
        // Once more there is nothing to do, and each is a step on the way to all.
        world.calls.forget();
        world.run(task).success().says(says);
        for begins in ["docker network create", "docker run", "kind create"] {
            world.calls.never(begins);
        }
        world.run("e2e:setup-env").success();
        world.run("e2e:cleanup").success();
        assert!(world.engine.inventory().is_empty());
    }
}

#[test]
fn a_network_and_a_registry_need_no_kind() {
    let world = World::e2e();
    for program in ["kind", "kubectl", "chainsaw"] {
        world.tools.without(program);
    }
    world.run("e2e setup-env --until registry").success();
    world
        .run("e2e setup-env --until cluster")
        .status(3)
        .says("kind");
}

#[test]
fn a_dry_run_prints_the_part_alone() {
    let world = World::e2e();
    let lines = |task: &str| {
        let ended = world.run(&format!("{task} DRY_RUN=true")[..]).success();
        ended.stdout
    };
    let network = lines("e2e:create-docker-network");
    assert_eq!(network.lines().count(), 1, "{network}");
    assert_eq!(lines("e2e:start-dagger-engine"), network);
    let registry = lines("e2e:start-container-registry");
    assert!(
        registry.contains("docker run ") && !registry.contains("kind "),
        "{registry}"
    );
    let cluster = lines("e2e:setup-kind");
    assert!(
        cluster.contains("kind create ") && !cluster.contains("operator-manifest"),
        "{cluster}"
    );
    assert!(world.engine.inventory().is_empty());
}

#[test]
fn an_existing_cluster_has_no_parts_of_ours() {
    let world = World::e2e();
    world.write("theirs", "");
    let ended = world.run("e2e setup-env --until registry --kubeconfig theirs");
    ended.status(2).says("cannot be used with");
    let set = [("XTASK_CLUSTER_KUBECONFIG", "theirs")];
    let ended = world.run_with("e2e setup-env --until registry", &set);
    ended.status(2).says("`--until` is for the kind cluster");
}

#[test]
fn names_of_earlier_taskfiles_are_known() {
    let world = World::e2e();
    world.run("e2e:kind-setup").success();
    world.run("e2e:cnpg-install").success();
    world
        .run("e2e:env-setup")
        .success()
        .says("the environment is up");
}

#[test]
fn a_password_that_is_in_the_environment_hinders_nobody_who_makes_no_nodes() {
    let world = World::e2e_up(&["alpha"]);
    let password = [("REGISTRY_PASSWORD", "hunter2")];
    for line in ["e2e:test TARGET=alpha", "e2e:status", "e2e:cleanup"] {
        world.run_with(line, &password).success();
    }
}
