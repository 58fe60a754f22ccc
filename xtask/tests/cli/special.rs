// SPDX-License-Identifier: Apache-2.0
//! Pipes, devices, sockets and links where a file is expected: nobody waits, and it is said before the work.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    process::{Command, Stdio},
};

use crate::cli::world::World;

fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_target_that_cannot_be_written_is_refused_before_the_bake() {
    let world = World::new();
    pipe(&world.root().join("pipe"));
    let _socket = UnixListener::bind(world.root().join("socket")).unwrap();
    for (target, why) in [
        ("pipe", "it is a pipe that nobody reads"),
        ("socket", "it is neither a file, a pipe nor a terminal"),
        ("/dev/full", "No space left on device"),
    ] {
        world
            .run(["bake", "gamma", "--metadata-file", target])
            .status(2)
            .says(&format!("`{target}` cannot be written: {why}"));
        assert!(world.calls.of("docker buildx bake").is_empty(), "{target}");
    }
    world.run("bake gamma --metadata-file /dev/null").success();
}

#[test]
fn a_pipe_that_is_read_gets_all_of_it() {
    let world = World::new();
    let path = world.root().join("pipe");
    pipe(&path);
    let reader = Command::new("cat")
        .arg(&path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Until it has opened its end there is nobody who reads.
    let mut ended = world.run("bake gamma --metadata-file pipe");
    for _ in 0..50 {
        if !ended.stderr.contains("nobody reads") {
            break;
        }
        ended = world.run("bake gamma --metadata-file pipe");
    }
    ended.success();
    let read = reader.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&read.stdout).contains("digest"));
}

#[test]
fn what_marks_a_checkout_is_an_ordinary_file() {
    let world = World::new();
    let owner = world.root().join("target/xtask/owner");
    pipe(&owner);
    let plan = ["e2e", "setup-env", "--dry-run"];
    world.run(plan);
    fs::remove_file(&owner).unwrap();
    symlink("/dev/zero", &owner).unwrap();
    world.run(plan);
}

#[test]
fn a_step_summary_that_nobody_reads_keeps_nobody_waiting() {
    let world = World::new();
    pipe(&world.root().join("summary"));
    let path = world.root().join("summary");
    let env = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", path.to_str().unwrap()),
    ];
    world
        .run_with("targets", &env)
        .success()
        .says("no step summary");
}
