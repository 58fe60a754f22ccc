// SPDX-License-Identifier: Apache-2.0
//! When something was said, and by whom: what servers, Go's `log` and Kubernetes' own put before a line. The view has the time.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::Reading;

/// `2026-11-26 22:00:00.123 UTC [45] `, `2026-11-26T22:00:00Z `, `2026/11/26 22:00:00 `, `I1126 22:00:00.000000   123 file.go:1] `,
/// `time="2026-11-26T22:00:00Z" level=info msg="…"`.
static STAMP: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?(?: [A-Z]{3,4})?(?: \[\d+\])?|[IWEF]\d{4} [\d:.]+ +\d+ [\w./-]+:\d+\]|time=\S+ level=\w+ msg=) ?(.*)$",
    )
    .ok()
});

pub(super) fn read(line: &str) -> Option<Reading> {
    let rest = STAMP.as_ref()?.captures(line)?.get(1)?.as_str();
    let quoted = rest
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    Some(Reading::Of(quoted.unwrap_or(rest).to_owned()))
}
