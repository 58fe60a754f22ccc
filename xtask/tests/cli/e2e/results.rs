// SPDX-License-Identifier: Apache-2.0
//! What `e2e test` gives: JSON, the run that only repeats what failed, and how much runs at once.

use super::lab::{CLUSTER, Lab};

#[test]
fn json_is_all_that_standard_output_holds() {
    let lab = Lab::ready(&["alpha", "gamma"]);
    lab.suite_fails("shared-suite-of-gamma", "it broke\n");
    let results = lab
        .e2e(&["test", "--json", "alpha", "gamma"])
        .status(1)
        .json();
    let rows = results.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let row = |name: &str| rows.iter().find(|row| row["extension"] == name).unwrap();
    assert_eq!(row("alpha")["result"], "passed");
    assert_eq!(row("alpha")["own"], "passed");
    assert_eq!(row("gamma")["result"], "failed");
    assert_eq!(row("gamma")["own"], "none");
    for row in rows {
        assert_eq!(row["cnpg_release"], "1.30");
        assert!(row["seconds"].is_number());
        let image = row["image"].as_str().unwrap();
        assert!(image.contains("@sha256:cdcd"), "{image}");
    }
    let kept: serde_json::Value =
        serde_json::from_str(&lab.read("target/xtask/e2e/results.json")).unwrap();
    assert_eq!(kept, results);
}

#[test]
fn with_events_every_line_is_one_and_the_result_is_among_them() {
    let lab = Lab::ready(&["gamma"]);
    let ended = lab.e2e(&["test", "gamma", "--format", "json"]).success();
    assert_eq!(ended.stderr, "");
    let lines: Vec<serde_json::Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let result = lines.iter().find(|line| line["event"] == "result").unwrap();
    assert_eq!(result["result"][0]["result"], "passed");
}

#[test]
fn only_what_failed_is_run_again() {
    let lab = Lab::ready(&["alpha", "beta", "gamma"]);
    lab.suite_fails("shared-suite-of-gamma", "it broke\n");
    lab.suite_fails("own-suite-of-alpha", "it broke\n");
    lab.e2e(&["test", "--all"]).status(1);
    lab.forget();
    std::fs::remove_file(lab.fake("suite.fails.own-suite-of-alpha")).unwrap();
    let again = lab.e2e(&["test", "--rerun-failed"]);
    let mut values: Vec<String> = lab
        .tests_of("test")
        .iter()
        .map(|call| call.after("--values").to_owned())
        .collect();
    values.sort();
    assert_eq!(
        values,
        [
            "extensions/alpha/values.yaml",
            "extensions/gamma/values.yaml"
        ]
    );
    // Each in a namespace of its own, by a name that tells it from the other.
    let namespaces: Vec<String> = lab
        .made_of("chainsaw ")
        .iter()
        .map(|call| call.after("--namespace").to_owned())
        .collect();
    let mut distinct = namespaces.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), namespaces.len(), "{namespaces:?}");
    again
        .status(1)
        .says("failed to pass the shared suite of gamma");
    lab.forget();
    std::fs::remove_file(lab.fake("suite.fails.shared-suite-of-gamma")).unwrap();
    lab.e2e(&["test", "--rerun-failed"])
        .success()
        .says("1 of 1 passed");
    assert_eq!(lab.made_of("chainsaw ").len(), 1);
    lab.e2e(&["test", "--rerun-failed"])
        .success()
        .says("nothing failed the last time");
}

#[test]
fn without_an_earlier_run_there_is_nothing_to_repeat() {
    let lab = Lab::ready(&["alpha"]);
    lab.e2e(&["test", "--rerun-failed"])
        .status(2)
        .says("there are no results of an earlier run")
        .says("hint: ");
    lab.e2e(&["test", "--rerun-failed", "alpha"]).status(2);
    lab.write("target/xtask/e2e/results.json", "{ half");
    lab.e2e(&["test", "--rerun-failed"])
        .status(2)
        .says("results.json")
        .says("hint: ");
}

#[test]
fn no_more_run_at_once_than_was_said() {
    let names = ["alpha", "beta", "gamma"];
    let counts = |lab: &Lab| -> Vec<usize> {
        let text = std::fs::read_to_string(lab.fake("counts")).unwrap();
        text.lines()
            .map(|line| line.trim().parse().unwrap())
            .collect()
    };
    let lab = Lab::ready(&names);
    lab.answer("chainsaw.seconds", "0.05\n");
    lab.e2e(&["test", "--all", "--jobs", "1"]).success();
    assert_eq!(counts(&lab), [1, 1, 1, 1]);
    let lab = Lab::ready(&names);
    lab.answer("chainsaw.seconds", "0.05\n");
    lab.e2e_with(&["test", "--all"], &[("XTASK_E2E_SUITES", "2")])
        .success();
    assert!(counts(&lab).iter().all(|count| *count <= 2));
    // And so many do run at once.
    let lab = Lab::ready(&names);
    let of = |name: &str| format!("'chainsaw test test --values extensions/{name}/'*");
    lab.waits(&of("beta"), &of("gamma"));
    lab.waits(&of("gamma"), &of("alpha"));
    lab.waits(&of("alpha"), &of("beta"));
    lab.e2e(&["test", "--all", "--jobs", "3"]).success();
}

#[test]
fn several_are_tested_each_once_however_they_are_named() {
    let lab = Lab::ready(&["alpha", "gamma"]);
    lab.e2e(&["test", "gamma/", "alpha", "--target", "gamma"])
        .success()
        .says("2 of 2 passed");
    assert_eq!(lab.tests_of("test").len(), 2);
    lab.e2e(&["test"]).status(2).says("which extension?");
    lab.e2e(&["test", "alpa"])
        .status(2)
        .says("did you mean `alpha`?");
}

#[test]
fn a_dry_run_prints_what_it_would_do_and_does_nothing() {
    let lab = Lab::ready(&["alpha"]);
    let ended = lab.e2e(&["test", "alpha", "--dry-run"]).success();
    for part in [
        "chainsaw test test ",
        "chainsaw test extensions/alpha/test ",
        "--values extensions/alpha/values.yaml",
        "delete namespace --selector io.cloudnativepg.xtask.run=",
    ] {
        assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
    assert!(lab.lines().is_empty(), "{:#?}", lab.lines());
}

#[test]
fn a_dry_run_of_a_suite_can_be_pasted() {
    let lab = Lab::ready(&["gamma"]);
    let dry = lab.e2e(&["test", "gamma", "--dry-run"]).success().stdout;
    lab.shell(&dry, &["mkdir", "cat", "rm"]).success();
    assert_eq!(lab.tests_of("test").len(), 1);
    assert_eq!(lab.namespaces(), Vec::<String>::new());
}

#[test]
fn interrupted_it_takes_its_namespace_away() {
    let lab = Lab::ready(&["gamma"]);
    lab.rule(
        "'chainsaw '*",
        "echo $$ > \"$here/hanging\"; trap '' EXIT; sleep 20; exit 1",
    );
    lab.interrupted(&["test", "gamma"])
        .status(130)
        .says("interrupted");
    assert_eq!(lab.namespaces(), Vec::<String>::new());
    assert!(lab.kube(CLUSTER, "objects").exists());
}

#[test]
fn results_are_annotated_on_github() {
    let lab = Lab::ready(&["gamma"]);
    lab.suite_fails("shared-suite-of-gamma", "it broke\n");
    let summary = lab.root().join("summary.md");
    let env = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    lab.e2e_with(&["test", "gamma"], &env)
        .status(1)
        .says("::error title=shared suite of gamma::");
    assert!(lab.read("summary.md").contains("| failed | gamma |"));
}
