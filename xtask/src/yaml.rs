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

/// The first document of a text that somebody else has written; None when it is no YAML.
pub(crate) fn from_text(text: &str) -> Option<Value> {
    serde_saphyr::from_str(text).ok()
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
}
