// SPDX-License-Identifier: Apache-2.0
//! What a step does, and how it is taken back.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use super::{
    Arg, Cmd, Location, Owned, Part, Probe, Work,
    shell::{self, operand},
};

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
    /// Write a file where there is none; what is there is kept, and the step fails.
    WriteNew {
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
    /// Ask until the answer is yes; then go on. Fails after `patience`, naming `what` is not ready and quoting
    /// the end of `log`.
    WaitFor {
        what: &'static str,
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
    /// Remove containers, networks or volumes that carry our label; none is no error.
    Remove(Owned),
    /// What is none of these.
    Work(Arc<dyn Work>),
    /// What is done together with other steps.
    Part(Part),
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
            Action::WriteNew { path, contents } => {
                let written = shell::prints(contents);
                write!(f, "(set -C; {written} > {})", operand(path))
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
            Action::Remove(owned) => owned.fmt(f),
            Action::Work(work) => work.fmt(f),
            Action::Part(part) => part.fmt(f),
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
