// SPDX-License-Identifier: Apache-2.0
//! Work that is more than a command or a file. Who knows what it is about makes it; the plan and the runner
//! know only that it prints itself and can be done.

use std::fmt;

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
    /// Nothing was to be done, and why.
    Skipped(String),
}

/// What a command must have done when it has ended well: a tool's status does not say all.
pub(crate) trait Postcondition: fmt::Debug + Send + Sync {
    /// Fails when it has not.
    fn check(&self) -> Result<(), Failure>;
}
