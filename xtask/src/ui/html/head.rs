// SPDX-License-Identifier: Apache-2.0
//! The top and the end of the page: which run it was, how it ended, and where all of it lies.

use super::{Element, marked, markup::tag, time};
use crate::run::{account::Account, standing::Standing};

/// What the command was, as it was typed.
fn command(account: &Account) -> String {
    format!("cargo xtask {}", account.run.arguments.join(" "))
}

pub(super) fn title(account: &Account) -> String {
    format!(
        "{}: {}",
        account.standing.word(),
        command(account).trim_end()
    )
}

pub(super) fn header(account: &Account) -> Element {
    let run = &account.run;
    let facts = [
        ("began", Some(moment(&run.started))),
        ("took", run.seconds.map(time)),
        (
            "steps",
            Some(account.counts.words()).filter(|words| !words.is_empty()),
        ),
        ("exit code", run.exit_code.map(|code| code.to_string())),
        ("run", Some(run.id.clone())),
        ("xtask", Some(run.version.clone())),
    ];
    let facts = facts.into_iter().filter_map(|(name, fact)| {
        let pair = tag("div").and(tag("dt").text(name));
        Some(pair.and(tag("dd").text(fact?)))
    });
    let header = tag("header")
        .and(tag("p").class("standing").and(standing(account.standing)))
        .and(tag("h1").text(command(account)))
        .and(tag("dl").class("facts").all(facts));
    match unended(account.standing) {
        Some(why) => header.and(tag("p").class("notice").text(why)),
        None => header.all(account.run.failure.as_ref().map(|failure| {
            // Steps that failed say what helps, and the logs that it would name are here.
            let hint = failure.hint.as_ref().filter(|_| account.quoted.is_empty());
            let hint = hint.map(|hint| tag("p").class("hint").prose(format!("What to do: {hint}")));
            let notice = tag("div").class("notice");
            notice.and(tag("p").prose(&failure.message)).all(hint)
        })),
    }
}

fn standing(standing: Standing) -> Element {
    let (class, mark) = match standing {
        Standing::Passed => ("passed", "✓"),
        Standing::Failed | Standing::Invalid | Standing::Unavailable => ("failed", "✗"),
        Standing::Interrupted | Standing::Killed => ("not-run", "■"),
        Standing::Running => ("open", "…"),
    };
    marked(class, mark, standing.word())
}

fn unended(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Killed => Some(
            "This run has not said how it ended: it was killed. What it had recorded until then is here.",
        ),
        Standing::Running => Some(
            "This run went on when the page was made: what it had recorded until then is here.",
        ),
        _ => None,
    }
}

/// `2026-11-26 22:03:11 UTC`, of what a record says.
pub(super) fn moment(text: &str) -> String {
    let whole = text
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end_matches('Z');
    format!("{} UTC", whole.replacen('T', " ", 1))
}

pub(super) fn footer(account: &Account) -> Element {
    let record = tag("a").link("run.json").text("run.json");
    let made = format!(
        "; `cargo xtask report {}` makes this page again.",
        account.run.id
    );
    let whole = tag("p").prose(format!(
        "All logs are in `{}`, with ",
        account.folder.display()
    ));
    tag("footer").and(whole.and(record).and(tag("span").prose(made)))
}
