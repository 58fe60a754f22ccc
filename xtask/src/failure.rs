// SPDX-License-Identifier: Apache-2.0
//! What went wrong, whose fault it is, and what to do about it.
//!
//! The kind decides the exit code; the text is for people. A message is a lower-case fragment that
//! reads well after `error: `, names things in backticks, and says what was found and what was allowed.

use std::fmt;

use serde::{Deserialize, Serialize};

mod command;
mod guide;
mod record;

pub(crate) use command::{CmdFailure, Reason};
pub(crate) use guide::Section;
pub(crate) use record::{CommandRecord, Ending, FailureRecord};

use crate::{symptom, value::without_logins};

/// Who is at fault, which decides the exit code.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A build, check or test did not pass (1).
    Failed,
    /// Arguments, metadata or configuration are wrong (2).
    Invalid,
    /// A tool, daemon or machine feature is missing or unusable (3).
    Unavailable,
    /// The user or the system asked us to stop (130).
    Interrupted,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Invalid => "invalid",
            Kind::Unavailable => "unavailable",
            Kind::Interrupted => "interrupted",
        }
    }

    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Invalid => 2,
            Kind::Unavailable => 3,
            Kind::Interrupted => 130,
        }
    }
}

/// An error for the user: what did not succeed, why, and one thing to try. How it reads is `ui`'s.
#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: Kind,
    /// One line.
    pub message: String,
    /// What has most probably gone wrong, in a paragraph for people.
    pub cause: Option<String>,
    /// The command whose failure this is.
    pub(crate) command: Option<Box<CmdFailure>>,
    /// Further lines.
    pub details: Vec<String>,
    pub hint: Option<String>,
    /// Where the documents say more.
    pub(crate) section: Option<Section>,
}

impl Failure {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            cause: None,
            command: None,
            details: Vec::new(),
            hint: None,
            section: None,
        }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted")
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Where the documents say more about it.
    #[must_use]
    pub(crate) fn see(mut self, section: Section) -> Self {
        self.section = Some(section);
        self
    }

    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// The same failure, whose fault is that of a tool unless what is known of it says otherwise.
    #[must_use]
    pub(crate) fn or_unavailable(mut self) -> Self {
        if self.hint.is_none() {
            self.kind = Kind::Unavailable;
        }
        self
    }

    /// A failure of the same kind with another message and nothing else: for what fails because this has.
    pub(crate) fn of_the_same_kind(&self, message: impl Into<String>) -> Self {
        Self::new(self.kind, message)
    }

    /// The same failure with a hint, unless it already has one.
    #[must_use]
    pub fn or_hint(self, hint: impl Into<String>) -> Self {
        if self.hint.is_some() {
            self
        } else {
            self.hint(hint)
        }
    }
}

/// The message alone, without the logins that a user or a tool has written into it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_logins(&self.message))
    }
}

/// The one way from a command to a failure: what is known of such an end says whose fault it is and what helps.
impl From<CmdFailure> for Failure {
    fn from(failed: CmdFailure) -> Self {
        let purpose = &failed.purpose;
        let failure = if failed.is_missing() {
            let program = &failed.program;
            Self::unavailable(format!(
                "failed to {purpose}: `{program}` is not installed or not on PATH"
            ))
            .hint("run `cargo xtask prereqs` to see all that is missing")
            .see(Section::Begin)
        } else {
            let failure = Self::failed(format!("failed to {purpose}"));
            match symptom::advice(&failed) {
                Some(advice) => Self {
                    kind: advice.kind,
                    hint: Some(advice.hint),
                    section: advice.section,
                    ..failure
                },
                None => failure,
            }
        };
        Self {
            command: Some(Box::new(failed)),
            ..failure
        }
    }
}

impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(failure) => failure,
            Err(error) => Self::failed(format!("{error:#}")),
        }
    }
}

/// The known name that is nearest to `wanted`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(
    wanted: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(wanted.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `; did you mean `x`?` when a known name is near, else nothing.
pub(crate) fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_name_and_a_foreign_word_does_not() {
        let known = ["pgvector", "postgis", "pgaudit"];
        assert_eq!(nearest("pgvectr", known), Some("pgvector"));
        assert_eq!(nearest("postgsi", known), Some("postgis"));
        assert_eq!(nearest("mysql", known), None);
    }

    #[test]
    fn every_kind_has_its_documented_exit_code() {
        let codes = [
            Kind::Failed,
            Kind::Invalid,
            Kind::Unavailable,
            Kind::Interrupted,
        ];
        assert_eq!(codes.map(Kind::exit_code), [1, 2, 3, 130]);
        let of = |error: anyhow::Error| FailureRecord::of_error(&error).kind;
        assert_eq!(of(anyhow::anyhow!("plain")), Kind::Failed);
        assert_eq!(of(Failure::invalid("x").into()), Kind::Invalid);
    }
}
