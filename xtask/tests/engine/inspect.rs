// SPDX-License-Identifier: Apache-2.0
//! What is in a real image.

use crate::support::repository::Repository;

#[test]
fn the_files_of_an_image_are_those_that_were_copied_into_it() {
    let repository = Repository::new();
    let baked = repository.xtask(&["bake", "pgvector", "--json"]).success();
    let baked = baked.json();
    let image = baked[0]["image"].as_str().unwrap();
    let found = repository.xtask(&["inspect", image, "--json"]).success();
    let found = found.json();
    let files = found["files"].as_array().unwrap();
    let has = |path: &str| {
        let mut files = files.iter();
        files.any(|file| file["path"] == path && file["size"].as_u64() > Some(0))
    };
    assert!(has("/lib/vector.so"), "{found:#}");
    assert!(has("/share/extension/vector.control"), "{found:#}");
    // What the engine puts into each container is not the image's.
    let places = ["/lib/", "/share/", "/licenses/", "/var/lib/dpkg/status.d/"];
    for file in files {
        let path = file["path"].as_str().unwrap();
        assert!(places.iter().any(|place| path.starts_with(place)), "{path}");
    }
    // As the base image's server is what it was built for, and has what it needs.
    let module = &found["objects"][0];
    assert_eq!(module["path"], "/lib/vector.so", "{found:#}");
    let major = found["labels"]["io.cloudnativepg.image.base.pgmajor"].as_str();
    assert_eq!(module["module"]["major"].to_string(), major.unwrap());
    assert_eq!(module["module"]["abi"], "PostgreSQL");
    let needed = module["needed"].as_object().unwrap();
    assert!(!needed.is_empty(), "{module:#}");
    for (library, source) in needed {
        assert_eq!(source["from"], "base", "{library}");
    }
    let extension = &found["extensions"][0];
    let version = extension["default_version"].as_str().unwrap();
    let oldest = extension["reaches"]["0.5.0"].as_array().unwrap();
    assert!(
        oldest.iter().any(|reached| reached == version),
        "{extension:#}"
    );
    assert_eq!(found["licences"][0]["licence"], "PostgreSQL");
    let package = &found["packages"][0];
    assert_eq!(package["package"], found["licences"][0]["package"]);
    let version = package["version"].as_str().unwrap();
    let upstream = found["labels"]["org.opencontainers.image.version"].as_str();
    assert!(version.starts_with(upstream.unwrap()), "{package:#}");
    assert_eq!(found["findings"].as_array().unwrap().len(), 0, "{found:#}");
    // Two real servers have the same of the same image, and say so.
    let args = ["inspect", "pgvector", "--against", image, "--json"];
    let difference = repository.xtask(&args).success().json();
    for part in ["files", "packages", "settings", "objects"] {
        assert_eq!(difference[part].as_array().map(Vec::len), Some(0), "{part}");
    }
    let rule = [("XTASK_LICENCES_ALLOWED", "MIT")];
    repository
        .xtask_with(&["licences", image], &rule)
        .status(1)
        .says("postgresql-18-pgvector: PostgreSQL (/licenses/");
    repository.has_no_containers();
}
