// SPDX-License-Identifier: Apache-2.0
//! Every command with results says the same in each of its forms: the table, `--json`, `--format json`, the step
//! summary, and the exit code.

use std::{fs, path::Path};

use serde_json::Value;

use crate::cli::world::{Ended, World, metadata};

/// A command, the column of its table that says how each row has ended, the place of that word in its JSON, and
/// what is expected.
struct Case {
    args: &'static [&'static str],
    column: &'static str,
    rows: &'static str,
    key: &'static str,
    words: &'static [&'static str],
    status: i32,
}

const fn results(
    args: &'static [&'static str],
    words: &'static [&'static str],
    status: i32,
) -> Case {
    Case {
        args,
        column: "RESULT",
        rows: "",
        key: "result",
        words,
        status,
    }
}

const fn states(
    rows: &'static str,
    args: &'static [&'static str],
    words: &'static [&'static str],
) -> Case {
    Case {
        args,
        column: "STATE",
        rows,
        key: "state",
        words,
        status: 0,
    }
}

const CASES: &[Case] = &[
    results(
        &["bake", "--all", "--keep-going", "--distro", "trixie"],
        &["failed", "passed", "passed"],
        1,
    ),
    // One after the other, nothing begins once one has failed.
    results(
        &[
            "bake", "alpha", "beta", "gamma", "--jobs", "1", "--distro", "trixie",
        ],
        &["failed", "not run", "not run"],
        1,
    ),
    results(&["bake", "gamma", "--distro", "trixie"], &["passed"], 0),
    // What is not built is not tried.
    results(
        &["smoke", "--all", "--keep-going", "--distro", "trixie"],
        &["not run", "not run", "passed"],
        1,
    ),
    results(
        &["e2e", "test", "--all"],
        &["failed", "passed", "passed"],
        1,
    ),
    // Gamma is also built for another PostgreSQL.
    results(
        &[
            "e2e",
            "test-full",
            "--all",
            "--keep-going",
            "--distro",
            "trixie",
        ],
        &["not run", "not run", "passed", "passed"],
        1,
    ),
    results(
        &["e2e", "test-full", "gamma", "--distro", "trixie"],
        &["passed", "passed"],
        0,
    ),
    states(
        "/parts",
        &["e2e", "status"],
        &["available", "ready", "running", "running", "there", "there"],
    ),
    states(
        "",
        &["prereqs", "--for", "bake"],
        &["ok", "ok", "ok", "ok", "ok", "ok"],
    ),
    results(
        &["ci", "--lane", "fmt,docs,unit"],
        &["failed", "passed", "passed"],
        1,
    ),
];

/// A repository in which `alpha` cannot be built and so `beta` not tested; `gamma` works.
fn with_a_cluster() -> World {
    let world = World::e2e_with_images();
    world.set_up();
    for name in ["alpha", "beta", "gamma"] {
        world.put_values(name);
    }
    world.docker.bake_fails("alpha", "ERROR: no\n");
    world.chainsaw.fails("shared-suite-of-beta", "it broke\n");
    world
}

/// The same without a cluster. As far as `ci` looks, it is xtask's own, and one lane fails.
fn without_one() -> World {
    let world = World::new();
    world.docker.bake_fails("alpha", "ERROR: no\n");
    world.write("xtask/Cargo.toml", "");
    let lines = "#!/bin/sh\ncase \"$*\" in *--lib*) echo broken; exit 1 ;; esac\n";
    world.tools.program("cargo", lines);
    world
}

#[test]
fn all_forms_of_a_commands_results_agree() {
    for case in CASES {
        let name = case.args.join(" ");
        let wanted = case.words;
        // Each form is of a run of its own, in a world of its own: what is built stays built.
        let summary = tempfile::NamedTempFile::new().unwrap();
        let told = run(case, &[], Some(summary.path()));
        assert_eq!(column(&told.stdout, case.column), wanted, "{name}, table");
        let text = fs::read_to_string(summary.path()).unwrap();
        assert_eq!(markdown(&text, case.column), wanted, "{name}, summary");

        let json = run(case, &["--json"], None).json();
        assert_eq!(words(&json, case), wanted, "{name}, JSON");

        let lines = run(case, &["--format", "json"], None);
        let events: Vec<Value> = lines
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let of = |kind: &'static str| events.iter().filter(move |event| event["event"] == kind);
        let results: Vec<&Value> = of("result").collect();
        assert_eq!(results.len(), 1, "{name}");
        assert_eq!(words(&results[0]["result"], case), wanted, "{name}, events");
        let codes: Vec<&Value> = of("failure").map(|event| &event["exit_code"]).collect();
        if case.status == 0 {
            assert!(codes.is_empty(), "{name}: {codes:?}");
        } else {
            assert_eq!(codes, [case.status], "{name}");
        }
        let bad = wanted
            .iter()
            .any(|word| ["failed", "missing", "not run"].contains(word));
        assert_eq!(bad, case.status != 0, "{name}: words and exit code");
    }
}

#[track_caller]
fn run(case: &Case, more: &[&str], summary: Option<&Path>) -> Ended {
    let args = [case.args, more].concat();
    let mut environment = Vec::new();
    if let Some(path) = summary {
        environment = vec![
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_STEP_SUMMARY", path.to_str().unwrap()),
        ];
    }
    let world = if case.args[0] == "e2e" {
        with_a_cluster()
    } else {
        without_one()
    };
    world.run_with(&args, &environment).status(case.status)
}

fn words(rows: &Value, case: &Case) -> Vec<String> {
    let rows = rows.pointer(case.rows).unwrap().as_array().unwrap();
    let word = |row: &Value| row[case.key].as_str().unwrap().to_owned();
    sorted(rows.iter().map(word))
}

/// The cells of a column of a table as text. Columns begin where their headings do.
fn column(text: &str, heading: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| !line.contains(heading));
    let headings = lines.next().unwrap_or_else(|| panic!("no table: {text}"));
    let start = headings.find(heading).unwrap();
    let cell = |line: &str| -> String {
        let from: String = line.chars().skip(start).collect();
        from.split("  ")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    sorted(lines.take_while(|line| line.contains("  ")).map(cell))
}

fn markdown(text: &str, heading: &str) -> Vec<String> {
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim().trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = text.lines().filter(|line| line.starts_with('|'));
    let headings = cells(lines.next().unwrap());
    let at = headings.iter().position(|text| text == heading).unwrap();
    sorted(lines.skip(1).map(|line| cells(line)[at].clone()))
}

fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.collect();
    words.sort();
    words
}

/// `checks` counts findings instead of naming how each file has ended.
#[test]
fn the_findings_of_checks_agree_with_its_exit_code() {
    for (licenses, status) in [("[\"MIT\"]", 0), ("7", 2)] {
        let world = World::e2e();
        world.extension("delta", &metadata("delta", &[("licenses", licenses)]));
        let args = ["checks", "delta", "--no-bake"];
        let errors = |findings: &Value| -> usize {
            let all = findings.as_array().unwrap().iter();
            all.filter(|finding| finding["severity"] == "error").count()
        };
        let told = world.run(args).status(status);
        let shown = told.stderr.matches(": error: ").count();
        let json = world.run((&args, "--json"));
        let json = json.status(status).json();
        assert_eq!(errors(&json) > 0, status != 0, "{json:#}");
        assert_eq!(shown, errors(&json), "{told:#?}");
        let lines = world.run((&args, "--format json"));
        let lines = lines.status(status);
        let events = lines.stdout.lines();
        let events: Vec<Value> = events
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let result = events.iter().find(|event| event["event"] == "result");
        assert_eq!(result.unwrap()["result"], json);
    }
}
