// SPDX-License-Identifier: Apache-2.0
//! Images that a bake comes to again: they are built, and neither exported nor pushed nor tested once more.

use std::fs;

use serde_json::{Value, json};

use crate::cli::world::{
    BUILD, Call, World,
    image::{annotations, index},
};

const TAG: &str = "localhost:5000/alpha-testing:1.2-18-trixie";
const STAMPED: &str = "localhost:5000/alpha-testing:1.2-202601010000-18-trixie";
const BAKE: &str = "bake alpha --distro trixie --json";
const LOOKS: &str =
    "--set *.output=type=image,oci-mediatypes=true,push=false,store=false,unpack=false";

fn digest(of: &str) -> String {
    format!("sha256:{}", of.repeat(32))
}

/// A world in which alpha was baked once and is in the engine.
fn baked() -> World {
    let world = World::new();
    let said = format!(
        r#"{{"alpha-1_2-18-trixie":{{"containerimage.digest":"{}","image.name":"{TAG},{STAMPED}"}}}}"#,
        digest("ab")
    );
    world.docker.bake_writes("alpha", &said);
    world.docker.bake_configures("alpha", &digest("cf"));
    world.run(BAKE).success();
    world.docker.digests(&format!(
        "{TAG}\t{0}\n{STAMPED}\t{0}\nother:1\t{1}\n",
        digest("ab"),
        digest("ee")
    ));
    world.calls.forget();
    world
}

/// How alpha's row has ended, and what each call of bake was told.
fn again(world: &World, args: &str) -> (String, Vec<String>) {
    let ended = world.run((BAKE, args)).success().json();
    let calls = world.calls.of(BUILD);
    let calls = calls.iter().map(Call::line);
    (
        ended[0]["result"].as_str().unwrap().to_owned(),
        calls.collect(),
    )
}

#[test]
fn the_same_image_is_neither_exported_nor_tidied_up_after() {
    let world = baked();
    let ended = world.run(BAKE).success();
    let ended = ended.says("1 image unchanged").json();
    assert_eq!(ended[0]["result"], "unchanged");
    assert_eq!(ended[0]["digest"], digest("ab"));
    assert_eq!(ended[0]["tags"].as_array().unwrap().len(), 2);
    let call = world.calls.only(BUILD).line();
    assert!(
        call.contains(LOOKS) && !call.contains("--metadata-file"),
        "{call}"
    );
    world.calls.never("docker image ls --format {{.Tag}}");
    // What follows tests the image that is there.
    world.run("smoke alpha --distro trixie").success();
    let mounted = format!("source=localhost:5000/alpha-testing@{}", digest("ab"));
    let run = world.calls.only("docker run").line();
    assert!(run.contains(&mounted), "{run}");
}

#[test]
fn what_has_changed_is_exported_without_being_built_twice() {
    let world = baked();
    world.docker.bake_configures("alpha", &digest("dd"));
    let (result, calls) = again(&world, "--no-cache");
    assert_eq!((result.as_str(), calls.len()), ("passed", 2), "{calls:#?}");
    assert!(
        calls[0].contains(LOOKS) && calls[0].contains("--no-cache"),
        "{calls:#?}"
    );
    assert!(
        !calls[1].contains("store=false") && !calls[1].contains("--no-cache"),
        "{calls:#?}"
    );
    world.calls.only("docker image ls --format {{.Tag}}");
    world.calls.forget();
    // It is known from then on.
    assert_eq!(again(&world, "").0, "unchanged");
}

#[test]
fn what_is_not_there_any_more_or_is_asked_for_otherwise_is_exported_at_once() {
    let gone = baked();
    gone.docker
        .digests(&format!("{TAG}\t{}\n{STAMPED}\t{0}\n", digest("ee")));
    let untagged = baked();
    untagged
        .docker
        .digests(&format!("{TAG}\t{}\n", digest("ab")));
    let attested = baked();
    let described = baked();
    let more = described.read("docker/bake.hcl") + "# more\n";
    described.write("docker/bake.hcl", &more);
    let forged = baked();
    let kept = "target/xtask/images/alpha-1_2-18-trixie.engine.sealed";
    let text = forged.read(kept).replace(&digest("cf"), &digest("dd"));
    fs::write(forged.root().join(kept), text).unwrap();
    forged.docker.bake_configures("alpha", &digest("dd"));
    for (what, world, args) in [
        ("another image has its name", &gone, ""),
        ("one of its names is gone", &untagged, ""),
        ("an SBOM is wanted", &attested, "--set bake.sbom=never"),
        ("somebody has edited what is known", &forged, ""),
    ] {
        let (result, calls) = again(world, args);
        assert_eq!((result.as_str(), calls.len()), ("passed", 1), "{what}");
        assert!(!calls[0].contains("store=false"), "{what}: {calls:#?}");
    }
    let (result, _) = again(&described, "");
    assert_eq!(
        result, "unchanged",
        "the file differs, and what it says does not"
    );
}

#[test]
fn a_failure_of_one_leaves_the_others_as_they_are_or_builds_them() {
    let world = baked();
    world.docker.bake_fails("alpha", "ERROR: no\n");
    let ended = world
        .run("bake alpha gamma --distro trixie --json")
        .status(1);
    let ended = ended.says("failed to bake `alpha` (pg 18, trixie)").json();
    let results = ["alpha", "gamma"].map(|name| {
        let mut rows = ended.as_array().unwrap().iter();
        rows.find(|row| row["name"] == name).unwrap()["result"].clone()
    });
    assert_eq!(results, ["failed", "passed"]);
}

const SMOKE: &str = "smoke alpha --distro trixie --json";

/// The folder of the run that has not tested again.
fn without_a_test(world: &World) -> String {
    let runs = fs::read_dir(world.root().join("target/xtask/runs")).unwrap();
    let names = runs.map(|run| run.unwrap().file_name().into_string().unwrap());
    let of_name = |name: &String| format!("target/xtask/runs/{name}");
    let mut folders = names.map(|name| of_name(&name));
    let is_unchanged = |folder: &String| {
        world
            .read(&format!("{folder}/run.json"))
            .contains("it has passed in run")
    };
    folders.find(is_unchanged).expect("a run without a test")
}

/// What somebody changes in a world.
type Change<'a> = &'a dyn Fn(&World);

/// A world in which alpha was baked and tested once.
fn tested() -> World {
    let world = baked();
    world.docker.proof("1 row");
    world.run(SMOKE).success();
    world.calls.only("docker run");
    world.calls.forget();
    world
}

#[test]
fn what_has_passed_and_is_the_same_is_not_tested_again_and_says_which_run_has_seen_it() {
    let world = tested();
    let ended = world.run(SMOKE).success().says("1 unchanged");
    let row = &ended.json()[0];
    assert_eq!(
        (&row["result"], &row["proof"]),
        (&"unchanged".into(), &"1 row".into())
    );
    let reason = row["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("it has passed in run ") && reason.ends_with('Z'),
        "{reason}"
    );
    world.calls.never("docker run");
    world.calls.never("docker create");
    let cases = world.read(&format!("{}/junit.xml", without_a_test(&world)));
    assert!(
        cases.contains("<skipped message=\"unchanged: it has passed in run "),
        "{cases}"
    );
    // Who asks for it gets it, and is believed then.
    for asked in ["--retest", "--no-bake"] {
        let row = world.run((SMOKE, asked)).success().json();
        assert_eq!(row[0]["result"], "passed", "{asked}");
        world.calls.only("docker run");
        world.calls.forget();
    }
}

#[test]
fn what_a_test_depends_on_lets_it_run_again() {
    let metadata = |world: &World, from: &str, to: &str| {
        let file = "extensions/alpha/metadata.hcl";
        world.write(file, &world.read(file).replace(from, to));
    };
    let changes: [(&str, Change<'_>); 5] = [
        ("its statements", &|world| {
            world.write("extensions/alpha/smoke.sql", "SELECT 2;\n");
        }),
        ("the base image", &|world| {
            world.docker.identity_of_base("sha256:ba5f linux/amd64");
        }),
        ("the image", &|world| {
            world.docker.bake_configures("alpha", &digest("dd"));
            let said = format!(
                r#"{{"alpha-1_2-18-trixie":{{"containerimage.digest":"{}","image.name":"{TAG}"}}}}"#,
                digest("ac")
            );
            world.docker.bake_writes("alpha", &said);
        }),
        ("a parameter", &|world| {
            metadata(
                world,
                "postgresql_parameters = {}",
                "postgresql_parameters = { \"a.b\" = \"on\" }",
            );
        }),
        ("a note that somebody has edited", &|world| {
            let note = "target/xtask/images/alpha-18-trixie.smoke.sealed";
            world.write(note, &world.read(note).replace("1 row", "2 rows"));
        }),
    ];
    for (what, change) in changes {
        let world = tested();
        change(&world);
        let row = world.run(SMOKE).success().json();
        assert_eq!(row[0]["result"], "passed", "{what}");
        world.calls.only("docker run --rm");
    }
}

#[test]
fn what_has_failed_is_not_remembered() {
    let world = tested();
    world.write("extensions/alpha/smoke.sql", "SELECT 2;\n");
    world.docker.test_fails("ERROR: no");
    for _ in 0..2 {
        world.run(SMOKE).status(1);
        world.calls.only("docker run");
        world.calls.forget();
    }
}

const PUSH: &str = "bake alpha --distro trixie --push --json";

/// A world in which another machine has pushed alpha, with `change` made to what its index and its manifest say. Gives the index's
/// digest, too.
fn pushed_elsewhere(change: impl Fn(&mut Value)) -> (World, String) {
    let world = World::new();
    let mut said = annotations("trixie", "18", "1.2");
    said["org.opencontainers.image.version"] = "1.2".into();
    let mut manifest = json!({"config": {"digest": digest("cf")}, "annotations": said});
    change(&mut manifest);
    let image = world
        .registry
        .put("localhost:5000/alpha-testing:its", &manifest);
    let mut index = index(&manifest["annotations"]);
    index["manifests"][0]["digest"] = image.into();
    let index = world.registry.put(TAG, &index);
    world.docker.bake_configures("alpha", &digest("cf"));
    world.docker.bake_writes(
        "alpha",
        &format!(
            r#"{{"alpha-1_2-18-trixie":{{"containerimage.digest":"{}","image.name":"{TAG}"}}}}"#,
            digest("ab")
        ),
    );
    (world, index)
}

#[test]
fn what_another_machine_has_pushed_is_not_pushed_again_and_keeps_its_digest() {
    let (world, index) = pushed_elsewhere(|_| {});
    let ended = world.run(PUSH).success().says("1 image unchanged");
    let row = &ended.json()[0];
    assert_eq!(
        (&row["result"], &row["digest"]),
        (&"unchanged".into(), &index.into())
    );
    assert_eq!(
        row["tags"],
        json!([TAG]),
        "the names that it is known to have"
    );
    let call = world.calls.only(BUILD).line();
    assert!(call.contains(LOOKS) && !call.contains(" --push"), "{call}");
}

#[test]
fn what_another_machine_has_pushed_otherwise_is_pushed() {
    let of_manifest = |name: &'static str, value: &'static str| {
        move |manifest: &mut Value| manifest["annotations"][name] = value.into()
    };
    let (other, _) = pushed_elsewhere(of_manifest("org.opencontainers.image.version", "1.1"));
    let (base, _) = pushed_elsewhere(of_manifest("io.cloudnativepg.image.base.os", "bookworm"));
    let (odd, _) = pushed_elsewhere(|manifest| manifest["config"] = json!(["-"]));
    for (what, world) in [
        ("another version", other),
        ("another base", base),
        ("no configuration", odd),
    ] {
        let ended = world.run(PUSH).success();
        assert_eq!(ended.json()[0]["result"], "passed", "{what}");
        let call = world.calls.only(BUILD).line();
        assert!(
            call.contains(" --push") && !call.contains("store=false"),
            "{what}: {call}"
        );
    }
    let (built, _) =
        pushed_elsewhere(|manifest| manifest["config"]["digest"] = digest("ce").into());
    assert_eq!(built.run(PUSH).success().json()[0]["result"], "passed");
    assert_eq!(
        built.calls.of(BUILD).len(),
        2,
        "it is built, and then pushed"
    );
}
