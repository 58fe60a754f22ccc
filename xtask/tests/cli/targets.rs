// SPDX-License-Identifier: Apache-2.0
//! `targets`, `config` and layouts: what is read from files alone.

use std::fs;

use serde_json::Value;

use crate::cli::world::{BUILD, World, metadata};

#[test]
fn names_are_one_line_of_json_and_an_empty_matrix_is_a_matrix() {
    assert_eq!(
        World::new().run("targets --json").success().stdout,
        "[\"alpha\",\"beta\",\"gamma\"]\n"
    );
    let empty = World::empty();
    for args in [
        &["targets", "--json"][..],
        &["targets", "--images", "--json"],
    ] {
        assert_eq!(empty.run(args).success().stdout, "[]\n");
    }
}

#[test]
fn what_needs_each_other_is_one_entry_of_a_matrix_if_one_wants() {
    let world = World::new();
    let groups = |world: &World, more: &str| {
        let args = format!("targets --groups --json{more}");
        world.run(args.as_str()).success().stdout
    };
    assert_eq!(groups(&world, ""), "[\"alpha,beta\",\"gamma\"]\n");
    // As a command takes it.
    world
        .run("checks alpha,beta --no-bake")
        .success()
        .says_nothing_of("gamma");
    // Two that need a third are one group with it, by way of another one too; without it they are two.
    let needs = |name: &str, needed: &str| {
        let needed = format!("[\"{needed}\"]");
        world.extension(name, &metadata(name, &[("required_extensions", &needed)]));
    };
    needs("aardvark", "beta");
    needs("zebra", "alpha");
    world.write("extensions/broken/metadata.hcl", "metadata = {\n");
    assert_eq!(
        groups(&world, ""),
        "[\"alpha,beta,aardvark,zebra\",\"broken\",\"gamma\"]\n"
    );
    let people = world.run("targets --groups").success().stdout;
    assert_eq!(people.lines().next(), Some("EXTENSIONS"), "{people}");
    for mistake in ["targets --groups --images", "targets --groups --cnpg"] {
        world.run(mistake).status(2).says("cannot be used with");
    }
}

#[test]
fn releases_of_the_operator_are_a_matrix_too() {
    let world = World::empty();
    world.write("xtask.toml", "[cnpg]\nrelease = \"1.31\"\n");
    let listed = world.run("targets --cnpg --json").success();
    assert_eq!(listed.stdout, "[\"1.30\",\"1.31\",\"main\"]\n");
    world.write("xtask.toml", "[cnpg]\nrelease = \"main\"\n");
    let refused = world.run("targets --cnpg --json").status(2);
    refused
        .says("setting `cnpg.release` is `main`, and which release came before it is not known")
        .says("`cnpg.releases`");
    world.write("xtask.toml", "[cnpg]\nreleases = [\"1.29.1\"]\n");
    let listed = world.run("targets --cnpg").success();
    assert_eq!(listed.stdout, "RELEASE\n1.29.1\n");
}

#[test]
fn images_have_all_that_a_matrix_needs() {
    let world = World::new();
    let packages = [(
        "versions",
        "{ trixie = { \"18\" = { package = \"1:6.1.0-2.pgdg13+1\", sql = \"6.1\" } } }",
    )];
    world.extension("gamma", &metadata("gamma", &packages));
    let images = world.run("targets --images --json").success().json();
    let gamma = images
        .as_array()
        .unwrap()
        .iter()
        .find(|image| image["name"] == "gamma")
        .unwrap();
    for (field, value) in [
        ("target", "gamma-1-6_1_0-18-trixie"),
        ("distro", "trixie"),
        ("pg_major", "18"),
        ("version", "1-6.1.0"),
        ("package", "1:6.1.0-2.pgdg13+1"),
        ("sql_version", "6.1"),
        ("image", "localhost:5000/gamma-testing"),
        (
            "base",
            "ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie",
        ),
    ] {
        assert_eq!(gamma[field], value, "{field}");
    }
    assert_eq!(
        gamma["tags"][0],
        "localhost:5000/gamma-testing:1-6.1.0-18-trixie"
    );
    assert_eq!(gamma["platforms"].as_array().unwrap().len(), 2);
}

/// A world in which bake prints other texts of `gamma`.
fn printing(changes: &[(&str, &str)]) -> World {
    let world = World::new();
    let versions = "{ trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\", sql = \"1.2\" } } }";
    world.extension("gamma", &metadata("gamma", &[("versions", versions)]));
    for (from, to) in changes {
        world.docker.prints("gamma", from, to);
    }
    world
}

#[test]
fn a_version_that_nothing_says_is_none() {
    let of_gamma = |changes: &[(&str, &str)]| {
        let ended = printing(changes).run("targets --images --json").success();
        let images = ended.json();
        let mut images = images.as_array().unwrap().iter();
        let gamma = images.find(|image| image["name"] == "gamma").unwrap();
        (gamma["tags"][0].clone(), gamma["version"].clone())
    };
    let tag = |tag: &str| Value::from(format!("localhost:5000/gamma:{tag}"));
    let untold = [
        ("gamma@testing@:1.2-18-trixie", "gamma:18-trixie"),
        ("image.version=1.2", "image.version="),
    ];
    let of_package = (tag("18-trixie"), Value::from("1.2"));
    assert_eq!(of_gamma(&untold), of_package);
    let of_metadata = ("\"EXT_VERSION\":\"1.2-1.pgdg13+1\"", "\"OTHER\":\"\"");
    let without_package = [&untold[..], &[of_metadata]].concat();
    assert_eq!(of_gamma(&without_package), of_package);
    let not_pinned = [
        ("base.pgmajor=18", "base.pgmajor=17"),
        ("gamma:18-trixie", "gamma:latest"),
    ];
    let unknown = [&without_package[..], &not_pinned].concat();
    assert_eq!(of_gamma(&unknown), (tag("latest"), Value::Null));
}

#[test]
fn a_target_for_no_server_is_no_image_and_is_named() {
    let tests = [
        ("\"targets\":[", "\"targets\":[\"tests\","),
        (
            "\"target\":{",
            "\"target\":{\"tests\":{\"output\":[\"type=cacheonly\"]},",
        ),
    ];
    let world = printing(&tests);
    let warning = "warning: target `tests` of bake: for which PostgreSQL it is, is not known: nothing says; it is left out of the images of `gamma`; if it is one, annotate it";
    let ended = world.run("bake gamma").success().says(warning);
    assert_eq!(ended.stderr.matches("`tests`").count(), 1, "{ended:?}");
    assert_eq!(world.calls.only(BUILD).extensions(), ["gamma"]);
    let images = world.run("targets --images --json").success().says(warning);
    assert!(!images.stdout.contains("tests"), "{images:?}");
    world.run("smoke gamma").success().says(warning);

    // Where it is all that there is, it is refused.
    let alone = printing(&[
        ("\"gamma-1_2-18-trixie\"", "\"tests\""),
        ("base.pgmajor=18", "base.pgmajor="),
        ("\"PG_MAJOR\":\"18\"", "\"PG_MAJOR\":\"\""),
    ]);
    let ended = alone.run("bake gamma --dry-run").status(2);
    ended.says("error: target `tests` of bake: for which PostgreSQL it is, is not known: its `io.cloudnativepg.image.base.os` is `trixie`; ");
}

#[test]
fn images_of_one_extension_for_one_server_are_tested_under_names_of_their_own() {
    let twin = "\"target\":{\"gamma-fat-18-trixie\":{\"tags\":[\"x.io/gamma:fat\"]},";
    let world = printing(&[
        ("\"targets\":[", "\"targets\":[\"gamma-fat-18-trixie\","),
        ("\"target\":{", twin),
    ]);
    let dry = world.run("smoke gamma --dry-run").success().stdout;
    let words = dry.split_whitespace();
    let names = words.clone().zip(words.skip(1));
    let names = names.filter_map(|(word, name)| {
        (word == "--name" && name.starts_with("xtask-smoke-")).then_some(name)
    });
    let names: Vec<&str> = names.collect();
    let [one, other] = names[..] else {
        panic!("not two tests:\n{dry}");
    };
    assert!(
        one.ends_with("-gamma-18-trixie-gamma-fat-18-trixie"),
        "{one}"
    );
    assert!(
        other.ends_with("-gamma-18-trixie-gamma-1_2-18-trixie"),
        "{other}"
    );
}

#[test]
fn an_image_that_nobody_could_name_is_said_with_a_tag_that_would_do() {
    let plain = ("\"@registry@/gamma@testing@:1.2-18-trixie\",", "");
    let stamped = ("\"@registry@/gamma@testing@:1.2-@now@-18-trixie\"", "");
    let like = "in the bake file, like `tags = [\"localhost:5000/gamma:18-trixie\"]`";
    let ended = printing(&[plain]).run("bake gamma --dry-run").status(2);
    ended
        .says("all its tags have the time of the bake in them, like `localhost:5000/gamma-testing:1.2-{YYYYMMDDhhmm}-18-trixie`: nobody could name the image")
        .says(&format!("hint: add one without it {like}"));
    let world = printing(&[plain, stamped]);
    let ended = world.run("bake gamma --dry-run").status(2);
    ended
        .says("target `gamma-1_2-18-trixie` of bake: it has no tag: nobody could name the image")
        .says(&format!("hint: give it one {like}"));
}

#[test]
fn settings_show_where_they_come_from() {
    let world = World::new();
    world.write("xtask.toml", "[bake]\njobs = 3\n");
    let settings = world
        .run_with("config --json", &[("registry", "ghcr.io/me")])
        .success()
        .json();
    let origin = |key: &str| {
        let setting = settings
            .as_array()
            .unwrap()
            .iter()
            .find(|setting| setting["key"] == key)
            .unwrap();
        (
            setting["value"].as_str().unwrap().to_owned(),
            setting["origin"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(origin("bake.jobs"), ("3".into(), "xtask.toml:2".into()));
    assert_eq!(
        origin("registry"),
        ("ghcr.io/me".into(), "environment variable registry".into())
    );
    assert_eq!(origin("environment"), ("testing".into(), "default".into()));
}

#[test]
fn a_repository_of_the_old_layout_needs_no_file_of_ours() {
    let world = World::new();
    for name in ["alpha", "beta"] {
        fs::rename(
            world.root().join("extensions").join(name),
            world.root().join(name),
        )
        .unwrap();
    }
    fs::rename(
        world.root().join("docker/bake.hcl"),
        world.root().join("docker-bake.hcl"),
    )
    .unwrap();
    let old = "// As the old tooling wants it.\ntarget \"default\" {\n  name = getBuildName(metadata.name, build.distro, build.pgVersion)\n  matrix = { build = getBuildMatrix() }\n  args = { MORE = \"3\" }\n}\n";
    world.write("alpha/metadata.hcl", &(metadata("alpha", &[]) + old));
    fs::remove_file(world.root().join("xtask.toml")).unwrap();
    assert_eq!(
        world.run("targets --json").success().stdout,
        "[\"alpha\",\"beta\"]\n"
    );
    let dry = world.run("bake alpha --dry-run").success().stdout;
    assert!(
        dry.contains("-f docker-bake.hcl -f alpha/metadata.hcl"),
        "{dry}"
    );
    world.write(
        "xtask.toml",
        "[paths]\nextensions = \".\"\nbake-file = \"docker-bake.hcl\"\n",
    );
    assert_eq!(world.run("bake alpha --dry-run").success().stdout, dry);
    // From a folder below, the same commands with the way to the root in front.
    let output = world
        .command("bake alpha --dry-run")
        .current_dir(world.root().join("beta"))
        .output()
        .unwrap();
    let below = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(below, format!("cd {}\n{dry}", world.root().display()));
}

#[test]
fn data_that_cannot_be_written_is_a_failure() {
    let world = World::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = world
        .command("targets --json")
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
}
