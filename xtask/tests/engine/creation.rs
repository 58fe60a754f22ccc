// SPDX-License-Identifier: Apache-2.0
//! New extensions from what the packages of a real archive say of themselves: they pass checks and smoke as they were written.

use std::{path::Path, process::Command};

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
    // What Debian does not package, compiled with a library that the base image lacks.
    let source = Source::of(&repository, "commonmark", "commonmark-1.2.0.tar.gz");
    let compiled = ["NAME=commonmark", "--build-depends", "libcmark-dev"];
    let compiled = [&["create-extension"], &compiled[..]].concat();
    let from = ["--from-source", &source.url, "--checksum", &source.checksum];
    run(&[&compiled[..], &from[..]].concat()).success();
    let commonmark = metadata("commonmark");
    for said in [
        "packages                 = []",
        "licenses                 = [\"Apache-2.0\"]",
        "ld_library_path          = [\"system\"]",
        "package = \"1.2.0\"\n        sql     = \"1.2\"",
    ] {
        assert!(commonmark.contains(said), "{said}: {commonmark}");
    }
    assert!(!commonmark.contains("TODO"), "{commonmark}");
    let all = ["pg_cron", "pg-stat-kcache", "decoderbufs", "commonmark"];
    run(&[&["checks"], &all[..]].concat()).success();
    run(&[&["smoke"], &all[..]].concat())
        .success()
        .says("4 of 4 passed");
    run(&["create-extension", "no-such-thing-here", "--from-archive"])
        .status(2)
        .says("no package for `no-such-thing-here`");
    // Somebody has put something else there.
    let other = format!("sha256:{}", "0".repeat(64));
    let from = ["--from-source", &source.url, "--checksum", &other];
    let tampered = [&["create-extension", "tampered"], &from[..]].concat();
    run(&tampered)
        .status(1)
        .says(&format!("has the checksum {}", source.checksum));
    assert!(!repository.path().join("extensions/tampered").exists());
    drop(source);
    repository.has_no_containers();
}

/// Behind a proxy that looks into TLS the setting `bake.certificates` is to be in the environment.
#[test]
#[ignore = "cargo-pgrx alone compiles for minutes"]
fn an_extension_of_pgrx_passes_as_it_was_written() {
    let repository = Repository::new();
    let run = |args: &[&str]| {
        let base = sandboxed().then_some(("XTASK_SANDBOX_BASE", "debian"));
        repository.xtask_with(args, base.as_slice())
    };
    // With that there is a base image.
    run(&["bake", "pgvector"]).success();
    let source = Source::of(&repository, "anagram", "anagram-0.3.0.tar.gz");
    let from = ["--pgrx", &source.url, "--checksum", &source.checksum];
    run(&[&["create-extension", "anagram"], &from[..]].concat()).success();
    let file = repository.path().join("extensions/anagram/metadata.hcl");
    let metadata = std::fs::read_to_string(file).unwrap();
    for said in [
        "licenses                 = [\"Apache-2.0\", ",
        "package = \"0.3.0\"\n        sql     = \"0.3.0\"",
    ] {
        assert!(metadata.contains(said), "{said}: {metadata}");
    }
    assert!(!metadata.contains("TODO"), "{metadata}");
    run(&["checks", "anagram"]).success();
    run(&["smoke", "anagram"]).success().says("1 of 1 passed");
}

/// A source of `tests/sources` as an archive that the engine can be sent to.
pub(super) struct Source<'a> {
    repository: &'a Repository,
    /// The container that has it.
    server: String,
    pub(super) url: String,
    pub(super) checksum: String,
}

/// What the names of containers begin with that have one.
const SERVER: &str = "xtask-versions-source";

impl<'a> Source<'a> {
    /// A base image must be there: its Perl serves the archive.
    pub(super) fn of(repository: &'a Repository, name: &str, archive: &str) -> Self {
        let folder = repository.path().file_name().unwrap().to_string_lossy();
        let server = format!("{SERVER}-{}", folder.trim_start_matches('.'));
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sources");
        let file = repository.path().join(archive);
        let run = |program: &str, args: &[&str]| {
            let output = Command::new(program).args(args).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let (sources, file) = (sources.to_string_lossy(), file.to_string_lossy());
        run("tar", &["-czf", &file, "-C", &sources, name]);
        let checksum = run("sha256sum", &[&file]);
        let checksum = checksum.split_whitespace().next().unwrap();
        let hex = run("od", &["-An", "-v", "-tx1", &file]);
        let hex: String = hex.split_whitespace().collect();
        let images = repository.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
        let images = images.success().stdout;
        let base = images.lines().find(|one| one.contains("/postgresql:18-"));
        let base = base.expect("a base image");
        let perl = include_str!("serve.pl");
        let started = repository.docker(&[
            "run",
            "--detach",
            "--rm",
            "--name",
            &server,
            "--entrypoint",
            "perl",
            base,
            "-e",
            perl,
            &hex,
        ]);
        started.success();
        let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = repository.docker(&["inspect", "--format", address, &server]);
        Self {
            repository,
            server,
            url: format!("http://{}:8080/{archive}", address.success().stdout.trim()),
            checksum: format!("sha256:{checksum}"),
        }
    }
}

impl Drop for Source<'_> {
    fn drop(&mut self) {
        self.repository.docker(&["rm", "--force", &self.server]);
    }
}
