// SPDX-License-Identifier: Apache-2.0
//! `e2e upgrade-test`: an older image, replaced by a newer one under a running database.

use crate::cli::world::{
    CLUSTER, World,
    image::{annotations, index},
};

/// With the suite, and two images of `gamma`. Gives their references and digests.
fn lab_with_two(newer_distro: &str) -> (World, [String; 2], [String; 2]) {
    let world = World::e2e_with_images();
    world.write("test/upgrade/upgrade-test.yaml", "# The suite.\n");
    let of = |tag: &str| format!("localhost:{}/gamma-testing:{tag}", world.registry.port);
    let references = [of("1.1-18-trixie"), of("1.9-18-trixie")];
    let digests = [("1.1", "trixie"), ("1.9", newer_distro)];
    let mut digests = digests
        .iter()
        .zip(&references)
        .map(|((sql, distro), reference)| {
            world
                .registry
                .put(reference, &index(&annotations(distro, "18", sql)))
        });
    let digests = [digests.next().unwrap(), digests.next().unwrap()];
    (world, references, digests)
}

#[test]
fn both_images_are_in_the_values() {
    let (world, [from, to], digests) = lab_with_two("trixie");
    let result = world
        .run((
            "e2e",
            &[
                "upgrade-test",
                "gamma",
                "--from",
                &from,
                "--to",
                &to,
                "--json",
            ],
        ))
        .success()
        .json();
    assert_eq!(result[0]["result"], "passed");
    let test = world.calls.only("chainsaw test test/upgrade");
    assert_eq!(test.after("--test-file"), "upgrade-test");
    let values = world.read(test.after("--values"));
    let (older, newer) = values.split_once("\nupgrade:").unwrap();
    assert!(
        older.contains(&digests[0]) && older.contains("version: '1.1'"),
        "{older}"
    );
    assert!(
        newer.contains(&digests[1]) && newer.contains("version: '1.9'"),
        "{newer}"
    );
    world.calls.never("docker buildx bake");
}

#[test]
fn the_line_of_a_dry_run_writes_the_same_values() {
    let (world, [from, to], _) = lab_with_two("trixie");
    let args = ["upgrade-test", "gamma", "--from", &from, "--to", &to];
    let dry = world.run(("e2e", (&args, "--dry-run"))).success().stdout;
    world.run(("e2e", &args)).success();
    let file = world
        .calls
        .only("chainsaw test test/upgrade")
        .after("--values")
        .to_owned();
    let written = world.read(&file);
    assert!(written.contains("\nupgrade:"), "{written}");
    std::fs::remove_file(world.root().join(&file)).unwrap();
    let line = dry
        .lines()
        .find_map(|line| line.strip_prefix("cargo xtask e2e "));
    let words = shell_words::split(line.unwrap()).unwrap();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    world.run(("e2e", &words)).success();
    assert_eq!(world.read(&file), written, "{words:?}");
}

#[test]
fn without_a_newer_one_it_is_built() {
    let (world, [from, _], _) = lab_with_two("trixie");
    world
        .run(("e2e upgrade-test gamma --from", [&from]))
        .success();
    let bake = world.calls.only("docker buildx bake").line();
    assert!(
        bake.ends_with(" gamma-1_2-18-trixie"),
        "only the image for the same server: {bake}"
    );
    let test = world.calls.only("chainsaw test test/upgrade");
    let values = world.read(test.after("--values"));
    let newer = values.split_once("\nupgrade:").unwrap().1;
    assert!(
        newer.contains("gamma-testing:1.2-18-trixie@sha256:"),
        "{newer}"
    );
}

#[test]
fn images_for_different_servers_are_refused() {
    let (world, [from, to], _) = lab_with_two("bookworm");
    world
        .run((
            "e2e",
            &["upgrade-test", "gamma", "--from", &from, "--to", &to],
        ))
        .status(2)
        .says("different servers")
        .says("trixie and bookworm");
    world.calls.never("chainsaw ");
}

#[test]
fn a_failure_says_what_the_cluster_said() {
    let (world, [from, to], _) = lab_with_two("trixie");
    world.chainsaw.fails("gamma", "it broke\n");
    world
        .run((
            "e2e",
            &["upgrade-test", "gamma", "--from", &from, "--to", &to],
        ))
        .status(1)
        .says("it broke")
        .says("what the cluster says: ");
    assert_eq!(world.clusters.namespaces(CLUSTER), Vec::<String>::new());
}

#[test]
fn an_upgrade_is_no_proof_of_what_the_suites_want() {
    let (world, [from, to], digests) = lab_with_two("trixie");
    let to = format!("{to}@{}", digests[1]);
    world
        .run(("e2e upgrade-test gamma --from", [&from, "--to", &to]))
        .success();
    assert!(!world.root().join("target/xtask/proofs").exists());
}

#[test]
fn what_to_upgrade_must_be_said() {
    let (world, _, _) = lab_with_two("trixie");
    world.run("e2e upgrade-test gamma").status(2).says("--from");
    world
        .run("e2e upgrade-test --from x/y:1")
        .status(2)
        .says("which extension?");
    assert!(world.calls.names().is_empty());
}
