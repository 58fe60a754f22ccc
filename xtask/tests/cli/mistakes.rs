// SPDX-License-Identifier: Apache-2.0
//! Wrong input: one message that says what, where, what was allowed, and how to fix it. Status 2.

use crate::cli::world::{World, metadata};

#[test]
fn wrong_arguments_are_named() {
    let world = World::new();
    for (args, message) in [
        (
            &["bake", "alpa"][..],
            "extension `alpa` not found; did you mean `alpha`?",
        ),
        (
            &["smoke", "mysql"],
            "known extensions: `alpha`, `beta`, `gamma`",
        ),
        (&["bake"], "which extension?"),
        (&["checks"], "which extension?"),
        (
            &["bake", "alpha", "--distro", "sid"],
            "the metadata names the distros `bookworm`, `trixie` and the majors `18`",
        ),
        (
            &["bake", "alpha", "--pg", "17"],
            "`--pg 17`: no image matches",
        ),
        (
            &["bake", "alpha", "--pussh"],
            "a similar argument exists: '--push'",
        ),
        (&["bak", "alpha"], "a similar subcommand exists: 'bake'"),
        (
            &["bake", "TARGT=alpha"],
            "unknown variable `TARGT`; did you mean `TARGET`?",
        ),
        (
            &["bake:al"],
            "unknown task `bake:al`; did you mean `bake:all`?",
        ),
        (
            &["bake", "TARGET=alpha", "PUSH=yes"],
            "variable `PUSH` must be `true` or `false`",
        ),
        (&["bake", "alpha", "--jobs", "0"], "0 is not in 1.."),
        (
            &["smoke", "alpha", "--image", "a b"],
            "`a b` is not an image reference",
        ),
        (
            &["smoke", "--all", "--image", "x"],
            "name the one extension that is in it",
        ),
        (
            &["bake", "alpha", "--base", "debian"],
            "`--base debian` makes its base image in the sandbox",
        ),
        (
            &["targets", "--changed-since", "nowhere"],
            "failed to find the commit",
        ),
    ] {
        let status = if message.starts_with("failed") { 3 } else { 2 };
        world.run(args).status(status).says(message);
    }
    assert!(
        world.calls.of_work().is_empty(),
        "{:?}",
        world.calls.of_work()
    );
}

#[test]
fn wrong_metadata_is_named_with_its_line_before_any_tool_runs() {
    for (from, to, message) in [
        (
            "  name = \"gamma\"\n",
            "",
            "extensions/gamma/metadata.hcl:1: error: missing field `name`",
        ),
        (
            "bin_path = []",
            "bin_path = 7",
            "`bin_path` is a number; it must be a list of strings",
        ),
        (
            "\"1.2-1.pgdg13+1\"",
            "1.30",
            "`versions.trixie.\"18\".package` is a number; it must be a string (quote it)",
        ),
        ("metadata = {", "metadata = {{", "error: not valid HCL"),
        (
            "required_extensions = []",
            "required_extensions = [\"delta\"]",
            "`required_extensions` names `delta`, which does not exist",
        ),
        (
            "name = \"gamma\"",
            "name = \"<name-here>\"",
            "still holds the placeholder",
        ),
    ] {
        let world = World::new();
        let good = metadata("gamma", &[]);
        assert!(good.contains(from), "{from}");
        world.extension("gamma", &good.replacen(from, to, 1));
        world.run("smoke gamma").status(2).says(message);
        assert!(world.calls.of_work().is_empty());
        // The others are not held up by it.
        world.run("bake alpha --dry-run").success();
    }
}

#[test]
fn circles_and_twins_are_found() {
    let world = World::new();
    world.extension(
        "alpha",
        &metadata("alpha", &[("required_extensions", "[\"beta\"]")]),
    );
    world.extension("gamma", &metadata("gamma", &[("image_name", "\"beta\"")]));
    world
        .run("checks --all --no-bake")
        .status(2)
        .says("`required_extensions` form a cycle: alpha -> beta -> alpha")
        .says("`image_name` is `beta`, which `beta` has too");
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let world = World::new();
    world.write("xtask.toml", "[bake]\njobz = 2\n");
    world
        .run("targets")
        .status(2)
        .says("`xtask.toml` line 2: unknown setting `bake.jobz`; did you mean `bake.jobs`?");
    world.write("xtask.toml", "registry = \n");
    world.run("targets").status(2).says("`xtask.toml` line 1: ");
    world.write("xtask.toml", "");
    world
        .run_with("targets", &[("environment", "staging")])
        .status(2)
        .says("setting `environment` is `staging` (environment variable environment); it must be one of `testing`, `production`");
}

#[test]
fn a_place_that_is_no_repository_and_one_that_cannot_be_written_are_named() {
    let world = World::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let output = world
        .command("targets")
        .current_dir(elsewhere.path())
        .output()
        .unwrap();
    super::world::Ended::from(&output)
        .status(2)
        .says("is not inside a repository of extensions");
    // Root may write anywhere, but not make a folder of a file.
    world.write("target", "a file");
    world
        .run("bake alpha")
        .status(3)
        .says("cannot write below `target/xtask`");
}
