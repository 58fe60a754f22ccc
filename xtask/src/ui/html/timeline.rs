// SPDX-License-Identifier: Apache-2.0
//! What ran when: steps that ran at once below each other, and those that the end of the run waited for.

use super::{Element, markup::tag, time};
use crate::{
    run::{
        account::Account,
        record::StepRecord,
        timeline::{On, Span, Waited},
        waiting::Waiting,
    },
    ui::waiting,
    verdict::Verdict,
};

/// Pixels of a row and between rows; above them the times.
const ROW: usize = 18;
const GAP: usize = 3;
const TOP: usize = 20;
/// Rows at most: who runs more at once sees those that began first.
const ROWS: usize = 60;
/// Percent of the width that a name needs.
const NAMED: f64 = 7.0;
/// Distances of the times above, in seconds; so many at most.
const DISTANCES: [f64; 13] = [
    0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
];
const TICKS: f64 = 8.0;

/// None where nothing ran.
pub(super) fn section(account: &Account) -> Option<Element> {
    let line = &account.timeline;
    if line.spans.is_empty() {
        return None;
    }
    let most = line.lanes;
    let mut said = match most {
        1 => format!("One step after the other, in {}.", time(line.seconds)),
        most => format!("At most {most} steps at once, in {}.", time(line.seconds)),
    };
    let has_waited = |span: &Span| {
        let on = span.waited.as_ref().map(|waited| &waited.on);
        matches!(on, Some(On::Slot(_)))
    };
    let is_short = line.spans.iter().any(has_waited);
    if let Some((places, full)) = line.full.filter(|_| is_short) {
        let part = share(full, line.seconds);
        said += &format!(
            " All {places} places were taken for {part} of the time, and steps waited for one."
        );
    }
    let left = (most > ROWS).then(|| {
        tag("p").class("quiet").text(format!(
            "{} more rows are left out; the list of steps has all.",
            most - ROWS
        ))
    });
    let key = [
        ("passed", "passed"),
        ("failed", "failed"),
        ("skipped", "skipped"),
        ("quiet-bar", "a small step"),
        ("on-path", "the end waited for it"),
    ];
    let key = key.iter().map(|(class, word)| {
        let swatch = tag("span")
            .class(format!("swatch {class}"))
            .set("aria-hidden", "true");
        tag("li").and(swatch).and(tag("span").text(*word))
    });
    Some(
        tag("div")
            .and(tag("p").text(said))
            .and(bars(account))
            .all(left)
            .and(tag("ul").class("key").all(key))
            .all(path(account)),
    )
}

fn percent(part: f64, whole: f64) -> String {
    let percent = if whole > 0.0 {
        100.0 * part / whole
    } else {
        0.0
    };
    format!("{percent:.3}%")
}

/// The picture. What it says is in the list of steps too.
fn bars(account: &Account) -> Element {
    let line = &account.timeline;
    let height = TOP + line.lanes.min(ROWS) * (ROW + GAP);
    let label = "When each step ran: steps that ran at once are below each other. The list of steps has the same in words.";
    let spans = line.spans.iter().filter(|span| span.lane < ROWS);
    tag("svg")
        .class("lanes")
        .set("role", "img")
        .set("aria-label", label)
        .set("width", "100%")
        .set("height", height.to_string())
        .all(ticks(line.seconds, height))
        .all(spans.filter_map(|span| Some(bar(account.step(span.step)?, span, line.seconds))))
}

/// Lines with their times.
fn ticks(seconds: f64, height: usize) -> Vec<Element> {
    let fits = |distance: &&f64| seconds / **distance <= TICKS;
    let distance = DISTANCES.iter().find(fits).copied();
    let distance = distance.unwrap_or(seconds / TICKS).max(f64::MIN_POSITIVE);
    let mut all = Vec::new();
    let mut at = 0.0;
    while at <= seconds && all.len() < 40 {
        let x = percent(at, seconds);
        let line = tag("line").set("x1", &x).set("x2", &x).set("y1", "16");
        all.push(line.set("y2", height.to_string()));
        if at < seconds * 0.96 {
            let text = tag("text").set("x", &x).set("y", "11").set("dx", "3");
            all.push(text.text(time(at)));
        }
        at += distance;
    }
    all
}

fn bar(step: &StepRecord, span: &Span, seconds: f64) -> Element {
    let y = (TOP + span.lane * (ROW + GAP)).to_string();
    let took = (span.end - span.start).max(seconds / 1000.0);
    let (x, width) = (percent(span.start, seconds), percent(took, seconds));
    let mut class = class(step).to_owned();
    if step.quiet {
        class += " quiet-bar";
    }
    if span.is_on_path {
        class += " on-path";
    }
    let title = format!(
        "{}, {} from {}",
        step.name,
        time(span.end - span.start),
        time(span.start)
    );
    let place = |element: Element| {
        let element = element.set("x", &x).set("y", &y).set("width", &width);
        element.set("height", ROW.to_string())
    };
    let rect = place(tag("rect").class(class)).and(tag("title").text(&title));
    let is_named = 100.0 * took / seconds.max(f64::MIN_POSITIVE) >= NAMED;
    let name = is_named.then(|| {
        let text = tag("text").class("name").set("x", "5").set("y", "13");
        place(tag("svg")).and(text.text(&step.name))
    });
    tag("g").and(rect).all(name)
}

/// How its bar looks.
pub(super) fn class(step: &StepRecord) -> &'static str {
    match step.outcome {
        Some(Verdict::Passed | Verdict::Unchanged) => "passed",
        Some(Verdict::Failed) => "failed",
        Some(_) => "skipped",
        None => "open",
    }
}

/// The steps that the end waited for, with the part of the time that each of them took. None where that is a single one.
fn path(account: &Account) -> Option<Element> {
    let line = &account.timeline;
    let shown = line.spans.iter().filter(|span| span.is_on_path);
    let mut shown: Vec<(&Span, &StepRecord)> = shown
        .filter_map(|span| Some((span, account.step(span.step)?)))
        .filter(|(span, step)| !step.quiet || span.end - span.start > line.seconds / 50.0)
        .collect();
    shown.sort_by(|(one, _), (other, _)| one.start.total_cmp(&other.start));
    if shown.len() < 2 {
        return None;
    }
    let items = shown.iter().map(|(span, step)| {
        let took = span.end - span.start;
        let part = format!(" {}, {}", time(took), share(took, line.seconds));
        let waited = span.waited.as_ref().map(|waited| {
            tag("span")
                .class("quiet")
                .text(format!(" after {}", waits(waited)))
        });
        let name = tag("a")
            .link(&format!("#step-{}", step.id))
            .text(&step.name);
        tag("li").and(name).and(tag("span").text(part)).all(waited)
    });
    let first = shown.first().map_or(0.0, |(span, _)| span.start);
    let before = (first > line.seconds / 50.0).then(|| {
        let part = format!(
            "before the first of them: {}, {}",
            time(first),
            share(first, line.seconds)
        );
        tag("li").class("quiet").text(part)
    });
    let list = tag("ol").all(before).all(items);
    let sentence =
        Waiting::of(&account.run).map(|waiting| tag("p").prose(waiting::sentence(&waiting)));
    let title = tag("h3").text("What the end waited for");
    Some(tag("div").class("path").and(title).all(sentence).and(list))
}

fn share(part: f64, whole: f64) -> String {
    let percent = if whole > 0.0 {
        100.0 * part / whole
    } else {
        0.0
    };
    format!("{percent:.0} %")
}

/// `3.2s of waiting for one of 8 places`.
pub(super) fn waits(waited: &Waited) -> String {
    let time = time(waited.seconds);
    match &waited.on {
        On::Slot(1) => format!("{time} of waiting: one step at a time"),
        On::Slot(count) => format!("{time} of waiting for one of {count} places"),
        On::Pool(name, count) => {
            format!("{time} of waiting for one of {count} places for `{name}`")
        }
        On::Others => format!("{time} of waiting for what it runs together with"),
    }
}
