// SPDX-License-Identifier: Apache-2.0
//! Keeps the record of a run while it goes on: what a killed run leaves says how far it came.

use std::{
    ffi::OsString,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;

use super::record::{FILE, LeftOut, PlanRecord, RunRecord, StepRecord, utc};
use crate::{
    config::AtOnce,
    event::StepReport,
    failure::FailureRecord,
    own::{RunId, file},
    plan::{Location, Plan, Step, StepId},
    verdict::Verdict,
};

/// Up to so many steps are kept as soon as one of them ends. The whole file is written each time, so that it is JSON
/// at any moment: 6 ms of a hundred steps, but 57 ms of two thousand, which would be two minutes in all.
const SMALL: usize = 100;

/// What ends in larger runs is kept once in so long.
const EVERY: Duration = Duration::from_secs(1);

/// In bytes: the list of an image's files, say, is where it was asked for.
const LARGEST_RESULT: usize = 1 << 18;

/// The record of this run, and how far its file goes.
pub(crate) struct Journal {
    record: RunRecord,
    begun: Instant,
    /// Where the steps of the last plan begin.
    first: usize,
    /// Whether it holds more than the file.
    ahead: bool,
    /// Whether steps have begun since: that is written with what comes next, or when nothing comes for a while.
    begun_since: bool,
    /// When the file was written.
    written: Option<Instant>,
    /// Whether it could not be written, which is said once.
    pub lost: bool,
}

impl Journal {
    /// Of a run of a command that begins now, with these arguments.
    pub(crate) fn begun(id: &RunId, command: &str, arguments: &[OsString]) -> Self {
        Self {
            record: RunRecord::begun(id, command, arguments),
            begun: Instant::now(),
            first: 0,
            ahead: true,
            begun_since: false,
            written: None,
            lost: false,
        }
    }

    /// What has become of the run so far.
    pub(crate) fn record(&self) -> &RunRecord {
        &self.record
    }

    /// Adds the steps of a plan that is about to run, of which `at_once` run at the same time.
    pub(crate) fn plan_begins(&mut self, plan: &Plan, at_once: AtOnce) {
        let steps = &mut self.record.steps;
        self.first = steps.len();
        let pools = plan.limits.iter();
        self.record.plans.push(PlanRecord {
            first: self.first,
            began: utc(SystemTime::now()),
            at_once: at_once.get(),
            pools: pools
                .map(|(name, limit)| ((*name).to_owned(), limit.get()))
                .collect(),
        });
        let planned = plan.steps.iter().enumerate();
        steps.extend(planned.map(|(at, step)| StepRecord::planned(self.first, at, step)));
        self.ahead = true;
    }

    /// Says of one step of that plan that it begins now.
    pub(crate) fn step_begins(&mut self, id: StepId) {
        if let Some(step) = self.record.steps.get_mut(self.first + id.0) {
            step.begins();
            self.begun_since = true;
        }
    }

    /// Says of one step of that plan what became of it.
    pub(crate) fn step_ends(&mut self, report: &StepReport) {
        if let Some(step) = self.record.steps.get_mut(self.first + report.id.0) {
            step.ends(report);
            self.ahead = true;
        }
    }

    /// That plan has ended: what has not, was not run.
    pub(crate) fn plan_ends(&mut self) {
        for step in &mut self.record.steps[self.first..] {
            self.ahead |= step.outcome.is_none();
            step.outcome.get_or_insert(Verdict::NotRun);
        }
    }

    /// Adds a step that is left out of all plans, and why that is.
    pub(crate) fn left_out(&mut self, step: &Step, why: LeftOut<'_>) {
        let mut record = StepRecord::planned(self.record.steps.len(), 0, step);
        record.is_left_out(why);
        self.record.steps.push(record);
        self.ahead = true;
    }

    /// Keeps what the run says for scripts, unless that is too much for a record.
    pub(crate) fn found(&mut self, result: Value) {
        if result.to_string().len() <= LARGEST_RESULT {
            self.proved(result);
        }
    }

    /// The same of what other runs go by: all of it.
    pub(crate) fn proved(&mut self, result: Value) {
        self.record.result = Some(result);
        self.ahead = true;
    }

    /// The run ends now, with this exit code.
    pub(crate) fn ends(&mut self, exit_code: u8, failure: Option<&FailureRecord>) {
        self.record.ended = Some(utc(SystemTime::now()));
        self.record.seconds = Some(self.begun.elapsed().as_secs_f64());
        self.record.exit_code = Some(exit_code);
        self.record.failure = failure.map(FailureRecord::kept);
        self.ahead = true;
    }

    /// Whether it is time to write it.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let age = self
            .written
            .map_or(EVERY, |then| now.saturating_duration_since(then));
        match (self.ahead, age >= EVERY) {
            (true, late) => late || self.record.steps.len() <= SMALL,
            (false, late) => late && self.begun_since,
        }
    }

    /// Writes it into the run's folder, where the file does not say all of it yet.
    pub(crate) fn write(&mut self, folder: &Path) -> anyhow::Result<()> {
        let begun = std::mem::replace(&mut self.begun_since, false);
        if !std::mem::replace(&mut self.ahead, false) && !begun {
            return Ok(());
        }
        let place = Location::ours(folder, folder.join(FILE));
        let text = serde_json::to_string_pretty(&self.record)? + "\n";
        let written = file::write_private(&place, &text);
        self.written = Some(Instant::now());
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Outcome,
        plan::{Cmd, StepId},
    };

    fn journal() -> Journal {
        let id = RunId::parse("0123456789abcdef").unwrap();
        Journal::begun(&id, "smoke", &[])
    }

    fn plan(steps: usize) -> Plan {
        let mut plan = Plan::default();
        for at in 0..steps {
            plan.add(Step::run(format!("step {at}"), Cmd::new("a", "a")));
        }
        plan
    }

    fn ended(at: usize, plan: &Plan) -> StepReport {
        StepReport {
            outcome: Outcome::Done(None),
            ..StepReport::not_run(StepId(at), &plan.steps[at])
        }
    }

    #[test]
    fn edges_go_to_steps_of_their_own_plan() {
        let mut plan = plan(1);
        plan.add(
            Step::run("b", Cmd::new("b", "b"))
                .after([StepId(0)])
                .after_end_of([StepId(0)]),
        );
        let mut journal = journal();
        journal.plan_begins(&plan, AtOnce::ONE);
        journal.plan_begins(&plan, AtOnce::ONE);
        let firsts = journal.record().plans.iter().map(|plan| plan.first);
        assert_eq!(firsts.collect::<Vec<_>>(), [0, 2]);
        let steps = &journal.record().steps;
        assert_eq!(
            (&steps[1].after[..], &steps[1].after_end_of[..]),
            (&[0][..], &[0][..])
        );
        assert_eq!(
            (&steps[3].after[..], &steps[3].after_end_of[..]),
            (&[2][..], &[2][..])
        );
    }

    #[test]
    fn a_large_result_is_kept_only_where_other_runs_go_by_it() {
        let large = Value::from("x".repeat(LARGEST_RESULT));
        let mut journal = journal();
        journal.found(large.clone());
        assert_eq!(journal.record().result, None);
        journal.proved(large.clone());
        assert_eq!(journal.record().result, Some(large));
    }

    #[test]
    fn what_has_not_ended_with_its_plan_was_not_run() {
        let plan = plan(2);
        let mut journal = journal();
        journal.plan_begins(&plan, AtOnce::ONE);
        journal.step_ends(&ended(1, &plan));
        journal.plan_ends();
        let outcomes = journal.record().steps.iter().map(|step| step.outcome);
        assert_eq!(
            outcomes.collect::<Vec<_>>(),
            [Some(Verdict::NotRun), Some(Verdict::Passed)]
        );
    }

    #[test]
    fn a_small_run_is_kept_at_once_and_a_large_one_once_in_a_while() {
        let folder = tempfile::tempdir().unwrap();
        for (steps, at_once) in [(SMALL, true), (SMALL + 1, false)] {
            let plan = plan(steps);
            let mut journal = journal();
            journal.plan_begins(&plan, AtOnce::ONE);
            assert!(journal.is_due(Instant::now()), "nothing is written yet");
            journal.write(folder.path()).unwrap();
            let written = journal.written.unwrap();
            assert!(!journal.is_due(written + EVERY), "there is nothing new");
            journal.step_begins(StepId(8));
            assert!(!journal.is_due(written), "it may end soon");
            assert!(journal.is_due(written + EVERY));
            journal.step_ends(&ended(7, &plan));
            assert_eq!(journal.is_due(written), at_once);
            assert!(journal.is_due(written + EVERY));
            journal.write(folder.path()).unwrap();
            let text = fs_err::read_to_string(folder.path().join(FILE)).unwrap();
            let kept: RunRecord = serde_json::from_str(&text).unwrap();
            assert_eq!(kept.steps, journal.record().steps);
        }
    }
}
