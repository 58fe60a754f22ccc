// SPDX-License-Identifier: Apache-2.0
//! Walks a plan: what is ready runs, side by side up to a bound; what is not needed is skipped; what
//! went wrong is taken back. Says all of it as events.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Condvar, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use self::schedule::{Next, Progress, State};
use crate::{
    config::AtOnce,
    event::{Event, Outcome, StepReport},
    exec::Exec,
    failure::Kind,
    plan::{Action, AfterFailure, Plan, StepId},
};

pub(crate) mod account;
mod act;
pub(crate) mod comparison;
mod evidence;
pub(crate) mod excerpt;
pub(crate) mod image_result;
mod joint;
pub(crate) mod journal;
pub(crate) mod kept;
pub(crate) mod record;
pub(crate) mod removal;
mod schedule;
pub(crate) mod standing;
mod step;
pub(crate) mod timeline;
pub(crate) mod waiting;

/// After how long without an event that is one.
const QUIET: Duration = if cfg!(test) {
    Duration::from_millis(10)
} else {
    Duration::from_secs(1)
};

/// How to run a plan.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Where the plan does not say it.
    pub at_once: AtOnce,
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
    let steps = plan.steps.iter().filter(|step| !step.quiet).count();
    on(Event::Planned { steps });
    let walk = Walk {
        plan,
        exec,
        options,
        state: Mutex::new(State {
            steps: (0..plan.steps.len()).map(|_| Progress::Waiting).collect(),
            failed: false,
        }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        let at_once = plan.at_once.unwrap_or(options.at_once).get();
        for _ in 0..at_once.min(plan.steps.len()) {
            let events = events.clone();
            let walk = &walk;
            scope.spawn(move || walk.work(&events));
        }
        drop(events);
        loop {
            match inbox.recv_timeout(QUIET) {
                Ok(event) => on(event),
                Err(RecvTimeoutError::Timeout) => on(Event::Quiet),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    walk.finish(on)
}

struct Walk<'a> {
    plan: &'a Plan,
    exec: &'a dyn Exec,
    options: &'a Options,
    state: Mutex<State>,
    changed: Condvar,
}

impl Walk<'_> {
    fn work(&self, events: &mpsc::Sender<Event>) {
        loop {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let together = loop {
                let stops = self.plan.after_failure == AfterFailure::Stop;
                let stop = self.exec.interrupted() || (state.failed && stops);
                match state.next(self.plan, stop) {
                    Next::Run(together) => break together,
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
            match together[..] {
                [at] if !matches!(self.plan.steps[at].action, Action::Part(_)) => {
                    self.step(StepId(at), events);
                }
                _ => self.joint(&together, events),
            }
        }
    }

    /// Takes note of how a step has ended: what waits for it may begin.
    fn note(&self, report: StepReport) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failed |= !report.succeeded();
        let at = report.id.0;
        state.steps[at] = Progress::Ended(report.into());
        drop(state);
        self.changed.notify_all();
    }

    /// Takes back, last first, what succeeded but has something that builds on it and did not.
    fn finish(&self, on: &mut dyn FnMut(Event)) -> Report {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let places = std::mem::take(&mut state.steps);
        drop(state);
        let steps: Vec<StepReport> = places
            .into_iter()
            .zip(&self.plan.steps)
            .enumerate()
            .map(|(at, (progress, step))| match progress {
                Progress::Ended(report) => *report,
                Progress::Waiting | Progress::Running => StepReport::not_run(StepId(at), step),
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
            let own = own && !step.kept;
            if let (Outcome::Done(_), true) = (&steps[at].outcome, own) {
                self.undo(step, on);
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

#[cfg(test)]
mod tests;
