// SPDX-License-Identifier: Apache-2.0
//! Repositories as they are found: empty, foreign, below another one, under git.

use std::{fs, process::Command};

use crate::cli::world::{BUILD, Ended, World, metadata};

/// Turns the fixture into a repository of the old tooling: everything at the root, no file of ours.
fn old_layout(world: &World) {
    for name in ["alpha", "beta", "gamma"] {
        fs::rename(
            world.root().join("extensions").join(name),
            world.root().join(name),
        )
        .unwrap();
    }
    fs::remove_dir_all(world.root().join("extensions")).unwrap();
    fs::remove_dir_all(world.root().join("docker")).unwrap();
    fs::remove_file(world.root().join("xtask.toml")).unwrap();
    world.write("docker-bake.hcl", "// The old tooling's.\n");
    let comment = "    // renovate: suite=trixie-pgdg depName=postgresql-18-alpha\n";
    let text = metadata("alpha", &[]).replace("    trixie =", &format!("{comment}    trixie ="));
    let target = "\ntarget \"default\" {\n  name = \"${metadata.sql_name}-${sanitize(getVersion(tgt, pgVersion))}\"\n  matrix = {\n    tgt = [\"trixie\"]\n    pgVersion = [\"18\"]\n  }\n  args = {\n    MORE = \"${tgt}\"\n  }\n}\n";
    world.write("alpha/metadata.hcl", &(text + target));
}

fn git(world: &World, args: &[&str]) {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(["-c", "commit.gpgsign=false", "-C"])
        .arg(world.root())
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn changed(world: &World) -> String {
    let args = ["targets", "--changed-since", "HEAD", "--json"];
    world.run(args).success().stdout
}

#[test]
fn an_empty_one_has_nothing_to_do_and_says_so() {
    let world = World::empty();
    assert_eq!(
        world.run("targets --json --distro trixie").success().stdout,
        "[]\n"
    );
    for args in [
        &["checks", "--all"][..],
        &["bake", "--all"],
        &["smoke", "--all"],
        &[],
    ] {
        let ended = world.run(args);
        assert!(matches!(ended.status, Some(0 | 2)), "{args:?}: {ended:#?}");
        assert!(!ended.stderr.trim().is_empty(), "{args:?}: {ended:#?}");
    }
    assert!(world.calls.of_work().is_empty());
}

#[test]
fn one_without_the_folder_of_extensions_says_which_setting_names_it() {
    let world = World::empty();
    fs::remove_dir_all(world.root().join("extensions")).unwrap();
    world
        .run("targets")
        .status(2)
        .says("extensions")
        .says("hint: set `[paths] extensions` in xtask.toml");
}

#[test]
fn one_whose_extensions_are_elsewhere_says_where() {
    let world = World::empty();
    world
        .run("checks --all")
        .status(2)
        .says("no folder of this repository holds a `metadata.hcl`")
        .says("hint: an extension is a folder with a `metadata.hcl`, which says its name and versions; the setting `paths.extensions`");
    let targets = world.run("targets --json").success().says(
        "warning: there are no extensions here: no folder of this repository holds a `metadata.hcl`; an extension is a folder with",
    );
    assert_eq!(targets.stdout, "[]\n");
    world.write("target/x/omega/metadata.hcl", "");
    world.write("images/debian/psi/metadata.hcl", &metadata("psi", &[]));
    world
        .run("checks --all")
        .status(2)
        .says("hint: `images/debian` has such folders: set `[paths] extensions = \"images/debian\"` in xtask.toml");
    world.write("xtask.toml", "[paths]\nextensions = \"images/debian\"\n");
    assert_eq!(world.run("targets --json").success().stdout, "[\"psi\"]\n");
}

#[test]
fn an_old_one_is_driven_as_it_is() {
    let world = World::new();
    old_layout(&world);
    let before = world.files();
    assert_eq!(
        world.run("targets --json").success().stdout,
        "[\"alpha\",\"beta\",\"gamma\"]\n"
    );
    world.run("checks --all").success();
    world.run("bake alpha --jobs 1").success();
    assert_eq!(
        world.calls.only("print alpha/metadata.hcl").args(),
        [
            "buildx",
            "bake",
            "-f",
            "docker-bake.hcl",
            "-f",
            "alpha/metadata.hcl",
            "--print"
        ]
    );
    assert_eq!(
        world
            .calls
            .only(&format!("{BUILD}.json --metadata-file"))
            .extensions(),
        ["alpha"]
    );
    let config = world.run("config").success().stdout;
    assert!(config.contains("layout: docker-bake.hcl"), "{config}");
    let mut after = world.files();
    after.retain(|path| !path.starts_with(world.root().join("target")));
    assert_eq!(after, before, "only `target` is ours");
}

#[test]
fn an_old_one_has_a_dockerfile_in_each_directory_whatever_its_metadata_names() {
    let world = World::new();
    old_layout(&world);
    let named = "\"gamma\"\n  packages = [\"postgresql-{pg}-gamma\"]";
    let text = metadata("gamma", &[("image_name", named)]);
    world.write("gamma/metadata.hcl", &text);
    world.run("checks gamma").success();
    fs::remove_file(world.root().join("gamma/Dockerfile")).unwrap();
    world
        .run("checks gamma")
        .status(2)
        .says("gamma/Dockerfile: error: missing: there is nothing to build");
    // Its bake file may build by any other.
    world
        .run("checks gamma --no-bake")
        .success()
        .says("gamma/Dockerfile: warning: missing: bake was not asked which file it builds by");
}

#[test]
fn settings_of_paths_win_over_what_the_layout_suggests() {
    let world = World::new();
    old_layout(&world);
    fs::create_dir(world.root().join("images")).unwrap();
    fs::rename(
        world.root().join("alpha"),
        world.root().join("images/alpha"),
    )
    .unwrap();
    world.write("build/bake.hcl", "");
    world.write(
        "xtask.toml",
        "[paths]\nextensions = \"./images/\"\nbake-file = \"build/bake.hcl\"\n",
    );
    let dry = world.run("bake alpha --dry-run").success().stdout;
    assert!(
        dry.contains("bake -f build/bake.hcl -f images/alpha/metadata.hcl "),
        "{dry}"
    );
    world.write("xtask.toml", "[paths]\nextensions = \"/somewhere\"\n");
    world
        .run("targets")
        .status(2)
        .says("setting `paths.extensions` is `/somewhere`; it must be relative");
}

#[test]
fn the_nearest_one_upwards_is_meant() {
    let world = World::new();
    world.write("vendor/foreign/docker-bake.hcl", "");
    world.write("vendor/foreign/omega/metadata.hcl", &metadata("omega", &[]));
    world.write("vendor/ours/xtask.toml", "");
    world.write("vendor/ours/docker/bake.hcl", "");
    world.write(
        "vendor/ours/extensions/psi/metadata.hcl",
        &metadata("psi", &[]),
    );
    for (folder, names) in [
        ("vendor", "[\"alpha\",\"beta\",\"gamma\"]\n"),
        ("vendor/ours/extensions/psi", "[\"psi\"]\n"),
        ("vendor/foreign/omega", "[\"omega\"]\n"),
    ] {
        let output = world
            .command("targets --json")
            .current_dir(world.root().join(folder))
            .output()
            .unwrap();
        assert_eq!(Ended::from(&output).success().stdout, names, "{folder}");
    }
}

#[test]
fn from_a_folder_below_everything_lands_where_it_belongs() {
    let world = World::new();
    let below = world.root().join("extensions/alpha");
    let output = world
        .command("bake alpha --metadata-file ../all.json")
        .current_dir(&below)
        .output()
        .unwrap();
    Ended::from(&output).success();
    assert!(world.exists("extensions/all.json"));
    assert!(world.exists("target/xtask/runs"));
    assert!(!below.join("target").exists());
    assert!(
        world
            .calls
            .only("print ")
            .line()
            .contains(" -f docker/bake.hcl ")
    );
}

#[test]
fn under_git_names_are_taken_as_they_are() {
    let world = World::new();
    world.tools.real("git");
    world.write("extensions/gamma/grüße \"1\".txt", "one");
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "."]);
    git(&world, &["commit", "--quiet", "-m", "one"]);
    world.write("extensions/gamma/grüße \"1\".txt", "two");
    assert_eq!(changed(&world), "[\"gamma\"]\n");
    git(&world, &["checkout", "--quiet", "."]);
    world.write("extensions/gamma/neu ü.txt", "new");
    assert_eq!(changed(&world), "[\"gamma\"]\n");
}

#[test]
fn under_git_an_extension_that_is_gone_changes_no_other() {
    let world = World::new();
    world.tools.real("git");
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "."]);
    git(&world, &["commit", "--quiet", "-m", "one"]);
    fs::remove_dir_all(world.root().join("extensions/gamma")).unwrap();
    assert_eq!(changed(&world), "[]\n");
}

#[test]
fn under_git_an_old_one_below_the_top_folder_works_too() {
    let world = World::new();
    old_layout(&world);
    world.tools.real("git");
    let below = world.root().join("images");
    fs::create_dir(&below).unwrap();
    for name in ["alpha", "beta", "gamma", "docker-bake.hcl"] {
        fs::rename(world.root().join(name), below.join(name)).unwrap();
    }
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "."]);
    git(&world, &["commit", "--quiet", "-m", "one"]);
    world.write("images/gamma/more", "");
    world.write("elsewhere", "not part of it");
    let output = world
        .command("targets --changed-since HEAD --json")
        .current_dir(&below)
        .output()
        .unwrap();
    assert_eq!(Ended::from(&output).success().stdout, "[\"gamma\"]\n");
}

#[test]
fn under_git_only_what_differs_from_the_common_ancestor_counts() {
    let world = World::new();
    world.tools.real("git");
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "."]);
    git(&world, &["commit", "--quiet", "-m", "one"]);
    git(&world, &["checkout", "--quiet", "-b", "mine"]);
    world.write("extensions/gamma/mine", "");
    git(&world, &["add", "."]);
    git(&world, &["commit", "--quiet", "-m", "mine"]);
    git(&world, &["checkout", "--quiet", "main"]);
    world.write("docker/bake.hcl", "// theirs\n");
    git(&world, &["commit", "--quiet", "-am", "theirs"]);
    git(&world, &["checkout", "--quiet", "mine"]);
    let args = ["targets", "--changed-since", "main", "--json"];
    assert_eq!(world.run(args).success().stdout, "[\"gamma\"]\n");
}

#[test]
fn extensions_with_libraries_of_the_system_are_listed_on_their_own() {
    let world = World::new();
    world.extension(
        "gamma",
        &metadata("gamma", &[("auto_update_os_libs", "true")]),
    );
    let args = ["targets", "--os-libs", "--json"];
    assert_eq!(world.run(args).success().stdout, "[\"gamma\"]\n");
}
