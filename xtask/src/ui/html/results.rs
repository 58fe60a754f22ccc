// SPDX-License-Identifier: Apache-2.0
//! What became of the images: at a glance, extension by server and operator; and one by one, with what was proved, sizes and digests.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Element, cell, folded, markup::tag, table, time, verdict};
use crate::{
    json::pretty,
    run::{account::Account, image_result::ImageResult},
    ui::counted,
    verdict::Verdict,
};

/// Rows that are shown unfolded, and how many there are at most: the record has all.
const OPEN: usize = 100;
const MOST: usize = 4_000;
/// Extensions at a glance; of more, those that passed everywhere are folded.
const GLANCED: usize = 30;
/// Lines of a result that is no list.
const LINES: usize = 400;
/// Fields that are of use to scripts alone, or stand elsewhere on the page.
const NOT_SHOWN: [&str; 3] = ["target", "values", "tags"];

/// None where the command has found nothing.
pub(super) fn section(account: &Account) -> Option<Element> {
    let Some(all) = &account.results else {
        return account.run.result.as_ref().and_then(said);
    };
    let rows = all.iter().take(MOST).enumerate();
    let columns = Column::of(all);
    let headings: Vec<&str> = columns.iter().map(|column| column.heading()).collect();
    let rows = rows.map(|(at, one)| {
        let row = tag("tr").set("id", format!("result-{at}"));
        row.all(columns.iter().map(|column| column.cell(one)))
    });
    let list = table("Results one by one", &headings, rows);
    let list = if all.len() <= OPEN {
        list.class("stacked")
    } else {
        let summary = format!("All {} results one by one", all.len());
        folded(tag("summary").text(summary), false).and(list)
    };
    Some(tag("div").all(matrix(all)).and(list))
}

/// A result that is no list of images.
fn said(result: &Value) -> Option<Element> {
    let is_nothing = result.is_null() || result.as_array().is_some_and(Vec::is_empty);
    let text = pretty(result);
    let lines = text.lines().take(LINES);
    let summary = tag("summary").text("What the command said for scripts");
    let pre = tag("pre").set("tabindex", "0").lines(lines);
    (!is_nothing).then(|| folded(summary, false).and(pre))
}

/// Extensions by the places that they are for. None where that is no more than the list.
fn matrix(all: &[ImageResult]) -> Option<Element> {
    let mut places: Vec<String> = all.iter().map(ImageResult::place).collect();
    places.sort();
    places.dedup();
    let mut names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    if places.len() < 2 || names.len() < 2 {
        return None;
    }
    let mut found: BTreeMap<(&str, String), Vec<(usize, &ImageResult)>> = BTreeMap::new();
    for (at, one) in all.iter().enumerate() {
        found
            .entry((&one.name, one.place()))
            .or_default()
            .push((at, one));
    }
    let row = |name: &&str| {
        let row = tag("tr").and(tag("th").set("scope", "row").text(*name));
        row.all(places.iter().map(|place| {
            let there = found.get(&(*name, place.clone()));
            let there = there.into_iter().flatten();
            tag("td").all(there.map(|(at, one)| {
                let link = tag("a").link(&format!("#result-{at}"));
                link.and(verdict(one.result))
            }))
        }))
    };
    let headings = places
        .iter()
        .map(|place| if place.is_empty() { "any" } else { place });
    let headings: Vec<&str> = std::iter::once("extension").chain(headings).collect();
    let glance = |label: &str, names: &[&str]| {
        table(label, &headings, names.iter().map(row)).class("matrix")
    };
    if names.len() <= GLANCED {
        return Some(glance("Results at a glance", &names));
    }
    let is_good = |name: &&str| {
        let mut of = all.iter().filter(|one| one.name == **name);
        of.all(|one| one.result.is_some_and(Verdict::is_good))
    };
    let (good, bad): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| is_good(name));
    let bad = (!bad.is_empty()).then(|| glance("What did not pass everywhere", &bad));
    let summary = format!(
        "{} that passed everywhere",
        counted(good.len(), "extension")
    );
    let good = (!good.is_empty()).then(|| {
        folded(tag("summary").text(summary), false).and(glance("What passed everywhere", &good))
    });
    Some(tag("div").all(bad).all(good))
}

/// What there is to say of an image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Result,
    Name,
    Server,
    Release,
    Version,
    Time,
    Size,
    Digest,
    Proof,
}

impl Column {
    const ALL: [Self; 9] = [
        Self::Result,
        Self::Name,
        Self::Server,
        Self::Release,
        Self::Version,
        Self::Time,
        Self::Size,
        Self::Digest,
        Self::Proof,
    ];

    /// Those in which anything stands.
    fn of(all: &[ImageResult]) -> Vec<Self> {
        let is_used = |column: &Self| all.iter().any(|one| !column.is_empty(one));
        Self::ALL.into_iter().filter(is_used).collect()
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Name => "of",
            Self::Server => "server",
            Self::Release => "CNPG",
            Self::Version => "version",
            Self::Time => "time",
            Self::Size => "size",
            Self::Digest => "digest",
            Self::Proof => "proof",
        }
    }

    fn is_empty(self, one: &ImageResult) -> bool {
        match self {
            Self::Result | Self::Name => false,
            Self::Server => one.pg_major.is_empty() && one.distro.is_empty(),
            Self::Release => one.cnpg_release.is_empty(),
            Self::Version => one.version.is_empty(),
            Self::Time => one.seconds.is_none(),
            Self::Size => one.size.is_none(),
            Self::Digest => one.digest.is_none(),
            Self::Proof => {
                one.proof.is_empty() && one.cause.is_none() && rest(one).next().is_none()
            }
        }
    }

    fn cell(self, one: &ImageResult) -> Element {
        let cell = cell(self.heading());
        match self {
            Self::Result => cell.and(verdict(one.result)),
            Self::Name => cell.and(tag("strong").text(&one.name)),
            Self::Server => {
                let server = ImageResult {
                    cnpg_release: String::new(),
                    ..one.clone()
                };
                cell.class("nowrap").text(server.place())
            }
            Self::Release => cell.text(&one.cnpg_release),
            Self::Version => cell.text(&one.version),
            Self::Time => cell
                .class("number")
                .text(one.seconds.map(time).unwrap_or_default()),
            Self::Size => cell
                .class("number")
                .text(one.size.as_deref().unwrap_or_default()),
            Self::Digest => cell.all(one.digest.as_deref().map(digest)),
            Self::Proof => proof(cell, one),
        }
    }
}

/// People tell digests apart by their first digits; all of them are there to be copied.
fn digest(digest: &str) -> Element {
    let (kind, digits) = digest.split_once(':').unwrap_or(("", digest));
    let short: String = digits.chars().take(12).collect();
    let summary = tag("summary").and(tag("code").text(short));
    let whole = if kind.is_empty() {
        digits.to_owned()
    } else {
        format!("{kind}:{digits}")
    };
    folded(summary, false)
        .class("digest")
        .and(tag("code").text(whole))
}

fn proof(cell: Element, one: &ImageResult) -> Element {
    let seen = Some(&one.proof).filter(|proof| !proof.is_empty());
    let seen = seen.map(|proof| tag("span").class("proof").text(proof));
    let cause = one
        .cause
        .as_ref()
        .map(|cause| tag("p").class("cause").prose(cause));
    let rest = rest(one).map(|(name, value)| {
        let pair = tag("div").and(tag("dt").text(name.replace('_', " ")));
        pair.and(tag("dd").text(value))
    });
    let rest: Vec<Element> = rest.collect();
    let more = (!rest.is_empty()).then(|| {
        let summary = tag("summary").text("more");
        folded(summary, false).and(tag("dl").class("parts").all(rest))
    });
    cell.all(seen).all(cause).all(more)
}

/// What has no column: the image's name, and what this command alone has.
fn rest(one: &ImageResult) -> impl Iterator<Item = (&str, String)> {
    let image = Some(("image", one.image.clone())).filter(|(_, image)| !image.is_empty());
    let rest = one
        .rest
        .iter()
        .filter(|(name, _)| !NOT_SHOWN.contains(&name.as_str()));
    image.into_iter().chain(rest.filter_map(|(name, value)| {
        let value = match value {
            Value::Null => return None,
            Value::String(text) if text.is_empty() => return None,
            Value::String(text) => text.clone(),
            Value::Array(all) if all.is_empty() => return None,
            other => other.to_string(),
        };
        Some((name.as_str(), value))
    }))
}
