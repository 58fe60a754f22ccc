// SPDX-License-Identifier: Apache-2.0
//! `update-os-libs`: what apt is asked for, and what becomes of the lists.

use serde_json::json;

use crate::cli::world::{World, metadata};

/// What apt prints: a library with a checksum, one without, and what is none.
const PRINTED: &str = "'http://archive.example/liba1_1%3a2_amd64.deb' liba1_1%3a2_amd64.deb 9 MD5Sum:00ff\n\
                       'http://archive.example/a-data_3_all.deb' a-data_3_all.deb 9 MD5Sum:11ee\n\
                       'http://archive.example/libb2_2+b1_amd64.deb' libb2_2+b1_amd64.deb 9\n\
                       'http://archive.example/lib' lib\u{1b}[2J_1_amd64.deb 9 MD5Sum:22dd\n";
const LIST: &str = "liba1_1%3a2_amd64.deb MD5Sum:00ff\nlibb2_2+b1_amd64.deb\n";
const TRIXIE: &str = "extensions/gamma/system-libs/18-trixie-os-libs.txt";
const BOOKWORM: &str = "extensions/gamma/system-libs/18-bookworm-os-libs.txt";

/// Of three extensions `gamma` keeps lists.
fn world() -> World {
    let world = World::new();
    let packages = "[\"postgresql-{pg}-gamma-3\", \"postgresql-{pg}-gamma-3-scripts\"]";
    let fields = [("auto_update_os_libs", "true"), ("packages", packages)];
    world.extension("gamma", &metadata("gamma", &fields));
    world.docker.would_download(PRINTED);
    world
}

#[test]
fn each_list_is_asked_of_its_base_image_and_written_as_the_old_tooling_did() {
    let world = world();
    let ended = world.run("update-os-libs --all").success();
    assert_eq!(world.read(TRIXIE), LIST);
    assert_eq!(world.read(BOOKWORM), LIST);
    ended.says("2 of 2 lists changed");
    let calls = world.calls.of("docker run ");
    assert_eq!(calls.len(), 2, "gamma alone keeps lists");
    for call in &calls {
        let line = call.line();
        for part in [
            "docker run --rm --user 0 --entrypoint sh --name xtask-libraries-",
            " --platform linux/amd64 -- ghcr.io/cloudnative-pg/postgresql:18-minimal-",
            " libraries postgresql-18-gamma-3 postgresql-18-gamma-3-scripts",
        ] {
            assert!(line.contains(part), "{line}");
        }
    }
    // Once more there is nothing to do, and a file that is right is not touched.
    let written = |path: &str| world.root().join(path).metadata().unwrap().modified();
    let before = written(TRIXIE).unwrap();
    let ended = world.run("update-os-libs gamma").success();
    ended.says("all 2 lists are up to date");
    assert_eq!(written(TRIXIE).unwrap(), before);
}

#[test]
fn the_task_of_the_taskfile_is_the_command() {
    let world = world();
    world.run("update-os-libs TARGET=gamma").success();
    assert_eq!(world.read(TRIXIE), LIST);
    world.docker.would_download("'x' libc1_3_amd64.deb 9\n");
    world.run("update-os-libs:all").success();
    assert_eq!(world.read(BOOKWORM), "libc1_3_amd64.deb\n");
}

#[test]
fn a_check_fails_with_each_difference_and_writes_nothing() {
    let world = world();
    world.write(
        TRIXIE,
        "liba1_1%3a1_amd64.deb MD5Sum:0000\nlibb2_2+b1_amd64.deb\n",
    );
    world.write(BOOKWORM, LIST);
    let ended = world
        .run("update-os-libs gamma --check --json")
        .status(1)
        .says("18-trixie-os-libs.txt` is out of date: 2 libraries, 1 new, 1 gone")
        .says("- liba1_1%3a1_amd64.deb MD5Sum:0000")
        .says("+ liba1_1%3a2_amd64.deb MD5Sum:00ff")
        .says("leave out `--check`");
    let rows = ended.json();
    let of = |file: &str| {
        let rows = rows.as_array().unwrap();
        rows.iter().find(|row| row["file"] == file).unwrap().clone()
    };
    let row = of(TRIXIE);
    assert_eq!(row["result"], "failed");
    assert_eq!(row["added"], json!(["liba1_1%3a2_amd64.deb MD5Sum:00ff"]));
    assert_eq!(row["removed"], json!(["liba1_1%3a1_amd64.deb MD5Sum:0000"]));
    let row = of(BOOKWORM);
    assert_eq!(
        (&row["result"], &row["changed"]),
        (&json!("passed"), &json!(false))
    );
    assert!(world.read(TRIXIE).contains("0000"), "nothing is written");
    // A list that is missing is out of date.
    world.write(TRIXIE, LIST);
    world.run("update-os-libs --all --check").success();
    std::fs::remove_file(world.root().join(BOOKWORM)).unwrap();
    let ended = world.run("update-os-libs --all --check").status(1);
    ended.says("2 libraries in a new list");
    assert!(!world.root().join(BOOKWORM).exists());
}

#[test]
fn what_cannot_be_said_is_no_list() {
    let world = world();
    let ended = world.run("update-os-libs alpha").status(2);
    ended
        .says("`alpha` keeps no list of system libraries")
        .says("targets --os-libs");
    world.run("update-os-libs").status(2);
    world.calls.never("docker run");
    world.write(TRIXIE, LIST);
    world
        .docker
        .would_download("'x' a-data_3_all.deb 9 MD5Sum:11ee\n");
    let ended = world.run("update-os-libs gamma").status(1);
    ended.says(
        "no library would come with `postgresql-18-gamma-3`, `postgresql-18-gamma-3-scripts`",
    );
    let said = "E: Unable to locate package postgresql-18-gamma-3";
    world.docker.apt_fails(said);
    let ended = world.run("update-os-libs gamma --keep-going").status(1);
    ended.says(said);
    assert_eq!(world.read(TRIXIE), LIST, "the list of before stays");
    assert!(!world.root().join(BOOKWORM).exists());
}

#[test]
fn a_repository_without_such_lists_has_nothing_to_do() {
    let world = World::new();
    let ended = world.run("update-os-libs --all --json").success();
    assert_eq!(ended.json(), json!([]));
    ended.says("no extension keeps a list of system libraries");
    world.calls.never("docker run");
}

#[test]
fn the_package_is_the_one_that_is_pinned() {
    let versions = "{\n    trixie = {\n      \"18\" = {\n        // renovate: suite=trixie-pgdg depName=postgresql-18-gamma-3\n        package = \"1.2-1.pgdg13+1\"\n        sql = \"1.2\"\n      }\n    }\n  }";
    for (fields, package) in [
        (vec![("versions", versions)], "postgresql-18-gamma-3"),
        (vec![], "postgresql-18-gamma"),
    ] {
        let world = World::new();
        let fields = [fields, vec![("auto_update_os_libs", "true")]].concat();
        world.extension("gamma", &metadata("gamma", &fields));
        world.docker.would_download(PRINTED);
        world.run("update-os-libs gamma --distro trixie").success();
        let calls = world.calls.of("docker run ");
        assert!(
            calls[0].line().ends_with(&format!(" libraries {package}")),
            "{}",
            calls[0].line()
        );
    }
}

#[test]
fn a_dry_run_prints_what_does_the_same() {
    let world = world();
    let dry = world.run("update-os-libs gamma --dry-run").success().stdout;
    assert!(!world.root().join(TRIXIE).exists());
    world.calls.never("docker run");
    world.shell(&dry, &["mkdir", "mv", "sed"]).success();
    assert_eq!(world.read(TRIXIE), LIST);
    assert_eq!(world.read(BOOKWORM), LIST);
    // What cannot be asked leaves the list as it is, there as here.
    world.docker.apt_fails("E: no network");
    world.shell(&dry, &[]).status(1);
    assert_eq!(world.read(TRIXIE), LIST);
    world.docker.apt_works();
    let dry = world
        .run("update-os-libs gamma --check --dry-run")
        .success()
        .stdout;
    world.shell(&dry, &["diff"]).success();
    world.write(TRIXIE, "old\n");
    let ended = world.shell(&format!("set -e\n{dry}"), &[]).status(1);
    assert!(
        ended.stdout.contains("> liba1_1%3a2_amd64.deb MD5Sum:00ff"),
        "{}",
        ended.stdout
    );
}
