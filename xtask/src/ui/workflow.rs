// SPDX-License-Identifier: Apache-2.0
//! GitHub's workflow commands: our own are escaped, and nobody else's are heard.
//!
//! The runner reads every line of both streams. A line is a command when it begins with `::`, blanks
//! before it not counted, or in the older form when it holds `##[name]` anywhere. Facts:
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>, and
//! `ActionCommand.cs` of <https://github.com/actions/runner>.

use std::borrow::Cow;

use crate::printable::printable;

/// Before a line of ours that would otherwise begin with a command.
pub(super) const NO_COMMAND: &str = "| ";

/// One command, on a line of its own. `properties` by name; an empty value leaves the property out.
pub(super) fn command(name: &str, properties: &[(&str, &str)], message: &str) -> String {
    let properties: Vec<String> = properties
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", property(value)))
        .collect();
    let gap = if properties.is_empty() { "" } else { " " };
    format!("::{name}{gap}{}::{}", properties.join(","), data(message))
}

fn data(text: &str) -> String {
    let text: String = text
        .split('\n')
        .map(printable)
        .collect::<Vec<_>>()
        .join("\n");
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    let text = printable(text);
    data(&text).replace(':', "%3A").replace(',', "%2C")
}

/// Whether a line that is made of these parts would be a command.
pub(super) fn begins_command<'a>(parts: impl Iterator<Item = &'a str>) -> bool {
    parts.collect::<String>().trim_start().starts_with("::")
}

/// The text with the older form of a command broken.
pub(super) fn without_commands(text: &str) -> Cow<'_, str> {
    if text.contains("#[") {
        Cow::Owned(text.replace("#[", "#\\["))
    } else {
        Cow::Borrowed(text)
    }
}

/// JSON in which the runner finds no command, and every other reader the same values.
pub(super) fn json_without_commands(json: &str) -> String {
    // Outside of strings JSON has no `#`.
    json.replace("#[", "\\u0023[")
}

/// A folded group of what a tool has said, during which the runner obeys nobody: no line can guess the
/// word that ends it.
pub(super) fn group(title: &str, said: &[String]) -> Result<Vec<String>, getrandom::Error> {
    let word = format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?);
    let mut lines = vec![
        command("group", &[], title),
        format!("::stop-commands::{word}"),
    ];
    lines.extend(said.iter().map(|line| super::tool_line(line)));
    lines.push(format!("::{word}::"));
    lines.push("::endgroup::".to_owned());
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_end_a_command_or_begin_another() {
        assert_eq!(
            command(
                "error",
                &[("title", "a:b,c"), ("line", "")],
                "50%\n::next\r\u{1b}[1m"
            ),
            "::error title=a%3Ab%2Cc::50%25%0A::next\\r"
        );
        assert_eq!(command("group", &[], "a\u{1b}b"), "::group::a\\u{1b}b");
        assert_eq!(
            command("error", &[("file", "a\nb")], ""),
            "::error file=a\\nb::"
        );
    }

    #[test]
    fn json_keeps_its_values() {
        let json = r#"{"a":"x ##[error]y"}"#;
        let hidden = json_without_commands(json);
        assert!(!hidden.contains("##["), "{hidden}");
        let value: serde_json::Value = serde_json::from_str(&hidden).unwrap();
        assert_eq!(value["a"], "x ##[error]y");
    }

    #[test]
    fn a_group_is_closed_by_a_word_of_its_own() {
        let said = ["::error::x".to_owned(), "\u{1b}[1mb\u{1b}[0m\ta".to_owned()];
        let first = group("t", &said).unwrap();
        let second = group("t", &said).unwrap();
        assert_eq!(first[0], "::group::t");
        assert_eq!(first[2..4], ["::error::x", "b    a"]);
        let word = first[1].strip_prefix("::stop-commands::").unwrap();
        assert_eq!(word.len(), 32);
        assert_eq!(
            first[4..],
            [format!("::{word}::"), "::endgroup::".to_owned()]
        );
        assert_ne!(first[1], second[1]);
    }
}
