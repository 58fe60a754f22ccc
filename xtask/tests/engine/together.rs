// SPDX-License-Identifier: Apache-2.0
//! All images in one server, and what is said when that cannot be.

use std::fs;

use serde_json::Value;

use crate::support::{ended::Ended, repository::Repository};

#[test]
fn all_eight_work_in_one_server() {
    let repository = Repository::new();
    let ended = repository
        .xtask(&["smoke", "--together", "--json"])
        .success();
    let seen = ended.json();
    let seen = &seen[0];
    assert_eq!(seen["result"], "passed", "{seen:#}");
    let proofs = seen["proofs"].as_array().unwrap();
    assert_eq!(proofs.len(), 8, "{seen:#}");
    for proof in proofs {
        let said = proof["proof"].as_str().unwrap();
        assert!(proof["result"] == "passed" && said.len() > 20, "{proof:#}");
    }
    let errors = seen["clashes"].as_array().unwrap().iter();
    assert_eq!(
        errors.filter(|clash| clash["severity"] == "error").count(),
        0,
        "{seen:#}"
    );
    assert_eq!(seen["complaints"].as_array().unwrap().len(), 0, "{seen:#}");
    let preloaded = ["pg_crash", "pg_ivm", "pgaudit", "timescaledb"];
    assert_eq!(
        seen["shared_preload_libraries"],
        serde_json::json!(preloaded)
    );
    repository.has_no_containers();
}

/// Adds fields to an extension's metadata.
fn with(repository: &Repository, name: &str, from: &str, to: &str) {
    repository.replace(&format!("extensions/{name}/metadata.hcl"), from, to);
}

fn together(repository: &Repository) -> Ended {
    let args = [
        "smoke",
        "--together",
        "pgvector",
        "pgaudit",
        "wal2json",
        "--json",
    ];
    repository.xtask(&args)
}

/// The images as other people's could be: files by one name, and settings that a server has once.
#[test]
fn images_that_shadow_each_other_are_both_named() {
    let repository = Repository::new();
    let dockerfile = repository.path().join("docker/Dockerfile");
    let text = fs::read_to_string(&dockerfile).unwrap();
    let end = "\nFROM scratch\n";
    let planted = r#"RUN cd /build/image; mkdir -p share/extension system; own=$(ls lib | grep 'so$'); \
        echo "default_version = '1' # of $own" > share/extension/common.control; \
        cp "lib/$own" lib/common.so; cp "lib/$own" system/libcommon.so.1"#;
    fs::write(&dockerfile, text.replace(end, &format!("{planted}\n{end}"))).unwrap();
    for name in ["pgvector", "pgaudit"] {
        with(
            &repository,
            name,
            "ld_library_path          = []",
            "ld_library_path          = [\"system\"]",
        );
        with(
            &repository,
            name,
            "  env                      = {}",
            "  env = { COMMON = \"$${image_root}/x\" }",
        );
    }
    let parameter = "  postgresql_parameters    = {}";
    with(
        &repository,
        "pgvector",
        parameter,
        "  postgresql_parameters = { work_mem = \"4MB\" }",
    );
    with(
        &repository,
        "pgaudit",
        parameter,
        "  postgresql_parameters = { Work_Mem = \"8MB\" }",
    );
    let ended = together(&repository).status(1);
    let seen = ended.json();
    let found: Vec<(&str, &str)> = seen[0]["clashes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|clash| {
            clash["extensions"] == serde_json::json!(["pgvector", "pgaudit"])
                || clash["extensions"] == serde_json::json!(["pgaudit", "pgvector"])
        })
        .map(|clash| {
            (
                clash["kind"].as_str().unwrap(),
                clash["name"].as_str().unwrap(),
            )
        })
        .collect();
    for wanted in [
        ("extension", "common"),
        ("module", "common.so"),
        ("library", "libcommon.so.1"),
        ("variable", "COMMON"),
        ("parameter", "work_mem"),
    ] {
        assert!(found.contains(&wanted), "{wanted:?} is not in {seen:#}");
    }
    ended.says("both have the module `common.so`, and not the same");
}

/// pgvector reserves names that begin as its own do: alone, each of the two is content.
#[test]
fn what_the_server_says_only_with_both_is_said_with_both_named() {
    let repository = Repository::new();
    let library = "  shared_preload_libraries = []";
    with(
        &repository,
        "pgvector",
        library,
        "  shared_preload_libraries = [\"vector\"]",
    );
    let parameter = "  postgresql_parameters    = {}";
    with(
        &repository,
        "pgaudit",
        parameter,
        "  postgresql_parameters = { \"hnsw.nonsense\" = \"1\" }",
    );
    for name in ["pgvector", "pgaudit"] {
        repository.xtask(&["smoke", name]).success();
    }
    let ended = together(&repository).status(1);
    let seen = ended.json();
    let complaints: Vec<&Value> = seen[0]["complaints"].as_array().unwrap().iter().collect();
    let [complaint] = complaints[..] else {
        panic!("{seen:#}")
    };
    assert_eq!(
        complaint["takes"],
        serde_json::json!(["pgaudit", "pgvector"]),
        "{seen:#}"
    );
    ended.says("with `pgaudit` and `pgvector` the server says: postmaster: WARNING:  invalid configuration parameter name \"hnsw.nonsense\"");

    // Not there at all: a library that no image has.
    with(
        &repository,
        "wal2json",
        "  shared_preload_libraries = []",
        "  shared_preload_libraries = [\"nobody\"]",
    );
    let ended = together(&repository).status(1);
    ended.says("a server with `wal2json` alone says the same: postmaster: FATAL:  could not access file \"nobody\"");
    repository.has_no_containers();
}
