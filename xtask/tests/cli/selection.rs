// SPDX-License-Identifier: Apache-2.0
//! Which images a call of `bake` is about: names, filters, platforms, settings.

use super::fixture::{Fixture, metadata};

/// The words of every bake, without the environment, the files and the metadata file.
fn bakes(fixture: &Fixture) -> Vec<String> {
    let mut lines: Vec<String> = fixture
        .calls_of("[buildx] [bake]")
        .iter()
        .map(|line| {
            let (_, words) = line.split_once("[-f] [docker/bake.hcl] [-f] ").unwrap();
            let (file, rest) = words.split_once("/metadata.hcl]").unwrap();
            let name = file.rsplit('/').next().unwrap();
            let metadata = format!(" [--metadata-file] [target/xtask/bake/{name}.json]");
            format!("{name}:{}", rest.replace(&metadata, ""))
        })
        .collect();
    lines.sort();
    lines
}

const OWN: &str = if cfg!(target_arch = "aarch64") {
    "[--set] [*.platform=linux/arm64]"
} else {
    "[--set] [*.platform=linux/amd64]"
};

#[test]
fn each_extension_is_one_call_however_it_is_named() {
    for args in [
        &["bake", "alpha", "gamma"][..],
        &["bake", "gamma", "alpha/", "alpha"],
        &["bake", "--target", "alpha", "--target", "gamma"],
        &["bake", "TARGET=alpha", "gamma"],
    ] {
        let fixture = Fixture::new();
        fixture.xtask(args).success().says("4 images baked");
        assert_eq!(
            bakes(&fixture),
            [format!("alpha: {OWN}"), format!("gamma: {OWN}")],
            "{args:?}"
        );
    }
    for args in [&["bake", "--all"][..], &["bake:all"], &[]] {
        let fixture = Fixture::new();
        fixture.xtask(args).success().says("6 images baked");
        assert_eq!(
            bakes(&fixture),
            ["alpha", "beta", "gamma"].map(|name| format!("{name}: {OWN}")),
            "{args:?}"
        );
    }
}

#[test]
fn filters_become_bakes_target_names() {
    for (filters, targets) in [
        (&["--distro", "trixie"][..], "[alpha-1_2-18-trixie]"),
        (&["--distro=bookworm", "--pg=18"], "[alpha-1_2-18-bookworm]"),
        (
            &["--pg", "18"],
            "[alpha-1_2-18-bookworm] [alpha-1_2-18-trixie]",
        ),
        (
            &["--distro", "trixie,bookworm"],
            "[alpha-1_2-18-bookworm] [alpha-1_2-18-trixie]",
        ),
    ] {
        let fixture = Fixture::new();
        let args = [&["bake", "alpha"], filters].concat();
        fixture.xtask(&args).success();
        assert_eq!(
            bakes(&fixture),
            [format!("alpha: {OWN} [--] {targets}")],
            "{filters:?}"
        );
    }
}

#[test]
fn platforms_are_those_that_were_named_else_what_the_registry_is_for() {
    let both = "[--set] [*.platform=linux/amd64,linux/arm64]";
    for (args, registry, words) in [
        (&["--platform", "linux/amd64,linux/arm64"][..], "", both),
        (
            &["--platform", "linux/amd64", "--platform", "linux/arm64"],
            "",
            both,
        ),
        (&["--push"], "127.0.0.1:5000/x", "[--push]"),
        (&["--push"], "ghcr.io/me", "[--push]"),
        (
            &["--push", "--platform", "linux/arm64"],
            "ghcr.io/me",
            "[--set] [*.platform=linux/arm64] [--push]",
        ),
    ] {
        let fixture = Fixture::new();
        let args = [&["bake", "alpha"], args].concat();
        let ended = fixture
            .xtask_with(&args, &[("registry", registry)])
            .success();
        let explained = !args.contains(&"--platform");
        assert_eq!(ended.stderr.contains("note: for linux/"), explained);
        let own = if registry.starts_with("127.") {
            format!("{OWN} ")
        } else {
            String::new()
        };
        assert_eq!(
            bakes(&fixture),
            [format!("alpha: {own}{words}")],
            "{args:?}"
        );
    }
}

#[test]
fn bakes_variables_come_from_flag_environment_and_file_in_that_order() {
    let fixture = Fixture::new();
    fixture.docker_first(
        "[ \"$2\" != bake ] || echo \"$revision|$base_image|$registry|$environment\" >> \"$here/variables\"",
    );
    fixture.write(
        "xtask.toml",
        "registry = \"file:1\"\nenvironment = \"production\"\nrevision = \"one\"\n[images]\nbase = \"mine:{pg}-{distro}\"\n[bake]\nbuilder = \"slow\"\njobs = 1\n",
    );
    fixture.answer("inspect", "Driver: docker-container\n");
    fixture.xtask(&["bake", "alpha"]).success();
    let environment = [
        ("registry", "variable:2"),
        ("revision", "two"),
        ("BUILDX_BUILDER", "quick"),
    ];
    fixture
        .xtask_with(&["bake", "alpha"], &environment)
        .success();
    fixture
        .xtask_with(&["bake", "alpha", "--builder", "best"], &environment)
        .success();
    let variables = std::fs::read_to_string(fixture.fake("variables")).unwrap();
    assert_eq!(
        variables,
        "one|mine:{pg}-{distro}|file:1|production\ntwo|mine:{pg}-{distro}|variable:2|production\ntwo|mine:{pg}-{distro}|variable:2|production\n"
    );
    let mut builders =
        ["slow", "quick", "best"].map(|name| format!("alpha: [--builder] [{name}] {OWN}"));
    builders.sort();
    assert_eq!(bakes(&fixture), builders);
    assert_eq!(fixture.calls_of("[inspect] [--] [quick]").len(), 1);
}

#[test]
fn an_extension_without_the_wanted_distro_is_left_out_of_all() {
    let fixture = Fixture::new();
    let only = [(
        "versions",
        "{ trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\", sql = \"1.2\" } } }",
    )];
    fixture.extension("gamma", &super::fixture::metadata("gamma", &only));
    fixture
        .xtask(&["bake", "--all", "--distro", "bookworm"])
        .success();
    assert_eq!(
        bakes(&fixture),
        ["alpha", "beta"].map(|name| format!("{name}: {OWN} [--] [{name}-1_2-18-bookworm]"))
    );
    fixture
        .xtask(&["bake", "gamma", "--distro", "bookworm"])
        .status(2)
        .says("no image fits");
}

#[test]
fn an_option_with_a_value_may_stand_before_a_task() {
    let fixture = Fixture::new();
    let plain = fixture
        .xtask(&["bake:all", "DRY_RUN=true"])
        .success()
        .stdout;
    for args in [
        &["--format", "text", "bake:all", "DRY_RUN=true"][..],
        &["--base", "auto", "DRY_RUN=true"],
        &["--format=text", "bake:all", "--dry-run"],
    ] {
        assert_eq!(fixture.xtask(args).success().stdout, plain, "{args:?}");
    }
}

#[test]
fn an_options_value_may_hold_an_equals_sign() {
    let fixture = Fixture::new();
    fixture
        .xtask(&["bake", "alpha", "--metadata-file", "run=1.json"])
        .success();
    assert!(fixture.exists("run=1.json"));
}

#[test]
fn nothing_chosen_is_nothing_done_and_is_said() {
    let empty = Fixture::empty();
    empty.write("xtask.toml", "");
    for args in [
        &["checks", "--all", "--no-bake"][..],
        &["bake", "--all"],
        &["smoke", "--all"],
        &["e2e", "test", "--all"],
        &["e2e", "test-full", "--all"],
    ] {
        empty
            .xtask(args)
            .status(2)
            .says("there are no extensions here");
    }
    let none = empty.xtask(&["targets", "--json"]).success();
    assert_eq!(none.stdout, "[]\n");
    let fixture = Fixture::new();
    fixture.extension("delta", &metadata("delta", &[("versions", "{}")]));
    for command in ["bake", "smoke"] {
        fixture
            .xtask(&[command, "delta"])
            .status(2)
            .says("there is nothing to build: `versions` is empty in the metadata of `delta`");
        // A matrix may have more shares than there are images.
        fixture
            .xtask(&[command, "gamma", "--shard", "9/9"])
            .success()
            .says("no image is in this share");
    }
}
