// SPDX-License-Identifier: Apache-2.0
//! Which folder is a sandbox of ours, which process its engine, and what is removed: without an engine.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::ours::{is_root, marked};
use crate::cli::world::{Ended, World};

/// A sandbox without an engine, in a folder of ours.
fn sandbox(world: &World) -> PathBuf {
    let folder = world.root().join("sandbox");
    marked(&folder);
    let folder = fs::canonicalize(folder).unwrap();
    for (path, mode) in [
        (folder.clone(), 0o755),
        (folder.join("xtask-sandbox"), 0o644),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::create_dir(folder.join("root")).unwrap();
    fs::write(folder.join("root/file"), "ours").unwrap();
    folder
}

fn call(world: &World, folder: &Path, args: &[&str]) -> Ended {
    let env = [("XTASK_SANDBOX_FOLDER", folder.to_str().unwrap())];
    world.run_with(("sandbox", args), &env)
}

/// What an `engine` file would say of a process.
fn said_of(child: &Child) -> String {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let started = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19);
    format!("{} {}\n", child.id(), started.unwrap())
}

fn end(mut child: Child) {
    assert!(child.try_wait().unwrap().is_none(), "it was ended");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_folder_of_somebody_else_is_no_sandbox_whatever_it_says() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let folder = sandbox(&world);
    let victim = Command::new("setsid")
        .args(["sleep", "300"])
        .spawn()
        .unwrap();
    fs::write(folder.join("engine"), said_of(&victim)).unwrap();
    let marker = folder.join("xtask-sandbox");
    let check = |why: &str| {
        for args in [&["down"][..], &["down", "--keep"], &["up"]] {
            call(&world, &folder, args)
                .status(2)
                .says("is not a sandbox")
                .says(why);
        }
        assert!(folder.join("root/file").exists());
    };
    for path in [&folder, &marker] {
        chown(path, Some(65534), Some(65534)).unwrap();
        check("belongs to user 65534");
        chown(path, Some(0), Some(0)).unwrap();
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    check("others may write to it");
    end(victim);
}

#[test]
fn a_number_and_a_time_make_no_engine() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let folder = sandbox(&world);
    let victim = Command::new("sleep").arg("300").spawn().unwrap();
    fs::write(folder.join("engine"), said_of(&victim)).unwrap();
    let status = call(&world, &folder, &["status"]).status(1);
    assert!(status.stdout.contains("stopped"), "{}", status.stdout);
    call(&world, &folder, &["down", "--keep"])
        .success()
        .says("was not running");
    call(&world, &folder, &["down"]).success();
    assert!(!folder.exists());
    end(victim);
}

#[test]
fn while_another_process_holds_the_engine_s_lock_nothing_is_removed() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let folder = sandbox(&world);
    let mut held = Command::new("flock")
        .arg(folder.join("engine.lock"))
        .args(["sh", "-c", "echo up; read never"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut up = [0; 3];
    std::io::Read::read_exact(held.stdout.as_mut().unwrap(), &mut up).unwrap();
    // Somebody holds it whom we do not know: nothing is touched.
    for args in [&["down"][..], &["down", "--keep"]] {
        call(&world, &folder, args)
            .status(3)
            .says("an engine of this sandbox starts or runs where it cannot be seen");
    }
    assert!(folder.join("root/file").exists() && folder.join("xtask-sandbox").exists());
    drop(held.stdin.take());
    held.wait().unwrap();
    call(&world, &folder, &["down"]).success();
    assert!(!folder.exists());
}

#[test]
fn an_engine_that_is_not_named_yet_is_found_and_ended() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let folder = sandbox(&world);
    // It has the command line of the first process, and holds the lock as that does.
    let line = format!(
        "exec 9>>'{0}/engine.lock' && flock 9 && echo up && cd \"$0\" && exec sh sandbox init '{0}' /r",
        folder.display()
    );
    world.write("program/sandbox", "read never");
    let mut first = Command::new("bash")
        .args(["-c", &line])
        .arg(world.root().join("program"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut up = [0; 3];
    std::io::Read::read_exact(first.stdout.as_mut().unwrap(), &mut up).unwrap();
    call(&world, &folder, &["down"])
        .success()
        .says("is removed");
    assert!(!folder.exists());
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&first.wait().unwrap()),
        Some(15)
    );
}

#[test]
fn what_the_sandbox_did_not_make_stays_in_its_folder() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let folder = sandbox(&world);
    fs::create_dir(folder.join("my-work")).unwrap();
    fs::write(folder.join("my-work/thesis"), "mine").unwrap();
    for _ in 0..2 {
        call(&world, &folder, &["down"])
            .success()
            .says("is kept: it holds `my-work`, which does not belong to the sandbox");
        assert!(folder.join("my-work/thesis").exists());
        assert!(!folder.join("root").exists());
    }
    fs::remove_dir_all(folder.join("my-work")).unwrap();
    call(&world, &folder, &["down"])
        .success()
        .says("is removed");
    assert!(!folder.exists());
}

#[test]
fn an_engine_file_that_is_a_pipe_keeps_nobody_waiting() {
    let world = World::new();
    let folder = sandbox(&world);
    let made = Command::new("mkfifo").arg(folder.join("engine")).status();
    assert!(made.unwrap().success());
    let status = call(&world, &folder, &["status"]).status(1);
    assert!(status.stdout.contains("stopped"), "{}", status.stdout);
}

#[test]
fn the_first_process_is_one_in_namespaces_of_its_own() {
    let world = World::new();
    let folder = sandbox(&world);
    let folder = folder.to_str().unwrap();
    call(&world, Path::new(folder), &["init", folder, "/"])
        .status(2)
        .says("this is not process 1");
    if !is_root() {
        return;
    }
    let line = |options: &str| {
        let line = format!("unshare {options} \"$XTASK\" sandbox init '{folder}' /; exit $?");
        super::ours::in_namespace(&world, &line)
    };
    for (options, why) in [
        ("--pid --fork", "`mnt` namespace is that of others"),
        ("--pid --fork --mount", "`ipc` namespace is that of others"),
        (
            "--pid --fork --mount --ipc --uts --propagation shared",
            "would be seen outside",
        ),
    ] {
        let Some(ended) = line(options) else { return };
        ended.status(2).says(why);
    }
}

#[test]
fn programs_in_a_folder_of_somebody_else_are_not_run_for_a_plan_either() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let folder = world.root().join("place");
    let docker = folder.join("bin/docker");
    world.write("place/bin/docker", "#!/bin/sh\n: > \"$0.ran\"\n");
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
    let env = [("XTASK_SANDBOX_FOLDER", folder.to_str().unwrap())];
    for command in ["bake", "smoke"] {
        let args = [command, "gamma", "--sandbox", "--dry-run"];
        let ended = world.run_with(args, &env);
        ended.status(2).says("is not a sandbox");
    }
    assert!(!world.exists("place/bin/docker.ran"));
}
