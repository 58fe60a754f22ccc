// SPDX-License-Identifier: Apache-2.0
//! Makes text fit for a cell of a Markdown table: a step summary shows it as it is, and as nothing else.

use crate::printable::{clipped, printable};

/// Characters of a cell at most; a summary has room for a megabyte in all.
const WIDEST: usize = 500;

/// What means something to Markdown where a backslash before it says otherwise.
const MARKS: &str = "\\`*_{}[]#|~$^";

/// The text as it is, whatever it holds: no link, no picture, no HTML, no mention, no other cell.
pub(super) fn cell(text: &str) -> String {
    let text = printable(text);
    let text = clipped(&text, WIDEST);
    let mut shown = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            // Before a digit it is a port or a tag; elsewhere a part of an address or of `:emoji:`.
            ':' if rest.peek().is_some_and(char::is_ascii_digit) => shown.push(c),
            // GitHub links bare addresses and mentions people even where a backslash stands before.
            '<' | '>' | '&' | '@' | ':' => shown += &format!("&#{};", u32::from(c)),
            c if MARKS.contains(c) => shown.extend(['\\', c]),
            c => shown.push(c),
        }
    }
    shown.replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_and_nothing_else() {
        for (text, shown) in [
            (
                "localhost:5000/x:0.8.6-18-trixie",
                "localhost:5000/x:0.8.6-18-trixie",
            ),
            ("a|b", "a\\|b"),
            ("a\nb\u{1b}[1m", "a\\\\nb"),
            ("`x` *y* _z_ ~w~", "\\`x\\` \\*y\\* \\_z\\_ \\~w\\~"),
            ("<img src=x>&amp;", "&#60;img src=x&#62;&#38;amp;"),
            (
                "[a](https://e.example) @me #1",
                "\\[a\\](https&#58;//e.example) &#64;me \\#1",
            ),
            ("\\|", "\\\\\\|"),
            ("", ""),
        ] {
            assert_eq!(cell(text), shown, "{text:?}");
        }
        assert!(cell(&"x".repeat(70_000)).len() < 600);
    }
}
