// SPDX-License-Identifier: Apache-2.0
//! All steps in the order in which they began, with what each of them waited for and where its log is.

use std::collections::BTreeMap;

use super::{
    Element, cell, command, folded,
    markup::tag,
    table, time,
    timeline::{class, waits},
    verdict,
};
use crate::run::{account::Account, record::StepRecord, timeline::Span};

/// Steps that are shown unfolded.
const OPEN: usize = 150;

/// Which steps are shown; the style sheet knows the ids.
const CHOICES: [(&str, &str); 4] = [
    ("main-steps", "those that a terminal shows"),
    ("all-steps", "all"),
    ("path-steps", "those that the end waited for"),
    ("bad-steps", "those that did not succeed"),
];

/// None where there were none.
pub(super) fn section(account: &Account) -> Option<Element> {
    let steps = &account.run.steps;
    if steps.is_empty() {
        return None;
    }
    let spans: BTreeMap<usize, &Span> = account
        .timeline
        .spans
        .iter()
        .map(|span| (span.step, span))
        .collect();
    let mut order: Vec<&StepRecord> = steps.iter().collect();
    let began = |step: &StepRecord| spans.get(&step.id).map_or(f64::INFINITY, |span| span.start);
    order.sort_by(|one, other| {
        began(one)
            .total_cmp(&began(other))
            .then(one.id.cmp(&other.id))
    });
    let rows = order
        .into_iter()
        .map(|step| row(account, step, spans.get(&step.id).copied()));
    let headings = [
        "result",
        "step",
        "began",
        "took",
        "came after",
        "log",
        "when",
    ];
    let list = table("All steps", &headings, rows).class("steps");
    let part = tag("div").and(choices()).and(list);
    if steps.len() <= OPEN {
        return Some(part);
    }
    let summary = tag("summary").text(format!("All {} steps", steps.len()));
    Some(folded(summary, false).and(part))
}

/// Buttons of which one is chosen; no script is needed for it.
fn choices() -> Element {
    let all = CHOICES.iter().enumerate().map(|(at, (id, words))| {
        let button = tag("input")
            .set("type", "radio")
            .set("name", "steps")
            .set("id", *id);
        let button = if at == 0 {
            button.is("checked")
        } else {
            button
        };
        let label = tag("label").set("for", *id).text(*words);
        tag("span").and(button).and(label)
    });
    let legend = tag("legend").text("Show");
    tag("fieldset").and(legend).all(all)
}

fn row(account: &Account, step: &StepRecord, span: Option<&Span>) -> Element {
    let is_on_path = span.is_some_and(|span| span.is_on_path);
    let kinds = [
        (step.quiet, "small"),
        (is_on_path, "path"),
        (
            !matches!(class(step), "passed" | "skipped") || step.failure.is_some(),
            "bad",
        ),
        (
            step.started.is_none() && step.failure.is_none() && step.outcome.is_some(),
            "bad",
        ),
    ];
    let kinds: Vec<&str> = kinds
        .iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, kind)| *kind)
        .collect();
    let began = span.map(|span| time(span.start)).unwrap_or_default();
    let took = step.seconds.map(time).unwrap_or_default();
    tag("tr")
        .set("id", format!("step-{}", step.id))
        .class(kinds.join(" "))
        .and(cell("result").and(verdict(step.outcome)))
        .and(name(step, is_on_path))
        .and(cell("began").class("number").text(began))
        .and(cell("took").class("number").text(took))
        .and(came_after(account, step, span))
        .and(log(step))
        .and(when(account, step, span))
}

/// What it is called, and below that what it did or why it was not needed.
fn name(step: &StepRecord, is_on_path: bool) -> Element {
    let strong = tag("strong").text(&step.name);
    let reason = step
        .reason
        .as_ref()
        .map(|reason| tag("span").class("quiet").prose(reason));
    let failed = step.failure.as_ref().map(|failure| {
        let link = tag("a").link(&format!("#failed-{}", step.id));
        link.prose(&failure.message)
    });
    let again = step
        .retried
        .as_ref()
        .map(|why| tag("span").class("quiet").text(format!("run again: {why}")));
    let on_path = is_on_path.then(|| tag("span").class("unseen").text(" (the end waited for it)"));
    let summary = tag("summary").text("command");
    let command = folded(summary, false).and(command(&step.command));
    cell("step")
        .and(strong)
        .all(on_path)
        .all(reason)
        .all(failed)
        .all(again)
        .and(command)
}

/// The last one of those before it, and what else it waited for.
fn came_after(account: &Account, step: &StepRecord, span: Option<&Span>) -> Element {
    let all = step.after.len() + step.after_end_of.len();
    let last = span
        .and_then(|span| span.after)
        .or_else(|| step.after.last().copied());
    let last = last.and_then(|id| account.step(id)).map(|before| {
        let link = tag("a")
            .link(&format!("#step-{}", before.id))
            .text(&before.name);
        let more = (all > 1).then(|| {
            tag("span")
                .class("quiet")
                .text(format!(" and {} more", all - 1))
        });
        tag("span").and(link).all(more)
    });
    let waited = span.and_then(|span| span.waited.as_ref());
    let waited = waited.map(|waited| tag("span").class("waited").text(waits(waited)));
    cell("came after").all(last).all(waited)
}

fn log(step: &StepRecord) -> Element {
    cell("log").all(step.log_file().map(|name| {
        let of = tag("span")
            .class("unseen")
            .text(format!(" of {}", step.name));
        tag("a").link(name).text("log").and(of)
    }))
}

/// Its time on the line of all; before it, paler, how long it waited.
fn when(account: &Account, step: &StepRecord, span: Option<&Span>) -> Element {
    let whole = account.timeline.seconds.max(f64::MIN_POSITIVE);
    let cell = cell("when").class("when");
    let Some(span) = span else {
        return cell;
    };
    let part = |from: f64, to: f64, class: &str| {
        let width = (100.0 * (to - from) / whole).max(0.4);
        let rect = tag("rect")
            .class(class)
            .set("x", format!("{:.3}%", 100.0 * from / whole));
        rect.set("width", format!("{width:.3}%"))
            .set("y", "2")
            .set("height", "10")
    };
    let waited = span.waited.as_ref();
    let waited =
        waited.map(|waited| part((span.start - waited.seconds).max(0.0), span.start, "waits"));
    let svg = tag("svg")
        .set("aria-hidden", "true")
        .set("width", "100%")
        .set("height", "14");
    cell.and(svg.all(waited).and(part(span.start, span.end, class(step))))
}
