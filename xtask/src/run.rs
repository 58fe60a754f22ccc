// SPDX-License-Identifier: Apache-2.0
//! Walks a plan: what is ready runs, side by side up to a bound; what is not needed is skipped; what
//! went wrong is taken back. Says all of it as events.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use crate::{
    event::{Event, Outcome, StepReport},
    exec::{CmdFailure, Exec},
    failure::{Failure, Kind},
    file,
    plan::{Action, Cmd, Plan, Probe, Rotation, Step, StepId, Undo},
    tool::buildx::Metadata,
};

/// How to run a plan.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Steps at the same time, at least 1.
    pub jobs: usize,
    /// After a failure, still run what does not depend on it.
    pub keep_going: bool,
    /// Where each step's log goes.
    pub logs: PathBuf,
}

/// What became of each step, in the plan's order.
#[derive(Debug)]
pub(crate) struct Report {
    pub steps: Vec<StepReport>,
}

impl Report {
    pub(crate) fn step(&self, id: StepId) -> &StepReport {
        &self.steps[id.0]
    }

    /// The kind of failure that the whole run amounts to, if it did not succeed.
    pub(crate) fn failure(&self, interrupted: bool) -> Option<Kind> {
        if interrupted {
            return Some(Kind::Interrupted);
        }
        let kinds = self.steps.iter().filter_map(|step| match &step.outcome {
            Outcome::Failed(failure) => Some(failure.kind),
            _ => None,
        });
        // A missing tool explains the rest, so it decides.
        kinds.max_by_key(|kind| (*kind == Kind::Unavailable, kind.exit_code()))
    }
}

/// Runs `plan` to its end. Events arrive on the calling thread.
pub(crate) fn run(
    plan: &Plan,
    exec: &dyn Exec,
    options: &Options,
    on: &mut dyn FnMut(Event),
) -> Report {
    let (events, inbox) = mpsc::channel();
    for note in &plan.notes {
        on(Event::Note(note.clone()));
    }
    let walk = Walk {
        plan,
        exec,
        options,
        state: Mutex::new(State {
            steps: (0..plan.steps.len()).map(|_| Place::Waiting).collect(),
            failed: false,
        }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, plan.steps.len().max(1)) {
            let events = events.clone();
            let walk = &walk;
            scope.spawn(move || walk.work(&events));
        }
        drop(events);
        for event in inbox {
            on(event);
        }
    });
    walk.finish(on)
}

enum Place {
    Waiting,
    Running,
    Ended(StepReport),
}

struct State {
    steps: Vec<Place>,
    failed: bool,
}

struct Walk<'a> {
    plan: &'a Plan,
    exec: &'a dyn Exec,
    options: &'a Options,
    state: Mutex<State>,
    changed: Condvar,
}

enum Next {
    Run(usize),
    Wait,
    Stop,
}

impl State {
    /// The next step that may run. Steps whose predecessors did not succeed end as not run.
    fn next(&mut self, plan: &Plan, stop: bool) -> Next {
        let mut waiting = false;
        for (at, step) in plan.steps.iter().enumerate() {
            if !matches!(self.steps[at], Place::Waiting) {
                continue;
            }
            let mut ready = true;
            let mut blocked = stop;
            for before in &step.after {
                match &self.steps[before.0] {
                    Place::Ended(report) if report.succeeded() => {}
                    Place::Ended(_) => blocked = true,
                    Place::Waiting | Place::Running => ready = false,
                }
            }
            if blocked {
                self.steps[at] = Place::Ended(StepReport {
                    outcome: Outcome::NotRun,
                    elapsed: Duration::ZERO,
                    last_line: None,
                });
            } else if ready {
                self.steps[at] = Place::Running;
                return Next::Run(at);
            } else {
                waiting = true;
            }
        }
        if waiting { Next::Wait } else { Next::Stop }
    }
}

impl Walk<'_> {
    fn work(&self, events: &mpsc::Sender<Event>) {
        loop {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let at = loop {
                let stop = self.exec.interrupted() || (state.failed && !self.options.keep_going);
                match state.next(self.plan, stop) {
                    Next::Run(at) => break at,
                    Next::Stop => return,
                    Next::Wait => {
                        state = self
                            .changed
                            .wait(state)
                            .unwrap_or_else(PoisonError::into_inner);
                    }
                }
            };
            drop(state);
            let report = self.step(&self.plan.steps[at], events);
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.failed |= !report.succeeded();
            state.steps[at] = Place::Ended(report);
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Runs one step and takes it back at once when it fails.
    fn step(&self, step: &Step, events: &mpsc::Sender<Event>) -> StepReport {
        let started = Instant::now();
        // The receiver outlives all workers, so a lost event is not possible.
        let send = |event| {
            let _delivered = events.send(event);
        };
        send(Event::Started {
            step: step.name.clone(),
        });
        let mut last_line = None;
        let mut output = |line: &str| {
            if !line.trim().is_empty() {
                last_line = Some(line.to_owned());
            }
            send(Event::Output {
                step: step.name.clone(),
                line: line.to_owned(),
            });
        };
        let outcome = match self.act(step, &mut output, &mut |text| send(Event::Warning(text))) {
            Ok(outcome) => outcome,
            Err(_) if self.exec.interrupted() => Outcome::Failed(Failure::interrupted()),
            Err(error) => Outcome::Failed(into_failure(error)),
        };
        if let (Outcome::Failed(_), Some(undo)) = (&outcome, &step.undo) {
            self.undo(step, undo, &mut |event| send(event));
        }
        let elapsed = started.elapsed();
        send(Event::Finished {
            step: step.name.clone(),
            quiet: step.quiet,
            outcome: outcome.clone(),
            elapsed,
        });
        StepReport {
            outcome,
            elapsed,
            last_line,
        }
    }

    fn act(
        &self,
        step: &Step,
        output: &mut dyn FnMut(&str),
        warn: &mut dyn FnMut(String),
    ) -> anyhow::Result<Outcome> {
        if let Some((probe, why)) = &step.skip_if
            && self.holds(probe)?
        {
            return Ok(Outcome::Skipped(why.clone()));
        }
        match &step.action {
            Action::Run(cmd) => {
                let log = self.options.logs.join(log_name(&step.name));
                self.exec
                    .run(cmd, Some(&log), step.timeout, output)
                    .map_err(|failed| anyhow::Error::from(explain(failed)))?;
            }
            Action::Folder(path) => fs_err::create_dir_all(path)?,
            Action::Write { path, contents } => file::write_atomically(path, contents)?,
            Action::MergeJson { from, into } => merge(from, into)?,
            Action::Rotate(rotation) => return self.rotate(rotation, warn),
            Action::Script { path, contents } => {
                file::write_atomically(path, contents)?;
                fs_err::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
            }
            Action::Extract { from, into } => self.extract(from, into, &mut *output)?,
            Action::Start { cmd, log } => {
                self.exec
                    .start(cmd, log)
                    .map_err(|failed| anyhow::Error::from(explain(failed)))?;
            }
            Action::WaitFor {
                probe,
                every,
                patience,
                log,
            } => self.wait(probe, *every, *patience, log)?,
            Action::Rename { from, to } => fs_err::rename(from, to)?,
            Action::RemoveFolder(path) => file::remove_folder(path)?,
        }
        Ok(Outcome::Done(None))
    }

    fn holds(&self, probe: &Probe) -> Result<bool, Failure> {
        match probe {
            Probe::Exists(path) => Ok(path.exists()),
            Probe::Holds { path, text } => {
                Ok(fs_err::read_to_string(path).is_ok_and(|found| &found == text))
            }
            Probe::Succeeds(cmd) => match self.exec.run(cmd, None, None, &mut |_| {}) {
                Ok(()) => Ok(true),
                Err(CmdFailure {
                    reason: crate::exec::Reason::Status(_),
                    ..
                }) => Ok(false),
                Err(failed) => Err(failed.into()),
            },
        }
    }

    fn extract(
        &self,
        from: &Path,
        into: &Path,
        output: &mut dyn FnMut(&str),
    ) -> anyhow::Result<()> {
        fs_err::create_dir_all(into)?;
        for entry in fs_err::read_dir(from)? {
            let package = entry?.path();
            if package
                .extension()
                .is_some_and(|extension| extension == "deb")
            {
                let cmd = Cmd::new("dpkg-deb", format!("extract `{}`", package.display()))
                    .arg("-x")
                    .arg(&package)
                    .arg(into);
                self.exec
                    .run(&cmd, None, None, output)
                    .map_err(Failure::from)?;
            }
        }
        Ok(())
    }

    fn wait(
        &self,
        probe: &Probe,
        every: Duration,
        patience: Duration,
        log: &Path,
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        while !self.holds(probe)? {
            if self.exec.interrupted() {
                return Err(Failure::interrupted().into());
            }
            let text = fs_err::read_to_string(log).unwrap_or_default();
            // What is waited for may have given up already.
            let gave_up = text.lines().any(|line| line.starts_with("error: "));
            if gave_up || started.elapsed() > patience {
                let mut failure = Failure::failed(format!(
                    "not ready after {:.0}s",
                    started.elapsed().as_secs_f64()
                ))
                .detail(format!("log: {}", log.display()));
                if let Probe::Succeeds(cmd) = probe
                    && let Err(failed) = self.exec.read(cmd, None)
                    && let Some(cause) = failed.cause()
                {
                    failure = failure.detail(format!("last answer: {cause}"));
                }
                let lines: Vec<&str> = text.lines().collect();
                for line in &lines[lines.len().saturating_sub(8)..] {
                    failure = failure.detail(format!("  | {line}"));
                }
                return Err(failure.into());
            }
            std::thread::sleep(every);
        }
        Ok(())
    }

    fn rotate(&self, rotation: &Rotation, warn: &mut dyn FnMut(String)) -> anyhow::Result<Outcome> {
        // As steps are run, not as questions are asked: an interruption ends them whenever it comes.
        let mut tags: Vec<String> = Vec::new();
        self.exec
            .run(&rotation.list(), None, None, &mut |line| {
                tags.push(line.trim().to_owned());
            })
            .map_err(Failure::from)?;
        let superseded = rotation.superseded(tags.iter().map(String::as_str));
        if superseded.is_empty() {
            return Ok(Outcome::Skipped("nothing superseded".into()));
        }
        match self
            .exec
            .run(&Rotation::remove(&superseded), None, None, &mut |_| {})
        {
            Ok(()) => {}
            // Two bakes of the same target drop the same images: the other one was faster.
            Err(failed) if failed.mentions("No such image") => {}
            // A container uses one, say: the next bake finds it again, and the new image is there.
            Err(failed) if !self.exec.interrupted() => {
                let why = failed
                    .cause()
                    .unwrap_or("docker did not say why")
                    .to_owned();
                warn(format!(
                    "a superseded image of {} stays: {why}",
                    rotation.repository
                ));
                return Ok(Outcome::Done(None));
            }
            Err(failed) => return Err(Failure::from(failed).into()),
        }
        Ok(Outcome::Done(Some(format!("{} dropped", superseded.len()))))
    }

    fn undo(&self, step: &Step, undo: &Undo, on: &mut dyn FnMut(Event)) {
        let limit = Some(Duration::from_secs(30));
        let why = match undo {
            Undo::Run(cmd) => self.exec.read(cmd, limit).err().map(|failed| {
                format!(
                    "`{}` {}",
                    failed.command,
                    failed.cause().unwrap_or("did not succeed")
                )
            }),
            Undo::RemoveFolder(path) => file::remove_folder(path)
                .err()
                .map(|error| format!("{error:#}")),
        };
        if let Some(why) = why {
            on(Event::Warning(format!(
                "could not clean up after `{}`: {why}",
                step.name
            )));
        }
    }

    /// Takes back, last first, what succeeded but has something that builds on it and did not.
    fn finish(&self, on: &mut dyn FnMut(Event)) -> Report {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let places = std::mem::take(&mut state.steps);
        drop(state);
        let steps: Vec<StepReport> = places
            .into_iter()
            .map(|place| match place {
                Place::Ended(report) => report,
                Place::Waiting | Place::Running => StepReport {
                    outcome: Outcome::NotRun,
                    elapsed: Duration::ZERO,
                    last_line: None,
                },
            })
            .collect();
        let mut lost: BTreeMap<usize, bool> = BTreeMap::new();
        for (at, step) in self.plan.steps.iter().enumerate().rev() {
            let own = !steps[at].succeeded() || lost.get(&at).copied().unwrap_or_default();
            if own {
                for before in &step.after {
                    lost.insert(before.0, true);
                }
            }
            if let (Some(undo), Outcome::Done(_), true) = (&step.undo, &steps[at].outcome, own) {
                self.undo(step, undo, on);
            }
        }
        Report { steps }
    }
}

/// The file name of a step's log.
pub(crate) fn log_name(step: &str) -> String {
    let safe: String = step
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect();
    format!("{safe}.log")
}

fn explain(failed: CmdFailure) -> Failure {
    let hint = crate::tool::hint(&failed);
    let failure = Failure::from(failed);
    match hint {
        Some((kind, hint)) => Failure {
            kind,
            ..failure.or_hint(hint)
        },
        None => failure,
    }
}

fn into_failure(error: anyhow::Error) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(error) => Failure::failed(format!("{error:#}")),
    }
}

fn merge(from: &[PathBuf], into: &Path) -> anyhow::Result<()> {
    let mut all = Metadata::default();
    for path in from {
        all.extend(Metadata::read(path)?);
    }
    file::write_atomically(into, &all.to_json())
}

#[cfg(test)]
mod tests;
