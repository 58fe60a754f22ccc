// SPDX-License-Identifier: Apache-2.0
//! Signals and limits at other places than a bake: while the engine is asked, in a check, in a copied test.

use std::process::Child;

use crate::cli::world::{BUILD, Call, Ended, World, end_by};

/// Lets the call of docker that matches `pattern` (of `case`) hang until it is ended.
fn hangs(world: &World, pattern: &str) {
    let lines = "echo $$ > \"$here/hanging\"; sleep 15; : > \"$here/outlived\"; exit 1";
    world.tools.rule(pattern, lines);
}

fn start(world: &World, args: &[&str], environment: &[(&str, &str)]) -> Child {
    world.started_by(world.command(args).envs(environment.iter().copied()))
}

fn interrupt(world: &World, child: Child, signal: &str) -> Ended {
    let ended = end_by(signal, child);
    assert!(!world.state("outlived").exists(), "not ended: {ended:#?}");
    ended
}

#[test]
fn while_the_engine_is_asked_what_it_is() {
    let mut wrong = Vec::new();
    for (args, pattern) in [
        (&["bake", "gamma"][..], "docker info"),
        (
            &["bake", "gamma", "--builder", "x"],
            "docker buildx inspect",
        ),
        (&["prereqs"], "docker buildx version"),
        (&["smoke", "gamma"], "docker info"),
        (
            &["smoke", "gamma", "--image", "x/y:1"],
            "docker image inspect",
        ),
        (&["checks", "gamma"], "docker info"),
    ] {
        let world = World::new();
        hangs(&world, pattern);
        let ended = interrupt(&world, start(&world, args, &[]), "-INT");
        if ended.status != Some(130) || !ended.stderr.contains("interrupted") {
            wrong.push(format!("{args:?} at {pattern}: {:?}", ended.status));
        }
        assert!(world.calls.of("docker buildx bake").is_empty(), "{args:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_image_that_could_not_be_asked_about_is_not_pulled_then() {
    let world = World::new();
    // As docker's own client does, it ends in its own way.
    world.tools.rule(
        "docker image inspect",
        "trap 'kill $!; exit 1' TERM; sleep 15 & echo $$ > \"$here/hanging\"; wait",
    );
    hangs(&world, "docker pull");
    let child = start(&world, &["smoke", "gamma", "--image", "x/y:1"], &[]);
    interrupt(&world, child, "-INT").status(130);
    world.calls.never("docker pull");
}

#[test]
fn while_superseded_images_are_dropped() {
    let world = World::new();
    hangs(&world, "docker image ls --format {{.Tag}}");
    interrupt(&world, start(&world, &["bake", "gamma"], &[]), "-INT").status(130);
}

#[test]
fn in_a_check_it_is_no_finding() {
    for pattern in ["docker buildx bake*--print", BUILD] {
        let world = World::new();
        hangs(&world, pattern);
        let child = start(&world, &["checks", "gamma"], &[]);
        let ended = interrupt(&world, child, "-INT").status(130);
        assert!(
            !ended.stderr.contains("bake refuses it"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn with_keep_going_too_nothing_more_is_started() {
    let world = World::new();
    hangs(&world, &format!("{BUILD}*alpha-"));
    let args = ["bake", "alpha", "gamma", "--jobs", "1", "--keep-going"];
    let child = start(&world, &args, &[]);
    interrupt(&world, child, "-INT").status(130);
    assert_eq!(world.calls.bakes(), ["start alpha"]);
}

#[test]
fn with_events_as_json_the_last_one_says_it() {
    for pattern in ["docker buildx bake*--print", BUILD] {
        let world = World::new();
        hangs(&world, pattern);
        let child = start(&world, &["bake", "gamma", "--format", "json"], &[]);
        let ended = interrupt(&world, child, "-TERM").status(130);
        let last: serde_json::Value =
            serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&last["event"], &last["exit_code"]),
            (&"failure".into(), &130.into())
        );
    }
}

#[test]
fn a_test_by_copies_is_taken_back_wherever_it_is_ended() {
    for (pattern, sources) in [
        ("docker create --rm", 0),
        ("docker create --name", 1),
        ("docker cp", 1),
        ("docker start", 1),
    ] {
        let world = World::new();
        hangs(&world, pattern);
        let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
        let child = start(&world, &args, &[("XTASK_SMOKE_MOUNT", "copy")]);
        interrupt(&world, child, "-INT").status(130);
        let removed = world.calls.of("docker rm --force");
        let lines = removed.iter().map(Call::line);
        let of = |end: &str| lines.clone().filter(|line| line.ends_with(end)).count();
        assert_eq!(of("-gamma-18-trixie"), 1, "{pattern}: {removed:#?}");
        assert_eq!(
            of("-gamma-18-trixie-gamma"),
            sources,
            "{pattern}: {removed:#?}"
        );
        let copies = world.root().join("target/xtask/smoke");
        let left = std::fs::read_dir(copies).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{pattern}: the copied files stay");
    }
}

#[test]
fn a_test_that_takes_too_long_is_ended_and_taken_back() {
    let world = World::new();
    hangs(&world, "docker run");
    let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
    world
        .run_with(args, &[("XTASK_SMOKE_TIMEOUT", "1")])
        .status(1)
        .says("failed to run `gamma 18-trixie` in PostgreSQL")
        .says("did not end within 1s");
    assert_eq!(world.calls.of("docker rm --force").len(), 1);
}

#[test]
fn a_limit_of_zero_is_no_limit() {
    let world = World::new();
    let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
    world.tools.rule("docker run", "sleep 0.2");
    world
        .run_with(args, &[("XTASK_SMOKE_TIMEOUT", "0")])
        .success();
}
