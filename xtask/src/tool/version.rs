// SPDX-License-Identifier: Apache-2.0
//! Versions of tools: the least that will do, and what tools print of theirs.

use std::fmt;

/// The least version of a tool that will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Least(&'static [u32]);

impl Least {
    pub(crate) const fn of(numbers: &'static [u32]) -> Self {
        Self(numbers)
    }

    /// Whether a version is before it. Only the numbers at a version's beginning count, and as many as both have.
    pub(crate) fn is_after(self, found: &str) -> bool {
        let found = numbers(found);
        let shared = found.len().min(self.0.len());
        found[..shared] < self.0[..shared]
    }

    /// Whether a version is surely as new: one without numbers may be anything.
    pub(crate) fn is_reached_by(self, found: &str) -> bool {
        !numbers(found).is_empty() && !self.is_after(found)
    }
}

impl fmt::Display for Least {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

/// The first word in a tool's answer that looks like a version, without a `v` before it.
pub(crate) fn found_in(printed: &str) -> Option<&str> {
    let words = printed.split(|c: char| c.is_whitespace() || "\",".contains(c));
    let mut versions = words
        .map(|word| word.trim_start_matches('v'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    versions.next()
}

fn numbers(version: &str) -> Vec<u32> {
    version
        .trim_start_matches('v')
        .split('.')
        .map_while(|part| part.split('-').next()?.parse().ok())
        .collect()
}

/// Digits and dots: `1.36.1`.
pub(crate) fn is_version(text: &str) -> bool {
    !text.is_empty()
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
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
        let (minor, major) = (Least::of(&[0, 27]), Least::of(&[28]));
        for (found, least, older) in [
            ("0.26.0", minor, true),
            ("v0.26.1", minor, true),
            ("0.27.0-alpha+1", minor, false),
            ("0.9", Least::of(&[0, 10]), true),
            ("1", minor, false),
            ("x", minor, false),
            ("27.5.1", major, true),
            ("28.5.2+dfsg4", major, false),
        ] {
            assert_eq!(least.is_after(found), older, "{found} {least}");
        }
        assert!(major.is_reached_by("28.5.2+dfsg4"));
        for found in ["27.5.1", "", "x"] {
            assert!(!major.is_reached_by(found), "{found}");
        }
        assert_eq!(
            (minor.to_string(), major.to_string()),
            ("0.27".into(), "28".into())
        );
    }
}
