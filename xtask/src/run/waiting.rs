// SPDX-License-Identifier: Apache-2.0
//! What a run has waited for longest: of the steps that came one after the other until its end, the one that took most time, and
//! how long the others would have taken.

use std::time::Duration;

use super::{
    record::{RunRecord, StepRecord},
    timeline::{Timeline, before},
};

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
    /// Of the run's last plan. None where it was short, or where its end is that of a single step.
    pub(crate) fn of(run: &RunRecord) -> Option<Self> {
        let first = run.plans.last()?.first;
        let steps = run.steps.get(first..)?;
        let line = Timeline::of_steps(run, first);
        let begun = line.spans.iter().map(|span| span.start).reduce(f64::min)?;
        let ended = line.spans.iter().map(|span| span.end).reduce(f64::max)?;
        let total = seconds(ended - begun);
        let path = line.path.iter().filter_map(|id| steps.get(id - first));
        let path: Vec<&StepRecord> = path.filter(|step| !step.quiet).collect();
        let took = |step: &StepRecord| seconds(step.seconds.unwrap_or_default());
        let longest = (0..path.len()).max_by_key(|place| took(path[*place]))?;
        let without = length(steps, |step| {
            let is_free = step.id == path[longest].id;
            if is_free { Duration::ZERO } else { took(step) }
        });
        (total >= LONG && path.len() > 1).then(|| Self {
            total,
            longest,
            without,
            path: path
                .iter()
                .map(|step| (step.name.clone(), took(step)))
                .collect(),
        })
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// How long a plan takes by its edges alone. What a step comes after is in the plan before it.
fn length(steps: &[StepRecord], took: impl Fn(&StepRecord) -> Duration) -> Duration {
    let first = steps.first().map_or(0, |step| step.id);
    let mut ends: Vec<Duration> = Vec::new();
    for step in steps {
        let ended = before(step).filter_map(|id| ends.get(id.checked_sub(first)?));
        let start = ended.max().copied().unwrap_or_default();
        ends.push(start + took(step));
    }
    ends.into_iter().max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::timeline::tests::run;

    /// Steps with what they come after, when they started and how long they took.
    fn of(steps: &[(&str, &[usize], f64, f64)]) -> Option<Waiting> {
        let mut run = run(8, steps);
        for step in &mut run.steps {
            step.quiet = step.name == "what is built";
        }
        Waiting::of(&run)
    }

    #[test]
    fn the_longest_step_on_the_way_to_the_end_is_named() {
        let said = of(&[
            ("what is built", &[], 0.0, 1.0),
            ("bake small", &[0], 1.0, 10.0),
            ("bake large", &[0], 1.0, 50.0),
            ("smoke small", &[1], 11.0, 20.0),
            ("smoke large", &[2], 51.0, 14.0),
        ]);
        let said = said.unwrap();
        let names: Vec<&str> = said.path.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bake large", "smoke large"]);
        let seconds = [said.total, said.path[said.longest].1, said.without];
        assert_eq!(seconds.map(|time| time.as_secs()), [65, 50, 31]);
    }

    #[test]
    fn nobody_asks_for_it_after_a_short_run_or_a_single_step() {
        assert_eq!(of(&[("a", &[], 0.0, 20.0), ("b", &[0], 20.0, 20.0)]), None);
        assert_eq!(of(&[("a", &[], 0.0, 600.0), ("b", &[], 0.0, 20.0)]), None);
        assert_eq!(of(&[]), None);
    }
}
