// SPDX-License-Identifier: Apache-2.0
//! What is kept of a child's output for its failure message.

use std::{borrow::Cow, time::Instant};

use super::{CmdFailure, Reason};
use crate::plan::Cmd;

/// How much of a child's output a failure message may quote from.
const TAIL: usize = 40;

/// The first error and the last lines of what a child printed.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    last: std::collections::VecDeque<String>,
    first_error: Option<String>,
    lines: usize,
}

impl Tail {
    pub(crate) fn push(&mut self, line: &str) {
        self.lines += 1;
        if self.first_error.is_none() && reads_like_an_error(line) {
            self.first_error = Some(line.trim().to_owned());
        }
        if self.last.len() == TAIL {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
    }

    /// The failure of a command that has printed this, and ended for this reason.
    pub(super) fn failure(self, cmd: &Cmd, reason: Reason, started: Instant) -> CmdFailure {
        CmdFailure {
            elapsed: started.elapsed(),
            tail: self.last.into(),
            first_error: self.first_error,
            lines: self.lines,
            ..CmdFailure::before_start(cmd, reason)
        }
    }
}

impl Tail {
    /// Adds what was printed after it.
    pub(crate) fn extend(&mut self, later: &Self) {
        let first_error = self.first_error.take();
        for line in &later.last {
            self.push(line);
        }
        self.lines += later.lines - later.last.len();
        self.first_error = first_error.or_else(|| later.first_error.clone());
    }

    /// The line to quote, before anything else that was printed.
    pub(crate) fn quote_first(&mut self, line: Option<String>) {
        self.first_error = line.or_else(|| self.first_error.take());
    }

    /// The failure of a command of whose output this is what matters.
    pub(crate) fn of(&self, failed: CmdFailure) -> CmdFailure {
        CmdFailure {
            tail: self.last.iter().cloned().collect(),
            first_error: self.first_error.clone(),
            lines: self.lines,
            ..failed
        }
    }

    /// The first line that reads like an error, or else the last one.
    pub(crate) fn cause(&self) -> Option<&str> {
        let last = || self.last.back().map(String::as_str);
        self.first_error.as_deref().or_else(last)
    }
}

/// A line that is longer is given in pieces: memory is finite.
const LONGEST: usize = 1 << 20;

/// Output as lines.
#[derive(Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Gives the lines that are complete now.
    pub(super) fn push(&mut self, bytes: &[u8], line: &mut dyn FnMut(&str)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.begun.len() > LONGEST {
                self.finish(line);
            }
        }
    }

    /// Gives what is left, a line without an end.
    pub(super) fn finish(&mut self, line: &mut dyn FnMut(&str)) {
        if self.begun.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&self.begun);
        let text = text.trim_end_matches(['\n', '\r']);
        // A progress bar redraws its line with carriage returns: only its end counts.
        let text = text.rsplit('\r').next().unwrap_or_default();
        line(&overwritten(text));
        self.begun.clear();
    }
}

/// What a terminal shows of a line with backspaces, which Chainsaw and spinners print: each goes back by one
/// character, and what follows stands in place of what stood there.
fn overwritten(text: &str) -> Cow<'_, str> {
    const BACKSPACE: char = '\u{8}';
    if !text.contains(BACKSPACE) {
        return Cow::Borrowed(text);
    }
    let mut shown: Vec<char> = Vec::new();
    let mut at = 0_usize;
    for c in text.chars() {
        if c == BACKSPACE {
            at = at.saturating_sub(1);
            continue;
        }
        match shown.get_mut(at) {
            Some(old) => *old = c,
            None => shown.push(c),
        }
        at += 1;
    }
    Cow::Owned(shown.into_iter().collect())
}

/// Whether a tool's line states an error. BuildKit puts `#12 3.4 ` before each line of a step.
fn reads_like_an_error(line: &str) -> bool {
    let mut text = line.trim_start();
    if let Some(rest) = text.strip_prefix('#') {
        text = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    }
    let lower = text.to_ascii_lowercase();
    [
        "e: ",
        "error",
        "fatal",
        "panic",
        "psql:",
        "failed to ",
        "cannot ",
    ]
    .iter()
    .any(|start| lower.starts_with(start))
        || [
            ": error:",
            " fatal: ",
            "error: ",
            "no space left",
            "permission denied",
        ]
        .iter()
        .any(|part| lower.contains(part))
}

#[cfg(test)]
mod tests {
    use super::Lines;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut all = Vec::new();
        let mut lines = Lines::default();
        lines.push(bytes, &mut |line| all.push(line.to_owned()));
        lines.finish(&mut |line| all.push(line.to_owned()));
        all
    }

    #[test]
    fn backspaces_go_back_as_on_a_terminal() {
        // As Chainsaw 0.2.14 prints it.
        let line = format!(
            "    sink.go:56: {}| 22:25:42 | shared | cluster | ASSERT | DONE | x\n",
            "\u{8}".repeat(12)
        );
        assert_eq!(
            lines(line.as_bytes()),
            ["    | 22:25:42 | shared | cluster | ASSERT | DONE | x"]
        );
        for (said, shown) in [
            ("|\u{8}/\u{8}-", "-"),
            ("ab\u{8}\u{8}", "ab"),
            ("abc\u{8}\u{8}X", "aXc"),
            ("\u{8}\u{8}é\u{8}e", "e"),
            ("lost\rab\u{8}c", "ac"),
            ("plain", "plain"),
        ] {
            assert_eq!(lines(said.as_bytes()), [shown], "{said:?}");
        }
    }
}
