// SPDX-License-Identifier: Apache-2.0
//! `e2e cleanup`: what we made goes, what others made stays.

use crate::cli::world::{CLUSTER, CONTROL_PLANE, LABEL, World, clusters::kubeconfig};

#[test]
fn all_that_was_made_goes_and_nothing_else() {
    let world = World::e2e();
    world.engine.put_strangers();
    let before = world.engine.inventory();
    world.run("e2e setup-env --nodes 2").success();
    world.calls.forget();
    world
        .run("e2e cleanup")
        .success()
        .says("the environment is removed");
    assert_eq!(world.engine.inventory(), before);
    assert!(!world.exists("target/xtask/e2e"));
    world.calls.in_order(&["kind delete", "docker network rm"]);
    world.calls.in_order(&["docker rm", "docker volume rm"]);
    world.calls.in_order(&["docker rm", "docker network rm"]);
}

#[test]
fn twice_is_once() {
    let world = World::e2e();
    world.set_up();
    world.run("e2e cleanup").success();
    world.calls.forget();
    let ended = world
        .run("e2e cleanup")
        .success()
        .says("there is nothing to remove");
    assert_eq!(ended.stdout, "");
    for line in world.calls.names() {
        assert!(!line.contains(" rm ") && !line.contains("delete"), "{line}");
    }
}

#[test]
fn a_kubeconfig_of_another_cluster_with_our_names_is_not_ours() {
    let world = World::e2e();
    world.set_up();
    let context = format!("kind-{CLUSTER}");
    let theirs = kubeconfig(&context);
    let loopback = theirs.replace("far.example:6443", "127.0.0.1:35000");
    let other = theirs.replace(
        "    server",
        "    certificate-authority-data: T1RIRVI=\n    server",
    );
    let before = world.engine.inventory();
    for text in [theirs, loopback, other] {
        world.write("colleague.kc", &text);
        let ended = world.run("e2e cleanup --kubeconfig colleague.kc");
        ended.says("`colleague.kc` is for a cluster");
        world.calls.never("kind delete");
        world.calls.never("docker rm");
        assert_eq!(world.engine.inventory(), before);
        for call in world.calls.of("kubectl get") {
            assert_eq!(call.after("--kubeconfig"), "colleague.kc");
        }
        // Nor is it written over.
        world
            .run("e2e export-kubeconfig colleague.kc")
            .status(2)
            .says("`colleague.kc` exists and is for another cluster than");
        assert_eq!(world.read("colleague.kc"), text);
        world.calls.forget();
    }
    // Our own means ours, by whichever address.
    for args in [
        &["export-kubeconfig", "own"][..],
        &["export-kubeconfig", "own", "--internal"],
    ] {
        world.run(("e2e", args)).success();
        world
            .run("e2e cleanup --dry-run --kubeconfig own")
            .success();
        world.calls.never("kubectl get namespace");
    }
    world
        .run("e2e cleanup --kubeconfig own")
        .success()
        .says("the environment is removed");
    world.calls.only("kind delete");
    // What was exported is known when its cluster is gone.
    world.set_up();
    let gone = world.read("own").replace("Q0E=", "R09ORQ==");
    world.write("own", &gone);
    world.run("e2e export-kubeconfig own").status(2);
}

#[test]
fn where_nothing_is_it_says_so() {
    let world = World::e2e();
    world.engine.put_strangers();
    let before = world.engine.inventory();
    for words in [&["e2e", "cleanup"][..], &["e2e:cleanup"]] {
        world
            .run(words)
            .success()
            .says("there is nothing to remove");
    }
    assert_eq!(world.engine.inventory(), before);
}

#[test]
fn without_kind_the_nodes_are_removed_by_docker() {
    let world = World::e2e();
    world.run("e2e setup-env --nodes 2").success();
    world.tools.without("kind");
    world.tools.without("kubectl");
    world
        .run("e2e cleanup")
        .success()
        .says("the environment is removed");
    assert!(
        world.engine.inventory().is_empty(),
        "{:#?}",
        world.engine.inventory()
    );
}

#[test]
fn clusters_of_every_version_go_whatever_their_state() {
    let world = World::e2e();
    world.engine.put_network();
    for (version, state) in [
        ("v1.34.0", "exited"),
        ("v1.35.0", "created"),
        ("v1.36.1", "running"),
    ] {
        let cluster = format!("pg-extensions-{version}");
        let label = format!("io.x-k8s.kind.cluster={cluster},io.x-k8s.kind.role=control-plane");
        world.engine.put_container(
            &format!("{cluster}-control-plane"),
            &label,
            "pg-extensions-e2e",
            state,
        );
    }
    world.run("e2e cleanup").success();
    assert!(
        world.engine.inventory().is_empty(),
        "{:#?}",
        world.engine.inventory()
    );
    assert_eq!(world.calls.of("kind delete").len(), 3);
}

#[test]
fn one_half_of_it_goes_as_well() {
    for kind in ["networks", "volumes"] {
        let world = World::e2e();
        let name = if kind == "networks" {
            "pg-extensions-e2e"
        } else {
            "registry.pg-extensions"
        };
        world.engine.put(kind, name, LABEL);
        world.run("e2e cleanup").success();
        assert!(world.engine.inventory().is_empty());
    }
    let world = World::e2e();
    world
        .engine
        .put_container("registry.pg-extensions", LABEL, "", "created");
    world.run("e2e cleanup").success();
    assert!(world.engine.inventory().is_empty());
}

#[test]
fn what_cannot_be_removed_does_not_keep_the_rest() {
    let world = World::e2e();
    world.set_up();
    world.tools.fails("kind delete", 1, "ERROR: it broke\n");
    world
        .run("e2e cleanup")
        .status(1)
        .says("ERROR: it broke")
        .says("cleaning up failed");
    assert!(world.engine.names("volumes").is_empty());
    assert_eq!(world.engine.names("containers"), [CONTROL_PLANE]);
    world.tools.no_rules();
    world.run("e2e cleanup").success();
    assert!(world.engine.inventory().is_empty());
}

#[test]
fn a_dry_run_names_it_all_and_removes_nothing() {
    let world = World::e2e();
    world.set_up();
    let before = world.engine.inventory();
    for words in [
        &["e2e", "cleanup", "--dry-run"][..],
        &["e2e:cleanup", "DRY_RUN=true"],
    ] {
        let ended = world.run(words).success();
        for part in [
            &format!("kind delete cluster --name {CLUSTER}"),
            "--filter 'name=^registry[.]pg-extensions$' | xargs -r docker rm --force --volumes --",
            "--filter 'name=^registry[.]pg-extensions$' | xargs -r docker volume rm --",
            "--filter 'name=^pg-extensions-e2e$' | xargs -r docker network rm --",
        ] {
            assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
        }
    }
    assert_eq!(world.engine.inventory(), before);
    assert!(world.exists("target/xtask/e2e/kubeconfig"));
    // Pasted, the lines do the same.
    let dry = world.run("e2e cleanup --dry-run").success().stdout;
    world.shell(&dry, &["rm", "xargs"]).success();
    assert!(world.engine.inventory().is_empty());
    assert!(!world.exists("target/xtask/e2e"));
}
