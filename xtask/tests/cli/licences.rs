// SPDX-License-Identifier: Apache-2.0
//! `licences`: what is listed of the packages of images, and when a repository's rule lets it fail.

use serde_json::json;

use crate::cli::world::World;

const ALLOWED: &str = "[licences]\nallowed = [\"MIT\", \"GPL-2.0-or-later\"]\n";

/// Each image has a package of its own and a library that came along.
fn world() -> World {
    let world = World::new();
    world
        .docker
        .labels(r#"{"org.opencontainers.image.licenses":"MIT"}"#);
    let copyright = |licence: &str| format!("Format: x\n\nFiles: *\nLicense: {licence}\n text\n");
    for (package, text) in [
        ("libx1", copyright("zlib or GPL-2+")),
        ("liby1", copyright("Expat and zlib")),
        ("libz1", "This package was debianized by hand.".to_owned()),
    ] {
        world
            .docker
            .file(&format!("licenses/{package}/copyright"), text);
    }
    world.docker.file(
        "var/lib/dpkg/status.d/libx1",
        "Package: libx1\nVersion: 1.2-3\n",
    );
    world
}

#[test]
fn without_a_rule_the_packages_are_listed() {
    let world = world();
    let ended = world.run(["licences", "x/y:1"]).success();
    let rows: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(
        rows,
        [
            "RESULT   IMAGE  PACKAGE  VERSION  LICENCE",
            "no rule  x/y:1  libx1    1.2-3    Zlib OR GPL-2.0-or-later",
            "no rule  x/y:1  liby1    -        MIT AND Zlib",
            "no rule  x/y:1  libz1    -        unknown",
        ]
    );
    ended.says("3 packages; of 1 the licence is unknown");
    let left = world.root().join("target/xtask/inspect");
    assert_eq!(left.read_dir().unwrap().count(), 0);
}

#[test]
fn a_text_beside_a_file_for_machines_says_nothing_else() {
    let world = world();
    for package in ["liby1", "libz1"] {
        let file = format!("licenses/{package}/LICENSE");
        world.docker.file(&file, "You may do as you like.\n");
    }
    let ended = world.run(["licences", "x/y:1"]).success();
    let of = |package: &str| ended.stdout.matches(package).count();
    assert_eq!((of("liby1"), of("libz1")), (1, 2), "{}", ended.stdout);
    ended.says("of 2 the licence is unknown");
}

#[test]
fn what_is_not_allowed_is_named_with_its_place() {
    let world = world();
    world.write("xtask.toml", ALLOWED);
    let rows = world
        .run(["licences", "x/y:1", "--json"])
        .status(1)
        .says("error: 2 packages have licences that are not allowed")
        .says("\n  x/y:1: liby1: Zlib (/licenses/liby1/copyright)\n")
        .says("\n  x/y:1: libz1: unknown licence (/licenses/libz1/copyright)\n")
        .says("hint: leave the package out")
        .json();
    assert_eq!(rows[0]["refused"], json!(["Zlib"]));
    assert_eq!(rows[2]["allowed"], true, "of an OR one is enough: {rows:#}");
}

#[test]
fn what_somebody_has_read_is_said_in_the_settings() {
    let world = world();
    let clarified = "[licences.clarified]\nlibz1 = \"GPL-2.0-or-later\"\nliby1 = \"MIT\"\n";
    world.write("xtask.toml", &format!("{ALLOWED}{clarified}"));
    let ended = world.run("licences gamma --distro trixie").success();
    ended.says("3 packages, all under licences that are allowed");
    // A name that is none is refused before anything is asked.
    for (text, said) in [
        (
            "allowed = [\"Expat\"]",
            "must be a licence by its SPDX name",
        ),
        (
            "allowed = [\"MIT OR Zlib\"]",
            "must be a licence by its SPDX name",
        ),
        (
            "clarified = { libx1 = \"Expat\" }",
            "must be an expression of SPDX",
        ),
    ] {
        world.write("xtask.toml", &format!("[licences]\n{text}\n"));
        let ended = world.run("licences gamma").status(2);
        ended.says(said);
    }
}

#[test]
fn an_image_without_copyright_files_is_taken_by_its_annotation() {
    let world = World::new();
    world
        .docker
        .labels(r#"{"org.opencontainers.image.licenses":"MIT AND Zlib"}"#);
    world.docker.file("lib/x.txt", "");
    world.write("xtask.toml", ALLOWED);
    let ended = world.run("licences x/y:1").status(1);
    ended.says("x/y:1: y: Zlib (the annotation `org.opencontainers.image.licenses`)");
    world
        .docker
        .labels(r#"{"org.opencontainers.image.licenses":"see LICENSE"}"#);
    world
        .run("licences x/y:1")
        .status(1)
        .says("x/y:1: y: unknown licence");
}

#[test]
fn all_images_are_looked_into_and_a_dry_run_prints_it() {
    let world = world();
    let ended = world.run("licences --all --dry-run").success();
    let opened = ended.stdout.matches("docker create --name xtask-inspect-");
    assert!(opened.count() > 3, "{}", ended.stdout);
    assert!(!ended.stdout.contains("/postgresql:"), "no base image");
    let ended = world.run("licences --all").success();
    ended.says("packages; of ");
    world.run("licences").status(2).says("which extension?");
}
