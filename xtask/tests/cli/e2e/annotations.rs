// SPDX-License-Identifier: Apache-2.0
//! Where an image says what it is, what it says, and what is refused.

use serde_json::{Value, json};

use crate::cli::world::{
    Ended, World,
    image::{MANIFESTS, annotations, architecture, index, index_for, manifest},
    metadata,
};

/// Generates values of `gamma` from an image that is described so.
fn values(world: &World, described: &Value) -> Ended {
    let reference = format!("localhost:{}/gamma-testing:1", world.registry.port);
    world.registry.put(&reference, described);
    world
        .registry
        .put_platform(&reference, &format!("linux/{}", architecture()));
    world.run((
        "e2e",
        &["generate-values", "gamma", "--extension-image", &reference],
    ))
}

#[test]
fn an_index_is_read_before_its_manifests() {
    let world = World::e2e();
    values(&world, &index(&annotations("trixie", "18", "7.7"))).success();
    for asked in world.calls.of("docker buildx imagetools") {
        assert!(!asked.line().contains(MANIFESTS[0]), "{}", asked.line());
    }
    assert!(
        world
            .read("extensions/gamma/values.yaml")
            .contains("version: '7.7'")
    );
}

#[test]
fn an_index_without_annotations_leaves_it_to_its_manifest() {
    let world = World::e2e();
    let only = manifest(&annotations("trixie", "18", "7.8"));
    let mut index = index(&Value::Null);
    let repository = format!("localhost:{}/gamma-testing", world.registry.port);
    let digest = world.registry.put(&format!("{repository}:only"), &only);
    index["manifests"][0]["digest"] = json!(digest);
    values(&world, &index).success();
    let text = world.read("extensions/gamma/values.yaml");
    assert!(text.contains("version: '7.8'"), "{text}");
    assert!(
        !text.contains(&digest),
        "the index is what is pulled: {text}"
    );
}

#[test]
fn a_manifest_without_an_index_speaks_for_itself() {
    let world = World::e2e();
    let reference = format!("localhost:{}/gamma-testing:1", world.registry.port);
    let described = manifest(&annotations("trixie", "18", "7.9"));
    let digest = world.registry.put(&reference, &described);
    world.registry.put_platform(
        &format!("localhost:{}/gamma-testing@{digest}", world.registry.port),
        &format!("linux/{}", architecture()),
    );
    values(&world, &described).success();
    let text = world.read("extensions/gamma/values.yaml");
    assert!(
        text.contains("version: '7.9'") && text.contains(&digest),
        "{text}"
    );
}

#[test]
fn an_image_that_says_nothing_is_refused() {
    for described in [index(&Value::Null), manifest(&Value::Null)] {
        let world = World::e2e();
        let repository = format!("localhost:{}/gamma-testing", world.registry.port);
        let digest = world
            .registry
            .put(&format!("{repository}:only"), &manifest(&Value::Null));
        let mut described = described;
        if described.get("manifests").is_some() {
            described["manifests"][0]["digest"] = json!(digest);
        }
        world.registry.put_platform(
            &format!("{repository}@{digest}"),
            &format!("linux/{}", architecture()),
        );
        values(&world, &described)
            .status(2)
            .says("gamma-testing")
            .says("io.cloudnativepg.image.base.")
            .says("hint: ");
        assert!(!world.exists("extensions/gamma/values.yaml"));
    }
}

#[test]
fn each_annotation_that_is_needed_is_named_when_it_is_missing() {
    for name in ["base.name", "sql.version"] {
        let name = format!("io.cloudnativepg.image.{name}");
        let mut said = annotations("trixie", "18", "1.2");
        said.as_object_mut().unwrap().remove(&name);
        values(&World::e2e(), &index(&said))
            .status(2)
            .says(&format!("has no annotation `{name}`"));
        said[&name] = json!("");
        values(&World::e2e(), &index(&said))
            .status(2)
            .says(&format!("has no annotation `{name}`"));
    }
}

#[test]
fn a_needed_module_that_is_not_created_needs_no_version() {
    let world = World::e2e();
    let versions = "{\n trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\" } }\n bookworm = { \"18\" = { package = \"1.2-1.pgdg12+1\" } }\n }";
    let fields = [("create_extension", "false"), ("versions", versions)];
    world.extension("alpha", &metadata("alpha", &fields));
    let of = |path: &str| format!("localhost:{}/{path}", world.registry.port);
    world.registry.put(
        &of("alpha-testing:1.2-18-trixie"),
        &index(&annotations("trixie", "18", "")),
    );
    let beta = of("beta-testing:1.2-18-trixie");
    world
        .registry
        .put(&beta, &index(&annotations("trixie", "18", "1.2")));
    world
        .run((
            "e2e",
            &["generate-values", "beta", "--extension-image", &beta],
        ))
        .success();
    let text = world.read("extensions/beta/values.yaml");
    assert_eq!(
        text.matches("- name: 'alpha'").count(),
        1,
        "mounted: {text}"
    );
    assert_eq!(text.matches("ensure: 'present'").count(), 1, "{text}");
    assert_eq!(text.matches("applied: true").count(), 2, "{text}");
}

#[test]
fn what_a_dependency_preloads_is_preloaded() {
    let world = World::e2e();
    world.extension(
        "alpha",
        &metadata("alpha", &[("shared_preload_libraries", "[\"alpha\"]")]),
    );
    let of = |path: &str| format!("localhost:{}/{path}", world.registry.port);
    let beta = of("beta-testing:1.2-18-trixie");
    for reference in [&of("alpha-testing:1.2-18-trixie"), &beta] {
        world
            .registry
            .put(reference, &index(&annotations("trixie", "18", "1.2")));
    }
    world
        .run((
            "e2e",
            &["generate-values", "beta", "--extension-image", &beta],
        ))
        .success();
    let text = world.read("extensions/beta/values.yaml");
    let list = text.split("shared_preload_libraries:").nth(1).unwrap();
    let list = list.split("postgresql_parameters").next().unwrap();
    assert!(
        list.contains("'beta'") && list.contains("'alpha'"),
        "{text}"
    );
}

#[test]
fn an_image_for_another_processor_is_refused() {
    let other = if architecture() == "amd64" {
        "arm64"
    } else {
        "amd64"
    };
    let world = World::e2e();
    values(
        &world,
        &index_for(other, &annotations("trixie", "18", "1.2")),
    )
    .status(2)
    .says(&format!("is for linux/{other}"))
    .says(&format!("linux/{}", architecture()))
    .says(&format!("--platform linux/{}", architecture()));
    assert!(!world.exists("extensions/gamma/values.yaml"));
    let world = World::e2e();
    let described = manifest(&annotations("trixie", "18", "1.2"));
    let reference = format!("localhost:{}/gamma-testing:1", world.registry.port);
    let digest = world.registry.put(&reference, &described);
    world.registry.put_platform(
        &format!("localhost:{}/gamma-testing@{digest}", world.registry.port),
        &format!("linux/{other}"),
    );
    world
        .run((
            "e2e",
            &["generate-values", "gamma", "--extension-image", &reference],
        ))
        .status(2)
        .says(&format!("is for linux/{other}"));
}

#[test]
fn an_image_that_cannot_be_had_says_why() {
    for (said, status, expected) in [
        (
            "ERROR: localhost:5000/gamma-testing:1: not found\n",
            2,
            "is not in its registry",
        ),
        (
            "ERROR: failed to do request: Head \"http://localhost:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused\n",
            3,
            "nothing answers at the registry",
        ),
        (
            "ERROR: failed to authorize: 401 Unauthorized\n",
            3,
            "401 Unauthorized",
        ),
    ] {
        let world = World::e2e();
        world.tools.fails("docker buildx imagetools", 1, said);
        let reference = "localhost:5000/gamma-testing:1";
        world
            .run((
                "e2e",
                &["generate-values", "gamma", "--extension-image", reference],
            ))
            .status(status)
            .says(reference)
            .says(expected);
    }
    World::e2e()
        .run("e2e generate-values gamma --extension-image 'a b'")
        .status(2)
        .says("`a b` is not an image reference");
}

#[test]
fn what_looks_like_a_number_or_a_truth_is_a_text() {
    for version in ["1.10", "18.0", "1e3", "2", "0x10", "1_000", "on"] {
        let world = World::e2e();
        values(&world, &index(&annotations("trixie", "18", version))).success();
        let text = world.read("extensions/gamma/values.yaml");
        let quoted = format!("version: '{version}'\n");
        assert_eq!(text.matches(&quoted).count(), 2, "{text}");
    }
    let world = World::e2e();
    world.extension(
        "gamma",
        &metadata(
            "gamma",
            &[
                (
                    "postgresql_parameters",
                    "{ \"on\" = \"on\", \"x.off\" = \"off\", \"x.n\" = \"1.10\", \"x.text\" = \"it's # a: b\" }",
                ),
                ("env", "{ \"YES\" = \"no\", \"EMPTY\" = \"\" }"),
            ],
        ),
    );
    values(&world, &index(&annotations("trixie", "18", "1"))).success();
    let text = world.read("extensions/gamma/values.yaml");
    for line in ["x.off: 'off'", "x.n: '1.10'", "value: 'no'", "value: ''"] {
        assert!(text.contains(line), "`{line}` is not in {text}");
    }
    assert!(
        text.contains("\"on\": 'on'") || text.contains("'on': 'on'"),
        "{text}"
    );
    assert!(
        text.contains("'it''s # a: b'") || text.contains("\"it's # a: b\""),
        "{text}"
    );
}
