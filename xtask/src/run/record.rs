// SPDX-License-Identifier: Apache-2.0
//! What is said of a run to programs, field by field: the serde types of events and files. Whatever is in them is
//! without logins.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    failure::{CmdFailure, Failure, Kind, Reason},
    value::without_logins,
};

/// A failure in its parts.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct FailureRecord {
    pub kind: Kind,
    /// What did not succeed, in one line.
    pub message: String,
    /// What has most probably gone wrong, in a paragraph.
    pub cause: Option<String>,
    /// The command whose failure it is.
    pub command: Option<CommandRecord>,
    /// Further lines.
    pub details: Vec<String>,
    /// One thing to try.
    pub hint: Option<String>,
}

/// A command that did not succeed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct CommandRecord {
    /// A verb phrase that reads well after "failed to".
    pub purpose: String,
    /// As it can be pasted into a shell.
    pub command: String,
    pub reason: Ending,
    /// The status that it ended with.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What could not be done with it, when that is the reason.
    pub why: Option<String>,
    pub seconds: f64,
    /// The file with all that it printed.
    pub log: Option<PathBuf>,
    /// Lines that it printed.
    pub lines: usize,
    /// The first line that reads like an error.
    pub first_error: Option<String>,
    /// The last lines that it printed.
    pub tail: Vec<String>,
}

/// How a command that did not succeed came to its end, in a word.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ending {
    #[serde(rename = "not found")]
    NotFound,
    Status,
    Signal,
    #[serde(rename = "timed out")]
    TimedOut,
    #[serde(rename = "given up")]
    GivenUp,
    /// It was not started, or not followed to its end.
    Error,
}

impl From<&Failure> for FailureRecord {
    fn from(failure: &Failure) -> Self {
        Self {
            kind: failure.kind,
            message: without_logins(&failure.message),
            cause: failure.cause.as_deref().map(without_logins),
            command: failure.command.as_deref().map(CommandRecord::from),
            details: fit(&failure.details),
            hint: failure.hint.as_deref().map(without_logins),
        }
    }
}

impl From<&CmdFailure> for CommandRecord {
    fn from(failed: &CmdFailure) -> Self {
        let (reason, status, signal, why) = match &failed.reason {
            Reason::NotFound => (Ending::NotFound, None, None, None),
            Reason::Status(code) => (Ending::Status, Some(*code), None, None),
            Reason::Signal(number) => (Ending::Signal, None, Some(*number), None),
            Reason::TimedOut(_) => (Ending::TimedOut, None, None, None),
            Reason::GivenUp => (Ending::GivenUp, None, None, None),
            Reason::Io(why) | Reason::Argument(why) => {
                (Ending::Error, None, None, Some(without_logins(why)))
            }
        };
        Self {
            purpose: without_logins(&failed.purpose),
            command: without_logins(&failed.command),
            reason,
            status,
            signal,
            why,
            seconds: failed.elapsed.as_secs_f64(),
            log: failed.log.clone(),
            lines: failed.lines,
            first_error: failed.first_error.as_deref().map(without_logins),
            tail: fit(&failed.tail),
        }
    }
}

fn fit(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| without_logins(line)).collect()
}
