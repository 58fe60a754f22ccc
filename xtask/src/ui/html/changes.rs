// SPDX-License-Identifier: Apache-2.0
//! What is not as it was in the run before.

use super::{Element, cell, head::moment, markup::tag, table, time};
use crate::run::{
    account::Account,
    comparison::{Change, Comparison, What},
};

/// So many are shown; `runs compare` has all.
const SHOWN: usize = 100;

/// None where there is no run to compare with.
pub(super) fn section(account: &Account) -> Option<Element> {
    let since = account.since.as_ref()?;
    let part = tag("div").and(tag("p").text(before(since)));
    if since.changes.is_empty() {
        let same = "The same results, versions, digests and sizes, in about the same times.";
        return Some(part.and(tag("p").text(same)));
    }
    let rows = since.changes.iter().take(SHOWN).map(row);
    let list = table("What has changed", &["of", "what", "before", "now"], rows);
    let left = since.changes.len().saturating_sub(SHOWN);
    let more = (left > 0).then(|| {
        let (before, now) = (&since.before, &account.run.id);
        let all = format!("{left} more: `cargo xtask runs compare {before} {now}`");
        tag("p").class("quiet").prose(all)
    });
    Some(part.and(list.class("stacked")).all(more))
}

fn before(since: &Comparison) -> String {
    let how = if since.same_arguments {
        "the same command"
    } else {
        "the same command with other arguments"
    };
    let took = match since.seconds {
        [Some(before), Some(now)] => format!("; it took {}, this one {}", time(before), time(now)),
        _ => String::new(),
    };
    format!(
        "Run {} of {}: {how}{took}.",
        since.before,
        moment(&since.began)
    )
}

fn row(change: &Change) -> Element {
    let shown = |text: &str| match change.what {
        What::Digest => text.chars().take(19).collect(),
        What::Seconds => format!("{text} s"),
        _ => text.to_owned(),
    };
    let is_worse = matches!(change.what, What::Result | What::Outcome) && change.now == "failed";
    tag("tr")
        .and(cell("of").and(tag("strong").text(&change.of)))
        .and(cell("what").text(change.what.word()))
        .and(cell("before").text(shown(&change.before)))
        .and(
            cell("now").and(
                tag("span")
                    .class_if(is_worse, "worse")
                    .text(shown(&change.now)),
            ),
        )
}
