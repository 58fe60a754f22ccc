// SPDX-License-Identifier: Apache-2.0
//! `run.json`: what each run leaves for programs, however it ends.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use serde_json::Value;

use crate::cli::world::{BUILD, World, end_by, wait_for};

/// The record of the only run.
#[track_caller]
fn record(world: &World) -> Value {
    let runs = fs::read_dir(world.root().join("target/xtask/runs")).unwrap();
    let runs: Vec<_> = runs.map(|run| run.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let text = fs::read_to_string(runs[0].join("run.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn step<'a>(record: &'a Value, name: &str) -> &'a Value {
    let steps = record["steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["name"] == name);
    found.unwrap_or_else(|| panic!("no step `{name}` in {steps:#?}"))
}

#[test]
fn a_run_says_what_it_did_in_which_order_and_when() {
    let world = World::new();
    let args = ["smoke", "beta", "--distro", "trixie"];
    world.run(args).success();
    let record = record(&world);
    assert_eq!(record["arguments"], serde_json::json!(args));
    assert_eq!(record["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(record["exit_code"], 0);
    assert!(record["failure"].is_null() && record["seconds"].is_number());
    let (started, ended) = (&record["started"], &record["ended"]);
    assert!(started.as_str() <= ended.as_str() && started.as_str().unwrap().ends_with('Z'));
    for (at, step) in record["steps"].as_array().unwrap().iter().enumerate() {
        assert_eq!(step["id"], at);
        assert!(
            ["passed", "unchanged", "skipped"]
                .contains(&step["outcome"].as_str().unwrap_or_default()),
            "{step}"
        );
        assert!(started.as_str() <= step["started"].as_str(), "{step}");
        assert!(step["started"].as_str() <= step["ended"].as_str(), "{step}");
    }
    let after = |name: &str| step(&record, name)["after"].as_array().unwrap().clone();
    let test = after("smoke beta 18-trixie");
    for name in ["bake alpha", "bake beta"] {
        let bake = step(&record, name);
        assert!(test.contains(&bake["id"]), "{name}: {test:?}");
        assert!(after(name).contains(&step(&record, "what is built")["id"]));
        let command = bake["command"].as_str().unwrap();
        assert!(command.contains(BUILD), "{command}");
        let log = fs::read_to_string(world.root().join(bake["log"].as_str().unwrap())).unwrap();
        assert!(log.starts_with(&format!("$ {command}\n")), "{log}");
    }
}

#[test]
fn a_failure_is_there_in_its_parts_with_what_was_not_run() {
    let world = World::new();
    world.docker.bake_fails("alpha", "ERROR: no\n");
    world.run("bake alpha beta --jobs 1").status(1);
    let record = record(&world);
    assert_eq!(record["exit_code"], 1);
    assert_eq!(record["failure"]["kind"], "failed");
    let failed = step(&record, "bake alpha");
    assert_eq!(failed["outcome"], "failed");
    assert_eq!(failed["failure"]["command"]["status"], 17);
    assert_eq!(failed["failure"]["command"]["first_error"], "ERROR: no");
    assert_eq!(failed["failure"]["command"]["log"], failed["log"]);
    let left = step(&record, "bake beta");
    assert_eq!(left["outcome"], "not run");
    assert!(left["started"].is_null() && left["log"].is_null() && left["seconds"].is_null());
}

#[test]
fn an_interruption_is_the_end_of_a_run_too() {
    let world = World::new();
    world.docker.bake_hangs("alpha");
    let child = world.started("bake alpha gamma --jobs 1");
    // Who looks meanwhile, or after a kill, sees that it has not ended.
    let meanwhile = record(&world);
    assert!(meanwhile["ended"].is_null() && meanwhile["exit_code"].is_null());
    assert!(step(&meanwhile, "bake alpha")["outcome"].is_null());
    end_by("-INT", child).status(130);
    let record = record(&world);
    assert_eq!(record["exit_code"], 130);
    assert_eq!(record["failure"]["kind"], "interrupted");
    assert!(record["ended"].is_string());
    let cut = step(&record, "bake alpha");
    assert_eq!(cut["outcome"], "failed");
    assert_eq!(cut["failure"]["kind"], "interrupted");
    assert_eq!(step(&record, "bake gamma")["outcome"], "not run");
}

#[test]
fn what_had_ended_before_a_kill_is_known() {
    let world = World::new();
    world.docker.bake_hangs("gamma");
    let child = world.started("bake alpha gamma --jobs 1");
    // The next step does not wait until the last one's end is written.
    wait_for("the end of alpha's bake", || {
        step(&record(&world), "bake alpha")["outcome"] == "passed"
    });
    end_by("-KILL", child);
    // Nobody else ends what a killed run has started.
    let left = fs::read_to_string(world.state("hanging")).unwrap();
    let group = format!("-{}", left.trim());
    let ended = Command::new("kill").args(["-KILL", "--", &group]).status();
    assert!(ended.unwrap().success());
    let record = record(&world);
    assert_eq!(step(&record, "bake alpha")["outcome"], "passed");
    assert!(step(&record, "bake alpha")["log"].is_string());
    assert!(step(&record, "bake gamma")["outcome"].is_null());
    assert!(record["ended"].is_null());
}

#[test]
fn what_is_for_another_program_is_not_kept_and_nobody_else_reads_the_rest() {
    let world = World::e2e_up(&["alpha"]);
    world
        .run(["e2e", "test", "alpha", "--", "--token", "s3cret"])
        .success();
    let runs = fs::read_dir(world.root().join("target/xtask/runs")).unwrap();
    let mut seen = 0;
    for run in runs.map(|run| run.unwrap().path()) {
        for name in ["run.json", "junit.xml"] {
            let Ok(file) = fs::metadata(run.join(name)) else {
                continue;
            };
            assert_eq!(file.permissions().mode() & 0o077, 0, "{name}");
            seen += 1;
        }
        let text = fs::read_to_string(run.join("run.json")).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        assert!(
            !record["arguments"].to_string().contains("s3cret"),
            "{text}"
        );
    }
    assert!(seen >= 2, "{seen} files");
}

#[test]
fn a_login_in_an_argument_is_not_kept() {
    let world = World::new();
    let file = "--metadata-file=user:s3cret@host";
    world.run(["bake", "gamma", file]);
    let record = record(&world);
    let arguments = record["arguments"].to_string();
    assert!(arguments.contains("<redacted>@host"), "{arguments}");
    assert!(!record.to_string().contains("s3cret"), "{record:#}");
}

#[test]
fn who_only_asks_leaves_no_record() {
    let world = World::new();
    world.run("targets").success();
    world.run("bake gamma --dry-run").success();
    assert!(!world.exists("target/xtask/runs"));
}

#[test]
fn what_a_run_was_to_prove_is_there_for_ci_systems() {
    let world = World::new();
    world.docker.bake_fails("gamma", "ERROR: no\n");
    let args = [
        "smoke",
        "alpha",
        "gamma",
        "--distro",
        "trixie",
        "--keep-going",
    ];
    world.run(args).status(1);
    let runs = fs::read_dir(world.root().join("target/xtask/runs")).unwrap();
    let run = runs.map(|run| run.unwrap().path()).next().unwrap();
    let text = fs::read_to_string(run.join("junit.xml")).unwrap();
    for part in [
        " tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"0\">",
        "<testcase classname=\"smoke\" name=\"smoke alpha 18-trixie\" ",
        "<system-out>log: target/xtask/runs/",
        "<error message=\"not run\"/>",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // The same rows as on the screen.
    let record = record(&world);
    let results: Vec<&Value> = record["result"].as_array().unwrap().iter().collect();
    let of = |at: usize| results[at]["result"].as_str().unwrap();
    assert_eq!([of(0), of(1)], ["passed", "not run"]);
}

#[test]
fn what_a_machine_cannot_prove_is_there_with_the_reason() {
    for (lanes, status, result, parts) in [
        (
            "--without clippy,unit,cli,docs,supply,workflows,report,engine,kill",
            0,
            "not run",
            [
                " tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"1\">",
                "<testcase classname=\"lane\" name=\"lane fmt\" ",
                "<skipped message=\"`kind` is not installed",
            ],
        ),
        (
            "--lane e2e",
            1,
            "failed",
            [
                " tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">",
                "<testcase classname=\"lane\" name=\"lane e2e\" ",
                "<failure message=\"`kind` is not installed",
            ],
        ),
    ] {
        let world = World::new();
        world.write("xtask/Cargo.toml", "");
        world.tools.program("cargo", "#!/bin/sh\n");
        world.run(("ci", lanes)).status(status);
        let runs = fs::read_dir(world.root().join("target/xtask/runs")).unwrap();
        let run = runs.map(|run| run.unwrap().path()).next().unwrap();
        let text = fs::read_to_string(run.join("junit.xml")).unwrap();
        for part in parts {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let record = record(&world);
        let lane = step(&record, "lane e2e");
        assert_eq!(lane["outcome"], result);
        assert!(lane["started"].is_null() && lane["log"].is_null(), "{lane}");
        let said = record["result"].as_array().unwrap().last().unwrap();
        assert_eq!(said["result"], result, "the same as in the table");
    }
}

#[test]
fn who_proves_nothing_has_no_proofs() {
    let world = World::new();
    world.run("bake gamma").success();
    let runs = fs::read_dir(world.root().join("target/xtask/runs")).unwrap();
    let run = runs.map(|run| run.unwrap().path()).next().unwrap();
    assert!(run.join("run.json").exists() && !run.join("junit.xml").exists());
}
