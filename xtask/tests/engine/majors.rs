// SPDX-License-Identifier: Apache-2.0
//! PostgreSQL majors that the metadata does not name, from a second suite of Debian's archive.

use crate::support::repository::{Repository, sandboxed};

#[test]
fn a_major_that_the_metadata_does_not_name_is_built_where_the_archive_has_it() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    let env = [("XTASK_SANDBOX_BASE", "debian")];
    let run = |args: &[&str]| repository.xtask_with(args, &env);
    let rows = run(&["smoke", "--all", "--pg", "19", "--json"])
        .success()
        .says(" not available")
        .json();
    let rows = rows.as_array().unwrap();
    let of = |result: &'static str| rows.iter().filter(move |row| row["result"] == result);
    assert_eq!(of("passed").count() + of("not available").count(), 8);
    let audit = of("passed").find(|row| row["name"] == "pgaudit").unwrap();
    let image = audit["image"].as_str().unwrap();
    assert!(image.contains("-19-forky"), "{audit:#}");
    for row in of("not available") {
        let why = row["proof"].as_str().unwrap();
        assert!(
            why.contains("`postgresql-19-") || why.contains("it needs `"),
            "{row:#}"
        );
    }
    // What was built says so, and is for that server alone.
    let labels = [
        "image",
        "inspect",
        "--format",
        "{{json .Config.Labels}}",
        image,
    ];
    let labels = repository.docker(&labels).success().json();
    assert_eq!(labels["io.cloudnativepg.image.base.pgmajor"], "19");
    // Nor does it keep another one from being built when both are named.
    run(&["bake", "pgaudit", "pgvector", "--pg", "19"])
        .success()
        .says("1 image unchanged")
        .says("`pgvector 19-forky` is not available: there is no `postgresql-19-pgvector`");
    // Nothing is left: said, and no success.
    run(&["bake", "pgaudit", "--pg", "99"])
        .status(2)
        .says("there is no `postgresql-99` in Debian forky or experimental");
    repository.has_no_containers();
}
