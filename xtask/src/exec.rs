// SPDX-License-Identifier: Apache-2.0
//! Starts processes; the only folder that does.
//!
//! Every child leads a process group of its own, so that one signal ends it with all that it started,
//! and a Ctrl-C at the terminal reaches us alone: we decide what ends and what is cleaned up.
//! Interactive children are the exception: they share our group and the terminal.

use std::{path::Path, time::Duration};

mod child;
mod end;
mod output;
mod proxies;
mod real;
mod start;
mod tail;

pub(crate) use crate::failure::{CmdFailure, Reason};
pub(crate) use proxies::{NO_PROXY, PROXY, respelled};
pub(crate) use real::Real;
pub(crate) use start::DEFAULT_PLATFORM;
pub(crate) use tail::Tail;

use crate::plan::{Cmd, Word};

/// How a command is looked after while it runs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Supervision<'a> {
    /// Where all that it prints is kept.
    pub log: Option<&'a Path>,
    /// After how long it is ended; None: never.
    pub timeout: Option<Duration>,
    /// Asked every few seconds: once it says that the command cannot succeed any more, the command is ended. One
    /// that ends with status 0 all the same has succeeded.
    pub hopeless: Option<&'a (dyn Fn() -> bool + Sync)>,
}

/// Runs commands. The real one is [`Real`]; tests of the runner have one that fails on demand.
pub(crate) trait Exec: Sync {
    /// Runs to the end. Each line of output goes to `line` as it comes.
    fn run(
        &self,
        cmd: &Cmd,
        how: Supervision<'_>,
        line: &mut dyn FnMut(&str),
    ) -> Result<(), CmdFailure>;

    /// Runs to the end and gives standard output; standard error is for the failure message. `limit`: after how long
    /// it is ended; None: never, but soon where we have been asked to stop before.
    fn read(&self, cmd: &Cmd, limit: Option<Duration>) -> Result<String, CmdFailure>;

    /// Starts a process that outlives us, its output in `log`.
    fn start(&self, cmd: &Cmd, log: &Path) -> Result<(), CmdFailure>;

    /// Whether the user or the system has asked us to stop.
    fn interrupted(&self) -> bool;
}

impl CmdFailure {
    /// Of a command that has not run: it could not be found or started, or not be completed.
    pub(crate) fn before_start<A: Word>(cmd: &Cmd<A>, reason: Reason) -> Self {
        Self {
            purpose: cmd.purpose.clone(),
            command: cmd.headline(),
            program: cmd.program.to_string_lossy().into_owned(),
            reason,
            elapsed: Duration::ZERO,
            tail: Vec::new(),
            first_error: None,
            lines: 0,
            log: None,
        }
    }
}

#[cfg(test)]
mod tests;
