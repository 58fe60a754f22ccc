// SPDX-License-Identifier: Apache-2.0
//! Makes text fit for a terminal: what a name, a file or a tool brings along can neither colour, move nor
//! end a line of ours.

use std::{borrow::Cow, sync::LazyLock};

use regex_lite::Regex;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of a line for people at most. The log has all of it, and so has the JSON.
pub(crate) const LONGEST_LINE: usize = 8_000;

/// Control sequences (ECMA-48): CSI with its parameters, OSC that is ended, a choice of character set.
static SEQUENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        "\u{1b}\\[[0-?]*[ -/]*[@-~]|\u{1b}\\][^\u{7}\u{1b}]*(?:\u{7}|\u{1b}\\\\)|\u{1b}[()][0-9A-Za-z]",
    )
    .ok()
});

/// The text without the sequences that tools colour theirs with; every other control character, every
/// mark that turns the direction of writing and every end of a line as a visible escape: `\n`, `\u{1b}`.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let bare = match &*SEQUENCE {
        Some(sequence) => sequence.replace_all(text, ""),
        None => Cow::Borrowed(text),
    };
    let mut shown = String::with_capacity(bare.len());
    for c in bare.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// JSON that acts on no terminal, and has the same values for every other reader. Between its values JSON has blanks and ends of
/// lines alone.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let acts = |c: char| is_hidden(c) && !matches!(c, '\n' | '\r' | '\t');
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut fit = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) {
            let mut units = [0; 2];
            fit.extend(
                c.encode_utf16(&mut units)
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}")),
            );
        } else {
            fit.push(c);
        }
    }
    Cow::Owned(fit)
}

/// Whether a character acts on the terminal or on its neighbours in place of being seen: C0, DEL and C1,
/// Unicode's separators of lines and paragraphs, and its marks for the direction of writing (UAX #9).
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// How many columns a text takes: wide characters two, combining ones none.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// At most `most` columns of a text; where something is left out it ends in `…`.
pub(crate) fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most || columns(text) <= most {
        return Cow::Borrowed(text);
    }
    let mut taken = 0;
    let fits = text.char_indices().find(|(_, c)| {
        taken += c.width().unwrap_or_default();
        taken >= most
    });
    let end = fits.map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_seen_in_place_of_acting() {
        for (text, shown) in [
            (
                "plain ü 漢 e\u{301} 👩\u{200d}💻",
                "plain ü 漢 e\u{301} 👩\u{200d}💻",
            ),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[1;31mred\u{1b}[0m \u{1b}[2Kgone", "red gone"),
            ("\u{1b}]0;title\u{7}x\u{1b}]8;;http://e\u{1b}\\y", "xy"),
            // Not ended: it would swallow what comes behind it.
            ("\u{1b}]0;title", "\\u{1b}]0;title"),
            ("\u{1b}c\u{1b}[", "\\u{1b}c\\u{1b}["),
            ("\u{0}\u{7f}\u{9b}31m", "\\u{0}\\u{7f}\\u{9b}31m"),
            (
                "a\u{202e}b\u{2066}c\u{200f}d",
                "a\\u{202e}b\\u{2066}c\\u{200f}d",
            ),
            (
                "a\u{2028}b\u{2029}c\u{85}d",
                "a\\u{2028}b\\u{2029}c\\u{85}d",
            ),
        ] {
            assert_eq!(printable(text), shown, "{text:?}");
            // What is fit stays as it is.
            assert_eq!(printable(&printable(text)), shown);
        }
    }

    #[test]
    fn json_acts_on_no_terminal_and_says_the_same() {
        let value = serde_json::json!({"a": "\u{9b}2J\u{7f}\u{202e}\u{1b}[2J\n\u{feff}ü漢"});
        for text in [value.to_string(), format!("{value:#}")] {
            let fit = json(&text);
            assert!(!fit.chars().any(|c| is_hidden(c) && c != '\n'), "{fit:?}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&fit).unwrap(),
                value
            );
            assert!(fit.contains("ü漢"), "{fit}");
        }
    }

    #[test]
    fn a_long_text_is_clipped_between_characters() {
        assert_eq!(clipped("short", 5), "short");
        assert_eq!(clipped("longer", 5), "long…");
        assert_eq!(clipped("漢字漢字", 5), "漢字…");
        assert_eq!(columns("漢字e\u{301}"), 5);
        assert_eq!(columns(&clipped(&"ä".repeat(70_000), 100)), 100);
    }
}
