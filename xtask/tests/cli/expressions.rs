// SPDX-License-Identifier: Apache-2.0
//! Metadata that calls functions of the bake file: bake alone evaluates it.

use crate::cli::world::{World, metadata};

const PATHS: (&str, &str) = ("extension_control_path", "paths(\"gamma\")");

/// Gamma's metadata calls functions, which bake evaluates to these fields.
fn with_functions(values: &[(&str, &str)]) -> World {
    let world = World::new();
    let written = [PATHS, ("licenses", "concat(common(), [\"MIT\"])")];
    world.extension("gamma", &metadata("gamma", &written));
    world.docker.evaluates("gamma", &metadata("gamma", values));
    world
}

#[test]
fn the_values_are_those_that_bake_gives() {
    let world = with_functions(&[
        ("extension_control_path", "[\"share/gamma\"]"),
        ("shared_preload_libraries", "[\"gamma\"]"),
        ("env", "{ \"A\" = \"$${image_root}/a\" }"),
    ]);
    let smoke = world.run("smoke gamma --dry-run").success().stdout;
    for said in [
        "extension_control_path=$system:/extensions/gamma/share/gamma",
        "shared_preload_libraries=gamma",
        "A=/extensions/gamma/a",
    ] {
        assert!(smoke.contains(said), "{said}:\n{smoke}");
    }
    world.run("smoke gamma").success();
    world.run("checks gamma").success();
    world.run("targets --images").success();
    let calls = world.calls.of("print extensions/gamma/");
    let evaluated = calls
        .iter()
        .filter(|call| call.line().ends_with(" -f - --print -- xtask-metadata"));
    assert_eq!(evaluated.count(), 1, "the answer is kept");
    let table = world.run("targets").success().stdout;
    assert!(table.contains("gamma"), "{table}");
}

#[test]
fn what_is_wrong_with_a_value_is_said_of_the_line_where_it_is_written() {
    let world = with_functions(&[("extension_control_path", "[\"../x\"]")]);
    let wrong = "extensions/gamma/metadata.hcl:8: error: `extension_control_path` has `../x`";
    world.run("checks gamma").status(2).says(wrong);
    world.run("smoke gamma").status(2).says(wrong);
    world
        .run("bake --all --dry-run")
        .says("warning: `gamma` is left out: its metadata has errors");
    world
        .run("checks gamma --no-bake")
        .success()
        .says("extensions/gamma/metadata.hcl: warning: not checked: its metadata holds expressions, which bake alone evaluates");
}

#[test]
fn where_bake_cannot_be_asked_it_is_not_read_and_the_others_are() {
    let world = with_functions(&[]);
    world.extension(
        "alpha",
        &metadata("alpha", &[("required_extensions", "[\"gamma\"]")]),
    );
    world.tools.without("docker");
    let why = "its metadata holds expressions, which bake alone evaluates, and there is no `docker` to ask bake with";
    for command in ["smoke gamma --no-bake --dry-run", "bake gamma --dry-run"] {
        world
            .run(command)
            .status(3)
            .says(&format!("error: `gamma` cannot be read: {why}"));
    }
    world
        .run("smoke alpha --dry-run")
        .status(3)
        .says("`alpha` cannot be read: it needs `gamma`");
    world.extension("beta", &metadata("beta", &[]));
    world.run("bake alpha --dry-run").success();
    world
        .run("smoke --all --dry-run")
        .says(&format!("warning: `gamma` is left out: {why}"))
        .says("warning: `alpha` is left out: it needs `gamma`");
    let names = world.run("targets --json").success().stdout;
    assert_eq!(names, "[\"alpha\",\"beta\",\"gamma\"]\n");
}

#[test]
fn what_bake_refuses_is_said_as_bake_says_it() {
    let world = with_functions(&[]);
    let said = "ERROR: extensions/gamma/metadata.hcl:7,18-24: Function calls not allowed; Functions may not be called here.";
    world.docker.print_fails("gamma", said);
    world
        .run("bake gamma")
        .status(1)
        .says("`gamma` cannot be read: failed to ask bake what the metadata of `gamma` says")
        .says(said);
    world.run("checks gamma").status(2).says(&format!(
        "extensions/gamma/metadata.hcl: error: bake refuses it: {said}"
    ));
}

#[test]
fn a_placeholder_that_hcl_takes_for_a_variable_is_said_with_what_to_write() {
    let world = World::new();
    let env = ("env", "{ A = \"${image_root}/a\" }");
    world.extension("gamma", &metadata("gamma", &[env]));
    let said = "ERROR: extensions/gamma/metadata.hcl:12,18-28: Unknown variable; There is no variable named \"image_root\".";
    world.docker.print_fails("gamma", said);
    let fix = "write `$${image_root}` in metadata.hcl: HCL takes `${…}` for its own";
    let refused = world.run("bake gamma --dry-run").status(2);
    refused
        .says("`gamma` cannot be read: failed to ask bake what the metadata of `gamma` says")
        .says(said)
        .says(fix);
    world.run("checks gamma").status(2).says(&format!(
        "extensions/gamma/metadata.hcl:12: error: `${{image_root}}` is no variable of the bake file: {fix}"
    ));
    // A bake file may have one of that name.
    let bake_file = "variable \"image_root\" { default = \"$${image_root}\" }\n";
    world.write("docker/bake.hcl", bake_file);
    world
        .run("checks gamma --no-bake")
        .success()
        .says("extensions/gamma/metadata.hcl: warning: not checked");
}
