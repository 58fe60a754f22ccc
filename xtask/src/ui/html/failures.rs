// SPDX-License-Identifier: Apache-2.0
//! What failed, and what had not ended: the cause, the command, the end of its log, and what the cluster said of it.

use std::path::Path;

use super::{Element, command, folded, markup::tag, time, verdict};
use crate::{
    failure::{CommandRecord, Ending, FailureRecord},
    run::{
        account::{Account, Quoted},
        excerpt::Excerpt,
        record::StepRecord,
    },
};

/// So many are unfolded from the beginning.
const OPEN: usize = 3;

/// None where nothing failed.
pub(super) fn section(account: &Account) -> Option<Element> {
    let quoted = account.quoted.iter().enumerate();
    let all = quoted.filter_map(|(at, quoted)| {
        let step = account.step(quoted.step)?;
        Some(failed(step, quoted, at < OPEN))
    });
    let all: Vec<Element> = all.collect();
    let not_run = match account.counts.not_run {
        0 => None,
        1 => Some("1 step was not run.".to_owned()),
        count => Some(format!("{count} steps were not run.")),
    };
    let not_run = not_run.map(|text| tag("p").class("quiet").text(text));
    (!all.is_empty()).then(|| tag("div").all(all).all(not_run))
}

fn failed(step: &StepRecord, quoted: &Quoted, is_open: bool) -> Element {
    let message = step
        .failure
        .as_ref()
        .map_or("it had not ended", |failure| &failure.message);
    let took = step
        .seconds
        .map(|seconds| tag("span").class("quiet").text(time(seconds)));
    let summary = tag("summary")
        .and(verdict(step.outcome))
        .and(tag("strong").text(&step.name))
        .and(tag("span").prose(message))
        .all(took);
    let failure = step.failure.as_ref();
    folded(summary, is_open)
        .set("id", format!("failed-{}", step.id))
        .class("failed-step")
        .all(failure.and_then(cause))
        .all(failure.and_then(hint))
        .and(ended(step))
        .all(log(step, quoted))
        .all(quoted.evidence.iter().map(answer))
}

fn cause(failure: &FailureRecord) -> Option<Element> {
    let text = failure.cause.as_ref()?;
    let label = tag("strong").text("Probable cause: ");
    Some(
        tag("p")
            .class("cause")
            .and(label)
            .and(tag("span").prose(text)),
    )
}

fn hint(failure: &FailureRecord) -> Option<Element> {
    let text = failure.hint.as_ref()?;
    let label = tag("strong").text("What to do: ");
    Some(
        tag("p")
            .class("hint")
            .and(label)
            .and(tag("span").prose(text)),
    )
}

/// The command, how it ended, what it said first, and what else is known.
fn ended(step: &StepRecord) -> Element {
    let failure = step.failure.as_ref();
    let failed = failure.and_then(|failure| failure.command.as_deref());
    let text = failed.map_or(&step.command, |failed| &failed.command);
    let mut facts = vec![("command", command(text))];
    if let Some(failed) = failed {
        facts.push(("ended", tag("span").prose(ending(failed))));
        let first = failed.first_error.as_ref();
        facts.extend(first.map(|line| ("first error", tag("code").text(line))));
    }
    let details = failure.map_or(&[][..], |failure| &failure.details);
    if !details.is_empty() {
        facts.push(("also", tag("pre").set("tabindex", "0").lines(details)));
    }
    if let Some(why) = &step.retried {
        facts.push(("run again", tag("span").prose(why)));
    }
    let facts = facts.into_iter().map(|(name, fact)| {
        let pair = tag("div").and(tag("dt").text(name));
        pair.and(tag("dd").and(fact))
    });
    tag("dl").class("parts").all(facts)
}

fn ending(failed: &CommandRecord) -> String {
    let after = format!("after {}", time(failed.seconds));
    let number = |number: Option<i32>| number.unwrap_or_default();
    match failed.reason {
        Ending::NotFound => format!(
            "`{}` was not found",
            failed.command.split(' ').next().unwrap_or_default()
        ),
        Ending::Status => format!("with status {} {after}", number(failed.status)),
        Ending::Signal => format!("by signal {} {after}", number(failed.signal)),
        Ending::TimedOut => format!("not within {} s", failed.limit.unwrap_or_default()),
        Ending::GivenUp => format!("given up {after}: it could not succeed any more"),
        Ending::Error => {
            let why = failed.why.as_deref().unwrap_or_default();
            format!("not run to its end: {why}")
        }
    }
}

/// The end of the log, or else what the record has of it.
fn log(step: &StepRecord, quoted: &Quoted) -> Option<Element> {
    if let Some(log) = &quoted.log {
        return Some(excerpt("Log", log, step.failure.is_some()));
    }
    let command = step.failure.as_ref()?.command.as_ref()?;
    if command.tail.is_empty() {
        return None;
    }
    let said = format!("Last {} of {} lines", command.tail.len(), command.lines);
    let summary = tag("summary").text(said);
    Some(folded(summary, false).and(tag("pre").set("tabindex", "0").lines(&command.tail)))
}

fn answer(said: &Excerpt) -> Element {
    let name = said.path.file_name().map_or(said.path.as_path(), Path::new);
    excerpt(
        &format!("What the cluster said: {}", name.display()),
        said,
        false,
    )
}

fn excerpt(title: &str, excerpt: &Excerpt, is_open: bool) -> Element {
    let path = excerpt.path.to_string_lossy();
    let lines = excerpt.lines.len();
    let said = match (excerpt.is_cut, lines) {
        (true, _) => format!(", last {lines} lines"),
        (false, 1) => ", 1 line".to_owned(),
        (false, _) => format!(", {lines} lines"),
    };
    let summary = tag("summary")
        .text(title)
        .and(tag("span").class("quiet").text(said));
    let whole = tag("a").link(&path).text(&path);
    // What is at its end is seen first.
    let log = tag("pre").class("end").set("tabindex", "0");
    folded(summary, is_open)
        .and(tag("p").class("quiet").text("All of it: ").and(whole))
        .and(log.and(tag("code").lines(&excerpt.lines)))
}
