// SPDX-License-Identifier: Apache-2.0
//! How a step, and with it what it was to build, try or test, has ended: the one word for it in every table, JSON value,
//! event and record.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Passed,
    Skipped,
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

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped => "skipped",
            Self::NotRun => "not run",
            Self::NotRead => "not read",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, Failed, NotRead, NotRun, Passed, Skipped};

    #[test]
    fn it_is_the_same_word_everywhere() {
        for verdict in [Passed, Skipped, NotRun, NotRead, Failed] {
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
}
