// SPDX-License-Identifier: Apache-2.0
//! JSON that people may read.

use serde_json::Value;

/// The value as text over several lines, indented by two spaces, without a line end behind it.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
