// SPDX-License-Identifier: Apache-2.0
//! Signals and limits at other places than a bake: while the engine is asked, in a check, in a copied test.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::fixture::{Ended, Fixture};

/// Lets the call of docker that matches `pattern` (of `case`) hang until it is ended.
fn hangs(fixture: &Fixture, pattern: &str) {
    fixture.docker_first(&format!(
        "case \"$*\" in {pattern}) echo \"$$\" > \"$here/hanging\"; /bin/sleep 15; : > \"$here/outlived\"; exit 1 ;; esac"
    ));
}

fn start(fixture: &Fixture, args: &[&str], environment: &[(&str, &str)]) -> Child {
    let mut command = fixture.command(args);
    command
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut tries = 0;
    while !fixture.fake("hanging").exists() {
        tries += 1;
        if tries > 3000 || child.try_wait().unwrap().is_some() {
            child.kill().unwrap();
            let ended = Ended::from(&child.wait_with_output().unwrap());
            panic!(
                "it did not come to the call: {ended:#?}\n{:#?}",
                fixture.calls()
            );
        }
        thread::sleep(Duration::from_millis(10));
    }
    child
}

fn interrupt(fixture: &Fixture, child: Child, signal: &str) -> Ended {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let ended = Ended::from(&child.wait_with_output().unwrap());
    assert!(!fixture.fake("outlived").exists(), "not ended: {ended:#?}");
    ended
}

#[test]
fn while_the_engine_is_asked_what_it_is() {
    let mut wrong = Vec::new();
    for (args, pattern) in [
        (&["bake", "gamma"][..], "info*"),
        (&["bake", "gamma", "--builder", "x"], "'buildx inspect'*"),
        (&["prereqs"], "'buildx version'*"),
        (&["smoke", "gamma"], "info*"),
        (&["smoke", "gamma", "--image", "x/y:1"], "'image inspect'*"),
        (&["checks", "gamma"], "info*"),
    ] {
        let fixture = Fixture::new();
        hangs(&fixture, pattern);
        let ended = interrupt(&fixture, start(&fixture, args, &[]), "-INT");
        if ended.status != Some(130) || !ended.stderr.contains("interrupted") {
            wrong.push(format!("{args:?} at {pattern}: {:?}", ended.status));
        }
        assert!(fixture.calls_of("[bake]").is_empty(), "{args:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn while_superseded_images_are_dropped() {
    let fixture = Fixture::new();
    hangs(&fixture, "'image ls --format {{.Tag}}'*");
    interrupt(&fixture, start(&fixture, &["bake", "gamma"], &[]), "-INT").status(130);
}

#[test]
fn in_a_check_it_is_no_finding() {
    let fixture = Fixture::new();
    hangs(&fixture, "'buildx bake'*");
    let ended = interrupt(&fixture, start(&fixture, &["checks", "gamma"], &[]), "-INT").status(130);
    assert!(
        !ended.stderr.contains("bake refuses it"),
        "{}",
        ended.stderr
    );
}

#[test]
fn with_keep_going_too_nothing_more_is_started() {
    let fixture = Fixture::new();
    hangs(&fixture, "'buildx bake'*alpha/*");
    let args = ["bake", "alpha", "gamma", "--jobs", "1", "--keep-going"];
    let child = start(&fixture, &args, &[]);
    interrupt(&fixture, child, "-INT").status(130);
    assert_eq!(fixture.calls_of("[bake]").len(), 1);
}

#[test]
fn with_events_as_json_the_last_one_says_it() {
    let fixture = Fixture::new();
    hangs(&fixture, "'buildx bake'*");
    let child = start(&fixture, &["bake", "gamma", "--format", "json"], &[]);
    let ended = interrupt(&fixture, child, "-TERM").status(130);
    let last: serde_json::Value =
        serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["event"], &last["exit_code"]),
        (&"failure".into(), &130.into())
    );
}

#[test]
fn a_test_by_copies_is_taken_back_wherever_it_is_ended() {
    for (pattern, sources) in [
        ("'create --rm '*", 0),
        ("'create --name '*", 1),
        ("cp*", 1),
        ("start*", 1),
    ] {
        let fixture = Fixture::new();
        hangs(&fixture, pattern);
        let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
        let child = start(&fixture, &args, &[("XTASK_SMOKE_MOUNT", "copy")]);
        interrupt(&fixture, child, "-INT").status(130);
        let removed = fixture.calls_of("[rm] [--force]");
        let of = |end: &str| removed.iter().filter(|line| line.ends_with(end)).count();
        assert_eq!(of("-gamma-18-trixie]"), 1, "{pattern}: {removed:#?}");
        assert_eq!(
            of("-gamma-18-trixie-gamma]"),
            sources,
            "{pattern}: {removed:#?}"
        );
        let copies = fixture.root().join("target/xtask/smoke");
        let left = std::fs::read_dir(copies).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{pattern}: the copied files stay");
    }
}

#[test]
fn a_test_that_takes_too_long_is_ended_and_taken_back() {
    let fixture = Fixture::new();
    hangs(&fixture, "run*");
    let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
    fixture
        .xtask_with(&args, &[("XTASK_SMOKE_TIMEOUT", "1")])
        .status(1)
        .says("failed to run `gamma 18-trixie` in PostgreSQL")
        .says("did not end within 1s");
    assert_eq!(fixture.calls_of("[rm] [--force]").len(), 1);
}

#[test]
fn a_limit_of_zero_is_no_limit() {
    let fixture = Fixture::new();
    let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
    fixture.docker_first("case \"$*\" in run*) /bin/sleep 0.2 ;; esac");
    fixture
        .xtask_with(&args, &[("XTASK_SMOKE_TIMEOUT", "0")])
        .success();
}
