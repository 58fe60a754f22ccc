// SPDX-License-Identifier: Apache-2.0
//! kind's bullets, ` • Preparing nodes 📦  ...`, which become ` ✓ Preparing nodes 📦`.

use super::Reading;

pub(super) fn read(line: &str) -> Option<Reading> {
    let (end, rest) = [("", "• "), (": done", "✓ "), (": failed", "✗ ")]
        .iter()
        .find_map(|(end, mark)| Some((end, line.strip_prefix(mark)?)))?;
    let is_drawn = |c: char| !c.is_ascii() && !c.is_alphanumeric();
    let text: String = rest.chars().filter(|c| !is_drawn(*c)).collect();
    let text = text.trim_end_matches(['.', ' ']);
    Some(Reading::words(format!("{text}{end}")))
}
