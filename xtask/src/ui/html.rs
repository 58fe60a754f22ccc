// SPDX-License-Identifier: Apache-2.0
//! A run on one page: a file that needs nothing but itself, and no script. What is on it is in `run/account.rs`.

mod changes;
mod failures;
mod head;
mod markup;
mod results;
mod steps;
mod timeline;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use self::markup::{Element, tag};
use super::seconds as shown_seconds;
use crate::{run::account::Account, verdict::Verdict};

/// How the page looks: by light and by night, on narrow screens and on paper.
const STYLE: &str = include_str!("html/report.css");

/// Lines of a long command at its beginning and at its end.
const ENDS: usize = 4;

/// The page of a run.
pub(crate) fn html(account: &Account) -> String {
    let parts = [
        ("failed", "What failed", failures::section(account)),
        ("results", "Results", results::section(account)),
        ("changes", "Since the run before", changes::section(account)),
        ("timeline", "Timeline", timeline::section(account)),
        ("steps", "Steps", steps::section(account)),
    ];
    let parts = parts.into_iter();
    let parts: Vec<_> = parts
        .filter_map(|(id, title, part)| Some((id, title, part?)))
        .collect();
    let links = parts.iter().map(|(id, title, _)| {
        let link = tag("a").link(&format!("#{id}")).text(*title);
        tag("li").and(link)
    });
    let links: Vec<Element> = links.collect();
    let sections = parts.into_iter().map(|(id, title, part)| {
        let heading = format!("{id}-title");
        let title = tag("h2").set("id", &heading).text(title);
        let section = tag("section")
            .set("id", id)
            .set("aria-labelledby", &heading);
        section.and(title).and(part)
    });
    let body = tag("body")
        .and(
            tag("a")
                .class("skip")
                .link("#main")
                .text("Skip to what happened"),
        )
        .and(head::header(account))
        .and(
            tag("nav")
                .set("aria-label", "On this page")
                .and(tag("ul").all(links)),
        )
        .and(tag("main").set("id", "main").all(sections))
        .and(head::footer(account));
    let page = tag("html")
        .set("lang", "en")
        .and(document_head(account))
        .and(body);
    format!("<!doctype html>\n{}\n", page.into_html())
}

/// What the browser is told: among it that nothing is fetched, run or sent from here.
fn document_head(account: &Account) -> Element {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
    );
    let meta = |name: &str, content: &str| tag("meta").set("name", name).set("content", content);
    tag("head")
        .and(tag("meta").set("charset", "utf-8"))
        .and(
            tag("meta")
                .set("http-equiv", "Content-Security-Policy")
                .set("content", policy),
        )
        .and(meta("viewport", "width=device-width, initial-scale=1"))
        .and(meta("color-scheme", "light dark"))
        .and(meta("referrer", "no-referrer"))
        .and(meta("robots", "noindex"))
        .and(tag("title").text(head::title(account)))
        .and(tag("style").own(STYLE))
}

/// A verdict: its mark for those who look, its word for those who read. None: it has not ended.
fn verdict(verdict: Option<Verdict>) -> Element {
    let (class, mark) = match verdict {
        Some(Verdict::Passed) => ("passed", "✓"),
        Some(Verdict::Unchanged) => ("passed", "="),
        Some(Verdict::Failed) => ("failed", "✗"),
        Some(Verdict::Skipped | Verdict::NotAvailable) => ("skipped", "–"),
        Some(Verdict::NotRun | Verdict::NotRead) => ("not-run", "○"),
        None => ("open", "…"),
    };
    let word = verdict.map_or("not ended", Verdict::word);
    marked(class, mark, word)
}

fn marked(class: &str, mark: &str, word: &str) -> Element {
    let mark = tag("span")
        .class("mark")
        .set("aria-hidden", "true")
        .text(mark);
    let word = tag("span").text(word);
    tag("span")
        .class(format!("verdict {class}"))
        .and(mark)
        .and(word)
}

/// `0.4s`, `12.3s`, `2m03s`.
fn time(seconds: f64) -> String {
    shown_seconds(std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// A table in a box of its own that scrolls where it is too wide, also by keyboard.
fn table(label: &str, headings: &[&str], rows: impl IntoIterator<Item = Element>) -> Element {
    let headings = headings.iter().map(|heading| {
        let column = tag("th").set("scope", "col").set("data-label", heading);
        column.text(*heading)
    });
    let table = tag("table")
        .and(tag("thead").and(tag("tr").all(headings)))
        .and(tag("tbody").all(rows));
    let scrolled = tag("div")
        .class("scroll")
        .set("role", "region")
        .set("tabindex", "0");
    scrolled.set("aria-label", label).and(table)
}

/// A cell that says which column it is in, where there are no columns.
fn cell(heading: &str) -> Element {
    tag("td").set("data-label", heading)
}

/// A command, and of one that is given a script no more than its ends: `run.json` has all.
fn command(text: &str) -> Element {
    let lines: Vec<&str> = text.lines().collect();
    let pre = tag("pre").set("tabindex", "0");
    if lines.len() <= 2 * ENDS + 1 {
        return pre.lines(lines);
    }
    let left = format!(
        "… {} lines, which are in run.json …",
        lines.len() - 2 * ENDS
    );
    let (first, last) = (&lines[..ENDS], &lines[lines.len() - ENDS..]);
    pre.lines([first, &[left.as_str()], last].concat())
}

/// Something that can be unfolded.
fn folded(summary: Element, is_open: bool) -> Element {
    let details = tag("details");
    let details = if is_open { details.is("open") } else { details };
    details.and(summary)
}

#[cfg(test)]
mod tests;
