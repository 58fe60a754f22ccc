// SPDX-License-Identifier: Apache-2.0
//! `ci bench`: what is run, in which order, and what is said of it.

use crate::cli::world::World;

const MEASURE: &str = "hyperfine --shell none --show-output";

/// The project's own repository, as far as `ci` looks at it.
fn world() -> World {
    let world = World::new();
    world.write("xtask/Cargo.toml", "");
    world.tools.real("sh");
    world.tools.fake("cargo", "");
    world
        .tools
        .fake("hyperfine", include_str!("world/fakes/hyperfine.sh"));
    world
}

#[test]
fn both_ways_are_run_in_turn_and_their_medians_compared() {
    let world = world();
    let ended = world.run("ci bench start --rounds 2 --json").success();
    let said = ended.json();
    assert!(said["machine"]["processors"].as_u64() > Some(0), "{said}");
    let row = &said["rows"][0];
    assert_eq!(row["name"], "start");
    assert_eq!(row["reference"]["seconds"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&row["ratio"], &row["is_met"]),
        (&0.5.into(), &false.into())
    );
    let rounds = world.calls.of(MEASURE);
    let first = |round: &crate::cli::world::call::Call| {
        let line = round.line();
        line.find("reference.sh") < line.find("ours.sh")
    };
    assert_eq!(rounds.iter().map(first).collect::<Vec<_>>(), [true, false]);
    let table = world.run("ci bench start --rounds 1 --markdown").success();
    let table = table.says("measured on ").stdout;
    assert!(table.contains("| start | xtask --version |"), "{table}");
}

#[test]
fn without_names_what_takes_a_cluster_or_long_is_left_out() {
    let world = world();
    let plan = world.run("ci bench --dry-run").success();
    let plan = plan.says("`plan` is not measured: its reference needs `task`");
    for (row, is_there) in [("start", true), ("bake", true), ("e2e", false)] {
        let folder = format!("target/xtask/bench/{row}/ours.sh");
        assert_eq!(plan.stdout.contains(&folder), is_there, "{row}");
    }
    world.calls.never("hyperfine");
}

#[test]
fn a_way_that_fails_is_no_measurement() {
    let world = world();
    world.tools.fails(
        MEASURE,
        1,
        "Error: Command terminated with non-zero exit code: 3\n",
    );
    let ended = world.run("ci bench start --rounds 2 --json").status(1);
    let ended = ended.says("failed to measure `start`");
    let row = &ended.json()["rows"][0];
    assert!(row["ratio"].is_null() && row["is_met"].is_null(), "{row}");
}

#[test]
fn what_is_missing_or_unknown_is_said_before_anything_is_run() {
    let world = world();
    world
        .run("ci bench starts")
        .status(2)
        .says("`starts` is no row of the table: start, plan, ");
    world.tools.without("hyperfine");
    world
        .run("ci bench start")
        .status(3)
        .says("hint: install hyperfine 1.13 or newer, a package of Debian and Ubuntu");
    world.calls.never("cargo");
}
