// SPDX-License-Identifier: Apache-2.0
//! What bakes meet when something breaks in the middle: each says what it was, writes nothing half, and the
//! next one is as if nothing had happened.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::support::{
    ended::Ended,
    repository::{Registry, Repository, sandboxed},
};

const BAKE: [&str; 5] = [
    "bake",
    "wal2json",
    "--verbose",
    "--metadata-file",
    "images.json",
];

/// A checkout in which a fault is planted.
struct Broken {
    repository: Repository,
    original: String,
}

const DOCKERFILE: &str = "docker/Dockerfile";

impl Broken {
    fn new() -> Self {
        let repository = Repository::new();
        let original = fs::read_to_string(repository.path().join(DOCKERFILE)).unwrap();
        Self {
            repository,
            original,
        }
    }

    /// The builder runs `line` before anything else, and never takes it from its cache.
    fn builder_runs(&self, line: &str) {
        let own = self.repository.path().display();
        let stage = format!("WORKDIR /build\n# {own}\nRUN {line}\n");
        self.repository
            .replace(DOCKERFILE, "WORKDIR /build\n", &stage);
    }

    /// Runs a bake and calls `fault` at the first line that holds `text`.
    fn bake(
        &self,
        more: &[&str],
        env: &[(&str, &str)],
        text: &str,
        fault: impl FnOnce(&Child),
    ) -> Ended {
        let mut child = self
            .repository
            .command(&[&BAKE[..], more].concat())
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut fault = Some(fault);
        let mut stderr = String::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            stderr += &line;
            stderr.push('\n');
            if line.contains(text)
                && let Some(fault) = fault.take()
            {
                fault(&child);
            }
        }
        let status = child.wait().unwrap();
        assert!(fault.is_none(), "`{text}` was never said:\n{stderr}");
        Ended {
            status: status.code(),
            stdout: String::new(),
            stderr,
        }
    }

    /// Nothing is half-written, and without the fault it works.
    #[track_caller]
    fn recovers(&self, env: &[(&str, &str)], more: &[&str]) {
        let written = self.repository.path().join("images.json");
        assert!(!written.exists(), "a bake that failed wrote its metadata");
        fs::write(self.repository.path().join(DOCKERFILE), &self.original).unwrap();
        let again = [&BAKE[..], more].concat();
        self.repository.xtask_with(&again, env).success();
        let text = fs::read_to_string(written).unwrap();
        assert!(text.contains("containerimage.digest"), "{text}");
        let folder = self.repository.path().join("target/xtask");
        let find = Command::new("find")
            .arg(folder)
            .args(["-name", ".xtask-*"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(find.stdout).unwrap(), "");
    }
}

fn signal(name: &str, pid: &str) {
    let kill = Command::new("kill").args([name, pid]).status();
    assert!(kill.unwrap().success());
}

/// The sandbox's folder.
fn sandbox(repository: &Repository) -> PathBuf {
    let status = repository.xtask(&["sandbox", "status", "--json"]).json();
    PathBuf::from(status["folder"].as_str().unwrap())
}

fn engine(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("engine")).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_registry_that_stops_during_the_push() {
    let broken = Broken::new();
    let registry = Registry::start(&broken.repository);
    let host = registry.host();
    let port = registry.port;
    let env = [("registry", host.as_str())];
    // Enough to be still on its way when the registry goes.
    broken.builder_runs(
        "mkdir -p image/share && head -c 300000000 /dev/urandom > image/share/weight",
    );
    let mut registry = Some(registry);
    broken
        .bake(&["--push"], &env, "pushing layers", |_| {
            drop(registry.take());
        })
        .status(3)
        .says("hint: nothing answers at the registry");
    let _registry = Registry::start_at(&broken.repository, port);
    broken.recovers(&env, &["--push"]);
}

#[test]
fn an_engine_that_is_killed_during_a_bake() {
    if !sandboxed() {
        return;
    }
    let broken = Broken::new();
    broken.repository.xtask(&["sandbox", "up"]).success();
    broken.builder_runs("echo the builder waits; sleep 600");
    let folder = sandbox(&broken.repository);
    broken
        .bake(&[], &[], "] RUN echo the builder waits", |_| {
            signal("-KILL", &engine(&folder));
        })
        .status(3)
        .says("failed to bake `wal2json`")
        .says("hint: it was killed: the engine stopped");
    broken.recovers(&[], &[]);
}

#[test]
fn an_engine_that_is_killed_before_it_records_a_snapshot() {
    if !sandboxed() {
        return;
    }
    let broken = Broken::new();
    broken.repository.xtask(&BAKE).success();
    let folder = sandbox(&broken.repository);
    signal("-KILL", &engine(&folder));
    let unrecorded = unrecorded_snapshots(&folder);
    broken.builder_runs("echo a new snapshot; mkdir -p image/share");
    broken.repository.xtask(&BAKE).success();
    assert!(!unrecorded.exists(), "{unrecorded:?}");
}

/// Leaves what a kill between the making of a snapshot's folder and its record leaves, wherever the record stands.
/// Gives the last of the folders.
fn unrecorded_snapshots(folder: &Path) -> PathBuf {
    let containerd = folder.join("docker/containerd/daemon");
    let snapshots = containerd.join("io.containerd.snapshotter.v1.overlayfs/snapshots");
    let names = fs::read_dir(&snapshots).unwrap();
    let numbers = names.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let last: u64 = numbers.max().unwrap();
    for number in last + 1..=last + 200 {
        fs::create_dir_all(snapshots.join(number.to_string()).join("fs")).unwrap();
    }
    snapshots.join((last + 200).to_string())
}

#[test]
fn a_bake_that_hangs_is_ended_by_ctrl_c() {
    let broken = Broken::new();
    broken.builder_runs("echo the builder waits; sleep 600");
    broken
        .bake(&[], &[], "] RUN echo the builder waits", |child| {
            signal("-INT", &child.id().to_string());
        })
        .status(130)
        .says("interrupted");
    broken.recovers(&[], &[]);
}

#[test]
fn a_builder_whose_disk_is_full() {
    let broken = Broken::new();
    broken.builder_runs(
        "--mount=type=tmpfs,target=/small,size=1048576 head -c 3000000 /dev/zero > /small/file",
    );
    broken
        .repository
        .xtask(&BAKE)
        .status(1)
        .says("No space left on device")
        .says("hint: free some disk");
    broken.recovers(&[], &[]);
}

/// A sandbox of its own on a small disk, in a mount namespace of its own: nothing of it is seen elsewhere.
#[test]
fn an_engine_whose_disk_is_full() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    let disk = tempfile::tempdir().unwrap();
    let script = "
        set -eu
        disk=$1 xtask=$2
        mount -t tmpfs -o size=4g tmpfs \"$disk\"
        \"$xtask\" sandbox up
        used=$(df --block-size=1M --output=used \"$disk\" | tail -n 1)
        # An index of packages does not go into that.
        mount -o remount,size=$((used + 8))m \"$disk\"
        status=0
        \"$xtask\" bake postgis --metadata-file images.json || status=$?
        echo \"bake with a full disk: $status\"
        [ ! -e images.json ] || echo half-written
        mount -o remount,size=4g \"$disk\"
        \"$xtask\" bake wal2json --metadata-file images.json
        \"$xtask\" sandbox down
        echo \"left: $(ls -A \"$disk\")\"
    ";
    let call = repository.command(&[]);
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script, "sh"])
        .args([disk.path(), Path::new(call.get_program())])
        .current_dir(repository.path());
    let set = call.get_envs();
    command
        .envs(set.filter_map(|(name, value)| Some((name, value?))))
        .env("XTASK_SANDBOX_FOLDER", disk.path().join("sandbox"));
    let ended = Ended::from(&command.output().unwrap())
        .success()
        .says("hint: free some disk");
    for line in ["bake with a full disk: 1\n", "left: \n"] {
        assert!(ended.stdout.contains(line), "{line}: {ended:#?}");
    }
    assert!(!ended.stdout.contains("half-written"), "{ended:#?}");
}

#[test]
fn a_network_without_names() {
    if !sandboxed() {
        return;
    }
    let broken = Broken::new();
    broken.repository.xtask(&["sandbox", "up"]).success();
    // The first run has made the base image, which is not what is asked here.
    broken.repository.xtask(&["bake", "wal2json"]).success();
    let resolver = sandbox(&broken.repository).join("root/etc/resolv.conf");
    let original = fs::read_to_string(&resolver).unwrap();
    fs::write(
        &resolver,
        "nameserver 127.0.0.254\noptions timeout:1 attempts:1\n",
    )
    .unwrap();
    let ended = broken.repository.xtask(&BAKE);
    fs::write(&resolver, original).unwrap();
    ended.status(3).says("hint: names do not resolve");
    broken.recovers(&[], &[]);
}

#[test]
fn a_checkout_that_cannot_be_written() {
    let broken = Broken::new();
    broken.repository.xtask(&["targets"]).success();
    let script = "mount --bind . . && cd \"$PWD\" && mount -o remount,bind,ro . && exec \"$@\"";
    let call = broken.repository.command(&["bake", "wal2json"]);
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(call.get_program())
        .args(call.get_args())
        .current_dir(broken.repository.path());
    let set = call.get_envs();
    command.envs(set.filter_map(|(name, value)| Some((name, value?))));
    let ended = Ended::from(&command.output().unwrap());
    if ended.stderr.contains("unshare failed") {
        return; // Only root may.
    }
    ended
        .status(3)
        .says("cannot write below `target/xtask`: ")
        .says("Read-only file system");
    assert!(!broken.repository.path().join("target").exists());
    broken.recovers(&[], &[]);
}
