// SPDX-License-Identifier: Apache-2.0
//! A failure in words: its parts in their order, for people and for those who read one text.

use super::{HINT, line::Line, tool_line};
use crate::failure::{CommandRecord, Ending, FailureRecord};

/// Lines of a command's output that are quoted at most; the log has all.
const QUOTED: usize = 8;

pub(super) struct Words {
    message: String,
    /// Lines that stand below the message, further in.
    below: Vec<String>,
    hint: Option<String>,
    guide: Option<String>,
}

impl Words {
    pub(super) fn of(failure: &FailureRecord) -> Self {
        let cause = failure.cause.iter();
        let below = cause
            .map(|cause| format!("probable cause: {cause}"))
            .chain(failure.command.iter().flat_map(|failed| quoted(failed)))
            .chain(failure.details.iter().cloned());
        Self {
            below: below.collect(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
            guide: failure.guide.clone(),
        }
    }

    /// As one text of several lines.
    pub(super) fn text(&self) -> String {
        let mut text = self.message.clone();
        for line in &self.below {
            text += &format!("\n  {line}");
        }
        if let Some(hint) = &self.hint {
            text += &format!("\n\nhint: {hint}");
        }
        if let Some(guide) = &self.guide {
            text += &format!("\nmore: {guide}");
        }
        text
    }

    /// As lines: the first goes on from `first`, the others stand behind `indent`.
    pub(super) fn lines(&self, first: Line, indent: &str) -> Vec<Line> {
        let mut lines = vec![first.and(&self.message)];
        let below = |line| Line::plain(&format!("{indent}  {}", tool_line(line)));
        lines.extend(self.below.iter().map(|line| below(line)));
        if let Some(hint) = &self.hint {
            lines.push(Line::default());
            let line = Line::plain(indent).in_style(HINT, "hint");
            lines.push(line.and(": ").and(hint));
        }
        if let Some(guide) = &self.guide {
            lines.push(Line::plain(&format!("{indent}more: {guide}")));
        }
        lines
    }
}

/// All that a failure says, as one text.
pub(crate) fn words(failure: &FailureRecord) -> String {
    Words::of(failure).text()
}

/// What a failed command was, how it ended and what it said.
fn quoted(failed: &CommandRecord) -> Vec<String> {
    let after = format!("after {:.1}s", failed.seconds);
    let number = |number: Option<i32>| number.unwrap_or_default();
    let ended = match failed.reason {
        // The message says it all.
        Ending::NotFound => return Vec::new(),
        Ending::Status => format!("exited with status {} {after}", number(failed.status)),
        Ending::Signal => format!("ended by signal {} {after}", number(failed.signal)),
        Ending::TimedOut => format!("did not end within {}s", failed.limit.unwrap_or_default()),
        Ending::GivenUp => format!("given up {after}: it could not succeed any more"),
        Ending::Error => format!(
            "not run to its end: {}",
            failed.why.as_deref().unwrap_or_default()
        ),
    };
    let log = failed.log.as_ref();
    let log = log.map_or_else(String::new, |log| format!("; full log: {}", log.display()));
    let mut lines = vec![
        format!("command: {}", failed.command),
        format!("{ended}{log}"),
    ];
    if let Some(first) = &failed.first_error {
        lines.push(format!("first error: {first}"));
    }
    let last = &failed.tail[failed.tail.len().saturating_sub(QUOTED)..];
    if !last.is_empty() {
        lines.push(format!("last {} of {} lines:", last.len(), failed.lines));
        lines.extend(last.iter().map(|line| format!("  | {line}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::failure::{CmdFailure, Failure, Reason};

    fn failed(reason: Reason) -> CmdFailure {
        CmdFailure {
            purpose: "try it".into(),
            command: "tool --url http://u:s3cret@h".into(),
            program: "tool".into(),
            reason,
            elapsed: Duration::from_millis(1250),
            tail: (1..=9).map(|line| format!("line {line}")).collect(),
            first_error: Some("error: no".into()),
            lines: 20,
            log: Some("logs/try.log".into()),
        }
    }

    #[test]
    fn a_failure_says_what_was_run_how_it_ended_and_what_it_printed() {
        let failure = Failure {
            cause: Some("it is old".into()),
            ..Failure::from(failed(Reason::Status(3)))
        };
        let failure = failure.detail("more").hint("make a new one");
        let quoted: Vec<String> = (2..=9).map(|line| format!("\n    | line {line}")).collect();
        let quoted = quoted.concat();
        assert_eq!(
            words(&(&failure).into()),
            format!(
                "failed to try it\n  probable cause: it is old\n  command: tool --url http://<redacted>@h\n  \
                 exited with status 3 after 1.2s; full log: logs/try.log\n  first error: error: no\n  \
                 last 8 of 20 lines:{quoted}\n  more\n\nhint: make a new one"
            )
        );
    }

    #[test]
    fn a_program_that_is_missing_needs_no_more_words() {
        let text = words(&(&Failure::from(failed(Reason::NotFound))).into());
        assert_eq!(
            text,
            "failed to try it: `tool` is not installed or not on PATH\n\n\
             hint: run `cargo xtask prereqs` to see all that is missing\n\
             more: https://github.com/cloudnative-pg/postgres-extensions-containers/blob/main/BUILD.md#before-you-start"
        );
    }
}
