// SPDX-License-Identifier: Apache-2.0
//! How a step, and with it what it was to build, try or test, has ended: the one word for it in every table, JSON value,
//! event and record.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Passed,
    /// What was there before is what it has come to.
    Unchanged,
    Skipped,
    /// There is nothing to do it with, which is nobody's failure.
    #[serde(rename = "not available")]
    NotAvailable,
    #[serde(rename = "not run")]
    NotRun,
    /// It is not known what was to be done.
    #[serde(rename = "not read")]
    NotRead,
    Failed,
}

impl Verdict {
    /// Of several that belong together; the worst decides.
    pub(crate) fn of_all(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().max().unwrap_or(Self::NotRun)
    }

    /// Nothing of it is for anybody to look at.
    pub(crate) fn is_good(self) -> bool {
        self <= Self::NotAvailable
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::NotAvailable => "not available",
            Self::NotRun => "not run",
            Self::NotRead => "not read",
            Self::Failed => "failed",
        }
    }
}

/// How many of those that were tried have passed, for people.
pub(crate) fn passed(all: impl IntoIterator<Item = Verdict>) -> String {
    let all: Vec<Verdict> = all.into_iter().collect();
    let count = |verdict| all.iter().filter(|one| **one == verdict).count();
    let aside =
        [Verdict::Unchanged, Verdict::NotAvailable].map(|verdict| (count(verdict), verdict));
    let tried = all.len() - aside.iter().map(|(count, _)| count).sum::<usize>();
    let passed = format!("{} of {tried} passed", count(Verdict::Passed));
    let aside = aside.iter().filter(|(count, _)| *count > 0);
    let aside = aside.map(|(count, verdict)| format!("{count} {}", verdict.word()));
    let said = Some(passed).filter(|_| tried > 0 || all.is_empty());
    let said: Vec<String> = said.into_iter().chain(aside).collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, Failed, NotAvailable, NotRead, NotRun, Passed, Skipped, Unchanged};

    #[test]
    fn it_is_the_same_word_everywhere() {
        for verdict in [
            Passed,
            Unchanged,
            Skipped,
            NotAvailable,
            NotRun,
            NotRead,
            Failed,
        ] {
            assert_eq!(serde_json::json!(verdict), verdict.word());
        }
    }

    #[test]
    fn the_worst_decides() {
        assert_eq!(Verdict::of_all([Passed, Passed]), Passed);
        assert_eq!(Verdict::of_all([Passed, NotRun]), NotRun);
        assert_eq!(Verdict::of_all([NotRun, Failed, Passed]), Failed);
        assert_eq!(Verdict::of_all([Passed, Skipped]), Skipped);
        assert_eq!(Verdict::of_all([]), NotRun);
    }

    #[test]
    fn what_is_not_available_has_not_been_tried() {
        let said = |all: &[Verdict]| super::passed(all.iter().copied());
        assert_eq!(said(&[Passed, Failed, NotRead]), "1 of 3 passed");
        let lacking = [Passed, NotAvailable, NotAvailable];
        assert_eq!(said(&lacking), "1 of 1 passed, 2 not available");
        let before = [Passed, Unchanged, NotAvailable, Unchanged];
        assert_eq!(said(&before), "1 of 1 passed, 2 unchanged, 1 not available");
        assert_eq!(said(&[Unchanged]), "1 unchanged");
        assert_eq!(said(&[]), "0 of 0 passed");
    }
}
