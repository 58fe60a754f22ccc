// SPDX-License-Identifier: Apache-2.0
//! `e2e test-full`: which images are built and tested, and that they are those which were built.

use crate::cli::world::{BUILD, GAMMA, World};

/// What was tested, as `name major-distro`.
fn tested(world: &World) -> Vec<String> {
    let mut names: Vec<String> = world
        .calls
        .of("chainsaw test test ")
        .iter()
        .map(|call| call.after("--report-name").to_owned())
        .map(|name| name.trim_start_matches("shared-suite-of-").to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_baked_is_what_is_tested_by_its_digest() {
    let world = World::e2e_with_images();
    world.run("e2e test-full beta").success();
    let values = world.chainsaw.values_of("shared-suite-of-beta-18-trixie");
    let mut at = 0;
    for name in ["beta", "alpha"] {
        let digest = world
            .docker
            .digest_of(name, &format!("{name}-1_2-18-trixie"));
        let wanted = format!(
            "reference: 'registry.pg-extensions:5000/{name}-testing:1.2-18-trixie@{digest}'"
        );
        let found = values.find(&wanted);
        let found = found.unwrap_or_else(|| panic!("{wanted}\n{values}"));
        assert!(found > at, "the extension comes before what it needs");
        at = found;
    }
    assert!(
        !values.contains(&format!("localhost:{}", world.registry.port)),
        "{values}"
    );
    // What it needs is built beside it, and not tested.
    assert_eq!(world.calls.bakes(), ["start alpha+beta", "end alpha+beta"]);
    world.calls.in_order(&[BUILD, "chainsaw test"]);
    assert_eq!(world.calls.of("chainsaw ").len(), 1);
    assert!(world.exists("target/xtask/e2e/values/beta-1_2-18-trixie.yaml"));
    assert!(!world.exists("extensions/beta/values.yaml"));
}

/// As a workflow does it, on one machine after the other.
#[test]
fn what_was_baked_before_is_tested_by_its_digest_and_not_built() {
    let world = World::e2e_with_images();
    world.run("e2e setup-env --until registry").success();
    for (name, file) in [("alpha", "alpha.json"), ("beta", "deep/images.json")] {
        let bake = ["bake", name, "--push", "--metadata-file", file];
        world.run((bake, "--distro trixie --pg 18")).success();
    }
    let digest = world.docker.digest_of("beta", "beta-1_2-18-trixie");
    world.calls.forget();
    let rows = world
        .run("e2e test-full beta --metadata-file deep/images.json --json")
        .success()
        .says("`alpha 18-trixie`, which is needed, is in no metadata file")
        .json();
    world.calls.never(BUILD);
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert!(
        rows[0]["image"].as_str().unwrap().ends_with(&digest),
        "{rows}"
    );
    let values = world.chainsaw.values_of("shared-suite-of-beta-18-trixie");
    let alpha = world.docker.digest_of("alpha", "alpha-1_2-18-trixie");
    // What it needs was pushed by somebody else.
    for image in [
        format!("beta-testing@{digest}"),
        format!("alpha-testing:1.2-18-trixie@{alpha}"),
    ] {
        let wanted = format!("reference: 'registry.pg-extensions:5000/{image}'");
        assert!(values.contains(&wanted), "{wanted}\n{values}");
    }
    // With the file of what it needs nothing is taken from elsewhere, and without a name the files say which are meant.
    let both = world
        .run("e2e test-full --metadata-file alpha.json,deep/images.json --json")
        .success()
        .says_nothing_of("is in no metadata file")
        .says_nothing_of("gamma")
        .json();
    assert_eq!(both.as_array().unwrap().len(), 2, "{both}");
    let values = world.chainsaw.values_of("shared-suite-of-beta-18-trixie");
    let by_digest = format!("registry.pg-extensions:5000/alpha-testing@{alpha}");
    assert!(values.contains(&by_digest), "{values}");
    // Of another extension it says nothing.
    world
        .run("e2e test-full gamma --metadata-file deep/images.json")
        .status(2)
        .says("has none of these images");
    world
        .run("e2e test-full beta --metadata-file none.json")
        .status(2)
        .says("`none.json` is not what bake writes: it does not exist");
}

#[test]
fn every_image_of_an_extension_is_tested() {
    let world = World::e2e_with_images();
    let results = world.run("e2e test-full gamma --json").success().json();
    assert_eq!(
        tested(&world),
        [
            "gamma-18-bookworm",
            "gamma-18-trixie",
            "gamma-19-bookworm",
            "gamma-19-trixie"
        ]
    );
    let rows = results.as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for (distro, major) in GAMMA {
        let target = format!("gamma-1_2-{major}-{distro}");
        let digest = world.docker.digest_of("gamma", &target);
        let row = rows
            .iter()
            .find(|row| row["image"].as_str().unwrap().ends_with(&digest))
            .unwrap_or_else(|| panic!("{target}: {rows:#?}"));
        assert_eq!(row["result"], "passed");
        let values = world.read(row["values"].as_str().unwrap());
        assert!(
            values.contains(&format!("postgresql:{major}-minimal-{distro}'"))
                && values.contains(&digest),
            "{values}"
        );
    }
}

#[test]
fn filters_choose_among_the_images() {
    for (words, wanted) in [
        (
            &["e2e", "test-full", "gamma", "--distro", "trixie"][..],
            &["gamma-18-trixie", "gamma-19-trixie"][..],
        ),
        (
            &["e2e", "test-full", "gamma", "--pg", "19"],
            &["gamma-19-bookworm", "gamma-19-trixie"],
        ),
        (
            &["e2e:test:full", "TARGET=gamma", "DISTRO=bookworm"],
            &["gamma-18-bookworm", "gamma-19-bookworm"],
        ),
    ] {
        let world = World::e2e_with_images();
        world.run(words).success();
        assert_eq!(tested(&world), wanted, "{words:?}");
    }
    World::e2e_with_images()
        .run("e2e test-full gamma --pg 17")
        .status(2)
        .says("no image matches");
}

#[test]
fn shares_are_together_all_and_nothing_twice() {
    let mut all: Vec<String> = Vec::new();
    for share in ["1/2", "2/2"] {
        let world = World::e2e_with_images();
        world
            .run(("e2e test-full --all --shard", [share]))
            .success();
        let own = tested(&world);
        assert_eq!(own.len(), 3, "{share}: {own:?}");
        all.extend(own);
    }
    all.sort();
    assert_eq!(
        all,
        [
            "alpha-18-trixie",
            "beta-18-trixie",
            "gamma-18-bookworm",
            "gamma-18-trixie",
            "gamma-19-bookworm",
            "gamma-19-trixie"
        ]
    );
    // More shares than images: one has nothing to do, and makes nothing.
    let world = World::e2e_with_images();
    world
        .run("e2e test-full --all --shard 7/7")
        .success()
        .says("no image is in this share");
    world.calls.never("kind create");
    world.run("e2e test-full --all --shard 3/2").status(2);
}

#[test]
fn an_empty_share_does_not_hide_what_cannot_be_read() {
    let world = World::e2e_with_images();
    world.extension("delta", "metadata = {\n");
    for more in [&[][..], &["--dry-run"]] {
        world
            .run((["e2e", "test-full", "--all", "--shard", "7/7"], more))
            .status(1)
            .says("1 of 4 extensions cannot be read: `delta`");
    }
    world.calls.never("kind create");
}

#[test]
fn a_share_of_which_the_nodes_run_nothing_says_so() {
    let world = World::e2e_with_images();
    let both = "\"platforms\":[\"linux/amd64\",\"linux/arm64\"]";
    world
        .docker
        .prints("alpha", both, "\"platforms\":[\"linux/s390x\"]");
    let args = ["--distro", "trixie", "--pg", "18", "--shard", "1/2"];
    let run = |world: &World| world.run((["e2e", "test-full", "alpha", "gamma"], args));
    run(&world)
        .success()
        .says("warning: `alpha 18-trixie` is left out: it is built for linux/s390x alone")
        .says("no image of this share is built for the nodes' platform");
    world.calls.never("kind create");
    world.extension("delta", "metadata = {\n");
    world
        .run((["e2e", "test-full", "--all"], args))
        .status(1)
        .says("1 of 4 extensions cannot be read: `delta`");
}

#[test]
fn suites_of_one_run_are_bounded_too() {
    let world = World::e2e_with_images();
    world.chainsaw.takes("0.05");
    world.run("e2e test-full gamma --jobs 1").success();
    assert_eq!(world.chainsaw.at_once(), [1; 4]);
}

#[test]
fn long_names_have_namespaces_of_their_own() {
    let world = World::e2e_with_images();
    let name = "an-extension-whose-name-is-as-long-as-suites-allow";
    world.put_built(name, &GAMMA, &[]);
    world.run(("e2e test-full", [name])).success();
    let mut namespaces: Vec<String> = world
        .calls
        .of("chainsaw ")
        .iter()
        .map(|call| call.after("--namespace").to_owned())
        .collect();
    namespaces.sort();
    namespaces.dedup();
    assert_eq!(namespaces.len(), 4, "{namespaces:#?}");
    for namespace in namespaces {
        assert!(namespace.len() <= 63, "{namespace}");
    }
}
