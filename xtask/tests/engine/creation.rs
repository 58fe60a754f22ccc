// SPDX-License-Identifier: Apache-2.0
//! New extensions from what the packages of a real archive say of themselves: they pass checks and smoke as they were written.

use crate::support::repository::{Repository, sandboxed};

#[test]
fn extensions_of_several_kinds_pass_as_they_were_written() {
    let repository = Repository::new();
    let run = |args: &[&str]| {
        let base = sandboxed().then_some(("XTASK_SANDBOX_BASE", "debian"));
        repository.xtask_with(args, base.as_slice())
    };
    let metadata = |name: &str| {
        let file = format!("extensions/{name}/metadata.hcl");
        std::fs::read_to_string(repository.path().join(file)).unwrap()
    };
    // The package is called otherwise, and the server asks for a parameter.
    run(&["create-extension", "pg_cron", "--from-archive"]).success();
    let cron = metadata("pg_cron");
    assert!(cron.contains("[\"postgresql-{pg}-cron\"]"), "{cron}");
    assert!(cron.contains("\"cron.database_name\" = \"app\""), "{cron}");
    // It is preloaded, behind a module of the server's own.
    run(&["create-extension", "NAME=pg-stat-kcache", "--from-archive"]).success();
    let kcache = metadata("pg-stat-kcache");
    let preload = "shared_preload_libraries = [\"pg_stat_statements\", \"pg_stat_kcache\"]";
    assert!(kcache.contains(preload), "{kcache}");
    // The libraries have said so themselves, and each answer was a whole one.
    for said in [&cron, &kcache] {
        for guess in ["in its file alone", "it was not tried"] {
            assert!(!said.contains(guess), "{said}");
        }
    }
    // A module alone, with libraries of the system.
    run(&["create-extension", "decoderbufs", "--from-archive"]).success();
    let decoder = metadata("decoderbufs");
    assert!(
        decoder.contains("create_extension         = false"),
        "{decoder}"
    );
    assert!(
        decoder.contains("ld_library_path          = [\"system\"]"),
        "{decoder}"
    );
    let all = ["pg_cron", "pg-stat-kcache", "decoderbufs"];
    run(&[&["checks"], &all[..]].concat()).success();
    run(&[&["smoke"], &all[..]].concat())
        .success()
        .says("3 of 3 passed");
    run(&["create-extension", "no-such-thing-here", "--from-archive"])
        .status(2)
        .says("no package for `no-such-thing-here`");
    repository.has_no_containers();
}
