// SPDX-License-Identifier: Apache-2.0
//! Changes the entries of a catalog where they stand in its text, so that comments and layout stay. Knows block style alone; whoever
//! calls it reads what comes of it and compares that with what was wanted.

use std::{collections::BTreeMap, ops::Range};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::Entries;
use crate::yaml;

#[derive(Deserialize)]
struct Document {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    images: Vec<Spanned<Image>>,
}

#[derive(Deserialize)]
struct Image {
    major: u64,
    #[serde(rename = "image")]
    _image: IgnoredAny,
}

/// The text with other entries for these majors. None: it is not of a form that is known here.
pub(super) fn edited(text: &str, entries: &BTreeMap<u64, Entries>) -> Option<String> {
    let document: Document = serde_saphyr::from_str(text).ok()?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // From the end on, so that what was found before stays where it is.
    for image in document.spec.images.iter().rev() {
        let Some(wanted) = entries
            .get(&image.value.major)
            .filter(|all| !all.is_empty())
        else {
            continue;
        };
        let mapping = Mapping::of(&lines, image)?;
        mapping.replace(&mut lines, wanted)?;
    }
    Some(lines.join("\n") + "\n")
}

/// The text with the server of one more major, behind the last older one. None: it is not of a form that is known here.
pub(super) fn with_server(text: &str, major: u64, image: &str) -> Option<String> {
    let document: Document = serde_saphyr::from_str(text).ok()?;
    let images = &document.spec.images;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let older = images.iter().rev().find(|one| one.value.major < major);
    let mapping = Mapping::of(&lines, older.or(images.first())?)?;
    let place = match older {
        Some(_) => mapping.last_content(&lines)? + 1,
        None => mapping.lines.start,
    };
    let before = lines.get(mapping.lines.start)?.get(..mapping.column)?;
    let keys = " ".repeat(mapping.column);
    let new = [
        format!("{before}major: {major}"),
        format!("{keys}image: {image}"),
    ];
    lines.splice(place..place, new);
    Some(lines.join("\n") + "\n")
}

/// A mapping that is an item of a list: where its lines are, and in which column its keys stand.
struct Mapping {
    lines: Range<usize>,
    column: usize,
}

impl Mapping {
    fn of(lines: &[String], image: &Spanned<Image>) -> Option<Self> {
        let from_zero = |one: u64| usize::try_from(one).ok()?.checked_sub(1);
        let (line, column) = (image.referenced.line(), image.referenced.column());
        Self::at(lines, from_zero(line)?, from_zero(column)?)
    }

    /// Its last line that is no comment.
    fn last_content(&self, lines: &[String]) -> Option<usize> {
        let mut own = self.lines.clone().rev();
        own.find(|at| is_content(&lines[*at]))
    }

    fn at(lines: &[String], start: usize, column: usize) -> Option<Self> {
        let before = lines.get(start)?.get(..column)?;
        if before.trim() != "-" {
            return None;
        }
        let is_outside = |line: &String| is_content(line) && indent(line) < column;
        let behind = lines.iter().skip(start + 1);
        let length = behind.take_while(|line| !is_outside(line)).count();
        Some(Self {
            lines: start..start + 1 + length,
            column,
        })
    }

    /// Puts the entries into the place of those that are there.
    fn replace(&self, lines: &mut Vec<String>, wanted: &Entries) -> Option<()> {
        let Some(key) = self.key(lines, "extensions:") else {
            let last = self.last_content(lines)?;
            let mut new = vec![format!("{}extensions:", " ".repeat(self.column))];
            for entry in wanted.values() {
                new.extend(written(entry, self.column)?);
            }
            let behind = last + 1;
            lines.splice(behind..behind, new);
            return Some(());
        };
        let head = &lines[key][self.column + "extensions:".len()..];
        let end = self.end_of_list(lines, key + 1);
        if is_content(head) {
            // A list in one line is replaced when it is empty.
            if !["[]", "null", "~"].contains(&head.trim()) {
                return None;
            }
            lines[key].truncate(self.column + "extensions:".len());
        }
        let list = List::of(&lines[key + 1..end], self.column)?;
        let new = list.with(wanted)?;
        lines.splice(key + 1..end, new);
        Some(())
    }

    /// The line of a key of this mapping.
    fn key(&self, lines: &[String], key: &str) -> Option<usize> {
        let mut own = self.lines.clone();
        own.find(|at| {
            let line = &lines[*at];
            let is_own = *at == self.lines.start || indent(line) == self.column;
            is_own
                && line
                    .get(self.column..)
                    .is_some_and(|rest| rest.starts_with(key))
        })
    }

    /// Behind the last line of the list that begins at `start`: what follows it are comments, and what is no part of it.
    fn end_of_list(&self, lines: &[String], start: usize) -> usize {
        let is_of_list = |line: &String| {
            let at = indent(line);
            !is_content(line)
                || at > self.column
                || at == self.column && line.trim_start().starts_with('-')
        };
        let inside = lines[start..self.lines.end].iter();
        let length = inside.take_while(|line| is_of_list(line)).count();
        let own = start..start + length;
        let last = own.rev().find(|at| is_content(&lines[*at]));
        last.map_or(start, |last| last + 1)
    }
}

/// The lines of a list's entries, by the entries' names.
struct List {
    /// The column of the dashes.
    column: usize,
    entries: BTreeMap<String, Entry>,
}

/// An entry, with the comments above it.
struct Entry {
    comments: Vec<String>,
    lines: Vec<String>,
    value: Value,
}

impl List {
    /// `column`: where its key stands.
    fn of(lines: &[String], column: usize) -> Option<Self> {
        let first = lines.iter().find(|line| is_content(line));
        let column = first.map_or(column, |line| indent(line));
        let mut parts: Vec<(Vec<String>, Vec<String>)> = Vec::new();
        let mut between: Vec<String> = Vec::new();
        for line in lines {
            if !is_content(line) {
                between.push(line.clone());
            } else if indent(line) == column && line.trim_start().starts_with('-') {
                parts.push((std::mem::take(&mut between), vec![line.clone()]));
            } else {
                let (_, own) = parts.last_mut()?;
                own.append(&mut between);
                own.push(line.clone());
            }
        }
        let mut entries = BTreeMap::new();
        for (comments, lines) in parts {
            let value = parsed(&lines)?;
            let name = value["name"].as_str()?.to_owned();
            let entry = Entry {
                comments,
                lines,
                value,
            };
            if entries.insert(name, entry).is_some() {
                return None;
            }
        }
        Some(Self { column, entries })
    }

    fn with(&self, wanted: &Entries) -> Option<Vec<String>> {
        let mut all = Vec::new();
        for (name, value) in wanted {
            match self.entries.get(name) {
                Some(entry) => {
                    all.extend_from_slice(&entry.comments);
                    let same = (entry.value == *value).then(|| entry.lines.clone());
                    let changed = same.or_else(|| entry.with_reference(value));
                    all.extend(changed.or_else(|| written(value, self.column))?);
                }
                None => all.extend(written(value, self.column)?),
            }
        }
        Some(all)
    }
}

impl Entry {
    /// Its lines with another image alone. None: more is different.
    fn with_reference(&self, wanted: &Value) -> Option<Vec<String>> {
        let reference = |value: &Value| value["image"]["reference"].as_str().map(str::to_owned);
        let (old, new) = (reference(&self.value)?, reference(wanted)?);
        let text = self.lines.join("\n").replacen(&old, &new, 1);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        (parsed(&lines)? == *wanted).then_some(lines)
    }
}

/// The one entry of a list.
fn parsed(lines: &[String]) -> Option<Value> {
    let value = yaml::from_text(&lines.join("\n"))?;
    value
        .as_array()
        .filter(|list| list.len() == 1)?
        .first()
        .cloned()
}

/// An entry of a list whose dashes stand in that column.
fn written(entry: &Value, column: usize) -> Option<Vec<String>> {
    let text = yaml::to_plain_text(&Value::Array(vec![entry.clone()])).ok()?;
    let indent = " ".repeat(column);
    Some(text.lines().map(|line| format!("{indent}{line}")).collect())
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether there is more than blanks and a comment.
fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}
