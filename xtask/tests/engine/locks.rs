// SPDX-License-Identifier: Apache-2.0
//! One engine has one lock, and what a killed run has left on it is told from what others have there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::repository::{Repository, sandboxed};

/// An environment of which there is nothing, so that its clean-up does nothing but take the lock.
const NOBODY: [(&str, &str); 1] = [("XTASK_E2E_NAME", "locks-of-nobody")];

fn folder(repository: &Repository) -> PathBuf {
    let status = repository.xtask(&["sandbox", "status", "--json"]).json();
    PathBuf::from(status["folder"].as_str().unwrap())
}

fn lock_of(folder: &Path) -> PathBuf {
    let mut path = folder.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

/// What a run says of itself while it holds the lock; this one has been killed.
fn record(run: &str) -> String {
    format!(
        r#"{{"run":"{run}","pid":1,"started":1,"session":1,"namespace":"pid:[1]","command":"bake all","folder":"/elsewhere","since":1}}"#
    )
}

#[test]
fn whoever_shares_the_sandbox_shares_the_lock() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    repository.xtask(&["sandbox", "up"]).success();
    let folder = folder(&repository);
    let lock = fs::File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .open(lock_of(&folder))
        .unwrap();
    lock.lock().unwrap();
    fs::write(lock_of(&folder), record("0123456789abcdef")).unwrap();
    // Another HOME, and the same sandbox: `down` would end the engine under whoever holds the lock.
    let said = repository.path().join("said");
    let mut down = repository
        .command(&["sandbox", "down", "--keep"])
        .env("HOME", repository.path())
        .env("XTASK_SANDBOX_FOLDER", &folder)
        .stderr(Stdio::from(fs::File::create(&said).unwrap()))
        .spawn()
        .unwrap();
    let said = || fs::read_to_string(&said).unwrap();
    while !said().contains("waiting for") {
        assert!(down.try_wait().unwrap().is_none(), "{}", said());
        thread::sleep(Duration::from_millis(20));
    }
    assert!(said().contains("`bake all` in `/elsewhere`"), "{}", said());
    // What only looks into an engine that runs waits for nobody.
    repository.docker(&["version"]).success();
    let sent = Command::new("kill")
        .args(["-INT", &down.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(down.wait().unwrap().code(), Some(130));
    fs::write(lock_of(&folder), "").unwrap();
    drop(lock);
    repository.docker(&["version"]).success();
}

#[test]
fn a_killed_runs_containers_go_and_no_others() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    repository.xtask(&["sandbox", "up"]).success();
    let folder = folder(&repository);
    fs::write(repository.path().join("hello"), "hello").unwrap();
    let tar = Command::new("tar")
        .args(["-cf", "image.tar", "hello"])
        .current_dir(repository.path())
        .status();
    assert!(tar.unwrap().success());
    let path = repository.path().join("image.tar");
    repository
        .docker(&["import", path.to_str().unwrap(), "xtask-locks:1"])
        .success();
    let (gone, other) = ("0123456789abcdef", "fedcba9876543210");
    let environment = "io.cloudnativepg.xtask.environment=somebody";
    let of = |run: &str| format!("io.cloudnativepg.xtask.run={run}");
    let create = |name: &str, labels: &[&str]| {
        let mut args = vec!["create", "--name", name];
        for label in labels {
            args.extend(["--label", label]);
        }
        args.extend(["xtask-locks:1", "/hello"]);
        repository.docker(&args).success();
    };
    create("xtask-locks-left", &[&of(gone)]);
    create("xtask-locks-kept", &[&of(gone), environment]);
    create("xtask-locks-of-another-run", &[&of(other)]);
    create("xtask-locks-foreign", &[]);
    fs::write(lock_of(&folder), record(gone)).unwrap();
    repository
        .xtask_with(&["e2e", "cleanup"], &NOBODY)
        .success()
        .says("removed 1 container of a killed run");
    let args = ["ps", "--all", "--format", "{{.Names}}", "--filter"];
    let there = repository.docker(&[&args[..], &["name=xtask-locks-"]].concat());
    let mut there: Vec<&str> = there.stdout.lines().collect();
    there.sort_unstable();
    let kept = [
        "xtask-locks-foreign",
        "xtask-locks-kept",
        "xtask-locks-of-another-run",
    ];
    repository.docker(&[&["rm"][..], &kept].concat()).success();
    repository
        .docker(&["image", "rm", "xtask-locks:1"])
        .success();
    assert_eq!(there, kept);
    assert!(!lock_of(&folder).exists());
}

#[test]
fn the_programs_enter_the_engine_and_no_process_that_has_its_number() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    repository.xtask(&["sandbox", "up"]).success();
    let folder = folder(&repository);
    // A copy of the wrapper reads a copy of the file, in which the process has started at another time.
    let engine = folder.join("engine");
    let text = fs::read_to_string(&engine).unwrap();
    let copy = repository.path().join("engine");
    let enter = repository.path().join("enter");
    let script = fs::read_to_string(folder.join("bin/enter")).unwrap();
    let script = script.replace(engine.to_str().unwrap(), copy.to_str().unwrap());
    fs::write(&enter, script).unwrap();
    let run = |text: &str| {
        fs::write(&copy, text).unwrap();
        let mut command = Command::new("sh");
        command.arg(&enter).arg("true");
        // A folder that the sandbox shows, wherever the tests run.
        let enter = command.current_dir(repository.path()).output();
        enter.unwrap()
    };
    assert!(run(&text).status.success());
    let (pid, started) = text.trim().split_once(' ').unwrap();
    let started: u64 = started.parse().unwrap();
    for other in [
        format!("{pid} {}\n", started + 1),
        format!("1 {started}\n"),
        String::new(),
    ] {
        let output = run(&other);
        assert_eq!(output.status.code(), Some(125), "{other}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("the sandbox does not run"), "{said}");
    }
}
