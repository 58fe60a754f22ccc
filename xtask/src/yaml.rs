// SPDX-License-Identifier: Apache-2.0
//! YAML that every reader takes the same way.

use serde_json::Value;

use crate::failure::Failure;

/// The document with every string quoted: a YAML 1.1 reader would take a plain `on`, `1.10` or `1e3` for
/// something else.
pub(crate) fn to_text(value: &Value) -> Result<String, Failure> {
    let options = serde_saphyr::ser_options! { quote_all: true };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|error| Failure::failed(format!("cannot be written as YAML: {error}")))
}

/// The document for people: what no reader would take for something else is not quoted.
pub(crate) fn to_plain_text(value: &Value) -> Result<String, Failure> {
    // A reference is one word: whoever searches for it finds it in one line.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|error| Failure::failed(format!("cannot be written as YAML: {error}")))
}

/// The first document of a text that somebody else has written; None when it is no YAML.
pub(crate) fn from_text(text: &str) -> Option<Value> {
    serde_saphyr::from_str(text).ok()
}

/// All documents of a text that somebody else has written. The error is what is wrong with it.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    serde_saphyr::from_multiple(text).map_err(|error| error.to_string())
}

/// The only document of a text that somebody else has written. The error is what is wrong with it.
pub(crate) fn one_document(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        // What follows the first line is a copy of the text.
        let error = error.to_string();
        error.lines().next().unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_looks_like_something_else_is_quoted() {
        let texts = [
            "on",
            "off",
            "yes",
            "1.10",
            "18.0",
            "1e3",
            "0x1F",
            "12:30:45",
            "~",
            "null",
            "",
            "a: b",
            "${image_root}/x",
        ];
        let text =
            to_text(&json!({"texts": texts, "on": "off", "number": 1, "truth": true})).unwrap();
        for item in texts {
            assert!(text.contains(&format!("- '{item}'\n")), "{item} in {text}");
        }
        assert!(text.contains("\"on\": 'off'"), "{text}");
        assert!(
            text.contains("number: 1\n") && text.contains("truth: true\n"),
            "{text}"
        );
    }

    #[test]
    fn for_people_only_what_looks_like_something_else_is_quoted() {
        let plain = |text: &str| to_plain_text(&json!({ "key": text })).unwrap();
        for text in [
            "on",
            "off",
            "yes",
            "no",
            "y",
            "1.10",
            "18.0",
            "18",
            "1e3",
            "0x1F",
            "0o17",
            "017",
            "12:30:45",
            "2026-11-26",
            "~",
            "null",
            "",
            "a: b",
            "# a",
            "- a",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "{a}",
            "a #b",
            ".inf",
            "1_000",
            "+1",
            "a\nb",
            " a",
            "a ",
            "true",
            "=",
            "<<",
        ] {
            let text = plain(text);
            let value = text.strip_prefix("key: ").unwrap();
            let is_quoted = value.starts_with(['\'', '"', '|', '>']);
            assert!(is_quoted, "{text}");
        }
        for text in [
            "pgvector",
            "${image_root}/x",
            "localhost:5000/a:1",
            "1Gi",
            "a, b",
        ] {
            assert_eq!(plain(text), format!("key: {text}\n"));
        }
    }
}
