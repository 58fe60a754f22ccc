// SPDX-License-Identifier: Apache-2.0
//! What the documents refer to exists: links, tests, files, versions.

use std::{collections::BTreeSet, path::PathBuf};

use super::repository::{documents, files, root, text, xtask};

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().replace(' ', "-")
}

/// A text without its blocks of code and its pieces of it.
fn outside_of_code(markdown: &str) -> String {
    let mut is_code = false;
    let lines = markdown.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        is_code ^= fence;
        !is_code && !fence
    });
    let text: Vec<&str> = lines.collect();
    text.join("\n").split('`').step_by(2).collect()
}

#[test]
fn links_within_the_repository_lead_somewhere() {
    let documents = documents();
    assert!(documents.len() > 20, "only {documents:?}");
    for file in &documents {
        let path = root().join(file);
        let markdown = text(file);
        let links = outside_of_code(&markdown);
        let links = links.split("](").skip(1);
        let links = links.map(|rest| rest.split(')').next().unwrap_or_default());
        for link in links.filter(|link| !link.contains("://")) {
            let (other, heading) = link.split_once('#').unwrap_or((link, ""));
            let other = match other {
                "" => path.clone(),
                other => path.parent().unwrap().join(other),
            };
            assert!(other.exists(), "{file}: `{link}` does not exist");
            if !heading.is_empty() {
                let other = std::fs::read_to_string(other).unwrap();
                let mut headings = other.lines().filter(|line| line.starts_with('#'));
                let is_there = headings.any(|line| anchor(line) == heading);
                assert!(is_there, "{file}: no heading for `{link}`");
            }
        }
    }
}

/// What the page on troubles says that the program says stands in the sources.
#[test]
fn every_message_that_is_explained_is_one_of_the_programs() {
    let rust = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs");
    let sources: String = files("xtask/src")
        .iter()
        .filter(|path| rust(path))
        .map(|path| text(&path.to_string_lossy()))
        .collect();
    let page = text("docs/troubleshooting.md");
    let own = page.split("## ").nth(1).unwrap();
    let rows = own.lines().filter(|line| line.starts_with("| `"));
    let mut count = 0;
    for row in rows {
        let message = row.split('`').nth(1).unwrap();
        assert!(sources.contains(message), "nothing says `{message}`");
        count += 1;
    }
    assert!(count > 10, "only {count} messages are explained");
}

#[test]
fn what_is_made_of_the_program_is_current() {
    let output = xtask(&["ci", "docs", "--check"].map(str::to_owned), &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Each row of its tables has a promise, where it is proven, and by what.
#[test]
fn every_promise_names_tests_that_exist() {
    let is_name = |word: &&str| {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.contains('_') && word.chars().all(letter)
    };
    let rust = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs");
    let sources: String = files("xtask")
        .iter()
        .filter(|path| rust(path))
        .map(|path| text(&path.to_string_lossy()))
        .collect();
    let mut named = 0;
    for row in text("docs/reliability.md")
        .lines()
        .filter(|line| line.starts_with("| "))
    {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if cells[0] == "promise" {
            continue;
        }
        let proof: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(!proof.is_empty(), "`{}` has no proof", cells[0]);
        for name in proof.into_iter().filter(is_name) {
            named += 1;
            let test = format!("#[test]\nfn {name}() {{");
            let there = sources.replace("    ", "").contains(&test);
            assert!(there, "docs/reliability.md: there is no test `{name}`");
        }
    }
    assert!(named > 20, "only {named} tests are named");
}

#[test]
fn the_changelog_knows_this_version() {
    let changelog = text("CHANGELOG.md");
    let version = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(changelog.contains("## [Unreleased]") || changelog.contains(&version));
}

#[test]
fn the_map_has_every_module_and_the_whole_is_short() {
    let architecture = text("ARCHITECTURE.md");
    let words = architecture.split_whitespace().count();
    assert!(words <= 1500, "ARCHITECTURE.md has {words} words");
    let (_, map) = architecture
        .split_once("| module | what is in it |")
        .unwrap();
    let (map, _) = map.split_once("\n\n").unwrap();
    let names = map.lines().filter_map(|line| line.split('|').nth(1));
    let mapped: BTreeSet<String> = names
        .flat_map(|names| names.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let there: BTreeSet<String> = files("xtask/src")
        .iter()
        .map(|path| path.strip_prefix("xtask/src").unwrap())
        .map(|path| path.iter().next().unwrap().to_string_lossy())
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect();
    assert_eq!(mapped, there, "modules in the map, and those in xtask/src");
}
