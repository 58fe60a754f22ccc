// SPDX-License-Identifier: Apache-2.0
//! Which steps of a plan may begin: those whose predecessors have ended as they must, as many as their pools have room for.

use crate::{
    event::StepReport,
    plan::{Action, Plan, Step, StepId},
};

/// How far a step has got.
pub(super) enum Progress {
    Waiting,
    Running,
    Ended(Box<StepReport>),
}

pub(super) struct State {
    pub steps: Vec<Progress>,
    /// A step has failed.
    pub failed: bool,
}

pub(super) enum Next {
    /// One step, or several that are carried out together.
    Run(Vec<usize>),
    Wait,
    Stop,
}

/// Whether a step that has not begun may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readiness {
    Ready,
    /// Not yet.
    Waiting,
    /// Never.
    Blocked,
}

impl State {
    /// The next step that may run. Steps whose predecessors did not succeed end as not run.
    pub(super) fn next(&mut self, plan: &Plan, stop: bool) -> Next {
        let mut waiting = false;
        for (at, step) in plan.steps.iter().enumerate() {
            if !matches!(self.steps[at], Progress::Waiting) {
                continue;
            }
            match self.readiness(plan, step, stop) {
                Readiness::Blocked => {
                    self.steps[at] = Progress::Ended(StepReport::not_run(StepId(at), step).into());
                }
                Readiness::Ready => match self.with_parts(plan, at) {
                    Some(together) => {
                        for at in &together {
                            self.steps[*at] = Progress::Running;
                        }
                        return Next::Run(together);
                    }
                    None => waiting = true,
                },
                Readiness::Waiting => waiting = true,
            }
        }
        if waiting { Next::Wait } else { Next::Stop }
    }

    fn readiness(&self, plan: &Plan, step: &Step, is_stopped: bool) -> Readiness {
        let mut ready = self.has_room(plan, step);
        let mut blocked = is_stopped;
        for before in &step.after {
            match &self.steps[before.0] {
                Progress::Ended(report) if report.succeeded() => {}
                Progress::Ended(_) => blocked = true,
                Progress::Waiting | Progress::Running => ready = false,
            }
        }
        let ended = |before: &StepId| matches!(self.steps[before.0], Progress::Ended(_));
        ready &= step.after_end_of.iter().all(ended);
        match (blocked, ready) {
            (true, _) => Readiness::Blocked,
            (false, true) => Readiness::Ready,
            (false, false) => Readiness::Waiting,
        }
    }

    /// A step that is ready, with those that are carried out together with it. None while one of these has to wait.
    fn with_parts(&self, plan: &Plan, at: usize) -> Option<Vec<usize>> {
        let Action::Part(part) = &plan.steps[at].action else {
            return Some(vec![at]);
        };
        let mut together = Vec::new();
        for (at, step) in plan.steps.iter().enumerate() {
            let is_with = matches!(&step.action, Action::Part(other) if part.is_with(other));
            if is_with && matches!(self.steps[at], Progress::Waiting) {
                match self.readiness(plan, step, false) {
                    Readiness::Ready => together.push(at),
                    Readiness::Waiting => return None,
                    Readiness::Blocked => {}
                }
            }
        }
        Some(together)
    }

    /// Whether one more step of this step's pool may run.
    fn has_room(&self, plan: &Plan, step: &Step) -> bool {
        let limit = plan
            .limits
            .iter()
            .find(|(name, _)| Some(*name) == step.pool);
        let running = || {
            let steps = plan.steps.iter().zip(&self.steps);
            steps
                .filter(|(other, progress)| {
                    other.pool == step.pool && matches!(progress, Progress::Running)
                })
                .count()
        };
        limit.is_none_or(|(_, limit)| running() < limit.get())
    }
}
