// SPDX-License-Identifier: Apache-2.0
//! What scanners have found, counted by how bad it is: in SARIF (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/>), and in
//! the lines of debsecan.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// How bad a finding is, as SARIF says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Note,
    Warning,
    Error,
}

/// How many findings there are of each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub errors: usize,
    pub warnings: usize,
    pub notes: usize,
}

impl Counts {
    fn add(&mut self, level: Level) {
        match level {
            Level::Error => self.errors += 1,
            Level::Warning => self.warnings += 1,
            Level::Note => self.notes += 1,
        }
    }

    /// How many are at least as bad.
    pub(crate) fn from(self, level: Level) -> usize {
        match level {
            Level::Error => self.errors,
            Level::Warning => self.errors + self.warnings,
            Level::Note => self.errors + self.warnings + self.notes,
        }
    }

    /// Of a report in SARIF. The error says what is wrong with it.
    pub(crate) fn of_sarif(text: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let runs = value["runs"].as_array().ok_or("it has no `runs`")?;
        let mut counts = Self::default();
        for run in runs {
            let rules = &run["tool"]["driver"]["rules"];
            let results = run["results"].as_array().map(Vec::as_slice);
            for result in results.unwrap_or_default() {
                if let Some(level) = level(result, rules) {
                    counts.add(level);
                }
            }
        }
        Ok(counts)
    }

    /// Of what `debsecan --format summary` prints: `CVE-2026-1 libx1 (fixed, remotely exploitable, high urgency)`.
    pub(crate) fn of_debsecan(text: &str) -> Self {
        let mut counts = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            counts.add(match line {
                line if line.contains("high urgency") => Level::Error,
                line if line.contains("medium urgency") => Level::Warning,
                _ => Level::Note,
            });
        }
        counts
    }
}

/// `1 error, 2 warnings, 0 notes`.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            many => format!("{many} {one}s"),
        };
        let parts = [
            counted(self.errors, "error"),
            counted(self.warnings, "warning"),
            counted(self.notes, "note"),
        ];
        f.write_str(&parts.join(", "))
    }
}

/// The result's own level, or its rule's, or else the standard's. None: it says that nothing is wrong.
fn level(result: &Value, rules: &Value) -> Option<Level> {
    let of_rule = || {
        let index = usize::try_from(result["ruleIndex"].as_u64()?).ok()?;
        rules[index]["defaultConfiguration"]["level"].as_str()
    };
    match result["level"].as_str().or_else(of_rule) {
        Some("error") => Some(Level::Error),
        Some("note") => Some(Level::Note),
        Some("none") => None,
        _ => Some(Level::Warning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted_by_their_own_level_or_their_rules() {
        let sarif = br#"{"runs":[{"tool":{"driver":{"rules":[{"id":"a","defaultConfiguration":{"level":"error"}}]}},
            "results":[{"level":"note"},{"ruleIndex":0},{"ruleIndex":7},{"level":"none"},{"level":"error"}]},{"results":null}]}"#;
        let counts = Counts::of_sarif(sarif).unwrap();
        let wanted = Counts {
            errors: 2,
            warnings: 1,
            notes: 1,
        };
        assert_eq!(counts, wanted);
        let from = [Level::Error, Level::Warning, Level::Note].map(|level| counts.from(level));
        assert_eq!(from, [2, 3, 4]);
        for wrong in ["", "[]", "{}", r#"{"runs":1}"#] {
            assert!(Counts::of_sarif(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lines_of_debsecan_are_counted_by_urgency() {
        let text = "CVE-2026-1 libx1 (remotely exploitable, high urgency)\nCVE-2026-2 libx1 (fixed, medium urgency)\nCVE-2026-3 liby1\n\n";
        let wanted = Counts {
            errors: 1,
            warnings: 1,
            notes: 1,
        };
        assert_eq!(Counts::of_debsecan(text), wanted);
        assert_eq!(wanted.to_string(), "1 error, 1 warning, 1 note");
        assert_eq!(
            Counts::default().to_string(),
            "0 errors, 0 warnings, 0 notes"
        );
    }
}
