// SPDX-License-Identifier: Apache-2.0
//! What has become of things that have names: of those that two images have, which differ.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::ui::Table;

/// What has become of something that both images may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    pub name: String,
    /// None: only the other one has it.
    pub from: Option<String>,
    pub to: Option<String>,
}

/// What differs between what two images have, by name. Of a name with several values each is a thing of its own.
pub(super) fn changes<N: Into<String>>(
    from: impl IntoIterator<Item = (N, String)>,
    to: impl IntoIterator<Item = (N, String)>,
) -> Vec<Change> {
    let mut all: BTreeMap<String, [BTreeSet<String>; 2]> = BTreeMap::new();
    for (name, value) in from {
        all.entry(name.into()).or_default()[0].insert(value);
    }
    for (name, value) in to {
        all.entry(name.into()).or_default()[1].insert(value);
    }
    let mut changed = Vec::new();
    for (name, [from, to]) in &all {
        let mut gone: Vec<&String> = from.difference(to).collect();
        let mut new: Vec<&String> = to.difference(from).collect();
        let pairs = usize::from(from.len() == 1 && to.len() == 1 && !gone.is_empty());
        let mut change = |from: Option<&String>, to: Option<&String>| {
            changed.push(Change {
                name: name.clone(),
                from: from.cloned(),
                to: to.cloned(),
            });
        };
        for (from, to) in gone.drain(..pairs).zip(new.drain(..pairs)) {
            change(Some(from), Some(to));
        }
        for from in gone {
            change(Some(from), None);
        }
        for to in new {
            change(None, Some(to));
        }
    }
    changed
}

/// The same of names alone.
pub(super) fn names<'a>(
    from: impl IntoIterator<Item = &'a String>,
    to: impl IntoIterator<Item = &'a String>,
) -> Vec<Change> {
    let named = |name: &'a String| (name.as_str(), String::new());
    changes(from.into_iter().map(named), to.into_iter().map(named))
}

/// What was and what is.
pub(super) fn table(heading: &'static str, changes: &[Change]) -> Table {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let rows = changes
        .iter()
        .map(|one| vec![one.name.clone(), or_none(&one.from), or_none(&one.to)]);
    Table {
        headings: vec![heading, "WAS", "IS"],
        rows: rows.collect(),
    }
}

/// What is there and was not, and the other way round.
pub(super) fn named(changes: &[Change]) -> Table {
    let rows = changes.iter().map(|one| {
        let sign = match (&one.from, &one.to) {
            (None, _) => "+",
            (_, None) => "-",
            _ => "~",
        };
        let text = match one.to.as_deref().or(one.from.as_deref()) {
            None | Some("") => one.name.clone(),
            Some(text) => format!("{}: {text}", one.name),
        };
        vec![sign.to_owned(), text]
    });
    Table {
        headings: vec!["", ""],
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_with_several_values_none_is_lost() {
        let of = |from: &[(&str, &str)], to: &[(&str, &str)]| -> Vec<[Option<String>; 2]> {
            let owned = |all: &[(&str, &str)]| -> Vec<(String, String)> {
                all.iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect()
            };
            let changes = changes(owned(from), owned(to));
            changes.into_iter().map(|one| [one.from, one.to]).collect()
        };
        let said = |text: &str| Some(text.to_owned());
        // Two findings of one file, of which either goes.
        for (kept, gone) in [("one", "other"), ("other", "one")] {
            assert_eq!(
                of(&[("f", "one"), ("f", "other")], &[("f", kept)]),
                [[said(gone), None]]
            );
        }
        assert_eq!(
            of(&[("f", "one")], &[("f", "two")]),
            [[said("one"), said("two")]]
        );
        assert_eq!(
            of(&[("f", "a")], &[("f", "b"), ("f", "c")]),
            [[said("a"), None], [None, said("b")], [None, said("c")]]
        );
        assert!(of(&[("f", "a"), ("f", "b")], &[("f", "b"), ("f", "a")]).is_empty());
    }
}
