// SPDX-License-Identifier: Apache-2.0
//! What to ask when a step has failed, and who finds the cause in the answers. The runner asks and keeps; whoever makes
//! the step knows whose words it will be.

use std::{fmt, sync::Arc};

use super::Question;

/// The questions of a step that has failed.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub questions: Vec<Question>,
    pub diagnose: Arc<dyn Diagnose>,
}

impl Evidence {
    pub(crate) fn new(questions: Vec<Question>, diagnose: impl Diagnose + 'static) -> Self {
        Self {
            questions,
            diagnose: Arc::new(diagnose),
        }
    }
}

/// Finds the most probable cause of a failure in what was said of it.
pub(crate) trait Diagnose: fmt::Debug + Send + Sync {
    /// The cause, a paragraph; None where nothing shows one.
    fn cause(&self, said: &Said) -> Option<String>;
}

/// What was said of a step that has failed.
#[derive(Debug)]
pub(crate) struct Said {
    /// By the failure, with what it quotes.
    pub failure: String,
    /// By the step itself, all of it.
    pub log: String,
    /// By those who were asked, in the order of the questions.
    pub answers: Vec<String>,
}
