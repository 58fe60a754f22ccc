// SPDX-License-Identifier: Apache-2.0
//! `e2e psql`: a database with the extension that stays.

use nix::{pty::openpty, unistd::write};

use super::lab::{CLUSTER, Lab};

#[test]
fn the_database_is_made_and_statements_are_run() {
    let lab = Lab::ready(&["alpha"]);
    let ended = lab
        .e2e(&["psql", "alpha", "--", "SELECT 1", "SELECT 'a b'"])
        .success();
    assert!(ended.stdout.contains("psql was here"), "{}", ended.stdout);
    assert_eq!(
        lab.only("chainsaw test test").after("--namespace"),
        "xtask-psql-alpha"
    );
    let call = lab.only("kubectl --namespace xtask-psql-alpha exec");
    let at = call.args.iter().position(|arg| arg == "alpha-1").unwrap();
    assert_eq!(
        call.args[at..],
        [
            "alpha-1",
            "--container",
            "postgres",
            "--",
            "psql",
            "--no-psqlrc",
            "--dbname",
            "app",
            "--set",
            "ON_ERROR_STOP=1",
            "--command",
            "SELECT 1",
            "--command",
            "SELECT 'a b'"
        ]
    );
    assert_eq!(lab.namespaces(), ["Namespace-xtask-psql-alpha.json"]);
    // It is no leftover of a suite.
    lab.e2e(&["test", "alpha"]).success();
    assert_eq!(lab.namespaces(), ["Namespace-xtask-psql-alpha.json"]);
}

#[test]
fn a_database_that_is_there_with_the_same_image_is_used() {
    let lab = Lab::ready(&["alpha"]);
    let digest = "cd".repeat(32);
    let image = format!("registry.pg-extensions:5000/alpha-testing:1.2-18-trixie@sha256:{digest}");
    let file = lab.kube(CLUSTER, "databases/xtask-psql-alpha.alpha");
    std::fs::write(&file, format!("{image} Cluster in healthy state")).unwrap();
    lab.e2e(&["psql", "alpha", "--", "SELECT 1"]).success();
    lab.never("chainsaw ");
    std::fs::write(&file, "another/image:1 Cluster in healthy state").unwrap();
    lab.e2e(&["psql", "alpha", "--", "SELECT 1"]).success();
    lab.in_order(&["kubectl delete namespace --selector io.cloudnativepg.xtask.environment=psql,kubernetes.io/metadata.name=xtask-psql-alpha", "chainsaw test"]);
}

#[test]
fn a_statement_that_fails_is_the_end() {
    let lab = Lab::ready(&["alpha"]);
    lab.fails("'kubectl '*' exec '*", 3, "ERROR:  syntax error\n");
    lab.e2e(&["psql", "alpha", "--", "SELEC"])
        .status(3)
        .says("ERROR:  syntax error");
}

#[test]
fn it_can_be_removed_again() {
    let lab = Lab::ready(&["alpha"]);
    lab.e2e(&["psql", "alpha", "--", "SELECT 1"]).success();
    lab.e2e(&["psql", "alpha", "--delete"])
        .success()
        .says("the database of `alpha` is gone");
    assert_eq!(lab.namespaces(), Vec::<String>::new());
}

#[test]
fn without_values_the_way_to_them_is_said() {
    let lab = Lab::ready(&[]);
    lab.e2e(&["psql", "alpha", "--", "SELECT 1"])
        .status(2)
        .says("there are no values for `alpha`")
        .says("generate-values alpha");
}

#[test]
fn told_to_end_at_a_terminal_it_ends_what_reads_the_terminal() {
    let lab = Lab::ready(&["alpha"]);
    lab.rule(
        "*' exec --stdin '*",
        "trap '' EXIT; echo $$ > \"$here/hanging\"; sleep 20 > /dev/null 2>&1; : > \"$here/outlived\"",
    );
    let pair = openpty(None, None).unwrap();
    // The fake reads its input to the end: this is Ctrl-D.
    write(&pair.master, b"\x04").unwrap();
    lab.signalled("-TERM", pair.slave.into(), &["psql", "alpha"])
        .status(143);
    assert!(!lab.fake("outlived").exists());
}
