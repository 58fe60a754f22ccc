// SPDX-License-Identifier: Apache-2.0
//! Which programs a plan needs on PATH.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    path::Path,
};

use super::{Action, Cmd, Owned, Plan, Probe, Step, Undo};

impl Plan {
    /// The programs that must be on PATH for all that the plan may start: its steps, what is asked before them,
    /// while they run and when they fail, and what takes them back. What a step of it puts there itself is none
    /// of them.
    pub(crate) fn programs(&self) -> BTreeSet<OsString> {
        let mut needed = Programs::default();
        for step in &self.steps {
            needed.step(step);
        }
        for step in &self.steps {
            if let Action::Script { path, .. } = &step.action
                && let Some(name) = path.file_name()
            {
                needed.0.remove(name);
            }
        }
        needed.0
    }
}

#[derive(Default)]
struct Programs(BTreeSet<OsString>);

impl Programs {
    /// A program that is called by its path is not looked for.
    fn program(&mut self, program: &OsStr) {
        if Path::new(program).components().count() == 1 {
            self.0.insert(program.to_owned());
        }
    }

    fn cmd<A>(&mut self, cmd: &Cmd<A>) {
        self.program(&cmd.program);
    }

    fn owned(&mut self, owned: &Owned) {
        self.cmd(&owned.list());
    }

    fn probe(&mut self, probe: &Probe) {
        match probe {
            Probe::Succeeds(cmd) => self.cmd(cmd),
            Probe::Holds { .. } | Probe::Exists(_) | Probe::Answers { .. } => {}
        }
    }

    fn step(&mut self, step: &Step) {
        self.action(&step.action);
        if let Some((probe, _)) = &step.skip_if {
            self.probe(probe);
        }
        if let Some(watch) = &step.watch {
            for cmd in watch.commands() {
                self.cmd(cmd);
            }
        }
        for question in step.evidence.iter().flat_map(|one| &one.questions) {
            self.cmd(&question.cmd);
        }
        if let Some(again) = &step.again {
            self.probe(&again.ready);
            self.cmd(&again.prepare);
            self.step(&again.step);
        }
        for undo in &step.undo {
            match undo {
                Undo::Run(cmd) => self.cmd(cmd),
                Undo::Remove(owned) => self.owned(owned),
                Undo::RemoveFolder(_) => {}
            }
        }
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Run(cmd) => self.cmd(cmd),
            Action::Start { cmd, .. } | Action::Save { cmd, .. } => self.cmd(cmd),
            Action::WaitFor { probe, .. } => self.probe(probe),
            Action::Remove(owned) => self.owned(owned),
            Action::Work(work) => {
                for program in work.programs() {
                    self.program(OsStr::new(program));
                }
            }
            Action::Part(part) => {
                for program in part.joint.programs() {
                    self.program(OsStr::new(program));
                }
            }
            Action::Folder(_)
            | Action::Write { .. }
            | Action::WriteNew { .. }
            | Action::Script { .. }
            | Action::Rename { .. }
            | Action::RemoveFolder(_) => {}
        }
    }
}
