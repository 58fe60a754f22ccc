// SPDX-License-Identifier: Apache-2.0
//! Where else a repository names each of its extensions: its owners, where its images are published, and the table of its
//! README. A new one is written in where such a file has a place for it.

use super::{draft::Draft, readme::markdown};

/// A file that names extensions, and what it becomes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mention {
    /// The new text, and what was added.
    Written { text: String, added: String },
    /// What a person has to do.
    Left(String),
}

/// Writes an extension into the text of a file, by its directory. None: the file needs no change.
type Write = fn(&str, &Draft, &str) -> Option<Mention>;

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

/// The owners of everything own the new directory too; a line of its own is where more are added. `folder` is the extension's
/// directory, relative to the root.
fn owners(text: &str, _: &Draft, folder: &str) -> Option<Mention> {
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
    Some(Mention::Written {
        text: format!("{}\n{added}\n", text.trim_end_matches('\n')),
        added,
    })
}

/// Another point of distribution, like the last one.
fn distribution(text: &str, draft: &Draft, _: &str) -> Option<Mention> {
    let lines: Vec<&str> = text.lines().collect();
    let begin = lines
        .iter()
        .position(|line| line.trim() == "distribution-points:")?;
    let depth = |line: &str| line.len() - line.trim_start().len();
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
    let last = (begin + 1..end)
        .rev()
        .find(|line| lines[*line].trim_start().starts_with("- uri:"))?;
    let (prefix, _) = lines[last].rsplit_once('/')?;
    let uri = format!("{prefix}/{}", draft.name);
    if lines.contains(&uri.as_str()) {
        return None;
    }
    let mut added = vec![uri.clone()];
    added.extend(lines[last + 1..end].iter().filter_map(|line| {
        let (indent, _) = line.split_once("comment:")?;
        Some(format!(
            "{indent}comment: GitHub packages for the {} extension image",
            draft.name
        ))
    }));
    let mut all: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    all.splice(end..end, added);
    Some(Mention::Written {
        text: all.join("\n") + "\n",
        added: uri.trim().to_owned(),
    })
}

/// A row of the table whose rows lead to the extensions' directories, behind the last that the alphabet puts before it.
fn table(text: &str, draft: &Draft, folder: &str) -> Option<Mention> {
    let lines: Vec<&str> = text.lines().collect();
    let (above, name) = folder
        .rsplit_once('/')
        .map_or(("", folder), |(above, name)| (above, name));
    let prefix = if above.is_empty() {
        String::new()
    } else {
        format!("{above}/")
    };
    let linked = |line: &str| -> Option<String> {
        let (_, rest) = line.strip_prefix('|')?.split_once(&format!("]({prefix}"))?;
        let end = rest.find([')', '/'])?;
        let name = rest[..end].trim_start_matches("./");
        (!name.is_empty()).then(|| name.to_owned())
    };
    let rows: Vec<usize> = (0..lines.len())
        .filter(|at| linked(lines[*at]).is_some())
        .collect();
    let first = *rows.first()?;
    if rows
        .iter()
        .any(|at| linked(lines[*at]).as_deref() == Some(name))
    {
        return None;
    }
    let heading = (0..first).rev().find(|at| {
        lines.get(at + 1).is_some_and(|line| {
            line.starts_with('|') && line.trim_matches(['|', '-', ':', ' ']).is_empty()
        })
    })?;
    let row = row(lines[heading], lines[first], &linked(lines[first])?, draft)?;
    let before = rows
        .iter()
        .rev()
        .find(|at| linked(lines[**at]).is_some_and(|other| *other < *name));
    let at = before.map_or(first, |at| at + 1);
    let mut all = lines.clone();
    all.insert(at, &row);
    Some(Mention::Written {
        text: all.join("\n") + "\n",
        added: row.clone(),
    })
}

/// The cells by what stands above them.
fn row(headings: &str, like: &str, other: &str, draft: &Draft) -> Option<String> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let headings = cells(headings);
    let link = cells(like).into_iter().next()?;
    let (_, target) = link.split_once("](")?;
    let is_bold = link.starts_with("**");
    let shown = format!(
        "[{}]({}",
        draft.name,
        target.replacen(other, &draft.name, 1)
    );
    let shown = if is_bold { format!("**{shown}") } else { shown };
    let all = headings.iter().enumerate().map(|(at, heading)| {
        let heading = heading.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| heading.contains(word));
        if at == 0 {
            shown.clone()
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
    Some(format!("| {} |", all.collect::<Vec<_>>().join(" | ")))
}

#[cfg(test)]
mod tests;
