// SPDX-License-Identifier: Apache-2.0
//! One step from its start to its report: run, run again where that may help, judged, taken back.

use std::{
    path::PathBuf,
    sync::mpsc,
    time::{Duration, Instant, SystemTime},
};

use super::{Walk, log_name};
use crate::{
    event::{Event, Outcome, StepReport},
    failure::Failure,
    plan::{Action, Again, FOUND, Memory, Plan, Shown, Step, StepId, WARNING},
};

/// What is said of a step while it runs.
pub(super) struct Voice<'a> {
    id: StepId,
    step: &'a Step,
    events: &'a mpsc::Sender<Event>,
    /// The last line of output that holds something.
    last_line: Option<String>,
    /// What the step has found out.
    found: Option<String>,
}

/// When a step has begun.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    at: SystemTime,
    clock: Instant,
}

impl Begun {
    pub(super) fn now() -> Self {
        Self {
            at: SystemTime::now(),
            clock: Instant::now(),
        }
    }
}

impl<'a> Voice<'a> {
    pub(super) fn of(plan: &'a Plan, id: StepId, events: &'a mpsc::Sender<Event>) -> Self {
        Self {
            id,
            step: &plan.steps[id.0],
            events,
            last_line: None,
            found: None,
        }
    }

    fn send(&self, event: Event) {
        send(self.events, event);
    }

    /// Says what the step has shown in an earlier run.
    fn recalling(mut self, shown: &Shown) -> Self {
        self.last_line.clone_from(&shown.last_line);
        self.found.clone_from(&shown.found);
        self
    }

    /// Lets it be remembered what the step has shown. Where that cannot be, it is run again the next time.
    fn remember(&self, memory: &dyn Memory) {
        let (last_line, found) = (self.last_line.as_deref(), self.found.as_deref());
        if let Err(error) = memory.keep(last_line, found) {
            self.send(Event::Output {
                id: self.id,
                step: self.step.name.clone(),
                line: format!("it is not remembered that it has passed: {error:#}"),
            });
        }
    }

    pub(super) fn started(&self) {
        self.send(Event::Started {
            id: self.id,
            step: self.step.name.clone(),
        });
    }

    pub(super) fn output(&mut self, line: &str) {
        if !line.trim().is_empty() {
            self.last_line = Some(line.to_owned());
        }
        if self.step.speaks
            && let Some(text) = line.strip_prefix(FOUND)
        {
            self.found = Some(text.to_owned());
        }
        if self.step.speaks
            && let Some(text) = line.strip_prefix(WARNING)
        {
            self.send(Event::Warning(format!("{}: {text}", self.step.name)));
        }
        self.send(Event::Output {
            id: self.id,
            step: self.step.name.clone(),
            line: line.to_owned(),
        });
    }
}

impl From<Shown> for Outcome {
    fn from(shown: Shown) -> Self {
        Self::Unchanged(Some(format!(
            "it has passed in run {} at {}",
            shown.run, shown.at
        )))
    }
}

fn send(events: &mpsc::Sender<Event>, event: Event) {
    // The receiver outlives all workers, so a lost event is not possible.
    let _delivered = events.send(event);
}

impl Walk<'_> {
    /// Runs one step and takes it back at once when it fails.
    pub(super) fn step(&self, id: StepId, events: &mpsc::Sender<Event>) {
        let step = &self.plan.steps[id.0];
        let begun = Begun::now();
        let mut voice = Voice::of(self.plan, id, events);
        voice.started();
        if let Some(shown) = step.memory.as_ref().and_then(|memory| memory.recall()) {
            self.end(voice.recalling(&shown), begun, Ok(shown.into()));
            return;
        }
        let warn = |text| send(events, Event::Warning(text));
        let mut ended = self.act(step, &mut |line| voice.output(line), &mut |text| warn(text));
        let again = self.second_chance(step, &ended, begun.clock.elapsed());
        if let Some((again, why)) = &again {
            // Never silent: a second run hides nothing of the first.
            let place = again.place;
            warn(format!("`{}` is run again {place}: {why}", step.name));
            ended = self.once_more(again, &mut |line| voice.output(line));
        }
        self.end_of(voice, begun, ended, again);
    }

    /// Says how a step has ended that was run once.
    pub(super) fn end(&self, voice: Voice<'_>, begun: Begun, ended: anyhow::Result<Outcome>) {
        self.end_of(voice, begun, ended, None);
    }

    /// Judges the end of a step, takes it back when it has failed, and says so. `again`: it was run a second time,
    /// and why.
    fn end_of(
        &self,
        mut voice: Voice<'_>,
        begun: Begun,
        ended: anyhow::Result<Outcome>,
        again: Option<(&Again, String)>,
    ) {
        let (id, step) = (voice.id, voice.step);
        let last = again.as_ref().map_or(step, |(again, _)| &again.step);
        let mut outcome = self.judged(last, ended);
        let log = self.log(last, &outcome);
        if again.is_some() {
            self.undo(last, &mut |event| voice.send(event));
        }
        if let (Outcome::Done(said @ None), true) = (&mut outcome, step.reports_last_line) {
            said.clone_from(&voice.last_line);
        }
        match (&outcome, &step.memory) {
            (Outcome::Failed(_), _) => self.undo(step, &mut |event| voice.send(event)),
            // What has passed at the second attempt is tried again.
            (Outcome::Done(_), Some(memory)) if again.is_none() => voice.remember(memory.as_ref()),
            _ => {}
        }
        let report = StepReport {
            started: Some(begun.at),
            elapsed: begun.clock.elapsed(),
            outcome,
            log,
            last_line: voice.last_line.take(),
            found: voice.found.take(),
            retried: again.map(|(_, why)| why),
            ..StepReport::not_run(id, step)
        };
        voice.send(Event::Finished(report.clone()));
        self.note(report);
    }

    /// The second run of a step that has failed, and why it may do better.
    fn second_chance<'a>(
        &self,
        step: &'a Step,
        ended: &anyhow::Result<Outcome>,
        elapsed: Duration,
    ) -> Option<(&'a Again, String)> {
        let error = ended.as_ref().err()?;
        let again = step.again.as_deref()?;
        Some((again, self.is_passing(step, error, elapsed)?))
    }

    /// What an end amounts to.
    fn judged(&self, step: &Step, ended: anyhow::Result<Outcome>) -> Outcome {
        match ended {
            Ok(outcome) => outcome,
            Err(_) if self.exec.interrupted() => Outcome::failed(&Failure::interrupted()),
            Err(error) => Outcome::failed(&self.with_evidence(step, error.into())),
        }
    }

    /// Where the output of a step's command was written.
    fn log(&self, step: &Step, outcome: &Outcome) -> Option<PathBuf> {
        match (&step.action, outcome) {
            (Action::Run(_) | Action::Part(_), Outcome::Done(_) | Outcome::Failed(_)) => {
                Some(self.options.logs.join(log_name(&step.name)))
            }
            _ => None,
        }
    }
}
