// SPDX-License-Identifier: Apache-2.0
//! The table of a README whose rows lead to the extensions' directories.

use super::{Lines, Mention, Place};
use crate::stage::creation::{draft::Draft, readme::markdown};

/// A link to an extension's directory, in the first cell of a row: `**[age](extensions/age/README.md)**`.
struct Link<'a> {
    /// With the bracket.
    before: &'a str,
    text: &'a str,
    /// What the target begins with.
    to: &'a str,
    name: &'a str,
    /// What follows the name.
    behind: &'a str,
}

impl<'a> Link<'a> {
    fn of(row: &'a str, place: &Place<'_>) -> Option<Self> {
        let cell = row.strip_prefix('|')?.split('|').next()?.trim();
        let (begin, target) = cell.split_once("](")?;
        let (before, text) = begin.split_at(begin.rfind('[')? + 1);
        let above = place
            .folder
            .rsplit_once('/')
            .map_or(String::new(), |(above, _)| format!("{above}/"));
        let name = target.strip_prefix("./").unwrap_or(target);
        let name = name.strip_prefix(&*above)?;
        let (to, _) = target.split_at(target.len() - name.len());
        let (name, behind) = name.split_at(name.find([')', '/', '#', ' '])?);
        let is_one = place.extensions.contains(&name) || place.folder == format!("{above}{name}");
        is_one.then_some(Self {
            before,
            text,
            to,
            name,
            behind,
        })
    }

    /// The cell for another extension.
    fn for_other(&self, name: &str) -> String {
        let is_code = self.text.starts_with('`');
        let text = if is_code {
            format!("`{name}`")
        } else {
            name.to_owned()
        };
        format!("{}{text}]({}{name}{}", self.before, self.to, self.behind)
    }
}

/// A table by the indexes of its lines.
struct Rows<'a> {
    heading: &'a str,
    links: Vec<(usize, Link<'a>)>,
}

/// A row of the table that leads to most of the extensions' directories, behind the last that the alphabet puts before it.
pub(super) fn table(text: &str, draft: &Draft, place: &Place<'_>) -> Option<Mention> {
    let lines = Lines::of(text);
    let mut tables = tables(&lines, place);
    tables.retain(|table| !table.links.is_empty());
    let most = tables.iter().rev().max_by_key(|table| table.links.len())?;
    let (first, like) = most.links.first()?;
    let name = &*draft.name;
    if most.links.iter().any(|(_, link)| link.name == name) {
        return None;
    }
    let row = row(most.heading, like, draft);
    let mut from_last = most.links.iter().rev();
    let before = from_last.find(|(_, link)| link.name < name);
    // The line above the first row is the one below the headings.
    let behind = before.map_or(first - 1, |(at, _)| *at);
    Some(Mention::Written {
        text: lines.with(behind, text, std::slice::from_ref(&row)),
        added: row,
    })
}

/// The tables outside of code, with the rows that lead to an extension.
fn tables<'a>(lines: &Lines<'a>, place: &Place<'_>) -> Vec<Rows<'a>> {
    let is_below = |line: &str| {
        line.starts_with('|')
            && line.contains('-')
            && line.trim_matches(['|', '-', ':', ' ']).is_empty()
    };
    let mut tables: Vec<Rows<'_>> = Vec::new();
    let (mut in_code, mut in_table) = (false, false);
    let mut above = "";
    for (at, (_, line)) in lines.0.iter().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code || !line.starts_with('|') {
            in_table = false;
        } else if is_below(line) && above.starts_with('|') && !in_table {
            in_table = true;
            tables.push(Rows {
                heading: above,
                links: Vec::new(),
            });
        } else if let (true, Some(table)) = (in_table, tables.last_mut()) {
            table
                .links
                .extend(Link::of(line, place).map(|link| (at, link)));
        }
        above = line;
    }
    tables
}

/// The cells by what stands above them.
fn row(headings: &str, like: &Link<'_>, draft: &Draft) -> String {
    let inner = headings.trim().trim_matches('|');
    let headings: Vec<&str> = inner.split('|').map(str::trim).collect();
    let all = headings.iter().enumerate().map(|(at, heading)| {
        let heading = heading.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| heading.contains(word));
        if at == 0 {
            like.for_other(&draft.name)
        } else if has(&["create extension", "sql"]) {
            let created = format!("`{}`", draft.sql_name);
            if draft.is_created {
                created
            } else {
                "not created, loaded".to_owned()
            }
        } else if has(&["what", "description", "about"]) {
            draft
                .summary
                .as_deref()
                .map_or_else(|| "TODO".to_owned(), markdown)
        } else if has(&["url", "home", "project"]) {
            draft
                .homepage
                .as_ref()
                .map_or_else(|| "TODO".to_owned(), |home| format!("<{home}>"))
        } else {
            "TODO".to_owned()
        }
    });
    format!("| {} |", all.collect::<Vec<_>>().join(" | "))
}
