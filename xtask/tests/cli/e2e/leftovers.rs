// SPDX-License-Identifier: Apache-2.0
//! What the suites leave in the cluster: nothing, what was asked for, or what a killed run could not remove.

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
    let left: Vec<String> = lab
        .namespaces()
        .iter()
        .map(|name| name["Namespace-".len()..name.len() - ".json".len()].to_owned())
        .collect();
    lab.forget();
    lab.e2e(&["test", "alpha"]).success();
    let cleared = lab.only(&format!(
        "kubectl delete namespace --ignore-not-found --wait=false {}",
        left[0]
    ));
    assert!(cleared.line().ends_with(&left[1]), "{}", cleared.line());
    assert!(cleared.ended_before(&lab.tests_of("test")[0]));
}
