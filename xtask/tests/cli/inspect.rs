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
fn a_step_summary_on_github_has_as_many_rows_as_it_has_room_for() {
    const FILES: usize = 2_000;
    let world = World::new();
    for at in 0..FILES {
        world.docker.file(&format!("{at:0>100}"), "");
    }
    let summary = world.root().join("summary.md");
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let inspect = |before: usize| {
        world.write("summary.md", &"x".repeat(before));
        let ended = world.run_with(["inspect", IMAGE], &environment).success();
        assert_eq!(ended.stdout.lines().count(), 1 + FILES, "people see all");
        let text = world.read("summary.md").split_off(before);
        assert!(before + text.len() <= 1 << 20, "{} bytes", text.len());
        (text, ended)
    };
    // A part of what a step has in all, or what is left of that.
    for (before, least) in [(0, 100_000), ((1 << 20) - 50_000, 49_000)] {
        let (text, _) = inspect(before);
        assert!(text.len() > least, "{} bytes", text.len());
        let rows = text.lines().filter(|line| line.starts_with("| 0 | "));
        let left = text.trim_end().lines().last().unwrap();
        let left = left.strip_suffix(" more rows, which `--json` prints.");
        let left: usize = left.expect("how many are left out").parse().unwrap();
        assert_eq!(rows.count() + left, FILES);
    }
    let (text, ended) = inspect((1 << 20) - 50);
    assert_eq!(text, "");
    ended
        .says("warning: no step summary in `")
        .says("it has no room left");
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
