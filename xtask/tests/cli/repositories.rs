// SPDX-License-Identifier: Apache-2.0
//! Repositories as they are found: empty, foreign, below another one, under git.

use std::{fs, process::Command};

use super::fixture::{Ended, Fixture, metadata};

/// Turns the fixture into a repository of the old tooling: everything at the root, no file of ours.
fn old_layout(fixture: &Fixture) {
    for name in ["alpha", "beta", "gamma"] {
        fs::rename(
            fixture.root().join("extensions").join(name),
            fixture.root().join(name),
        )
        .unwrap();
    }
    fs::remove_dir_all(fixture.root().join("extensions")).unwrap();
    fs::remove_dir_all(fixture.root().join("docker")).unwrap();
    fs::remove_file(fixture.root().join("xtask.toml")).unwrap();
    fixture.write("docker-bake.hcl", "// The old tooling's.\n");
    let comment = "    // renovate: suite=trixie-pgdg depName=postgresql-18-alpha\n";
    let text = metadata("alpha", &[]).replace("    trixie =", &format!("{comment}    trixie ="));
    let target = "\ntarget \"default\" {\n  name = \"${metadata.sql_name}-${sanitize(getVersion(tgt, pgVersion))}\"\n  matrix = {\n    tgt = [\"trixie\"]\n    pgVersion = [\"18\"]\n  }\n  args = {\n    MORE = \"${tgt}\"\n  }\n}\n";
    fixture.write("alpha/metadata.hcl", &(text + target));
}

fn git(fixture: &Fixture, args: &[&str]) {
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
        .arg(fixture.root())
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn changed(fixture: &Fixture) -> String {
    let args = ["targets", "--changed-since", "HEAD", "--json"];
    fixture.xtask(&args).success().stdout
}

#[test]
fn an_empty_one_has_nothing_to_do_and_says_so() {
    let fixture = Fixture::empty();
    assert_eq!(
        fixture
            .xtask(&["targets", "--json", "--distro", "trixie"])
            .success()
            .stdout,
        "[]\n"
    );
    for args in [
        &["checks", "--all"][..],
        &["bake", "--all"],
        &["smoke", "--all"],
        &[],
    ] {
        let ended = fixture.xtask(args);
        assert!(matches!(ended.status, Some(0 | 2)), "{args:?}: {ended:#?}");
        assert!(!ended.stderr.trim().is_empty(), "{args:?}: {ended:#?}");
    }
    assert!(fixture.calls().is_empty());
}

#[test]
fn one_without_the_folder_of_extensions_says_which_setting_names_it() {
    let fixture = Fixture::empty();
    fs::remove_dir_all(fixture.root().join("extensions")).unwrap();
    fixture
        .xtask(&["targets"])
        .status(2)
        .says("extensions")
        .says("hint: set `[paths] extensions` in xtask.toml");
}

#[test]
fn an_old_one_is_driven_as_it_is() {
    let fixture = Fixture::new();
    old_layout(&fixture);
    let before = fixture.files();
    assert_eq!(
        fixture.xtask(&["targets", "--json"]).success().stdout,
        "[\"alpha\",\"beta\",\"gamma\"]\n"
    );
    fixture.xtask(&["checks", "--all"]).success();
    fixture.xtask(&["bake", "alpha", "--jobs", "1"]).success();
    assert_eq!(
        fixture.calls_of("[--metadata-file]")[0]
            .split_once("[bake] ")
            .unwrap()
            .1
            .split_once(" [--metadata-file]")
            .unwrap()
            .0,
        "[-f] [docker-bake.hcl] [-f] [alpha/metadata.hcl]"
    );
    let config = fixture.xtask(&["config"]).success().stdout;
    assert!(config.contains("layout: docker-bake.hcl"), "{config}");
    let mut after = fixture.files();
    after.retain(|path| !path.starts_with(fixture.root().join("target")));
    assert_eq!(after, before, "only `target` is ours");
}

#[test]
fn settings_of_paths_win_over_what_the_layout_suggests() {
    let fixture = Fixture::new();
    old_layout(&fixture);
    fs::create_dir(fixture.root().join("images")).unwrap();
    fs::rename(
        fixture.root().join("alpha"),
        fixture.root().join("images/alpha"),
    )
    .unwrap();
    fixture.write("build/bake.hcl", "");
    fixture.write(
        "xtask.toml",
        "[paths]\nextensions = \"./images/\"\nbake-file = \"build/bake.hcl\"\n",
    );
    let dry = fixture
        .xtask(&["bake", "alpha", "--dry-run"])
        .success()
        .stdout;
    assert!(
        dry.contains("bake -f build/bake.hcl -f images/alpha/metadata.hcl "),
        "{dry}"
    );
    fixture.write("xtask.toml", "[paths]\nextensions = \"/somewhere\"\n");
    fixture
        .xtask(&["targets"])
        .status(2)
        .says("setting `paths.extensions` is `/somewhere`; it must be relative");
}

#[test]
fn the_nearest_one_upwards_is_meant() {
    let fixture = Fixture::new();
    fixture.write("vendor/foreign/docker-bake.hcl", "");
    fixture.write("vendor/foreign/omega/metadata.hcl", &metadata("omega", &[]));
    fixture.write("vendor/ours/xtask.toml", "");
    fixture.write(
        "vendor/ours/extensions/psi/metadata.hcl",
        &metadata("psi", &[]),
    );
    for (folder, names) in [
        ("vendor", "[\"alpha\",\"beta\",\"gamma\"]\n"),
        ("vendor/ours/extensions/psi", "[\"psi\"]\n"),
        ("vendor/foreign/omega", "[\"omega\"]\n"),
    ] {
        let output = fixture
            .command(&["targets", "--json"])
            .current_dir(fixture.root().join(folder))
            .output()
            .unwrap();
        assert_eq!(Ended::from(&output).success().stdout, names, "{folder}");
    }
}

#[test]
fn from_a_folder_below_everything_lands_where_it_belongs() {
    let fixture = Fixture::new();
    let below = fixture.root().join("extensions/alpha");
    let output = fixture
        .command(&["bake", "alpha", "--metadata-file", "../all.json"])
        .current_dir(&below)
        .output()
        .unwrap();
    Ended::from(&output).success();
    assert!(fixture.exists("extensions/all.json"));
    assert!(fixture.exists("target/xtask/runs"));
    assert!(!below.join("target").exists());
    assert!(fixture.calls_of("[bake]")[0].contains("[-f] [docker/bake.hcl]"));
}

#[test]
fn under_git_names_are_taken_as_they_are() {
    let fixture = Fixture::new();
    fixture.link("git");
    fixture.write("extensions/gamma/grüße \"1\".txt", "one");
    git(&fixture, &["init", "--quiet"]);
    git(&fixture, &["add", "."]);
    git(&fixture, &["commit", "--quiet", "-m", "one"]);
    fixture.write("extensions/gamma/grüße \"1\".txt", "two");
    assert_eq!(changed(&fixture), "[\"gamma\"]\n");
    git(&fixture, &["checkout", "--quiet", "."]);
    fixture.write("extensions/gamma/neu ü.txt", "new");
    assert_eq!(changed(&fixture), "[\"gamma\"]\n");
}

#[test]
fn under_git_an_extension_that_is_gone_changes_no_other() {
    let fixture = Fixture::new();
    fixture.link("git");
    git(&fixture, &["init", "--quiet"]);
    git(&fixture, &["add", "."]);
    git(&fixture, &["commit", "--quiet", "-m", "one"]);
    fs::remove_dir_all(fixture.root().join("extensions/gamma")).unwrap();
    assert_eq!(changed(&fixture), "[]\n");
}

#[test]
fn under_git_an_old_one_below_the_top_folder_works_too() {
    let fixture = Fixture::new();
    old_layout(&fixture);
    fixture.link("git");
    let below = fixture.root().join("images");
    fs::create_dir(&below).unwrap();
    for name in ["alpha", "beta", "gamma", "docker-bake.hcl"] {
        fs::rename(fixture.root().join(name), below.join(name)).unwrap();
    }
    git(&fixture, &["init", "--quiet"]);
    git(&fixture, &["add", "."]);
    git(&fixture, &["commit", "--quiet", "-m", "one"]);
    fixture.write("images/gamma/more", "");
    fixture.write("elsewhere", "not part of it");
    let output = fixture
        .command(&["targets", "--changed-since", "HEAD", "--json"])
        .current_dir(&below)
        .output()
        .unwrap();
    assert_eq!(Ended::from(&output).success().stdout, "[\"gamma\"]\n");
}

#[test]
fn under_git_only_what_differs_from_the_common_ancestor_counts() {
    let fixture = Fixture::new();
    fixture.link("git");
    git(&fixture, &["init", "--quiet"]);
    git(&fixture, &["add", "."]);
    git(&fixture, &["commit", "--quiet", "-m", "one"]);
    git(&fixture, &["checkout", "--quiet", "-b", "mine"]);
    fixture.write("extensions/gamma/mine", "");
    git(&fixture, &["add", "."]);
    git(&fixture, &["commit", "--quiet", "-m", "mine"]);
    git(&fixture, &["checkout", "--quiet", "main"]);
    fixture.write("docker/bake.hcl", "// theirs\n");
    git(&fixture, &["commit", "--quiet", "-am", "theirs"]);
    git(&fixture, &["checkout", "--quiet", "mine"]);
    let args = ["targets", "--changed-since", "main", "--json"];
    assert_eq!(fixture.xtask(&args).success().stdout, "[\"gamma\"]\n");
}

#[test]
fn extensions_with_libraries_of_the_system_are_listed_on_their_own() {
    let fixture = Fixture::new();
    fixture.extension(
        "gamma",
        &metadata("gamma", &[("auto_update_os_libs", "true")]),
    );
    let args = ["targets", "--os-libs", "--json"];
    assert_eq!(fixture.xtask(&args).success().stdout, "[\"gamma\"]\n");
}
