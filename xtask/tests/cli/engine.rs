// SPDX-License-Identifier: Apache-2.0
//! Tools and daemons that are missing or cannot do what is asked. Status 3, with the fix.

use crate::cli::world::{World, nobody};

#[test]
fn what_is_missing_is_said_before_anything_runs() {
    let no_store = r#"{"ServerVersion":"27.1.0","DriverStatus":[["Backing Filesystem","extfs"]],"ClientInfo":{"Plugins":[{"Name":"buildx","Version":"1"}]}}"#;
    let no_buildx = r#"{"ServerVersion":"28.1.0","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"ClientInfo":{"Plugins":[]}}"#;
    let stopped = r#"{"ServerErrors":["Cannot connect to the Docker daemon at unix:///var/run/docker.sock."]}"#;
    for (info, message) in [
        (stopped, "the Docker daemon does not answer"),
        (no_buildx, "`docker` has no buildx plugin"),
        (
            no_store,
            "cannot attest images or keep an index without the containerd image store",
        ),
    ] {
        let world = World::new();
        world.docker.info(info);
        world
            .run("bake alpha")
            .status(3)
            .says(message)
            .says("hint: ");
        assert!(world.calls.of("docker buildx bake").is_empty());
    }
    let world = World::new();
    world.docker.info_fails("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n");
    world
        .run("smoke alpha")
        .status(3)
        .says("the Docker daemon does not answer")
        .says("--sandbox");
    world.tools.without("docker");
    world
        .run("bake alpha")
        .status(3)
        .says("`docker` is not installed or not on PATH");
    let world = World::new();
    world
        .docker
        .builder_fails("ERROR: no builder \"farm\" found\n");
    world
        .run("bake alpha --builder farm")
        .status(3)
        .says("builder `farm` cannot be used: ERROR: no builder \"farm\" found");
}

#[test]
fn prereqs_says_all_that_is_missing_at_once() {
    let world = World::new();
    world
        .run("prereqs")
        .success()
        .says("all prerequisites are met");
    world.docker.info(
        r#"{"ServerVersion":"27.1.0","DockerRootDir":"/","DriverStatus":[],"ClientInfo":{}}"#,
    );
    world
        .docker
        .builder("Driver: docker\n\nNodes:\nName: default\nPlatforms: linux/amd64\n");
    let checks = world.run("prereqs --json").status(3).json();
    let state = |name: &str| {
        let check = checks
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["name"] == name);
        check.unwrap_or_else(|| panic!("{name}: {checks:#}"))["state"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(state("engine"), "ok");
    assert_eq!(state("builder"), "missing");
    assert_eq!(state("platforms"), "warning");
    assert_eq!(state("image mounts"), "warning");
    world
        .run_with("prereqs --for bake", &[("XTASK_DISK_WARNING", "99999999")])
        .status(3);
    world.tools.without("docker");
    let missing = world.run("prereqs").status(3);
    assert!(
        missing.stdout.contains("docker") && missing.stdout.contains("buildx"),
        "{}",
        missing.stdout
    );
}

#[test]
fn what_a_release_needs_is_missing_only_where_it_was_asked_for() {
    let world = World::new();
    let all = world.run("prereqs").success().stdout;
    for program in ["oras", "cosign"] {
        let row = format!("warning  {program}");
        assert!(all.contains(&row), "{program}: {all}");
    }
    world.calls.forget();
    world
        .run("prereqs --for release")
        .status(3)
        .says("2 prerequisites are missing");
    world.tools.program(
        "oras",
        "#!/bin/sh\n[ \"$*\" = version ] && printf 'Version:    1.2.0\\nGo version: go1.26.5\\n'\n",
    );
    let cosign = |version: &str| {
        let said = format!(
            "#!/bin/sh\n[ \"$*\" = 'version --json' ] && echo '{{\"gitVersion\": \"{version}\", \"goVersion\": \"go1.27.3\"}}'\n"
        );
        world.tools.program("cosign", &said);
    };
    cosign("v2.6.1");
    let old = world.run("prereqs --for release").status(3).stdout;
    for why in [
        "oras 1.2.0 is older than 1.3",
        "cosign 2.6.1 is older than 3",
    ] {
        assert!(old.contains(why), "{old}");
    }
    // Debian's does not say its version, and Go's is none.
    cosign("devel");
    world
        .tools
        .program("oras", "#!/bin/sh\necho 'Version: 1.3.3'\n");
    let there = world.run("prereqs --for release").success().stdout;
    assert!(
        there.contains("cosign") && there.contains("1.3.3"),
        "{there}"
    );
    world.calls.never("docker");
}

#[test]
fn without_root_the_sandbox_says_what_it_needs() {
    let world = World::new();
    // A user without rights must reach the binary and the repository, so both go to a place for all.
    let place = tempfile::tempdir_in("/tmp").unwrap();
    let copy = nobody::copy_of_xtask(place.path());
    std::fs::write(place.path().join("xtask.toml"), "").unwrap();
    std::fs::create_dir(place.path().join("extensions")).unwrap();
    std::fs::set_permissions(
        place.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let mut command = nobody::as_nobody(&copy, place.path());
    command.args(["sandbox", "up"]).current_dir(place.path());
    super::world::Ended::from(&command.output().unwrap())
        .status(3)
        .says("the sandbox needs root")
        .says("hint: ");
    drop(world);
}

#[track_caller]
fn missing(needed_for: &str, programs: &[&str]) {
    let world = World::new();
    world.tools.without("docker");
    let ended = world
        .run(["prereqs", "--for", needed_for])
        .status(3)
        .says("prerequisites are missing");
    for program in programs {
        let row = ended
            .stdout
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some(program));
        let row = row.unwrap_or_else(|| panic!("{program} is not in\n{}", ended.stdout));
        assert!(
            row.starts_with("missing") && row.contains("install"),
            "{row}"
        );
    }
}

const HOST: [&str; 5] = ["apt-get", "dpkg-deb", "nsenter", "setpriv", "unshare"];

#[test]
fn all_that_is_missing_is_listed_with_what_to_do() {
    missing("bake,smoke", &["docker", "buildx"]);
    missing("sandbox", &HOST);
}

#[test]
fn what_the_sandbox_needs_is_listed_beside_what_a_bake_needs() {
    missing("bake,sandbox", &[&HOST[..], &["docker", "buildx"]].concat());
}

#[test]
fn an_engine_that_answers_with_an_error_is_unusable() {
    for said in [
        "error during connect: Get \"http://docker/v1.50/info\": EOF",
        "Error response from daemon: client version 1.50 is too new. Maximum supported API version is 1.41",
        "unable to resolve docker endpoint: context \"gone\": context not found",
    ] {
        let world = World::new();
        world.docker.info_fails(&format!("{said}\n"));
        world.run("bake gamma").status(3).says(said);
    }
}

#[test]
fn an_engine_that_asks_the_local_registry_by_https_is_found() {
    let world = World::e2e();
    let with = |registries: &str| {
        world.docker.info(&format!(
            r#"{{"ServerVersion":"29.10.0","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],
                "RegistryConfig":{registries},"ClientInfo":{{"Plugins":[{{"Name":"buildx","Version":"1"}}]}}}}"#
        ));
        world.run("prereqs --for e2e").stdout
    };
    let strict = with(r#"{"InsecureRegistryCIDRs":["10.0.0.0/8"],"IndexConfigs":{}}"#);
    assert!(strict.contains("by HTTPS"), "{strict}");
    assert!(strict.contains("`insecure-registries`"), "{strict}");
    let usual = with(r#"{"InsecureRegistryCIDRs":["::1/128","127.0.0.0/8"],"IndexConfigs":{}}"#);
    assert!(!usual.contains("HTTPS"), "{usual}");
}
