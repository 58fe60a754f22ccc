// SPDX-License-Identifier: Apache-2.0
//! `smoke` in full: the whole argv of a test's container, modules, dependencies, several tests at once.

use crate::cli::world::{World, metadata};

/// The line of the one test, with what differs from call to call or follows from our recipe replaced.
fn run_of(world: &World) -> String {
    let line = world.calls.only("docker run").line();
    let (before, after) = line.split_once(" localhost/xtask-data:").unwrap();
    let (data, after) = after.split_once(' ').unwrap();
    let (tag, _) = data.rsplit_once('-').unwrap();
    let line = format!("{before} DATA:{tag} {after}");
    let (before, rest) = line.split_once(" xtask-smoke-").unwrap();
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    let (rest, after) = rest
        .split_once(" --label io.cloudnativepg.xtask.run=")
        .unwrap();
    let after = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    format!("{before} xtask-smoke-N{rest} --label RUN{after}")
}

#[test]
fn the_whole_command_of_a_test() {
    let world = World::new();
    let more = [
        ("extension_control_path", "[\"a/share\", \"b\"]"),
        ("dynamic_library_path", "[\"a/lib\"]"),
        ("ld_library_path", "[\"system\", \"more\"]"),
        ("bin_path", "[\"bin\"]"),
        ("shared_preload_libraries", "[\"one\", \"two\"]"),
        (
            "postgresql_parameters",
            "{ \"x.b\" = \"2\", \"x.a\" = \"it's\" }",
        ),
        (
            "env",
            "{ \"GAMMA_DATA\" = \"$${image_root}/d:$${image_root}/e\" }",
        ),
    ];
    world.extension("gamma", &metadata("gamma", &more));
    world
        .run("smoke gamma --no-bake --distro trixie")
        .success()
        .says("1 of 1 passed");
    assert_eq!(
        run_of(&world),
        "docker run --rm --interactive --network none --tmpfs /xtask:exec,mode=1777 --name xtask-smoke-N-gamma-18-trixie --label RUN \
         --env XTASK_EXTENSION --env XTASK_NAME --env XTASK_LOAD --env XTASK_WANTED --env XTASK_SILENT --env XTASK_LIBRARY_PATH --env XTASK_BIN_PATH \
         --mount type=image,source=localhost:5000/gamma-testing:1.2-18-trixie,target=/extensions/gamma \
         --pull never -- DATA:18-minimal-trixie bash -s -- \
         GAMMA_DATA=/extensions/gamma/d:/extensions/gamma/e -- \
         -c extension_control_path=$system:/extensions/gamma/a/share:/extensions/gamma/b \
         -c dynamic_library_path=$libdir:/extensions/gamma/a/lib \
         -c shared_preload_libraries=one,two -c 'x.a=it'\\''s' -c x.b=2"
    );
    let run = world.calls.only("docker run");
    for (name, value) in [
        (
            "XTASK_LIBRARY_PATH",
            "/extensions/gamma/system:/extensions/gamma/more",
        ),
        ("XTASK_BIN_PATH", "/extensions/gamma/bin"),
        ("XTASK_EXTENSION", "gamma"),
    ] {
        assert_eq!(run.variable(name), value, "{name}");
    }
    // The proof goes behind the script, of which bash reads no more than the line that it runs.
    let input = run.stdin;
    assert!(
        input.ends_with("\n}\nsmoke \"$@\"; exit\nSELECT 1;\n"),
        "{input}"
    );
    // Nothing was baked, and nothing is left to take back.
    assert!(world.calls.of("docker buildx bake").is_empty());
}

#[test]
fn a_module_is_loaded_and_a_version_is_not_asked_of_it() {
    let world = World::new();
    let module = [
        ("create_extension", "false"),
        ("sql_name", "\"gam_ma\""),
        (
            "versions",
            "{ trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\" } } }",
        ),
    ];
    world.extension("gamma", &metadata("gamma", &module));
    world.run("smoke gamma --no-bake").success();
    let run = world.calls.only("docker run");
    assert_eq!(run.variable("XTASK_LOAD"), "LOAD 'gam_ma';\n");
    assert_eq!(run.variable("XTASK_WANTED"), "");
}

#[test]
fn what_the_base_image_has_and_what_else_an_image_holds_is_created_too() {
    let world = World::new();
    let fields = [
        (
            "required_extensions",
            "[\"alpha\", \"base-image:pg_stat_statements\"]",
        ),
        (
            "sql_extensions",
            "[{ name = \"gamma_x\", version = \"7\", schema = \"its\", requires = [\"a\", \"b\"] }, { name = \"gamma\", schema = \"own\" }]",
        ),
    ];
    world.extension("gamma", &metadata("gamma", &fields));
    world.run("checks gamma --no-bake").success();
    world.run("smoke gamma --no-bake --distro trixie").success();
    let run = world.calls.only("docker run");
    assert_eq!(
        run.variable("XTASK_WANTED"),
        "(0, 'alpha', '1.2'::text, NULL::text, ARRAY[]::text[]), \
         (1, 'pg_stat_statements', NULL::text, NULL::text, ARRAY[]::text[]), \
         (2, 'gamma', '1.2'::text, 'own'::text, ARRAY['pg_stat_statements']::text[]), \
         (3, 'gamma_x', '7'::text, 'its'::text, ARRAY['a', 'b']::text[])"
    );
    // It is nobody's directory, so nothing is mounted for it.
    assert_eq!(run.line().matches("type=image").count(), 2, "{run}");
}

#[test]
fn what_its_own_image_has_may_be_needed_first_and_what_a_catalog_has_is_another_repository_s() {
    let world = World::new();
    let fields = [
        (
            "required_extensions",
            "[\"image-sql:gamma_core\", \"image-sql:gamma_types\", \"catalog:elsewhere:else\"]",
        ),
        (
            "sql_extensions",
            "[{ name = \"gamma_types\", version = \"7\" }]",
        ),
    ];
    world.extension("gamma", &metadata("gamma", &fields));
    world
        .run("smoke gamma --dry-run")
        .status(2)
        .says("`required_extensions` names `elsewhere`, which does not exist; an image of another repository is said in xtask.toml: `[external.elsewhere]`");
    let said = "[external.elsewhere]\nimage = \"x/elsewhere:1\"\nsql_name = \"else\"\n";
    world.write("xtask.toml", said);
    world.docker.labels_once_pulled("{}");
    world.run("checks gamma --no-bake").success();
    world.run("smoke gamma --no-bake --distro trixie").success();
    let run = world.calls.only("docker run");
    assert_eq!(
        run.variable("XTASK_WANTED"),
        "(0, 'else', NULL::text, NULL::text, ARRAY[]::text[]), \
         (1, 'gamma_core', NULL::text, NULL::text, ARRAY[]::text[]), \
         (2, 'gamma', '1.2'::text, NULL::text, ARRAY['gamma_core', 'gamma_types']::text[]), \
         (3, 'gamma_types', '7'::text, NULL::text, ARRAY[]::text[])"
    );
    for wrong in ["x:y", "catalog:Else", "image-sql:", "base-image:a b"] {
        let needs = format!("[\"{wrong}\"]");
        world.extension(
            "gamma",
            &metadata("gamma", &[("required_extensions", &needs)]),
        );
        world
            .run("checks gamma --no-bake")
            .status(2)
            .says(&format!(
                "`required_extensions` has `{wrong}`; it must be an extension's directory ("
            ))
            .says("or `base-image:NAME`, `image-sql:NAME` or `catalog:DIRECTORY`");
    }
}

#[test]
fn the_version_that_was_created_is_said() {
    let world = World::new();
    world
        .tools
        .rule("docker run", "echo 'found: 4.5'; echo 'it works'; exit 0");
    let older = [(
        "versions",
        "{ trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\" } } }",
    )];
    world.extension("gamma", &metadata("gamma", &older));
    let results = world.run("smoke gamma --no-bake --json").success().json();
    assert_eq!(results[0]["version"], "4.5");
    assert_eq!(results[0]["proof"], "it works");
    let run = world.calls.only("docker run");
    assert_eq!(
        run.variable("XTASK_WANTED"),
        "(0, 'gamma', NULL::text, NULL::text, ARRAY[]::text[])"
    );
}

#[test]
fn dependencies_are_those_of_the_same_distro_and_major() {
    let world = World::new();
    world
        .run("smoke beta --no-bake --distro bookworm")
        .success();
    let run = run_of(&world);
    for part in [
        " type=image,source=localhost:5000/alpha-testing:1.2-18-bookworm,target=/extensions/alpha ",
        " DATA:18-minimal-bookworm ",
    ] {
        assert!(run.contains(part), "{part}\n{run}");
    }
}

#[test]
fn a_dependency_that_is_needed_by_way_of_another_is_there_too() {
    let world = World::new();
    let needs = [("required_extensions", "[\"beta\"]")];
    world.extension("gamma", &metadata("gamma", &needs));
    world.run("smoke gamma --distro trixie --jobs 1").success();
    assert_eq!(
        world.calls.bakes(),
        [
            "start alpha",
            "end alpha",
            "start beta",
            "end beta",
            "start gamma",
            "end gamma"
        ]
    );
    let run = run_of(&world);
    assert!(
        run.contains(
            "=$system:/extensions/gamma/share:/extensions/beta/share:/extensions/alpha/share "
        ),
        "{run}"
    );
}

#[test]
fn a_dependency_of_a_dependency_comes_first_whichever_is_named_first() {
    for needs in ["[\"beta\", \"alpha\"]", "[\"alpha\", \"beta\"]"] {
        let world = World::new();
        world.extension(
            "gamma",
            &metadata("gamma", &[("required_extensions", needs)]),
        );
        world.run("smoke gamma --distro trixie").success();
        let run = world.calls.only("docker run");
        let wanted = run.variable("XTASK_WANTED");
        let created: Vec<&str> = wanted
            .split(')')
            .filter_map(|row| row.split('\'').nth(1))
            .collect();
        assert_eq!(created, ["alpha", "beta", "gamma"], "needs {needs}");
        let one = ["start alpha+beta+gamma", "end alpha+beta+gamma"];
        assert_eq!(world.calls.bakes(), one, "needs {needs}");
    }
}

#[test]
fn an_image_is_named_by_its_digest_too() {
    let digest = format!("elsewhere/gamma@sha256:{}", "cd".repeat(32));
    let world = World::new();
    world.docker.labels("{\"io.cloudnativepg.image.base.os\":\"bookworm\",\"io.cloudnativepg.image.base.pgmajor\":\"18\"}");
    world.run(["smoke", "gamma", "--image", &digest]).success();
    let run = run_of(&world);
    assert!(
        run.contains(&format!(
            " type=image,source={digest},target=/extensions/gamma "
        )),
        "{run}"
    );
    assert!(run.contains(":18-minimal-bookworm "), "{run}");
    world
        .run("smoke gamma --image elsewhere/gamma@sha256:12")
        .status(2)
        .says("the digest is not `sha256:` and 64 hexadecimal digits");
}

#[test]
fn an_image_of_a_distro_that_the_metadata_does_not_name_is_refused() {
    let world = World::new();
    world.docker.labels("{\"io.cloudnativepg.image.base.os\":\"sid\",\"io.cloudnativepg.image.base.pgmajor\":\"18\"}");
    world
        .run("smoke gamma --image x/gamma:1")
        .status(2)
        .says("sid");
    assert!(world.calls.of("docker run").is_empty());
}

#[test]
fn what_a_dependencys_metadata_lacks_is_said_before_the_server_finds_out() {
    let world = World::new();
    let broken = metadata("alpha", &[]).replace("  name = \"alpha\"\n", "");
    world.extension("alpha", &broken);
    world
        .run("smoke beta --no-bake --distro trixie")
        .status(2)
        .says("extensions/alpha/metadata.hcl:1: error: missing field `name`");
    assert!(world.calls.of("docker run").is_empty());
}

#[test]
fn servers_run_side_by_side() {
    let world = World::new();
    let (one, other) = ("docker run *trixie", "docker run *bookworm");
    world.tools.waits(one, other);
    world.tools.waits(other, one);
    world
        .run("smoke gamma --no-bake")
        .success()
        .says("2 of 2 passed");
}

#[test]
fn one_that_fails_does_not_hide_those_that_pass() {
    let world = World::new();
    world.tools.rule(
        "docker run *gamma*trixie",
        "echo 'error: smoke.sql did not pass'; exit 1",
    );
    let ended = world
        .run("smoke --all --no-bake --keep-going")
        .status(1)
        .says("error: smoke.sql did not pass");
    assert_eq!(
        ended.stdout.matches("passed").count(),
        5,
        "{}",
        ended.stdout
    );
    assert_eq!(
        ended.stdout.matches("failed").count(),
        1,
        "{}",
        ended.stdout
    );
    // The one that failed is removed; the others have removed themselves.
    let removed = world.calls.of("docker rm --force --volumes");
    assert_eq!(removed.len(), 1, "{removed:#?}");
    assert!(
        removed[0].line().ends_with("-gamma-18-trixie"),
        "{removed:?}"
    );
}

#[test]
fn an_engine_before_28_gets_copies_without_being_told() {
    let world = World::new();
    world.docker.version("27.5.1");
    world.run("smoke gamma --no-bake --distro trixie").success();
    assert!(world.calls.of("docker run").is_empty());
    assert_eq!(world.calls.of("docker start --attach").len(), 1);
}

#[test]
fn no_test_is_made_of_an_image_that_could_not_be_baked() {
    let world = World::new();
    world.docker.bake_fails("alpha", "ERROR: no\n");
    let results = world
        .run("smoke alpha gamma --distro trixie --keep-going --json")
        .status(1)
        .json();
    let of = |name: &str| {
        let all = results.as_array().unwrap();
        all.iter().find(|result| result["name"] == name).unwrap()["result"].clone()
    };
    assert_eq!(
        (of("alpha"), of("gamma")),
        ("not run".into(), "passed".into())
    );
}
