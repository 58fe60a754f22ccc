// SPDX-License-Identifier: Apache-2.0
//! A command that did not succeed, and how that reads.

use std::{path::PathBuf, time::Duration};

use crate::{failure::Failure, plan::Cmd};

/// A command that did not succeed.
#[derive(Debug)]
pub struct CmdFailure {
    pub purpose: String,
    /// As it can be pasted into a shell.
    pub command: String,
    pub program: String,
    pub reason: Reason,
    pub elapsed: Duration,
    /// The last lines of output.
    pub tail: Vec<String>,
    /// The first line that reads like an error: tools say the cause first and give up later.
    pub first_error: Option<String>,
    pub lines: usize,
    pub log: Option<PathBuf>,
}

#[derive(Debug)]
pub enum Reason {
    NotFound,
    Status(i32),
    Signal(i32),
    TimedOut(Duration),
    /// We ended it: it could not succeed any more.
    GivenUp,
    /// It could not be started, or its output could not be read or logged.
    Io(String),
    /// It was not started, because an argument could not be made.
    Argument(String),
}

impl CmdFailure {
    pub(super) fn before_start(cmd: &Cmd, reason: Reason) -> Self {
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

    /// The program is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self.reason, Reason::NotFound)
    }

    /// The line to quote when there is room for one.
    pub fn cause(&self) -> Option<&str> {
        self.first_error
            .as_deref()
            .or_else(|| self.tail.last().map(String::as_str))
    }

    /// The lines of output that were kept.
    pub fn kept(&self) -> impl Iterator<Item = &str> {
        self.first_error
            .iter()
            .chain(&self.tail)
            .map(String::as_str)
    }

    pub fn mentions(&self, text: &str) -> bool {
        self.kept().any(|line| line.contains(text))
    }
}

impl std::fmt::Display for CmdFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "failed to {}: `{}`", self.purpose, self.command)
    }
}

impl std::error::Error for CmdFailure {}

impl From<CmdFailure> for Failure {
    fn from(failed: CmdFailure) -> Self {
        let purpose = &failed.purpose;
        let message = match &failed.reason {
            Reason::NotFound => {
                return Failure::unavailable(format!(
                    "failed to {purpose}: `{}` is not installed or not on PATH",
                    failed.program
                ))
                .hint("run `cargo xtask prereqs` to see all that is missing");
            }
            _ => format!("failed to {purpose}"),
        };
        let mut failure = Failure::failed(message).detail(format!("command: {}", failed.command));
        let after = format!("after {:.1}s", failed.elapsed.as_secs_f64());
        let ended = match &failed.reason {
            Reason::Status(code) => format!("exited with status {code} {after}"),
            Reason::Signal(number) => format!("ended by signal {number} {after}"),
            Reason::TimedOut(limit) => format!("did not end within {}s", limit.as_secs()),
            Reason::GivenUp => format!("given up {after}: it could not succeed any more"),
            Reason::Io(why) | Reason::Argument(why) => format!("not run to its end: {why}"),
            Reason::NotFound => String::new(),
        };
        let log = failed
            .log
            .as_ref()
            .map_or_else(String::new, |log| format!("; full log: {}", log.display()));
        failure = failure.detail(format!("{ended}{log}"));
        let shown = failed.tail.iter().rev().take(8).rev().collect::<Vec<_>>();
        if let Some(first) = &failed.first_error {
            failure = failure.detail(format!("first error: {first}"));
        }
        if !shown.is_empty() {
            failure = failure.detail(format!("last {} of {} lines:", shown.len(), failed.lines));
            for line in shown {
                failure = failure.detail(format!("  | {line}"));
            }
        }
        failure
    }
}
