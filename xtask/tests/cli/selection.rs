// SPDX-License-Identifier: Apache-2.0
//! Which images a call of `bake` is about: names, filters, platforms, settings.

use crate::cli::world::{Call, World, metadata};

/// The words of every bake, without the environment, the files and the metadata file.
fn bakes(world: &World) -> Vec<String> {
    let mut lines: Vec<String> = world
        .calls
        .of("docker buildx bake")
        .iter()
        .map(Call::line)
        .map(|line| {
            let (_, words) = line.split_once(" -f docker/bake.hcl -f ").unwrap();
            let (file, rest) = words.split_once("/metadata.hcl").unwrap();
            let name = file.rsplit('/').next().unwrap();
            let metadata = format!(" --metadata-file target/xtask/bake/{name}.json");
            format!("{name}:{}", rest.replace(&metadata, ""))
        })
        .collect();
    lines.sort();
    lines
}

const OWN: &str = if cfg!(target_arch = "aarch64") {
    "--set *.platform=linux/arm64"
} else {
    "--set *.platform=linux/amd64"
};

#[test]
fn each_extension_is_one_call_however_it_is_named() {
    for args in [
        &["bake", "alpha", "gamma"][..],
        &["bake", "gamma", "alpha/", "alpha"],
        &["bake", "--target", "alpha", "--target", "gamma"],
        &["bake", "TARGET=alpha", "gamma"],
    ] {
        let world = World::new();
        world.run(args).success().says("4 images baked");
        assert_eq!(
            bakes(&world),
            [format!("alpha: {OWN}"), format!("gamma: {OWN}")],
            "{args:?}"
        );
    }
    for args in [&["bake", "--all"][..], &["bake:all"], &[]] {
        let world = World::new();
        world.run(args).success().says("6 images baked");
        assert_eq!(
            bakes(&world),
            ["alpha", "beta", "gamma"].map(|name| format!("{name}: {OWN}")),
            "{args:?}"
        );
    }
}

#[test]
fn filters_become_bakes_target_names() {
    for (filters, targets) in [
        (&["--distro", "trixie"][..], "alpha-1_2-18-trixie"),
        (&["--distro=bookworm", "--pg=18"], "alpha-1_2-18-bookworm"),
        (&["--pg", "18"], "alpha-1_2-18-bookworm alpha-1_2-18-trixie"),
        (
            &["--distro", "trixie,bookworm"],
            "alpha-1_2-18-bookworm alpha-1_2-18-trixie",
        ),
    ] {
        let world = World::new();
        let args = [&["bake", "alpha"], filters].concat();
        world.run(&args).success();
        assert_eq!(
            bakes(&world),
            [format!("alpha: {OWN} -- {targets}")],
            "{filters:?}"
        );
    }
}

#[test]
fn platforms_are_those_that_were_named_else_what_the_registry_is_for() {
    let both = "--set *.platform=linux/amd64,linux/arm64";
    for (args, registry, words) in [
        (&["--platform", "linux/amd64,linux/arm64"][..], "", both),
        (
            &["--platform", "linux/amd64", "--platform", "linux/arm64"],
            "",
            both,
        ),
        (&["--push"], "127.0.0.1:5000/x", "--push"),
        (&["--push"], "ghcr.io/me", "--push"),
        (
            &["--push", "--platform", "linux/arm64"],
            "ghcr.io/me",
            "--set *.platform=linux/arm64 --push",
        ),
    ] {
        let world = World::new();
        let args = [&["bake", "alpha"], args].concat();
        let ended = world.run_with(&args, &[("registry", registry)]).success();
        let explained = !args.contains(&"--platform");
        assert_eq!(ended.stderr.contains("note: for linux/"), explained);
        let own = if registry.starts_with("127.") {
            format!("{OWN} ")
        } else {
            String::new()
        };
        assert_eq!(bakes(&world), [format!("alpha: {own}{words}")], "{args:?}");
    }
}

#[test]
fn bakes_variables_come_from_flag_environment_and_file_in_that_order() {
    let world = World::new();
    world.write(
        "xtask.toml",
        "registry = \"file:1\"\nenvironment = \"production\"\nrevision = \"one\"\n[images]\nbase = \"mine:{pg}-{distro}\"\n[bake]\nbuilder = \"slow\"\njobs = 1\n",
    );
    world.docker.builder("Driver: docker-container\n");
    world.run("bake alpha").success();
    let environment = [
        ("registry", "variable:2"),
        ("revision", "two"),
        ("BUILDX_BUILDER", "quick"),
    ];
    world.run_with("bake alpha", &environment).success();
    world
        .run_with("bake alpha --builder best", &environment)
        .success();
    let calls = world.calls.of("docker buildx bake");
    let variables = ["revision", "base_image", "registry", "environment"];
    let given = calls
        .iter()
        .map(|call| variables.map(|name| call.variable(name)));
    let first = ["one", "mine:{pg}-{distro}", "file:1", "production"];
    let second = ["two", "mine:{pg}-{distro}", "variable:2", "production"];
    assert_eq!(given.collect::<Vec<_>>(), [first, second, second]);
    let mut builders =
        ["slow", "quick", "best"].map(|name| format!("alpha: --builder {name} {OWN}"));
    builders.sort();
    assert_eq!(bakes(&world), builders);
    assert_eq!(world.calls.of("docker buildx inspect quick").len(), 1);
}

#[test]
fn an_extension_without_the_wanted_distro_is_left_out_of_all() {
    let world = World::new();
    let only = [(
        "versions",
        "{ trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\", sql = \"1.2\" } } }",
    )];
    world.extension("gamma", &super::world::metadata("gamma", &only));
    world.run("bake --all --distro bookworm").success();
    assert_eq!(
        bakes(&world),
        ["alpha", "beta"].map(|name| format!("{name}: {OWN} -- {name}-1_2-18-bookworm"))
    );
    world
        .run("bake gamma --distro bookworm")
        .status(2)
        .says("no image matches");
}

#[test]
fn an_option_with_a_value_may_stand_before_a_task() {
    let world = World::new();
    let plain = world.run("bake:all DRY_RUN=true").success().stdout;
    for args in [
        &["--format", "text", "bake:all", "DRY_RUN=true"][..],
        &["--base", "auto", "DRY_RUN=true"],
        &["--format=text", "bake:all", "--dry-run"],
    ] {
        assert_eq!(world.run(args).success().stdout, plain, "{args:?}");
    }
}

#[test]
fn an_options_value_may_hold_an_equals_sign() {
    let world = World::new();
    world.run("bake alpha --metadata-file run=1.json").success();
    assert!(world.exists("run=1.json"));
}

#[test]
fn nothing_chosen_is_nothing_done_and_is_said() {
    let empty = World::empty();
    empty.write("xtask.toml", "");
    for args in [
        &["checks", "--all", "--no-bake"][..],
        &["bake", "--all"],
        &["smoke", "--all"],
        &["e2e", "test", "--all"],
        &["e2e", "test-full", "--all"],
    ] {
        empty
            .run(args)
            .status(2)
            .says("there are no extensions here");
    }
    let none = empty.run("targets --json").success();
    assert_eq!(none.stdout, "[]\n");
    let world = World::new();
    world.extension("delta", &metadata("delta", &[("versions", "{}")]));
    for command in ["bake", "smoke"] {
        world
            .run([command, "delta"])
            .status(2)
            .says("there is nothing to build: `versions` is empty in the metadata of `delta`");
        // A matrix may have more shares than there are images.
        world
            .run([command, "gamma", "--shard", "9/9"])
            .success()
            .says("no image is in this share");
    }
}
