// SPDX-License-Identifier: Apache-2.0
//! What happens while a plan runs, as values: the runner makes them, the `ui` shows them.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    failure::{Failure, FailureRecord},
    plan::{Performed, Step, StepId},
    verdict::Verdict,
};

#[derive(Debug)]
pub(crate) enum Event {
    /// Something the user should know before or between steps.
    Note(String),
    Warning(String),
    /// A plan begins, of so many steps; small ones do not count.
    Planned {
        steps: usize,
    },
    Started {
        id: StepId,
        step: String,
    },
    /// A line of a tool's output.
    Output {
        id: StepId,
        step: String,
        line: String,
    },
    Finished(StepReport),
    /// Nothing has happened for a second: what somebody holds back until there is time can be done.
    Quiet,
}

/// How a step ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Done; with what it did where the name does not say it.
    Done(Option<String>),
    /// What was there is what it has come to; with more where there is more to say.
    Unchanged(Option<String>),
    /// Not needed, and why.
    Skipped(String),
    /// Failed; shared by all who show or keep it.
    Failed(Arc<FailureRecord>),
    /// Not run, because of another step's failure or an interruption.
    NotRun,
}

impl Outcome {
    pub(crate) fn failed(failure: &Failure) -> Self {
        Self::Failed(Arc::new(failure.into()))
    }

    /// Why it is unchanged, where that is so and there is more to say.
    pub(crate) fn unchanged(&self) -> Option<&str> {
        match self {
            Self::Unchanged(what) => what.as_deref(),
            _ => None,
        }
    }

    /// Its word.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Done(_) => Verdict::Passed,
            Self::Unchanged(_) => Verdict::Unchanged,
            Self::Skipped(_) => Verdict::Skipped,
            Self::Failed(_) => Verdict::Failed,
            Self::NotRun => Verdict::NotRun,
        }
    }
}

impl From<Performed> for Outcome {
    fn from(performed: Performed) -> Self {
        match performed {
            Performed::Done(what) => Self::Done(what),
            Performed::Unchanged(what) => Self::Unchanged(what),
            Performed::Skipped(why) => Self::Skipped(why),
        }
    }
}

/// What became of a step.
#[derive(Clone, Debug)]
pub(crate) struct StepReport {
    pub id: StepId,
    pub name: String,
    /// None: it was not run.
    pub started: Option<SystemTime>,
    pub elapsed: Duration,
    pub outcome: Outcome,
    /// Where all that its command has printed stands.
    pub log: Option<PathBuf>,
    /// Not worth a word when it has not gone wrong.
    pub quiet: bool,
    /// The last line of output: where a tool's answer stands.
    pub last_line: Option<String>,
    /// What it was run to find out, where it says so itself.
    pub found: Option<String>,
    /// Why it was run again.
    pub retried: Option<String>,
}

impl StepReport {
    /// Of a step that does not run.
    pub(crate) fn not_run(id: StepId, step: &Step) -> Self {
        Self {
            id,
            name: step.name.clone(),
            started: None,
            elapsed: Duration::ZERO,
            outcome: Outcome::NotRun,
            log: None,
            quiet: step.quiet,
            last_line: None,
            found: None,
            retried: None,
        }
    }

    pub(crate) fn succeeded(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::Done(_) | Outcome::Unchanged(_) | Outcome::Skipped(_)
        )
    }
}
