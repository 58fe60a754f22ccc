// SPDX-License-Identifier: Apache-2.0
//! What happens while a plan runs, as values: the runner makes them, the `ui` shows them.

use std::time::Duration;

use crate::failure::Failure;

#[derive(Debug)]
pub(crate) enum Event {
    /// Something the user should know before or between steps.
    Note(String),
    Warning(String),
    Started {
        step: String,
    },
    /// A line of a tool's output.
    Output {
        step: String,
        line: String,
    },
    Finished {
        step: String,
        quiet: bool,
        outcome: Outcome,
        elapsed: Duration,
    },
}

/// How a step ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Done; with what it did where the name does not say it.
    Done(Option<String>),
    /// Not needed, and why.
    Skipped(String),
    Failed(Failure),
    /// Not run, because of another step's failure or an interruption.
    NotRun,
}

/// A finished step, as the command's report wants it.
#[derive(Debug)]
pub(crate) struct StepReport {
    pub outcome: Outcome,
    pub elapsed: Duration,
    /// Not worth a word when it has not gone wrong.
    pub quiet: bool,
    /// The last line of output: where a tool's answer stands.
    pub last_line: Option<String>,
    /// Why it was run once more.
    pub retried: Option<String>,
}

impl StepReport {
    pub(crate) fn succeeded(&self) -> bool {
        matches!(self.outcome, Outcome::Done(_) | Outcome::Skipped(_))
    }
}
