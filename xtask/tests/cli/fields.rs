// SPDX-License-Identifier: Apache-2.0
//! Every rule for metadata.hcl as its author meets it: file, line, severity, what was found, what is allowed.

use std::fs;

use crate::cli::world::{World, metadata};

/// What `checks` says of `gamma` with some fields replaced.
fn checked(more: &[(&str, &str)]) -> (Option<i32>, String) {
    let world = World::new();
    world.extension("gamma", &metadata("gamma", more));
    let ended = world.run("checks gamma --no-bake");
    (ended.status, ended.stderr)
}

/// A field of gamma, its value, and what is said of it.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "name",
        "\"Gamma\"",
        ":2: error: `name` is `Gamma`; it must match",
    ),
    (
        "name",
        "\"other\"",
        ":2: error: `name` is `other`, but the directory is `gamma`",
    ),
    (
        "name",
        "3",
        ":2: error: `name` is a number; it must be a string",
    ),
    (
        "image_name",
        "\"Gamma X\"",
        ":4: error: `image_name` is `gamma x`; ",
    ),
    (
        "bin_path",
        "[\"a/../..\"]",
        ":11: error: `bin_path` has `a/../..`; paths are relative",
    ),
    (
        "auto_update_os_libs",
        "\"yes\"",
        ":13: error: `auto_update_os_libs` is a string; it must be `true` or `false`",
    ),
    (
        "required_extensions",
        "[\"alfa\"]",
        "`required_extensions` names `alfa`, which does not exist; did you mean `alpha`?",
    ),
    (
        "required_extensions",
        "[\"gamma\"]",
        "`required_extensions` form a cycle: gamma -> gamma",
    ),
    (
        "versions",
        "{ trixie = { \"18\" = { package = 1.30, sql = \"1\" } } }",
        ":16: error: `versions.trixie.\"18\".package` is a number; it must be a string (quote it)",
    ),
    (
        "versions",
        "{ trixie = { \"18\" = { package = \"1.2\", sql = \"1;\" } } }",
        ":16: error: `versions.trixie.\"18\".sql` is `1;`; it must be an extension's version in SQL",
    ),
    (
        "image_name",
        "\"a//b\"",
        ":4: error: `image_name` is `a//b`; it must be a repository's name",
    ),
    (
        "sql_name",
        "\"a b\"",
        ":3: error: `sql_name` has `a b`; it must be an extension's name in SQL",
    ),
    (
        "shared_preload_libraries",
        "[\"a,b\"]",
        "`shared_preload_libraries` has `a,b`; it must be a library's name",
    ),
    (
        "shared_preload_libraries",
        "[\"a\",\n\"\"]",
        ":7: error: `shared_preload_libraries` has an empty name; take it out",
    ),
    (
        "shared_preload_libraries",
        "[\"a\",\n\"b\", \"a\"]",
        ":7: error: `shared_preload_libraries` has `a` twice; keep one",
    ),
    (
        "bin_path",
        "[\"bin\", 5]",
        ":11: error: `bin_path` holds a number; it must be a list of strings",
    ),
    (
        "sql_extensions",
        "[\"a\"]",
        "`sql_extensions` holds a string; it must be a list of maps with `name`",
    ),
    (
        "sql_extensions",
        "[{ name = \"a\", requires = [[\"b\"]] }]",
        "`sql_extensions.requires` holds a list; it must be a list of strings",
    ),
    (
        "env",
        "{ A = \"${image_root}/x\" }",
        ":12: error: `${image_root}` is no variable of the bake file: write `$${image_root}` in metadata.hcl: HCL takes `${…}` for its own",
    ),
    (
        "postgresql_parameters",
        "{ \"a b\" = \"1\" }",
        "`postgresql_parameters` has `a b`; it must be a parameter of PostgreSQL like `pgaudit.log`",
    ),
    (
        "postgresql_parameters",
        "{ \"a\" = \"1\\u001b[2J\\n2\" }",
        "`postgresql_parameters.a` is `1\\n2`; it must be one line without control characters",
    ),
    (
        "env",
        "{ \"A=B\" = \"1\" }",
        "`env` has `A=B`; it must be the name of a variable",
    ),
    (
        "bin_path",
        "[\"a:b\"]",
        ":11: error: `bin_path` has `a:b`; paths are relative",
    ),
];

#[test]
fn what_is_wrong_is_an_error_with_its_line() {
    for (field, value, said) in WRONG {
        error(field, value, said);
    }
}

#[track_caller]
fn error(field: &str, value: &str, said: &str) {
    let (status, stderr) = checked(&[(field, value)]);
    assert_eq!(status, Some(2), "{field} = {value}\n{stderr}");
    let found = stderr
        .lines()
        .any(|line| line.starts_with("extensions/gamma/metadata.hcl") && line.contains(said));
    assert!(found, "{field} = {value}: `{said}` is not in\n{stderr}");
}

#[test]
fn odd_versions_that_are_right_are_taken() {
    for (package, target, tag) in [
        (
            "1:6.1.0-2.pgdg13+1",
            "gamma-1-6_1_0-18-trixie",
            "1-6.1.0-18-trixie",
        ),
        (
            "3.6.4+dfsg-2.pgdg13+1",
            "gamma-3_6_4-18-trixie",
            "3.6.4-18-trixie",
        ),
        ("7-1", "gamma-7-18-trixie", "7-18-trixie"),
        ("1.30-1", "gamma-1_30-18-trixie", "1.30-18-trixie"),
        ("0.3~rc1-2", "gamma-0_3-18-trixie", "0.3-18-trixie"),
    ] {
        let world = World::new();
        let versions =
            format!("{{ trixie = {{ \"18\" = {{ package = \"{package}\", sql = \"1.30\" }} }} }}");
        world.extension("gamma", &metadata("gamma", &[("versions", &versions)]));
        let images = world.run("targets --images --json").success().json();
        let image = images
            .as_array()
            .unwrap()
            .iter()
            .find(|image| image["name"] == "gamma")
            .unwrap();
        assert_eq!(image["target"], target);
        assert_eq!(
            image["tags"][0],
            format!("localhost:5000/gamma-testing:{tag}")
        );
        assert_eq!(image["sql_version"], "1.30", "a string, always");
    }
}

#[test]
fn a_dependency_must_cover_the_same_distros_and_majors() {
    let world = World::new();
    let only = [(
        "versions",
        "{ trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\", sql = \"1.2\" } } }",
    )];
    world.extension("alpha", &metadata("alpha", &only));
    world
        .run("checks beta --no-bake")
        .status(2)
        .says("is built for bookworm and PostgreSQL 18, but `alpha`, which it needs, is not");
    // Its images for the others are tried.
    world
        .run("smoke beta --dry-run")
        .success()
        .says("`beta 18-bookworm` is left out: `beta` needs `alpha`, which is not built for bookworm and PostgreSQL 18");
    world
        .run("smoke beta --dry-run --distro bookworm")
        .status(2)
        .says("`beta` needs `alpha`, which is not built for bookworm and PostgreSQL 18");
    world.run("bake beta").success();
}

#[test]
fn files_that_cannot_be_read_are_findings() {
    let world = World::new();
    fs::write(
        world.root().join("extensions/gamma/metadata.hcl"),
        b"metadata = { name = \"\xff\" }",
    )
    .unwrap();
    fs::remove_file(world.root().join("extensions/alpha/Dockerfile")).unwrap();
    world
        .run("checks --all --no-bake")
        .status(2)
        .says("extensions/gamma/metadata.hcl` cannot be read: line 1 is not UTF-8")
        .says("extensions/alpha/Dockerfile: warning: missing: bake was not asked which file it builds by");
    world
        .run("checks alpha")
        .status(2)
        .says("extensions/alpha/Dockerfile: error: missing: there is nothing to build");
    world.write("extensions/gamma/metadata.hcl", "");
    world
        .run("bake gamma")
        .status(2)
        .says("extensions/gamma/metadata.hcl: error: has no attribute `metadata`");
}

#[test]
fn a_syntax_error_has_the_line_it_is_on() {
    let world = World::new();
    let text = metadata("gamma", &[]).replace("  licenses = [\"MIT\"]", "  licenses = [\"MIT\"");
    world.extension("gamma", &text);
    let ended = world.run("checks gamma").status(2);
    let line = ended
        .stderr
        .lines()
        .find(|line| line.contains("not valid HCL"))
        .unwrap();
    let number = line.split(':').nth(1).unwrap();
    assert!(["5", "6"].contains(&number), "{line}");
}

#[test]
fn all_findings_of_a_file_come_at_once() {
    let (status, stderr) = checked(&[
        ("licenses", "7"),
        ("bin_path", "[\"a:b\"]"),
        ("image_name", "\"\""),
    ]);
    assert_eq!(status, Some(2));
    for line in [4, 5, 11] {
        let place = format!("extensions/gamma/metadata.hcl:{line}: error: ");
        assert!(stderr.contains(&place), "{place}\n{stderr}");
    }
    assert!(stderr.contains("checks found 3 errors"), "{stderr}");
}
