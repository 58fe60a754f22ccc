// SPDX-License-Identifier: Apache-2.0
//! Chainsaw's table, `| 22:25:42 | test | step | OPERATION | STATUS | object`, and the marks of Go's tests around it.

use super::Reading;
use crate::tool::chainsaw;

pub(super) fn read(line: &str) -> Option<Reading> {
    if let Some(rest) = line.strip_prefix("=== ") {
        let test = rest.strip_prefix("RUN ").map(str::trim);
        let test = test.and_then(|test| test.strip_prefix("chainsaw/"));
        return Some(test.map_or(Reading::Nothing, |test| {
            Reading::Words(format!("test {test}"))
        }));
    }
    if let Some(rest) = line.strip_prefix("--- ") {
        let (how, test) = rest.split_once(": ")?;
        let test = test.split(' ').next()?;
        let Some(test) = test.strip_prefix("chainsaw/") else {
            return (test == "chainsaw").then_some(Reading::Nothing);
        };
        let how = match how {
            "PASS" => "passed",
            "FAIL" => "failed",
            _ => return Some(Reading::Nothing),
        };
        return Some(Reading::words(format!("test {test} {how}")));
    }
    if !chainsaw::is_its_own(line) {
        return None;
    }
    // `sink.go:56: ` stands before the table where its backspaces were not read.
    let (_, table) = line.split_once("| ")?;
    let mut cells = table.split('|').map(str::trim).skip(2);
    let mut cell = || cells.next().unwrap_or_default();
    let (step, operation, status, object) = (cell(), cell(), cell(), cell());
    Some(row(step, operation, status, &named(object)))
}

fn row(step: &str, operation: &str, status: &str, object: &str) -> Reading {
    let operation = operation.to_ascii_lowercase();
    let what = match (operation.as_str(), object) {
        ("try" | "catch" | "cleanup" | "finally", _) => String::new(),
        ("assert", object) => format!("wait for {object}"),
        ("cmd" | "script", _) => format!("run a {operation}").replace("cmd", "command"),
        (operation, object) => format!("{operation} {object}"),
    };
    let what = what.trim();
    if step.is_empty() {
        return Reading::Nothing;
    }
    match (status, what.is_empty()) {
        // What was printed follows on lines of its own.
        ("LOG" | "END" | "SKIP" | "WARN", _) => Reading::Nothing,
        (_, true) => match operation.as_str() {
            "try" => Reading::Words(step.to_owned()),
            after => Reading::Words(format!("{step}: {after}")),
        },
        ("ERROR", _) => Reading::Words(format!("{step}: {what}: error")),
        ("DONE" | "OK", _) => Reading::Words(format!("{step}: {what}: done")),
        _ => Reading::Words(format!("{step}: {what}")),
    }
}

/// `postgresql.cnpg.io/v1/Cluster @ namespace/name` in short: `Cluster name`.
fn named(object: &str) -> String {
    let (kind, name) = object.split_once(" @ ").unwrap_or((object, ""));
    let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    format!("{} {}", last(kind), last(name)).trim().to_owned()
}
