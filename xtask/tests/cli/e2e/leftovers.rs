// SPDX-License-Identifier: Apache-2.0
//! What the suites leave in the cluster: nothing, what was asked for, or what a killed run could not remove.

use std::fs;

use super::lab::Lab;

#[test]
fn what_the_suites_made_can_be_kept() {
    for words in [
        &["e2e", "test", "alpha", "--skip-delete"][..],
        &["e2e", "test", "alpha", "--", "--skip-delete"],
        &["e2e:test", "TARGET=alpha", "EXTRA_ARGS=--skip-delete"],
    ] {
        let lab = Lab::ready(&["alpha"]);
        lab.told(words, &[]).success();
        lab.never("kubectl delete namespace");
        assert_eq!(lab.namespaces().len(), 2, "{words:?}");
        // Given once, whatever the user says: chainsaw refuses it twice.
        for test in lab.made_of("chainsaw ") {
            assert_eq!(test.line().matches("--skip-delete").count(), 1);
        }
    }
    let lab = Lab::ready(&["alpha"]);
    lab.suite_fails("shared", "no\n");
    lab.e2e(&["test", "alpha", "--skip-delete"]).status(1);
    assert_eq!(lab.namespaces().len(), 1);
}

#[test]
fn what_an_earlier_run_has_left_goes_first() {
    let lab = Lab::ready(&["alpha"]);
    lab.e2e(&["test", "alpha", "--skip-delete"]).success();
    assert_eq!(lab.namespaces().len(), 2);
    // Another checkout's may be running: it can reach the cluster without its engine.
    let theirs = lab.kube(super::lab::CLUSTER, "objects/Namespace-theirs.json");
    fs::write(
        &theirs,
        r#"{"kind": "Namespace", "metadata": {"name": "theirs", "labels": {
    "io.cloudnativepg.xtask.environment": "suite", "io.cloudnativepg.xtask.owner": "0123456789abcdef"}}}"#,
    )
    .unwrap();
    lab.forget();
    lab.e2e(&["test", "alpha"]).success();
    let cleared =
        lab.only("kubectl delete namespace --selector io.cloudnativepg.xtask.environment=suite,io.cloudnativepg.xtask.owner=");
    assert!(cleared.ended_before(&lab.tests_of("test")[0]));
    assert_eq!(lab.namespaces(), ["Namespace-theirs.json"]);
}
