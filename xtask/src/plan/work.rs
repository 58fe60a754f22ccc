// SPDX-License-Identifier: Apache-2.0
//! What a step brings along that knows more than a command or a file says. Who knows what it is about makes it; the
//! plan and the runner know only what they may ask of it.

use std::fmt;

use super::Cmd;
use crate::{exec::Exec, failure::Failure};

/// Something to do that no other [`Action`](super::Action) is. It prints as lines that a shell takes and that
/// do the same.
pub(crate) trait Work: fmt::Display + fmt::Debug + Send + Sync {
    /// The programs that it starts, by their names on PATH.
    fn programs(&self) -> &'static [&'static str];

    /// Does it. Commands go through `exec`, and what is to be said meanwhile to `console`.
    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure>;
}

/// Where work says what it is doing.
pub(crate) struct Console<'a> {
    /// Takes a line of a tool's output.
    pub line: &'a mut dyn FnMut(&str),
    /// Takes a warning for the user.
    pub warning: &'a mut dyn FnMut(String),
}

/// How work has ended that has not failed.
#[derive(Debug)]
pub(crate) enum Performed {
    /// Done; with what it did where the step's name does not say it.
    Done(Option<String>),
    /// What was there is what it would have come to; with more where there is more to say.
    Unchanged(Option<String>),
    /// Nothing was to be done, and why.
    Skipped(String),
}

/// Looks at the world while a command runs: whether the command can still succeed.
pub(crate) trait Watch: fmt::Debug + Send + Sync {
    /// What it asks.
    fn commands(&self) -> Vec<&Cmd>;

    /// Begins to watch one run of the command.
    fn begin(&self) -> Box<dyn Look + Send + '_>;
}

/// One run of a command that is watched.
pub(crate) trait Look {
    /// Looks once more, by way of `exec`. Gives why the command cannot succeed any more, once that is certain.
    fn look(&mut self, exec: &dyn Exec) -> Option<Hopeless>;
}

/// Why a command cannot succeed any more.
#[derive(Debug)]
pub(crate) struct Hopeless {
    /// What has most probably gone wrong, in a paragraph.
    pub cause: String,
    /// How that was seen, in a line.
    pub seen: String,
}

/// Knows which failures of a command may be none when it is run again.
pub(crate) trait Retry: fmt::Debug + Send + Sync {
    /// Why a second run may do better than the one that has printed this; None: it would not.
    fn why(&self, printed: &str) -> Option<String>;
}
