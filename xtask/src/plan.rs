// SPDX-License-Identifier: Apache-2.0
//! What a command is going to do, as data: steps with their exact actions and order.
//!
//! A plan is computed before anything is touched. `--dry-run` prints it, running it executes the same
//! values; nothing in here starts a process or writes a file.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use crate::printable;

mod cmd;
mod location;
mod owned;
mod question;
mod secret;
pub(crate) mod shell;
#[cfg(test)]
mod tests;
mod work;

pub(crate) use cmd::{Arg, Cmd, Pending, Stdin, Word};
pub(crate) use location::Location;
pub(crate) use owned::{Kind, Owned};
pub(crate) use question::{Question, Watch};
pub(crate) use secret::{PASSWORD, Secret};
use shell::operand;
pub(crate) use work::{Console, Performed, Postcondition, Work};

/// What a step's own program puts before a line for the user.
pub(crate) const WARNING: &str = "warning: ";

/// A question about the world that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// The command exits with status 0.
    Succeeds(Cmd),
    /// The file holds exactly this text.
    Holds { path: PathBuf, text: String },
    /// The file or folder is there.
    Exists(PathBuf),
    /// An HTTP server at `host:port` answers a GET of the path with status 200.
    Answers { address: String, path: &'static str },
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Probe::Succeeds(cmd) => cmd.fmt(f),
            Probe::Holds { path, text } => {
                write!(f, "{} | cmp -s -- - {}", shell::prints(text), operand(path))
            }
            Probe::Exists(path) => write!(f, "[ -e {} ]", operand(path)),
            Probe::Answers { address, path } => write!(
                f,
                "curl --silent --fail --output /dev/null --url {}",
                shell::word(format!("http://{address}{path}"))
            ),
        }
    }
}

/// What a step does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Run(Cmd<Arg>),
    /// Make a folder and those above it.
    Folder(Location),
    /// Write a file; it appears whole or not at all.
    Write {
        path: Location,
        contents: String,
    },
    /// Write a program that anybody may run.
    Script {
        path: Location,
        contents: String,
    },
    /// Start a process that stays, its output in `log`.
    Start {
        cmd: Cmd,
        log: PathBuf,
    },
    /// Ask until the answer is yes; then go on. Fails after `patience`, quoting the end of `log`.
    WaitFor {
        probe: Probe,
        every: Duration,
        patience: Duration,
        log: Option<PathBuf>,
    },
    /// Keep what a command prints in a file that only its owner may read.
    Save {
        cmd: Cmd,
        path: Location,
    },
    Rename {
        from: Location,
        to: Location,
    },
    /// Remove a folder of ours that an earlier run has left half-made, if there is one.
    RemoveFolder(Location),
    /// Remove a file of ours that an earlier run has left, if there is one.
    RemoveFile(Location),
    /// Remove containers, networks or volumes that carry our label; none is no error.
    Remove(Owned),
    /// What is none of these.
    Work(Arc<dyn Work>),
}

/// Prints as lines that a shell takes and that do the same.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Run(cmd) => cmd.fmt(f),
            Action::Folder(path) => write!(f, "mkdir -p -- {}", operand(path)),
            Action::Write { path, contents } => {
                write!(f, "{} > {}", shell::prints(contents), operand(path))
            }
            Action::Script { path, contents } => {
                let path = operand(path);
                write!(
                    f,
                    "{} > {path}\nchmod 755 -- {path}",
                    shell::prints(contents)
                )
            }
            Action::Start { cmd, log } => write!(f, "{cmd} > {} 2>&1 &", operand(log)),
            Action::WaitFor { probe, every, .. } => {
                write!(f, "until {probe}; do sleep {}; done", every.as_secs_f64())
            }
            Action::Save { cmd, path } => write!(f, "(umask 077; {cmd} > {})", operand(path)),
            Action::Rename { from, to } => write!(f, "mv -- {} {}", operand(from), operand(to)),
            Action::RemoveFolder(path) => {
                write!(f, "rm -rf --one-file-system -- {}", operand(path))
            }
            Action::RemoveFile(path) => write!(f, "rm -f -- {}", operand(path)),
            Action::Remove(owned) => owned.fmt(f),
            Action::Work(work) => work.fmt(f),
        }
    }
}

/// How a step is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undo {
    /// A command that by its own words can meet nothing but what the step made.
    Run(Cmd),
    RemoveFolder(Location),
    Remove(Owned),
}

impl From<Owned> for Undo {
    fn from(owned: Owned) -> Self {
        Undo::Remove(owned)
    }
}

impl From<Cmd> for Undo {
    fn from(cmd: Cmd) -> Self {
        Undo::Run(cmd)
    }
}

/// The place of a step in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StepId(pub usize);

/// A second run of a step, for a failure that may be none the next time.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    /// What none of its assertions may take less than, when they are found wrong; None: not known.
    pub shortest: Option<Duration>,
    /// Holds when the cluster's API answers again.
    pub ready: Probe,
    pub prepare: Cmd,
    /// The same in another place; its undo removes that place, however it ends.
    pub step: Step,
}

/// One action with its name, its order, and how it is taken back.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Short, unique in the plan, also the log's file name: `bake pgvector`.
    pub name: String,
    pub action: Action,
    /// Steps that must have succeeded before.
    pub after: Vec<StepId>,
    /// Steps that must have ended before, well or not.
    pub ended: Vec<StepId>,
    /// Of the steps with the same name here, only as many run at once as the plan allows.
    pub pool: Option<&'static str>,
    /// What to ask when the step fails.
    pub evidence: Vec<Question>,
    /// What to ask while the step runs: when the answers show that it cannot succeed any more, it is ended.
    pub watch: Option<Watch>,
    /// What to do once when the cluster's API did not answer.
    pub again: Option<Box<Again>>,
    /// What its command must have done when it has ended well.
    pub ensures: Option<Arc<dyn Postcondition>>,
    /// The last line that the step prints says what it did.
    pub says: bool,
    /// Lines that it prints with [`WARNING`] before them are shown as warnings.
    pub warns: bool,
    /// The step is not needed when this holds; the text says why, for people.
    pub skip_if: Option<(Probe, String)>,
    /// Takes back what the step made, when the step or one that builds on it does not succeed.
    pub undo: Option<Undo>,
    /// Once made it stays, whatever becomes of the steps that build on it.
    pub kept: bool,
    pub timeout: Option<Duration>,
    /// A small step that is shown only when it fails or when asked for.
    pub quiet: bool,
    /// What kind of proof it is when it ends well, for those who count proofs; None: it is none.
    pub proof: Option<&'static str>,
}

impl Step {
    pub(crate) fn new(name: impl Into<String>, action: Action) -> Self {
        Self {
            name: name.into(),
            action,
            after: Vec::new(),
            ended: Vec::new(),
            pool: None,
            evidence: Vec::new(),
            watch: None,
            again: None,
            ensures: None,
            says: false,
            warns: false,
            skip_if: None,
            undo: None,
            kept: false,
            timeout: None,
            quiet: false,
            proof: None,
        }
    }

    pub(crate) fn run(name: impl Into<String>, cmd: impl Into<Cmd<Arg>>) -> Self {
        Self::new(name, Action::Run(cmd.into()))
    }

    pub(crate) fn work(name: impl Into<String>, work: impl Work + 'static) -> Self {
        Self::new(name, Action::Work(Arc::new(work)))
    }

    #[must_use]
    pub(crate) fn after(mut self, steps: impl IntoIterator<Item = StepId>) -> Self {
        self.after.extend(steps);
        self
    }

    #[must_use]
    pub(crate) fn ended(mut self, steps: impl IntoIterator<Item = StepId>) -> Self {
        self.ended.extend(steps);
        self
    }

    #[must_use]
    pub(crate) fn pool(mut self, name: &'static str) -> Self {
        self.pool = Some(name);
        self
    }

    #[must_use]
    pub(crate) fn evidence(mut self, questions: Vec<Question>) -> Self {
        self.evidence.extend(questions);
        self
    }

    #[must_use]
    pub(crate) fn watch(mut self, watch: Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    #[must_use]
    pub(crate) fn again(mut self, again: Again) -> Self {
        self.again = Some(Box::new(again));
        self
    }

    #[must_use]
    pub(crate) fn ensures(mut self, postcondition: impl Postcondition + 'static) -> Self {
        self.ensures = Some(Arc::new(postcondition));
        self
    }

    #[must_use]
    pub(crate) fn warns(mut self) -> Self {
        self.warns = true;
        self
    }

    #[must_use]
    pub(crate) fn says(mut self) -> Self {
        self.says = true;
        self
    }

    #[must_use]
    pub(crate) fn skip_if(mut self, probe: Probe, why: impl Into<String>) -> Self {
        self.skip_if = Some((probe, why.into()));
        self
    }

    #[must_use]
    pub(crate) fn undo(mut self, undo: impl Into<Undo>) -> Self {
        self.undo = Some(undo.into());
        self
    }

    #[must_use]
    pub(crate) fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    #[must_use]
    pub(crate) fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    #[must_use]
    pub(crate) fn proof(mut self, kind: &'static str) -> Self {
        self.proof = Some(kind);
        self
    }

    #[must_use]
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }
}

/// The steps of one command, in an order that respects their edges.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub steps: Vec<Step>,
    /// Decisions that the user should know of: which platform and why, say.
    pub notes: Vec<String>,
    /// How many steps of a pool run at once; a pool without a limit has none.
    pub limits: Vec<(&'static str, usize)>,
}

impl Plan {
    /// Appends a step. What it comes after must already be in the plan, so a plan has no cycles.
    pub(crate) fn add(&mut self, step: Step) -> StepId {
        let id = StepId(self.steps.len());
        assert!(
            step.after
                .iter()
                .chain(&step.ended)
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
        for step in &self.steps {
            writeln!(f, "{}", step.action)?;
        }
        Ok(())
    }
}
