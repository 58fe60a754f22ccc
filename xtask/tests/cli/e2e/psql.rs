// SPDX-License-Identifier: Apache-2.0
//! `e2e psql`: a database with the extension that stays.

use nix::pty::openpty;

use crate::cli::world::{CLUSTER, World, end_by};

#[test]
fn the_database_is_made_and_statements_are_run() {
    let world = World::e2e_up(&["alpha"]);
    let ended = world
        .run(("e2e psql alpha --", ["SELECT 1", "SELECT 'a b'"]))
        .success();
    assert!(ended.stdout.contains("psql was here"), "{}", ended.stdout);
    assert_eq!(
        world.calls.only("chainsaw test test").after("--namespace"),
        "xtask-psql-alpha"
    );
    let call = world
        .calls
        .only("kubectl --namespace xtask-psql-alpha exec");
    let args = call.args();
    let at = args.iter().position(|arg| *arg == "alpha-1").unwrap();
    assert_eq!(
        args[at..],
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
    assert_eq!(
        world.clusters.namespaces(CLUSTER),
        ["Namespace-xtask-psql-alpha.json"]
    );
    // It is no leftover of a suite.
    world.run("e2e test alpha").success();
    assert_eq!(
        world.clusters.namespaces(CLUSTER),
        ["Namespace-xtask-psql-alpha.json"]
    );
}

#[test]
fn a_database_that_is_there_with_the_same_image_is_used() {
    let world = World::e2e_up(&["alpha"]);
    let digest = "cd".repeat(32);
    let image = format!("registry.pg-extensions:5000/alpha-testing:1.2-18-trixie@sha256:{digest}");
    let file = world
        .clusters
        .of_kind(CLUSTER, "databases/xtask-psql-alpha.alpha");
    std::fs::write(&file, format!("{image} Cluster in healthy state")).unwrap();
    world.run("e2e psql alpha -- 'SELECT 1'").success();
    world.calls.never("chainsaw ");
    std::fs::write(&file, "another/image:1 Cluster in healthy state").unwrap();
    world.run("e2e psql alpha -- 'SELECT 1'").success();
    world.calls.in_order(&["kubectl delete namespace --selector io.cloudnativepg.xtask.environment=psql,kubernetes.io/metadata.name=xtask-psql-alpha", "chainsaw test"]);
}

#[test]
fn a_statement_that_fails_is_the_end() {
    let world = World::e2e_up(&["alpha"]);
    world
        .tools
        .fails("kubectl * exec", 3, "ERROR:  syntax error\n");
    world
        .run("e2e psql alpha -- SELEC")
        .status(3)
        .says("ERROR:  syntax error");
}

#[test]
fn it_can_be_removed_again() {
    let world = World::e2e_up(&["alpha"]);
    world.run("e2e psql alpha -- 'SELECT 1'").success();
    world
        .run("e2e psql alpha --delete")
        .success()
        .says("the database of `alpha` is removed");
    assert_eq!(world.clusters.namespaces(CLUSTER), Vec::<String>::new());
}

#[test]
fn without_values_the_way_to_them_is_said() {
    let world = World::e2e_up(&[]);
    world
        .run("e2e psql alpha -- 'SELECT 1'")
        .status(2)
        .says("there are no values for `alpha`")
        .says("generate-values alpha");
}

#[test]
fn told_to_end_at_a_terminal_it_ends_what_reads_the_terminal() {
    let world = World::e2e_up(&["alpha"]);
    world.tools.rule("* exec --stdin", "trap '' EXIT; echo $$ > \"$here/hanging\"; sleep 20 > /dev/null 2>&1; : > \"$here/outlived\"");
    let pair = openpty(None, None).unwrap();
    let mut command = world.command("e2e psql alpha");
    let child = world.started_by(command.stdin(pair.slave));
    end_by("-TERM", child).status(143);
    assert!(!world.state("outlived").exists());
}
