// SPDX-License-Identifier: Apache-2.0
//! renovate.json finds what is pinned in this repository, by its whole version and no more. Renovate itself is not run: its
//! expressions are, which are of a kind that both take.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use glob::{MatchOptions, Pattern};
use regex_lite::{Captures, Regex};
use serde_json::Value;

use super::repository::{files, text};

/// A manager with expressions of its own.
struct Manager {
    about: String,
    patterns: Vec<Pattern>,
    expressions: Vec<Regex>,
    /// What is taken of a version that the archive has, unless a comment says otherwise.
    extract: Option<Regex>,
}

/// What one of them has found.
struct Found {
    manager: String,
    /// The line of the comment.
    comment: String,
    name: String,
    value: String,
    digest: Option<String>,
    extract: Option<Regex>,
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|text| text.as_str().unwrap()).collect()
}

fn settings() -> Value {
    serde_json::from_str(&text("renovate.json")).unwrap()
}

fn managers() -> Vec<Manager> {
    let settings = settings();
    let managers = settings["customManagers"].as_array().unwrap().iter();
    let read = |manager: &Value| Manager {
        about: manager["description"].as_str().unwrap().to_owned(),
        patterns: texts(&manager["managerFilePatterns"])
            .into_iter()
            .map(|pattern| Pattern::new(pattern).unwrap())
            .collect(),
        expressions: texts(&manager["matchStrings"])
            .into_iter()
            .map(|text| Regex::new(text).unwrap())
            .collect(),
        extract: manager["extractVersionTemplate"]
            .as_str()
            .map(|text| Regex::new(text).unwrap()),
    };
    managers.map(read).collect()
}

impl Manager {
    fn reads(&self, path: &Path) -> bool {
        let strict = MatchOptions {
            require_literal_separator: true,
            ..MatchOptions::default()
        };
        let mut patterns = self.patterns.iter();
        patterns.any(|pattern| pattern.matches_path_with(path, strict))
    }

    fn found(&self, path: &Path) -> Vec<Found> {
        let source = text(&path.to_string_lossy());
        let of = |captures: Captures<'_>| {
            let group = |name| Some(captures.name(name)?.as_str().to_owned());
            let start = captures.get(0).unwrap().start();
            let start = source[..start].matches('\n').count();
            let said = group("extractVersion").map(|text| Regex::new(&text).unwrap());
            Found {
                manager: self.about.clone(),
                comment: format!("{}:{}", path.display(), start + 1),
                name: group("depName").unwrap(),
                value: group("currentValue").unwrap(),
                digest: group("currentDigest"),
                extract: said.or_else(|| self.extract.clone()),
            }
        };
        let expressions = self.expressions.iter();
        expressions
            .flat_map(|expression| {
                expression
                    .captures_iter(&source)
                    .map(of)
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

/// The files that Renovate would read.
fn read() -> Vec<PathBuf> {
    let settings = settings();
    let ignored = texts(&settings["ignorePaths"]);
    let ignored: Vec<Pattern> = ignored
        .iter()
        .map(|text| Pattern::new(text).unwrap())
        .collect();
    let mut all = files(".");
    all.retain(|path| !ignored.iter().any(|pattern| pattern.matches_path(path)));
    all
}

fn all_found() -> Vec<Found> {
    let (managers, files) = (managers(), read());
    let of = |path: &PathBuf| {
        let reading = managers.iter().filter(|manager| manager.reads(path));
        reading
            .flat_map(|manager| manager.found(path))
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(of).collect()
}

#[test]
fn what_is_built_from_source_is_followed_where_it_is() {
    let metadata = Path::new("extensions/x/metadata.hcl");
    let reading = managers().into_iter().filter(|one| one.reads(metadata));
    let expressions: Vec<Regex> = reading.flat_map(|one| one.expressions).collect();
    for (comment, name, source) in [
        (
            "datasource=github-tags depName=o/x extractVersion=^v?(?<version>.+)$",
            "o/x",
            "github-tags",
        ),
        ("datasource=crate depName=x", "x", "crate"),
    ] {
        let text = format!(
            "        // renovate: {comment}\n        package = \"1.2.0-rc.1\"\n        sql     = \"1.2\"\n"
        );
        let found = expressions.iter().filter_map(|one| one.captures(&text));
        let found: Vec<Captures<'_>> = found.collect();
        assert_eq!(found.len(), 1, "{comment}");
        assert_eq!(&found[0]["datasource"], source);
        assert_eq!(&found[0]["depName"], name);
        assert_eq!(&found[0]["currentValue"], "1.2.0-rc.1");
    }
}

/// What is after the mark of a comment, where it is one for Renovate.
fn is_comment(line: &str) -> bool {
    let text = line.trim_start();
    let text = text.strip_prefix("//").or_else(|| text.strip_prefix('#'));
    text.is_some_and(|text| text.trim_start().starts_with("renovate: "))
}

#[test]
fn every_comment_is_found_by_one_manager() {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in all_found() {
        found.entry(one.comment).or_default().push(one.manager);
    }
    let mut comments = BTreeSet::new();
    for path in read() {
        let Ok(source) = fs_err::read_to_string(super::repository::root().join(&path)) else {
            continue;
        };
        // Documents show what a comment looks like.
        let is_document =
            path.extension().is_some_and(|end| end == "md") && !path.ends_with("README.md");
        if path.starts_with("xtask/src") && !path.ends_with("settings.rs") || is_document {
            continue;
        }
        let lines = source.lines().enumerate();
        let lines = lines.filter(|(_, line)| is_comment(line));
        comments.extend(lines.map(|(at, _)| format!("{}:{}", path.display(), at + 1)));
    }
    assert!(comments.len() > 50, "only {} comments", comments.len());
    for comment in &comments {
        let by = found.get(comment).map_or(0, Vec::len);
        assert_eq!(by, 1, "{comment} is found by {by} managers");
    }
    let stray: Vec<&String> = found.keys().filter(|at| !comments.contains(*at)).collect();
    assert!(stray.is_empty(), "{stray:?}");
}

#[test]
fn pins_of_metadata_are_found_as_they_are() {
    let mut pins = 0;
    for path in files("extensions")
        .iter()
        .filter(|path| path.ends_with("metadata.hcl"))
    {
        let source = text(&path.to_string_lossy());
        let value = |line: &str| {
            let (key, value) = line.split_once('=')?;
            let is_pin = matches!(key.trim(), "package" | "sql");
            is_pin.then(|| value.trim().trim_matches('"').to_owned())
        };
        let wanted: Vec<String> = source.lines().filter_map(value).collect();
        let all = managers();
        let reading = all.iter().filter(|manager| manager.reads(path));
        let found = reading.flat_map(|manager| manager.found(path));
        let found: Vec<String> = found.map(|found| found.value).collect();
        assert_eq!(found, wanted, "{}", path.display());
        pins += wanted.len();
    }
    assert!(pins > 20, "only {pins} pins");
}

#[test]
fn images_are_found_with_tag_and_digest() {
    let found = all_found();
    for image in [
        "kindest/node",
        "registry",
        "ghcr.io/kyverno/chainsaw",
        "alpine/psql",
    ] {
        let mut of_it = found.iter().filter(|found| found.name == image).peekable();
        assert!(of_it.peek().is_some(), "{image} is not found");
        for found in of_it {
            let digest = found.digest.as_deref().unwrap_or_default();
            let source = text(found.comment.rsplit_once(':').unwrap().0);
            let whole = format!("{image}:{}@{digest}", found.value);
            assert!(source.contains(&whole), "{}: `{whole}`", found.comment);
        }
    }
}

/// A version that is proposed is the one that bake makes of the package's: what is not digits and dots is no part of it.
#[test]
fn what_is_taken_of_a_package_s_version_stops_where_bake_stops() {
    let readmes = all_found().into_iter();
    let readmes = readmes.filter(|found| {
        found.comment.starts_with("extensions/") && found.comment.contains("README")
    });
    let mut tried = 0;
    for found in readmes {
        let extract = found
            .extract
            .as_ref()
            .unwrap_or_else(|| panic!("{}", found.comment));
        let parts = found.value.matches('.').count() + 1;
        let digits = ["7", "11", "13", "17"][..parts].join(".");
        for version in [
            format!("{digits}-2.pgdg13+1"),
            format!("{digits}~rc1-1"),
            format!("{digits}+dfsg-3~bpo13+1"),
        ] {
            let taken = extract.captures(&version);
            let taken = taken.unwrap_or_else(|| panic!("{}: `{version}`", found.comment));
            assert_eq!(&taken["version"], digits, "{}: `{version}`", found.comment);
            tried += 1;
        }
    }
    assert!(tried > 20, "only {tried} versions");
    let images = managers();
    let images = images
        .iter()
        .find(|manager| manager.extract.is_some())
        .unwrap();
    let expression = images.extract.as_ref().unwrap();
    assert_eq!(
        &expression.captures("1:6.1.0~beta1-2").unwrap()["version"],
        "6.1.0"
    );
    let example = "# renovate: suite=trixie-pgdg depName=postgresql-18-x\n  reference: localhost:5000/a/x:1-6.1.0-18-trixie";
    let found = images.expressions[0].captures(example).unwrap();
    assert_eq!(&found["currentValue"], "6.1.0");
}
