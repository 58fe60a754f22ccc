// SPDX-License-Identifier: Apache-2.0
//! The old guide's way through an end-to-end test, each line as it stands there with `task` replaced.

use crate::cli::world::{
    CLUSTER, Ended, World,
    image::{annotations, index},
};

/// A line of the guide, as a shell would split it.
#[track_caller]
fn task(world: &World, line: &str) -> Ended {
    world.run(line.strip_prefix("task ").unwrap())
}

/// With pgvector as the guide has it.
fn guide() -> World {
    let world = World::empty_e2e();
    world.put_built(
        "pgvector",
        &[("trixie", "18")],
        &[("sql_name", "\"vector\"")],
    );
    world.write(
        "extensions/pgvector/test/chainsaw-test.yaml",
        "# Its own.\n",
    );
    world
}

#[test]
fn in_one_command() {
    let world = guide();
    task(&world, "task e2e:test:full TARGET=\"pgvector\"")
        .success()
        .says("1 of 1 passed");
    assert_eq!(world.calls.of("chainsaw ").len(), 2);
}

#[test]
fn step_by_step() {
    let world = guide();
    task(&world, "task e2e:setup-env").success();
    task(
        &world,
        "task e2e:export-kubeconfig KUBECONFIG_PATH=./kubeconfig",
    )
    .success();
    let shell = "export KUBECONFIG=$PWD/kubeconfig\nkubectl --kubeconfig \"$KUBECONFIG\" get --raw /readyz --request-timeout 5s";
    world.shell(shell, &[]).success();
    task(
        &world,
        "task e2e:export-kubeconfig KUBECONFIG_PATH=./kubeconfig INTERNAL=true",
    )
    .success();
    task(&world, "task bake TARGET=\"pgvector\" PUSH=true").success();
    let local = format!(
        "localhost:{}/pgvector-testing:1.2-18-trixie",
        world.registry.port
    );
    task(
        &world,
        &format!("task e2e:generate-values TARGET=\"pgvector\" EXTENSION_IMAGE=\"{local}\""),
    )
    .success();
    task(
        &world,
        &format!("task e2e:generate-values TARGET=pgvector EXTENSION_IMAGE=\"{local}\""),
    )
    .success();
    assert!(world.exists("extensions/pgvector/values.yaml"));
    task(
        &world,
        "task e2e:export-kubeconfig KUBECONFIG_PATH=./kubeconfig INTERNAL=true",
    )
    .success();
    task(
        &world,
        "task e2e:test TARGET=\"pgvector\" KUBECONFIG_PATH=\"./kubeconfig\"",
    )
    .success()
    .says("1 of 1 passed");
    // The internal address is for other containers: from here the cluster is reached all the same.
    for test in world.calls.of("chainsaw ") {
        let text = std::fs::read_to_string(test.variable("KUBECONFIG")).unwrap();
        assert!(text.contains("https://127.0.0.1:"), "{text}");
    }
    task(&world, "task e2e:cleanup").success();
    assert!(world.engine.inventory().is_empty());
    assert!(world.exists("kubeconfig"), "the user's own file stays");
}

#[test]
fn a_registry_at_another_port_is_said_to_each_task() {
    let world = guide();
    world.write("xtask.toml", "");
    let port = format!("REGISTRY_HOST_PORT={}", world.registry.port);
    let local = world.registry.local("pgvector-testing:1.2-18-trixie");
    for line in [
        "task e2e:setup-env",
        "task bake TARGET=\"pgvector\" PUSH=true",
        &format!("task e2e:generate-values TARGET=\"pgvector\" EXTENSION_IMAGE=\"{local}\""),
        "task e2e:test TARGET=\"pgvector\" EXTRA_ARGS=\"--skip-delete,--fail-fast\"",
    ] {
        task(&world, &format!("{line} {port}")).success();
    }
    let values = world.read("extensions/pgvector/values.yaml");
    let inside = "reference: 'registry.pg-extensions:5000/pgvector-testing:1.2-18-trixie@sha256:";
    assert!(values.contains(inside), "{values}");
    for test in world.calls.of("chainsaw ") {
        let line = test.line();
        assert_eq!(line.matches("--skip-delete").count(), 1, "{line}");
        assert!(line.contains(" --fail-fast"), "{line}");
    }
    task(
        &world,
        &format!("task e2e:test:full TARGET=pgvector {port}"),
    )
    .success();
    task(&world, &format!("task e2e:cleanup {port}")).success();
    assert!(world.engine.inventory().is_empty());
}

#[test]
fn the_image_of_the_guides_example() {
    let world = guide();
    world.write("xtask.toml", "");
    world.registry.put(
        "localhost:5000/pgvector-testing:0.8.1-18-trixie",
        &index(&annotations("trixie", "18", "0.8.1")),
    );
    task(&world, "task e2e:generate-values TARGET=pgvector EXTENSION_IMAGE=\"localhost:5000/pgvector-testing:0.8.1-18-trixie\"")
        .success();
    let text = world.read("extensions/pgvector/values.yaml");
    assert!(
        text.contains("'registry.pg-extensions:5000/pgvector-testing:0.8.1-18-trixie@sha256:"),
        "{text}"
    );
}

#[test]
fn all_at_once() {
    let world = guide();
    task(&world, "task e2e:test:full:all").success();
    world.put_values("pgvector");
    task(&world, "task e2e:test:all KUBECONFIG_PATH=").success();
    task(&world, "task e2e:status").success();
}

#[test]
fn several_in_one_variable() {
    let world = World::e2e_with_images();
    task(
        &world,
        "task e2e:test:full TARGET=\"alpha gamma\" DISTRO=trixie",
    )
    .success()
    .says("3 of 3 passed");
}

#[test]
fn dry_runs_of_its_lines_do_nothing() {
    for line in [
        "task e2e:test:full TARGET=\"pgvector\" DRY_RUN=true",
        "task e2e:test:full:all DRY_RUN=true",
        "task e2e:setup-env DRY_RUN=true",
        "task e2e:setup-env CNPG_RELEASE=main REGISTRY_HOST= REGISTRY_USERNAME= DRY_RUN=true",
        "task e2e:test TARGET=\"pgvector\" DRY_RUN=true",
        "task e2e:test:all DRY_RUN=true EXTRA_ARGS=\"--fail-fast\"",
        "task bake TARGET=\"pgvector\" PUSH=true DRY_RUN=true",
    ] {
        let world = guide();
        world.put_values("pgvector");
        let before = world.files_but_answers();
        let ended = task(&world, line).success();
        assert!(!ended.stdout.is_empty(), "{line}");
        assert!(
            world.engine.inventory().is_empty(),
            "{line}: {:#?}",
            world.engine.inventory()
        );
        assert_eq!(world.files_but_answers(), before, "{line}");
        // Where no program is, either.
        for program in ["docker", "kind"] {
            world.tools.without(program);
        }
        let again = task(&world, line).success();
        // The names of namespaces end with the number of the process.
        assert_eq!(
            again.stdout.lines().count(),
            ended.stdout.lines().count(),
            "{line}"
        );
        for program in ["kubectl", "chainsaw"] {
            world.tools.without(program);
        }
        task(&world, line).success();
    }
}

#[test]
fn what_a_dry_run_prints_can_be_pasted() {
    let world = guide();
    let dry = task(&world, "task e2e:setup-env DRY_RUN=true")
        .success()
        .stdout;
    let real = guide();
    task(&real, "task e2e:setup-env").success();
    // There is no curl here to wait with: the registry's thread takes a moment.
    let lines: Vec<&str> = dry
        .lines()
        .filter(|line| !line.starts_with("until curl "))
        .collect();
    world.calls.forget();
    world
        .shell(&lines.join("\n"), &["cat", "mkdir", "mv", "rm"])
        .success();
    let comparable = |world: &World| {
        let mut lines: Vec<String> = world
            .calls
            .names()
            .iter()
            .map(|line| line.replace(&world.registry.port.to_string(), "PORT"))
            // Each call has an id of its own.
            .map(|line| match line.split_once("xtask.run=") {
                Some((before, after)) => format!("{before}RUN{}", &after[16..]),
                None => line,
            })
            .filter(|line| {
                !["docker info", "docker ps", "kind version"]
                    .iter()
                    .any(|start| line.starts_with(start))
            })
            .filter(|line| !line.contains(" ls --format"))
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(comparable(&world), comparable(&real), "{dry}");
    assert_eq!(
        world.engine.inventory().len(),
        real.engine.inventory().len()
    );
    assert_eq!(
        world.clusters.operator(CLUSTER, "release"),
        real.clusters.operator(CLUSTER, "release")
    );
}

#[test]
fn variables_that_a_task_does_not_use_are_refused() {
    for (line, says) in [
        (
            "task e2e:cleanup TARGET=pgvector",
            "does not use the variable `TARGET`",
        ),
        (
            "task e2e:setup-env KUBECONFIG_PATH=x",
            "does not use the variable `KUBECONFIG_PATH`",
        ),
        (
            "task e2e:test:ful TARGET=pgvector",
            "did you mean `e2e:test:full`?",
        ),
        ("task e2e:test TARGT=pgvector", "did you mean `TARGET`?"),
        (
            "task e2e:export-kubeconfig INTERNAL=yes",
            "`INTERNAL` must be `true` or `false`",
        ),
        (
            "task e2e:test:full registry=x TARGET=pgvector",
            "is an environment variable",
        ),
    ] {
        let world = guide();
        task(&world, line).status(2).says(says);
        assert!(world.calls.names().is_empty(), "{line}");
    }
}
