// SPDX-License-Identifier: Apache-2.0
//! The forms of output other than text for people: JSON lines, GitHub's commands, and readers that leave.

use std::{fs, process::Stdio};

use serde_json::Value;

use crate::cli::world::{Ended, World, metadata};

/// Each line of standard output as a JSON object with its event's name.
#[track_caller]
fn events(ended: &Ended) -> Vec<(String, Value)> {
    assert_eq!(ended.stderr, "", "all goes to standard output");
    ended
        .stdout
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error}: {line}\n{}", ended.stdout));
            let event = value["event"].as_str();
            let name = event
                .unwrap_or_else(|| panic!("no event: {line}"))
                .to_owned();
            (name, value)
        })
        .collect()
}

#[test]
fn every_line_is_an_event_whatever_the_command_and_its_end() {
    let world = World::new();
    world.docker.bake_fails("gamma", "ERROR: no\n");
    let broken = World::new();
    broken.extension(
        "delta",
        &metadata("delta", &[("auto_update_os_libs", "\"yes\"")]),
    );
    let ended = broken.run("checks delta --no-bake --format json").status(2);
    let names: Vec<String> = events(&ended).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["finding", "result", "failure"]);
    for (args, status, last) in [
        (&["bake", "alpha"][..], 0, "result"),
        (&["bake", "gamma"], 1, "failure"),
        (&["bake", "alpa"], 2, "failure"),
        (&["bake:al"], 2, "failure"),
        (&["bake", "--nope"], 2, "failure"),
        (&["bake", "alpha", "--jobs", "many\u{1b}[1m"], 2, "failure"),
        (&["smoke", "alpha", "--no-bake"], 0, "result"),
        (&["targets"], 0, "result"),
        (&["targets", "--images"], 0, "result"),
        (&["prereqs"], 0, "result"),
        (&["config"], 0, "result"),
    ] {
        let ended = world.run((args, "--format json")).status(status);
        let events = events(&ended);
        assert_eq!(events.last().unwrap().0, last, "{args:?}: {}", ended.stdout);
        if last == "failure" {
            let (_, end) = events.last().unwrap();
            assert_eq!(end["exit_code"], status, "{args:?}");
            let message = end["failure"]["message"].as_str().unwrap();
            assert_eq!(end["text"].as_str().unwrap().lines().next(), Some(message));
            let kind = if status == 2 { "invalid" } else { "failed" };
            assert_eq!(end["failure"]["kind"], kind, "{args:?}");
        }
    }
}

#[test]
fn data_is_an_event_too_when_every_line_is_one() {
    let world = World::new();
    for args in [
        &["targets", "--json"][..],
        &["bake", "alpha", "--dry-run"],
        &["smoke", "alpha", "--dry-run"],
    ] {
        let ended = world.run((args, "--format json")).success();
        assert!(!events(&ended).is_empty(), "{args:?}");
    }
}

#[test]
fn a_step_has_its_start_its_output_and_its_end() {
    let world = World::new();
    world.docker.bake_fails("gamma", "ERROR: no\n");
    let ended = world.run("bake gamma --format=json").status(1);
    let about: Vec<(String, Value)> = events(&ended)
        .into_iter()
        .filter(|(_, event)| event["step"] == "bake gamma")
        .collect();
    let names: Vec<&str> = about.iter().map(|(name, _)| name.as_str()).collect();
    let output = ["output"; 5];
    assert_eq!(names, [&["started"], &output[..], &["finished"]].concat());
    let lines: Vec<&str> = about
        .iter()
        .filter_map(|(_, event)| event["line"].as_str())
        .collect();
    for (number, distro) in [(1, "bookworm"), (2, "trixie")] {
        assert_eq!(
            lines[number - 1],
            format!("#{number} [gamma-1_2-18-{distro}] [internal] load build definition")
        );
    }
    assert_eq!(lines[2], "#1 0.0 ERROR: no");
    assert!(lines[3].starts_with("#1 ERROR: process "), "{lines:?}");
    // What bake says of itself, too.
    assert!(lines[4].starts_with("ERROR: target gamma-"), "{lines:?}");
    let end = &about.last().unwrap().1;
    assert_eq!(end["outcome"], "failed");
    let well = events(&world.run("bake alpha --format=json").success());
    let mut ends = well.iter().filter(|(name, _)| name == "finished");
    let baked = ends.find(|(_, end)| end["step"] == "bake alpha");
    assert_eq!(baked.unwrap().1["outcome"], "passed");
    assert!(end["seconds"].is_number());
    let text = end["text"].as_str().unwrap();
    assert!(text.starts_with("failed to bake `gamma`"), "{text}");
}

#[test]
fn a_failure_is_there_in_its_parts_and_as_a_text() {
    let world = World::new();
    let said = "ERROR: failed to push x: dial tcp 127.0.0.1:5000: connect: connection refused";
    world.docker.bake_fails("gamma", &format!("{said}\n"));
    let ended = world.run("bake gamma --format=json").status(3);
    let events = events(&ended);
    let (_, end) = events
        .iter()
        .find(|(name, event)| name == "finished" && event["step"] == "bake gamma")
        .unwrap();
    let failure = &end["failure"];
    assert_eq!(failure["kind"], "unavailable");
    assert_eq!(
        failure["message"],
        "failed to bake `gamma` (pg 18, bookworm; pg 18, trixie)"
    );
    assert!(failure["cause"].is_null());
    let hint = failure["hint"].as_str().unwrap();
    assert!(
        hint.starts_with("nothing answers at the registry"),
        "{hint}"
    );
    let command = &failure["command"];
    let purpose = command["purpose"].as_str().unwrap();
    assert_eq!(failure["message"], format!("failed to {purpose}"));
    assert_eq!(command["reason"], "status");
    assert_eq!(command["status"], 17);
    assert!(command["seconds"].is_number());
    assert_eq!(command["first_error"], said);
    let tail = command["tail"].as_array().unwrap();
    assert!(tail.contains(&format!("#1 0.0 {said}").into()), "{tail:?}");
    let log = world.root().join(command["log"].as_str().unwrap());
    let log = fs::read_to_string(log).unwrap();
    assert!(log.starts_with(&format!("$ {}\n", command["command"].as_str().unwrap())));
    let text = end["text"].as_str().unwrap();
    for part in [&failure["message"], &failure["hint"], &command["command"]] {
        assert!(text.contains(part.as_str().unwrap()), "{text}");
    }
    let last = &events.last().unwrap().1;
    assert_eq!(last["failure"]["kind"], "unavailable");
    assert_eq!(
        last["failure"]["message"],
        last["text"].as_str().unwrap().lines().next().unwrap()
    );
}

#[test]
fn on_github_steps_are_folded_and_failures_annotated_and_summed_up() {
    let world = World::new();
    world.docker.bake_fails("gamma", "ERROR: 100% wrong\n");
    let summary = world.root().join("summary.md");
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let args = [
        "bake",
        "alpha",
        "gamma",
        "--keep-going",
        "--distro",
        "trixie",
    ];
    let ended = world
        .run_with(args, &environment)
        .status(1)
        .says("::group::bake alpha\n::stop-commands::")
        .says("\n#1 [internal] load build definition\n::")
        .says("::error title=bake gamma::failed to bake `gamma` (pg 18, trixie)%0A  command: ");
    let annotation = ended
        .stderr
        .lines()
        .find(|line| line.starts_with("::error title="))
        .unwrap();
    assert!(annotation.contains("ERROR: 100%25 wrong"), "{annotation}");
    assert_eq!(
        ended.stderr.matches("::group::").count(),
        ended.stderr.matches("::endgroup::").count()
    );
    let summary = fs::read_to_string(summary).unwrap();
    assert!(
        summary.starts_with("| RESULT | IMAGE | DIGEST | SIZE | PLATFORMS | TIME |\n| --- |"),
        "{summary}"
    );
    assert!(summary.contains("| localhost:5000/alpha-testing:1.2-18-trixie | "));
}

#[test]
fn on_github_data_has_its_annotations_and_its_summary_beside_it() {
    let world = World::new();
    world.extension(
        "delta",
        &metadata("delta", &[("auto_update_os_libs", "\"yes\"")]),
    );
    world.docker.bake_fails("gamma", "ERROR: no\n");
    let summary = world.root().join("summary.md");
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let finding = "::error file=extensions/delta/metadata.hcl,line=";
    for more in [&["--json"][..], &["--format", "json"]] {
        let args = [&["checks", "delta", "--no-bake"], more].concat();
        let ended = world.run_with(&args, &environment).status(2);
        assert!(ended.stderr.starts_with(finding), "{}", ended.stderr);
        assert!(!ended.stdout.contains("::error"), "{}", ended.stdout);
    }
    let args = ["bake", "gamma", "--distro", "trixie", "--format", "json"];
    let ended = world.run_with(args, &environment).status(1);
    assert!(
        ended
            .stderr
            .starts_with("::error title=bake gamma::failed to bake"),
        "{}",
        ended.stderr
    );
    for line in ended.stdout.lines() {
        let _event: Value = serde_json::from_str(line).unwrap();
    }
    let summary = fs::read_to_string(summary).unwrap();
    assert!(summary.contains("| failed | "), "{summary}");
}

#[test]
fn what_bake_refuses_is_a_finding_with_bakes_own_words() {
    let world = World::new();
    world.docker.bake_fails(
        "gamma",
        "ERROR: failed to solve: dockerfile parse error on line 6: unknown instruction: foo\n",
    );
    let findings = world.run("checks gamma --json").status(1).json();
    let message = findings[0]["message"].as_str().unwrap();
    assert!(message.contains("unknown instruction: foo"), "{message}");
}

#[test]
fn a_reader_that_has_left_is_no_reason_to_panic() {
    let world = World::new();
    world.docker.bake_fails("gamma", "ERROR: no\n");
    let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap());
    let left = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let mut wrong = Vec::new();
    for args in [
        &["bake", "alpha"][..],
        &["bake", "gamma"],
        &["bake", "alpa"],
        &["bake", "alpha", "--format", "json"],
        &["checks", "--all", "--format", "json"],
        &["targets", "--json"],
        &["--help"],
        &["completions", "bash"],
    ] {
        for (what, out, err) in [
            ("stdout full", full(), Stdio::null()),
            ("stderr full", Stdio::null(), full()),
            ("stdout left", left(), Stdio::null()),
            ("stderr left", Stdio::null(), left()),
        ] {
            let mut command = world.command(args);
            let status = command.stdout(out).stderr(err).status().unwrap();
            if !matches!(status.code(), Some(0..=3)) {
                wrong.push(format!("{args:?}, {what}: {status}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn texts_in_events_have_no_colours() {
    let world = World::new();
    for args in [
        &["bake", "alpa"][..],
        &["bake:al"],
        &["prereqs", "--for", "sandbox"],
    ] {
        let ended = world.run((args, "--format json"));
        assert!(!ended.stdout.contains("\\u001b"), "{}", ended.stdout);
    }
}

#[test]
fn colours_are_for_terminals() {
    let ended = World::new().run("bake alpha").success();
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'));
}
