// SPDX-License-Identifier: Apache-2.0
//! Placeholders in the variables of an extension, `${image_root}`, as CloudNativePG reads them: `ExpandEnvPlaceholders`
//! and `FindUnknownPlaceholders` of <https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.30.0/pkg/postgres/environment.go>.

/// The one that CloudNativePG knows: where the extension's image is mounted.
pub(crate) const IMAGE_ROOT: &str = "image_root";

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// Its name.
    Placeholder(String),
}

/// Takes a text apart. A placeholder is `${name}`; before a brace, `$$` is a dollar.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, name, behind)) = split(rest) {
        let literal = before.trim_end_matches('$');
        // One of them is the placeholder's own.
        let dollars = before.len() - literal.len() + 1;
        plain += literal;
        plain += &"$".repeat(dollars / 2);
        if dollars % 2 == 1 {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Placeholder(name.to_owned()));
        } else {
            plain += &format!("{{{name}}}");
        }
        rest = behind;
    }
    plain += rest;
    pieces.push(Piece::Text(plain));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    pieces
}

/// What stands before the first `${name}`, the name, and what stands behind it. A name holds at least one character.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find("${")?;
        let (name, behind) = text[at + 2..].split_once('}')?;
        if !name.is_empty() {
            return Some((&text[..at], name, behind));
        }
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    #[test]
    fn dollars_in_pairs_are_literal_before_a_brace_alone() {
        let text = |text: &str| Piece::Text(text.into());
        let placeholder = |name: &str| Piece::Placeholder(name.into());
        for (from, wanted) in [
            ("", vec![]),
            ("$5 and $$", vec![text("$5 and $$")]),
            ("${a}", vec![placeholder("a")]),
            (
                "x/${a}/y:${b}",
                vec![text("x/"), placeholder("a"), text("/y:"), placeholder("b")],
            ),
            ("$${a}", vec![text("${a}")]),
            (
                "$$${a}$${b}",
                vec![text("$"), placeholder("a"), text("${b}")],
            ),
            ("${}${a", vec![text("${}${a")]),
            ("${}${a}", vec![text("${}"), placeholder("a")]),
            ("é${é}", vec![text("é"), placeholder("é")]),
        ] {
            assert_eq!(pieces(from), wanted, "{from:?}");
        }
    }
}
