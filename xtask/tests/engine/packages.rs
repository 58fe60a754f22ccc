// SPDX-License-Identifier: Apache-2.0
//! Packages of many shapes, by the one Dockerfile that is shared: nobody writes another for them.

use std::fs;

use crate::support::repository::{Repository, sandboxed};

/// A copy of a directory of this repository, as the recipe in CONTRIBUTING.md says.
fn add(repository: &Repository, name: &str, sql_name: &str, package: &str) {
    let from = repository.path().join("extensions/pg-ivm");
    let to = repository.path().join("extensions").join(name);
    fs::create_dir_all(to.join("test")).unwrap();
    let read = |file: &str| fs::read_to_string(from.join(file)).unwrap();
    let metadata = read("metadata.hcl")
        .replace("-pg-ivm", &format!("-{package}"))
        .replace("\"pg-ivm\"", &format!("\"{name}\""))
        .replace("= \"pg_ivm\"", &format!("= \"{sql_name}\""))
        .replace("[\"pg_ivm\"]", "[]");
    fs::write(to.join("metadata.hcl"), metadata).unwrap();
    let suite = read("test/chainsaw-test.yaml").replace("pg-ivm", name);
    fs::write(to.join("test/chainsaw-test.yaml"), suite).unwrap();
    let proof =
        format!("SELECT 'used ' || extname FROM pg_extension WHERE extname = '{sql_name}';\n");
    fs::write(to.join("smoke.sql"), proof).unwrap();
    fs::write(to.join("README.md"), format!("# {name}\n")).unwrap();
}

/// What is in the image, which is built by then.
fn files_of(repository: &Repository, name: &str) -> String {
    let baked = repository.xtask(&["bake", name, "--json"]).success().json();
    let image = baked[0]["image"].as_str().unwrap();
    repository.xtask(&["inspect", image]).success().stdout
}

#[test]
fn one_dockerfile_takes_packages_of_any_shape() {
    if !sandboxed() {
        // The versions are those of Debian's archive.
        return;
    }
    let repository = Repository::new();
    let shapes = [
        // Scripts alone, for all architectures.
        ("db2fce", "db2fce", "db2fce"),
        // A folder of scripts beside `extension`, and a second one of documentation.
        ("pgfincore", "pgfincore", "pgfincore"),
        // A module twice: a link in a folder of plugins.
        ("preprepare", "pre_prepare", "preprepare"),
        // A program beside the module.
        ("repack", "pg_repack", "repack"),
    ];
    for (name, sql_name, package) in shapes {
        add(&repository, name, sql_name, package);
    }
    let names = shapes.map(|(name, ..)| name);
    let args = [&["smoke"][..], &names, &["--json"]].concat();
    let results = repository.xtask(&args).success().json();
    for (result, (_, sql_name, _)) in results.as_array().unwrap().iter().zip(shapes) {
        assert_eq!(result["proof"], format!("used {sql_name}"), "{result:#}");
    }
    let files = files_of(&repository, "repack");
    for file in ["/bin/pg_repack", "/licenses/postgresql-18-repack/copyright"] {
        assert!(files.contains(file), "{files}");
    }
    let files = files_of(&repository, "pgfincore");
    assert!(files.contains("/share/pgfincore/"), "{files}");
}

#[test]
fn missing_libraries_are_taken_once_metadata_has_a_place_for_them() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    add(&repository, "http", "http", "http");
    let line = "`ld_library_path = [\"system\"]`";
    repository
        .xtask(&["smoke", "http"])
        .status(1)
        .says("nothing provides: libcurl.so.4")
        .says("`libcurl.so.4` is in `libcurl4")
        .says(line);
    let metadata = "extensions/http/metadata.hcl";
    let path = repository.path().join(metadata);
    let text = fs::read_to_string(&path).unwrap();
    let with = with_system(&text);
    fs::write(&path, with).unwrap();
    let results = repository
        .xtask(&["smoke", "http", "--json"])
        .success()
        .json();
    assert_eq!(results[0]["proof"], "used http", "{results:#}");
    let files = files_of(&repository, "http");
    assert!(files.contains("/system/libcurl.so.4"), "{files}");
    assert!(files.contains("/licenses/libcurl4"), "{files}");
}

/// The metadata with `/system` on the linker's path.
fn with_system(metadata: &str) -> String {
    let lines = metadata.lines().map(|line| {
        if line.trim_start().starts_with("ld_library_path") {
            "  ld_library_path = [\"system\"]"
        } else {
            line
        }
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn a_package_without_anything_to_load_is_refused_in_words() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    add(&repository, "catcheck", "pg_catcheck", "pg-catcheck");
    repository
        .xtask(&["bake", "catcheck"])
        .status(1)
        .says("postgresql-18-pg-catcheck: no module and no extension for PostgreSQL 18");
}
