// SPDX-License-Identifier: Apache-2.0
//! What a person reads of a line that a tool has printed, where there is room for one line of each step: words in place of the
//! tool's own columns and marks, and nothing of a line that does not say how far the step is. The log has every line whole.
//!
//! A step may start several tools, and one tool's lines come through another's, so a line is known by its form. A form that
//! nobody knows is shown as it is.

mod apt;
mod buildkit;
mod chainsaw;
mod json;
mod kind;
mod layers;
mod stamp;

use std::borrow::Cow;

use crate::printable::{clipped, printable};

/// What a line says to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reading {
    /// Nothing.
    Nothing,
    Words(String),
    /// What stands in it is a line of another tool.
    Of(String),
}

impl Reading {
    fn words(text: impl Into<String>) -> Self {
        Self::Words(text.into())
    }
}

/// Each knows the lines of one tool; None: it is none of them.
const READERS: [fn(&str) -> Option<Reading>; 7] = [
    stamp::read,
    chainsaw::read,
    buildkit::read,
    json::read,
    apt::read,
    layers::read,
    kind::read,
];

/// How often a line may be one in a line: none that a tool prints is deeper.
const DEEPEST: usize = 8;

/// Columns of a line that are looked at: far more than any of these tools prints.
const LONGEST: usize = 1 << 16;

/// One line of words. None: the line says nothing to a person.
pub(crate) fn of(line: &str) -> Option<String> {
    let mut line = clipped(line, LONGEST);
    for _ in 0..DEEPEST {
        let text = line.replace('\t', " ");
        let text = printable(&text);
        let text = text.trim();
        if !is_said(text) {
            return None;
        }
        let words = match READERS.iter().find_map(|read| read(text)) {
            None => in_short(text),
            Some(Reading::Nothing) => return None,
            Some(Reading::Words(words)) => in_short(&words),
            Some(Reading::Of(inner)) => {
                line = inner.into();
                continue;
            }
        };
        return is_said(&words).then_some(words);
    }
    None
}

/// Rules, and what is left of a drawing, say nothing.
fn is_said(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// How many digits of a digest tell one from the other.
const DIGITS: usize = 8;

/// A text in which digests are as long as it takes to tell them apart, and several blanks are one.
fn in_short(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let Some((before, hex)) = word.split_once("sha256:") else {
            return Cow::Borrowed(word);
        };
        let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        match digits {
            64 => format!("{before}sha256:{}{}", &hex[..DIGITS], &hex[digits..]).into(),
            _ => Cow::Borrowed(word),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
