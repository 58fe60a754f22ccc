// SPDX-License-Identifier: Apache-2.0
//! What users of the old Taskfile type: variables from the environment, twice, of every kind, and what means nothing.

use crate::cli::world::World;

#[test]
fn the_environment_says_what_arguments_do_not() {
    let world = World::new();
    let by_argument = |line: &str| world.run(line).success().stdout;
    let ended = world
        .run_with("bake", &[("TARGET", "alpha"), ("DRY_RUN", "true")])
        .success()
        .says("from the environment: `TARGET`, `DRY_RUN`");
    assert_eq!(ended.stdout, by_argument("bake TARGET=alpha DRY_RUN=true"));
    let all = world.run_with("", &[("DRY_RUN", "true"), ("TARGET", "alpha")]);
    assert_eq!(all.success().stdout, by_argument("bake --all --dry-run"));
    for line in ["bake gamma --dry-run", "bake TARGET=gamma --dry-run"] {
        let ended = world.run_with(line, &[("TARGET", "alpha"), ("PUSH", "")]);
        let ended = ended.success();
        assert_eq!(ended.stdout, by_argument("bake gamma --dry-run"));
        assert!(!ended.stderr.contains("from the environment"));
    }
    let pushed = world
        .run_with("bake gamma --dry-run", &[("PUSH", "true")])
        .success()
        .says("from the environment: `PUSH`");
    assert!(pushed.stdout.contains(" --push"), "{}", pushed.stdout);
    assert!(world.calls.of_work().is_empty());
}

#[test]
fn a_wrong_value_in_the_environment_is_wrong_and_says_where_it_is() {
    let world = World::new();
    let ended = world.run_with("bake gamma", &[("PUSH", "refs/heads/main")]);
    ended
        .status(2)
        .says("variable `PUSH` must be `true` or `false`")
        .says("it is set in the environment: `unset PUSH`");
    let ended = world.run_with("bake", &[("TARGET", "alpha --push")]);
    ended.status(2).says("has a word that begins with `-`");
    let ended = world.run_with("bake", &[("TARGET", "x86_64-unknown-linux-gnu")]);
    ended
        .status(2)
        .says("extension `x86_64-unknown-linux-gnu` not found");
    assert!(world.calls.of_work().is_empty());
}

#[test]
fn the_taskfiles_own_variables_change_the_registry() {
    let world = World::new();
    for (words, registry) in [
        ("PUSH=true REGISTRY_HOST_PORT=5001", "localhost:5001"),
        (
            "REGISTRY_HOST_NAME=r.example REGISTRY_HOST_PORT=443",
            "r.example:443",
        ),
    ] {
        let line = format!("bake TARGET=gamma DRY_RUN=true {words}");
        let dry = world.run(&line[..]).success().stdout;
        assert!(dry.contains(&format!("registry={registry} ")), "{dry}");
    }
    let inherited = world
        .run_with(
            "bake TARGET=gamma DRY_RUN=true",
            &[("REGISTRY_HOST_PORT", "5001")],
        )
        .success()
        .says("`REGISTRY_HOST_PORT` in the environment is not read")
        .says("cargo xtask bake REGISTRY_HOST_PORT=…");
    assert!(inherited.stdout.contains("registry=localhost:5000 "));
}

#[test]
fn any_setting_may_be_said_for_one_call() {
    let world = World::new();
    let settings = world.run("config --json --set bake.jobs=3").success();
    let jobs = settings.json();
    let jobs = jobs
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["key"] == "bake.jobs");
    let jobs = jobs.unwrap();
    assert_eq!(
        (&jobs["value"], &jobs["origin"]),
        (&"3".into(), &"flag --set".into())
    );
    for (said, message) in [
        (
            "bake.job=3",
            "`--set`: unknown setting `bake.job`; did you mean `bake.jobs`?",
        ),
        ("bake.jobs", "`--set bake.jobs` has no `=`"),
        (
            "bake.jobs=x",
            "setting `bake.jobs` is `x` (flag --set); it must be a whole number",
        ),
        ("e2e.registry=a:1", "it must be a host's name"),
    ] {
        world.run(["config", "--set", said]).status(2).says(message);
    }
}

#[test]
fn what_is_no_task_is_told_from_what_takes_no_variables() {
    let world = World::new();
    for (line, message) in [
        (
            "bak TARGET=alpha",
            "unknown task `bak`; did you mean `bake`?",
        ),
        ("targets TARGET=alpha", "`targets` takes no variables"),
    ] {
        world.run(line).status(2).says(message);
    }
    for (line, hint) in [
        (
            "prereqs checks:all",
            "`cargo xtask prereqs && cargo xtask checks:all`",
        ),
        ("--list", "`cargo xtask --help` lists the commands"),
        (
            "bake TARGET=alpha -- --push",
            "put options and variables in front of it",
        ),
        (
            "e2e setup-env CNPG_RELEASE=1.29",
            "`cargo xtask e2e:setup-env CNPG_RELEASE=…`",
        ),
    ] {
        world.run(line).status(2).says(hint);
    }
    assert!(world.calls.of_work().is_empty());
    world
        .run("prereqs DAGGER_ENGINE_NAME=x DOCKER_SOCKET=y")
        .says("`DAGGER_ENGINE_NAME` changes nothing")
        .says("`DOCKER_SOCKET` changes nothing");
    assert_eq!(
        world.run("list-targets").success().stdout,
        world.run("targets --json").success().stdout
    );
}
