// SPDX-License-Identifier: Apache-2.0
//! What `e2e test` gives: JSON, the run that only repeats what failed, and how much runs at once.

use crate::cli::world::{CLUSTER, Ended, World, end_by, metadata};

#[test]
fn json_is_all_that_standard_output_holds() {
    let world = World::e2e_up(&["alpha", "gamma"]);
    world.chainsaw.fails("shared-suite-of-gamma", "it broke\n");
    let results = world.run("e2e test --json alpha gamma").status(1).json();
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
    let last = world.read("target/xtask/e2e/last-tests");
    let record = world.read(&format!("target/xtask/runs/{last}/run.json"));
    let kept: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(kept["result"], results);
}

#[test]
fn with_events_every_line_is_one_and_the_result_is_among_them() {
    let world = World::e2e_up(&["gamma"]);
    let ended = world.run("e2e test gamma --format json").success();
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
    let world = World::e2e_up(&["alpha", "beta", "gamma"]);
    world.chainsaw.fails("shared-suite-of-gamma", "it broke\n");
    world.chainsaw.fails("own-suite-of-alpha", "it broke\n");
    world.run("e2e test --all").status(1);
    world.calls.forget();
    world.chainsaw.passes("own-suite-of-alpha");
    let again = world.run("e2e test --rerun-failed");
    let mut values: Vec<String> = world
        .calls
        .of("chainsaw test test ")
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
    let namespaces: Vec<String> = world
        .calls
        .of("chainsaw ")
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
    world.calls.forget();
    world.chainsaw.passes("shared-suite-of-gamma");
    world
        .run("e2e test --rerun-failed")
        .success()
        .says("1 of 1 passed");
    assert_eq!(world.calls.of("chainsaw ").len(), 1);
    world
        .run("e2e test --rerun-failed")
        .success()
        .says("nothing failed the last time");
}

#[test]
fn what_was_never_tried_is_not_tried_again_and_the_rest_is() {
    let world = World::e2e_with_images();
    let refused = metadata("alpha", &[("env", "{ \"PGDATA\" = \"/x\" }")]);
    world.extension("alpha", &refused);
    world.extension("delta", "metadata = {\n");
    world.chainsaw.fails("shared-suite-of-gamma", "it broke\n");
    let ended = world
        .run("e2e test-full --all --distro trixie --pg 18")
        .status(1);
    for row in ["not run", "not read", "failed"] {
        assert!(ended.stdout.contains(row), "{}", ended.stdout);
    }
    world.chainsaw.passes("shared-suite-of-gamma");
    world
        .run("e2e test --rerun-failed")
        .success()
        .says("1 of 1 passed");
    world
        .run("e2e test --rerun-failed")
        .success()
        .says("nothing failed the last time");
}

#[test]
fn what_failed_is_known_however_long_the_lines_were() {
    let world = World::e2e_up(&["gamma"]);
    let line = "x".repeat(900_000);
    let lines = format!("{line}\n").repeat(8);
    world.chainsaw.fails("shared-suite-of-gamma", &lines);
    world.run("e2e test gamma").status(1);
    world.chainsaw.passes("shared-suite-of-gamma");
    world
        .run("e2e test --rerun-failed")
        .success()
        .says("1 of 1 passed");
}

#[test]
fn a_name_that_leads_elsewhere_is_no_earlier_run() {
    let world = World::e2e_up(&["alpha"]);
    world.write("target/xtask/run.json", "{ half");
    for name in ["..", "../..", "0000000001-0123456789abcdef/..", "x"] {
        world.write("target/xtask/e2e/last-tests", name);
        world
            .run("e2e test --rerun-failed")
            .status(2)
            .says("there are no results of an earlier run");
    }
}

#[test]
fn what_somebody_has_written_into_the_results_is_refused_and_nothing_is_run() {
    let world = World::e2e_up(&["gamma"]);
    world.chainsaw.fails("shared-suite-of-gamma", "it broke\n");
    world.run("e2e test gamma").status(1);
    let last = world.read("target/xtask/e2e/last-tests");
    let path = format!("target/xtask/runs/{last}/run.json");
    let record = world.read(&path);
    let values = "\"values\": \"extensions/gamma/values.yaml\"";
    let name = "\"extension\": \"gamma\"";
    assert!(record.contains(values) && record.contains(name), "{record}");
    world.write("elsewhere/values.yaml", "extensions: []\n");
    let elsewhere = world.root().join("elsewhere/values.yaml");
    let outside = world.root().join("extensions/outside");
    std::os::unix::fs::symlink("/etc", outside).unwrap();
    for (what, with, said) in [
        (
            values,
            format!("\"values\": \"{}\"", elsewhere.display()),
            "without `..`",
        ),
        (
            values,
            "\"values\": \"extensions/../../x/values.yaml\"".into(),
            "without `..`",
        ),
        (values, "\"values\": \"--config=x\"".into(), "without `..`"),
        (
            values,
            "\"values\": \"a\\u001b[31m\"".into(),
            "without `..`",
        ),
        (values, "\"values\": 7".into(), "run.json"),
        (
            values,
            "\"values\": \"extensions/outside/hosts\"".into(),
            "leads out of",
        ),
        (
            name,
            "\"extension\": \"../gamma\"".into(),
            "the name of an extension",
        ),
        (
            name,
            "\"extension\": \"--all\"".into(),
            "the name of an extension",
        ),
        (
            name,
            "\"extension\": \"gama\"".into(),
            "did you mean `gamma`?",
        ),
    ] {
        world.write(&path, &record.replacen(what, &with, 1));
        world.calls.forget();
        let ended = world.run("e2e test --rerun-failed").status(2);
        let ended = ended.says(said).says("hint: ");
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
        world.calls.never("chainsaw");
    }
    // A run whose results were too many, or that another program has written.
    world.write(&path, "{\"result\": null}");
    world
        .run("e2e test --rerun-failed")
        .status(2)
        .says("hint: ");
}

#[test]
fn values_whose_path_is_no_text_are_refused_before_anything_runs() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let world = World::e2e_up(&["gamma"]);
    let path = world.root().join(OsStr::from_bytes(b"\xff.yaml"));
    std::fs::write(&path, world.read("extensions/gamma/values.yaml")).unwrap();
    let mut command = world.command("e2e test gamma --values");
    let ended = Ended::from(&command.arg(&path).output().unwrap());
    ended.status(2).says("is not UTF-8");
    world.calls.never("chainsaw");
}

#[test]
fn what_failed_is_known_after_any_number_of_other_runs() {
    let world = World::e2e_up(&["alpha", "gamma"]);
    world.chainsaw.fails("shared-suite-of-gamma", "it broke\n");
    world.run("e2e test alpha gamma").status(1);
    for _ in 0..22 {
        world.run("bake alpha").success();
    }
    world.chainsaw.passes("shared-suite-of-gamma");
    world
        .run("e2e test --rerun-failed")
        .success()
        .says("1 of 1 passed");
}

#[test]
fn without_an_earlier_run_there_is_nothing_to_repeat() {
    let world = World::e2e_up(&["alpha"]);
    world
        .run("e2e test --rerun-failed")
        .status(2)
        .says("there are no results of an earlier run")
        .says("hint: ");
    world.run("e2e test --rerun-failed alpha").status(2);
    world.write("target/xtask/e2e/last-tests", "0000000001-0123456789abcdef");
    world.write(
        "target/xtask/runs/0000000001-0123456789abcdef/run.json",
        "{ half",
    );
    world
        .run("e2e test --rerun-failed")
        .status(2)
        .says("run.json")
        .says("hint: ");
}

#[test]
fn no_more_run_at_once_than_was_said() {
    let names = ["alpha", "beta", "gamma"];
    let world = World::e2e_up(&names);
    world.chainsaw.takes("0.05");
    world.run("e2e test --all --jobs 1").success();
    assert_eq!(world.chainsaw.at_once(), [1, 1, 1, 1]);
    let world = World::e2e_up(&names);
    world.chainsaw.takes("0.05");
    world
        .run_with("e2e test --all", &[("XTASK_E2E_SUITES", "2")])
        .success();
    assert!(world.chainsaw.at_once().iter().all(|count| *count <= 2));
    // And so many do run at once.
    let world = World::e2e_up(&names);
    let of = |name: &str| format!("chainsaw test test --values extensions/{name}/");
    world.tools.waits(&of("beta"), &of("gamma"));
    world.tools.waits(&of("gamma"), &of("alpha"));
    world.tools.waits(&of("alpha"), &of("beta"));
    world.run("e2e test --all --jobs 3").success();
}

#[test]
fn several_are_tested_each_once_however_they_are_named() {
    let world = World::e2e_up(&["alpha", "gamma"]);
    world
        .run("e2e test gamma/ alpha --target gamma")
        .success()
        .says("2 of 2 passed");
    assert_eq!(world.calls.of("chainsaw test test ").len(), 2);
    world.run("e2e test").status(2).says("which extension?");
    world
        .run("e2e test alpa")
        .status(2)
        .says("did you mean `alpha`?");
}

#[test]
fn a_dry_run_prints_what_it_would_do_and_does_nothing() {
    let world = World::e2e_up(&["alpha"]);
    let ended = world.run("e2e test alpha --dry-run").success();
    for part in [
        "chainsaw test test ",
        "chainsaw test extensions/alpha/test ",
        "--values extensions/alpha/values.yaml",
        "delete namespace --selector io.cloudnativepg.xtask.run=",
    ] {
        assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
    assert!(world.calls.names().is_empty(), "{:#?}", world.calls.names());
}

#[test]
fn a_dry_run_of_a_suite_can_be_pasted() {
    let world = World::e2e_up(&["gamma"]);
    let dry = world.run("e2e test gamma --dry-run").success().stdout;
    world.shell(&dry, &["mkdir", "cat", "rm"]).success();
    assert_eq!(world.calls.of("chainsaw test test ").len(), 1);
    assert_eq!(world.clusters.namespaces(CLUSTER), Vec::<String>::new());
}

#[test]
fn interrupted_it_takes_its_namespace_away() {
    let world = World::e2e_up(&["gamma"]);
    world.tools.rule(
        "chainsaw",
        "echo $$ > \"$here/hanging\"; trap '' EXIT; sleep 20; exit 1",
    );
    end_by("-INT", world.started("e2e test gamma"))
        .status(130)
        .says("interrupted");
    assert_eq!(world.clusters.namespaces(CLUSTER), Vec::<String>::new());
    assert!(world.clusters.of_kind(CLUSTER, "objects").exists());
}

#[test]
fn results_are_annotated_on_github() {
    let world = World::e2e_up(&["gamma"]);
    world.chainsaw.fails("shared-suite-of-gamma", "it broke\n");
    let summary = world.root().join("summary.md");
    let env = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    world
        .run_with("e2e test gamma", &env)
        .status(1)
        .says("::error title=shared suite of gamma::");
    assert!(world.read("summary.md").contains("| failed | gamma |"));
}
