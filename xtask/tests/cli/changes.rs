// SPDX-License-Identifier: Apache-2.0
//! `targets --changed-since`: which extensions a change concerns, by a real Git.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

use crate::cli::world::{World, metadata};

#[track_caller]
fn git(folder: &Path, args: &[&str]) {
    let own = [
        "user.name=t",
        "user.email=t@example.org",
        "init.defaultBranch=main",
        "protocol.file.allow=always",
    ];
    let output = Command::new("git")
        .args(own.iter().flat_map(|one| ["-c", one]))
        .arg("-C")
        .arg(folder)
        .args(args)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
}

/// The three extensions, all in one commit.
fn with_git() -> World {
    let world = World::new();
    world.tools.real("git");
    git(&world.root(), &["init"]);
    commit(&world);
    world
}

fn commit(world: &World) {
    git(&world.root(), &["add", "."]);
    git(&world.root(), &["commit", "--allow-empty", "-m", "one"]);
}

/// What concerns whom since a commit: a line of JSON.
#[track_caller]
fn since(world: &World, reference: &str) -> String {
    world
        .run(["targets", "--changed-since", reference, "--json"])
        .success()
        .stdout
}

#[test]
fn what_differs_from_a_commit_is_what_is_listed() {
    let world = with_git();
    let git = |args: &[&str]| git(&world.root(), args);
    let changed = || since(&world, "HEAD");
    assert_eq!(changed(), "[]\n");
    // Neither an owner nor another workflow is in an image, nor is prose, wherever it is.
    for file in [
        "NOTES.md",
        "CODEOWNERS",
        "renovate.json",
        "templates/Dockerfile.tmpl",
        ".github/workflows/catalogs.yml",
        "extensions/gamma/README.md",
        "test/README.md",
    ] {
        world.write(file, "prose");
        assert_eq!(changed(), "[]\n", "{file}");
    }
    world.write("extensions/gamma/smoke.sql", "SELECT 2;");
    assert_eq!(changed(), "[\"gamma\"]\n");
    world.write("extensions/alpha/new.txt", "new");
    assert_eq!(
        changed(),
        "[\"alpha\",\"beta\",\"gamma\"]\n",
        "beta needs alpha"
    );
    git(&["add", "."]);
    git(&["commit", "-m", "two"]);
    fs::remove_dir_all(world.root().join("extensions/gamma")).unwrap();
    assert_eq!(changed(), "[]\n", "what is gone is built by nobody");
    git(&["checkout", "extensions/gamma"]);
    for file in [
        "docker/bake.hcl",
        "xtask.toml",
        "test/cluster.yaml",
        "xtask/src/main.rs",
    ] {
        world.write(file, "# changed\n");
        assert_eq!(changed(), "[\"alpha\",\"beta\",\"gamma\"]\n", "{file}");
        git(&["add", "."]);
        git(&["commit", "-m", "more", "--allow-empty"]);
    }
    world.write("xtask.toml", "[targets]\nshared = [\"base/**\"]\n");
    git(&["add", "."]);
    git(&["commit", "-m", "settings"]);
    world.write("docker/bake.hcl", "// not shared");
    assert_eq!(changed(), "[]\n");
    world.write("base/image.txt", "");
    assert_eq!(changed(), "[\"alpha\",\"beta\",\"gamma\"]\n");
    world
        .run("targets --set targets.shared=/etc/passwd")
        .status(2)
        .says("it must be a list; `/etc/passwd` in it must be a glob");
    world
        .run("targets --changed-since nowhere")
        .status(2)
        .says("`nowhere` is not a commit");
}

/// Alpha is needed by beta; what is of gamma concerns gamma alone.
const BOTH: &str = "[\"alpha\",\"beta\"]\n";
const GAMMA: &str = "[\"gamma\"]\n";

/// What changes below the root.
type Change<'a> = &'a dyn Fn(&Path);

#[test]
fn what_is_moved_removed_or_oddly_named_is_found() {
    let changes: [(&str, Change, &str); 7] = [
        (
            "a name with all that a name may have",
            &|root| fs::write(root.join("extensions/gamma/a \"b\"\n\tü"), "").unwrap(),
            GAMMA,
        ),
        (
            "a name that is no text",
            &|root| {
                let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(
                    b"extensions/gamma/\xff",
                );
                fs::write(root.join(name), "").unwrap();
            },
            GAMMA,
        ),
        (
            "a removal",
            &|root| fs::remove_file(root.join("extensions/gamma/smoke.sql")).unwrap(),
            GAMMA,
        ),
        (
            "a move out",
            &|root| git(root, &["mv", "extensions/gamma/smoke.sql", "elsewhere.sql"]),
            GAMMA,
        ),
        (
            "a move of prose",
            &|root| git(root, &["mv", "extensions/gamma/README.md", "x.md"]),
            "[]\n",
        ),
        (
            "another mode",
            &|root| {
                let path = root.join("extensions/gamma/smoke.sql");
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            },
            GAMMA,
        ),
        (
            "an extension that is gone, and one that needs it not",
            &|root| fs::remove_dir_all(root.join("extensions/beta")).unwrap(),
            "[]\n",
        ),
    ];
    for (what, change, concerned) in changes {
        let world = with_git();
        change(&world.root());
        assert_eq!(since(&world, "HEAD"), concerned, "{what}");
        commit(&world);
        assert_eq!(since(&world, "HEAD~1"), concerned, "{what}, committed");
    }
}

#[test]
fn what_is_behind_a_link_or_in_a_repository_within_concerns_who_has_it() {
    let world = with_git();
    let root = world.root();
    fs::create_dir_all(root.join("common")).unwrap();
    fs::rename(root.join("extensions/gamma"), root.join("vendored")).unwrap();
    symlink("../vendored", root.join("extensions/gamma")).unwrap();
    fs::rename(
        root.join("extensions/alpha/Dockerfile"),
        root.join("common/Dockerfile"),
    )
    .unwrap();
    symlink(
        "../../common/Dockerfile",
        root.join("extensions/alpha/Dockerfile"),
    )
    .unwrap();
    commit(&world);
    assert_eq!(since(&world, "HEAD"), "[]\n");
    world.write("vendored/smoke.sql", "SELECT 3;");
    assert_eq!(since(&world, "HEAD"), GAMMA);
    commit(&world);
    world.write("common/Dockerfile", "FROM scratch\n");
    assert_eq!(since(&world, "HEAD"), BOTH);
    commit(&world);
    // A repository that Git does not know yet, then as a submodule, of which it names the folder alone.
    let inner = tempfile::tempdir().unwrap();
    git(inner.path(), &["init"]);
    fs::write(inner.path().join("x"), "1").unwrap();
    for args in [&["add", "."][..], &["commit", "-m", "one"]] {
        git(inner.path(), args);
    }
    let from = inner.path().to_str().unwrap();
    for (place, concerned) in [
        ("extensions/gamma/inner", GAMMA),
        ("test", "[\"alpha\",\"beta\",\"gamma\"]\n"),
        ("elsewhere", "[]\n"),
    ] {
        let place = place.replace("extensions/gamma", "vendored");
        git(&root, &["clone", from, &place]);
        assert_eq!(since(&world, "HEAD"), concerned, "{place}");
        fs::remove_dir_all(root.join(&place)).unwrap();
        git(&root, &["submodule", "add", from, &place]);
        commit(&world);
        git(
            &root,
            &[
                "config",
                "-f",
                ".gitmodules",
                &format!("submodule.{place}.ignore"),
                "all",
            ],
        );
        commit(&world);
        world.write(&format!("{place}/x"), "2");
        assert_eq!(since(&world, "HEAD"), concerned, "{place}, a submodule");
        git(&root.join(&place), &["checkout", "x"]);
    }
}

#[test]
fn what_cannot_be_read_is_listed_where_it_has_changed() {
    let world = World::new();
    world.tools.real("git");
    git(&world.root(), &["init"]);
    world.extension("gamma", "metadata = {");
    commit(&world);
    let images = ["targets", "--changed-since", "HEAD", "--images", "--json"];
    assert_eq!(since(&world, "HEAD"), "[]\n");
    assert_eq!(world.run(images).success().stdout, "[]\n");
    world.write("extensions/gamma/smoke.sql", "SELECT 3;");
    assert_eq!(since(&world, "HEAD"), GAMMA);
    world.run(images).status(1).says("gamma");
    commit(&world);
    // What needs it is concerned with it; nothing can be read then, and is listed all the same.
    world.extension(
        "alpha",
        &metadata("alpha", &[("required_extensions", "[\"gamma\"]")]),
    );
    commit(&world);
    world.write("extensions/gamma/smoke.sql", "SELECT 4;");
    assert_eq!(since(&world, "HEAD"), "[\"alpha\",\"beta\",\"gamma\"]\n");
}

#[test]
fn a_commit_that_is_not_here_is_said_with_why() {
    let world = with_git();
    let run = |reference: &str| world.run(["targets", "--changed-since", reference]);
    for (reference, hint) in [
        ("nowhere", "`fetch-depth: 0`"),
        ("", "`fetch-depth: 0`"),
        ("HEAD@{7}", "`fetch-depth: 0`"),
        (
            "0000000000000000000000000000000000000000",
            "a branch that has just been made",
        ),
    ] {
        let said = format!("`{reference}` is not a commit of this repository");
        run(reference).status(2).says(&said).says(hint);
    }
    // As in a shallow clone.
    git(&world.root(), &["checkout", "--orphan", "other"]);
    // Without a difference it would be the same commit, if it is made in the same second.
    world.write("other.txt", "other");
    commit(&world);
    run("main")
        .status(2)
        .says("`main` and what is checked out have no common ancestor here")
        .says("`fetch-depth: 0`");
    fs::remove_dir_all(world.root().join(".git")).unwrap();
    run("main")
        .status(1)
        .says("not a git repository")
        .says("in a clone that Git has made");
    git(&world.root(), &["init"]);
    run("HEAD").status(2).says("nothing was committed here yet");
    fs::remove_dir_all(world.root().join(".git")).unwrap();
    // In a container of CI, say.
    let said = "fatal: detected dubious ownership in repository at '/x'";
    world.tools.without("git");
    world.tools.program(
        "git",
        &format!("#!/bin/sh\necho \"{said}\" >&2; exit 128\n"),
    );
    run("main").status(3).says(said).says("safe.directory");
}

#[test]
fn a_glob_that_matches_no_files_name_is_refused() {
    let world = World::new();
    for glob in [
        "*.{md,txt}",
        "{bake_file}",
        "./base/**",
        "base/",
        "!base/**",
        "a//b",
        "../x",
        "/x",
        "a[b",
        "x**",
    ] {
        let said = format!("targets.shared={glob}");
        let ended = world.run(["targets", "--set", &said]).status(2);
        ended.says("must be a glob that begins below the root");
    }
    for glob in ["{bake-folder}/**", "{suite}/a?", "base", "**/*.sql", ""] {
        world
            .run(["targets", "--set", &format!("targets.ignored={glob}")])
            .success();
    }
}
