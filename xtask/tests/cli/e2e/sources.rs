// SPDX-License-Identifier: Apache-2.0
//! `e2e generate-values`: which images it reads, and where it writes.

use std::fs;

use super::values::{extensions, values};
use crate::cli::world::image::{annotations, index, manifest};

#[test]
fn what_is_needed_is_taken_from_where_it_is_published_when_it_is_not_local() {
    let world = extensions();
    let path = "pgrouting-testing:4.0.1-18-bookworm";
    world.registry.put_local(path, "bookworm", "4.0.1");
    world.registry.put_local(
        "postgis-extension-testing:3.6.4-18-trixie",
        "trixie",
        "3.6.4",
    );
    let published = "ghcr.io/cloudnative-pg/postgis-extension:3.6.4-18-bookworm";
    let digest = world
        .registry
        .put(published, &index(&annotations("bookworm", "18", "3.6.4")));
    let text = values(&world, "pgrouting", path);
    assert!(
        text.contains(&format!("reference: '{published}@{digest}'")),
        "{text}"
    );
}

#[test]
fn what_is_needed_and_nowhere_is_named_with_both_places() {
    let world = extensions();
    let path = "pgrouting-testing:4.0.1-18-bookworm";
    world.registry.put_local(path, "bookworm", "4.0.1");
    let image = format!("localhost:{}/{path}", world.registry.port);
    world
        .run((
            "e2e",
            &["generate-values", "pgrouting", "--extension-image", &image],
        ))
        .status(2)
        .says("`pgrouting` needs `postgis`")
        .says(&format!(
            "localhost:{}/postgis-extension-testing:3.6.4-18-bookworm",
            world.registry.port
        ))
        .says("ghcr.io/cloudnative-pg/postgis-extension:3.6.4-18-bookworm")
        .says("hint: build it first: `cargo xtask bake postgis --push`");
    assert!(!world.exists("extensions/pgrouting/values.yaml"));
}

#[test]
fn what_another_repository_builds_is_the_image_that_the_settings_name() {
    let world = extensions();
    let settings = world.read("xtask.toml");
    let said = "[external.postgis]\nimage = \"ghcr.io/them/gis:{version}-{pg}-{distro}\"\nversion = \"3.7\"\n\
        sql_name = \"postgis\"\nld_library_path = [\"libs\"]\nenv = { GIS = \"${image_root}/gis\" }\n";
    world.write("xtask.toml", &(settings + said));
    let path = "pgrouting-testing:4.0.1-18-trixie";
    world.registry.put_local(path, "trixie", "4.0.1");
    let image = "ghcr.io/them/gis:3.7-18-trixie";
    world
        .docker
        .control("postgis", "default_version = '3.7.2'\n");
    // It says nothing of itself but for which platforms it is.
    let bare = manifest(&serde_json::Value::Null);
    let bare = world.registry.put("ghcr.io/them/gis:bare", &bare);
    let mut said_nothing = index(&serde_json::Value::Null);
    said_nothing["manifests"][0]["digest"] = bare.into();
    let digest = world.registry.put(image, &said_nothing);
    let text = values(&world, "pgrouting", path);
    for said in [
        format!("reference: '{image}@{digest}'"),
        "- 'libs'".to_owned(),
        "name: 'GIS'".to_owned(),
        "value: '${image_root}/gis'".to_owned(),
        "version: '3.7.2'".to_owned(),
    ] {
        assert!(text.contains(&said), "{said}:\n{text}");
    }
    assert!(!text.contains("ghcr.io/cloudnative-pg/postgis"), "{text}");
    let lacking = world.registry.local("pgrouting-testing:4.0.1-18-bookworm");
    world
        .registry
        .put_local("pgrouting-testing:4.0.1-18-bookworm", "bookworm", "4.0.1");
    let args = [
        "generate-values",
        "pgrouting",
        "--extension-image",
        &lacking,
    ];
    world
        .run(("e2e", &args))
        .status(2)
        .says("`pgrouting` needs `postgis`, of which there is no image")
        .says("ghcr.io/them/gis:3.7-18-bookworm")
        .says("hint: its image is the one that `[external.postgis]` in xtask.toml names");
}

#[test]
fn without_an_image_it_is_the_published_one() {
    let world = extensions();
    for (args, distro) in [
        (&["generate-values", "pgvector"][..], "trixie"),
        (
            &["generate-values", "pgvector", "--distro", "bookworm"],
            "bookworm",
        ),
    ] {
        let reference = format!("ghcr.io/cloudnative-pg/pgvector:0.8.6-18-{distro}");
        let digest = world
            .registry
            .put(&reference, &index(&annotations(distro, "18", "0.8.6")));
        world.run(("e2e", args)).success();
        let text = world.read("extensions/pgvector/values.yaml");
        assert!(text.contains(&format!("'{reference}@{digest}'")), "{text}");
        assert!(text.contains(&format!("18-minimal-{distro}'")), "{text}");
    }
    world
        .run("e2e generate-values pgvector --pg 19")
        .status(2)
        .says("19");
}

#[test]
fn an_image_by_its_name_in_the_cluster_is_the_same_image() {
    let world = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    let digest = world.registry.put_local(path, "trixie", "0.8.6");
    let inside = format!("registry.pg-extensions:5000/{path}");
    world
        .run((
            "e2e",
            &["generate-values", "pgvector", "--extension-image", &inside],
        ))
        .success();
    let text = world.read("extensions/pgvector/values.yaml");
    assert!(text.contains(&format!("'{inside}@{digest}'")), "{text}");
}

#[test]
fn an_image_with_a_digest_keeps_it() {
    let world = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    let digest = world.registry.put_local(path, "trixie", "0.8.6");
    let text = values(&world, "pgvector", &format!("pgvector-testing@{digest}"));
    let wanted = format!("'registry.pg-extensions:5000/pgvector-testing@{digest}'");
    assert!(text.contains(&wanted), "{text}");
    let text = values(&world, "pgvector", &format!("{path}@{digest}"));
    let wanted = format!("'registry.pg-extensions:5000/{path}@{digest}'");
    assert!(text.contains(&wanted), "{text}");
}

#[test]
fn the_other_spelling_and_another_place() {
    let world = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    world.registry.put_local(path, "trixie", "0.8.6");
    let image = format!("EXTENSION_IMAGE=localhost:{}/{path}", world.registry.port);
    world
        .run(["e2e:generate-values", "TARGET=pgvector", &image])
        .success();
    let text = world.read("extensions/pgvector/values.yaml");
    let image = image.replace("EXTENSION_IMAGE=", "--extension-image=");
    let args = [
        "generate-values",
        "pgvector",
        &image,
        "--output",
        "deep/down/my.yaml",
    ];
    world
        .run(("e2e", &args))
        .success()
        .says("wrote deep/down/my.yaml");
    assert_eq!(world.read("deep/down/my.yaml"), text);
    // From a folder below a path is meant from there.
    world
        .run_in(
            "docker",
            [&["e2e"], &args[..3], &["--output", "here.yaml"]].concat(),
        )
        .success();
    assert_eq!(world.read("docker/here.yaml"), text);
}

#[test]
fn which_extension_must_be_said() {
    let world = extensions();
    world
        .run("e2e generate-values")
        .status(2)
        .says("which extension?");
    world
        .run("e2e generate-values pgvector postgis")
        .status(2)
        .says("one extension at a time");
    world
        .run("e2e generate-values pgvectr")
        .status(2)
        .says("did you mean `pgvector`?");
    assert!(world.calls.names().is_empty(), "{:#?}", world.calls.names());
}

#[test]
fn a_folder_that_cannot_be_written_leaves_the_old_file() {
    let world = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    world.registry.put_local(path, "trixie", "0.8.6");
    let image = format!("localhost:{}/{path}", world.registry.port);
    let file = world.root().join("extensions/pgvector/values.yaml");
    fs::write(&file, "old: true\n").unwrap();
    // Root may write where permissions say no: a name that is too long for a temporary file does not
    // depend on who asks, nor does a folder in the place of the file.
    let args = ["generate-values", "pgvector", "--extension-image", &image];
    let blocked = world.root().join("blocked");
    fs::write(&blocked, "a file\n").unwrap();
    world
        .run(("e2e", (&args, "--output blocked/values.yaml")))
        .status(2)
        .says("`blocked/values.yaml` cannot be written: ");
    assert_eq!(fs::read_to_string(&blocked).unwrap(), "a file\n");
    // What fails before it is written leaves the old one as well.
    world
        .tools
        .fails("docker buildx imagetools", 1, "ERROR: unexpected EOF\n");
    world.run(("e2e", &args)).status(3).says("unexpected EOF");
    assert_eq!(fs::read_to_string(&file).unwrap(), "old: true\n");
    let left: Vec<_> = fs::read_dir(file.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with(".xtask"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
