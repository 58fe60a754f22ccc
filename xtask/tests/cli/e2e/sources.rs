// SPDX-License-Identifier: Apache-2.0
//! `e2e generate-values`: which images it reads, and where it writes.

use std::fs;

use super::{
    image::{annotations, index},
    values::extensions,
};

#[test]
fn what_is_needed_is_taken_from_where_it_is_published_when_it_is_not_local() {
    let lab = extensions();
    let path = "pgrouting-testing:4.0.1-18-bookworm";
    lab.put_local(path, "bookworm", "4.0.1");
    lab.put_local(
        "postgis-extension-testing:3.6.4-18-trixie",
        "trixie",
        "3.6.4",
    );
    let published = "ghcr.io/cloudnative-pg/postgis-extension:3.6.4-18-bookworm";
    let digest = lab.put_image(published, &index(&annotations("bookworm", "18", "3.6.4")));
    let text = lab.values("pgrouting", path);
    assert!(
        text.contains(&format!("reference: '{published}@{digest}'")),
        "{text}"
    );
}

#[test]
fn what_is_needed_and_nowhere_is_named_with_both_places() {
    let lab = extensions();
    let path = "pgrouting-testing:4.0.1-18-bookworm";
    lab.put_local(path, "bookworm", "4.0.1");
    let image = format!("localhost:{}/{path}", lab.port);
    lab.e2e(&["generate-values", "pgrouting", "--extension-image", &image])
        .status(2)
        .says("`pgrouting` needs `postgis`")
        .says(&format!(
            "localhost:{}/postgis-extension-testing:3.6.4-18-bookworm",
            lab.port
        ))
        .says("ghcr.io/cloudnative-pg/postgis-extension:3.6.4-18-bookworm")
        .says("hint: build it first: `cargo xtask bake postgis --push`");
    assert!(!lab.exists("extensions/pgrouting/values.yaml"));
}

#[test]
fn without_an_image_it_is_the_published_one() {
    let lab = extensions();
    for (args, distro) in [
        (&["generate-values", "pgvector"][..], "trixie"),
        (
            &["generate-values", "pgvector", "--distro", "bookworm"],
            "bookworm",
        ),
    ] {
        let reference = format!("ghcr.io/cloudnative-pg/pgvector:0.8.6-18-{distro}");
        let digest = lab.put_image(&reference, &index(&annotations(distro, "18", "0.8.6")));
        lab.e2e(args).success();
        let text = lab.read("extensions/pgvector/values.yaml");
        assert!(text.contains(&format!("'{reference}@{digest}'")), "{text}");
        assert!(text.contains(&format!("18-minimal-{distro}'")), "{text}");
    }
    lab.e2e(&["generate-values", "pgvector", "--pg", "19"])
        .status(2)
        .says("19");
}

#[test]
fn an_image_by_its_name_in_the_cluster_is_the_same_image() {
    let lab = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    let digest = lab.put_local(path, "trixie", "0.8.6");
    let inside = format!("registry.pg-extensions:5000/{path}");
    lab.e2e(&["generate-values", "pgvector", "--extension-image", &inside])
        .success();
    let text = lab.read("extensions/pgvector/values.yaml");
    assert!(text.contains(&format!("'{inside}@{digest}'")), "{text}");
}

#[test]
fn an_image_with_a_digest_keeps_it() {
    let lab = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    let digest = lab.put_local(path, "trixie", "0.8.6");
    let text = lab.values("pgvector", &format!("pgvector-testing@{digest}"));
    let wanted = format!("'registry.pg-extensions:5000/pgvector-testing@{digest}'");
    assert!(text.contains(&wanted), "{text}");
    let text = lab.values("pgvector", &format!("{path}@{digest}"));
    let wanted = format!("'registry.pg-extensions:5000/{path}@{digest}'");
    assert!(text.contains(&wanted), "{text}");
}

#[test]
fn the_other_spelling_and_another_place() {
    let lab = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    lab.put_local(path, "trixie", "0.8.6");
    let image = format!("EXTENSION_IMAGE=localhost:{}/{path}", lab.port);
    lab.told(&["e2e:generate-values", "TARGET=pgvector", &image], &[])
        .success();
    let text = lab.read("extensions/pgvector/values.yaml");
    let image = image.replace("EXTENSION_IMAGE=", "--extension-image=");
    let args = [
        "generate-values",
        "pgvector",
        &image,
        "--output",
        "deep/down/my.yaml",
    ];
    lab.e2e(&args).success().says("wrote deep/down/my.yaml");
    assert_eq!(lab.read("deep/down/my.yaml"), text);
    // From a folder below a path is meant from there.
    let output = lab
        .command(&[&["e2e"], &args[..3], &["--output", "here.yaml"]].concat())
        .current_dir(lab.root().join("docker"))
        .output()
        .unwrap();
    crate::cli::fixture::Ended::from(&output).success();
    assert_eq!(lab.read("docker/here.yaml"), text);
}

#[test]
fn which_extension_must_be_said() {
    let lab = extensions();
    lab.e2e(&["generate-values"])
        .status(2)
        .says("which extension?");
    lab.e2e(&["generate-values", "pgvector", "postgis"])
        .status(2)
        .says("one extension at a time");
    lab.e2e(&["generate-values", "pgvectr"])
        .status(2)
        .says("did you mean `pgvector`?");
    assert!(lab.lines().is_empty(), "{:#?}", lab.lines());
}

#[test]
fn a_folder_that_cannot_be_written_leaves_the_old_file() {
    let lab = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    lab.put_local(path, "trixie", "0.8.6");
    let image = format!("localhost:{}/{path}", lab.port);
    let file = lab.root().join("extensions/pgvector/values.yaml");
    fs::write(&file, "old: true\n").unwrap();
    // Root may write where permissions say no: a name that is too long for a temporary file does not
    // depend on who asks, nor does a folder in the place of the file.
    let args = ["generate-values", "pgvector", "--extension-image", &image];
    let blocked = lab.root().join("blocked");
    fs::write(&blocked, "a file\n").unwrap();
    lab.e2e(&[&args[..], &["--output", "blocked/values.yaml"]].concat())
        .status(2)
        .says("`blocked/values.yaml` cannot be written: ");
    assert_eq!(fs::read_to_string(&blocked).unwrap(), "a file\n");
    // What fails before it is written leaves the old one as well.
    lab.fails("'docker buildx imagetools '*", 1, "ERROR: unexpected EOF\n");
    lab.e2e(&args).status(3).says("unexpected EOF");
    assert_eq!(fs::read_to_string(&file).unwrap(), "old: true\n");
    let left: Vec<_> = fs::read_dir(file.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with(".xtask"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
