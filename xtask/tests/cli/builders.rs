// SPDX-License-Identifier: Apache-2.0
//! Builders that are not the engine's own: where their images go, and what is said of those that cannot do it.

use serde_json::Value;

use crate::cli::world::{BUILD, World};

/// As `docker buildx inspect` prints a builder with one node.
fn builder(driver: &str, node: &str) -> String {
    format!("Name:   farm\nDriver: {driver}\n\nNodes:\nName:     farm0\n{node}")
}

const RUNS: &str = "Endpoint: tcp://farm:1234\nStatus:   running\n";

/// Where buildx says which builder is selected.
const SELECTED: &str = "../.docker/buildx/current";

/// A world in which a builder is selected.
fn world(driver: &str, node: &str) -> World {
    let world = World::new();
    world.docker.builder(&builder(driver, node));
    world.write(SELECTED, "{\"Name\":\"farm\"}");
    world
}

/// The outputs of the first extension's target, as bake was told to build it.
fn output(world: &World) -> Value {
    let built: Value = serde_json::from_str(&world.read("target/xtask/targets.json")).unwrap();
    built["target"]["alpha-1_2-18-trixie"]["output"].clone()
}

const ALPHA: [&str; 4] = ["bake", "alpha", "--distro", "trixie"];

#[test]
fn a_builder_that_buildx_has_selected_counts_as_named() {
    let world = world("remote", RUNS);
    world
        .run(ALPHA)
        .success()
        .says("images stay in the builder (driver `remote`): add `--push`, or `--load`");
    assert!(world.calls.only(BUILD).line().contains(" --builder farm "));
    world.calls.never("docker image ls --format {{.Tag}}");
}

#[test]
fn images_are_handed_to_the_engine_where_that_is_wanted_and_for_a_test() {
    let world = world("remote", RUNS);
    let loaded = world.run((&ALPHA, "--load")).success();
    assert!(!loaded.stderr.contains("images stay"), "{}", loaded.stderr);
    assert_eq!(output(&world)[0]["type"], "docker");
    world.calls.only("docker image ls --format {{.Tag}}");
    assert!(!world.calls.only(BUILD).line().contains("--push"));
    world.run("smoke alpha --distro trixie").success();
    assert_eq!(output(&world)[0]["type"], "docker");
    let pushed = world.run((&ALPHA, "--push")).success();
    assert!(!pushed.stderr.contains("images stay"), "{}", pushed.stderr);
    assert!(output(&world).is_null(), "as bake has printed it");
    world.run((&ALPHA, "--push --load")).status(2);
}

#[test]
fn the_engines_own_builder_has_its_images_where_they_belong() {
    let world = world("docker", "Endpoint: default\nStatus: running\n");
    world.run((&ALPHA, "--load")).success();
    assert!(output(&world).is_null(), "as bake has printed it");
    assert!(!world.calls.only(BUILD).line().contains("--builder"));
}

#[test]
fn a_dry_run_prints_what_a_builder_does_be_it_named_or_selected() {
    let world = world("kubernetes", "Status: inactive\n");
    // Where buildx has selected none, nobody asks it.
    for current in ["{}", r#"{"Key":"unix:///x","Name":"","Global":false}"#] {
        world.write(SELECTED, current);
        for command in ["--dry-run", ""] {
            world.run((&ALPHA, command)).success();
            world.calls.never("docker buildx inspect");
        }
    }
    world.write(SELECTED, "{\"Name\":\"farm\"}");
    for command in ["smoke alpha", "smoke alpha --builder farm"] {
        let plan = world.run((command, "--distro trixie --dry-run"));
        let plan = plan.success().stdout;
        assert!(plan.contains(r#""type": "docker""#), "{plan}");
        assert!(plan.contains(" --builder farm "), "{plan}");
    }
    world
        .docker
        .builder_fails("ERROR: no builder \"farm\" found\n");
    world.run((&ALPHA, "--builder farm --dry-run")).success();
}

#[test]
fn a_builder_of_which_nothing_runs_is_refused_before_anything_is_built() {
    let dead = "Endpoint: tcp://farm:1234\nStatus:   inactive\n";
    let world = world("remote", dead);
    for command in ["bake alpha --push", "smoke alpha"] {
        world
            .run((command, "--builder farm"))
            .status(3)
            .says("builder `farm` cannot be used: node `farm0` does not answer at tcp://farm:1234")
            .says("hint: `docker buildx ls`");
    }
    let found = world.run("prereqs --for bake").status(3).stdout;
    assert!(
        found.contains("does not answer at tcp://farm:1234"),
        "{found}"
    );
    world.calls.never(BUILD);
    // One of two may be enough.
    let other = format!("\nName:     farm1\n{RUNS}");
    world
        .docker
        .builder(&builder("remote", &format!("{dead}{other}")));
    world
        .run((&ALPHA, "--push"))
        .success()
        .says("warning: of builder `farm` node `farm0` does not answer at tcp://farm:1234");
}

#[test]
fn a_registry_that_is_another_one_in_the_builders_own_place_is_refused() {
    for (driver, node, place) in [
        ("kubernetes", "Status: running\n", "pod"),
        ("docker-container", "Status: running\n", "container"),
    ] {
        let world = world(driver, node);
        world
            .run((&ALPHA, "--push"))
            .status(3)
            .says(&format!(
                "builder `farm` cannot push to `localhost:5000`: there that is its own {place}"
            ))
            .says("hint: set `registry` to a name");
        let found = world.run("prereqs --for bake").success().stdout;
        assert!(
            found.contains("which cannot push to `localhost:5000`"),
            "{found}"
        );
        world.calls.never(BUILD);
        let elsewhere = [("registry", "registry.example/team")];
        world.run_with((&ALPHA, "--push"), &elsewhere).success();
    }
    let host = "Driver Options: network=\"host\"\nStatus: running\n";
    let world = world("docker-container", host);
    world.run((&ALPHA, "--push")).success();
}

#[test]
fn what_the_builder_does_not_reach_or_trust_is_said_of_the_builder() {
    let push = "ERROR: failed to solve: failed to push r:5000/alpha:1: failed to do request: ";
    let no_node = "#2 [internal] waiting for connection\n#2 ERROR: context deadline exceeded\nERROR: context deadline exceeded";
    for (before, said, hint) in [
        (
            "",
            no_node,
            "a node of the builder that one of the platforms needs does not answer",
        ),
        (
            push,
            r#"Head "https://r:5000/v2/alpha/": http: server gave HTTP response to HTTPS client"#,
            "`[registry.\"r:5000\"]` with `http = true` below it",
        ),
        (
            push,
            r#"Head "https://r:5000/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority"#,
            "`ca = [\"FILE\"]`",
        ),
        (
            push,
            r#"Head "http://r:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused"#,
            "is not reached from where the builder runs",
        ),
        (
            push,
            r#"Head "http://r:5000/v2/": dial tcp: lookup r: no such host"#,
            "is not reached from where the builder runs",
        ),
    ] {
        let world = world("remote", RUNS);
        world.tools.fails(BUILD, 1, &format!("{before}{said}\n"));
        world.run((&ALPHA, "--push")).status(3).says(hint);
    }
}

#[test]
fn an_index_that_buildx_puts_together_of_several_nodes_has_the_tags_of_its_target() {
    let world = world("remote", RUNS);
    let ended = world.run((&ALPHA, "--push --json")).success().json();
    let tags = ended[0]["tags"].as_array().unwrap();
    assert_eq!(tags[0], "localhost:5000/alpha-testing:1.2-18-trixie");
    let stamped = tags[1].as_str().unwrap();
    let digits = stamped.chars().filter(char::is_ascii_digit).count();
    assert!(digits > 12, "{stamped}");
}

/// A metadata file with the digests of these targets.
fn written(world: &World, targets: &[(&str, &str)]) {
    let mut said = serde_json::Map::new();
    for (target, names) in targets {
        let digest = format!("sha256:{}", "cd".repeat(32));
        let one = serde_json::json!({"containerimage.digest": digest, "image.name": names});
        said.insert((*target).to_owned(), one);
    }
    world.write("images.json", &Value::from(said).to_string());
}

#[test]
fn what_was_built_elsewhere_is_pulled_and_tested_by_its_digest() {
    let world = World::new();
    let alpha = (
        "alpha-1_2-18-trixie",
        "r.example/alpha-testing:1,r.example/alpha-testing:2",
    );
    written(&world, &[alpha, ("beta-1_2-18-trixie", "")]);
    world.docker.labels_once_pulled("{}");
    world
        .run("smoke --all --distro trixie --metadata-file images.json")
        .success()
        .says("`gamma 18-trixie` is left out: `images.json` has no digest of it")
        .says("2 of 2 passed");
    world.calls.never(BUILD);
    let digest = format!("sha256:{}", "cd".repeat(32));
    for image in ["r.example/alpha-testing", "localhost:5000/beta-testing"] {
        world
            .calls
            .only(&format!("docker pull --quiet {image}@{digest}"));
        let mounted = format!("type=image,source={image}@{digest},");
        let runs = world.calls.of("docker run");
        assert!(
            runs.iter().any(|run| run.line().contains(&mounted)),
            "{image}"
        );
    }
    written(&world, &[("beta-1_2-18-trixie", "")]);
    world
        .run("smoke beta --distro trixie --metadata-file images.json")
        .status(2)
        .says("`images.json` has none of these images")
        .says("it needs `alpha 18-trixie`: `images.json` has no digest of it");
    world
        .run("smoke beta --metadata-file nowhere.json")
        .status(2);
}

/// A metadata file of one target.
fn written_to(world: &World, file: &str, target: &str, byte: &str) {
    written(world, &[(target, "")]);
    let text = world.read("images.json").replace("cd", byte);
    world.write(file, &text);
}

#[test]
fn files_without_targets_mean_all_images_that_are_in_them_and_nothing_else() {
    let world = World::new();
    written_to(&world, "alpha.json", "alpha-1_2-18-trixie", "aa");
    written_to(&world, "beta.json", "beta-1_2-18-trixie", "bb");
    world.docker.labels_once_pulled("{}");
    // A neighbour that has nothing to do with them is of no weight.
    world.write("extensions/broken/metadata.hcl", "metadata = {\n");
    world
        .run("smoke --metadata-file beta.json,alpha.json")
        .success()
        .says("2 of 2 passed")
        .says_nothing_of("gamma")
        .says_nothing_of("bookworm")
        .says_nothing_of("broken");
    world.calls.never(BUILD);
    world.calls.only(&format!(
        "docker pull --quiet localhost:5000/beta-testing@sha256:{}",
        "bb".repeat(32)
    ));
    // What one needs is not in its file, and a share is one of what the files have.
    world
        .run("smoke --metadata-file beta.json")
        .status(2)
        .says("it needs `alpha 18-trixie`: `beta.json` has no digest of it");
    let shares: Vec<String> = ["1/2", "2/2"]
        .iter()
        .map(|share| {
            let args = format!(
                "smoke --metadata-file alpha.json --metadata-file beta.json --json --shard {share}"
            );
            let rows = world.run(args.as_str()).success().json();
            assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
            rows[0]["name"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(shares, ["alpha", "beta"]);
    world
        .run("smoke --metadata-file alpha.json,beta.json --shard 3/3")
        .success()
        .says("no image is in this share");
    world
        .run("smoke --metadata-file alpha.json --distro sid")
        .status(2)
        .says("`--distro sid`: no image matches");
}

#[test]
fn what_no_extension_builds_and_what_two_files_disagree_on_is_said() {
    let world = World::new();
    written_to(&world, "alpha.json", "alpha-1_2-18-trixie", "aa");
    written_to(&world, "other.json", "alpha-1_2-18-trixie", "ee");
    written_to(&world, "old.json", "alpha-0_9-18-trixie", "aa");
    world.docker.labels_once_pulled("{}");
    world
        .run("smoke --metadata-file alpha.json,other.json")
        .status(2)
        .says("`alpha.json` and `other.json` have different images of `alpha-1_2-18-trixie`");
    world
        .run("smoke alpha --metadata-file alpha.json,alpha.json --distro trixie")
        .success();
    let unknown = "`alpha-0_9-18-trixie` of `old.json` is left out: no extension that can be read here builds it";
    world
        .run("smoke --metadata-file old.json")
        .status(2)
        .says("`old.json` has none of these images")
        .says(unknown);
    world
        .run("smoke --metadata-file old.json,alpha.json")
        .success()
        .says(unknown)
        .says("1 of 1 passed");
    // It may be that of an extension that cannot be read.
    world.write("extensions/broken/metadata.hcl", "metadata = {\n");
    world
        .run("smoke --metadata-file old.json,alpha.json")
        .status(1)
        .says(unknown)
        .says("`broken` is left out")
        .says("1 of 2 extensions cannot be read");
    world.write("none.json", "{\"alpha-1_2-18-trixie\": {}}");
    world
        .run("smoke --metadata-file none.json")
        .status(2)
        .says("`none.json` has no digest of any image");
    for mistake in [
        "smoke --metadata-file alpha.json --image alpha:1",
        "smoke --metadata-file alpha.json --no-bake",
        "smoke",
        "smoke --metadata-file alpha.json,nowhere.json",
    ] {
        world.run(mistake).status(2);
    }
    world.calls.never(BUILD);
}

#[test]
fn what_was_built_of_another_extension_under_the_same_name_is_not_tested_for_it() {
    let world = World::new();
    let other = "r.example/other:1,r.example/x/another:alpha-testing";
    written(
        &world,
        &[
            ("alpha-1_2-18-trixie", other),
            ("beta-1_2-18-trixie", "r.example/beta-testing:1"),
            ("gamma-1_2-18-trixie", "localhost:1/gamma-testing:1"),
        ],
    );
    let lacks = "`images.json` has `r.example/other:1` under its name, `alpha-1_2-18-trixie`";
    world.docker.labels_once_pulled("{}");
    world
        .run("smoke --all --distro trixie --metadata-file images.json")
        .success()
        .says(&format!("`alpha 18-trixie` is left out: {lacks}"))
        .says(&format!(
            "`beta 18-trixie` is left out: it needs `alpha 18-trixie`: {lacks}"
        ))
        .says("1 of 1 passed");
    world
        .calls
        .only("docker pull --quiet localhost:1/gamma-testing@");
    world
        .run("smoke alpha --distro trixie --metadata-file images.json")
        .status(2)
        .says("`images.json` has none of these images")
        .says(lacks);
}

#[test]
fn a_push_by_a_builder_elsewhere_needs_no_engine() {
    let world = world("remote", RUNS);
    world.docker.info_fails(
        "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n",
    );
    world
        .run((&ALPHA, "--push --builder farm"))
        .success()
        .says("1 image baked");
    for needs_it in [
        "bake alpha --builder farm",
        "bake alpha --load --builder farm",
        "smoke alpha",
    ] {
        world
            .run(needs_it)
            .status(3)
            .says("the Docker daemon does not answer");
    }
    world
        .docker
        .builder("Name: default\nDriver: docker\n\nNodes:\nName: default\n");
    world
        .run((&ALPHA, "--push"))
        .status(3)
        .says("the Docker daemon does not answer");
}
