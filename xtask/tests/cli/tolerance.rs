// SPDX-License-Identifier: Apache-2.0
//! Metadata that is odd, and that bake takes: a warning says how it is read, and all commands work.

use crate::cli::world::{World, metadata};

/// What bake may take, or what is taken as something else: the same.
const ODD: &[(&str, &str, &str)] = &[
    (
        "licenses",
        "[]",
        ":5: warning: `licenses` is empty; name the SPDX ids of what the image holds",
    ),
    (
        "ld_library_path",
        "[\"/system\"]",
        ":10: warning: `ld_library_path` has `/system`, taken as `system`: paths are relative",
    ),
    (
        "create_extension",
        "false",
        "warning: `versions.trixie.\"18\".sql` is set, but `create_extension` is false: it is not used",
    ),
    (
        "versions",
        "{ trixie = { \"18\" = { package = \"1.2-1\" } } }",
        ":16: warning: missing field `versions.trixie.\"18\".sql`: the version that the image's control file says is created",
    ),
    (
        "versions",
        "{ trixie = { \"18\" = \"1.2-1.pgdg130+1\" } }",
        ":16: warning: missing field `versions.trixie.\"18\".sql`: the version that the image's control file says is created",
    ),
    (
        "versions",
        "{ trixie = { \"18\" = { package = \"1.2\", sql = \"1\", sqll = \"2\" } } }",
        ":16: warning: unknown field `versions.trixie.\"18\".sqll`; did you mean `sql`?",
    ),
    (
        "licenses",
        "\"MIT AND ISC\"",
        ":5: warning: `licenses` is a string, taken as a list of it: `[\"MIT AND ISC\"]`",
    ),
    (
        "postgresql_parameters",
        "{ \"a\" = 1.10, \"b\" = true }",
        ":7: warning: `postgresql_parameters.a` is a number, taken as `\"1.10\"`",
    ),
    (
        "auto_update_os_libs",
        "\"true\"",
        ":13: warning: `auto_update_os_libs` is a string, taken as `true`",
    ),
    (
        "image_name",
        "\"Gamma\"",
        ":4: warning: `image_name` is `Gamma`, taken as `gamma`: images have small letters",
    ),
    (
        "versions",
        "{ trixie = { \"18\" = { package = \"1.2-1.pgdg12+1\", sql = \"1\" } } }",
        "warning: `versions.trixie.\"18\".package` is `1.2-1.pgdg12+1`, which is not a package for trixie (`.pgdg13+…` or `.pgdg130+…`)",
    ),
    (
        "versions",
        "{ trixie = { \"18\" = { package = \"v1.2\", sql = \"1\" } } }",
        "warning: `versions.trixie.\"18\".package` is `v1.2`; a Debian version starts with a number",
    ),
    (
        "env",
        "{}\n  bin_pth = []",
        ":13: warning: unknown field `bin_pth`; did you mean `bin_path`?",
    ),
];

#[test]
fn what_is_odd_is_a_warning_and_keeps_nobody_from_working() {
    for (field, value, said) in ODD {
        let world = World::new();
        world.extension("gamma", &metadata("gamma", &[(field, value)]));
        let checked = world.run("checks gamma --no-bake").success();
        let stderr = checked.stderr;
        assert!(
            stderr.contains(said),
            "{field} = {value}: `{said}` is not in\n{stderr}"
        );
        world.run("smoke gamma --no-bake --dry-run").success();
    }
    let world = World::new();
    let text = metadata("gamma", &[]).replace("  sql_name = \"gamma\"\n", "");
    world.write("extensions/gamma/metadata.hcl", &text);
    world
        .run("checks gamma --no-bake")
        .success()
        .says(":1: warning: missing field `sql_name`, taken as `gamma`");
}

/// What of `versions` bake alone reads, with what is said of it.
const READ_BY_BAKE: &[(&str, &str)] = &[
    (
        "[\"18\"]",
        ":16: warning: `versions` is a list, where most have a map of distros: bake alone reads it",
    ),
    (
        "{ trixie = [\"18\"] }",
        ":16: warning: `versions.trixie` is a list, where most have a map of PostgreSQL majors: bake alone reads it",
    ),
    (
        "{ trixie = { \"18\" = 7 } }",
        ":16: warning: `versions.trixie.\"18\"` is a number, where most have a package's version, or a map",
    ),
    (
        "{ trixie = { \"18\" = { tag = \"v7\" } } }",
        ":16: warning: missing field `versions.trixie.\"18\".package`: of what version it is, bake alone says",
    ),
    (
        "{ \"a/b\" = { \"18\" = \"7-1\" } }",
        ":16: warning: `versions.a/b`: a distro is a Debian suite like `trixie`",
    ),
    (
        "{ trixie = { \"18\" = \"7 1\" } }",
        "is `7 1`, which is not a Debian version: a number with letters, digits and",
    ),
    (
        "{ trixie = { \"18beta3\" = \"7-1\" } }",
        ":16: warning: `versions.trixie.\"18beta3\"`: a PostgreSQL major is a number like \"18\"",
    ),
];

#[test]
fn what_is_built_is_what_bake_says_whatever_the_versions_look_like() {
    for (versions, said) in READ_BY_BAKE {
        let world = World::new();
        world.extension("gamma", &metadata("gamma", &[]));
        // Bake has its own way with it.
        let text = metadata("gamma", &[("versions", versions)]);
        let file = world.root().join("extensions/gamma/metadata.hcl");
        std::fs::write(file, text).unwrap();
        world.run("checks gamma --no-bake").success().says(said);
        let plan = world.run("smoke gamma --dry-run --distro trixie").success();
        assert!(
            plan.stdout
                .contains("localhost:5000/gamma-testing:1.2-18-trixie"),
            "{versions}: {}",
            plan.stdout
        );
    }
    let world = World::new();
    let long = format!("[\"{}\", \"MIT\"]", "x".repeat(250));
    world.extension("gamma", &metadata("gamma", &[("licenses", &long)]));
    world
        .run("checks gamma --no-bake")
        .success()
        .says(":5: warning: `licenses` joined by ` AND ` have 258 characters");
    let source = metadata("gamma", &[]).replace(
        "    trixie =",
        "    // renovate: datasource=github-tags depName=Them/gamma\n    trixie =",
    );
    world.extension("gamma", &source);
    world
        .run("checks gamma --no-bake")
        .success()
        .says("no findings");
    let bare = "metadata = {\n  name = \"gamma\"\n}\n";
    let file = world.root().join("extensions/gamma/metadata.hcl");
    std::fs::write(file, bare).unwrap();
    world
        .run("checks gamma --no-bake")
        .success()
        .says("gamma/metadata.hcl:1: warning: missing fields `required_extensions`, `licenses`, `shared_preload_libraries`,");
    world.run("bake gamma").success();
}

#[test]
fn what_bake_alone_evaluates_is_not_checked_without_it() {
    let world = World::new();
    let open = [("postgresql_parameters", "{ \"a\" = on }")];
    world.extension("gamma", &metadata("gamma", &open));
    world
        .run("checks gamma --no-bake")
        .success()
        .says("warning: not checked: its metadata holds expressions, which bake alone evaluates");
}
