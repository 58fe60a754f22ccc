// SPDX-License-Identifier: Apache-2.0
//! `e2e test-full`: environment, bake and push, values, suites.

use std::fs;

use crate::cli::world::{BUILD, CLUSTER, World, image::architecture};

#[test]
fn from_nothing_to_a_table() {
    let world = World::e2e_with_images();
    let ended = world
        .run("e2e test-full alpha")
        .success()
        .says("1 of 1 passed")
        .says("the environment is up");
    assert!(ended.stdout.starts_with("RESULT "), "{}", ended.stdout);
    let row = ended.stdout.lines().nth(1).unwrap();
    assert!(row.starts_with("passed  alpha"), "{row}");
    world
        .calls
        .in_order(&["docker run", "docker buildx bake", "chainsaw test"]);
    world.calls.in_order(&[
        "docker network create",
        "kind create",
        "docker exec --interactive pg-extensions-v1.36.1-control-plane sh",
        "kubectl apply --server-side --force-conflicts --filename https",
        "kubectl --namespace cnpg-system rollout",
        "kubectl --namespace cnpg-system annotate",
        "chainsaw test",
    ]);
    let bake = world.calls.only("docker buildx bake").line();
    assert!(bake.contains(" --push"), "{bake}");
    assert!(bake.contains("--metadata-file"), "{bake}");
}

#[test]
fn no_name_can_be_an_option_of_docker() {
    let world = World::e2e_with_images();
    world.run("e2e test-full alpha --cleanup").success();
    for start in [
        "docker network create",
        "docker network rm",
        "docker volume create",
        "docker volume rm",
        "docker run",
        "docker rm",
        "docker exec",
        "docker image ls --format {{.Tag}}",
        "docker buildx imagetools",
    ] {
        let calls = world.calls.of(start);
        assert!(!calls.is_empty(), "{start}");
        assert!(
            calls
                .iter()
                .all(super::super::world::call::Call::ends_options),
            "{calls:#?}"
        );
    }
}

#[test]
fn images_are_baked_while_the_cluster_comes_up() {
    let world = World::e2e_with_images();
    world.tools.waits(BUILD, "kind create");
    world.run("e2e test-full alpha").success();
    let world = World::e2e_with_images();
    world.tools.waits("kind create", BUILD);
    world.run("e2e test-full alpha").success();
}

#[test]
fn nothing_is_pushed_before_the_registry_answers() {
    let world = World::e2e_with_images();
    let busy = world.registry.busy();
    fs::write(&busy, "").unwrap();
    let busy = busy.display();
    world.tools.rule(
        "docker run",
        &format!("(sleep 0.5; rm {busy}) > /dev/null 2>&1 &"),
    );
    world.tools.rule(
        BUILD,
        &format!("[ ! -e {busy} ] || fail 'the registry does not answer yet'"),
    );
    world.run("e2e test-full alpha").success();
}

#[test]
fn a_bake_that_fails_leaves_the_others_to_be_tested() {
    let world = World::e2e_with_images();
    world.docker.bake_fails("alpha", "ERROR: no\n");
    let results = world
        .run("e2e test-full --all --distro trixie --json")
        .status(1)
        .says("failed to bake `alpha`")
        .json();
    let result = |name: &str| {
        let rows = results.as_array().unwrap();
        let row = rows.iter().find(|row| row["extension"] == name).unwrap();
        row["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(result("alpha"), "not run");
    assert_eq!(result("beta"), "not run", "it needs alpha");
    assert_eq!(result("gamma"), "passed");
}

#[test]
fn a_failing_suite_keeps_values_and_environment() {
    let world = World::e2e_with_images();
    world.chainsaw.fails("shared-suite-of-alpha", "it broke\n");
    world
        .run("e2e test-full alpha --cleanup")
        .status(1)
        .says("what the cluster says: ");
    assert!(world.exists("target/xtask/e2e/values/alpha-1_2-18-trixie.yaml"));
    assert!(world.clusters.of_kind(CLUSTER, "objects").exists());
    // And it can be repeated with just that.
    world.calls.forget();
    world.chainsaw.passes("shared-suite-of-alpha");
    world
        .run("e2e test --rerun-failed")
        .success()
        .says("1 of 1 passed");
    assert_eq!(
        world.calls.only("chainsaw test").after("--values"),
        "target/xtask/e2e/values/alpha-1_2-18-trixie.yaml"
    );
    world.calls.never("docker buildx bake");
}

#[test]
fn when_all_has_passed_it_can_be_removed() {
    let world = World::e2e_with_images();
    world.engine.put_strangers();
    let before = world.engine.inventory();
    world
        .run("e2e test-full alpha --cleanup")
        .success()
        .says("1 of 1 passed")
        .says("the environment is removed");
    assert_eq!(world.engine.inventory(), before);
}

#[test]
fn a_second_run_makes_nothing_anew() {
    let world = World::e2e_with_images();
    world.run("e2e test-full alpha").success();
    world.calls.forget();
    world.run("e2e test-full alpha").success();
    for start in [
        "docker network create",
        "docker run",
        "kind create",
        "kubectl apply --server-side --force-conflicts --filename https",
    ] {
        world.calls.never(start);
    }
    world.calls.only("docker buildx bake");
    world.calls.only("chainsaw test");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_made() {
    for (words, says) in [
        (&["test-full"][..], "which extension?"),
        (&["test-full", "alpa"], "did you mean `alpha`?"),
        (
            &["test-full", "alpha", "--cnpg-release", "1.30,x"],
            "`x` is not a release",
        ),
        (
            &["test-full", "alpha", "--distro", "sid"],
            "no image matches",
        ),
        (
            &["test-full", "alpha", "--kubernetes", "1.36"],
            "is not a version of Kubernetes",
        ),
    ] {
        let world = World::e2e_with_images();
        world.run(("e2e", words)).status(2).says(says);
        // The lock goes by the engine's own name.
        let calls = world.calls.of_work();
        assert!(calls.is_empty(), "{words:?}: {calls:#?}");
    }
}

#[test]
fn bakes_are_for_the_nodes_platform() {
    let world = World::e2e_with_images();
    world.run("e2e test-full alpha").success();
    let set = format!("*.platform=linux/{}", architecture());
    assert!(world.calls.only("docker buildx bake").line().contains(&set));
}

#[test]
fn another_port_of_the_registry_is_where_images_are_pushed() {
    let world = World::e2e_with_images();
    world.write("xtask.toml", "");
    let port = world.registry.port.to_string();
    world
        .run(("e2e test-full alpha --registry-port", [&port]))
        .success();
    let registry = format!("localhost:{port}");
    let asked = world.calls.only("print extensions/alpha/metadata.hcl");
    assert_eq!(asked.variable("registry"), registry);
    let built = world.read("target/xtask/targets.json");
    assert!(
        built.contains(&format!("\"{registry}/alpha-testing:1.2-18-trixie\"")),
        "{built}"
    );
    world.calls.only(BUILD);
}

#[test]
fn nodes_are_given_base_images_while_the_operator_starts_and_pods_may_still_pull_them_themselves() {
    let node = "docker exec --interactive pg-extensions-v1.36.1-control-plane";
    let pulled = format!("{node} ctr --namespace k8s.io images pull");
    let world = World::e2e_with_images();
    world
        .run("e2e test-full alpha gamma --distro trixie --pg 18")
        .success();
    let call = world.calls.only(&pulled).line();
    assert!(
        call.ends_with(" -- ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie"),
        "{call}"
    );
    let wired = format!("{node} sh");
    world.calls.in_order(&["kind create", &wired, &pulled]);
    let world = World::e2e_with_images();
    world.docker.prefetch_fails();
    world
        .run("e2e test-full alpha -v")
        .success()
        .says("left to the pods: ctr: failed to resolve image: not found");
    world.calls.only("chainsaw test test ");
}
