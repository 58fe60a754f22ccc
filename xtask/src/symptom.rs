// SPDX-License-Identifier: Apache-2.0
//! What tools, servers and clusters were seen to say when something is wrong, and what it means.
//!
//! Three tables of one type, each compiled once: what helps when a command has failed, which [`advice`] gives on
//! the one way from a [`CmdFailure`] to a failure; and the probable cause that a cluster's or this machine's
//! texts show, which is looked for where a step keeps evidence.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use crate::failure::{CmdFailure, Kind, Reason, Section};

mod cause;
mod hint;
mod seen;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use cause::SOON;
pub(crate) use hint::{HTTP_ONLY, NO_DAEMON as NO_DAEMON_HINT, PLACEHOLDER};

/// What a person would look for, and what it means.
struct Symptom<M: 'static> {
    /// Found within one line, whatever stands around it.
    pattern: &'static str,
    means: M,
}

/// A symptom for people: what is seen, and what is said of it.
pub(crate) struct Described {
    /// What a tool prints, with `…` for what differs: one or a few ways in which it may be.
    pub seen: Vec<String>,
    /// And others that differ in a word.
    pub more: bool,
    /// The command that prints it, as far as it matters.
    pub command: &'static str,
    /// Whose fault it is. None: a cluster's text says a cause, not a fault.
    pub kind: Option<Kind>,
    /// What it means and what helps, with `…` for what was found.
    pub text: String,
    pub section: Option<Section>,
}

/// All that is known of commands that fail, in the order in which it is looked for.
pub(crate) fn of_commands() -> impl Iterator<Item = Described> {
    hint::TABLE.iter().map(|symptom| {
        let (seen, more) = seen::ways(symptom.pattern);
        Described {
            seen,
            more,
            command: symptom.means.command.trim(),
            kind: Some(symptom.means.kind),
            text: seen::without_parts(symptom.means.hint),
            section: symptom.means.section,
        }
    })
}

/// All that is known of what clusters say.
pub(crate) fn of_clusters() -> impl Iterator<Item = Described> {
    cause::CLUSTER.iter().map(Described::of_cause)
}

/// All that is known of what kind and docker say on this machine when an environment is made.
pub(crate) fn of_machine() -> impl Iterator<Item = Described> {
    cause::MACHINE.iter().map(Described::of_cause)
}

impl Described {
    fn of_cause(symptom: &Symptom<Cause>) -> Self {
        let (seen, more) = seen::ways(symptom.pattern);
        Self {
            seen,
            more,
            command: "",
            kind: None,
            text: seen::without_parts(symptom.means.text),
            section: None,
        }
    }
}

/// Whose fault a failure is, and what helps: a sentence in which `$1` and so on are parts of what was found.
struct Advice {
    /// What the command itself must hold; empty: any will do.
    command: &'static str,
    /// Whether it counts where a tool only passes on what a build, a container or a suite has printed.
    passed_on: bool,
    kind: Kind,
    hint: &'static str,
    /// Where the documents say more.
    section: Option<Section>,
}

/// The probable cause as a paragraph, in which `$1` and so on are parts of what was found.
struct Cause {
    text: &'static str,
    /// It does not get better by itself: after so many looks there is no point in waiting. Never: 0.
    looks: u32,
}

/// Symptoms, of which the first that is found counts.
struct Table<M: 'static>(Vec<(Regex, &'static M)>);

static ADVICE: LazyLock<Table<Advice>> = LazyLock::new(|| Table::compiled(hint::TABLE));
static CLUSTER: LazyLock<Table<Cause>> = LazyLock::new(|| Table::compiled(cause::CLUSTER));
static MACHINE: LazyLock<Table<Cause>> = LazyLock::new(|| Table::compiled(cause::MACHINE));

impl<M> Table<M> {
    fn compiled(symptoms: &'static [Symptom<M>]) -> Self {
        let compiled = |symptom: &'static Symptom<M>| {
            // A pattern that does not compile fails the unit test, not the user.
            let pattern = Regex::new(&whole(symptom.pattern)).ok()?;
            Some((pattern, &symptom.means))
        };
        Self(symptoms.iter().filter_map(compiled).collect())
    }
}

fn whole(pattern: &str) -> String {
    pattern.replace("{contrib}", cause::CONTRIB)
}

/// What is known of a command's failure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Whose fault it is.
    pub kind: Kind,
    /// What helps.
    pub hint: String,
    /// Where the documents say more.
    pub section: Option<Section>,
}

/// Whose fault the failure of a command is, and what is known to help.
pub(crate) fn advice(failed: &CmdFailure) -> Option<Known> {
    let mut known = ADVICE.0.iter();
    let known = known.find_map(|(pattern, advice)| {
        let parts = advice.parts_in(failed, pattern)?;
        Some(Known {
            kind: advice.kind,
            hint: filled(advice.hint, &parts),
            section: advice.section,
        })
    });
    known.or_else(|| {
        // In the sandbox a tool is a process of the engine's, and ends with it.
        matches!(failed.reason, Reason::Signal(9)).then(|| Known {
            kind: Kind::Unavailable,
            hint: hint::KILLED.to_owned(),
            section: None,
        })
    })
}

impl Advice {
    /// What the pattern's groups find in the words of a command that it is about. None: they show nothing of it.
    fn parts_in(&self, failed: &CmdFailure, pattern: &Regex) -> Option<Vec<String>> {
        let shows = |line: &str| {
            let line = beginning(line);
            let said = if self.passed_on {
                line
            } else {
                own_words(failed, line)
            };
            pattern.captures(said).map(|found| parts(&found))
        };
        if !failed.command.contains(self.command) {
            return None;
        }
        failed.kept().find_map(shows)
    }
}

/// A line that is longer holds data: a symptom stands at its beginning.
const LONGEST_LINE: usize = 16_384;

fn beginning(line: &str) -> &str {
    let end = line.len().min(LONGEST_LINE);
    let end = (0..=end).rev().find(|at| line.is_char_boundary(*at));
    &line[..end.unwrap_or_default()]
}

/// What of a line is the tool's own: nothing of what a build, a container or a suite has printed, or of a
/// Dockerfile that is shown.
///
/// `BuildKit` prints the output of a step as `#9 0.123 text`, once more without the `#9` when the step has failed,
/// then some lines of the Dockerfile as `  12 | >>> RUN text`, and at last the step's command in quotes.
/// `docker run` ends with 125 when it is Docker that has failed.
fn own_words<'a>(failed: &CmdFailure, line: &'a str) -> &'a str {
    let container =
        failed.command.contains("docker run ") && !matches!(failed.reason, Reason::Status(125));
    if container || failed.program == "chainsaw" {
        return "";
    }
    let digits = |text: &'a str| {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < text.len()).then_some(rest)
    };
    let text = line.trim_start();
    let numbered = text.strip_prefix('#').and_then(digits);
    let text = numbered.map_or(text, str::trim_start);
    let seconds = |text| digits(text)?.strip_prefix('.').and_then(digits);
    let printed = seconds(text).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let shown = digits(text).is_some_and(|rest| rest.trim_start().starts_with("| "));
    let step = text.starts_with("> [") || (numbered.is_some() && text.starts_with('['));
    if printed || shown || step {
        return "";
    }
    let command = text
        .find("process \"")
        .filter(|_| text.contains("did not complete successfully"));
    command.map_or(text, |at| &text[..at])
}

/// The probable cause that a cluster's texts show, as a paragraph; None when they show none that is known.
pub(crate) fn cause_in_cluster(texts: &[impl AsRef<str>]) -> Option<String> {
    find_in_cluster(texts).map(|found| found.cause())
}

/// The same of what a tool has said that works on this machine's engine.
pub(crate) fn cause_on_machine(texts: &[impl AsRef<str>]) -> Option<String> {
    MACHINE.find(texts).map(|found| found.cause())
}

/// The first symptom that a cluster's texts show.
pub(crate) fn find_in_cluster(texts: &[impl AsRef<str>]) -> Option<Found> {
    CLUSTER.find(texts)
}

impl Table<Cause> {
    fn find(&self, texts: &[impl AsRef<str>]) -> Option<Found> {
        let fit = |text: &str| {
            let lines: Vec<&str> = text.lines().map(beginning).collect();
            // Logs are JSON, in which a quote is escaped.
            lines.join("\n").replace("\\\"", "\"")
        };
        let texts: Vec<String> = texts.iter().map(|text| fit(text.as_ref())).collect();
        self.0.iter().find_map(|(pattern, cause)| {
            let found = texts.iter().find_map(|text| pattern.captures(text))?;
            Some(Found::new(cause, &found))
        })
    }
}

/// A line of JSON is no sentence.
const LONGEST_PART: usize = 200;

/// A cause with the parts that its symptom's pattern found.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Found {
    cause: &'static str,
    looks: u32,
    parts: Vec<String>,
}

impl Found {
    fn new(cause: &Cause, found: &Captures<'_>) -> Self {
        Self {
            cause: cause.text,
            looks: cause.looks,
            parts: parts(found),
        }
    }

    /// In how many looks in a row it must stand to be hopeless; 0: it never is.
    pub(crate) fn looks(&self) -> u32 {
        self.looks
    }

    /// The paragraph.
    pub(crate) fn cause(&self) -> String {
        filled(self.cause, &self.parts)
    }
}

/// What a pattern's groups have found. All of the match differs from look to look, its parts do not.
fn parts(found: &Captures<'_>) -> Vec<String> {
    let parts = found.iter().enumerate().map(|(at, part)| match part {
        Some(part) if at > 0 => part.as_str().to_owned(),
        _ => String::new(),
    });
    parts.collect()
}

/// The text with the parts in place of `$1` and so on. A `$` that no digit follows is itself.
fn filled(text: &str, parts: &[String]) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        whole += before;
        rest = after;
        let Some(digit) = after.chars().next().and_then(|digit| digit.to_digit(10)) else {
            whole.push('$');
            continue;
        };
        let part = parts.get(digit as usize).map_or("", |part| part.trim());
        whole.extend(part.chars().take(LONGEST_PART));
        rest = &after[1..];
    }
    whole + rest
}
