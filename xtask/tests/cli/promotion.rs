// SPDX-License-Identifier: Apache-2.0
//! `promote`: what is copied, in which order, and what is refused before anything is.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::cli::world::{
    World,
    image::{MANIFESTS, annotations, index},
};

const FROM: &str = "localhost:5000/x-testing";
const TO: &str = "localhost:5001/rel/x";
const STAMPED: &str = "1-202611261506-18-trixie";

/// A world with an image in a registry, the metadata file `built.json` that speaks of it, and oras. Gives the digest too.
fn world() -> (World, String) {
    let world = World::new();
    world.with_oras();
    let digest = push(&world, "1");
    (world, digest)
}

/// Pushes an image of this version of its SQL under the same tags, and writes down that it was.
fn push(world: &World, sql: &str) -> String {
    let image = index(&annotations("trixie", "18", sql));
    let tags = [format!("{FROM}:1-18-trixie"), format!("{FROM}:{STAMPED}")];
    let digest = tags
        .iter()
        .map(|tag| world.registry.put(tag, &image))
        .next_back()
        .unwrap();
    let built =
        json!({"x-1-18-trixie": {"containerimage.digest": digest, "image.name": tags.join(",")}});
    world.write("built.json", &built.to_string());
    digest
}

const PROMOTE: &str = "promote --metadata-file built.json --to localhost:5001/rel";

fn untested() -> String {
    format!("{PROMOTE} --untested")
}

#[test]
fn what_has_not_passed_e2e_by_its_digest_is_not_promoted() {
    let (world, digest) = world();
    world
        .run(PROMOTE)
        .status(1)
        .says("1 of 1 images have not passed `e2e`: nothing is promoted")
        .says(&format!(
            "(localhost:5000/x-testing@{digest}) was not tested by this digest"
        ))
        .says("--untested");
    world.calls.never("oras");
    // The result of another image is none of this one.
    put_proof(
        &world,
        "results",
        &format!("sha256:{}", "ab".repeat(32)),
        "1.30",
        "passed",
    );
    world
        .run(format!("{PROMOTE} --results results").as_str())
        .status(1);
    put_proof(&world, "results", &digest, "1.30", "passed");
    put_proof(&world, "results/job-2", &digest, "1.29", "failed");
    world
        .run(format!("{PROMOTE} --results results").as_str())
        .status(1)
        .says("has failed with CloudNativePG 1.29 (run 1-a)");
    world.calls.never("oras");
    put_proof(&world, "results/job-2", &digest, "1.29", "passed");
    let ended = world
        .run(format!("{PROMOTE} --results results").as_str())
        .success();
    assert!(ended.stdout.contains("1.29 1.30"), "{}", ended.stdout);
}

/// A result as a run leaves it.
fn put_proof(world: &World, folder: &str, digest: &str, release: &str, result: &str) {
    let proof = json!({
        "digest": digest, "image": format!("registry:5000/x@{digest}"), "extension": "x",
        "cnpg_release": release, "result": result, "run": "1-a",
    });
    let name = digest.trim_start_matches("sha256:");
    world.write(
        &format!("{folder}/{name}-{release}.json"),
        &proof.to_string(),
    );
}

#[test]
fn a_run_of_the_suites_is_the_proof() {
    let world = World::e2e_with_images();
    world.with_oras();
    let to = format!("localhost:{}/rel", world.registry.port);
    let promote = format!("promote alpha --to {to}");
    world.run("e2e setup-env").success();
    world.run("bake alpha --push").success();
    world.run(promote.as_str()).status(1);
    // Suites of which a flag may leave all tests out prove nothing.
    world
        .run("e2e test-full alpha -- --exclude-test-regex .")
        .success()
        .says("is no proof for `promote`");
    world.run(promote.as_str()).status(1);
    world.run("e2e test-full alpha -- --fail-fast").success();
    let rows = world
        .run(format!("{promote} --json").as_str())
        .success()
        .json();
    assert_eq!(rows[0]["tested_with"], json!(["1.30"]), "{rows:#}");
    assert_eq!(rows[0]["tags"], json!(["1.2-18-trixie"]), "{rows:#}");
    let image = rows[0]["image"].as_str().unwrap();
    assert!(image.starts_with(&format!("{to}/alpha@sha256:")), "{image}");
    // A later run that fails takes it back.
    world.chainsaw.fails("shared-suite-of-alpha", "it broke\n");
    world.run("e2e test-full alpha").status(1);
    world
        .run(promote.as_str())
        .status(1)
        .says("has failed with CloudNativePG 1.30");
}

#[test]
fn it_is_copied_by_its_digest_compared_and_named_last() {
    let (world, digest) = world();
    let signature = format!("{FROM}:{}.sig", digest.replace(':', "-"));
    world
        .registry
        .put(&signature, &json!({"layers": [{"digest": MANIFESTS[0]}]}));
    // Another image's, and a name that only looks like one.
    for other in ["sha256-ab.sig", "latest"] {
        world
            .registry
            .put(&format!("{FROM}:{other}"), &json!({"other": other}));
    }
    let ended = world
        .run(untested().as_str())
        .success()
        .says("is promoted without a result of `e2e`, as `--untested` says")
        .says(&format!("{} on both sides", &digest[..19]))
        .says("1 image promoted");
    assert!(
        ended.stdout.contains("promoted  localhost:5001/rel/x"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("untested"), "{}", ended.stdout);
    world.calls.in_order(&[
        &format!(
            "oras cp --no-tty --recursive --from-plain-http --to-plain-http -- {FROM}@{digest} {TO}"
        ),
        &format!("oras cp --no-tty --from-plain-http --to-plain-http -- {signature}"),
        &format!("oras manifest fetch --plain-http -- {TO}@{digest}"),
        &format!("oras tag --plain-http -- {TO}@{digest} 1-18-trixie {STAMPED}"),
    ]);
    assert_eq!(world.calls.of("oras cp").len(), 2);
    world.calls.forget();
    // Again: nothing is done, and that is said.
    let again = world
        .run(untested().as_str())
        .success()
        .says("1 image unchanged");
    assert!(
        again.stdout.contains("unchanged  localhost:5001"),
        "{}",
        again.stdout
    );
    world.calls.never("oras tag");
    // A newer image takes the rolling tag, and what that was is said.
    let newer = push(&world, "2");
    let built = fs::read_to_string(world.root().join("built.json")).unwrap();
    world.write(
        "built.json",
        &built.replace(&format!(",{FROM}:{STAMPED}"), ""),
    );
    world
        .run(untested().as_str())
        .success()
        .says(&format!("1-18-trixie, which was {}", &digest[..19]));
    assert!(world.calls.only("oras tag").line().contains(&newer));
}

#[test]
fn what_ended_in_the_middle_is_completed_by_the_next_run() {
    let (world, digest) = world();
    world
        .tools
        .fails_at(1, "oras tag", 1, "Error: it was cut\n");
    world.run(untested().as_str()).status(1).says("it was cut");
    world.calls.forget();
    world
        .run(untested().as_str())
        .success()
        .says("unchanged: all of it is there")
        .says("1 image promoted");
    assert!(world.calls.only("oras tag").line().contains(&digest));
}

#[test]
fn another_image_than_was_asked_for_is_never_named() {
    let (world, digest) = world();
    world.tools.rule(
        &format!("oras manifest fetch --plain-http -- {TO}@"),
        "echo '{}'; exit",
    );
    world.run(untested().as_str()).status(1).says(&format!(
        "the registry gives another image for `{TO}@{digest}`"
    ));
    world.calls.never("oras tag");
}

/// Lets something refer to the image. Gives its digest.
fn refer(world: &World, digest: &str) -> String {
    let referrer = world
        .registry
        .put(&format!("{FROM}:referrer"), &json!({"layers": []}));
    fs::write(referrers(world, FROM, digest), format!("{referrer}\n")).unwrap();
    referrer
}

/// Where the fakes have what refers to an image.
fn referrers(world: &World, repository: &str, digest: &str) -> PathBuf {
    let folder = world.state("engine/registries");
    folder.join(format!("{repository}@{digest}.referrers"))
}

#[test]
fn what_refers_to_the_image_must_have_come_along() {
    let (world, digest) = world();
    let referrer = refer(&world, &digest);
    world
        .run(untested().as_str())
        .success()
        .says("with 1 that refers to it");
    fs::remove_file(referrers(&world, TO, &digest)).unwrap();
    let there = world
        .state("engine/registries")
        .join(format!("{TO}@{referrer}"));
    fs::remove_file(there).unwrap();
    world.tools.rule("oras cp", "exit 0");
    world
        .run(untested().as_str())
        .status(1)
        .says("lacks what refers to the image")
        .says(&referrer);
}

#[test]
fn what_a_kill_has_left_unlisted_is_listed_beside_what_is() {
    let (world, digest) = world();
    let referrer = refer(&world, &digest);
    world.run(untested().as_str()).success();
    // As it stands between the push of a manifest and that of the index which lists it: another's is in the index.
    let name = format!("{TO}:{}", digest.replace(':', "-"));
    let other = world
        .registry
        .put(&format!("{TO}:other"), &json!({"other": 1}));
    world
        .registry
        .put(&name, &json!({"manifests": [{"digest": other}]}));
    fs::write(referrers(&world, TO, &digest), format!("{other}\n")).unwrap();
    world.calls.forget();
    world
        .run(untested().as_str())
        .success()
        .says("with 1 that refers to it")
        .says("1 image promoted");
    let push = world.calls.only("oras manifest push");
    assert!(
        push.line().ends_with(&format!("-- {name} -")),
        "{}",
        push.line()
    );
    let index: Value = serde_json::from_str(&push.stdin).unwrap();
    let listed = index["manifests"].as_array().unwrap();
    assert_eq!(listed[0]["digest"], json!(other), "{index:#}");
    assert_eq!(listed[1]["digest"], json!(referrer), "{index:#}");
    assert_eq!(listed[1]["artifactType"], "a/b", "{index:#}");
    world.calls.forget();
    world
        .run(untested().as_str())
        .success()
        .says("1 image unchanged");
    world.calls.never("oras manifest push");
}

#[test]
fn an_image_of_which_a_part_is_gone_is_not_called_unchanged() {
    let (world, digest) = world();
    let blob = format!("sha256:{}", "b1".repeat(32));
    let child = world.registry.put(
        &format!("{FROM}:child"),
        &json!({"config": {"digest": blob}, "layers": []}),
    );
    world.registry.put(
        &format!("{TO}:child"),
        &json!({"config": {"digest": blob}, "layers": []}),
    );
    let image = json!({"manifests": [{"digest": child}]});
    let whole = world.registry.put(&format!("{FROM}:1"), &image);
    let built = fs::read_to_string(world.root().join("built.json")).unwrap();
    world.write("built.json", &built.replace(&digest, &whole));
    world.registry.put(&format!("{TO}:x"), &image);
    let run = || world.run(untested().as_str());
    run()
        .status(1)
        .says(&format!("`{TO}@{blob}`, a part of the image, is not there"))
        .says(&format!(
            "hint: the registry has lost it: `oras blob fetch --output lost.part --plain-http -- {FROM}@{blob} && \
             oras blob push --plain-http -- {TO}@{blob} lost.part` brings it back"
        ));
    let there = world.state("engine/registries");
    fs::write(there.join(format!("{TO}@{blob}")), "").unwrap();
    run().success();
    fs::remove_file(there.join(format!("{TO}@{child}"))).unwrap();
    run()
        .status(1)
        .says(&format!(
            "`{TO}@{child}`, a part of the image, is not there"
        ))
        .says(&format!(
            "-- {FROM}@{child} {TO}` brings it back, and then the command again goes on"
        ));
}

#[test]
fn a_tag_with_the_moment_of_a_bake_is_never_moved() {
    let (world, _) = world();
    let other = world
        .registry
        .put(&format!("{TO}:{STAMPED}"), &json!({"other": 1}));
    world.run(untested().as_str()).status(1).says(&format!(
        "`{TO}:{STAMPED}` is another image already: `{other}`"
    ));
    world.calls.never("oras tag");
}

/// A manifest of older cosign's, with these signatures.
fn signed(names: &[&str]) -> Value {
    let layers = names
        .iter()
        .map(|name| json!({"digest": format!("sha256:{}", name.repeat(32))}));
    json!({"layers": layers.collect::<Vec<_>>()})
}

#[test]
fn signatures_of_the_other_side_are_not_overwritten_and_ours_must_arrive() {
    let (world, digest) = world();
    let tag = format!("{}.sig", digest.replace(':', "-"));
    world
        .registry
        .put(&format!("{FROM}:{tag}"), &signed(&["aa"]));
    world.registry.put(&format!("{TO}:{tag}"), &signed(&["bb"]));
    world.run(untested().as_str()).status(1).says(&format!(
        "`{TO}:{tag}` holds signatures that `{FROM}` does not have, and lacks some of those"
    ));
    assert_eq!(world.calls.of("oras cp").len(), 1);
    world.calls.never("oras tag");
    world
        .registry
        .put(&format!("{TO}:{tag}"), &signed(&["bb", "aa"]));
    world
        .run(untested().as_str())
        .success()
        .says("1 signature's tag beside it");
    assert_eq!(world.calls.of("oras cp").len(), 2);
}

#[test]
fn pasted_lines_lose_nothing_that_the_run_protects() {
    let programs = ["grep", "tr", "sha256sum"];
    let paste = |world: &World| {
        let dry = world.run(format!("{} --dry-run", untested()).as_str());
        let printed = dry.success().stdout;
        for program in programs {
            let real = world.tools.path().join(program);
            let _missing = fs::remove_file(real);
        }
        world.shell(&printed, &programs)
    };
    let (signatures, digest) = world();
    let tag = format!("{}.sig", digest.replace(':', "-"));
    signatures
        .registry
        .put(&format!("{FROM}:{tag}"), &signed(&["aa"]));
    signatures
        .registry
        .put(&format!("{TO}:{tag}"), &signed(&["bb"]));
    let ended = paste(&signatures);
    assert_eq!(ended.status, Some(1), "{ended:#?}");
    assert_eq!(signatures.calls.of("oras cp").len(), 1);
    signatures.calls.never("oras tag");

    let (stamped, _) = world();
    stamped
        .registry
        .put(&format!("{TO}:{STAMPED}"), &json!({"other": 1}));
    let ended = paste(&stamped);
    assert_eq!(ended.status, Some(1), "{ended:#?}");
    stamped.calls.never("oras tag");

    let (unlisted, digest) = world();
    refer(&unlisted, &digest);
    unlisted.run(untested().as_str()).success();
    fs::remove_file(referrers(&unlisted, TO, &digest)).unwrap();
    unlisted.calls.forget();
    let ended = paste(&unlisted);
    assert_eq!(ended.status, Some(1), "{ended:#?}");
    unlisted.calls.never("oras tag");
}

#[test]
fn mistakes_are_said_before_anything_is_asked() {
    let (world, digest) = world();
    world.write("none.json", "{}");
    world.write("text.json", "no");
    world.write(
        "unnamed.json",
        &json!({"t": {"containerimage.digest": digest}}).to_string(),
    );
    let to = "--to localhost:5001/rel";
    for (words, said) in [
        (format!("promote {to} --untested"), "which extension?"),
        (
            format!("promote nobody {to}"),
            "extension `nobody` not found",
        ),
        ("promote alpha".into(), "--to"),
        ("promote alpha --to https://x".into(), "without a scheme"),
        (
            format!("{} --from localhost:9", untested()),
            "which is not in `--from localhost:9`",
        ),
        (
            "promote --metadata-file built.json --untested --to localhost:5000/x-testing/..".into(),
            "it must be",
        ),
        (
            format!("promote --metadata-file nowhere.json {to}"),
            "it does not exist",
        ),
        (
            format!("promote --metadata-file none.json {to}"),
            "has no digest of any image",
        ),
        (
            format!("promote --metadata-file text.json {to}"),
            "is not what bake writes",
        ),
        (
            format!("promote --metadata-file unnamed.json {to}"),
            "it says no name",
        ),
        (format!("{PROMOTE} --results nowhere"), "is not a folder"),
        (
            format!("{PROMOTE} --results x --untested"),
            "cannot be used with",
        ),
        (
            format!("{PROMOTE} --distro trixie"),
            "narrow what targets are taken",
        ),
        (
            format!("promote alpha --metadata-file built.json {to}"),
            "has none of these images",
        ),
    ] {
        world.run(words.as_str()).status(2).says(said);
    }
    // What is released has the name without `-testing`, and is where it is to be.
    let built = fs::read_to_string(world.root().join("built.json")).unwrap();
    world.write("built.json", &built.replace("x-testing", "x"));
    world
        .run("promote --metadata-file built.json --to localhost:5000 --untested")
        .status(2)
        .says("is in `localhost:5000/x` already");
    world.calls.never("oras");
}

#[test]
fn a_dry_run_prints_what_a_shell_does_as_well() {
    let (world, digest) = world();
    let signature = format!("{}.sig", digest.replace(':', "-"));
    world
        .registry
        .put(&format!("{FROM}:{signature}"), &json!({"layers": []}));
    let printed = world
        .run(format!("{} --dry-run", untested()).as_str())
        .success()
        .stdout;
    world.calls.never("oras");
    let programs = ["grep", "tr", "sha256sum"];
    let ended = world.shell(&format!("set -e\n{printed}"), &programs);
    assert_eq!(ended.status, Some(0), "{ended:#?}\n{printed}");
    for tag in ["1-18-trixie", STAMPED, &signature] {
        let place = world.state("engine/registries").join(format!("{TO}:{tag}"));
        assert!(place.is_file(), "{tag}: {printed}");
    }
}
