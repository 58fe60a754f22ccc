// SPDX-License-Identifier: Apache-2.0
//! The rows for people: a row for each image that was built, and one of each extension for those that were not.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{Image, Rung};
use crate::{ui, verdict::Verdict};

/// Digits of a digest that are enough for people.
const DIGITS: usize = 8;

/// A row: an image that was built, or all that were not of an extension.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    images: Vec<&'a Image>,
    /// Whose pins are shown: where an image was built for a server that has none, such as that of Debian's own packages,
    /// those of the extension's other servers.
    pins: Vec<&'a Image>,
    #[serde(skip)]
    now: SystemTime,
}

impl<'a> Shown<'a> {
    fn of(images: Vec<&'a Image>, now: SystemTime) -> Self {
        Self {
            pins: images.clone(),
            images,
            now,
        }
    }
}

/// The rows for people, who look for what was built.
pub(crate) fn in_short(images: &[Image], now: SystemTime) -> Vec<Shown<'_>> {
    let mut rows: Vec<Shown<'_>> = Vec::new();
    for extension in images.chunk_by(|one, other| one.name == other.name) {
        let (unknown, known): (Vec<&Image>, _) = extension.iter().partition(|one| one.is_unknown());
        let mut of_it: Vec<Shown<'_>> = known
            .into_iter()
            .map(|one| Shown::of(vec![one], now))
            .collect();
        match of_it.iter_mut().find(|row| row.images[0].pinned.is_none()) {
            Some(without) if !unknown.is_empty() => without.pins = unknown,
            _ if !unknown.is_empty() => of_it.push(Shown::of(unknown, now)),
            _ => {}
        }
        rows.append(&mut of_it);
    }
    rows
}

impl Image {
    /// Nothing is known of it but its pin.
    fn is_unknown(&self) -> bool {
        self.built.is_none() && self.smoke.is_none() && self.e2e.is_empty()
    }
}

/// `18 bookworm, trixie`
fn servers(images: &[&Image]) -> String {
    let majors = images.chunk_by(|one, other| one.pg_major == other.pg_major);
    let majors = majors.map(|of_it| {
        let distros: Vec<&str> = of_it.iter().map(|one| one.distro.as_str()).collect();
        format!("{} {}", of_it[0].pg_major, distros.join(", "))
    });
    majors.collect::<Vec<_>>().join(", ")
}

/// So much of several texts is worth to be shown in place of all of them.
const WORTH: usize = 4;

/// What several texts have in common.
fn common(texts: &[String]) -> String {
    let Some(first) = texts.first() else {
        return String::new();
    };
    if texts.iter().all(|text| text == first) {
        return first.clone();
    }
    let is_common = |end: &usize| texts.iter().all(|text| text.starts_with(&first[..*end]));
    let ends = first.char_indices().map(|(at, _)| at);
    match ends.rev().find(is_common) {
        Some(end @ WORTH..) => format!("{}…", &first[..end]),
        _ => texts.join(", "),
    }
}

impl ui::Row for Shown<'_> {
    const HEADINGS: &'static [&'static str] = &[
        "IMAGE", "PINNED", "ARCHIVE", "BUILT", "CHECKS", "SMOKE", "E2E",
    ];

    fn cells(&self) -> Vec<String> {
        let none = || "-".to_owned();
        let image = self.images[0];
        let each = |words: &dyn Fn(&Image) -> Option<String>| -> String {
            let texts: Vec<String> = self
                .pins
                .iter()
                .map(|one| words(one).unwrap_or_else(none))
                .collect();
            common(&texts)
        };
        let rung = |rung: &Option<Rung>| match rung {
            Some(rung) => words(rung, self.now),
            None => none(),
        };
        let built = image.built.as_ref().map_or_else(none, |built| {
            let at = ago(&built.at, self.now).unwrap_or_default();
            let digest = built.there.as_ref().unwrap_or(&built.digest);
            let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
            format!("{at} {}", digest.get(..DIGITS).unwrap_or(digest))
        });
        let e2e = image.e2e.iter();
        let e2e: Vec<String> = match image.e2e.len() {
            0 => vec![none()],
            1 => e2e.map(|(_, rung)| words(rung, self.now)).collect(),
            _ => e2e
                .map(|(release, rung)| format!("{release}: {}", words(rung, self.now)))
                .collect(),
        };
        vec![
            format!("{} {}", image.name, servers(&self.images)),
            each(&|one| one.pinned.clone()),
            each(&|one| Some(one.newest.as_ref()?.words())),
            built,
            rung(&image.checks),
            rung(&image.smoke),
            e2e.join(", "),
        ]
    }
}

/// How a proof is to what is there now.
fn words(rung: &Rung, now: SystemTime) -> String {
    let at = rung.at.as_deref().and_then(|at| ago(at, now));
    let at = at.map_or_else(String::new, |at| format!(" {at}"));
    match (rung.is_of_now, rung.result) {
        (true, result) => format!("{}{at}", result.word()),
        (false, Verdict::Passed) => format!("old{at}"),
        (false, result) => format!("old: {}{at}", result.word()),
    }
}

/// `5m ago`, of a time as a record has it.
fn ago(at: &str, now: SystemTime) -> Option<String> {
    let then = humantime::parse_rfc3339(at).ok()?;
    let age = now.duration_since(then).unwrap_or(Duration::ZERO).as_secs();
    Some(match age {
        ..60 => "now".to_owned(),
        60..3_600 => format!("{}m ago", age / 60),
        3_600..172_800 => format!("{}h ago", age / 3_600),
        _ => format!("{}d ago", age / 86_400),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_their_age() {
        let at = "2026-11-26T12:00:00.000Z";
        let then = humantime::parse_rfc3339(at).unwrap();
        for (seconds, words) in [
            (0, "now"),
            (59, "now"),
            (60, "1m ago"),
            (3_600, "1h ago"),
            (172_799, "47h ago"),
            (172_800, "2d ago"),
        ] {
            let now = then + Duration::from_secs(seconds);
            assert_eq!(ago(at, now).as_deref(), Some(words));
        }
        // A clock that was put back.
        assert_eq!(
            ago(at, then - Duration::from_secs(9)).as_deref(),
            Some("now")
        );
        assert_eq!(ago("yesterday", then), None);
    }

    #[test]
    fn what_texts_have_in_common_is_shown() {
        let common = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            common(&texts)
        };
        assert_eq!(common(&["a", "a"]), "a");
        assert_eq!(
            common(&["1.2-1.pgdg12+1", "1.2-1.pgdg13+1"]),
            "1.2-1.pgdg1…"
        );
        assert_eq!(common(&["äöü1", "äöü2"]), "äöü…");
        assert_eq!(common(&["0.1", "0.2"]), "0.1, 0.2");
        assert_eq!(common(&["a", "b"]), "a, b");
        assert_eq!(common(&["1", "12"]), "1, 12");
    }
}
