// SPDX-License-Identifier: Apache-2.0
//! What to ask when a step has failed.

use super::Cmd;

/// A question whose answer is kept for people, and searched for the probable cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// The file, in the step's own folder, that the answer is kept in.
    pub file: String,
    pub cmd: Cmd,
    /// Of an answer that tells of others too, and of times before: the lines with this are about the step.
    pub about: Option<String>,
}

impl Question {
    pub(crate) fn new(file: impl Into<String>, cmd: Cmd) -> Self {
        Self {
            file: file.into(),
            cmd,
            about: None,
        }
    }

    #[must_use]
    pub(crate) fn about(mut self, text: impl Into<String>) -> Self {
        self.about = Some(text.into());
        self
    }
}
