// SPDX-License-Identifier: Apache-2.0
//! Where else a repository names each of its extensions: its owners, where its images are published, and the table of its
//! README. A new one is written in where such a file has a place for it; every other byte stays as it is.

mod table;

use std::ops::Range;

use self::table::table;
use super::draft::Draft;
use crate::value::Url;

/// A file that names extensions, and what it becomes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mention {
    /// The new text, and what was added.
    Written { text: String, added: String },
    /// What a person has to do.
    Left(String),
}

/// Where the new extension is, and what is there already.
pub(crate) struct Place<'a> {
    /// Its directory, relative to the root.
    pub folder: &'a str,
    /// The extensions that the repository has.
    pub extensions: &'a [&'a str],
}

/// Writes an extension into the text of a file. None: the file needs no change.
type Write = fn(&str, &Draft, &Place<'_>) -> Option<Mention>;

/// Files that may name each extension, relative to the root; of several places for one file the first that there is counts.
pub(crate) const FILES: &[(&[&str], Write)] = &[
    (
        &["CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS"],
        owners,
    ),
    (
        &[
            "SECURITY-INSIGHTS.yml",
            ".github/SECURITY-INSIGHTS.yml",
            "security-insights.yml",
        ],
        distribution,
    ),
    (&["README.md"], table),
];

/// The lines of a text without their ends, each with the place where the next one begins.
struct Lines<'a>(Vec<(usize, &'a str)>);

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let mut end = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            end += line.len();
            (end, line.trim_end_matches(['\r', '\n']))
        });
        Self(lines.collect())
    }

    /// The text with lines behind the one at an index, which end as it does.
    fn with(&self, behind: usize, text: &str, added: &[String]) -> String {
        let at = self.0.get(behind).map_or(text.len(), |(end, _)| *end);
        let (before, after) = text.split_at(at);
        let is_dos = text.contains("\r\n") && (before.ends_with("\r\n") || !before.ends_with('\n'));
        let end = if is_dos { "\r\n" } else { "\n" };
        let mut new = before.to_owned();
        if !before.is_empty() && !before.ends_with('\n') {
            new += end;
        }
        for line in added {
            new += line;
            new += end;
        }
        new + after
    }
}

/// The owners of everything own the new directory too; a line of its own is where more are added.
fn owners(text: &str, _: &Draft, place: &Place<'_>) -> Option<Mention> {
    let folder = place.folder;
    let rules = || {
        text.lines()
            .filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty())
    };
    let has_own =
        rules().any(|line| line.starts_with('/') || line.contains('/') && !line.starts_with('*'));
    if !has_own {
        // One rule for all needs no other.
        return None;
    }
    if text.lines().any(|line| {
        line.starts_with('#') && (line.contains("do not hand-edit") || line.contains("DO NOT EDIT"))
    }) {
        return Some(Mention::Left(format!(
            "it says that it is generated: add the owners of `/{folder}/` where it comes from"
        )));
    }
    let all = rules().find_map(|line| line.strip_prefix("* "));
    let Some(all) = all else {
        return Some(Mention::Left(format!("add the owners of `/{folder}/`")));
    };
    let added = format!("/{folder}/ {}", all.trim());
    let lines = Lines::of(text);
    let last = lines
        .0
        .iter()
        .rposition(|(_, line)| !line.trim().is_empty())?;
    Some(Mention::Written {
        text: lines.with(last, text, std::slice::from_ref(&added)),
        added,
    })
}

/// What stands behind the key of a list's item.
fn uri(line: &str) -> Option<&str> {
    Some(line.trim_start().strip_prefix("- uri:")?.trim_start())
}

fn depth(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Where the list of points is, without what separates it from what follows.
fn points(lines: &[&str]) -> Option<Range<usize>> {
    let begin = lines
        .iter()
        .position(|line| line.trim() == "distribution-points:")?;
    let item = lines
        .get(begin + 1)
        .filter(|line| line.trim_start().starts_with("- uri:"))?;
    let at = depth(item);
    let behind = lines[begin + 1..].iter().position(|line| {
        !line.trim().is_empty()
            && (depth(line) < at || depth(line) == at && !line.trim_start().starts_with('-'))
    });
    let mut end = behind.map_or(lines.len(), |count| begin + 1 + count);
    while lines[end - 1].trim().is_empty() {
        end -= 1;
    }
    Some(begin + 1..end)
}

/// Another point of distribution, like the last one.
fn distribution(text: &str, draft: &Draft, _: &Place<'_>) -> Option<Mention> {
    let all = Lines::of(text);
    let lines: Vec<&str> = all.0.iter().map(|(_, line)| *line).collect();
    let points = points(&lines)?;
    let end = points.end;
    let points = &lines[points];
    let at = depth(points.first()?);
    let is_named = |value: &str| {
        let value = value.split_whitespace().next().unwrap_or_default();
        let (_, name) = value.rsplit_once('/').unwrap_or_default();
        name.trim_matches(['"', '\'']) == &*draft.name
    };
    if points.iter().copied().filter_map(uri).any(is_named) {
        return None;
    }
    let last = points.iter().rposition(|line| uri(line).is_some())?;
    let value = uri(points.get(last)?)?.trim_end();
    let by_hand = || {
        Mention::Left("add the image's point of distribution, in the form of the others".to_owned())
    };
    // What is quoted, or has a comment behind it, is not to be guessed at.
    let Some((above, _)) = value.rsplit_once('/').filter(|_| Url::is(value)) else {
        return Some(by_hand());
    };
    let item = format!("{}- uri: {above}/{}", &points[0][..at], draft.name);
    let mut added = vec![item.clone()];
    for line in &points[last + 1..] {
        let (indent, key) = line.split_at(depth(line));
        if !key.starts_with("comment:") {
            return Some(by_hand());
        }
        added.push(format!(
            "{indent}comment: GitHub packages for the {} extension image",
            draft.name
        ));
    }
    Some(Mention::Written {
        text: all.with(end - 1, text, &added),
        added: item.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests;
