// SPDX-License-Identifier: Apache-2.0
//! What a failing tool's step says: the first error, the command, the status, the log, a hint.

use std::fs;

use crate::cli::world::{BUILD, World};

#[test]
fn the_first_error_is_quoted_however_much_comes_after_it() {
    let world = World::new();
    let mut said = String::from("#9 0.2 ERROR: the cause\n");
    for line in 0..60 {
        said += &format!("#9 0.3 line {line}\n");
    }
    world
        .docker
        .bake_fails("gamma", &(said + "ERROR: failed to solve: it gave up\n"));
    let ended = world.run("bake gamma").status(1);
    let expected = [
        "failed to bake `gamma` (pg 18, bookworm; pg 18, trixie)",
        "  command: BUILDX_METADATA_PROVENANCE=disabled docker buildx bake -f target/xtask/targets.json --metadata-file target/xtask/bake/gamma.json",
        "exited with status 17 after ",
        "first error: #9 0.2 ERROR: the cause",
        "last 8 of 66 lines:",
        "  | #1 0.0 ERROR: failed to solve: it gave up",
        "  | ERROR: target gamma-1_2-18-bookworm: failed to solve: ",
    ];
    let mut rest = ended.stderr.as_str();
    for text in expected {
        let at = rest.find(text);
        rest = &rest[at.unwrap_or_else(|| panic!("`{text}` is not in\n{rest}"))..];
    }
    let log = ended.stderr.split("full log: ").nth(1).unwrap();
    let log = fs::read_to_string(world.root().join(log.lines().next().unwrap())).unwrap();
    assert!(
        log.starts_with("$ BUILDX_METADATA_PROVENANCE=disabled docker "),
        "{log}"
    );
    assert_eq!(log.lines().count(), 67, "the command and every line");
}

#[test]
fn a_step_that_is_a_script_is_named_and_not_repeated_whole() {
    let world = World::new();
    world.docker.bake_fails("gamma", "");
    let ended = world
        .run("bake gamma --distro trixie")
        .status(1)
        .says("process \"/bin/sh -c set -eux; apt-get download one two three; set -eux; ")
        .says("…\" did not complete successfully: exit code: 17");
    let shown = ended.stderr.lines();
    let mut shown = shown.filter(|line| !line.contains("command: "));
    let too_long = shown.find(|line| line.len() > 220);
    assert_eq!(too_long, None);
    let log = ended.stderr.split("full log: ").nth(1).unwrap();
    let log = fs::read_to_string(world.root().join(log.lines().next().unwrap())).unwrap();
    assert!(log.contains("one two three\" did not complete"), "{log}");
}

#[test]
fn a_log_is_found_where_the_message_says_from_a_folder_below_too() {
    let world = World::new();
    world.docker.bake_fails("gamma", "ERROR: no\n");
    let here = world.root().join("docker");
    let output = world
        .command("bake gamma")
        .current_dir(&here)
        .output()
        .unwrap();
    let ended = super::world::Ended::from(&output).status(1);
    let log = ended.stderr.split("full log: ").nth(1).unwrap();
    let log = here.join(log.lines().next().unwrap());
    assert!(log.is_file(), "{} from {}", log.display(), here.display());
}

#[test]
fn known_symptoms_come_with_what_helps() {
    for (said, status, hint) in [
        (
            "ERROR: failed to copy: write /var/lib/docker/x: no space left on device",
            1,
            "hint: free some disk space: `docker system df`",
        ),
        (
            "tar: y: Cannot write: No space left on device",
            1,
            "hint: free some disk",
        ),
        (
            "E: Failed to fetch http://archive.example/debian/dists/forky/InRelease  Unable to connect to proxy.example:3128:",
            3,
            "hint: nothing answers at `proxy.example:3128`",
        ),
        (
            "ERROR: failed to solve: failed to push localhost:5000/gamma: dial tcp 127.0.0.1:5000: connect: connection refused",
            3,
            "hint: nothing answers at the registry",
        ),
        (
            "ERROR: failed to solve: failed to push ghcr.io/x/gamma:1.2-18-trixie: unexpected status from POST request to https://ghcr.io/v2/x/gamma/blobs/uploads/: 403 Forbidden",
            3,
            "`docker login ghcr.io`",
        ),
        (
            "ERROR: failed to solve: failed to push r.example:5000/gamma:1: push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
            3,
            "`docker login r.example:5000`",
        ),
        (
            "ERROR: failed to solve: failed to push localhost:5000/gamma:1: failed to do request: Head \"https://localhost:5000/v2/gamma\": http: server gave HTTP response to HTTPS client",
            3,
            "hint: the registry speaks HTTP, and the engine asks it by HTTPS: add its address to `insecure-registries`",
        ),
        (
            "ERROR: failed to solve: failed to push r.example/gamma:1: error from registry: blob unknown to registry - sha256:0a",
            1,
            "XTASK_BAKE_OCI_ARTIFACT=never",
        ),
        (
            "ERROR: additional privileges requested",
            2,
            "BUILDX_BAKE_ENTITLEMENTS_FS=0",
        ),
        (
            "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            3,
            "hint: start Docker, or add `--sandbox`",
        ),
        (
            "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock",
            3,
            "hint: add yourself to the group `docker`",
        ),
        (
            "#5 1.0 E: Unable to locate package postgresql-18-gamma",
            1,
            "hint: the archive has no such package for this distro",
        ),
        (
            "ERROR: ghcr.io/x: failed to resolve source metadata for ghcr.io/x: 403 Forbidden",
            3,
            "hint: the base image cannot be pulled",
        ),
        (
            "ERROR: target gamma-1_2-18-trixie: failed to solve: index annotations not supported for single platform export",
            2,
            "hint: the image is empty: its Dockerfile copies nothing into the last stage",
        ),
    ] {
        let world = World::new();
        world.docker.bake_fails("gamma", &format!("{said}\n"));
        world
            .run("bake gamma --push")
            .status(status)
            .says(said)
            .says(hint);
    }
}

#[test]
fn an_extension_that_nothing_holds_is_answered_with_where_it_is_named() {
    let world = World::new();
    let said = "ERROR:  extension \"nobody\" is not available";
    world.docker.test_fails(&format!(
        "{said}\nerror: the extension could not be created\n"
    ));
    world
        .run("smoke gamma --no-bake --distro trixie")
        .status(1)
        .says(said)
        .says("hint: no control file of that name is in the mounted images or in the base image");
}

#[test]
fn the_call_that_fails_is_the_one_that_is_named() {
    let world = World::new();
    world
        .tools
        .fails_at(2, BUILD, 17, "ERROR: the second one\n");
    let ended = world
        .run("bake alpha gamma --jobs 1")
        .status(1)
        .says("failed to bake `gamma`")
        .says("ERROR: the second one");
    assert!(
        !ended.stderr.contains("failed to bake `alpha`"),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains("alpha-testing:1.2-18-trixie"),
        "what was built is shown"
    );
    for line in ended.stdout.lines().filter(|line| line.contains("gamma-")) {
        assert!(line.starts_with("failed "), "{}", ended.stdout);
    }
}

#[test]
fn going_on_counts_what_failed_and_what_was_not_run() {
    let world = World::new();
    for name in ["alpha", "gamma"] {
        world.docker.bake_fails(name, "ERROR: no\n");
    }
    let ended = world
        .run("bake --all --keep-going")
        .status(1)
        .says("failed to bake `alpha`")
        .says("failed to bake `gamma`")
        .says("✓ bake beta")
        .says("bake failed: 2 steps\n")
        .says("full logs: target/xtask/runs/");
    assert!(!ended.stderr.contains("failed to bake `beta`"), "{ended:?}");
    let ended = world
        .run("bake alpha beta gamma --jobs 1")
        .status(1)
        .says("failed to bake `alpha`")
        .says("bake failed: 1 step, 2 not run\n");
    assert!(
        !ended.stderr.contains("failed to bake `gamma`"),
        "{ended:?}"
    );
}

/// A superseded image that the engine does not remove, and why.
fn keeping(why: &str) -> World {
    let world = World::new();
    world
        .docker
        .tags("1.2-202601010000-18-trixie\n1.2-202602020000-18-trixie\n");
    let said = format!("Error response from daemon: {why}\n");
    world.tools.fails_at(1, "docker image rm", 17, &said);
    world
}

#[test]
fn an_image_that_cannot_be_dropped_does_not_undo_a_bake() {
    let world = keeping("conflict: container 0123 is using it");
    world
        .run("bake alpha --distro trixie")
        .success()
        .says("warning")
        .says("conflict: container 0123 is using it")
        .says("1 image baked");
}

#[test]
fn an_image_that_another_run_has_dropped_is_no_failure() {
    let world = keeping("No such image: x");
    world.run("bake alpha --distro trixie").success();
}

#[test]
fn a_builder_of_its_own_keeps_its_images_to_itself_unless_they_are_pushed() {
    let world = World::new();
    world.docker.builder("Driver: docker-container\n");
    let warning = "images stay in the builder (driver `docker-container`)";
    world
        .run("bake alpha --builder farm")
        .success()
        .says(warning);
    let pushed = world.run("bake alpha --builder farm --push").success();
    assert!(!pushed.stderr.contains(warning), "{}", pushed.stderr);
}

#[test]
fn a_bake_that_writes_no_digest_is_not_tested_by_its_tag() {
    let world = World::new();
    world.docker.bake_writes("gamma", "{}");
    world
        .run("smoke gamma --distro trixie")
        .status(1)
        .says("bake has not built `gamma-1_2-18-trixie`");
    assert!(world.calls.of("docker run").is_empty());
}

#[test]
fn a_bake_that_has_not_built_a_target_has_failed() {
    for said in [
        "{}",
        "{\"gamma-1_2-18-trixie\":{}}",
        "{\"gamma-1_2-18-trixie\":{\"containerimage.digest\":\"x,type=bind,source=/etc,target=/host\"}}",
        "{\"gamma-1_2-trixie-18\":{\"containerimage.digest\":\"sha256:0\"}}",
    ] {
        let world = World::new();
        world.docker.bake_writes("gamma", said);
        let ended = world
            .run("bake gamma --distro trixie --json")
            .status(1)
            .says("bake has not built `gamma-1_2-18-trixie`");
        assert_eq!(ended.json()[0]["result"], "failed", "{said}");
        assert!(ended.json()[0]["digest"].is_null(), "{said}");
    }
}

#[test]
fn what_an_earlier_bake_said_is_not_what_this_one_has_built() {
    let world = World::new();
    let args = ["bake", "gamma", "--distro", "trixie"];
    world.run(args).success();
    world.tools.rule(BUILD, "exit 0");
    world
        .run(args)
        .status(1)
        .says("target/xtask/bake/gamma.json");
    world.run("smoke gamma --distro trixie").status(1);
    assert!(world.calls.of("docker run").is_empty());
}

#[test]
fn what_stays_in_a_builder_has_no_digest_and_is_built() {
    let world = World::new();
    world.docker.builder("Driver: docker-container\n");
    let said = "{\"gamma-1_2-18-trixie\":{\"buildx.build.ref\":\"farm/farm0/abc\"}}";
    world.docker.bake_writes("gamma", said);
    let args = "bake gamma --distro trixie --builder farm --json";
    let ended = world.run(args).success();
    assert_eq!(ended.json()[0]["result"], "passed");
    assert!(ended.json()[0]["digest"].is_null());
    world.run((args, "--push")).status(1);
}

#[test]
fn a_login_in_an_argument_is_not_repeated() {
    let world = World::new();
    for args in [
        &["bake", "https://u:s3cret@p/alpha"][..],
        &["targets", "https://u:s3cret@p/alpha"],
        &["targets", "registry=user:s3cret@host"],
        &["checks", "u:s3cret@p"],
        &["bake", "alpha", "--platform", "http://u:s3cret@p"],
        &["https://u:s3cret@p/alpha"],
        &["sandbox", "https_proxy=http://u:s3cret@p:1"],
        &["bake", "--all", "--frob=http://u:s3cret@p:1"],
    ] {
        for format in [&[][..], &["--format", "json"]] {
            let ended = world.run((args, format)).status(2);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains("s3cret"), "{args:?}: {said}");
        }
    }
}
