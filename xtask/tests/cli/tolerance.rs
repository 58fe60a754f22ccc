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
