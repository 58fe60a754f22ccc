// SPDX-License-Identifier: Apache-2.0
//! What a newcomer's machine may lack: of each, the first message names one step, and with that step done the same command
//! succeeds.

use std::fs;

use crate::cli::world::{BUILD, Ended, World, nobody};

/// Where a program is while it is not on PATH.
fn beside(world: &World, program: &str) -> std::path::PathBuf {
    world.home().join(format!("{program}.aside"))
}

fn hide(world: &World, program: &str) {
    let path = world.tools.path().join(program);
    fs::rename(path, beside(world, program)).unwrap();
}

/// Somebody has installed it.
fn install(world: &World, program: &str) {
    let path = world.tools.path().join(program);
    fs::rename(beside(world, program), path).unwrap();
}

/// Somebody has removed what a test lets docker answer, for what it answers else.
fn as_usual(world: &World, answer: &str) {
    fs::remove_file(world.state("docker").join(answer)).unwrap();
}

/// The one message of a command that does not get far, which names the step.
#[track_caller]
fn stuck(ended: Ended, status: i32, message: &str, step: &str) {
    let said = ended.status(status).stderr;
    let mut errors = said.lines().filter(|line| line.starts_with("error"));
    let error = errors.next().unwrap_or_else(|| panic!("no error:\n{said}"));
    assert!(error.contains(message), "{error}\n{said}");
    let hints: Vec<&str> = said
        .lines()
        .filter(|line| line.trim_start().starts_with("hint: "))
        .collect();
    assert_eq!(hints.len(), 1, "{said}");
    assert!(hints[0].contains(step), "{said}");
}

const SMOKE: &str = "smoke gamma --distro trixie";

#[test]
fn without_docker() {
    let world = World::new();
    hide(&world, "docker");
    stuck(
        world.run(SMOKE),
        3,
        "`docker` is not installed or not on PATH",
        "install Docker 28 or newer with buildx, or add `--sandbox`",
    );
    install(&world, "docker");
    world.run(SMOKE).success();
}

#[test]
fn with_a_docker_that_is_not_started() {
    let world = World::new();
    world.docker.info_fails("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n");
    stuck(
        world.run(SMOKE),
        3,
        "the Docker daemon does not answer",
        "start Docker",
    );
    as_usual(&world, "info.fails");
    world.run(SMOKE).success();
}

#[test]
fn with_a_docker_for_others() {
    let world = World::new();
    world.docker.info_fails("permission denied while trying to connect to the docker API at unix:///var/run/docker.sock\n");
    stuck(
        world.run(SMOKE),
        3,
        "failed to ",
        "add yourself to the group `docker`, or run this as root",
    );
    as_usual(&world, "info.fails");
    world.run(SMOKE).success();
}

#[test]
fn without_buildx() {
    let world = World::new();
    world.docker.info(r#"{"ServerVersion":"28.1.0","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"ClientInfo":{"Plugins":[]}}"#);
    stuck(
        world.run(SMOKE),
        3,
        "`docker` has no buildx plugin",
        "docker-buildx-plugin",
    );
    as_usual(&world, "info");
    world.run(SMOKE).success();
}

const NO_STORE: &str = r#"{"ServerVersion":"28.1.0","DriverStatus":[["Backing Filesystem","extfs"]],"ClientInfo":{"Plugins":[{"Name":"buildx","Version":"1"}]}}"#;

#[test]
fn without_containerds_image_store() {
    let world = World::new();
    world.docker.info(NO_STORE);
    let message = "cannot attest images or keep an index without the containerd image store";
    let switch =
        "set `\"features\": {\"containerd-snapshotter\": true}` in the engine's daemon.json";
    stuck(world.run(SMOKE), 3, message, switch);
    as_usual(&world, "info");
    world.run(SMOKE).success();
}

/// The other way of the same hint.
#[test]
fn without_containerds_image_store_and_with_a_builder_of_its_own() {
    let world = World::new();
    world.docker.info(NO_STORE);
    let create = "docker buildx create --use --driver docker-container --driver-opt network=host";
    stuck(world.run(SMOKE), 3, "containerd image store", create);
    world.write("../.docker/buildx/current", "{\"Name\":\"quiet_name\"}");
    world.docker.builder("Name: quiet_name\nDriver: docker-container\n\nNodes:\nName: quiet_name0\nStatus: running\nPlatforms: linux/amd64, linux/arm64\n");
    world.run(SMOKE).success();
}

#[test]
fn without_kind() {
    let world = World::e2e();
    hide(&world, "kind");
    stuck(
        world.run("e2e setup-env"),
        3,
        "`kind` is not installed or not on PATH",
        "install kind 0.32 or newer, or add `--sandbox`",
    );
    install(&world, "kind");
    world.run("e2e setup-env").success();
}

#[test]
fn with_a_kind_that_is_too_old() {
    let world = World::e2e();
    world.kind.version("0.20.0\n");
    stuck(
        world.run("e2e setup-env"),
        3,
        "kind 0.20.0 is ",
        "install kind 0.27 or newer, add `--sandbox`, which brings one",
    );
    world.kind.version("0.27.0\n");
    world.run("e2e setup-env").success();
}

#[test]
fn with_a_full_disk() {
    let world = World::new();
    world.tools.fails_at(
        1,
        BUILD,
        17,
        "ERROR: failed to copy: write /var/lib/docker/x: no space left on device\n",
    );
    stuck_in_a_step(
        world.run(SMOKE),
        1,
        "no space left on device",
        "`docker buildx prune` removes build cache",
    );
    // Pruned: the second build has room.
    world.run(SMOKE).success();
}

/// The same where a step has begun: its message is the step's own.
#[track_caller]
fn stuck_in_a_step(ended: Ended, status: i32, message: &str, step: &str) {
    let said = ended.status(status).stderr;
    assert!(said.contains(message), "{said}");
    let hints: Vec<&str> = said
        .lines()
        .filter(|line| line.trim_start().starts_with("hint: "))
        .collect();
    // Behind it stands where the logs are.
    assert!(hints[0].contains(step), "{said}");
}

#[test]
fn in_the_wrong_folder() {
    let world = World::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let ended = Ended::from(
        &world
            .command(SMOKE)
            .current_dir(elsewhere.path())
            .output()
            .unwrap(),
    );
    stuck(
        ended,
        2,
        "is not inside a repository of extensions",
        "`cargo xtask init`",
    );
    world.run(SMOKE).success();
}

/// Step by step to a repository with an extension in it.
#[test]
fn in_an_empty_folder() {
    let world = World::new();
    let fresh = tempfile::tempdir().unwrap();
    let run = |words: &str| {
        let words = words.split(' ');
        Ended::from(
            &world
                .command(words.collect::<Vec<_>>())
                .current_dir(fresh.path())
                .output()
                .unwrap(),
        )
    };
    stuck(
        run("checks --all"),
        2,
        "is not inside a repository",
        "`cargo xtask init` makes one of it",
    );
    run("init --revision 0123456789abcdef0123456789abcdef01234567").success();
    stuck(
        run("checks --all"),
        2,
        "there are no extensions here",
        "cargo xtask create-extension",
    );
    world.docker.has_package("package\tpostgresql-18-cron\t1.6.7-2.pgdg13+1\nfile\tlib/pg_cron.so\nfile\tshare/extension/pg_cron--1.6.sql\n\
        control\tpg_cron\tdefault_version = '1.6'\nmodule\tpg_cron\ncreated\tpg_cron\ndone\n");
    run("create-extension pg-cron --from-archive --distro trixie --pg 18").success();
    run("checks --all --no-bake").success();
}

#[test]
fn with_a_name_that_is_no_extension() {
    let world = World::new();
    let said = world.run("smoke gama").status(2).stderr;
    assert!(said.contains("did you mean `gamma`?"), "{said}");
    world.run(SMOKE).success();
}

/// Of the two steps that the hint names, the one that nobody's machine lacks.
#[test]
fn without_root() {
    let world = World::new();
    let place = world.home().to_owned();
    fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = nobody::copy_of_xtask(&place);
    let ended = nobody::as_nobody(&program, &place)
        .args(["smoke", "gamma", "--sandbox"])
        .current_dir(world.root())
        .output()
        .unwrap();
    stuck(
        Ended::from(&ended),
        3,
        "the sandbox needs root",
        "or install Docker and leave out `--sandbox`",
    );
    world.run(SMOKE).success();
}

/// A build's steps know the proxies of docker's settings alone.
#[test]
fn behind_a_proxy_that_builds_do_not_know() {
    let world = World::new();
    let settings = world.home().join(".docker/config.json");
    let said = world.state("unresolved");
    fs::write(&said, "#9 1.2 W: Failed to fetch http://archive.example/debian/dists/trixie/InRelease  Temporary failure resolving 'archive.example'\nERROR: failed to solve\n").unwrap();
    world.tools.rule(
        BUILD,
        &format!(
            "grep -qs httpProxy {} || {{ cat {} >&2; exit 17; }}",
            settings.display(),
            said.display()
        ),
    );
    let proxy = [("HTTP_PROXY", "http://proxy.example:3128")];
    stuck_in_a_step(
        world.run_with(SMOKE, &proxy),
        3,
        "Temporary failure resolving",
        "name it in `proxies` of docker's `config.json`",
    );
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(
        &settings,
        r#"{"proxies": {"default": {"httpProxy": "http://proxy.example:3128"}}}"#,
    )
    .unwrap();
    world.run_with(SMOKE, &proxy).success();
}

/// What docker is told by a context reaches every call, as its own settings and variables do.
#[test]
fn with_an_engine_of_another_context() {
    let world = World::new();
    world.tools.rule(
        "docker ",
        "[ \"$DOCKER_CONTEXT\" = desk ] || [ \"$1\" = buildx -a \"$2\" = bake ] || fail 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?'",
    );
    stuck(
        world.run(SMOKE),
        3,
        "the Docker daemon does not answer",
        "`docker context ls`",
    );
    world
        .run_with(SMOKE, &[("DOCKER_CONTEXT", "desk")])
        .success();
}

#[test]
fn with_a_context_that_is_gone() {
    let world = World::new();
    world.docker.info_fails("unable to resolve docker endpoint: context \"gone\": context not found: open /root/.docker/contexts/meta/0/meta.json: no such file or directory\n");
    stuck(
        world.run(SMOKE),
        3,
        "failed to ",
        "docker context use default",
    );
    as_usual(&world, "info.fails");
    world.run(SMOKE).success();
}
