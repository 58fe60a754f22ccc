// SPDX-License-Identifier: Apache-2.0
//! `e2e test`: the suites, each in a namespace of its own, with existing values.

use std::fs;

use crate::cli::world::{CLUSTER, World};

#[test]
fn the_shared_suite_and_beside_it_the_extensions_own() {
    let world = World::e2e_up(&["alpha"]);
    let ended = world.run("e2e test alpha").success().says("1 of 1 passed");
    let row = ended.stdout.lines().nth(1).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[..2], ["passed", "alpha"], "{}", ended.stdout);
    assert!(
        cells[2].starts_with("alpha-testing:1.2-18-trixie@cdcd"),
        "{row}"
    );
    assert_eq!(cells[3..6], ["1.30", "passed", "passed"], "{row}");
    let [shared, own] = [
        world.calls.of("chainsaw test test "),
        world.calls.of("chainsaw test extensions/alpha/test "),
    ];
    let ([shared], [own]) = (shared.as_slice(), own.as_slice()) else {
        panic!("{:#?}", world.calls.names());
    };
    for test in [shared, own] {
        assert_eq!(test.after("--values"), "extensions/alpha/values.yaml");
        assert_eq!(test.after("--report-format"), "JUNIT-OPERATION");
        // Suites' scripts run in their own folder.
        let absolute = world.root().join("target/xtask/e2e/kubeconfig");
        assert_eq!(
            test.variable("KUBECONFIG"),
            absolute.canonicalize().unwrap().to_str().unwrap()
        );
        let namespace = test.after("--namespace");
        let made = world.calls.of("kubectl create --filename -");
        let made = made
            .iter()
            .find(|call| call.stdin.contains(&format!("\"{namespace}\"")))
            .unwrap();
        assert!(made.ended_before(test));
        assert!(
            made.stdin
                .contains("\"io.cloudnativepg.xtask.environment\": \"suite\"")
        );
        let removed = world
            .calls
            .of("kubectl delete namespace --selector io.cloudnativepg.xtask.run=");
        let name = format!(",kubernetes.io/metadata.name={namespace} ");
        let removed = removed.iter().find(|call| call.line().contains(&name));
        let removed = removed.unwrap();
        assert!(test.ended_before(removed));
        let report = world
            .root()
            .join(test.after("--report-path"))
            .join(format!("{}.xml", test.after("--report-name")));
        assert!(report.exists(), "{}", report.display());
    }
    assert_ne!(shared.after("--namespace"), own.after("--namespace"));
    assert_eq!(world.clusters.namespaces(CLUSTER), Vec::<String>::new());
}

/// Says of alpha's own suite that it may go on in the shared one's cluster.
fn goes_on(world: &World) {
    world.write(
        "extensions/alpha/test/chainsaw-test.yaml",
        "kind: Test\nmetadata:\n  annotations:\n    io.cloudnativepg.xtask.cluster: \"shared\"\nspec: {}\n",
    );
}

#[test]
fn an_own_suite_that_may_goes_on_in_the_namespace_of_the_shared_one() {
    let world = World::e2e_up(&["alpha"]);
    goes_on(&world);
    let results = world.run("e2e test alpha --json").success().json();
    assert_eq!(results[0]["shared"], "passed");
    assert_eq!(results[0]["own"], "passed");
    let shared = world.calls.only("chainsaw test test ");
    let own = world.calls.only("chainsaw test extensions/alpha/test ");
    assert!(shared.ended_before(&own));
    assert_eq!(shared.after("--namespace"), own.after("--namespace"));
    let removed = world.calls.only("kubectl delete namespace");
    assert!(own.ended_before(&removed));
    assert_eq!(world.clusters.namespaces(CLUSTER), Vec::<String>::new());

    // In a container each has a name of its own there too.
    let world = World::e2e_up(&["alpha"]);
    goes_on(&world);
    world.tools.without("chainsaw");
    world.run("e2e test alpha").success();
    let suites = world.calls.of("docker run --rm --name xtask-alpha-");
    let [shared, own] = suites.as_slice() else {
        panic!("{:#?}", world.calls.names());
    };
    assert_eq!(shared.after("--namespace"), own.after("--namespace"));
    assert_ne!(shared.after("--name"), own.after("--name"));

    // Each is told by its name, and what fails leaves nothing.
    for (fails, shared, own) in [
        ("own-suite-of-alpha", "passed", "failed"),
        ("shared-suite-of-alpha", "failed", "not run"),
    ] {
        let world = World::e2e_up(&["alpha"]);
        goes_on(&world);
        world.chainsaw.fails(fails, "it broke\n");
        let results = world.run("e2e test alpha --json").status(1).json();
        assert_eq!(results[0]["result"], "failed", "{fails}");
        assert_eq!(results[0]["shared"], shared, "{fails}");
        assert_eq!(results[0]["own"], own, "{fails}");
        assert_eq!(world.clusters.namespaces(CLUSTER), Vec::<String>::new());
    }
}

#[test]
fn values_that_are_not_there_are_asked_for() {
    let world = World::e2e_up(&[]);
    world
        .run("e2e test alpha")
        .status(2)
        .says("extensions/alpha/values.yaml")
        .says("hint: `cargo xtask e2e generate-values alpha --extension-image REFERENCE`");
    world.put_values("alpha");
    world
        .run("e2e test alpha gamma")
        .status(2)
        .says("extensions/gamma/values.yaml");
    assert!(
        world.calls.names().is_empty(),
        "nothing is asked of the cluster"
    );
}

#[test]
fn values_of_the_old_tooling_name_their_image_too() {
    let world = World::e2e_up(&[]);
    world.write(
        "extensions/gamma/values.yaml",
        "name: gamma\nextensions:\n  - name: gamma\n    image: {reference: \"registry.pg-extensions:5000/gamma-testing:7\"}\n",
    );
    let ended = world.run("e2e test gamma").success();
    assert!(
        ended.stdout.contains(" gamma-testing:7 "),
        "{}",
        ended.stdout
    );
}

#[test]
fn values_may_lie_elsewhere() {
    let world = World::e2e_up(&["gamma"]);
    let text = world.read("extensions/gamma/values.yaml");
    world.write("docker/mine.yaml", &text);
    fs::remove_file(world.root().join("extensions/gamma/values.yaml")).unwrap();
    world
        .run_in("docker", "e2e test gamma --values mine.yaml")
        .success();
    assert_eq!(
        world.calls.of("chainsaw test test ")[0].after("--values"),
        "docker/mine.yaml"
    );
    world
        .run("e2e test gamma alpha --values docker/mine.yaml")
        .status(2)
        .says("`--values` is for one extension");
}

#[test]
fn a_failing_suite_keeps_what_the_cluster_said_and_stops_nobody() {
    let world = World::e2e_up(&["alpha", "beta", "gamma"]);
    world.chainsaw.fails("shared-suite-of-alpha", "=== RUN\n    | 12:00:01 | shared | cluster | ASSERT | ERROR |\n    actual resource not found\n");
    world.tools.rule("kubectl * get events", "echo 'Warning Failed Failed to pull image \"registry.pg-extensions:5000/x:1\": failed to resolve reference \"registry.pg-extensions:5000/x:1\": registry.pg-extensions:5000/x:1: not found'; exit");
    let ended = world
        .run("e2e test --all")
        .status(1)
        .says("failed to pass the shared suite of alpha")
        .says("actual resource not found")
        .says("probable cause: the image `registry.pg-extensions:5000/x:1` cannot be pulled")
        .says("the tests failed: 1 step");
    for (name, cells) in [
        ("alpha", ["failed", "passed"]),
        ("beta", ["passed", "none"]),
        ("gamma", ["passed", "none"]),
    ] {
        let row = ended
            .stdout
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some(name))
            .unwrap();
        let words: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(words[0], cells[0], "{row}");
        assert_eq!(words[4..6], cells, "{row}");
    }
    let folder = ended.stderr.split("what the cluster says: ").nth(1);
    let folder = folder.unwrap().lines().next().unwrap();
    for file in [
        "objects.yaml",
        "pods.txt",
        "events.txt",
        "instances.log",
        "jobs.log",
        "operator.txt",
        "operator.log",
        "operator-events.txt",
        "kubelet.log",
    ] {
        let text = world.read(&format!("{folder}/{file}"));
        assert!(!text.trim().is_empty(), "{file}");
    }
    // First it is looked at, then it goes.
    let namespace = world.calls.of("chainsaw test test ");
    let namespace = namespace
        .iter()
        .find(|call| call.after("--values").contains("alpha"))
        .unwrap()
        .after("--namespace");
    let asked = world
        .calls
        .only(&format!("kubectl --namespace {namespace} describe pods"));
    let removals = world
        .calls
        .of("kubectl delete namespace --selector io.cloudnativepg.xtask.run=");
    let of = removals
        .iter()
        .filter(|call| call.line().contains(namespace));
    assert_ne!(of.clone().count(), 0);
    for removed in of {
        assert!(asked.ended_before(removed));
    }
    assert_eq!(world.clusters.namespaces(CLUSTER), Vec::<String>::new());
    assert!(world.exists("extensions/alpha/values.yaml"), "values stay");
}

#[test]
fn evidence_that_cannot_be_had_is_no_reason_to_say_nothing() {
    let world = World::e2e_up(&["gamma"]);
    world.chainsaw.fails("shared-suite-of-gamma", "it broke\n");
    world.tools.fails("kubectl * logs", 1, "error: no pods\n");
    let ended = world
        .run("e2e test gamma")
        .status(1)
        .says("it broke")
        .says("could not be asked: ")
        .says("instances.log");
    let folder = ended.stderr.split("what the cluster says: ").nth(1);
    let folder = folder.unwrap().lines().next().unwrap();
    assert!(
        world
            .read(&format!("{folder}/pods.txt"))
            .contains("said of")
    );
}

#[test]
fn an_own_suite_that_fails_is_told_from_the_shared_one() {
    let world = World::e2e_up(&["alpha"]);
    world.chainsaw.fails("own-suite-of-alpha", "it broke\n");
    let results = world.run("e2e test alpha --json").status(1).json();
    assert_eq!(results[0]["result"], "failed");
    assert_eq!(results[0]["shared"], "passed");
    assert_eq!(results[0]["own"], "failed");
}

#[test]
fn arguments_for_chainsaw_reach_it() {
    for words in [
        &[
            "e2e",
            "test",
            "alpha",
            "--",
            "--fail-fast",
            "--assert-timeout",
            "9m",
        ][..],
        &[
            "e2e:test",
            "TARGET=alpha",
            "EXTRA_ARGS=--fail-fast --assert-timeout '9m'",
        ],
        &[
            "e2e:test",
            "TARGET=alpha",
            "EXTRA_ARGS=--fail-fast,--assert-timeout,9m",
        ],
        &[
            "e2e:test",
            "EXTRA_ARGS=--fail-fast --assert-timeout 9m",
            "TARGET=alpha",
            "--jobs=1",
        ],
    ] {
        let world = World::e2e_up(&["alpha"]);
        world.run(words).success();
        let tests = world.calls.of("chainsaw ");
        assert_eq!(tests.len(), 2);
        for test in tests {
            assert!(
                test.line().ends_with(" --fail-fast --assert-timeout 9m"),
                "{}",
                test.line()
            );
        }
    }
    World::e2e_up(&["alpha"])
        .run(["e2e:test", "TARGET=alpha", "EXTRA_ARGS=--x 'y"])
        .status(2)
        .says("`EXTRA_ARGS`");
}
