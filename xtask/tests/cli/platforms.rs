// SPDX-License-Identifier: Apache-2.0
//! Images that are not built for every platform: left out where another one is asked for, and said to be so.

use crate::cli::world::{BUILD, World, metadata};

#[test]
fn what_is_not_built_for_the_platform_is_left_out() {
    let both = "\"platforms\":[\"linux/amd64\",\"linux/arm64\"]";
    let one = "\"platforms\":[\"linux/amd64\"]";
    let world = World::new();
    world.docker.prints("alpha", both, one);
    let only =
        "`alpha 18-trixie` is left out: it is built for linux/amd64 alone, not for linux/arm64";
    let args = ["--distro", "trixie", "--platform", "linux/arm64", "--json"];
    let ended = world
        .run((&["bake", "alpha", "gamma"], args))
        .success()
        .says(&format!("warning: {only}"));
    let rows = ended.json();
    let names: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["gamma"]);
    assert_eq!(rows[0]["platforms"], serde_json::json!(["linux/arm64"]));
    let call = world.calls.only(BUILD);
    assert_eq!(call.extensions(), ["gamma"]);
    assert_eq!(call.after("--set"), "*.platform=linux/arm64");
    world.calls.forget();
    world
        .run((&["bake", "alpha"], args))
        .status(2)
        .says("nothing is built for linux/arm64")
        .says(only)
        .says("hint: `--platform` names others");
    world.calls.never(BUILD);
    // For both, each target is built for what it is built for.
    let both = [
        "--distro",
        "trixie",
        "--platform",
        "linux/amd64,linux/arm64",
    ];
    world.run((&["bake", "alpha", "gamma"], both)).success();
    let line = world.calls.only(BUILD).line();
    for set in [
        " --set alpha-1_2-18-trixie.platform=linux/amd64 ",
        " --set gamma-1_2-18-trixie.platform=linux/amd64,linux/arm64 ",
    ] {
        assert!(line.contains(set), "{line}");
    }
    let targets = world.run("targets --images --json").success().json();
    assert_eq!(targets[0]["name"], "alpha");
    assert_eq!(targets[0]["platforms"], serde_json::json!(["linux/amd64"]));
}

#[test]
fn what_cannot_run_here_is_neither_built_nor_tested() {
    let both = "\"platforms\":[\"linux/amd64\",\"linux/arm64\"]";
    let world = World::new();
    world
        .docker
        .prints("alpha", both, "\"platforms\":[\"linux/s390x\"]");
    world
        .run("smoke alpha gamma --distro trixie")
        .success()
        .says("warning: `alpha 18-trixie` is left out: it is built for linux/s390x alone")
        .says("1 of 1 passed");
    assert_eq!(world.calls.bakes(), ["start gamma", "end gamma"]);
    world.calls.forget();
    // Beta needs alpha.
    world
        .run("smoke beta --distro trixie")
        .status(2)
        .says("alpha")
        .says("linux/s390x");
    assert!(world.calls.of_work().is_empty());
}

/// Docker would take images of that platform, and what was built is for another one.
#[test]
fn docker_is_not_told_another_platform_by_the_environment() {
    let world = World::new();
    let set = [("DOCKER_DEFAULT_PLATFORM", "linux/arm64")];
    world
        .run_with("smoke alpha --distro trixie", &set)
        .success();
    for call in world.calls.all() {
        assert_eq!(call.variable("DOCKER_DEFAULT_PLATFORM"), "", "{call}");
    }
    world.calls.only("docker run");
    // The printed lines do the same in a shell that has it.
    let lines = world
        .run_with("smoke alpha --dry-run", &set)
        .success()
        .stdout;
    assert!(lines.contains("unset DOCKER_DEFAULT_PLATFORM\n"), "{lines}");
    let lines = world.run("smoke alpha --dry-run").success().stdout;
    assert!(!lines.contains("unset DOCKER"), "{lines}");
}

#[test]
fn each_call_is_told_of_its_own_targets_alone() {
    let both = "\"platforms\":[\"linux/amd64\",\"linux/arm64\"]";
    let world = World::new();
    world
        .docker
        .prints("alpha", both, "\"platforms\":[\"linux/amd64\"]");
    let args = [
        "--jobs",
        "1",
        "--distro",
        "trixie",
        "--platform",
        "linux/amd64,linux/arm64",
    ];
    world.run((&["bake", "alpha", "gamma"], args)).success();
    let calls = world.calls.of(BUILD);
    let said: Vec<&str> = calls.iter().map(|call| call.after("--set")).collect();
    assert_eq!(
        said,
        [
            "*.platform=linux/amd64",
            "*.platform=linux/amd64,linux/arm64"
        ]
    );
}

#[test]
fn an_extension_may_be_called_as_a_file_of_ours() {
    let world = World::empty();
    for name in ["targets", "metadata"] {
        world.extension(name, &metadata(name, &[]));
    }
    world
        .run("bake targets metadata --distro trixie")
        .success()
        .says("2 images baked");
    world.run("bake targets --distro trixie").success();
}
