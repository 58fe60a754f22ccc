// SPDX-License-Identifier: Apache-2.0
//! Versions of tools, in what they print.

/// The first word in a tool's answer that looks like a version, without a `v` before it.
pub(crate) fn found_in(printed: &str) -> Option<&str> {
    let words = printed.split(|c: char| c.is_whitespace() || "\",".contains(c));
    let mut versions = words
        .map(|word| word.trim_start_matches('v'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    versions.next()
}

/// Whether a version is before another one. Only the numbers at their beginning count, and as many as both have.
pub(crate) fn is_older(found: &str, least: &str) -> bool {
    let (found, least) = (numbers(found), numbers(least));
    let shared = found.len().min(least.len());
    found[..shared] < least[..shared]
}

fn numbers(version: &str) -> Vec<u32> {
    version
        .trim_start_matches('v')
        .split('.')
        .map_while(|part| part.split('-').next()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_a_tool_prints() {
        for (printed, found) in [
            ("0.32.0\n", Some("0.32.0")),
            ("Version: v0.2.15\nTime: 1", Some("0.2.15")),
            ("{\"gitVersion\": \"v1.36.1\",", Some("1.36.1")),
            ("it has none", None),
        ] {
            assert_eq!(found_in(printed), found, "{printed:?}");
        }
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (found, least, older) in [
            ("0.26.0", "0.27", true),
            ("v0.26.1", "0.27", true),
            ("0.27.0-alpha+1", "0.27", false),
            ("0.9", "0.10", true),
            ("1", "0.27", false),
            ("x", "0.27", false),
        ] {
            assert_eq!(is_older(found, least), older, "{found} {least}");
        }
    }
}
