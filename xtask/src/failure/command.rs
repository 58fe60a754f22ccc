// SPDX-License-Identifier: Apache-2.0
//! A command that did not succeed, as it is known when it has ended.

use std::{path::PathBuf, time::Duration};

/// A command that did not succeed.
#[derive(Clone, Debug)]
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

/// Why it did not succeed.
#[derive(Clone, Debug)]
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
