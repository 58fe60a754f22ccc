// SPDX-License-Identifier: Apache-2.0
//! JSON that people may read.

use serde_json::Value;

/// A value with two spaces of indentation; short lists of strings on one line are left to the reader's `jq`.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
