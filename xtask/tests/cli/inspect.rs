// SPDX-License-Identifier: Apache-2.0
//! `inspect`: what is asked of docker for the files of an image, and what is shown of them.

use serde_json::json;

use crate::cli::world::{
    World,
    process::{end_by, wait_for},
};

const IMAGE: &str = "localhost:5000/gamma:1";

fn world_with_files() -> World {
    let world = World::new();
    world.docker.file("lib/gamma.so", "1234");
    world.docker.file("share/a\u{1b}[31m\u{202e}b.sql", "12");
    world
}

#[test]
fn the_files_of_an_image_are_shown_and_nothing_stays() {
    let world = world_with_files();
    let ended = world.run(["inspect", IMAGE]).success();
    assert_eq!(
        ended.stdout,
        "SIZE  FILE\n4     /lib/gamma.so\n2     /share/a\\u{202e}b.sql\n"
    );
    ended.says("2 files, 6 bytes");
    world.calls.in_order(&[
        "docker create --name xtask-inspect-",
        "docker export --output target/xtask/inspect/xtask-inspect-",
        "docker rm --force --volumes",
    ]);
    let left = world.root().join("target/xtask/inspect");
    assert_eq!(left.read_dir().unwrap().count(), 0);
}

#[test]
fn scripts_get_all_files_and_their_sum() {
    let world = world_with_files();
    let ended = world.run(["inspect", IMAGE, "--json"]).success();
    let files = json!([
        { "path": "/lib/gamma.so", "size": 4 },
        { "path": "/share/a\u{1b}[31m\u{202e}b.sql", "size": 2 },
    ]);
    let wanted = json!({ "image": IMAGE, "size": 6, "files": files });
    assert_eq!(ended.json(), wanted);
    assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
}

#[test]
fn an_image_that_cannot_be_had_or_is_none_is_said() {
    let world = World::new();
    let said = "Error response from daemon: manifest unknown\n";
    world.tools.fails("docker create", 1, said);
    let ended = world.run(["inspect", IMAGE]).status(1);
    ended
        .says("failed to open the image `localhost:5000/gamma:1`")
        .says("manifest unknown");
    world.calls.never("docker export");
    world.run(["inspect", "no image"]).status(2);
    world.tools.without("docker");
    world.run(["inspect", IMAGE]).status(3);
}

#[test]
fn an_interruption_leaves_no_container_and_no_archive() {
    let world = world_with_files();
    world.docker.export_hangs();
    let child = world.started(["inspect", IMAGE]);
    wait_for("the export", || world.state("hanging").exists());
    end_by("-INT", child).status(130);
    world.calls.only("docker rm --force --volumes");
    let left = world.root().join("target/xtask/inspect");
    assert_eq!(left.read_dir().unwrap().count(), 0);
}

#[test]
fn a_dry_run_prints_the_commands_and_runs_none() {
    let world = world_with_files();
    let ended = world.run(["inspect", IMAGE, "--dry-run"]).success();
    for line in [
        " -- localhost:5000/gamma:1 none\n",
        "docker export --output target/xtask/inspect/xtask-inspect-",
        "tar --list --verbose --file target/xtask/inspect/xtask-inspect-",
        "rm -rf --one-file-system -- target/xtask/inspect/xtask-inspect-",
    ] {
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
    world.calls.never("docker");
}
