// SPDX-License-Identifier: Apache-2.0
//! How a run stands, in a word and in numbers.

use serde::Serialize;

use super::record::{RunRecord, StepRecord};
use crate::{failure::Kind, verdict::Verdict};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    Passed,
    Failed,
    /// What it was given was wrong.
    Invalid,
    Unavailable,
    Interrupted,
    /// It goes on.
    Running,
    /// It has not said how it ended, and does not go on.
    Killed,
}

impl Standing {
    /// `is_held`: a run has the folder.
    pub(crate) fn of(run: &RunRecord, is_held: bool) -> Self {
        match (
            run.exit_code,
            run.failure.as_ref().map(|failure| failure.kind),
        ) {
            (None, _) if is_held => Self::Running,
            (None, _) => Self::Killed,
            (Some(0), _) => Self::Passed,
            (_, Some(Kind::Invalid)) => Self::Invalid,
            (_, Some(Kind::Unavailable)) => Self::Unavailable,
            (_, Some(Kind::Interrupted)) => Self::Interrupted,
            (Some(_), _) => Self::Failed,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Unavailable => "unavailable",
            Self::Interrupted => "interrupted",
            Self::Running => "running",
            Self::Killed => "killed",
        }
    }
}

/// How many steps have ended how. Those that nobody is shown are counted where they have failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub passed: usize,
    pub skipped: usize,
    pub failed: usize,
    pub not_run: usize,
    /// They have not ended.
    pub open: usize,
}

impl Counts {
    pub(crate) fn of(steps: &[StepRecord]) -> Self {
        let mut counts = Self::default();
        let is_counted = |step: &&StepRecord| !step.quiet || step.outcome == Some(Verdict::Failed);
        for step in steps.iter().filter(is_counted) {
            match step.outcome {
                Some(Verdict::Passed | Verdict::Unchanged) => counts.passed += 1,
                Some(Verdict::Skipped | Verdict::NotAvailable) => counts.skipped += 1,
                Some(Verdict::Failed) => counts.failed += 1,
                Some(Verdict::NotRun | Verdict::NotRead) => counts.not_run += 1,
                None => counts.open += 1,
            }
        }
        counts
    }

    /// `7 passed, 1 failed`.
    pub(crate) fn words(self) -> String {
        let all = [
            (self.passed, "passed"),
            (self.skipped, "skipped"),
            (self.failed, "failed"),
            (self.not_run, "not run"),
            (self.open, "not ended"),
        ];
        let some = all.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = some
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{failure::Failure, run::timeline::tests::run};

    #[test]
    fn how_a_run_stands_is_one_word() {
        let mut run = run(1, &[]);
        assert_eq!(Standing::of(&run, true).word(), "running");
        assert_eq!(Standing::of(&run, false).word(), "killed");
        for (code, failure, word) in [
            (0, None, "passed"),
            (1, None, "failed"),
            (1, Some(Failure::failed("x")), "failed"),
            (2, Some(Failure::invalid("x")), "invalid"),
            (3, Some(Failure::unavailable("x")), "unavailable"),
            (130, Some(Failure::interrupted()), "interrupted"),
        ] {
            run.exit_code = Some(code);
            run.failure = failure.as_ref().map(Into::into);
            assert_eq!(Standing::of(&run, false).word(), word);
        }
    }
}
