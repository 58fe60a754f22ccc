// SPDX-License-Identifier: Apache-2.0
//! What is newest, asked of a real apt in a real base image, and what is written.

use crate::support::repository::{Repository, sandboxed};

const METADATA: &str = "extensions/pgvector/metadata.hcl";

#[test]
fn a_pin_that_is_behind_is_found_and_becomes_the_newest() {
    let repository = Repository::new();
    // The sandbox's base images are of a suite of their own.
    let suite = if sandboxed() { "forky" } else { "trixie" };
    let text = std::fs::read_to_string(repository.path().join(METADATA)).unwrap();
    let (head, _) = text.split_once("  versions = {").unwrap();
    let old = format!(
        "{head}  versions = {{\n    {suite} = {{\n      \"18\" = {{\n        // renovate: depName=postgresql-18-pgvector\n        package = \"0.8.0-1\" // old\n        sql     = \"0.8.0\"\n      }}\n    }}\n  }}\n}}\n"
    );
    std::fs::write(repository.path().join(METADATA), &old).unwrap();
    let run = |args: &[&str]| {
        let base = sandboxed().then_some(("XTASK_SANDBOX_BASE", "debian"));
        repository.xtask_with(args, base.as_slice())
    };
    let found = run(&["versions", "pgvector", "--json"]).success().json();
    assert_eq!(found[0]["state"], "outdated", "{found:#}");
    let path = found[0]["update_path"].as_array().unwrap();
    assert_eq!(path[0], "0.8.0", "{found:#}");
    assert_eq!(path[path.len() - 1], found[0]["newest"]["sql"], "{found:#}");
    let size = &found[0]["sizes"]["newest"];
    assert!(
        size["installed"].as_u64() > size["download"].as_u64(),
        "{found:#}"
    );
    let updated = run(&["versions", "pgvector", "--update", "--json"])
        .success()
        .json();
    assert_eq!(updated[0]["state"], "updated", "{updated:#}");
    let newest = &updated[0]["newest"];
    let (package, sql) = (
        newest["package"].as_str().unwrap(),
        newest["sql"].as_str().unwrap(),
    );
    assert!(package.starts_with(&format!("{sql}-")), "{updated:#}");
    let expected = old
        .replace("\"0.8.0-1\"", &format!("\"{package}\""))
        .replace("\"0.8.0\"", &format!("\"{sql}\""));
    let now = std::fs::read_to_string(repository.path().join(METADATA)).unwrap();
    assert_eq!(now, expected, "two values change, and nothing else");
    run(&["versions", "pgvector", "--update"])
        .success()
        .says("1 of 1 pins are the newest");
    let again = std::fs::read_to_string(repository.path().join(METADATA)).unwrap();
    assert_eq!(again, expected);
    run(&["bake", "pgvector"]).success();
    repository.has_no_containers();
}
