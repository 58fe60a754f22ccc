// SPDX-License-Identifier: Apache-2.0
//! Several extensions in one call of bake: each has its own row, log and end, whatever becomes of the others.

use std::fs;

use serde_json::Value;

use crate::cli::world::{BUILD, Call, World, end_by, wait_for};

/// What a run has noted of a step.
fn step(record: &Value, name: &str) -> Value {
    let steps = record["steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["name"] == name);
    found
        .unwrap_or_else(|| panic!("{name}: {record:#}"))
        .clone()
}

/// The record of the only run.
fn record(world: &World) -> Value {
    let runs = fs::read_dir(world.root().join("target/xtask/runs")).unwrap();
    let runs: Vec<_> = runs.map(|run| run.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    serde_json::from_str(&fs::read_to_string(runs[0].join("run.json")).unwrap()).unwrap()
}

fn log(world: &World, record: &Value, name: &str) -> String {
    world.read(step(record, name)["log"].as_str().unwrap())
}

/// How each row of a table of images has ended.
fn results(rows: &Value) -> Vec<String> {
    let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let row = |row: &Value| format!("{} {}", word(row, "name"), word(row, "result"));
    rows.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn what_a_failure_has_taken_along_is_built_once_more() {
    for more in [&[][..], &["--keep-going"]] {
        let world = World::new();
        world.docker.bake_fails("beta", "ERROR: no\n");
        // Each waits for the other: they are built side by side.
        let call =
            |name: &str| format!("{BUILD}.json --metadata-file target/xtask/bake/{name}.json");
        world.tools.waits(&call("alpha"), &call("gamma"));
        world.tools.waits(&call("gamma"), &call("alpha"));
        let args = ["bake", "--all", "--distro", "trixie", "--json"];
        let args = [&args, more].concat();
        let ended = world
            .run((&args, "--metadata-file all.json"))
            .status(1)
            .says("✓ bake alpha")
            .says("✗ bake beta")
            .says("✓ bake gamma")
            .says("failed to bake `beta` (pg 18, trixie)")
            .says("--metadata-file target/xtask/bake/beta.json ")
            .says("first error: ERROR: no")
            .says("bake failed: 1 step");
        let rows = ended.json();
        let wanted = ["alpha passed", "beta failed", "gamma passed"];
        assert_eq!(results(&rows), wanted, "{more:?}");
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (at, known) in [(0, true), (1, false), (2, true)] {
            assert_eq!(rows[at]["digest"] == digest, known, "{rows:#}");
        }
        let calls = world.calls.of(BUILD);
        let mut built: Vec<String> = calls
            .iter()
            .map(|call| call.extensions().join("+"))
            .collect();
        built[1..].sort();
        assert_eq!(built, ["alpha+beta+gamma", "alpha", "gamma"]);
        // Not all was built, so there is nothing to say of all.
        assert!(!world.exists("all.json"));
        let record = record(&world);
        for (name, again) in [("alpha", true), ("beta", false), ("gamma", true)] {
            let log = log(&world, &record, &format!("bake {name}"));
            assert_eq!(log.contains("once more, without the one"), again, "{log}");
            assert_eq!(log.contains("#1 0.0 ERROR: no"), !again, "{log}");
            let command = step(&record, &format!("bake {name}"))["command"].clone();
            assert!(log.starts_with(&format!("$ {}\n", command.as_str().unwrap())));
        }
    }
}

#[test]
fn several_failures_are_told_each_of_its_own() {
    let world = World::new();
    world.docker.bake_fails("alpha", "ERROR: of alpha\n");
    world.docker.bake_fails("gamma", "ERROR: of gamma\n");
    let args = ["bake", "--all", "--distro", "trixie"];
    let ended = world.run((&args, "--json")).status(1);
    let wanted = ["alpha failed", "beta passed", "gamma failed"];
    assert_eq!(results(&ended.json()), wanted);
    let record = record(&world);
    for name in ["alpha", "gamma"] {
        let failed = step(&record, &format!("bake {name}"));
        assert_eq!(
            failed["failure"]["command"]["first_error"],
            format!("ERROR: of {name}")
        );
    }
}

#[test]
fn a_failure_that_names_nobody_is_that_of_all() {
    let world = World::new();
    let said =
        "ERROR: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n";
    world.tools.fails(BUILD, 1, said);
    let ended = world
        .run("bake --all --distro trixie --json")
        .status(3)
        .says("hint: start Docker");
    let wanted = ["alpha failed", "beta failed", "gamma failed"];
    assert_eq!(results(&ended.json()), wanted);
    assert_eq!(world.calls.of(BUILD).len(), 1, "nobody is asked again");
}

#[test]
fn what_is_built_before_a_failure_is_not_built_again() {
    let world = World::new();
    world.docker.bake_ends_first("gamma");
    world.docker.bake_fails("alpha", "ERROR: no\n");
    let ended = world
        .run("bake alpha gamma --distro trixie --json --keep-going")
        .status(1);
    let rows = ended.json();
    assert_eq!(results(&rows), ["alpha failed", "gamma passed"]);
    assert_eq!(rows[1]["digest"], format!("sha256:{}", "ab".repeat(32)));
    assert_eq!(world.calls.of(BUILD).len(), 1);
    assert!(!log(&world, &record(&world), "bake gamma").contains("once more"));
}

#[test]
fn an_image_is_tested_before_the_call_that_builds_it_is_over() {
    let world = World::new();
    world.docker.bake_ends_first("gamma");
    world.docker.bake_hangs("alpha");
    let args = ["smoke", "alpha", "gamma", "--distro", "trixie"];
    let child = world.started(args);
    wait_for("gamma has been tested", || {
        let tests = world.calls.of("docker run");
        tests.iter().any(|test| test.status == Some(0))
    });
    assert_eq!(world.calls.bakes(), ["start alpha+gamma"]);
    end_by("-TERM", child).status(130);
    assert_eq!(
        world.calls.bakes(),
        ["start alpha+gamma", "term alpha+gamma"]
    );
    let record = record(&world);
    for (name, outcome) in [
        ("bake gamma", "passed"),
        ("smoke gamma 18-trixie", "passed"),
        ("bake alpha", "failed"),
        ("smoke alpha 18-trixie", "not run"),
    ] {
        assert_eq!(step(&record, name)["outcome"], outcome, "{name}");
    }
    let test = world.calls.only("docker run").line();
    assert!(
        test.contains("localhost:5000/gamma-testing@sha256:abab"),
        "{test}"
    );
}

#[test]
fn a_signal_ends_all_that_one_call_builds() {
    for signal in ["-INT", "-TERM"] {
        let world = World::new();
        world.docker.bake_hangs("beta");
        let child = world.started("bake --all --keep-going");
        end_by(signal, child).status(130).says("interrupted");
        assert_eq!(
            world.calls.bakes(),
            ["start alpha+beta+gamma", "term alpha+beta+gamma"]
        );
        let record = record(&world);
        for name in ["alpha", "beta", "gamma"] {
            let cut = step(&record, &format!("bake {name}"));
            assert_eq!(cut["outcome"], "failed", "{name}");
            assert_eq!(cut["failure"]["kind"], "interrupted", "{name}");
        }
    }
}

#[test]
fn two_targets_of_one_name_are_built_in_two_calls() {
    let world = World::new();
    world
        .docker
        .prints("gamma", "gamma-1_2-18-trixie", "alpha-1_2-18-trixie");
    let args = ["bake", "alpha", "beta", "gamma", "--distro", "trixie"];
    let rows = world.run((&args, "--json")).success().json();
    let images: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["image"].as_str().unwrap())
        .collect();
    assert_eq!(
        images,
        ["alpha", "beta", "gamma"]
            .map(|name| format!("localhost:5000/{name}-testing:1.2-18-trixie"))
    );
    let calls = world.calls.of(BUILD);
    let lines: Vec<String> = calls.iter().map(Call::line).collect();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(
        lines[0].starts_with(&format!("{BUILD}.json ")),
        "{lines:#?}"
    );
    assert!(
        lines[0].ends_with(" -- alpha-1_2-18-trixie beta-1_2-18-trixie"),
        "{lines:#?}"
    );
    assert!(
        lines[1].starts_with(&format!("{BUILD}.2.json ")),
        "{lines:#?}"
    );
    assert!(lines[1].ends_with(" -- alpha-1_2-18-trixie"), "{lines:#?}");
    assert!(calls[0].ended_before(&calls[1]));
    for (file, folder) in [("targets", "alpha"), ("targets.2", "gamma")] {
        let text = world.read(&format!("target/xtask/{file}.json"));
        let built: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            built["target"]["alpha-1_2-18-trixie"]["context"],
            format!("extensions/{folder}"),
            "{file}"
        );
    }
}

#[test]
fn a_registry_that_is_down_is_a_missing_service_for_each() {
    let world = World::new();
    for name in ["alpha", "gamma"] {
        let said = format!(
            "ERROR: failed to push localhost:5000/{name}: dial tcp 127.0.0.1:5000: connect: connection refused\n"
        );
        world.docker.bake_fails(name, &said);
    }
    let ended = world.run("bake alpha gamma --push").status(3);
    let hint = "hint: nothing answers at the registry";
    assert_eq!(ended.stderr.matches(hint).count(), 2, "{}", ended.stderr);
    for name in ["alpha", "gamma"] {
        let said = format!("first error: ERROR: failed to push localhost:5000/{name}: ");
        assert_eq!(ended.stderr.matches(&said).count(), 1, "{}", ended.stderr);
    }
}
