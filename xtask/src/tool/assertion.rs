// SPDX-License-Identifier: Apache-2.0
//! Assertions of a Chainsaw suite: how long each may take, and which the cluster's API has not answered.
//!
//! Chainsaw 0.2.14 tries an assertion again until its time is over. An error of the API other than `NotFound` ends it
//! at once, and then it prints what it had found wrong the time before: only the clock tells the two apart. Seen with
//! an API server that was killed: 15 s after it began, an assertion that had 3 min was failed.

use std::time::Duration;

use serde_json::Value;

use super::chainsaw::is_its_own;
use crate::yaml;

/// What a cluster's API says when it could not answer; `NotFound` is an answer.
const UNANSWERED: &[&str] = &[
    "connection refused",
    "connection reset by peer",
    "client connection lost",
    "unexpected EOF",
    "TLS handshake timeout",
    "i/o timeout",
    "etcdserver: ",
    "Internal error occurred",
    "too many requests",
    "Too many requests",
    "failed to get server groups: ",
    "the server was unable to return a response",
    "the server is currently unable to handle the request",
];

/// Lines have whole seconds, and an assertion that is given up may end a little early.
const INEXACT: Duration = Duration::from_secs(2);

/// The least time that an assertion of a suite may take, of the texts of its files. None where they do not say it, or
/// say it in a way that only Chainsaw understands.
pub(crate) fn shortest<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Duration> {
    let mut found = Vec::new();
    for text in texts {
        let value = yaml::from_text(text)?;
        // A test that does not say it takes what Chainsaw was configured with.
        if value["kind"] == "Test" && value.pointer("/spec/timeouts/assert").is_none() {
            return None;
        }
        collect(&value, &mut found);
    }
    found.into_iter().min()?
}

/// Both places where a suite says it: `timeouts: {assert: 1m}` and `assert: {timeout: 1m}`.
fn collect(value: &Value, found: &mut Vec<Option<Duration>>) {
    for (outer, inner) in [("timeouts", "assert"), ("assert", "timeout")] {
        if let Some(time) = value.get(outer).and_then(|value| value.get(inner)) {
            found.push(time.as_str().and_then(duration));
        }
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// A duration as Go writes it, in whole numbers: `1h`, `1m30s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return None,
        };
        sum = sum.checked_add(unit.checked_mul(u32::try_from(number).ok()?)?)?;
        rest = &rest[end..];
    }
    (!sum.is_zero()).then_some(sum)
}

/// Why an assertion was not answered, from a suite's output, of whose assertions none may end before `shortest`. None:
/// nothing failed so, or something was asserted and found wrong.
pub(crate) fn unanswered(output: &str, shortest: Option<Duration>) -> Option<String> {
    let mut lines = output.lines().map(str::trim);
    let mut begun: Vec<(&str, Duration)> = Vec::new();
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        let Some(entry) = Entry::read(line) else {
            continue;
        };
        if entry.operation == "ASSERT" && entry.state == "RUN" {
            begun.retain(|(what, _)| *what != entry.what);
            begun.push((entry.what, entry.at));
        }
        let asserts = ["ASSERT", "ERROR", "INTERNAL"].contains(&entry.operation);
        if !asserts || entry.state != "ERROR" || lines.next() != Some("=== ERROR") {
            continue;
        }
        let said = lines.next().unwrap_or_default();
        let took = begun
            .iter()
            .find(|(what, _)| *what == entry.what && entry.operation == "ASSERT")
            .map(|(_, since)| entry.since(*since));
        all.push(why(entry.what, said, took.zip(shortest)));
    }
    // One that was found wrong is enough.
    all.into_iter().collect::<Option<Vec<String>>>()?.pop()
}

fn why(what: &str, said: &str, times: Option<(Duration, Duration)>) -> Option<String> {
    // An assertion that was found wrong begins with a line of dashes.
    if UNANSWERED.iter().any(|part| said.contains(part)) {
        return Some(said.to_owned());
    }
    let (took, shortest) = times?;
    // It is not tried any more when it does not exist, and time is left.
    (took + INEXACT < shortest).then(|| {
        format!(
            "the cluster's API did not answer: the assertion of `{what}` was ended after {} s, and none may end before {} s",
            took.as_secs(),
            shortest.as_secs()
        )
    })
}

/// One of Chainsaw's own lines: `| 02:15:18 | test | step | ASSERT | ERROR | what`.
struct Entry<'a> {
    at: Duration,
    operation: &'a str,
    state: &'a str,
    what: &'a str,
}

impl<'a> Entry<'a> {
    fn read(line: &'a str) -> Option<Self> {
        if !is_its_own(line) {
            return None;
        }
        let mut cells = line.split('|').skip(1).map(str::trim);
        let mut time = cells.next()?.split(':').map(str::parse);
        let mut next = || time.next()?.ok();
        let (hours, minutes, seconds): (u64, u64, u64) = (next()?, next()?, next()?);
        // The test and the step.
        let mut cells = cells.skip(2);
        Some(Self {
            at: Duration::from_secs((hours * 60 + minutes) * 60 + seconds),
            operation: cells.next()?,
            state: cells.next()?,
            what: cells.next().unwrap_or_default(),
        })
    }

    /// The time of day may have begun anew.
    fn since(&self, earlier: Duration) -> Duration {
        let day = Duration::from_secs(24 * 3600);
        self.at
            .checked_sub(earlier)
            .unwrap_or((self.at + day).saturating_sub(earlier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

    fn failed(operation: &str, text: &str) -> String {
        format!(
            "    | 22:09:06 | shared | a | {operation:<8} | ERROR | v1/Pod @ x/y\n        === ERROR\n        {text}\n    | 22:09:06 | shared | a | TRY | END |\n"
        )
    }

    #[test]
    fn only_an_assertion_without_an_answer_is_an_api_error() {
        let refused =
            "Get \"https://127.0.0.1:1/api\": dial tcp 127.0.0.1:1: connect: connection refused";
        let no_groups = "failed to get server groups: unknown";
        for (operation, text) in [
            ("ASSERT", refused),
            ("INTERNAL", refused),
            ("INTERNAL", no_groups),
            ("ASSERT", "etcdserver: request timed out"),
        ] {
            let found = unanswered(&failed(operation, text), None);
            assert_eq!(found.as_deref(), Some(text));
        }
        for (operation, text) in [
            ("ASSERT", "actual resource not found"),
            (
                "ASSERT",
                "----------\n        v1/Pod/x\n        status.message: \"connection refused\"",
            ),
            ("SCRIPT", "psql: connection refused"),
        ] {
            let found = unanswered(&failed(operation, text), None);
            assert_eq!(found, None, "{operation} {text}");
        }
        let both = failed("ASSERT", "actual resource not found") + &failed("ASSERT", refused);
        assert_eq!(unanswered(&both, None), None);
        assert_eq!(unanswered("ERROR: connection refused", None), None);
    }

    #[test]
    fn an_assertion_that_ends_before_its_time_was_not_answered() {
        let wrong = failed("ASSERT", "----------");
        for (begun, early) in [
            ("22:08:51", true),
            ("22:08:09", true),
            ("22:08:07", false),
            ("22:08:05", false),
            ("23:59:59", false),
        ] {
            let output =
                format!("    | {begun} | shared | a | ASSERT   | RUN   | v1/Pod @ x/y\n{wrong}");
            let found = unanswered(&output, MINUTE);
            assert_eq!(found.is_some(), early, "{begun}: {found:?}");
            assert_eq!(unanswered(&output, None), None);
        }
        // Of another object, or an operation that is none.
        let other = format!("    | 22:09:00 | shared | a | ASSERT | RUN | v1/Pod @ x/z\n{wrong}");
        assert_eq!(unanswered(&other, MINUTE), None);
    }

    #[test]
    fn the_least_time_is_that_of_the_suite_and_of_its_steps() {
        let suite = "spec:\n  timeouts:\n    assert: \"3m\"\n";
        let step = "try:\n- assert:\n    timeout: 1m30s\n- script:\n    timeout: 5s\n";
        let shortest = |texts: &[&str]| shortest(texts.iter().copied());
        assert_eq!(shortest(&[suite]), Some(Duration::from_secs(180)));
        assert_eq!(shortest(&[suite, step]), Some(Duration::from_secs(90)));
        for unknown in [
            "assert:\n  timeout: ($time)",
            "assert: {timeout: 3}",
            "a: [",
        ] {
            assert_eq!(shortest(&[suite, unknown]), None, "{unknown}");
        }
        assert_eq!(shortest(&["spec: {}"]), None);
        assert_eq!(shortest(&[suite, "kind: Test\nspec: {}"]), None);
        for bad in ["", "s", "3", "1x", "1m2", "99999999999h"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
