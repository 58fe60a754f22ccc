// SPDX-License-Identifier: Apache-2.0
//! What a text leaves to a person: lines with the word `TODO`, and placeholders like `<version-here>`.

/// What a comment begins with in HCL, SQL, YAML and Dockerfiles.
const COMMENTS: [&str; 4] = ["#", "//", "--", "/*"];
const WORD: &str = "TODO";
const PLACEHOLDER: &str = "-here>";

/// A line that leaves something open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// From 1.
    pub line: usize,
    /// What stands behind the word, or the placeholder.
    pub what: String,
}

/// All that a text leaves open, in its order.
pub(crate) fn anywhere(text: &str) -> Vec<Open> {
    found(text, |line| said(line).or_else(|| placeholder(line)))
}

/// What its comments leave open.
pub(crate) fn in_comments(text: &str) -> Vec<Open> {
    let comment = |line: &str| {
        let begins = COMMENTS.iter().filter_map(|begin| line.find(begin));
        said(&line[begins.min()?..])
    };
    found(text, comment)
}

fn found(text: &str, what: impl Fn(&str) -> Option<String>) -> Vec<Open> {
    let lines = text.lines().zip(1..);
    let open = lines.filter_map(|(text, line)| what(text).map(|what| Open { line, what }));
    open.collect()
}

/// What stands behind the word, without what ends a comment or a cell.
fn said(line: &str) -> Option<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let (before, behind) = line.split_once(WORD)?;
    if before.ends_with(is_part) || behind.starts_with(is_part) {
        return None;
    }
    let behind = behind.trim_start_matches([':', ' ']);
    let behind = behind.trim_end_matches(['*', '/', '|', ' ']);
    Some(if behind.is_empty() { WORD } else { behind }.to_owned())
}

fn placeholder(line: &str) -> Option<String> {
    let end = line.find(PLACEHOLDER)?;
    let begin = line[..end].rfind('<')?;
    Some(line[begin..end + PLACEHOLDER.len()].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(open: Vec<Open>) -> Vec<String> {
        let all = open.into_iter();
        all.map(|one| format!("{}: {}", one.line, one.what))
            .collect()
    }

    #[test]
    fn what_is_left_open_is_found_with_its_line() {
        let text = "a\n# TODO: one\nx = \"TODO list\" # TODO two\n-- TODO\n  p = \"<version-here>\"\n# TODOS\n| a | TODO |\n/* TODO: c */\n";
        let all = [
            "2: one",
            "3: list\" # TODO two",
            "4: TODO",
            "5: <version-here>",
            "7: TODO",
            "8: c",
        ];
        assert_eq!(whats(anywhere(text)), all);
        let comments = ["2: one", "3: two", "4: TODO", "8: c"];
        assert_eq!(whats(in_comments(text)), comments);
        assert!(in_comments("name = \"TODO\"\n").is_empty());
    }
}
