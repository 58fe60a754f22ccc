// SPDX-License-Identifier: Apache-2.0
//! One command that does the work of several steps at once. Each of these is a step of its own all the same: it has its
//! name, its log, its end, and what comes after it need not wait for the others.

use std::{fmt, sync::Arc};

use super::Performed;
use crate::{exec::Exec, failure::Failure};

/// Work that several steps share. It prints as lines that a shell takes and that do all of it.
pub(crate) trait Joint: fmt::Display + fmt::Debug + Send + Sync {
    /// The programs that it starts, by their names on PATH.
    fn programs(&self) -> &'static [&'static str];

    /// Lines that a shell takes and that do the work of one part alone.
    fn alone(&self, part: usize) -> String;

    /// Does the work of these parts; the others are not wanted any more. The end of each is told to `board` as soon as it
    /// is known. A failure is that of all parts of which no end was told.
    fn perform(&self, parts: &[usize], exec: &dyn Exec, board: &dyn Board) -> Result<(), Failure>;
}

/// Where joint work says what becomes of its parts, from whatever thread.
pub(crate) trait Board: Sync {
    /// A line of a tool's output that is about a part.
    fn line(&self, part: usize, line: &str);

    /// A part has ended. One that has ended well may still turn out to have failed, which then counts; nothing else does.
    fn ended(&self, part: usize, ended: Result<Performed, Failure>);
}

/// What one step is of joint work.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub joint: Arc<dyn Joint>,
    /// Its place among the parts, from 0.
    pub place: usize,
}

impl Part {
    /// Whether another step's part is of the same work.
    pub(crate) fn is_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.joint, &other.joint)
    }
}

/// As it would be done alone.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.joint.alone(self.place))
    }
}
