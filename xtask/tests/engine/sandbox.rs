// SPDX-License-Identifier: Apache-2.0
//! The sandbox: what happens when it is killed, and that nothing is left when it is gone.
//!
//! On a machine with a Docker of its own these tests need root; without it they check the refusal.

use std::{fs, net::TcpListener, path::Path, process::Command, thread, time::Duration};

use crate::support::{
    ended::Ended,
    repository::{Registry, Repository, free_port, sandboxed},
};

fn root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

/// What a sandbox could leave behind on its host.
fn world() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let mut interfaces: Vec<String> = fs::read_dir("/sys/class/net")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    interfaces.sort();
    let temporary: Vec<String> = fs::read_dir(std::env::temp_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("mmdebstrap"))
        .collect();
    // Mount numbers change when anything is mounted and unmounted; the points must not.
    let mounts: Vec<String> = read("/proc/self/mountinfo")
        .lines()
        .map(|line| {
            line.split(' ')
                .skip(3)
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    format!(
        "interfaces {interfaces:?}\ntemporary {temporary:?}\nmounts {mounts:#?}\nforward {}\nroutes\n{}",
        read("/proc/sys/net/ipv4/ip_forward"),
        read("/proc/net/route"),
    )
}

/// The cgroups of that name, of whichever hierarchy.
fn cgroups(name: &str) -> String {
    let find = Command::new("find")
        .args([
            "/sys/fs/cgroup",
            "-maxdepth",
            "2",
            "-type",
            "d",
            "-name",
            name,
        ])
        .output()
        .unwrap();
    String::from_utf8_lossy(&find.stdout).into_owned()
}

fn kill_engine(folder: &Path) {
    let text = fs::read_to_string(folder.join("engine")).unwrap();
    let pid = text.split(' ').next().unwrap();
    assert!(
        Command::new("kill")
            .args(["-KILL", pid])
            .status()
            .unwrap()
            .success()
    );
}

/// A repository in another one's folder is seen when both were removed, or moved, and made again. Nothing is made where they went.
fn sees_repositories_as_they_are(model: &Repository, place: &Path, env: &[(&str, &str)]) {
    let [outer, moved] = ["outer", "moved"].map(|name| place.join(name));
    let make = |inner: &str| {
        for folder in [outer.clone(), outer.join(inner)] {
            fs::create_dir_all(folder.join("extensions")).unwrap();
            fs::copy(model.path().join("xtask.toml"), folder.join("xtask.toml")).unwrap();
            fs::write(folder.join("seen"), inner).unwrap();
        }
    };
    let sees = |folder: &Path, what: &str| {
        let mut command = model.command(&["sandbox", "exec", "--", "cat", "seen"]);
        let output = command
            .envs(env.iter().copied())
            .current_dir(folder)
            .output();
        let read = Ended::from(&output.unwrap()).success();
        assert_eq!(read.stdout, what, "{}", folder.display());
    };
    make("first");
    sees(&outer, "first");
    fs::remove_dir_all(&outer).unwrap();
    make("second");
    sees(&outer.join("second"), "second");
    sees(&outer, "second");
    fs::rename(&outer, &moved).unwrap();
    make("third");
    sees(&outer.join("third"), "third");
    assert!(!moved.join("third").exists());
    for folder in [outer, moved] {
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn killed_half_way_it_is_repaired_and_gone_it_leaves_nothing() {
    let repository = Repository::new();
    if !root() {
        repository
            .xtask(&["sandbox", "up"])
            .status(3)
            .says("the sandbox needs root");
        return;
    }
    let before = world();
    // Below /var, where the sandbox's root has a folder of its own: the harder place.
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let folder = place.path().join("sandbox");
    let env = [("XTASK_SANDBOX_FOLDER", folder.to_str().unwrap())];
    let mut first = repository
        .command(&["sandbox", "up"])
        .envs(env)
        .spawn()
        .unwrap();
    // In the middle of making the root.
    while !folder.join("root.new/etc").exists() {
        assert!(
            first.try_wait().unwrap().is_none(),
            "it ended before it could be killed"
        );
        thread::sleep(Duration::from_millis(20));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(!folder.join("root").exists());

    repository
        .xtask_with(&["sandbox", "up"], &env)
        .success()
        .says("the sandbox is up");
    let status = repository
        .xtask_with(&["sandbox", "status", "--json"], &env)
        .success()
        .json();
    assert_eq!(status["state"], "running");
    // A second one has nothing to do, and says nothing of steps.
    let again = repository.xtask_with(&["sandbox", "up"], &env).success();
    assert!(!again.stderr.contains('✓'), "{}", again.stderr);
    sees_repositories_as_they_are(&repository, place.path(), &env);

    kill_engine(&folder);
    let answer = repository
        .xtask_with(
            &[
                "sandbox",
                "exec",
                "--",
                "docker",
                "version",
                "--format",
                "{{.Server.Version}}",
            ],
            &env,
        )
        .success();
    assert!(
        answer.stdout.starts_with(|c: char| c.is_ascii_digit()),
        "{}",
        answer.stdout
    );

    // Started a second time, it sees its own folder again, from which base images are made.
    let marker = folder.join("xtask-sandbox");
    let look = ["sandbox", "exec", "--", "cat", marker.to_str().unwrap()];
    let seen = repository.xtask_with(&look, &env).success().stdout;
    assert_eq!(seen, fs::read_to_string(&marker).unwrap());

    let daemon = fs::read_to_string(folder.join("root/etc/docker/daemon.json")).unwrap();
    let daemon: serde_json::Value = serde_json::from_str(&daemon).unwrap();
    let cgroup = daemon["cgroup-parent"]
        .as_str()
        .unwrap()
        .trim_start_matches('/')
        .to_owned();
    fs::write(folder.parent().unwrap().join("neighbour"), "stays").unwrap();
    repository.xtask_with(&["sandbox", "down"], &env).success();
    repository
        .xtask_with(&["sandbox", "down"], &env)
        .success()
        .says("there is no sandbox");
    let left: Vec<_> = fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["neighbour"]);
    assert_eq!(world(), before);
    assert_eq!(cgroups(&cgroup), "");
}

#[test]
fn a_folder_that_is_not_a_sandbox_is_not_removed() {
    if !root() {
        return;
    }
    let repository = Repository::new();
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("precious"), "mine").unwrap();
    let env = [("XTASK_SANDBOX_FOLDER", place.path().to_str().unwrap())];
    repository
        .xtask_with(&["sandbox", "down"], &env)
        .status(2)
        .says("is not a sandbox");
    assert!(place.path().join("precious").exists());
}

#[test]
fn a_killed_engine_is_started_again_by_the_next_command() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    repository.xtask(&["sandbox", "up"]).success();
    let status = repository
        .xtask(&["sandbox", "status", "--json"])
        .success()
        .json();
    kill_engine(Path::new(status["folder"].as_str().unwrap()));
    // Whoever starts it may have a file open and locked, with a number of two digits even.
    let lock = repository.path().join("target/lock");
    fs::create_dir_all(lock.parent().unwrap()).unwrap();
    let script = "exec 12>\"$1\" && flock 12 && shift && exec \"$@\"";
    let mut command = Command::new("bash");
    command.args(["-c", script, "locked"]).arg(&lock);
    let started = repository.command(&["smoke", "pgvector"]);
    command.arg(started.get_program()).args(started.get_args());
    command.current_dir(repository.path());
    command.envs(
        started
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    Ended::from(&command.output().unwrap()).success();
    fs::File::open(&lock).unwrap().try_lock().unwrap();
}

#[test]
fn what_is_built_inside_has_the_proxies_that_the_sandbox_was_started_with() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    let up = |set: &[(&str, &str)]| {
        let base = [("XTASK_SANDBOX_BASE", "debian")];
        let up = ["sandbox", "up"];
        repository.xtask(&["sandbox", "down", "--keep"]).success();
        repository
            .xtask_with(&up, &[&base[..], set].concat())
            .success();
    };
    let folder = repository.path().join("proxied");
    fs::create_dir(&folder).unwrap();
    // apt's, which `up` asks for versions, is the other one.
    up(&[("HTTPS_PROXY", "http://198.51.100.1:3128")]);
    let images = repository.docker(&[
        "image",
        "ls",
        "--filter",
        "reference=ghcr.io/cloudnative-pg/postgresql:*",
        "--format",
        "{{.Repository}}:{{.Tag}}",
    ]);
    let images = images.success().stdout;
    let base = images.lines().next().unwrap();
    let dockerfile = format!("FROM {base}\nRUN echo \"asked: $https_proxy\"\n");
    fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
    let build = || {
        let folder = folder.to_str().unwrap();
        let args = ["buildx", "build", "--no-cache", "--progress", "plain"];
        repository
            .docker(&[&args[..], &[folder]].concat())
            .success()
            .stderr
    };
    let said = build();
    assert!(said.contains("asked: http://198.51.100.1:3128"), "{said}");
    up(&[]);
    let said = build();
    assert!(!said.contains("198.51.100.1"), "{said}");
}

#[test]
fn a_port_that_is_busy_outside_is_free_inside_and_one_inside_is_reached_from_outside() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    let port = free_port();
    let busy = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let registry = Registry::start_at(&repository, port);
    repository
        .xtask_with(
            &["bake", "wal2json", "--push"],
            &[("registry", &registry.host())],
        )
        .success();
    drop(registry);
    drop(busy);

    let registry = Registry::start(&repository);
    let address = format!("127.0.0.1:{}", registry.port);
    let reached = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(100));
        std::net::TcpStream::connect(&address).is_ok()
    });
    assert!(reached, "nothing answers at {address}");
}
