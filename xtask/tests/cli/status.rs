// SPDX-License-Identifier: Apache-2.0
//! `status`: what is known of pins, builds and proofs, of what is there now, and that looking changes nothing.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::cli::world::{World, metadata};

/// The base image of gamma's images for trixie.
const BASE: &str = "ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie";

/// What is said of an extension's image for trixie.
#[track_caller]
fn image(world: &World, name: &str) -> Value {
    let all = world.run("status --json").success().json();
    let images = all["images"].as_array().unwrap().iter();
    let mut of_it = images.filter(|image| image["name"] == name && image["distro"] == "trixie");
    of_it.next().unwrap().clone()
}

/// All files below the repository with their texts.
fn files(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
    let files = world.files().into_iter();
    files
        .map(|file| (file.clone(), fs::read(&file).unwrap_or_default()))
        .collect()
}

#[test]
fn where_nothing_was_done_it_says_what_to_do_first_and_leaves_nothing() {
    let world = World::e2e();
    let before = files(&world);
    let ended = world.run("status").success();
    assert_eq!(files(&world), before);
    for text in ["alpha 18 bookworm, trixie", "absent", "setup-env"] {
        assert!(ended.stdout.contains(text), "{text}: {}", ended.stdout);
    }
    ended.says("nothing is known to be built here: `cargo xtask checks --all`");
    for call in world.calls.names() {
        let asks = [
            " ls ",
            "docker ps",
            "docker info",
            "docker version",
            "kind version",
        ];
        assert!(asks.iter().any(|word| call.contains(word)), "{call}");
    }
}

#[test]
fn a_proof_of_another_image_than_the_one_that_is_there_is_old() {
    let world = World::new();
    world.run("checks alpha").success();
    world.run("bake alpha").success();
    world.run("smoke alpha").success();
    // The fakes' image stands for every build: this one has come to what was tested.
    world.run("bake alpha").success();
    let now = image(&world, "alpha");
    for rung in ["checks", "smoke"] {
        assert_eq!(
            (&now[rung]["result"], &now[rung]["is_of_now"]),
            (&json!("passed"), &json!(true)),
            "{now:#}"
        );
    }
    assert!(
        now["built"]["digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:abab")
    );
    world
        .run("status")
        .says("next for 1 extension: `cargo xtask e2e test-full alpha`");
    let digest = format!("sha256:{}", "cd".repeat(32));
    world.docker.bake_writes_digests(
        "alpha",
        &[("alpha-1_2-18-trixie".to_owned(), digest.clone())],
    );
    world.run("bake alpha --distro trixie").success();
    let now = image(&world, "alpha");
    assert_eq!(
        (&now["built"]["digest"], &now["smoke"]["is_of_now"]),
        (&json!(digest), &json!(false)),
        "{now:#}"
    );
    let ended = world
        .run("status")
        .says("next for 1 extension: `cargo xtask smoke alpha`");
    assert!(ended.stdout.contains("old now"), "{}", ended.stdout);
}

#[test]
fn checks_of_files_that_were_changed_since_are_old_and_a_failure_stays_one() {
    let world = World::new();
    world.run("checks --all").success();
    assert_eq!(image(&world, "gamma")["checks"]["is_of_now"], true);
    world.write("extensions/gamma/smoke.sql", "SELECT 2;\n");
    assert_eq!(image(&world, "gamma")["checks"]["is_of_now"], false);
    assert_eq!(image(&world, "alpha")["checks"]["is_of_now"], true);
    fs::remove_file(world.root().join("extensions/gamma/Dockerfile")).unwrap();
    world.run("checks --all").status(2);
    assert_eq!(image(&world, "gamma")["checks"]["result"], "failed");
    assert_eq!(image(&world, "alpha")["checks"]["result"], "passed");
}

#[test]
fn suites_are_known_by_the_digest_that_they_were_given() {
    let world = World::e2e_with_images();
    world.run("e2e test-full alpha").success();
    world.run("bake alpha --push").success();
    let now = image(&world, "alpha");
    assert_eq!(now["e2e"]["1.30"]["result"], "passed", "{now:#}");
    assert_eq!(now["e2e"]["1.30"]["is_of_now"], true, "{now:#}");
    let all = world.run("status --json").success().json();
    assert_eq!(all["environment"]["up"], true, "{all:#}");
    assert_eq!(all["environment"]["differs"], json!([]));
}

#[test]
fn pins_are_compared_in_the_base_images_that_are_here() {
    let world = World::new();
    let pin = "{\n    trixie = {\n      \"18\" = {\n        // renovate: suite=trixie-pgdg depName=postgresql-18-gamma\n        package = \"1.2-1\"\n        sql     = \"1.2\"\n      }\n    }\n  }";
    world.extension("gamma", &metadata("gamma", &[("versions", pin)]));
    let newest = || image(&world, "gamma")["newest"].clone();
    assert_eq!(
        newest(),
        json!({"not-asked": "its base image is not here, and `versions` would pull it"})
    );
    world
        .docker
        .digests(&format!("{BASE}\tsha256:{}", "ef".repeat(32)));
    world
        .docker
        .has_newest("postgresql-18-gamma=1.2-1\t1.3-1\tnewer\n");
    world.calls.forget();
    world
        .run("status --offline")
        .success()
        .says("what is newest was not asked for 1 pin: --offline");
    world.calls.never("docker run");
    assert_eq!(newest(), json!({"outdated": "1.3-1"}));
    world
        .run("status")
        .says("1 pin is behind the archive: `cargo xtask versions --all --update`");
    world
        .docker
        .has_newest("postgresql-18-gamma=1.2-1\t1.2-1\tsame\n");
    assert_eq!(newest(), "current");
    world.docker.apt_fails("E: the archive is gone\n");
    let said = newest()["not-asked"].to_string();
    assert!(said.contains("failed to ask what is newest"), "{said}");
}

#[test]
fn without_an_engine_what_lies_here_is_said_all_the_same() {
    let world = World::new();
    world.run("bake alpha").success();
    world
        .docker
        .info_fails("Cannot connect to the Docker daemon\n");
    let ended = world.run("status").success();
    assert!(
        ended.stdout.contains("the Docker daemon does not answer"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("abababab"), "{}", ended.stdout);
    assert!(ended.stdout.contains("target/xtask"), "{}", ended.stdout);
    let json = world.run("status --json").success().json();
    assert_eq!(json["environment"]["up"], Value::Null);
    assert_eq!(json["disk"][0]["path"], "target/xtask");
    assert!(json["disk"][0]["bytes"].as_u64().unwrap() > 0);
}

#[test]
fn what_others_have_put_there_moves_nothing_and_stops_nothing() {
    let world = World::new();
    world.run("bake alpha").success();
    let runs = world.root().join("target/xtask/runs");
    let run = fs::read_dir(&runs).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(run.join("run.json")).unwrap();
    let hostile = text.replace("alpha-testing:", "\\u001b[2J-testing:");
    for (name, text) in [
        ("9000000000-0123456789abcdef", hostile.as_str()),
        ("9000000001-0123456789abcdef", "{}"),
        ("9000000002-0123456789abcdef", "["),
    ] {
        fs::create_dir(runs.join(name)).unwrap();
        fs::write(runs.join(name).join("run.json"), text).unwrap();
    }
    world.write("target/xtask/proofs/x.json", "no");
    let ended = world.run("status").success();
    assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'));
    assert!(ended.stdout.contains("alpha 18"), "{}", ended.stdout);
    world.write("extensions/beta/metadata.hcl", "metadata = {\n");
    world.run("status").success().says("`beta` is not read");
}
