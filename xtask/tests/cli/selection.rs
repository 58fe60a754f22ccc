// SPDX-License-Identifier: Apache-2.0
//! Which images a call of `bake` is about: names, filters, platforms, settings.

use crate::cli::world::{BUILD, Call, World, metadata};

/// The words of the only bake, without the environment, the file of targets, the metadata file and the form of progress.
#[track_caller]
fn bake(world: &World) -> String {
    words(&world.calls.only(BUILD))
}

fn words(call: &Call) -> String {
    let names = call.extensions();
    let metadata = match &names[..] {
        [one] => one,
        _ => "",
    };
    let metadata = match metadata {
        "" => " --metadata-file target/xtask/metadata.json".to_owned(),
        one => format!(" --metadata-file target/xtask/bake/{one}.json"),
    };
    let line = call.line();
    let words = line.strip_prefix(BUILD).unwrap();
    let words = words.strip_prefix(".json ").unwrap();
    assert!(line.contains(&metadata), "{line}");
    let words = format!(" {words}").replace(&metadata, "");
    words.replace(" --progress rawjson", "").trim().to_owned()
}

/// The targets of these extensions for both distros.
fn all(names: &[&str]) -> String {
    let of = |name: &&str| format!("{name}-1_2-18-bookworm {name}-1_2-18-trixie");
    names.iter().map(of).collect::<Vec<_>>().join(" ")
}

const OWN: &str = if cfg!(target_arch = "aarch64") {
    "--set *.platform=linux/arm64"
} else {
    "--set *.platform=linux/amd64"
};

#[test]
fn all_extensions_are_one_call_however_they_are_named() {
    for args in [
        &["bake", "alpha", "gamma"][..],
        &["bake", "gamma", "alpha/", "alpha"],
        &["bake", "--target", "alpha", "--target", "gamma"],
        &["bake", "TARGET=alpha", "gamma"],
    ] {
        let world = World::new();
        world.run(args).success().says("4 images baked");
        let call = world.calls.only(BUILD);
        let mut targets: Vec<&str> = call.args();
        let targets = targets.split_off(targets.len() - 4);
        let mut sorted = targets.clone();
        sorted.sort_unstable();
        assert_eq!(sorted.join(" "), all(&["alpha", "gamma"]), "{args:?}");
        assert_eq!(
            words(&call),
            format!("{OWN} -- {}", targets.join(" ")),
            "{args:?}"
        );
    }
    for args in [&["bake", "--all"][..], &["bake:all"], &[]] {
        let world = World::new();
        world.run(args).success().says("6 images baked");
        let targets = all(&["alpha", "beta", "gamma"]);
        assert_eq!(bake(&world), format!("{OWN} -- {targets}"), "{args:?}");
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
        assert_eq!(bake(&world), format!("{OWN} -- {targets}"), "{filters:?}");
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
        let targets = all(&["alpha"]);
        assert_eq!(
            bake(&world),
            format!("{own}{words} -- {targets}"),
            "{args:?}"
        );
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
    let calls = world.calls.of("print extensions/alpha/metadata.hcl");
    let variables = ["revision", "base_image", "registry", "environment"];
    let given = calls
        .iter()
        .map(|call| variables.map(|name| call.variable(name)));
    let first = ["one", "mine:{pg}-{distro}", "file:1", "production"];
    let second = ["two", "mine:{pg}-{distro}", "variable:2", "production"];
    // Which builder it is changes nothing of what is built.
    assert_eq!(given.collect::<Vec<_>>(), [first, second]);
    let targets = all(&["alpha"]);
    let builders = ["slow", "quick", "best"];
    let builders = builders.map(|name| format!("--builder {name} {OWN} -- {targets}"));
    let calls = world.calls.of(BUILD);
    assert_eq!(calls.iter().map(words).collect::<Vec<_>>(), builders);
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
        bake(&world),
        format!("{OWN} -- alpha-1_2-18-bookworm beta-1_2-18-bookworm")
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

#[test]
fn one_that_cannot_be_read_keeps_nobody_else_from_being_built() {
    let world = World::new();
    let broken = metadata("alpha", &[("bin_path", "[\"../x\"]")]);
    world.write("extensions/alpha/metadata.hcl", &broken);
    let said = "extensions/alpha/metadata.hcl:11: error: `bin_path` has `../x`";
    for command in ["bake", "smoke"] {
        let ended = world
            .run([command, "--all", "--distro", "trixie"])
            .status(1);
        let stdout = ended.stdout.clone();
        let results: Vec<&str> = stdout.lines().skip(1).collect();
        let of = |name: &str| results.iter().find(|row| row.contains(name)).unwrap();
        assert!(of("gamma").starts_with("passed "), "{stdout}");
        assert!(of("alpha").starts_with("not read"), "{stdout}");
        let ended = ended.says(&format!(
            "warning: `alpha` is left out: its metadata has errors: {said}"
        ));
        if command == "bake" {
            // An image is built without what it needs in a server.
            assert!(of("beta").starts_with("passed "), "{stdout}");
            ended.says("error: 1 of 3 extensions cannot be read: `alpha`");
        } else {
            assert!(of("beta").starts_with("not read"), "{stdout}");
            ended
                .says(&format!(
                    "warning: `beta` is left out: it needs `alpha`: {said}"
                ))
                .says("error: 2 of 3 extensions cannot be read: `alpha`, `beta`");
        }
        let rows = world.run([command, "--all", "--json"]).status(1).json();
        let rows = rows.as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == "alpha").unwrap();
        assert_eq!(row["result"], "not read");
    }
    world.run("bake gamma").success();
    world.run("bake beta").success();
    world.run("smoke beta").status(2).says(said);
    let names = world.run("targets --json").success().json();
    assert_eq!(names, serde_json::json!(["alpha", "beta", "gamma"]));
}

#[test]
fn a_value_of_a_filter_that_fits_nothing_is_said_beside_others_that_do() {
    let world = World::new();
    for (args, said) in [
        (
            "bake gamma --distro bookwrm,trixie --dry-run",
            "`--distro bookwrm`: no image matches",
        ),
        (
            "smoke gamma --pg 18,99 --dry-run",
            "`--pg 99`: no image matches",
        ),
        (
            "targets --images --json --pg 18,99",
            "`--pg 99`: no image matches",
        ),
    ] {
        world.run(args).success().says(said);
    }
    let ended = world.run("bake gamma --distro trixie --dry-run").success();
    assert!(
        !ended.stderr.contains("no image matches"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_directory_whose_name_no_extension_can_have_is_told_from_one_that_is_not_there() {
    let world = World::new();
    world.write("extensions/Upper/metadata.hcl", "metadata = {}\n");
    world
        .run("bake Upper")
        .status(2)
        .says("`extensions/Upper` holds a metadata.hcl, but the directory's name is not")
        .says("rename the directory");
    world
        .run("bake Uper")
        .status(2)
        .says("extension `Uper` not found");
    world.write("extensions/delta/metadata.hcl", "metadata = {\n");
    world
        .run("targets")
        .success()
        .says("`delta` is left out: its metadata has errors");
}
