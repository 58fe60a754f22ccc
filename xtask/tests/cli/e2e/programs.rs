// SPDX-License-Identifier: Apache-2.0
//! Programs that are missing, too old, or speak to nobody.

use crate::cli::world::{CLUSTER, CONTROL_PLANE, World};

#[test]
fn a_missing_program_is_named_before_anything_is_made() {
    for program in ["kind", "docker"] {
        let world = World::e2e_with_images();
        world.tools.without(program);
        let ended = world.run("e2e test-full alpha");
        assert_eq!(ended.status, Some(3), "{program}: {ended:#?}");
        assert!(
            ended.stderr.contains(&format!("`{program}`")) && ended.stderr.contains("hint: "),
            "{program}: {}",
            ended.stderr
        );
        for start in [
            "docker network create",
            "docker run",
            "kind create",
            "docker buildx bake",
        ] {
            world.calls.never(start);
        }
    }
}

#[test]
fn setting_up_needs_no_chainsaw() {
    let world = World::e2e();
    world.tools.without("chainsaw");
    world.run("e2e setup-env").success();
}

#[test]
fn without_kind_there_is_no_environment() {
    let world = World::e2e();
    world.tools.without("kind");
    world
        .run("e2e setup-env")
        .status(3)
        .says("`kind` is not installed or not on PATH")
        .says("hint: install kind 0.32 or newer");
    assert!(world.engine.inventory().is_empty());
}

#[test]
fn testing_says_which_program_is_missing() {
    let world = World::e2e_up(&["alpha"]);
    world.tools.without("docker");
    world
        .run("e2e test alpha")
        .status(3)
        .says("`docker`")
        .says("hint: ");
}

#[test]
fn testing_without_kind_works_with_the_kubeconfig_that_is_there() {
    let world = World::e2e_up(&["alpha"]);
    world.tools.without("kind");
    world.run("e2e test alpha").success();
    // Where there is none, it is kind that is missing.
    std::fs::remove_file(world.root().join("target/xtask/e2e/kubeconfig")).unwrap();
    world
        .run("e2e test alpha")
        .status(3)
        .says("`kind`")
        .says("hint: ");
}

#[test]
fn a_kind_that_is_too_old_for_the_node_is_refused() {
    for (version, more, needed) in [
        ("0.26.0", &[][..], "0.27"),
        ("v0.26.1\n", &[], "0.27"),
        ("0.31.0", &["--kubernetes", "1.37.0"], "0.32"),
    ] {
        let world = World::e2e();
        world.kind.version(version);
        world
            .run(("e2e setup-env", more))
            .status(3)
            .says("is too old for nodes of Kubernetes")
            .says(&format!("hint: install kind {needed} or newer"));
        assert!(world.engine.inventory().is_empty());
    }
    for (version, more) in [
        ("0.31.0", &["--kubernetes", "1.36.1"][..]),
        ("0.32.0", &["--kubernetes", "1.37.0"]),
        ("0.33.0-alpha+deadbeef", &["--kubernetes", "1.37.0"]),
        ("1.0.0", &[]),
    ] {
        let world = World::e2e();
        world.kind.version(version);
        world.run(("e2e setup-env", more)).success();
    }
}

#[test]
fn an_engine_that_does_not_answer_is_said() {
    let said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n";
    let world = World::e2e_up(&["alpha"]);
    world.tools.fails("docker", 1, said);
    let mut wrong = Vec::new();
    for words in [
        &["setup-env"][..],
        &["test-full", "alpha"],
        &["test", "alpha"],
        &["export-kubeconfig"],
        &["cleanup"],
        &["cleanup", "--dry-run"],
        &["status"],
        &["psql", "alpha"],
        &["generate-values", "alpha"],
    ] {
        let ended = world.run(("e2e", words));
        let said = ended.stderr.contains("Docker daemon") && ended.stderr.contains("hint: ");
        if ended.status != Some(3) || !said {
            wrong.push((words, ended.status, ended.stderr));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(world.clusters.of_kind(CLUSTER, "objects").exists());
}

#[test]
fn a_cluster_that_does_not_answer_is_said() {
    let refused = "The connection to the server 127.0.0.1:35000 was refused - did you specify the right host or port?\n";
    let world = World::e2e_up(&["alpha"]);
    world.tools.fails("kubectl * get nodes,", 1, refused);
    world
        .run("e2e test alpha")
        .status(3)
        .says("127.0.0.1:35000 was refused")
        .says("hint: ")
        .says("setup-env");
    let world = World::e2e_up(&["alpha"]);
    world.engine.set_state(CONTROL_PLANE, "exited");
    world.run("e2e test alpha").status(3).says("setup-env");
    world.calls.never("chainsaw ");
}

#[test]
fn without_an_environment_the_way_to_one_is_said() {
    let world = World::e2e();
    world.put_values("alpha");
    let ended = world.run("e2e test alpha");
    assert!(matches!(ended.status, Some(2 | 3)), "{ended:#?}");
    ended.says("setup-env");
}

#[test]
fn without_an_operator_the_way_to_one_is_said() {
    let world = World::e2e_up(&["alpha"]);
    std::fs::remove_dir_all(world.clusters.of_kind(CLUSTER, "operator")).unwrap();
    std::fs::remove_file(world.clusters.of_kind(CLUSTER, "objects/operator.json"))
        .unwrap_or_default();
    world
        .run("e2e test alpha")
        .status(3)
        .says("no CloudNativePG operator")
        .says("hint: `cargo xtask e2e setup-env`");
    let world = World::e2e_up(&["alpha"]);
    std::fs::write(
        world.clusters.of_kind(CLUSTER, "operator/available"),
        "False\n",
    )
    .unwrap();
    world
        .run("e2e test alpha")
        .status(3)
        .says("the operator is not available")
        .says("setup-env");
    world.calls.never("chainsaw ");
}

#[test]
fn prerequisites_are_looked_at_all_at_once() {
    let world = World::e2e();
    let ended = world.run("prereqs --for e2e").success();
    for version in ["0.32.0", "1.36.1", "0.2.15"] {
        assert!(ended.stdout.contains(version), "{}", ended.stdout);
    }
    for program in ["kind", "kubectl", "chainsaw"] {
        world.tools.without(program);
    }
    let ended = world.run("prereqs --for e2e").status(3);
    let mut rows = ended.stdout.lines();
    let row = rows.find(|row| row.split_whitespace().nth(1) == Some("kind"));
    let row = row.unwrap_or_else(|| panic!("kind is not in\n{}", ended.stdout));
    assert!(
        row.starts_with("missing") && row.contains("install"),
        "{row}"
    );
}

#[test]
fn a_kind_that_is_too_old_is_no_good_prerequisite() {
    let world = World::e2e();
    world.kind.version("0.26.0\n");
    let ended = world.run("prereqs --for e2e").status(3);
    assert!(ended.stdout.contains("0.32"), "{}", ended.stdout);
}

#[test]
fn a_builder_that_cannot_do_it_is_said_before_anything_is_made() {
    let world = World::e2e_with_images();
    world.docker.info(r#"{"ServerVersion":"28.5.2","DriverStatus":[],"ClientInfo":{"Plugins":[{"Name":"buildx","Version":"0.29.1"}]}}"#);
    world
        .run("e2e test-full alpha")
        .status(3)
        .says("containerd image store");
    world.calls.never("kind create");
}
