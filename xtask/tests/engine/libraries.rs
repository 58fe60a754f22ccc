// SPDX-License-Identifier: Apache-2.0
//! The lists of system libraries, asked of a real apt in a real base image.

use crate::support::repository::Repository;

#[test]
fn the_lists_of_postgis_hold_what_apt_would_download() {
    let repository = Repository::new();
    let found = repository
        .xtask(&["update-os-libs", "postgis", "--json"])
        .success();
    let found = found.json();
    let row = &found[0];
    assert_eq!(row["changed"], true, "{found:#}");
    assert!(row["libraries"].as_u64() > Some(30), "{found:#}");
    let file = repository.path().join(row["file"].as_str().unwrap());
    let text = std::fs::read_to_string(file).unwrap();
    let has = |name: &str| text.lines().any(|line| line.starts_with(name));
    assert!(has("libgdal") && has("libproj"), "{text}");
    for line in text.lines() {
        let (name, checksum) = line.split_once(".deb ").unwrap();
        assert!(name.starts_with("lib"), "{line}");
        let (kind, digits) = checksum.split_once(':').unwrap();
        let is_hash = digits.len() >= 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(!kind.is_empty() && is_hash, "{line}");
    }
    let again = repository
        .xtask(&["update-os-libs", "postgis", "--check"])
        .success();
    again.says("the list is up to date");
    repository.has_no_containers();
}
