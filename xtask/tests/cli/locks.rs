// SPDX-License-Identifier: Apache-2.0
//! Who holds the lock, and what a killed run has left: only what carries its mark is ended, with real
//! processes.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::cli::world::{BUILD, Ended, World, wait_for};

fn start(world: &World, args: &[&str]) -> Child {
    let mut command = world.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

fn number(world: &World, name: &str) -> String {
    wait_for(name, || {
        fs::read_to_string(world.state(name)).is_ok_and(|text| text.ends_with('\n'))
    });
    fs::read_to_string(world.state(name)).unwrap()
}

/// The lock file that a process has open.
fn lock_of(child: &Child) -> PathBuf {
    let files = format!("/proc/{}/fd", child.id());
    let mut found = None;
    wait_for("the lock is held", || {
        found = fs::read_dir(&files)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .find(|path| path.to_string_lossy().contains("/engine-"));
        found.is_some()
    });
    found.unwrap()
}

/// A bake that hangs, with a child of its own and a daemon that it has started, killed.
fn killed(world: &World) -> (PathBuf, String, String) {
    world.tools.rule(
        BUILD,
        "[ -e \"$here/hung\" ] || { : > \"$here/hung\"\n\
         setsid sh -c 'echo $$ > \"$here/daemon\"; exec sleep 300' > /dev/null 2>&1 &\n\
         sleep 300 & echo $! > \"$here/child\"; wait; }",
    );
    let mut child = start(world, &["bake", "gamma", "--jobs", "1"]);
    let left = number(world, "child");
    let daemon = number(world, "daemon");
    let lock = lock_of(&child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lives(&left) && lives(&daemon));
    (lock, left, daemon)
}

fn end(pid: &str) {
    let sent = Command::new("kill").args(["-9", pid.trim()]).status();
    assert!(sent.unwrap().success());
}

/// Somebody who has a lock's file open without end.
fn follower(lock: &Path) -> Child {
    let mut tail = Command::new("tail");
    tail.arg("-f").arg(lock);
    tail.stdout(Stdio::null()).stderr(Stdio::null());
    tail.spawn().unwrap()
}

#[test]
fn what_a_killed_run_has_left_is_ended_and_nothing_else() {
    let world = World::new();
    let (lock, left, daemon) = killed(&world);
    // Others look at the lock: one has it open without end, a shell has it open and may write to it.
    let mut tail = follower(&lock);
    let open = fs::File::options().append(true).open(&lock).unwrap();
    let mut shell = Command::new("sleep")
        .arg("300")
        .stdout(open)
        .spawn()
        .unwrap();
    // Another one says that it is of that run, but it is in no session of that run.
    let text: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&lock).unwrap()).unwrap();
    let mut other = Command::new("setsid");
    other
        .args(["sleep", "300"])
        .env("XTASK_RUN", text["run"].as_str().unwrap());
    let mut other = other.spawn().unwrap();
    let of_run = format!(
        "io.cloudnativepg.xtask.run={}",
        text["run"].as_str().unwrap()
    );
    world
        .engine
        .put_container("0123abc", &of_run, "", "running");
    let kept = format!("{of_run},io.cloudnativepg.xtask.environment=x");
    world.engine.put_container("4567def", &kept, "", "running");
    world
        .run("bake gamma")
        .success()
        .says("a run of xtask was killed (`bake gamma --jobs 1` in `")
        .says("the processes that it left are stopped")
        .says("removed 1 container of a killed run");
    assert!(!lives(&left));
    for survivor in [&mut tail, &mut shell, &mut other] {
        assert!(survivor.try_wait().unwrap().is_none());
        survivor.kill().unwrap();
        survivor.wait().unwrap();
    }
    assert!(lives(&daemon));
    end(&daemon);
    // What belongs to an environment stays.
    let removed = world.calls.only("docker rm");
    assert_eq!(removed.line(), "docker rm --force --volumes -- 0123abc");
    assert!(!lock.exists());
}

#[test]
fn after_a_normal_end_nobody_is_ended_for_having_had_the_lock_open() {
    let world = World::new();
    world.docker.bake_hangs("gamma");
    let child = start(&world, &["bake", "gamma"]);
    let lock = lock_of(&child);
    let mut tail = follower(&lock);
    wait_for("it hangs", || world.state("hanging").exists());
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    Ended::from(&child.wait_with_output().unwrap()).status(130);
    assert!(!lock.exists(), "{}", lock.display());
    let again = world.run("bake alpha").success();
    assert!(!again.stderr.contains("killed"), "{}", again.stderr);
    assert!(tail.try_wait().unwrap().is_none());
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn two_checkouts_of_one_engine_take_turns_and_two_engines_do_not() {
    let (first, second, elsewhere) = (World::new(), World::new(), World::new());
    let info = |id: &str| {
        format!(
            r#"{{"ID":"{id}","ServerVersion":"28.5.2","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"DockerRootDir":"/","ClientInfo":{{"Plugins":[{{"Name":"buildx","Version":"0.29.1"}}]}}}}"#
        )
    };
    let shared = format!("shared {}", first.root().display());
    for world in [&first, &second] {
        world.docker.info(&info(&shared));
    }
    first.docker.bake_hangs("alpha");
    let holder = start(&first, &["bake", "alpha"]);
    wait_for("it hangs", || first.state("hanging").exists());
    // Another HOME, another checkout, a session of its own: the engine is the same.
    let mut command = second.command("bake gamma");
    command
        .env("HOME", "/")
        .env("XDG_RUNTIME_DIR", second.root())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(fs::File::create(second.state("said")).unwrap()))
        .process_group(0);
    let waiting = command.spawn().unwrap();
    wait_for("it waits", || {
        fs::read_to_string(second.state("said"))
            .unwrap()
            .contains("waiting for")
    });
    assert!(second.calls.of("docker buildx bake").is_empty());
    elsewhere.run("bake gamma").success();
    let sent = Command::new("kill")
        .args(["-INT", &holder.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    Ended::from(&holder.wait_with_output().unwrap()).status(130);
    assert!(waiting.wait_with_output().unwrap().status.success());
    let said = fs::read_to_string(second.state("said")).unwrap();
    let root = fs::canonicalize(first.root()).unwrap();
    let whom = format!("uses the same engine: `bake alpha` in `{}`", root.display());
    assert!(said.contains(&whom) && said.contains(", since "), "{said}");
    assert_eq!(second.calls.of("docker buildx bake").len(), 1);
}

#[test]
fn a_run_in_another_process_namespace_holds_the_lock_too() {
    let root = Command::new("id").arg("-u").output().unwrap();
    if String::from_utf8_lossy(&root.stdout).trim() != "0" {
        return;
    }
    let world = World::new();
    world.docker.bake_hangs("alpha");
    let mut inside = Command::new("/usr/bin/unshare");
    inside
        .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(env!("CARGO_BIN_EXE_xtask"))
        .args(["bake", "alpha"])
        .current_dir(world.root())
        .env_clear()
        .env("PATH", world.tools.path())
        .env("HOME", world.root())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut inside = inside.spawn().unwrap();
    wait_for("it hangs", || world.state("hanging").exists());
    let mut second = world.command("bake gamma");
    let said = fs::File::create(world.state("said")).unwrap();
    let second = second.stdout(Stdio::piped()).stderr(said).spawn().unwrap();
    let said = || fs::read_to_string(world.state("said")).unwrap();
    wait_for("it waits", || said().contains("process 1, since"));
    assert_eq!(world.calls.of("docker buildx bake").len(), 1);
    // Killed with all that is in its namespace, it has left nothing to end; the second one goes on.
    inside.kill().unwrap();
    inside.wait().unwrap();
    Ended::from(&second.wait_with_output().unwrap()).success();
    assert_eq!(world.calls.of("docker buildx bake").len(), 2);
}

#[test]
fn a_container_of_somebody_else_with_the_name_of_ours_is_not_removed() {
    for mount in ["image", "copy"] {
        let world = World::new();
        world.docker.names_are_taken();
        let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
        world
            .run_with(args, &[("XTASK_SMOKE_MOUNT", mount)])
            .status(1);
        assert!(
            world.calls.of("docker rm").is_empty(),
            "{:#?}",
            world.calls.of_work()
        );
        let asked = world.calls.of("docker ps");
        let label = "--filter label=io.cloudnativepg.xtask.run=";
        assert!(
            asked.iter().any(|call| call.line().contains(label)),
            "{asked:#?}"
        );
    }
}
