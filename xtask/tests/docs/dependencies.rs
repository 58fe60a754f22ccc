// SPDX-License-Identifier: Apache-2.0
//! There are not too many dependencies, and both lock files know them.

use std::collections::BTreeSet;

use super::repository::text;

#[test]
fn there_are_not_too_many_dependencies() {
    let packages = text("Cargo.lock").matches("[[package]]").count();
    assert!(packages <= 130, "Cargo.lock holds {packages} packages");
}

/// Its lock file is not that of the workspace, which `--locked` would hold.
#[test]
fn the_lock_file_of_the_fuzz_targets_knows_every_dependency() {
    let lock: toml::Table = text("fuzz/Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let own = packages
        .iter()
        .find(|package| package["name"].as_str() == Some("xtask"));
    let known: BTreeSet<&str> = own.unwrap()["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str()?.split(' ').next())
        .collect();
    let manifest: toml::Table = text("xtask/Cargo.toml").parse().unwrap();
    let wanted = manifest["dependencies"].as_table().unwrap();
    let wanted: BTreeSet<&str> = wanted.keys().map(String::as_str).collect();
    assert_eq!(
        known, wanted,
        "`cargo update --manifest-path fuzz/Cargo.toml --workspace` fixes it"
    );
}
