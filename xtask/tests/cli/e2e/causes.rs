// SPDX-License-Identifier: Apache-2.0
//! What is made of a suite that fails: its probable cause, whether to wait for it, and whether to run it again.

use crate::cli::world::{CLUSTER, World};

#[test]
fn the_cause_is_not_taken_from_what_is_said_of_others() {
    let world = World::e2e_up(&["alpha"]);
    let old = r#"failed to resolve reference "private:5000/other:1": unexpected status from HEAD request to http://private:5000/v2/: 401 Unauthorized"#;
    for pattern in ["docker exec * journalctl", "kubectl * logs deployment/"] {
        world.tools.rule(
            pattern,
            &format!("echo 'pod=\"xtask-of-yesterday/x\" {old}'; exit"),
        );
    }
    world.chainsaw.fails("shared", "it broke\n");
    let ended = world.run("e2e test alpha").status(1).says("it broke");
    assert!(!ended.stderr.contains("probable cause"), "{}", ended.stderr);
    // All of it is kept for people all the same.
    let texts = world.texts("target/xtask/runs");
    let mut kept: Vec<_> = texts
        .iter()
        .filter(|(_, text)| text.contains("xtask-of-yesterday"))
        .filter_map(|(path, _)| path.file_name())
        .collect();
    // The page that is made of them has it too.
    kept.retain(|name| *name != "report.html");
    assert_eq!(kept.len(), 2, "{kept:?}");
}

/// A pod of a database that has failed and is not tried again.
const FAILED: &str = r#"{"items":[{"kind":"Cluster","metadata":{"name":"gamma"},"status":{}},{"kind":"Pod","metadata":{"name":"gamma-1-initdb-x","labels":{"cnpg.io/cluster":"gamma"}},"status":{"phase":"Failed"}}]}"#;

#[test]
fn a_suite_that_cannot_succeed_is_ended_with_what_its_pod_says() {
    let world = World::e2e_up(&["gamma"]);
    world.clusters.watched(FAILED);
    world
        .clusters
        .pod_log("FATAL:  could not access file \"nolib\": No such file or directory\n");
    // It ends when it is told to, not before.
    world.chainsaw.takes("600");
    world.chainsaw.fails("shared-suite-of-gamma", "it broke\n");
    world
        .run("e2e test gamma")
        .status(1)
        .says("given up after ")
        .says("probable cause: the server cannot find the library `nolib`")
        .says("Cluster `gamma` said the same 4 times in a row");
}

#[test]
fn a_suite_that_has_passed_has_passed_whatever_it_looked_like() {
    let world = World::e2e_up(&["gamma"]);
    world.clusters.watched(FAILED);
    world
        .clusters
        .pod_log("FATAL:  could not access file \"nolib\": No such file or directory\n");
    // Told to end, it has just passed.
    world.tools.rule("chainsaw", "trap 'echo Passed tests 1; exit 0' TERM; sleep 600 > /dev/null 2>&1 & while :; do wait; done");
    world.run("e2e test gamma").success().says("1 of 1 passed");
}

#[test]
fn the_suites_own_log_is_where_a_denial_stands() {
    let world = World::e2e_up(&["gamma"]);
    let many = "    sink.go:56: | waits |\n".repeat(300);
    world.chainsaw.fails("shared-suite-of-gamma", &format!(
            "    sink.go:56: | 1 | shared | cluster | CREATE | OK | x\n        === ERROR\n        admission webhook \"vcluster.cnpg.io\" denied the request: path must not escape the extension directory\n{many}"
        ));
    // What was said elsewhere, and earlier, is not of this.
    world.tools.rule(
        "kubectl * logs --selector",
        "echo 'ERROR: required extension \"postgis\" is not installed'; exit",
    );
    world.run("e2e test gamma").status(1).says(
        "probable cause: the operator refuses what was applied: path must not escape the extension directory",
    );
}

/// An assertion that the cluster's API has not answered, as chainsaw prints it.
const UNANSWERED: &str = "    sink.go:56: | 22:09:06 | shared | cluster | ASSERT | ERROR | x\n        === ERROR\n        Get \"https://127.0.0.1:1/api\": dial tcp 127.0.0.1:1: connect: connection refused\n    sink.go:56: | 22:09:06 | shared | cluster | TRY | END |\n";

#[test]
fn an_unanswered_assertion_is_run_once_more_in_a_fresh_namespace_and_said() {
    let world = World::e2e_up(&["gamma"]);
    world.tools.fails_at(1, "chainsaw", 1, UNANSWERED);
    let ended = world
        .run("e2e test gamma --json")
        .success()
        .says("warning: `shared suite of gamma` is run again in a new namespace: Get ")
        .says("1 of 1 passed");
    let results = ended.json();
    assert_eq!(results[0]["result"], "passed");
    let why = results[0]["retried"].as_str().unwrap();
    assert!(why.contains("connection refused"), "{why}");
    let tests = world.calls.of("chainsaw ");
    let [first, second] = tests.as_slice() else {
        panic!("{tests:#?}");
    };
    assert_ne!(first.after("--namespace"), second.after("--namespace"));
    assert_eq!(first.after("--report-name"), second.after("--report-name"));
    assert_eq!(world.clusters.namespaces(CLUSTER), Vec::<String>::new());
}

/// So version 0.2.14 ends one whose API went away: with what it had found wrong before.
#[test]
fn an_assertion_that_ends_before_its_time_was_not_answered() {
    let lines = |begun: &str| {
        format!(
            "    | {begun} | shared | cluster | ASSERT | RUN | v1/Pod @ x/y\n    | 22:09:06 | shared | cluster | ASSERT | ERROR | v1/Pod @ x/y\n        === ERROR\n        -------\n        v1/Pod/x/y\n"
        )
    };
    let suite = "kind: Test\nspec:\n  timeouts:\n    assert: 1m\n";
    for (begun, runs) in [("22:09:00", 2), ("22:08:05", 1)] {
        let world = World::e2e_up(&["gamma"]);
        world.write("test/chainsaw-test.yaml", suite);
        world.tools.fails_at(1, "chainsaw", 1, &lines(begun));
        let ended = world.run("e2e test gamma");
        assert_eq!(
            world.calls.of("chainsaw ").len(),
            runs,
            "{begun}: {ended:#?}"
        );
        if runs == 2 {
            ended.success().says(
                "the assertion of `v1/Pod @ x/y` was ended after 6 s, and none may end before 60 s",
            );
            // Only once the API answers again.
            let ready = world.calls.only("kubectl get --raw /readyz");
            assert!(ready.ended_before(&world.calls.of("chainsaw ")[1]));
        }
    }
}

#[test]
fn only_once_and_only_what_was_not_answered_is_run_once_more() {
    let world = World::e2e_up(&["gamma"]);
    world.tools.fails("chainsaw", 1, UNANSWERED);
    let ended = world.run("e2e test gamma").status(1);
    assert_eq!(world.calls.of("chainsaw ").len(), 2);
    assert!(
        ended.stdout.contains("failed (retried)"),
        "{}",
        ended.stdout
    );
    let world = World::e2e_up(&["gamma"]);
    let asserted = UNANSWERED.replace("        Get ", "        -------\n        Get ");
    world.tools.fails("chainsaw", 1, &asserted);
    world.run("e2e test gamma").status(1);
    assert_eq!(world.calls.of("chainsaw ").len(), 1);
}
