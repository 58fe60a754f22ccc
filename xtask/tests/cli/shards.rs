// SPDX-License-Identifier: Apache-2.0
//! Shares of the images for several machines: together they are all, and each is whole by itself.

use std::process::Command;

use crate::cli::world::{BUILD, World};

/// What `targets` says of the images, and those of each of three shares.
fn listed(world: &World, more: &[&str]) -> (Vec<String>, Vec<Vec<String>>) {
    let of = |shard: &[&str]| -> Vec<String> {
        let args = [&["targets", "--images", "--json"], more, shard].concat();
        let rows = world.run(&args[..]).success().json();
        let names = rows.as_array().unwrap().iter();
        names
            .map(|row| row["target"].as_str().unwrap().to_owned())
            .collect()
    };
    let shares = ["1/3", "2/3", "3/3"].map(|share| of(&["--shard", share]));
    (of(&[]), shares.to_vec())
}

#[test]
fn shares_are_listed_as_they_are_built() {
    let world = World::new();
    let (all, shares) = listed(&world, &[]);
    assert_eq!(all.len(), 6);
    assert_eq!(
        shares,
        [
            ["alpha-1_2-18-bookworm", "beta-1_2-18-bookworm"],
            ["alpha-1_2-18-trixie", "gamma-1_2-18-bookworm"],
            ["beta-1_2-18-trixie", "gamma-1_2-18-trixie"],
        ]
    );
    for (share, own) in ["1/3", "2/3", "3/3"].iter().zip(&shares) {
        world.calls.forget();
        let rows = world
            .run(["bake", "--all", "--json", "--shard", share])
            .success()
            .json();
        let built = rows.as_array().unwrap().iter();
        let built: Vec<&str> = built.map(|row| row["target"].as_str().unwrap()).collect();
        assert_eq!(&built, own);
    }
}

#[test]
fn a_share_builds_what_its_images_need_and_tests_no_more_than_its_own() {
    let world = World::new();
    let ended = world
        .run("smoke --all --shard 3/3 --json")
        .success()
        .says("2 of 2 passed");
    let rows = ended.json();
    let tested = rows.as_array().unwrap().iter();
    let tested: Vec<&str> = tested.map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(tested, ["beta", "gamma"]);
    // Beta needs alpha for the same server, which is in another share.
    let built = world.calls.only(BUILD).line();
    assert!(built.contains(" alpha-1_2-18-trixie"), "{built}");
    assert!(!built.contains("bookworm"), "{built}");
}

#[test]
fn what_has_changed_is_shared_out() {
    let world = World::new();
    world.tools.real("git");
    for args in [
        &["init"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "commit",
            "-m",
            "one",
        ],
    ] {
        let mut git = Command::new("git");
        let ended = git.arg("-C").arg(world.root()).args(args).output().unwrap();
        assert!(ended.status.success(), "{args:?}");
    }
    let changed = ["--changed-since", "HEAD"];
    let (all, shares) = listed(&world, &changed);
    assert!(all.is_empty() && shares.concat().is_empty(), "{shares:?}");
    world.write("extensions/beta/smoke.sql", "SELECT 2;");
    let (all, shares) = listed(&world, &changed);
    assert_eq!(all, ["beta-1_2-18-bookworm", "beta-1_2-18-trixie"]);
    let mut together = shares.concat();
    together.sort();
    assert_eq!(together, all);
}

#[test]
fn what_is_no_share_is_answered_in_one_way() {
    let world = World::new();
    for wrong in ["0/3", "4/3", "x", "1", "1/0", "1/2/3", "-1/3", "1.5/3"] {
        for command in ["bake", "smoke"] {
            let option = format!("--shard={wrong}");
            world
                .run([command, "--all", &option])
                .status(2)
                .says(&format!(
                    "invalid value '{wrong}' for '--shard <I/N>': write it as `2/5`: the second of five parts"
                ));
        }
    }
    assert!(world.calls.of_work().is_empty());
}

/// Whoever has that share has nothing to do; that is no mistake of theirs.
#[test]
fn a_share_of_which_nothing_is_built_for_the_platform_is_empty() {
    let both = "\"platforms\":[\"linux/amd64\",\"linux/arm64\"]";
    let world = World::new();
    let one = "\"platforms\":[\"linux/amd64\"]";
    world.docker.prints("alpha", both, one);
    let args = ["--distro", "trixie", "--platform", "linux/arm64"];
    world
        .run((&["bake", "alpha", "gamma", "--shard", "1/2"], args))
        .success()
        .says("warning: `alpha 18-trixie` is left out: it is built for linux/amd64 alone")
        .says("no image is in this share");
    world.calls.never(BUILD);
    world
        .run((&["bake", "alpha", "gamma", "--shard", "2/2"], args))
        .success()
        .says("1 image baked");
}
