// SPDX-License-Identifier: Apache-2.0
//! An extension's own regression tests, against its image.

use std::fs;

use serde_json::{Value, json};

use super::creation::Source;
use crate::support::{ended::Ended, repository::Repository};

fn installcheck(repository: &Repository, more: &[&str]) -> Ended {
    repository.xtask(&[&["installcheck", "pgaudit", "--json"], more].concat())
}

#[track_caller]
fn row(ended: &Ended, test: &str) -> Value {
    let rows = ended.json();
    let mut rows = rows.as_array().unwrap().iter();
    let found = rows.find(|row| row["test"] == test);
    found
        .unwrap_or_else(|| panic!("{test} is not in {ended:#?}"))
        .clone()
}

/// An image whose script takes away what it has just made: what is dropped is not audited any more.
#[test]
fn a_difference_is_shown_and_one_that_is_known_is_none() {
    let repository = Repository::new();
    let ended = installcheck(&repository, &[]).success();
    let whole = row(&ended, "pgaudit");
    assert!(
        whole["result"] == "passed" && whole["known"] == Value::Null,
        "{whole:#}"
    );

    let dockerfile = repository.path().join("docker/Dockerfile");
    let text = fs::read_to_string(&dockerfile).unwrap();
    let end = "\nFROM scratch\n";
    let planted = "RUN cd /build/image/share/extension; for script in pgaudit--*.sql; do echo 'DROP EVENT TRIGGER pgaudit_sql_drop;' >> $script; done";
    fs::write(&dockerfile, text.replace(end, &format!("{planted}\n{end}"))).unwrap();
    let ended = installcheck(&repository, &[]).status(1);
    let broken = row(&ended, "pgaudit");
    assert_eq!(broken["result"], "failed", "{broken:#}");
    let lines = broken["difference"].as_array().unwrap();
    let is_shown = lines
        .iter()
        .any(|line| line.as_str().unwrap().starts_with("-NOTICE:  AUDIT"));
    assert!(is_shown, "{broken:#}");
    let ended = ended.says("1 of 1 regression tests differ from what is expected");
    ended.says("`known_differences` of metadata.hcl");

    let known = "  known_differences = { pgaudit = \"no drop is audited\", gone = \"of old\" }\n  create_extension ";
    repository.replace(
        "extensions/pgaudit/metadata.hcl",
        "  create_extension ",
        known,
    );
    let ended = installcheck(&repository, &[]).success();
    let known = row(&ended, "pgaudit");
    assert_eq!(known["result"], "passed", "{known:#}");
    assert_eq!(known["known"], json!("no drop is audited"), "{known:#}");
    ended.says("`known_differences` names `gone`, and there is no such test");
    repository.has_no_containers();
}

/// An archive by its address, as of an extension that is compiled from a source.
#[test]
fn the_tests_of_an_archive_are_run_if_it_is_the_one_that_was_said() {
    let repository = Repository::new();
    // With that there is a base image.
    repository.xtask(&["bake", "pgaudit"]).success();
    let source = Source::of(&repository, "sums", "sums.tar.gz");
    let from = ["--source", &source.url, "--checksum"];
    let ended = installcheck(&repository, &[&from[..], &[&source.checksum]].concat()).status(1);
    assert_eq!(row(&ended, "right")["result"], "passed");
    let wrong = row(&ended, "wrong");
    assert_eq!(wrong["result"], "failed", "{wrong:#}");
    let lines = wrong["difference"].as_array().unwrap();
    assert!(
        lines.contains(&json!("-   5")) && lines.contains(&json!("+   4")),
        "{wrong:#}"
    );
    ended.says("1 of 2 regression tests differ from what is expected");
    let other = "0".repeat(64);
    installcheck(&repository, &[&from[..], &[&other]].concat())
        .status(1)
        .says("the source cannot be had");
}
