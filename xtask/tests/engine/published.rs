// SPDX-License-Identifier: Apache-2.0
//! What is published: in catalogs, in a bundle that is brought to a site without a network, and under a scanner.

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;

use super::release::{PASSWORD, tool};
use crate::support::{
    ended::Ended,
    referrers::Referrers,
    repository::{Registry, Repository},
};

const LOG: &str = "--no-transparency-log";

#[test]
fn what_is_published_is_in_catalogs_reaches_a_closed_site_and_is_scanned() {
    let repository = Repository::new();
    for entry in fs::read_dir(repository.path().join("extensions")).unwrap() {
        let folder = entry.unwrap();
        if !["pgvector", "pg-ivm"].contains(&folder.file_name().to_str().unwrap()) {
            fs::remove_dir_all(folder.path()).unwrap();
        }
    }
    let registry = Registry::start(&repository);
    let place = format!("{}/t", registry.host());
    let pushed = [
        "bake",
        "pgvector",
        "--push",
        "--json",
        "--metadata-file",
        "built.json",
    ];
    let pushed = repository.xtask_with(&pushed, &[("registry", &place)]);
    let image = pushed.success().json()[0].clone();
    tool(&repository, &["cosign", "generate-key-pair"]).success();
    let sign = [
        "sign",
        "--metadata-file",
        "built.json",
        LOG,
        "--key",
        "cosign.key",
    ];
    repository.xtask_with(&sign, &[PASSWORD]).success();
    let site = Site {
        repository: &repository,
        place: &place,
        digest: image["digest"].as_str().unwrap(),
    };
    site.catalogs();
    let imported = site.bundle(&registry);
    site.scan(&imported);
    repository.has_no_containers();
}

/// A registry with an image of pgvector that is signed.
struct Site<'a> {
    repository: &'a Repository,
    place: &'a str,
    digest: &'a str,
}

impl Site<'_> {
    fn xtask(&self, args: &[&str]) -> Ended {
        let env = [("registry", self.place), PASSWORD];
        self.repository.xtask_with(args, &env)
    }

    fn tool(&self, words: &[&str]) -> Ended {
        tool(self.repository, words)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.repository.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Puts the image where a bake at that moment would have put one of a target. Gives the tag.
    fn publish(&self, target: &Value, moment: &str) -> String {
        let text = |key: &str| target[key].as_str().unwrap();
        let tag = format!(
            "{}-{moment}-{}-{}",
            text("version"),
            text("pg_major"),
            text("distro")
        );
        let from = format!("{}/pgvector-testing@{}", self.place, self.digest);
        let to = format!("{}:{tag}", text("image"));
        self.tool(&[
            "oras",
            "copy",
            "--from-plain-http",
            "--to-plain-http",
            &from,
            &to,
        ])
        .success();
        to
    }

    /// For two distros, of which one lacks an image.
    fn catalogs(&self) {
        let targets = ["targets", "--images", "--json", "--base", "published"];
        let targets = self.xtask(&targets).success().json();
        let targets = targets.as_array().unwrap();
        let is_missing = |target: &Value| {
            (&target["name"], &target["distro"]) == (&"pg-ivm".into(), &"bookworm".into())
        };
        let there = targets.iter().filter(|target| !is_missing(target));
        let names: Vec<String> = there
            .map(|target| self.publish(target, "202601010000"))
            .collect();
        assert_eq!(names.len(), 3, "{targets:#?}");
        let write = ["catalogs", "--base", "published", "--output"];
        let catalogs = |more: &[&str]| self.xtask(&[&write[..], more].concat());
        catalogs(&["strict", "--strict"]).status(1);
        assert!(!self.path("strict").exists());
        let rows = catalogs(&["one", "--json"])
            .success()
            .says("of 4 images 3 new, 1 missing")
            .json();
        let states = rows.as_array().unwrap().iter().map(|row| &row["state"]);
        assert_eq!(
            states.filter(|state| **state == "missing").count(),
            1,
            "{rows:#}"
        );
        let trixie = "catalog-minimal-trixie.yaml";
        let text = self.read(&format!("one/{trixie}"));
        for name in &names {
            let wanted = format!("reference: {name}@{}\n", self.digest);
            assert_eq!(text.contains(&wanted), name.ends_with("trixie"), "{text}");
        }
        catalogs(&["two"]).success();
        for file in [trixie, "catalog-minimal-bookworm.yaml"] {
            assert_eq!(
                self.read(&format!("one/{file}")),
                self.read(&format!("two/{file}"))
            );
        }
        self.keep(trixie, &text, &names, &catalogs);
    }

    /// An image that holds the same under another digest takes no one's place, and what others have written stays. Signed then.
    fn keep(&self, file: &str, text: &str, names: &[String], catalogs: &impl Fn(&[&str]) -> Ended) {
        let vector = |name: &&String| name.contains("pgvector") && name.ends_with("trixie");
        let old = names.iter().find(vector).unwrap();
        let new = old.replace("202601010000", "202602010000");
        let fetch = ["oras", "manifest", "fetch", "--plain-http", old];
        let mut index: Value = self.tool(&fetch).success().json();
        index["annotations"]["org.opencontainers.image.created"] = "2026-02-01T00:00:00Z".into();
        fs::write(self.path("index.json"), index.to_string()).unwrap();
        let push = [
            "oras",
            "manifest",
            "push",
            "--plain-http",
            &new,
            "index.json",
        ];
        self.tool(&push).success();
        let mine = text.replace("spec:\n", "# Ours.\nspec:\n  more: 1\n");
        fs::write(self.path(&format!("one/{file}")), &mine).unwrap();
        let sign = ["one", "--sign", LOG, "--key", "cosign.key"];
        catalogs(&sign)
            .success()
            .says("1 kept, as a newer one holds the same");
        assert_eq!(self.read(&format!("one/{file}")), mine);
        let bundle = format!("one/{file}.sigstore.json");
        let path = format!("one/{file}");
        let verify = || {
            let words = ["cosign", "verify-blob", "--key", "cosign.pub"];
            let offline = ["--insecure-ignore-tlog", "--bundle", &bundle, &path];
            self.tool(&[&words[..], &offline].concat())
        };
        verify().success();
        fs::write(self.path(&path), mine.replace("more: 1", "more: 2")).unwrap();
        assert_ne!(verify().status, Some(0));
    }

    /// Gives the image where it was brought to.
    fn bundle(&self, registry: &Registry) -> String {
        let export = ["bundle", "export", "site.tar", "pgvector"];
        let without = ["--without-base", "--set", "cnpg.manifest=operator.yaml"];
        self.put_operator();
        let rows = self
            .xtask(&[&export[..], &without, &["--json"]].concat())
            .success()
            .json();
        assert_eq!(rows[1]["digest"], self.digest, "{rows:#}");
        let first = fs::read(self.path("site.tar")).unwrap();
        self.xtask(&[&export[..], &without].concat()).success();
        assert!(
            first == fs::read(self.path("site.tar")).unwrap(),
            "not the same for the same images"
        );
        self.import_without_network();
        // A registry without the API for referrers, which the engine reaches.
        let to = format!("{}/site", registry.host());
        let import = ["bundle", "import", "site.tar", "--to", &to, "--json"];
        let imported = self.xtask(&import).success().json();
        let operator = imported[0]["pushed"].as_str().unwrap();
        let manifest = self.read("target/xtask/bundle/operator-manifest.yaml");
        assert!(
            operator.starts_with(&format!("{to}/t/operator:1@sha256:"))
                && manifest.contains(&format!("image: {operator}\n")),
            "{manifest}"
        );
        let imported = imported[1]["pushed"].as_str().unwrap().to_owned();
        assert!(
            imported.starts_with(&format!("{to}/t/pgvector-testing"))
                && imported.ends_with(self.digest),
            "{imported}"
        );
        let verify = ["verify", LOG, "--key", "cosign.pub", &imported];
        self.xtask(&verify).success().says("1 of 1 passed");
        let smoke = ["smoke", "pgvector", "--image", &imported];
        self.xtask(&smoke).success().says("1 of 1 passed");
        imported
    }

    /// An operator, as small as one can be, with its manifest.
    fn put_operator(&self) {
        let image = format!("{}/operator:1", self.place);
        let push = [
            "oras",
            "push",
            "--plain-http",
            &image,
            "built.json:text/plain",
        ];
        self.tool(&push).success();
        let manifest = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: cnpg-controller-manager\n\
             spec:\n  template:\n    spec:\n      containers:\n      - image: {image}\n"
        );
        fs::write(self.path("operator.yaml"), manifest).unwrap();
    }

    /// Into a registry that is all there is: no route leads anywhere else.
    fn import_without_network(&self) {
        let program = Referrers::program(self.repository);
        let script = format!(
            "set -eu\nunset XTASK_SANDBOX XTASK_SANDBOX_FOLDER XTASK_SANDBOX_BASE\nip link set lo up\n{program} 127.0.0.1:9 arrived & registry=$!\n\
             until oras repo ls --plain-http localhost:9 > /dev/null 2>&1; do sleep 0.1; done\n\
             if oras resolve ghcr.io/cloudnative-pg/pgvector:1 2> /dev/null; then exit 9; fi\n\
             ./program bundle import site.tar --to localhost:9\n\
             ./program bundle import site.tar --to localhost:9 > again\n\
             oras discover --plain-http localhost:9/t/pgvector-testing@{digest} > referring\n\
             kill $registry\n",
            program = program.display(),
            digest = self.digest,
        );
        fs::write(self.path("import.sh"), script).unwrap();
        fs::hard_link(env!("CARGO_BIN_EXE_xtask"), self.path("program")).unwrap();
        // As root, as one in a namespace of its own, or where that is forbidden by way of sudo.
        let ways: [&[&str]; 3] = [
            &["unshare", "--net"],
            &["unshare", "--map-root-user", "--net"],
            &["sudo", "--non-interactive", "unshare", "--net"],
        ];
        let works = |way: &&&[&str]| {
            let words = [way, &["ip", "link", "set", "lo", "up"][..]].concat();
            self.tool(&words).status == Some(0)
        };
        let way = ways.iter().find(works).unwrap();
        self.tool(&[way, &["sh", "import.sh"][..]].concat())
            .success()
            .says("2 images in `localhost:9`");
        // The image, and below it its signature.
        let referring = self.read("referring");
        assert!(referring.lines().count() > 1, "{referring}");
    }

    /// With debsecan, and with data in which there is one fault.
    fn scan(&self, image: &str) {
        let programs = debsecan(self.repository);
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", programs.display());
        let scan = |more: &[&str]| {
            let words = ["scan", image, "--with", "debsecan"];
            let env = [("PATH", &*path), ("XTASK_SCAN_TRACKER", "tracker")];
            self.repository
                .xtask_with(&[&words[..], more].concat(), &env)
        };
        let rows = scan(&["--json"]).success().json();
        assert_eq!(
            (&rows[0]["errors"], &rows[0]["notes"]),
            (&1.into(), &0.into()),
            "{rows:#}"
        );
        let report = self.read(rows[0]["report"].as_str().unwrap());
        assert!(report.starts_with("CVE-2026-0001 postgresql-"), "{report}");
        scan(&["--fail-on", "error"]).status(1).says("1 error");
        fs::remove_dir_all(self.path("tracker")).unwrap();
        scan(&[]).status(1).says("tracker");
    }
}

/// Debsecan as Debian has it, unpacked, and data for it in `tracker`. Gives the folder with the program.
fn debsecan(repository: &Repository) -> PathBuf {
    let folder = repository.path().join("debsecan");
    let tracker = repository.path().join("tracker");
    let script = format!(
        "set -eu\nmkdir -p {folder} {tracker}\ncd {folder}\n\
         apt-get --quiet --quiet download debsecan python3-apt\n\
         for package in *.deb; do dpkg -x \"$package\" .; done\n\
         mkdir bin\n\
         printf '#!/bin/sh\\nPYTHONPATH={folder}/usr/lib/python3/dist-packages exec /usr/bin/python3 {folder}/usr/bin/debsecan \"$@\"\\n' > bin/debsecan\n\
         chmod +x bin/debsecan\n\
         for suite in {SUITES}; do /usr/bin/python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.argv[1].encode()))' \"$1\" > {tracker}/$suite; done\n",
        folder = folder.display(),
        tracker = tracker.display(),
    );
    let output = Command::new("sh")
        .args(["-c", &script, "sh", TRACKER])
        .output();
    Ended::from(&output.unwrap()).success();
    folder.join("bin")
}

/// Of which an image may be.
const SUITES: &str = "bookworm trixie forky sid";

/// As the security tracker writes it: faults, the packages that have them, and what is made of which source. One is of a version
/// that nobody has, and one of a package that no image has.
const TRACKER: &str = "VERSION 1\n\
    CVE-2026-0001,,planted\n\
    CVE-2026-0002,,of another package\n\
    \n\
    pgvector,0,SHRF,99:1-1,\n\
    nosuchpackage,1,SHRF,99:1-1,\n\
    \n\
    pgvector,postgresql-17-pgvector postgresql-18-pgvector\n";
