// SPDX-License-Identifier: Apache-2.0
//! What a run has waited for longest: of the steps that came one after the other until its end, the one that took most time, and
//! how long the others would have taken.

use std::time::{Duration, SystemTime};

use super::Report;
use crate::plan::{Plan, Step};

/// Who waits less does not ask what for.
const LONG: Duration = Duration::from_secs(60);

/// The way to the end of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// From the first step's start to the last one's end.
    pub total: Duration,
    /// The steps that waited for each other, the first one first, each with its time; those that nobody is shown are left out.
    pub path: Vec<(String, Duration)>,
    /// Which of them took longest.
    pub longest: usize,
    /// How long the plan's edges would have made it, had that one taken no time; processors are not in it.
    pub without: Duration,
}

impl Waiting {
    /// None where the run was short, or where its end is that of a single step.
    pub(crate) fn of(plan: &Plan, report: &Report) -> Option<Self> {
        let span = |at: usize| {
            let step = report.steps.get(at)?;
            Some((step.started?, step.started?.checked_add(step.elapsed)?))
        };
        let all: Vec<usize> = (0..plan.steps.len())
            .filter(|at| span(*at).is_some())
            .collect();
        let end = |at: &usize| span(*at).map_or(SystemTime::UNIX_EPOCH, |(_, end)| end);
        let last = all.iter().copied().max_by_key(end)?;
        let first = all
            .iter()
            .filter_map(|at| span(*at))
            .map(|(start, _)| start)
            .min()?;
        let total = end(&last).duration_since(first).ok()?;
        let mut path = vec![last];
        let mut at = last;
        while let Some(before) = before(&plan.steps[at])
            .filter(|at| all.contains(at))
            .max_by_key(end)
        {
            path.push(before);
            at = before;
        }
        path.reverse();
        path.retain(|at| !plan.steps[*at].quiet);
        let took = |at: usize| report.steps[at].elapsed;
        let longest = (0..path.len()).max_by_key(|place| took(path[*place]))?;
        let without = length(plan, |at| {
            let is_free = at == path[longest];
            if is_free { Duration::ZERO } else { took(at) }
        });
        (total >= LONG && path.len() > 1).then(|| Self {
            total,
            longest,
            without,
            path: path
                .iter()
                .map(|at| (report.steps[*at].name.clone(), took(*at)))
                .collect(),
        })
    }
}

/// The steps that one comes after.
fn before(step: &Step) -> impl Iterator<Item = usize> {
    step.after.iter().chain(&step.after_end_of).map(|id| id.0)
}

/// How long a plan takes by its edges alone. What a step comes after is in the plan before it.
fn length(plan: &Plan, took: impl Fn(usize) -> Duration) -> Duration {
    let mut ends: Vec<Duration> = Vec::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let start = before(step).filter_map(|at| ends.get(at)).max().copied();
        ends.push(start.unwrap_or_default() + took(at));
    }
    ends.into_iter().max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Outcome, StepReport},
        plan::{Action, Location, StepId},
    };

    /// Steps with what they come after, when they started and how long they took.
    fn of(steps: &[(&str, &[usize], u64, u64)]) -> Option<Waiting> {
        let (mut plan, mut report) = (Plan::default(), Report { steps: Vec::new() });
        for (name, after, start, took) in steps {
            let step = Step::new(*name, Action::Folder(Location::output("x")));
            let step = step.after(after.iter().map(|at| StepId(*at)));
            let id = plan.add(if *name == "what is built" {
                step.quiet()
            } else {
                step
            });
            report.steps.push(StepReport {
                started: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(*start)),
                elapsed: Duration::from_secs(*took),
                outcome: Outcome::Done(None),
                ..StepReport::not_run(id, &plan.steps[id.0])
            });
        }
        Waiting::of(&plan, &report)
    }

    #[test]
    fn the_longest_step_on_the_way_to_the_end_is_named() {
        let said = of(&[
            ("what is built", &[], 0, 1),
            ("bake small", &[0], 1, 10),
            ("bake large", &[0], 1, 50),
            ("smoke small", &[1], 11, 20),
            ("smoke large", &[2], 51, 14),
        ]);
        let said = said.unwrap();
        let names: Vec<&str> = said.path.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bake large", "smoke large"]);
        let seconds = [said.total, said.path[said.longest].1, said.without];
        assert_eq!(seconds.map(|time| time.as_secs()), [65, 50, 31]);
    }

    #[test]
    fn nobody_asks_for_it_after_a_short_run_or_a_single_step() {
        assert_eq!(of(&[("a", &[], 0, 20), ("b", &[0], 20, 20)]), None);
        assert_eq!(of(&[("a", &[], 0, 600), ("b", &[], 0, 20)]), None);
        assert_eq!(of(&[]), None);
    }
}
