// SPDX-License-Identifier: Apache-2.0
//! What no text of the metadata may be, whichever field it stands in.

use crate::{
    finding::Findings,
    hcl::{Node, Value},
    value::is_one_line,
};

/// Text that would end or turn a line wherever it is shown or written.
pub(super) fn one_line(path: &str, node: &Node, findings: &mut Findings) {
    match &node.value {
        Value::String(text) if !is_one_line(text) => findings.error(
            node.line,
            format!("`{path}` is `{text}`; it must be one line without control characters"),
        ),
        Value::List(items) => items.iter().for_each(|item| one_line(path, item, findings)),
        Value::Map(entries) => {
            for (key, value) in entries {
                let path = format!("{path}.{key}");
                if !is_one_line(key) {
                    findings.error(
                        value.line,
                        format!("`{path}` has control characters in its name"),
                    );
                }
                one_line(&path, value, findings);
            }
        }
        _ => {}
    }
}

/// A template's placeholder that nobody has filled in.
pub(super) fn placeholders(path: &str, node: &Node, findings: &mut Findings) {
    match &node.value {
        Value::String(text) => {
            if let Some(start) = text.find('<')
                && text[start..].contains("-here>")
            {
                findings.error(
                    node.line,
                    format!("`{path}` still holds the placeholder `{text}`"),
                );
            }
        }
        Value::List(items) => items
            .iter()
            .for_each(|item| placeholders(path, item, findings)),
        Value::Map(entries) => {
            for (key, value) in entries {
                placeholders(&format!("{path}.{key}"), value, findings);
            }
        }
        _ => {}
    }
}
