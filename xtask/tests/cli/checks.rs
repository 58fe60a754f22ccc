// SPDX-License-Identifier: Apache-2.0
//! `checks`: all findings at once, with file, line and severity.

use std::fs;

use crate::cli::world::{BUILD, Call, World, metadata};

#[test]
fn a_sound_repository_passes_and_bake_is_asked_for_each_extension() {
    let world = World::new();
    world
        .run("checks:all")
        .success()
        .says("3 extensions checked: no findings");
    let calls = world.calls.of(BUILD);
    assert_eq!(calls.len(), 3);
    let mut checked: Vec<String> = calls.iter().flat_map(Call::extensions).collect();
    checked.sort();
    assert_eq!(checked, ["alpha", "beta", "gamma"]);
    for call in calls {
        let line = call.line();
        assert!(
            line.contains(" --set *.output=type=cacheonly ") && line.contains(" --check -- "),
            "{line}"
        );
    }
    world.tools.without("docker");
    world.run("checks alpha --no-bake").success();
    world
        .run("checks alpha")
        .status(3)
        .says("bake's own check was not made");
}

#[test]
fn findings_have_file_line_and_severity_in_every_form() {
    let world = World::new();
    world.extension("gamma", &metadata("gamma", &[("licenses", "7")]));
    world.write(
        "extensions/gamma/Dockerfile",
        "FROM x\nRUN apt-get install postgresql-18-x\nFROM scratch\nCOPY --from=0 /l /licenses/\n",
    );
    fs::remove_file(world.root().join("extensions/gamma/smoke.sql")).unwrap();
    let expected = [
        (
            "extensions/gamma/Dockerfile",
            2,
            "error",
            "`postgresql-18-x` is not pinned",
        ),
        (
            "extensions/gamma/Dockerfile",
            3,
            "error",
            "the image ends as root",
        ),
        (
            "extensions/gamma/metadata.hcl",
            5,
            "error",
            "`licenses` is a number",
        ),
    ];
    let ended = world.run("checks --all --no-bake").status(2);
    for (file, line, severity, message) in expected {
        assert!(
            ended
                .stderr
                .contains(&format!("{file}:{line}: {severity}: {message}")),
            "{}",
            ended.stderr
        );
    }
    assert!(
        ended
            .stderr
            .contains("extensions/gamma/smoke.sql: warning: missing"),
        "{}",
        ended.stderr
    );
    let findings = world.run("checks --all --no-bake --json").status(2).json();
    for (file, line, severity, _) in expected {
        let found = findings.as_array().unwrap().iter().any(|finding| {
            finding["file"] == file && finding["line"] == line && finding["severity"] == severity
        });
        assert!(found, "{file}:{line}: {findings:#}");
    }
    world
        .run_with("checks --all --no-bake", &[("GITHUB_ACTIONS", "true")])
        .status(2)
        .says("::error file=extensions/gamma/Dockerfile,line=2::`postgresql-18-x` is not pinned")
        .says("::warning file=extensions/gamma/smoke.sql::missing");
    world.run("checks alpha --no-bake").success();
}

#[test]
fn the_dockerfile_is_the_one_that_bake_reads() {
    let printing = |to: &str| {
        let world = World::new();
        fs::remove_file(world.root().join("extensions/gamma/Dockerfile")).unwrap();
        let beside = "\"context\":\"extensions/gamma\",\"dockerfile\":\"Dockerfile\"";
        world.docker.prints("gamma", beside, to);
        world
    };
    let world = printing("\"context\":\".\",\"dockerfile\":\"build/gamma.Dockerfile\"");
    world
        .run("checks gamma")
        .status(2)
        .says("build/gamma.Dockerfile: error: missing: there is nothing to build");
    let right = world.read("extensions/alpha/Dockerfile");
    world.write("build/gamma.Dockerfile", &right);
    world.run("checks gamma").success().says("no findings");
    let wrong = right.replace("EXT_VERSION", "OTHER");
    world.write("build/gamma.Dockerfile", &wrong);
    world
        .run("checks gamma")
        .status(2)
        .says("build/gamma.Dockerfile: error: does not use `EXT_VERSION`");
    let inline = "\"context\":\"https://example.org/x.git\",\"dockerfile-inline\":\"FROM $${BASE}\\nRUN true\"";
    printing(inline)
        .run("checks gamma")
        .status(2)
        .says("docker/bake.hcl: error: does not use `EXT_VERSION`");
    printing("\"context\":\"https://example.org/x.git\"")
        .run("checks gamma")
        .success()
        .says("no findings");
}

#[test]
fn warnings_alone_do_not_fail() {
    let world = World::new();
    for file in ["smoke.sql", "README.md"] {
        fs::remove_file(world.root().join("extensions/gamma").join(file)).unwrap();
    }
    world
        .run("checks gamma --no-bake")
        .success()
        .says("1 extension checked: 2 warnings");
}

#[test]
fn what_bake_refuses_is_a_finding() {
    let world = World::new();
    world.docker.bake_fails(
        "gamma",
        "ERROR: failed to solve: dockerfile parse error on line 6: unknown instruction: foo\n",
    );
    world
        .run("checks gamma")
        .status(1)
        .says("extensions/gamma/metadata.hcl: error: bake refuses it: ")
        .says("unknown instruction: foo");
    // A check that has only warned fails too.
    world.docker.bake_fails(
        "gamma",
        "Check complete, 1 warning has been found!\nWARNING: InvalidDefaultArgInFrom - https://docs.docker.com/x/\nDefault value for ARG $BASE results in empty or invalid base image name\nDockerfile:2\n--------------------\n   1 |     ARG BASE\n   2 | >>> FROM $BASE\n--------------------\n",
    );
    world
        .run("checks gamma")
        .status(1)
        .says("error: bake refuses it: Default value for ARG $BASE results in empty or invalid base image name (Dockerfile:2)");
}

#[test]
fn a_smoke_sql_that_does_nothing_is_found() {
    let world = World::new();
    for (text, said) in [
        ("\n", "smoke.sql: warning: empty"),
        (
            "/* a /* b */ c */ ;\n-- d\n",
            "smoke.sql: warning: holds no statement",
        ),
    ] {
        world.write("extensions/gamma/smoke.sql", text);
        world.run("checks gamma --no-bake").success().says(said);
    }
}

#[test]
fn fields_that_older_files_lack_are_warnings_and_do_not_stop_a_bake() {
    let world = World::new();
    let old = metadata("gamma", &[])
        .replace("  bin_path = []\n", "")
        .replace("  env = {}\n", "");
    world.extension("gamma", &old);
    world
        .run("checks gamma --no-bake")
        .success()
        .says("warning: missing fields `bin_path`, `env`, taken as empty")
        .says("1 extension checked: 1 warning");
    world.run("bake gamma").success();
}

/// Builds the packages that metadata names.
const SHARED: &str = "ARG BASE\nFROM $BASE AS builder\nRUN apt-get download \"$PACKAGES=$EXT_VERSION\"\nFROM scratch\nCOPY --from=builder /licenses /licenses/\nUSER 65532:65532\n";

/// `beta` and `gamma` name their packages and have no Dockerfile; `alpha` has one of its own.
fn packaged() -> World {
    let world = World::new();
    for name in ["beta", "gamma"] {
        let named = format!("\"{name}\"\n  packages = [\"postgresql-{{pg}}-{name}\"]");
        world.extension(name, &metadata(name, &[("image_name", &named)]));
        fs::remove_file(world.root().join(format!("extensions/{name}/Dockerfile"))).unwrap();
    }
    world.write("docker/Dockerfile", SHARED);
    world
}

#[test]
fn packages_are_built_by_the_dockerfile_beside_the_bake_file() {
    let world = packaged();
    let checks = "checks --all --no-bake";
    world
        .run(checks)
        .success()
        .says("3 extensions checked: no findings");
    // Once, whoever is built by it.
    world.write("docker/Dockerfile", &SHARED.replace("65532:65532", "root"));
    let ended = world.run(checks).status(2);
    let found = "docker/Dockerfile:6: error: the image ends as root";
    assert_eq!(ended.stderr.matches(found).count(), 1, "{ended:#?}");
    world.run("checks alpha --no-bake").success();
    world.write("docker/Dockerfile", &SHARED.replace("$PACKAGES", "x"));
    world
        .run("checks beta --no-bake")
        .status(2)
        .says("docker/Dockerfile: error: does not use `PACKAGES`");
}

#[test]
fn an_extension_has_packages_or_a_dockerfile() {
    let world = packaged();
    world.write("extensions/gamma/Dockerfile", SHARED);
    fs::remove_file(world.root().join("extensions/alpha/Dockerfile")).unwrap();
    world
        .run("checks --all --no-bake")
        .status(2)
        .says("extensions/alpha/Dockerfile: error: missing: there is nothing to build")
        .says("extensions/gamma/Dockerfile: error: is not read: `packages` in metadata.hcl means `docker/Dockerfile`")
        .says("checks found 2 errors");
    fs::remove_file(world.root().join("docker/Dockerfile")).unwrap();
    world
        .run("checks beta")
        .status(2)
        .says("extensions/beta/Dockerfile: error: missing: there is nothing to build");
}

#[test]
fn a_link_to_the_archive_is_cut_where_there_is_one() {
    let world = packaged();
    let cut = "--set *.contexts.archive=docker-image://scratch ";
    let checked = |world: &World| {
        world.run("checks --all").success();
        world.calls.of(BUILD)
    };
    assert!(!checked(&world).iter().any(|call| call.line().contains(cut)));
    world.calls.forget();
    world.write("docker/bake.hcl", "target \"archive\" {\n}\n");
    let mut calls = checked(&world);
    calls.retain(|call| call.line().contains(cut));
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].extensions(), ["alpha"]);
}

#[test]
fn versions_that_nobody_can_use_are_not_empty() {
    let world = World::new();
    let text = metadata("gamma", &[]).replace("trixie = {", "Trixie = {");
    world.write("extensions/gamma/metadata.hcl", &text);
    let ended = world.run("checks gamma --no-bake").success();
    let said = ended.says("`versions.Trixie`: a distro is a Debian suite like `trixie`");
    assert!(!said.stderr.contains("is empty"), "{said:?}");
    world.extension(
        "gamma",
        &metadata("gamma", &[("versions", "{ trixie = {} }")]),
    );
    let ended = world.run("checks gamma --no-bake").success();
    ended.says("warning: `versions` is empty: there is nothing to build");
}
