// SPDX-License-Identifier: Apache-2.0
//! `e2e test-full` with several releases of the operator: oldest first, one after the other.

use crate::cli::world::{CLUSTER, World};

const APPLY: &str = "kubectl apply --server-side --force-conflicts --filename https";

/// The releases as they were applied.
fn applied(world: &World) -> Vec<String> {
    let calls = world.calls.of(APPLY);
    let urls = calls.iter().map(|call| call.after("--filename"));
    let name = |url: &str| {
        let branch = url.split("/artifacts/").nth(1).unwrap();
        branch.split('/').next().unwrap().replace("release-", "")
    };
    urls.map(name).collect()
}

#[test]
fn they_are_applied_oldest_first_whatever_the_order_given() {
    for (given, wanted) in [
        ("main,1.29,1.30", &["1.29", "1.30", "main"][..]),
        ("1.30,main,1.29,1.30", &["1.29", "1.30", "main"]),
        ("1.30,1.9,1.10", &["1.9", "1.10", "1.30"]),
        ("1.29", &["1.29"]),
    ] {
        let world = World::e2e_with_images();
        let results = world
            .run((
                "e2e",
                &["test-full", "alpha", "--cnpg-release", given, "--json"],
            ))
            .success()
            .json();
        assert_eq!(applied(&world), wanted, "{given}");
        let rows: Vec<&str> = results
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["cnpg_release"].as_str().unwrap())
            .collect();
        assert_eq!(rows, wanted, "{given}");
        world.calls.only("docker buildx bake");
        assert_eq!(
            world.clusters.operator(CLUSTER, "release").unwrap(),
            *wanted.last().unwrap()
        );
    }
}

#[test]
fn the_old_spelling_takes_them_too() {
    let world = World::e2e_with_images();
    world
        .run("e2e:test:full TARGET=alpha CNPG_RELEASE=main,1.30")
        .success();
    assert_eq!(applied(&world), ["1.30", "main"]);
}

#[test]
fn the_suites_of_one_have_ended_and_are_gone_when_the_next_is_applied() {
    let world = World::e2e_with_images();
    world.chainsaw.takes("0.05");
    world
        .run("e2e test-full alpha gamma --distro trixie --pg 18 --cnpg-release 1.29,1.30,main")
        .success()
        .says("6 of 6 passed");
    let (applied, suites) = (world.calls.of(APPLY), world.calls.of("chainsaw "));
    let gone = world
        .calls
        .of("kubectl delete namespace --selector io.cloudnativepg.xtask.environment=suite");
    assert_eq!((applied.len(), suites.len(), gone.len()), (3, 6, 2));
    for (at, release) in ["1.29", "1.30", "main"].iter().enumerate() {
        let own: Vec<_> = suites
            .iter()
            .filter(|call| call.after("--report-name").ends_with(release))
            .collect();
        assert_eq!(own.len(), 2, "{release}");
        for suite in own {
            assert!(applied[at].ended_before(suite));
            if let (Some(gone), Some(next)) = (gone.get(at), applied.get(at + 1)) {
                assert!(suite.ended_before(gone));
                assert!(gone.ended_before(next));
            }
        }
    }
}

#[test]
fn a_suite_that_fails_with_one_is_tried_with_the_next() {
    let world = World::e2e_with_images();
    world
        .chainsaw
        .fails("shared-suite-of-alpha-18-trixie-1.29", "it broke\n");
    let results = world
        .run("e2e test-full alpha --cnpg-release 1.29,1.30 --json")
        .status(1)
        .json();
    assert_eq!(results[0]["result"], "failed");
    assert_eq!(results[1]["result"], "passed");
    assert_eq!(results[1]["cnpg_release"], "1.30");
}

#[test]
fn one_that_does_not_become_available_is_not_taken_for_tested() {
    let world = World::e2e_with_images();
    world.tools.fails_at(
        2,
        "kubectl * rollout status",
        1,
        "error: timed out waiting for the condition\n",
    );
    let results = world
        .run("e2e test-full alpha --cnpg-release 1.29,1.30 --json")
        .status(1)
        .says("timed out waiting for the condition")
        .json();
    assert_eq!(results[0]["result"], "passed");
    assert_eq!(results[1]["result"], "not run");
}

#[test]
fn a_later_call_goes_back_to_the_first() {
    let world = World::e2e_with_images();
    let args = ["test-full", "alpha", "--cnpg-release", "1.29,1.30"];
    world.run(("e2e", &args)).success();
    world.calls.forget();
    world
        .run(("e2e", &args))
        .success()
        .says("the operator is changed from 1.30 to 1.29");
    assert_eq!(applied(&world), ["1.29", "1.30"]);
    world.calls.never("kind delete");
}

#[test]
fn a_manifest_that_is_the_same_for_all_is_refused() {
    let world = World::e2e_with_images();
    world.write("lab/one.yaml", "kind: List\n");
    let env = [("XTASK_CNPG_MANIFEST", "lab/one.yaml")];
    let args = ["test-full", "alpha", "--cnpg-release", "1.29,1.30"];
    world
        .run_with(("e2e", &args), &env)
        .status(2)
        .says("`lab/one.yaml`, which is the same for every release")
        .says("{release}");
    assert!(world.calls.names().is_empty());
    for release in ["1.29", "1.30"] {
        world.write(&format!("lab/{release}.yaml"), "kind: List\n");
    }
    let env = [("XTASK_CNPG_MANIFEST", "lab/{release}.yaml")];
    world.run_with(("e2e", &args), &env).success();
    let own = world
        .calls
        .of("kubectl apply --server-side --force-conflicts --filename lab/");
    let own: Vec<&str> = own.iter().map(|call| call.after("--filename")).collect();
    assert_eq!(own, ["lab/1.29.yaml", "lab/1.30.yaml"]);
}
