// SPDX-License-Identifier: Apache-2.0
//! docs/migration.md has every word of the old tooling, and says of each task what the program makes of it.

use clap::Parser;
use xtask::{cli::Cli, dialect};

use super::{commands::Line, repository::text};

const FILE: &str = "docs/migration.md";

/// The cells of each row of the tables below a heading, without the row of their names.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let document = text(FILE);
    let section = document.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| "));
    let cells = lines.map(|line| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    });
    let rows: Vec<Vec<String>> = cells.collect();
    let is_heading = |row: &&Vec<String>| !row[0].starts_with('`');
    rows.iter()
        .filter(|row| !is_heading(row))
        .cloned()
        .collect()
}

/// What is between backticks.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// A command as it is understood; an extension's name and the option for it are the same.
fn understood(line: &Line) -> String {
    let words = std::iter::once("cargo xtask".to_owned()).chain(line.canonical());
    match Cli::try_parse_from(words) {
        Ok(cli) => format!("{cli:?}")
            .replace("targets: [], more: ", "targets: ")
            .replace(", more: []", ""),
        Err(error) => panic!("{FILE}: `{}`: {error}", line.text),
    }
}

fn line(command: &str) -> Line {
    Line::parse(FILE, command).unwrap_or_else(|| panic!("{FILE}: `{command}` is no command"))
}

#[test]
fn each_task_is_the_command_beside_it() {
    let rows = rows("Tasks");
    assert!(rows.len() > 20, "only {} rows", rows.len());
    for row in rows {
        let before = code(&row[0]).next().unwrap();
        let words = before.strip_prefix("task").unwrap();
        let same = line(&format!("cargo xtask{words}"));
        let now = line(code(&row[1]).next().unwrap());
        assert_eq!(understood(&same), understood(&now), "{FILE}: `{before}`");
    }
}

#[test]
fn every_command_of_the_tables_is_understood() {
    let mut seen = 0;
    for text in code(&text(FILE)).filter(|text| text.starts_with("cargo xtask ")) {
        understood(&line(text));
        seen += 1;
    }
    assert!(seen > 30, "only {seen} commands");
}

#[test]
fn every_task_and_variable_of_the_old_tooling_is_there() {
    let tasks = rows("Tasks");
    let called = |name: &str| {
        let is_it = |word: &str| word.split(' ').nth(1) == Some(name);
        tasks.iter().any(|row| code(&row[0]).any(is_it))
    };
    let lacking: Vec<&str> = dialect::tasks().filter(|name| !called(name)).collect();
    assert_eq!(lacking, [""; 0], "tasks that {FILE} lacks");
    let variables = rows("Variables");
    let named = |name: &str| {
        let mut cells = variables.iter().flat_map(|row| code(&row[0]));
        cells.any(|word| word == name)
    };
    let lacking: Vec<&str> = dialect::variables().filter(|name| !named(name)).collect();
    assert_eq!(lacking, [""; 0], "variables that {FILE} lacks");
}

/// A setting that does not exist would be worse than none.
#[test]
fn what_is_for_good_is_a_setting() {
    let settings = super::repository::stdout(&["config", "--json"]);
    let mut seen = 0;
    for row in rows("Variables") {
        for key in code(&row[2]) {
            assert!(settings.contains(&format!("\"{key}\"")), "{FILE}: `{key}`");
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} settings");
}
