// SPDX-License-Identifier: Apache-2.0
//! A failure in its parts, made once when a step or a run has ended with it: programs get it as it is, what people
//! read is made of it. Nothing in it holds a login.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{CmdFailure, Failure, Kind, Reason, Section};
use crate::{
    printable::{LONGEST_LINE, clipped},
    value::without_logins,
};

/// Columns of a line that a tool has printed, in a file.
const LONGEST_KEPT: usize = 300;

/// A failure in its parts.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct FailureRecord {
    pub kind: Kind,
    /// What did not succeed, in one line.
    pub message: String,
    /// What has most probably gone wrong, in a paragraph.
    pub cause: Option<String>,
    /// The command whose failure it is.
    pub command: Option<Box<CommandRecord>>,
    /// Further lines.
    pub details: Vec<String>,
    /// One thing to try.
    pub hint: Option<String>,
    /// The address of a section of the documents that says more.
    pub guide: Option<String>,
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
    /// The time that it had, when that was too short.
    pub limit: Option<u64>,
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

impl FailureRecord {
    /// Of any error: one that is no [`Failure`] (a file that cannot be read, say) has a message alone, and is a
    /// failure of the work.
    pub(crate) fn of_error(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<Failure>() {
            Some(failure) => failure.into(),
            None => (&Failure::failed(format!("{error:#}"))).into(),
        }
    }

    /// As far as a file has room for it that is read again: the log has all.
    #[must_use]
    pub(crate) fn kept(&self) -> Self {
        let mut kept = self.clone();
        let clip = |line: &mut String| *line = clipped(line, LONGEST_KEPT).into_owned();
        kept.details.iter_mut().for_each(clip);
        if let Some(command) = &mut kept.command {
            command.tail.iter_mut().for_each(clip);
            command.first_error.iter_mut().for_each(clip);
        }
        kept
    }
}

impl From<&Failure> for FailureRecord {
    fn from(failure: &Failure) -> Self {
        Self {
            kind: failure.kind,
            message: without_logins(&failure.message),
            cause: failure.cause.as_deref().map(without_logins),
            command: failure
                .command
                .as_deref()
                .map(|failed| Box::new(failed.into())),
            details: fit(&failure.details),
            hint: failure.hint.as_deref().map(without_logins),
            guide: failure.section.map(Section::address),
        }
    }
}

impl From<&CmdFailure> for CommandRecord {
    fn from(failed: &CmdFailure) -> Self {
        let mut record = Self {
            purpose: without_logins(&failed.purpose),
            command: without_logins(&failed.command),
            reason: Ending::Error,
            status: None,
            signal: None,
            why: None,
            limit: None,
            seconds: failed.elapsed.as_secs_f64(),
            log: failed.log.clone(),
            lines: failed.lines,
            first_error: failed.first_error.as_deref().map(short),
            tail: fit(&failed.tail),
        };
        record.reason = match &failed.reason {
            Reason::NotFound => Ending::NotFound,
            Reason::GivenUp => Ending::GivenUp,
            Reason::Status(code) => {
                record.status = Some(*code);
                Ending::Status
            }
            Reason::Signal(number) => {
                record.signal = Some(*number);
                Ending::Signal
            }
            Reason::TimedOut(limit) => {
                record.limit = Some(limit.as_secs());
                Ending::TimedOut
            }
            Reason::Io(why) | Reason::Argument(why) => {
                record.why = Some(without_logins(why));
                Ending::Error
            }
        };
        record
    }
}

fn fit(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| short(line)).collect()
}

/// A line as far as people and programs want it: the log has all.
fn short(line: &str) -> String {
    without_logins(&clipped(line, LONGEST_LINE))
}
