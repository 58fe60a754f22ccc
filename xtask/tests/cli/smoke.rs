// SPDX-License-Identifier: Apache-2.0
//! What `smoke` asks of docker: mounts, options and environment as CNPG derives them.

use std::fs;

use super::fixture::{Fixture, metadata};

#[test]
fn the_server_is_configured_from_the_metadata_with_dependencies_beside_it() {
    let fixture = Fixture::new();
    fixture
        .xtask(&["smoke", "beta", "--distro", "trixie"])
        .success()
        .says("1 of 1 passed");
    assert_eq!(
        fixture.order(),
        ["start alpha", "end alpha", "start beta", "end beta"]
    );
    let run = &fixture.calls_of("[run]")[0];
    let digest = format!("sha256:{}", "ab".repeat(32));
    for part in [
        format!(
            "[--mount] [type=image,source=localhost:5000/beta-testing@{digest},target=/extensions/beta]"
        ),
        format!(
            "[--mount] [type=image,source=localhost:5000/alpha-testing@{digest},target=/extensions/alpha]"
        ),
        "[--network] [none]".into(),
        "[ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie] [bash] [-s] [--] [ALPHA_DATA=/extensions/alpha/share/a] [--]"
            .into(),
        "[-c] [extension_control_path=$system:/extensions/beta/share:/extensions/alpha/share]"
            .into(),
        "[-c] [dynamic_library_path=$libdir:/extensions/beta/lib:/extensions/alpha/lib]".into(),
        "[-c] [shared_preload_libraries=beta]".into(),
    ] {
        assert!(run.contains(&part), "{part}\n{run}");
    }
    let environment = fs::read_to_string(fixture.fake("environment")).unwrap();
    for line in [
        "path=/extensions/alpha/system",
        "CREATE EXTENSION IF NOT EXISTS \"alpha\" VERSION '1.2';",
        "CREATE EXTENSION IF NOT EXISTS \"beta\" VERSION '1.2';",
    ] {
        assert!(environment.contains(line), "{line}\n{environment}");
    }
    assert!(environment.find("\"alpha\"").unwrap() < environment.find("\"beta\"").unwrap());
    assert!(
        fs::read_to_string(fixture.fake("stdin"))
            .unwrap()
            .contains("initdb")
    );
}

#[test]
fn a_named_image_is_tested_as_it_is() {
    let fixture = Fixture::new();
    let labels = r#"{"io.cloudnativepg.image.base.os":"trixie","io.cloudnativepg.image.base.pgmajor":"18","io.cloudnativepg.image.sql.version":"1.1"}"#;
    fixture.answer("labels", labels);
    fixture
        .xtask(&["smoke", "gamma", "--image", "elsewhere/gamma:7"])
        .success();
    assert!(fixture.calls_of("[bake]").is_empty());
    let run = &fixture.calls_of("[run]")[0];
    assert!(
        run.contains("[type=image,source=elsewhere/gamma:7,target=/extensions/gamma]"),
        "{run}"
    );
    assert!(
        fs::read_to_string(fixture.fake("environment"))
            .unwrap()
            .contains("VERSION '1.1'")
    );

    // Not there yet: pulled. Not to be had: said. Without labels: asked.
    let fixture = Fixture::new();
    fixture.answer("labels.remote", labels);
    fixture
        .xtask(&["smoke", "gamma", "--image", "elsewhere/gamma:7"])
        .success();
    assert_eq!(fixture.calls_of("[pull]").len(), 1);
    let fixture = Fixture::new();
    fixture
        .xtask(&["smoke", "gamma", "--image", "elsewhere/gamma:7"])
        .status(1)
        .says("image `elsewhere/gamma:7` cannot be had: Error: manifest unknown");
    fixture.answer("labels", "null");
    fixture
        .xtask(&["smoke", "gamma", "--image", "elsewhere/gamma:7"])
        .status(2)
        .says("`--distro trixie --pg 18`");
}

#[test]
fn an_older_engine_gets_copies_in_place_of_mounts() {
    let fixture = Fixture::new();
    fixture
        .xtask_with(
            &["smoke", "gamma", "--no-bake", "--distro", "trixie"],
            &[("XTASK_SMOKE_MOUNT", "copy")],
        )
        .success();
    let calls = fixture.calls();
    let verbs: Vec<&str> = calls
        .iter()
        .map(|line| line.split(" [").nth(1).unwrap().trim_end_matches(']'))
        .collect();
    assert_eq!(verbs, ["create", "create", "cp", "cp", "ps", "rm", "start"]);
    assert!(!calls.iter().any(|line| line.contains("[--mount]")));
}

#[test]
fn a_failing_test_says_what_the_server_said() {
    let fixture = Fixture::new();
    fixture.answer(
        "fail.run",
        "server: FATAL:  could not access file \"nolib\"\nerror: the server did not start\n",
    );
    let results = fixture
        .xtask(&["smoke", "gamma", "--no-bake", "--json"])
        .status(1)
        .says("failed to run `gamma 18-bookworm` in PostgreSQL")
        .says("could not access file \"nolib\"")
        .json();
    assert_eq!(results[0]["result"], "failed");
    assert!(!fixture.calls_of("[rm] [--force]").is_empty());
}

#[test]
fn without_smoke_sql_it_is_created_but_not_used() {
    let fixture = Fixture::new();
    fs::remove_file(fixture.root().join("extensions/gamma/smoke.sql")).unwrap();
    fixture
        .xtask(&["smoke", "gamma", "--no-bake"])
        .success()
        .says("`gamma` has no smoke.sql that does anything: it is created, not used");
    assert_eq!(silent(&fixture), "created, not used");
}

/// What the script was told to say of a test that prints nothing.
fn silent(fixture: &Fixture) -> String {
    let environment = fs::read_to_string(fixture.fake("environment")).unwrap();
    let line = environment
        .lines()
        .find_map(|line| line.strip_prefix("silent="));
    line.unwrap_or_else(|| panic!("{environment}")).to_owned()
}

#[test]
fn a_silent_smoke_sql_is_a_use_and_a_comment_is_none() {
    let fixture = Fixture::new();
    fixture.write("extensions/gamma/smoke.sql", "SELECT 1 WHERE false;\n");
    fixture.xtask(&["smoke", "gamma", "--no-bake"]).success();
    assert_eq!(silent(&fixture), "smoke.sql passed, it prints nothing");
    fixture.write("extensions/gamma/smoke.sql", "-- to do\n");
    fixture
        .xtask(&["smoke", "gamma", "--no-bake"])
        .success()
        .says("created, not used");
    assert_eq!(silent(&fixture), "created, not used");
}

#[test]
fn a_module_is_loaded_and_never_said_to_be_created() {
    let fixture = Fixture::new();
    let versions = "{ trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\" } } }";
    let more = [("create_extension", "false"), ("versions", versions)];
    fixture.write("extensions/gamma/metadata.hcl", &metadata("gamma", &more));
    fs::remove_file(fixture.root().join("extensions/gamma/smoke.sql")).unwrap();
    fixture
        .xtask(&["smoke", "gamma", "--no-bake"])
        .success()
        .says("it is loaded, not created and not used");
    assert_eq!(silent(&fixture), "loaded, not created and not used");
}

#[test]
fn what_the_labels_of_a_named_image_say_is_compared_and_must_be_json() {
    let fixture = Fixture::new();
    let labels = r#"{"io.cloudnativepg.image.base.os":"bookworm","io.cloudnativepg.image.base.pgmajor":"17"}"#;
    fixture.answer("labels", labels);
    let args = [
        "smoke", "gamma", "--image", "x:1", "--distro", "trixie", "--pg", "18",
    ];
    fixture
        .xtask(&args)
        .success()
        .says("warning: image `x:1` says that it is for `bookworm`")
        .says("warning: image `x:1` says that it is for `17`");
    fixture.answer("labels", "[oops");
    fixture
        .xtask(&args)
        .status(1)
        .says("`docker` gives labels of image `x:1` that are no JSON");
}
