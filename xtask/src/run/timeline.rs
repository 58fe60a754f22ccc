// SPDX-License-Identifier: Apache-2.0
//! When the steps of a run ran, beside each other, and what each of them and the end of the run waited for: all of it from the
//! run's record.

mod running;

use std::{collections::BTreeMap, time::UNIX_EPOCH};

use self::running::Running;
use super::record::{PlanRecord, RunRecord, StepRecord};

/// Seconds that a step may begin late without having waited for anything.
const NOTICED: f64 = 0.1;
/// The same, of what waited for no place.
const LATE: f64 = 1.0;
/// Seconds by which one step seems to end after another has begun that it made room for: records have milliseconds.
const BLURRED: f64 = 0.005;

/// When steps ran. Times are in seconds from the beginning of the run.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    /// Of those that ran, in the order in which they began.
    pub spans: Vec<Span>,
    /// From the run's beginning to its end, or as far as anything is known of it.
    pub seconds: f64,
    /// The steps that came one after the other until the end, the first one first, by their ids.
    pub path: Vec<usize>,
    /// How many rows it takes to show steps that ran at once below each other.
    pub lanes: usize,
    /// How many could run at once, and the seconds in which no more could.
    pub full: Option<(usize, f64)>,
}

/// When one step ran.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// Its id.
    pub step: usize,
    pub start: f64,
    pub end: f64,
    /// Nothing is known of its end.
    pub is_open: bool,
    /// The step before it that ended last.
    pub after: Option<usize>,
    /// What it waited for when that had ended.
    pub waited: Option<Waited>,
    /// Which of the rows it is in.
    pub lane: usize,
    /// The end of the run waited for it.
    pub is_on_path: bool,
}

/// How long a step waited that could have begun, and for what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waited {
    pub seconds: f64,
    pub on: On,
}

/// What steps wait for beside those that come before them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum On {
    /// A place among so many steps that run at once.
    Slot(usize),
    /// The same, in the pool of this name.
    Pool(String, usize),
    /// Others that are carried out together with it.
    Others,
}

/// Seconds since the epoch.
fn moment(text: &str) -> Option<f64> {
    let time = humantime::parse_rfc3339(text).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}

/// The steps that one comes after.
pub(super) fn before(step: &StepRecord) -> impl Iterator<Item = usize> {
    step.after.iter().chain(&step.after_end_of).copied()
}

impl Timeline {
    pub(crate) fn of(run: &RunRecord) -> Self {
        Self::of_steps(run, 0)
    }

    /// Of the steps from one place on.
    pub(super) fn of_steps(run: &RunRecord, first: usize) -> Self {
        let Some(begun) = moment(&run.started) else {
            return Self::default();
        };
        let steps = run.steps.get(first..).unwrap_or_default();
        let mut spans: BTreeMap<usize, Span> = BTreeMap::new();
        for step in steps {
            spans.extend(span(step, begun).map(|span| (step.id, span)));
        }
        let last = spans.values().map(|span| span.end).fold(0.0, f64::max);
        let ended = run.ended.as_deref().and_then(moment);
        let seconds = run.seconds.or(ended.map(|ended| ended - begun));
        let seconds = seconds.unwrap_or(last).max(last);
        for span in spans.values_mut().filter(|span| span.is_open) {
            span.end = seconds.max(span.start);
        }
        let running = Running::of(&spans, steps);
        let all: Vec<&PlanRecord> = run
            .plans
            .iter()
            .filter(|plan| plan.first >= first)
            .collect();
        for step in steps {
            let plan = all.iter().rev().find(|plan| plan.first <= step.id);
            let (after, waited) = waits(step, &spans, plan.copied(), begun, &running);
            if let Some(span) = spans.get_mut(&step.id) {
                (span.after, span.waited) = (after, waited);
            }
        }
        let path = path(steps, &spans, &all);
        for step in &path {
            spans.entry(*step).and_modify(|span| span.is_on_path = true);
        }
        let at_once = all.iter().map(|plan| plan.at_once).max();
        let full = at_once.map(|at_once| (at_once, running.seconds_of(at_once)));
        let mut spans: Vec<Span> = spans.into_values().collect();
        spans.sort_by(|one, other| one.start.total_cmp(&other.start));
        Self {
            lanes: in_lanes(&mut spans),
            spans,
            seconds,
            path,
            full,
        }
    }
}

fn span(step: &StepRecord, begun: f64) -> Option<Span> {
    let start = (moment(step.started.as_deref()?)? - begun).max(0.0);
    let is_open = step.outcome.is_none();
    Some(Span {
        step: step.id,
        start,
        end: start + step.seconds.unwrap_or_default().max(0.0),
        is_open,
        after: None,
        waited: None,
        lane: 0,
        is_on_path: false,
    })
}

/// Which step was waited for last, and how long for something else then.
fn waits(
    step: &StepRecord,
    spans: &BTreeMap<usize, Span>,
    plan: Option<&PlanRecord>,
    begun: f64,
    running: &Running<'_>,
) -> (Option<usize>, Option<Waited>) {
    let Some(own) = spans.get(&step.id) else {
        return (None, None);
    };
    let ended = before(step).filter_map(|id| spans.get(&id));
    let last = ended.max_by(|one, other| one.end.total_cmp(&other.end));
    let after = last.map(|span| span.step);
    let Some(plan) = plan else {
        return (after, None);
    };
    let planned = moment(&plan.began).unwrap_or(begun) - begun;
    let ready = last.map_or(planned, |span| span.end.max(planned));
    let seconds = own.start - ready;
    if seconds < NOTICED {
        return (after, None);
    }
    // Somewhat later, when those that ended at that moment have made room and others have taken it.
    let at = ready + NOTICED / 2.0;
    let pool = step.pool.as_deref();
    let limit = pool.and_then(|name| Some((name, *plan.pools.get(name)?)));
    let on = match limit {
        Some((name, limit)) if running.at(at, pool) >= limit => On::Pool(name.to_owned(), limit),
        _ if running.at(at, None) >= plan.at_once => On::Slot(plan.at_once),
        // Threads are late by some tenths of a second where processors are busy.
        _ if seconds < LATE => return (after, None),
        _ => On::Others,
    };
    (after, Some(Waited { seconds, on }))
}

/// Back from the step that ended last, over the one before it that ended last; and so on in the plan before.
fn path(steps: &[StepRecord], spans: &BTreeMap<usize, Span>, plans: &[&PlanRecord]) -> Vec<usize> {
    let last = |until: usize| {
        let of = spans.values().filter(|span| span.step < until);
        let last = of.max_by(|one, other| one.end.total_cmp(&other.end));
        last.map(|span| span.step)
    };
    let mut path = Vec::new();
    let mut next = last(usize::MAX);
    while let Some(at) = next {
        path.push(at);
        let first = plans
            .iter()
            .rev()
            .map(|plan| plan.first)
            .find(|first| *first <= at);
        next = spans
            .get(&at)
            .and_then(|span| span.after)
            // What comes after itself or later is no record of ours.
            .filter(|before| *before < at)
            .or_else(|| last(first.unwrap_or_default()));
    }
    path.reverse();
    let is_known = |id: &usize| steps.iter().any(|step| step.id == *id);
    path.retain(is_known);
    path
}

/// Puts each span into the first row that is free; gives the number of rows.
fn in_lanes(spans: &mut [Span]) -> usize {
    let mut ends: Vec<f64> = Vec::new();
    for span in spans {
        let free = ends.iter().position(|end| *end <= span.start + BLURRED);
        span.lane = free.unwrap_or(ends.len());
        match ends.get_mut(span.lane) {
            Some(end) => *end = span.end,
            None => ends.push(span.end),
        }
    }
    ends.len()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{own::RunId, verdict::Verdict};

    /// A run of one plan that starts with it, of steps with what they come after, when they started and how long they took.
    pub(crate) fn run(at_once: usize, steps: &[(&str, &[usize], f64, f64)]) -> RunRecord {
        let id = RunId::parse("0123456789abcdef").unwrap();
        let mut run = RunRecord::begun(&id, "smoke", &[]);
        let time = |seconds: f64| {
            let moment = UNIX_EPOCH + std::time::Duration::from_secs_f64(seconds + 1e9);
            humantime::format_rfc3339_millis(moment).to_string()
        };
        run.started = time(0.0);
        run.plans.push(PlanRecord {
            first: 0,
            began: time(0.0),
            at_once,
            pools: BTreeMap::new(),
        });
        for (at, (name, after, start, took)) in steps.iter().enumerate() {
            run.steps.push(StepRecord {
                after: after.to_vec(),
                started: Some(time(*start)),
                seconds: Some(*took),
                outcome: Some(Verdict::Passed),
                ..StepRecord::named(at, name)
            });
        }
        run
    }

    impl Timeline {
        fn span(&self, step: usize) -> Option<&Span> {
            self.spans.iter().find(|span| span.step == step)
        }
    }

    #[test]
    fn what_a_step_waited_for_is_said() {
        let mut run = run(
            2,
            &[
                ("a", &[], 0.0, 4.0),
                ("b", &[], 0.0, 2.0),
                ("c", &[], 2.0, 1.0),
                ("d", &[1], 3.0, 1.0),
                ("e", &[0], 5.0, 1.0),
            ],
        );
        let waited = |run: &RunRecord, step: usize| {
            let line = Timeline::of(run);
            line.span(step).unwrap().waited.clone()
        };
        assert_eq!(waited(&run, 0), None);
        let slot = Waited {
            seconds: 2.0,
            on: On::Slot(2),
        };
        assert_eq!(waited(&run, 2), Some(slot));
        assert_eq!(waited(&run, 4).unwrap().on, On::Others);
        run.plans[0].pools.insert("suite".into(), 1);
        run.plans[0].at_once = 9;
        for step in [0, 2] {
            run.steps[step].pool = Some("suite".into());
        }
        let pool = On::Pool("suite".into(), 1);
        assert_eq!(waited(&run, 2).unwrap().on, pool);
    }

    #[test]
    fn steps_that_overlap_are_below_each_other_and_the_path_leads_to_the_end() {
        let run = run(
            8,
            &[
                ("a", &[], 0.0, 4.0),
                ("b", &[], 0.0, 2.0),
                ("c", &[1], 2.0, 1.0),
                ("d", &[0, 2], 4.0, 1.0),
            ],
        );
        let line = Timeline::of(&run);
        let lanes = line.spans.iter().map(|span| span.lane);
        assert_eq!(lanes.collect::<Vec<_>>(), [0, 1, 1, 0]);
        assert_eq!(line.lanes, 2);
        assert!((line.seconds - 5.0).abs() < 0.01, "{}", line.seconds);
        assert_eq!(line.full, Some((8, 0.0)));
        assert_eq!(line.path, [0, 3]);
    }

    #[test]
    fn a_run_that_was_killed_shows_what_ran() {
        let mut run = run(
            8,
            &[
                ("a", &[], 0.0, 4.0),
                ("b", &[], 1.0, 0.0),
                ("c", &[0], 0.0, 0.0),
            ],
        );
        (run.steps[1].outcome, run.steps[1].seconds) = (None, None);
        (run.steps[2].outcome, run.steps[2].started) = (None, None);
        let line = Timeline::of(&run);
        let open = line.span(1).unwrap();
        assert!(open.is_open && line.span(2).is_none());
        assert!((open.end - 4.0).abs() < 0.01, "{}", open.end);
    }

    #[test]
    fn what_is_no_record_of_ours_is_no_endless_way() {
        let mut run = run(8, &[("a", &[1, 0], 0.0, 4.0), ("b", &[0, 7], 4.0, 1.0)]);
        assert_eq!(Timeline::of(&run).path, [0, 1]);
        run.steps[0].started = Some("yesterday".into());
        run.started = "1".into();
        assert!(Timeline::of(&run).spans.is_empty());
        run.steps.clear();
        assert_eq!(Timeline::of(&run).path, Vec::<usize>::new());
    }
}
