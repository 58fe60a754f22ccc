// SPDX-License-Identifier: Apache-2.0
//! A target folder that cannot be written: a message that says so, and nothing half-written.

use std::{fs, process::Command};

use super::fixture::{Ended, Fixture};

#[track_caller]
fn refused(ended: Ended, status: i32, text: &str) {
    let ended = ended.status(status).says("error").says(text);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

/// Runs lines in a mount namespace of their own, where `target` is a file system of a megabyte.
/// None where this user may not do that.
fn on_a_small_disk(fixture: &Fixture, lines: &str) -> Option<Ended> {
    fs::create_dir_all(fixture.root().join("target")).unwrap();
    let mount = "mount -t tmpfs -o size=1m none target";
    let able = Command::new("unshare")
        .args(["--mount", "sh", "-c", mount])
        .current_dir(fixture.root())
        .output()
        .is_ok_and(|output| output.status.success());
    if !able {
        return None;
    }
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c"])
        .arg(format!(
            "set -e; {mount}; {lines}; export PATH={}; set +e; {} bake gamma --metadata-file after.json",
            fixture.programs().display(),
            env!("CARGO_BIN_EXE_xtask")
        ))
        .current_dir(fixture.root())
        .env("FAKE", fixture.fake(""))
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
        let fixture = Fixture::new();
        fixture.write(file, "a file");
        let status = if file.ends_with("bake") { 1 } else { 3 };
        refused(fixture.xtask(&["bake", "gamma"]), status, text);
        assert!(fixture.calls_of("[buildx] [bake]").is_empty(), "{file}");
        assert_eq!(
            fs::read_to_string(fixture.root().join(file)).unwrap(),
            "a file"
        );
    }
}

#[test]
fn a_read_only_disk() {
    let fixture = Fixture::new();
    if let Some(ended) = on_a_small_disk(&fixture, "mount -o remount,ro target") {
        refused(ended, 3, "Read-only file system");
        assert!(fixture.calls_of("[buildx] [bake]").is_empty());
        assert!(!fixture.exists("after.json"));
    }
}

#[test]
fn a_full_disk() {
    let fixture = Fixture::new();
    let fill = "! dd if=/dev/zero of=target/filled bs=4k count=300 2>/dev/null";
    if let Some(ended) = on_a_small_disk(&fixture, fill) {
        refused(ended, 3, "No space left on device");
        assert!(fixture.calls_of("[buildx] [bake]").is_empty());
        assert!(!fixture.exists("after.json"));
    }
}

#[test]
fn a_disk_that_fills_up_on_the_way() {
    let fixture = Fixture::new();
    fixture.write("after.json", "the old one");
    fixture.docker_first(
        "[ \"$2\" != bake ] || /bin/dd if=/dev/zero of=target/filled bs=4k count=300 2>/dev/null",
    );
    if let Some(ended) = on_a_small_disk(&fixture, ":") {
        let ended = ended.status(1).says("target/xtask/bake/gamma.json");
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        let kept = fs::read_to_string(fixture.root().join("after.json")).unwrap();
        assert_eq!(kept, "the old one");
    }
}

#[test]
fn a_metadata_file_that_cannot_be_written_is_said_and_nothing_is_left_beside_it() {
    let fixture = Fixture::new();
    fixture.write("place/file", "a file");
    let before = fixture.files();
    refused(
        fixture.xtask(&["bake", "gamma", "--metadata-file", "place"]),
        2,
        "`place` cannot be written: it is a folder",
    );
    refused(
        fixture.xtask(&["bake", "gamma", "--metadata-file", "place/file/m.json"]),
        2,
        "`place/file/m.json` cannot be written: ",
    );
    assert!(fixture.calls_of("[buildx] [bake]").is_empty());
    let mut after = fixture.files();
    after.retain(|path| !path.starts_with(fixture.root().join("target")));
    assert_eq!(after, before);
}
