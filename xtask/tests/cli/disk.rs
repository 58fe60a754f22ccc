// SPDX-License-Identifier: Apache-2.0
//! A target folder that cannot be written: a message that says so, and nothing half-written.

use std::{fs, process::Command};

use crate::cli::world::{BUILD, Ended, World};

#[track_caller]
fn refused(ended: Ended, status: i32, text: &str) {
    let ended = ended.status(status).says("error").says(text);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

/// Runs lines in a mount namespace of their own, where `target` is a file system of a megabyte.
/// None where this user may not do that.
fn on_a_small_disk(world: &World, lines: &str) -> Option<Ended> {
    fs::create_dir_all(world.root().join("target")).unwrap();
    let mount = "mount -t tmpfs -o size=1m none target";
    let able = Command::new("unshare")
        .args(["--mount", "sh", "-c", mount])
        .current_dir(world.root())
        .output()
        .is_ok_and(|output| output.status.success());
    if !able {
        return None;
    }
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c"])
        .arg(format!(
            "set -e; {mount}; {lines}; export PATH={}; set +e; {} bake gamma --metadata-file after.json",
            world.tools.path().display(),
            env!("CARGO_BIN_EXE_xtask")
        ))
        .current_dir(world.root())
        .output()
        .unwrap();
    Some(Ended::from(&output))
}

#[test]
fn a_file_where_a_folder_should_be() {
    for (file, text) in [
        ("target", "cannot write below `target/xtask`"),
        ("target/xtask", "cannot write below `target/xtask`"),
        ("target/xtask/runs", "cannot write below `target/xtask`"),
        ("target/xtask/bake", "target/xtask/bake"),
    ] {
        let world = World::new();
        world.write(file, "a file");
        let status = if file.ends_with("bake") { 1 } else { 3 };
        refused(world.run("bake gamma"), status, text);
        assert!(world.calls.of("docker buildx bake").is_empty(), "{file}");
        assert_eq!(
            fs::read_to_string(world.root().join(file)).unwrap(),
            "a file"
        );
    }
}

#[test]
fn a_read_only_disk() {
    let world = World::new();
    if let Some(ended) = on_a_small_disk(&world, "mount -o remount,ro target") {
        refused(ended, 3, "Read-only file system");
        assert!(world.calls.of("docker buildx bake").is_empty());
        assert!(!world.exists("after.json"));
    }
}

#[test]
fn a_full_disk() {
    let world = World::new();
    let fill = "! dd if=/dev/zero of=target/filled bs=4k count=300 2>/dev/null";
    if let Some(ended) = on_a_small_disk(&world, fill) {
        refused(ended, 3, "No space left on device");
        assert!(world.calls.of("docker buildx bake").is_empty());
        assert!(!world.exists("after.json"));
    }
}

#[test]
fn a_disk_that_fills_up_on_the_way() {
    let world = World::new();
    world.write("after.json", "the old one");
    world.tools.rule(
        BUILD,
        "dd if=/dev/zero of=target/filled bs=4k count=300 2>/dev/null",
    );
    if let Some(ended) = on_a_small_disk(&world, ":") {
        let ended = ended.status(1).says("target/xtask/bake/gamma.json");
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        let kept = fs::read_to_string(world.root().join("after.json")).unwrap();
        assert_eq!(kept, "the old one");
    }
}

#[test]
fn a_metadata_file_that_cannot_be_written_is_said_and_nothing_is_left_beside_it() {
    let world = World::new();
    world.write("place/file", "a file");
    let before = world.files();
    refused(
        world.run("bake gamma --metadata-file place"),
        2,
        "`place` cannot be written: it is a folder",
    );
    refused(
        world.run("bake gamma --metadata-file place/file/m.json"),
        2,
        "`place/file/m.json` cannot be written: ",
    );
    assert!(world.calls.of("docker buildx bake").is_empty());
    let mut after = world.files();
    after.retain(|path| !path.starts_with(world.root().join("target")));
    assert_eq!(after, before);
}
