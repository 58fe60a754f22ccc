// SPDX-License-Identifier: Apache-2.0
//! What a command is going to do, as data: steps with their exact actions and order.
//!
//! A plan is computed before anything is touched. `--dry-run` prints it, running it executes the same
//! values; nothing in here starts a process or writes a file.

use std::fmt;

pub(crate) use crate::own::Location;
use crate::{config::AtOnce, printable};

mod action;
mod cmd;
mod evidence;
mod joint;
mod memory;
mod owned;
mod probe;
mod programs;
mod question;
mod secret;
pub(crate) mod shell;
mod step;
#[cfg(test)]
mod tests;
mod work;

pub(crate) use action::{Action, Undo};
pub(crate) use cmd::{Arg, Cmd, Pending, Stdin, Word};
pub(crate) use evidence::{Diagnose, Evidence, Said};
pub(crate) use joint::{Board, Joint, Part};
pub(crate) use memory::{Memory, Shown};
pub(crate) use owned::{Kind, Owned};
pub(crate) use probe::Probe;
pub(crate) use question::Question;
pub(crate) use secret::{DOCKER_LOGINS, PASSWORD, SIGNER, SIGNING_PASSWORD, Secret};
pub(crate) use step::{Again, FOUND, Step, StepId, WARNING};
pub(crate) use work::{Console, Hopeless, Look, Performed, Retry, Watch, Work};

/// The steps of one command, in an order that respects their edges.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub steps: Vec<Step>,
    /// Decisions that the user should know of: which platform and why, say.
    pub notes: Vec<String>,
    /// How many steps of a pool run at once; a pool without a limit has none.
    pub limits: Vec<(&'static str, AtOnce)>,
    /// How many steps run at once. None: as many as the settings say.
    pub at_once: Option<AtOnce>,
    pub after_failure: AfterFailure,
}

/// What happens to steps that do not depend on one that has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AfterFailure {
    /// Those that have not begun are left out.
    #[default]
    Stop,
    /// They run.
    KeepGoing,
}

impl Plan {
    /// Appends a step. What it comes after must already be in the plan, so a plan has no cycles.
    pub(crate) fn add(&mut self, step: Step) -> StepId {
        let id = StepId(self.steps.len());
        assert!(
            step.after
                .iter()
                .chain(&step.after_end_of)
                .all(|before| *before < id),
            "`{}` comes after a step that is not in the plan yet",
            step.name
        );
        self.steps.push(step);
        id
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// The whole plan as shell lines; notes are comments.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "# {}", printable::printable(note).replace("##[", "## ["))?;
        }
        let mut printed: Vec<&Part> = Vec::new();
        for step in &self.steps {
            let Action::Part(part) = &step.action else {
                writeln!(f, "{}", step.action)?;
                continue;
            };
            // What several steps share stands where the first of them does.
            if !printed.iter().any(|other| part.is_with(other)) {
                printed.push(part);
                writeln!(f, "{}", part.joint)?;
            }
        }
        Ok(())
    }
}
