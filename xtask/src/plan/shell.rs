// SPDX-License-Identifier: Apache-2.0
//! Values as text for a POSIX shell. Whatever a value holds, the shell reads that value and goes on behind
//! it; whoever looks at the text sees one line, and no GitHub runner finds a command in it.
//!
//! There are no heredocs: their end may stand in the text, and they end badly in pipes and conditions.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use crate::printable::is_hidden;

/// A word of a command: bare, in quotes, or where it holds what a terminal would obey as a `printf`.
pub(crate) fn word(value: impl AsRef<OsStr>) -> String {
    let value = value.as_ref();
    let bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:=@%+,-".contains(byte);
    match value.to_str() {
        // Some shells take `=x` for the path of `x`.
        Some(text)
            if !text.is_empty() && !text.starts_with('=') && text.bytes().all(|b| bare(&b)) =>
        {
            text.to_owned()
        }
        Some(text) if is_plain(text) => quoted(text),
        _ => {
            // A substitution loses the ends of lines at its end.
            let bytes = value.as_bytes();
            let end = bytes
                .iter()
                .rposition(|byte| *byte != b'\n')
                .map_or(0, |at| at + 1);
            let ends = "\n".repeat(bytes.len() - end);
            format!("\"$({}){ends}\"", printf(&bytes[..end]))
        }
    }
}

/// A path as an operand: one that is relative and looks like an option begins with `./`.
pub(crate) fn operand(path: &Path) -> String {
    if path.as_os_str().as_bytes().starts_with(b"-") {
        word(Path::new(".").join(path))
    } else {
        word(path)
    }
}

/// A name that a shell starts or assigns to: with a `=` in it, bare, it would be an assignment.
pub(crate) fn program(name: &OsStr) -> String {
    let bare = word(name);
    if bare.contains('=') && !bare.starts_with(['\'', '"']) {
        quoted(&bare)
    } else {
        bare
    }
}

/// A command that prints exactly this text. Lines of it stand on lines of their own.
pub(crate) fn prints(text: &str) -> String {
    let lines: Vec<&str> = text
        .strip_suffix('\n')
        .unwrap_or_default()
        .split('\n')
        .collect();
    if lines.len() < 2 || !lines.iter().all(|line| is_plain(line)) {
        return printf(text.as_bytes());
    }
    lines
        .iter()
        .fold("printf '%s\\n'".to_owned(), |command, line| {
            format!("{command} \\\n  {}", quoted(line))
        })
}

/// Whether a text can stand in quotes as it is.
fn is_plain(text: &str) -> bool {
    !text.chars().any(is_escaped) && !text.contains("##[")
}

fn is_escaped(c: char) -> bool {
    is_hidden(c) && c != '\t'
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// `printf` with a format that prints these bytes; what would not be seen is an octal escape.
fn printf(bytes: &[u8]) -> String {
    let mut format = String::new();
    for (at, chunk) in bytes.utf8_chunks().enumerate() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => format += "\\n",
                '\\' => format += "\\\\",
                '%' => format += "%%",
                '\'' => format += "'\\''",
                // The format would be an option, or the text a command to a GitHub runner.
                '-' if at == 0 && format.is_empty() => format += "\\055",
                '[' if format.ends_with("##") => format += "\\133",
                c if is_escaped(c) => {
                    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                        format += &format!("\\{byte:03o}");
                    }
                }
                c => format.push(c),
            }
        }
        for byte in chunk.invalid() {
            format += &format!("\\{byte:03o}");
        }
    }
    format!("printf '{format}'")
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_word_is_as_plain_as_it_can_be() {
        for (text, shown) in [
            ("a-b_c./d:1=@%+,", "a-b_c./d:1=@%+,"),
            ("", "''"),
            ("~/a", "'~/a'"),
            ("a b*?$`\"\\", "'a b*?$`\"\\'"),
            ("it's", "'it'\\''s'"),
            ("ü", "'ü'"),
            ("a\nb\n\n", "\"$(printf 'a\\nb')\n\n\""),
            ("\u{1b}[1m", "\"$(printf '\\033[1m')\""),
            (
                "-\u{202e}%\\'",
                "\"$(printf '\\055\\342\\200\\256%%\\\\'\\''')\"",
            ),
            ("x##[y", "\"$(printf 'x##\\133y')\""),
        ] {
            assert_eq!(word(text), shown, "{text:?}");
        }
        let foreign = std::ffi::OsString::from_vec(vec![b'a', 0xff, b'b']);
        assert_eq!(word(&foreign), "\"$(printf 'a\\377b')\"");
        assert_eq!(operand(Path::new("-a b")), "'./-a b'");
        assert_eq!(operand(Path::new("/-a")), "/-a");
        assert_eq!(program(OsStr::new("/a=b/c")), "'/a=b/c'");
    }

    #[test]
    fn a_text_of_several_lines_stays_readable() {
        assert_eq!(prints("one\n"), "printf 'one\\n'");
        assert_eq!(prints(""), "printf ''");
        assert_eq!(
            prints("a\n\n-it's\n"),
            "printf '%s\\n' \\\n  'a' \\\n  '' \\\n  '-it'\\''s'"
        );
        assert_eq!(prints("a\nb"), "printf 'a\\nb'");
        assert_eq!(prints("a\n\u{7}b\n"), "printf 'a\\n\\007b\\n'");
    }
}
