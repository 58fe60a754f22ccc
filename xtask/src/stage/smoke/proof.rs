// SPDX-License-Identifier: Apache-2.0
//! Whether an extension's `smoke.sql` does anything at all.

/// Whether SQL holds anything but blanks, comments, which nest, and the ends of empty statements.
pub(crate) fn has_statement(text: &str) -> bool {
    let nothing = |c: char| c.is_whitespace() || c == ';';
    let mut rest = text.trim_start_matches(nothing);
    loop {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            after_comment(comment)
        } else {
            return !rest.is_empty();
        }
        .trim_start_matches(nothing);
    }
}

/// What stands behind a comment that has begun.
fn after_comment(mut rest: &str) -> &str {
    let mut depth = 1;
    while depth > 0 {
        let Some(at) = rest.find("/*").into_iter().chain(rest.find("*/")).min() else {
            return "";
        };
        if rest[at..].starts_with("/*") {
            depth += 1;
        } else {
            depth -= 1;
        }
        rest = &rest[at + 2..];
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::has_statement;

    #[test]
    fn comments_prove_nothing() {
        for text in [
            "",
            " \n",
            "-- to do",
            "-- a\n/* b\n */ -- c\n",
            ";",
            " ; -- a\n;",
            "/* a /* b */ c */",
            "/* open",
        ] {
            assert!(!has_statement(text), "{text:?}");
        }
        for text in [
            "SELECT 1",
            "-- a\nSELECT 1;",
            "/* a */ SELECT 1",
            "/* a /* b */ c */; SELECT 1",
            "\\echo x",
        ] {
            assert!(has_statement(text), "{text:?}");
        }
    }
}
