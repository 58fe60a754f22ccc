// SPDX-License-Identifier: Apache-2.0
//! An archive that changes between two runs, and a base image that does: what was built and tested of the old one is not taken for
//! what there is now.

use std::fs;

use crate::support::{
    ended::Ended,
    repository::{Repository, sandboxed},
};

/// The base image of these tests: another one, with an archive of our own among its sources.
const BASE: &str = "localhost:1/xtask-archive:{pg}-minimal-{distro}";
const BASE_18: &str = "localhost:1/xtask-archive:18-minimal-trixie";
/// The container that has the archive; its name is one of those that no test may leave.
const SERVER: &str = "xtask-versions-archive";

/// A repository with one extension, whose package is in an archive of its own.
struct Archive {
    repository: Repository,
}

impl Archive {
    fn new() -> Self {
        let archive = Self {
            repository: Repository::new(),
        };
        // Any base image has what makes packages and serves them.
        let baked = archive.repository.xtask(&["bake", "pgaudit"]);
        baked.success();
        let images = archive.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
        let mut images = images.stdout.lines();
        let base = images.find(|one| one.contains("/postgresql:18-"));
        let base = base.expect("a base image").to_owned();
        let server = [
            "run",
            "--detach",
            "--rm",
            "--user",
            "0",
            "--name",
            SERVER,
            "--entrypoint",
            "perl",
            &base,
            "-e",
        ];
        let perl = include_str!("archive.pl");
        archive.docker(&[&server[..], &[perl, "/archive"]].concat());
        let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = archive.docker(&["inspect", "--format", address, SERVER]);
        archive.write_extension();
        archive.make_base(&base, address.stdout.trim());
        archive
    }

    fn docker(&self, args: &[&str]) -> Ended {
        self.repository.docker(args).success()
    }

    fn write_extension(&self) {
        let folder = self.repository.path().join("extensions/local");
        fs::create_dir(&folder).unwrap();
        let metadata = fs::read_to_string(folder.with_file_name("pg-ivm").join("metadata.hcl"));
        let metadata = metadata.unwrap().replace("\"pg-ivm\"", "\"local\"");
        let metadata = metadata
            .replace("-pg-ivm", "-local")
            .replace("\"pg_ivm\"]", "]")
            .replace("\"pg_ivm\"", "\"local\"")
            .replace("[\"PostgreSQL\"]", "[\"Apache-2.0\"]")
            .replace("\"1.13-1.pgdg13+1\"", "\"1.0-1\"")
            .replace("\"1.13\"", "\"1\"");
        fs::write(folder.join("metadata.hcl"), metadata).unwrap();
        fs::write(folder.join("smoke.sql"), "SELECT 'it says ' || word();\n").unwrap();
    }

    /// The base image with one source more.
    fn make_base(&self, base: &str, address: &str) {
        let folder = self.repository.path().join("base");
        fs::create_dir(&folder).unwrap();
        let source = format!("deb [trusted=yes] http://{address}:8080/ ./\n");
        fs::write(folder.join("local.list"), source).unwrap();
        let dockerfile = format!("FROM {base}\nCOPY local.list /etc/apt/sources.list.d/\n");
        fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
        self.build_base(&[]);
    }

    fn build_base(&self, more: &[&str]) {
        let build = [
            "buildx",
            "build",
            "--builder",
            "default",
            "--load",
            "--tag",
            BASE_18,
        ];
        let folder = self.repository.path().join("base");
        self.docker(&[&build[..], more, &[folder.to_str().unwrap()]].concat());
    }

    fn changes(&self, change: &[&str]) {
        let script = include_str!("archive.sh");
        let run = ["exec", "--user", "0", SERVER, "sh", "-c", script, "archive"];
        self.docker(&[&run[..], change].concat());
    }

    /// The package is wanted in another version.
    fn pins(&self, from: &str, to: &str) {
        let (from, to) = (format!("\"{from}\""), format!("\"{to}\""));
        self.repository
            .replace("extensions/local/metadata.hcl", &from, &to);
    }

    fn xtask(&self, args: &[&str]) -> Ended {
        let local = [
            "local",
            "--distro",
            "trixie",
            "--base",
            "published",
            "--json",
        ];
        let args = [&args[..1], &local, &args[1..]].concat();
        self.repository.xtask_with(&args, &[("base_image", BASE)])
    }

    fn bake(&self) -> String {
        let ended = self.xtask(&["bake"]).success();
        ended.json()[0]["result"].as_str().unwrap().to_owned()
    }

    /// How the test has ended, and what it has seen.
    fn smoke(&self) -> (String, String) {
        let row = &self.xtask(&["smoke"]).success().json()[0];
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        (text("result"), text("proof"))
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let data = [
            "image",
            "ls",
            "--quiet",
            "--filter",
            &format!("label=io.cloudnativepg.xtask.data={BASE_18}"),
        ];
        let data = self.repository.docker(&data).stdout;
        let local = [
            "image",
            "ls",
            "--format",
            "{{.Repository}}:{{.Tag}}",
            "--filter",
            "reference=*/local-testing",
        ];
        let local = self.repository.docker(&local).stdout;
        self.repository.docker(&["rm", "--force", SERVER]);
        for image in data.lines().chain(local.lines()).chain([BASE_18]) {
            self.repository.docker(&["image", "rm", "--force", image]);
        }
    }
}

#[test]
fn an_index_that_has_changed_is_seen_by_the_next_bake_and_a_package_that_is_gone_is_named() {
    let archive = Archive::new();
    archive.changes(&["add", "1.0-1", "one"]);
    assert_eq!(archive.smoke(), ("passed".into(), "it says one".into()));
    assert_eq!(archive.bake(), "unchanged");
    assert_eq!(archive.smoke(), ("unchanged".into(), "it says one".into()));
    // A newer one does not change what was asked for, and is there once it is.
    archive.changes(&["add", "1.1-1", "two"]);
    assert_eq!(archive.bake(), "unchanged");
    archive.pins("1.0-1", "1.1-1");
    assert_eq!(archive.smoke(), ("passed".into(), "it says two".into()));
    // What the archive has under the same version is what is built.
    archive.changes(&["add", "1.1-1", "three"]);
    assert_eq!(archive.bake(), "passed");
    assert_eq!(archive.smoke(), ("passed".into(), "it says three".into()));
    // Nothing of it has changed but the server that it is tried in.
    archive.build_base(&["--label", "another=one"]);
    assert_eq!(archive.smoke(), ("passed".into(), "it says three".into()));
    assert_eq!(archive.smoke().0, "unchanged");
    archive.changes(&["drop", "1.1-1"]);
    archive
        .xtask(&["bake"])
        .status(1)
        .says("Version '1.1-1' for 'postgresql-18-local' was not found");
    archive.pins("1.1-1", "1.0-1");
    assert_eq!(archive.smoke(), ("passed".into(), "it says one".into()));
}

#[test]
fn the_archive_is_asked_where_something_is_built_and_not_more_often_than_is_set() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    let asks = |args: &[&str], age: &str| {
        let args = [args, &["pgaudit", "--base", "debian"]].concat();
        let env = [("XTASK_LOG", "debug"), ("XTASK_SANDBOX_INDEX_AGE", age)];
        let ended = repository.xtask_with(&args, &env).success();
        ended.stderr.contains("apt-get -q update")
    };
    assert!(asks(&["bake"], "0"));
    assert!(asks(&["bake"], "0"), "whenever something is built");
    assert!(!asks(&["bake"], "3600"), "it was asked a moment ago");
    assert!(
        !asks(&["smoke", "--no-bake"], "0"),
        "what was built is tried"
    );
    assert!(!asks(&["inspect"], "0"), "what was built is looked at");
}
