// SPDX-License-Identifier: Apache-2.0
//! What `smoke` asks of docker: mounts, options and environment as CNPG derives them.

use std::fs;

use crate::cli::world::{World, metadata};

#[test]
fn the_server_is_configured_from_the_metadata_with_dependencies_beside_it() {
    let world = World::new();
    world
        .run("smoke beta --distro trixie")
        .success()
        .says("1 of 1 passed");
    assert_eq!(world.calls.bakes(), ["start alpha+beta", "end alpha+beta"]);
    let run = world.calls.only("docker run");
    let digest = format!("sha256:{}", "ab".repeat(32));
    for part in [
        format!(
            "--mount type=image,source=localhost:5000/beta-testing@{digest},target=/extensions/beta "
        ),
        format!(
            "--mount type=image,source=localhost:5000/alpha-testing@{digest},target=/extensions/alpha "
        ),
        "--network none ".into(),
        " bash -s -- ALPHA_DATA=/extensions/alpha/share/a -- ".into(),
        "-c extension_control_path=$system:/extensions/beta/share:/extensions/alpha/share ".into(),
        "-c dynamic_library_path=$libdir:/extensions/beta/lib:/extensions/alpha/lib ".into(),
        "-c shared_preload_libraries=beta".into(),
    ] {
        assert!(run.line().contains(&part), "{part}\n{run}");
    }
    assert_eq!(
        run.variable("XTASK_LIBRARY_PATH"),
        "/extensions/alpha/system"
    );
    assert_eq!(
        run.variable("XTASK_WANTED"),
        "(0, 'alpha', '1.2'::text, NULL::text, ARRAY[]::text[]), (1, 'beta', '1.2'::text, NULL::text, ARRAY[]::text[])"
    );
    assert!(run.stdin.contains("initdb"));
    let base = "ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie";
    let asked = world.calls.of("docker image inspect");
    assert!(asked.iter().any(|call| call.line().ends_with(base)));
}

#[test]
fn a_named_image_is_tested_as_it_is() {
    let world = World::new();
    let labels = r#"{"io.cloudnativepg.image.base.os":"trixie","io.cloudnativepg.image.base.pgmajor":"18","io.cloudnativepg.image.sql.version":"1.1"}"#;
    world.docker.labels(labels);
    world.run("smoke gamma --image elsewhere/gamma:7").success();
    assert!(world.calls.of("docker buildx bake").is_empty());
    let run = world.calls.only("docker run");
    let mount = " type=image,source=elsewhere/gamma:7,target=/extensions/gamma ";
    assert!(run.line().contains(mount), "{run}");
    assert!(run.variable("XTASK_WANTED").contains("'gamma', '1.1'"));

    // Not there yet: pulled. Cannot be pulled: said. Without labels: asked.
    let world = World::new();
    world.docker.labels_once_pulled(labels);
    world.run("smoke gamma --image elsewhere/gamma:7").success();
    assert_eq!(world.calls.of("docker pull").len(), 1);
    let world = World::new();
    world
        .run("smoke gamma --image elsewhere/gamma:7")
        .status(1)
        .says("image `elsewhere/gamma:7` cannot be pulled: Error: manifest unknown");
    world.docker.labels("null");
    world
        .run("smoke gamma --image elsewhere/gamma:7")
        .status(2)
        .says("`--distro trixie --pg 18`");
}

#[test]
fn an_older_engine_gets_copies_in_place_of_mounts() {
    let world = World::new();
    world
        .run_with(
            "smoke gamma --no-bake --distro trixie",
            &[("XTASK_SMOKE_MOUNT", "copy")],
        )
        .success();
    let calls = world.calls.of_work();
    let verbs: Vec<&str> = calls.iter().map(|call| call.args()[0]).collect();
    assert_eq!(verbs, ["create", "create", "cp", "cp", "ps", "rm", "start"]);
    assert!(!calls.iter().any(|call| call.line().contains(" --mount ")));
}

#[test]
fn a_failing_test_says_what_the_server_said() {
    let world = World::new();
    world.docker.test_fails(
        "server: FATAL:  could not access file \"nolib\"\nerror: the server did not start\n",
    );
    let results = world
        .run("smoke gamma --no-bake --json")
        .status(1)
        .says("failed to run `gamma 18-bookworm` in PostgreSQL")
        .says("could not access file \"nolib\"")
        .json();
    assert_eq!(results[0]["result"], "failed");
    assert!(!world.calls.of("docker rm --force").is_empty());
}

#[test]
fn without_smoke_sql_it_is_created_but_not_used() {
    let world = World::new();
    fs::remove_file(world.root().join("extensions/gamma/smoke.sql")).unwrap();
    let said = "`gamma` has no smoke.sql that does anything: it is created, not used";
    let ended = world.run("smoke gamma --no-bake").success().says(said);
    assert_eq!(ended.stderr.matches(said).count(), 1, "of two images");
    assert_eq!(silent(&world), "created, not used");
}

/// What the script was told to say of a test that prints nothing.
fn silent(world: &World) -> String {
    let run = world.calls.of("docker run").pop().unwrap();
    run.variable("XTASK_SILENT").to_owned()
}

#[test]
fn a_silent_smoke_sql_is_a_use_and_a_comment_is_none() {
    let world = World::new();
    world.write("extensions/gamma/smoke.sql", "SELECT 1 WHERE false;\n");
    world.run("smoke gamma --no-bake").success();
    assert_eq!(silent(&world), "smoke.sql passed, it prints nothing");
    world.write("extensions/gamma/smoke.sql", "-- to do\n");
    world
        .run("smoke gamma --no-bake")
        .success()
        .says("created, not used");
    assert_eq!(silent(&world), "created, not used");
}

#[test]
fn a_module_is_loaded_and_never_said_to_be_created() {
    let world = World::new();
    let versions = "{ trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\" } } }";
    let more = [("create_extension", "false"), ("versions", versions)];
    world.write("extensions/gamma/metadata.hcl", &metadata("gamma", &more));
    fs::remove_file(world.root().join("extensions/gamma/smoke.sql")).unwrap();
    world
        .run("smoke gamma --no-bake")
        .success()
        .says("it is loaded, not created and not used");
    assert_eq!(silent(&world), "loaded, not created and not used");
}

#[test]
fn what_the_labels_of_a_named_image_say_is_compared_and_must_be_json() {
    let world = World::new();
    let labels = r#"{"io.cloudnativepg.image.base.os":"bookworm","io.cloudnativepg.image.base.pgmajor":"17"}"#;
    world.docker.labels(labels);
    let args = [
        "smoke", "gamma", "--image", "x:1", "--distro", "trixie", "--pg", "18",
    ];
    world
        .run(args)
        .success()
        .says("warning: image `x:1` says that it is for `bookworm`")
        .says("warning: image `x:1` says that it is for `17`");
    world.docker.labels("[oops");
    world
        .run(args)
        .status(1)
        .says("what `docker` says of image `x:1` is no JSON");
}

/// The script as bash runs it, with programs that stand for PostgreSQL's.
#[test]
fn what_the_metadata_sets_reaches_the_server_and_nothing_of_ours() {
    let world = World::new();
    let variables =
        "{ \"XTASK_LOAD\" = \"SELECT 1\", \"BASH_ENV\" = \"/x\", \"GAMMA_DATA\" = \"a b\" }";
    world.extension(
        "gamma",
        &metadata(
            "gamma",
            &[("env", variables), ("ld_library_path", "[\"system\"]")],
        ),
    );
    let ended = world
        .run("checks gamma --no-bake")
        .success()
        .says("`env` sets `XTASK_LOAD`: such names are ours")
        .says("`env` sets `BASH_ENV`: the server is not started by a shell");
    assert!(!ended.stderr.contains("GAMMA_DATA"), "{}", ended.stderr);
    // Docker hands the names in `--env` on, and runs what stands behind the image.
    world.tools.rule("docker run", r#"programs="$here/programs"; mkdir -p "$programs"
  printf '#!/bin/sh\n' > "$programs/initdb"
  printf '#!/bin/sh\necho "$PATH|$LD_LIBRARY_PATH|$GAMMA_DATA" > %s/server\nprintf "\\n\\n\\n\\n\\n\\n\\nready\\n" > "$2/postmaster.pid"\nwhile kill -0 $PPID; do sleep 0.1; done\n' "$here" > "$programs/postgres"
  printf '#!/bin/sh\ncase "$*" in *--dbname=postgres*) ;; *) [ -e %s/created ] && echo used || cat > %s/created ;; esac\n' "$here" "$here" > "$programs/psql"
  printf '#!/bin/sh\n' > "$programs/find"
  chmod +x "$programs"/*
  while [ "$1" != bash ]; do [ "$1" != --env ] || case $2 in *=*) export "$2" ;; esac; shift; done
  PATH="$programs:$PATH"; export PATH
  sed "s|-p /xtask|-p $programs|" "$input" > "$programs/script"
  exec "$@" < "$programs/script""#);
    world
        .run("smoke gamma --no-bake --distro trixie")
        .success()
        .says("1 of 1 passed");
    let server = fs::read_to_string(world.state("server")).unwrap();
    assert!(
        server.ends_with("programs:/usr/bin:/bin|/extensions/gamma/system|a b\n"),
        "{server}"
    );
    let created = fs::read_to_string(world.state("created")).unwrap();
    assert!(created.contains("CREATE EXTENSION"), "{created}");
}

/// What is kept of a base image, as docker commit was told it.
fn committed(world: &World) -> String {
    let call = world.calls.only("docker commit");
    call.args().last().unwrap().to_string()
}

#[test]
fn a_data_directory_is_made_once_for_all_tests_of_a_base_image_and_kept() {
    let world = World::new();
    world.docker.keeps_no_data();
    world
        .run("smoke alpha gamma --no-bake --distro trixie")
        .success()
        .says("✓ data directory of ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie");
    let made = world
        .calls
        .only("docker run --interactive --network none --name xtask-data-");
    for part in [
        " --label io.cloudnativepg.xtask.run=",
        " --label io.cloudnativepg.xtask.data=ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie ",
        " --label 'io.cloudnativepg.xtask.data.of=sha256:ba5e linux/amd64' ",
        " ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie bash -s -- /tmp/xtask-data",
    ] {
        assert!(made.line().contains(part), "{part}\n{made}");
    }
    let kept = committed(&world);
    let tests = world.calls.of("docker run --rm --interactive");
    assert_eq!(tests.len(), 2);
    for test in &tests {
        assert!(
            test.line()
                .contains(&format!(" --pull never -- {kept} bash ")),
            "{test}"
        );
    }
    world.calls.in_order(&[
        "docker run --interactive",
        "docker commit",
        "docker rm --force",
    ]);
    world.calls.forget();
    world
        .run("smoke gamma --no-bake --distro trixie")
        .success()
        .says("the engine has it");
    world.calls.never("docker commit");
    assert!(world.calls.only("docker run").line().contains(&kept));
}

#[test]
fn of_a_base_image_that_has_changed_it_is_made_again_and_what_it_supersedes_is_removed() {
    let world = World::new();
    world.docker.identity_of_base("sha256:ba5e2 linux/amd64");
    let other = "localhost/xtask-data:18-minimal-trixie-0123456789ab";
    world.docker.data_directories(&[
        "sha256:01d",
        &format!("sha256:01e {other}"),
        // Ours, and what others have named or made of it.
        "sha256:da7a localhost/xtask-data:NOW",
        &format!("sha256:0a {other} mine:1"),
        "sha256:0b localhost/xtask-database:1",
        "-rf",
    ]);
    world.run("smoke gamma --no-bake --distro trixie").success();
    let removed = world.calls.of("docker image rm");
    let removed: Vec<String> = removed
        .iter()
        .map(|call| call.args().last().unwrap().to_string())
        .collect();
    assert_eq!(removed, ["sha256:01d", "sha256:01e"]);
}

#[test]
fn where_none_can_be_kept_that_is_said_and_each_test_makes_its_own() {
    for (of, said) in [
        (
            "data.fails",
            "initdb: error: could not create directory: No space left on device",
        ),
        (
            "commit.fails",
            "Error response from daemon: commit: no space left on device",
        ),
    ] {
        let world = World::new();
        world.docker.keeps_no_data();
        world.docker.lets_fail(of, said);
        world
            .run("smoke gamma --no-bake --distro trixie")
            .success()
            .says("the data directory of `ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie` is not kept, each test makes its own")
            .says("o space left on device");
        let test = world.calls.only("docker run --rm --interactive");
        assert!(
            test.line()
                .contains(" -- ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie bash "),
            "{test}"
        );
        assert_eq!(
            world.calls.of("docker rm --force").len(),
            1,
            "of its container"
        );
    }
}

#[test]
fn when_somebody_removes_it_meanwhile_the_test_is_run_with_the_base_image() {
    for (mount, call) in [("image", "docker run --rm"), ("copy", "docker create --rm")] {
        let world = World::new();
        world.docker.lets_fail("data.gone", "");
        world
            .run_with(
                "smoke gamma --no-bake --distro trixie",
                &[("XTASK_SMOKE_MOUNT", mount)],
            )
            .success()
            .says("is run again with the base image alone: somebody has removed the data directory that the engine kept");
        let tests = world.calls.of(call);
        assert_eq!(tests.len(), 2, "{mount}");
        assert!(
            tests[1]
                .line()
                .contains(" -- ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie bash ")
        );
    }
}

#[test]
fn a_base_image_that_is_not_there_is_pulled_first() {
    let world = World::new();
    world.docker.has_no_base();
    world.docker.labels_once_pulled("null");
    world.run("smoke gamma --no-bake --distro trixie").success();
    world
        .calls
        .in_order(&["docker pull --quiet", "docker run --rm"]);
    let world = World::new();
    world.docker.has_no_base();
    world
        .run("smoke gamma --no-bake --distro trixie")
        .status(1)
        .says("failed to pull `ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie`")
        .says("manifest unknown");
}

#[test]
fn what_took_longest_the_last_time_begins_first_and_rows_stay_in_their_order() {
    let world = World::new();
    let step = |name: &str, seconds: u32| serde_json::json!({"name": format!("smoke {name} 18-trixie"), "seconds": seconds});
    let steps = [step("alpha", 2), step("beta", 9)];
    let record = serde_json::json!({"steps": steps}).to_string();
    world.write(
        "target/xtask/runs/0000000001-0123456789abcdef/run.json",
        &record,
    );
    let args = ["smoke", "--all", "--no-bake", "--distro", "trixie"];
    let dry = world.run((args, "--dry-run")).success().stdout;
    let at = |name: &str| dry.find(&format!("-{name}-18-trixie ")).unwrap();
    // Of gamma nothing is known.
    assert!(
        at("gamma") < at("beta") && at("beta") < at("alpha"),
        "{dry}"
    );
    let rows = world.run((args, "--json")).success().json();
    let rows = rows.as_array().unwrap().iter();
    let names: Vec<&str> = rows.map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["alpha", "beta", "gamma"]);
}

#[test]
fn one_server_is_told_of_all_the_images_that_it_mounts() {
    let world = World::new();
    let printed = world
        .run("smoke --together --no-bake --distro trixie --dry-run")
        .success()
        .stdout;
    for part in [
        "target=/extensions/alpha ",
        "target=/extensions/beta ",
        "target=/extensions/gamma ",
        "-c 'extension_control_path=$system:/extensions/alpha/share:/extensions/beta/share:/extensions/gamma/share'",
        "-c shared_preload_libraries=beta",
        "extension gamma gamma ",
    ] {
        assert!(printed.contains(part), "{part}\n{printed}");
    }
    // One server, and each image is read once.
    assert_eq!(printed.matches(" bash -s -- ").count() - 1, 2, "{printed}");
    world.calls.never("docker run");
    let copied = [("XTASK_SMOKE_MOUNT", "copy")];
    world
        .run_with("smoke --together --no-bake", &copied)
        .status(3)
        .says("images are mounted together with Docker 28 and newer alone");
    world
        .run("smoke gamma --together --image elsewhere/gamma:7")
        .status(2)
        .says("--image");
}
