// SPDX-License-Identifier: Apache-2.0
//! The order in which any plan runs, and what is taken back: over random plans, side by side, with failures
//! and interruptions anywhere.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;
use crate::fuzzing::tests::runner;

/// A step as it is drawn: the indices choose among the steps before it.
#[derive(Clone, Debug)]
struct Drawn {
    after: Vec<Index>,
    ended: Vec<Index>,
    pool: Option<&'static str>,
    undo: bool,
    kept: bool,
    /// Whether a probe is asked, and its answer.
    skip: Option<bool>,
    fails: bool,
}

#[derive(Clone, Debug)]
struct World {
    steps: Vec<Drawn>,
    limits: [usize; 2],
    jobs: usize,
    keep_going: bool,
    /// The step during which the user presses Ctrl-C.
    interrupted_in: Option<Index>,
}

const POOLS: [&str; 2] = ["few", "many"];

fn worlds() -> impl Strategy<Value = World> {
    let indices = || vec(any::<Index>(), 0..3);
    let step = (
        indices(),
        indices(),
        proptest::option::of(proptest::sample::select(&POOLS)),
        any::<bool>(),
        proptest::bool::weighted(0.2),
        proptest::option::weighted(0.2, any::<bool>()),
        proptest::bool::weighted(0.15),
    );
    let step = step.prop_map(|(after, ended, pool, undo, kept, skip, fails)| Drawn {
        after,
        ended,
        pool,
        undo,
        kept,
        skip,
        fails,
    });
    let interrupted = proptest::option::weighted(0.25, any::<Index>());
    (
        vec(step, 1..14),
        [1..3_usize, 1..4],
        1..5_usize,
        any::<bool>(),
        interrupted,
    )
        .prop_map(|(steps, limits, jobs, keep_going, interrupted_in)| World {
            steps,
            limits,
            jobs,
            keep_going,
            interrupted_in,
        })
}

impl World {
    fn plan(&self) -> Plan {
        let mut plan = Plan {
            limits: POOLS.into_iter().zip(self.limits.map(AtOnce::of)).collect(),
            after_failure: if self.keep_going {
                AfterFailure::KeepGoing
            } else {
                AfterFailure::Stop
            },
            ..Plan::default()
        };
        for (at, drawn) in self.steps.iter().enumerate() {
            let among = |indices: &[Index]| -> Vec<StepId> {
                let chosen = indices.iter().filter(|_| at > 0);
                chosen.map(|index| StepId(index.index(at))).collect()
            };
            let name = format!("step-{at}");
            let mut step = Step::run(&name, Cmd::new(&name, "do"))
                .after(among(&drawn.after))
                .after_end_of(among(&drawn.ended));
            step.pool = drawn.pool;
            step.kept = drawn.kept;
            if drawn.undo {
                step = step.undo(Cmd::new(format!("undo-{at}"), "undo"));
            }
            if drawn.skip.is_some() {
                step = step.skip_if(
                    Probe::Succeeds(Cmd::new(format!("probe-{at}"), "ask")),
                    "so",
                );
            }
            plan.add(step);
        }
        plan
    }

    fn interrupts(&self, at: usize) -> bool {
        let chosen = self
            .interrupted_in
            .map(|index| index.index(self.steps.len()));
        chosen == Some(at)
    }
}

/// What was seen to happen, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Probed(usize),
    Started(usize),
    Ended(usize),
    Undone(usize),
}

struct Watched<'a> {
    world: &'a World,
    seen: Mutex<Vec<Seen>>,
    interrupted: AtomicBool,
}

impl Watched<'_> {
    fn see(&self, seen: Seen) {
        self.seen.lock().unwrap().push(seen);
    }

    fn answer(&self, cmd: &Cmd) -> Result<(), CmdFailure> {
        let line = cmd.to_string();
        let (kind, at) = line.split_once('-').unwrap();
        let at: usize = at.parse().unwrap();
        let drawn = &self.world.steps[at];
        let well = match kind {
            "probe" => {
                self.see(Seen::Probed(at));
                drawn.skip == Some(true)
            }
            "undo" => {
                self.see(Seen::Undone(at));
                true
            }
            _ => {
                self.see(Seen::Started(at));
                // Let others run in between.
                std::thread::yield_now();
                if self.world.interrupts(at) {
                    self.interrupted.store(true, Ordering::SeqCst);
                }
                self.see(Seen::Ended(at));
                !drawn.fails
            }
        };
        if well { Ok(()) } else { Err(failure(cmd)) }
    }
}

impl Exec for Watched<'_> {
    fn run(
        &self,
        cmd: &Cmd,
        _: Supervision<'_>,
        _: &mut dyn FnMut(&str),
    ) -> Result<(), CmdFailure> {
        self.answer(cmd)
    }

    fn read(&self, cmd: &Cmd, _: Option<Duration>) -> Result<String, CmdFailure> {
        self.answer(cmd).map(|()| String::new())
    }

    fn start(&self, _: &Cmd, _: &Path) -> Result<(), CmdFailure> {
        Ok(())
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}

/// A run that is over: the plan, what was seen, the report, the steps that events spoke of.
struct Over<'a> {
    world: &'a World,
    plan: Plan,
    seen: Vec<Seen>,
    report: Report,
    events: Vec<(String, bool)>,
}

impl<'a> Over<'a> {
    fn of(world: &'a World) -> Self {
        let plan = world.plan();
        let watched = Watched {
            world,
            seen: Mutex::default(),
            interrupted: AtomicBool::default(),
        };
        let options = Options {
            at_once: AtOnce::of(world.jobs),
            logs: PathBuf::from("/nonexistent"),
        };
        let mut events = Vec::new();
        let report = run(&plan, &watched, &options, &mut |event| match event {
            Event::Started { step, .. } => events.push((step, false)),
            Event::Finished(report) => events.push((report.name, true)),
            _ => {}
        });
        Self {
            world,
            plan,
            seen: watched.seen.into_inner().unwrap(),
            report,
            events,
        }
    }

    /// When it was first seen.
    fn time(&self, seen: Seen) -> Option<usize> {
        self.seen.iter().position(|other| *other == seen)
    }

    fn succeeded(&self, at: usize) -> bool {
        self.report.steps[at].succeeded()
    }

    fn outcome(&self, at: usize) -> &Outcome {
        &self.report.steps[at].outcome
    }

    fn check(&self) {
        let once: BTreeSet<&Seen> = self.seen.iter().collect();
        assert_eq!(once.len(), self.seen.len(), "something happened twice");
        for (at, step) in self.plan.steps.iter().enumerate() {
            self.outcome_is_true(at, step);
            self.predecessors_came_first(at, step);
            self.is_undone_when_it_must(at, step);
        }
        self.bounds_hold();
        self.last_is_undone_first();
        self.stopping_stops();
        assert_eq!(self.report.failure(false).is_some(), self.any_failed());
        assert_eq!(self.report.failure(true), Some(Kind::Interrupted));
    }

    /// The report says what was seen, and events say it once.
    fn outcome_is_true(&self, at: usize, step: &Step) {
        let ran = self.time(Seen::Ended(at)).is_some();
        let fails = self.world.steps[at].fails;
        match self.outcome(at) {
            Outcome::Done(_) => assert!(ran && !fails),
            Outcome::Skipped(_) => assert!(!ran && self.world.steps[at].skip == Some(true)),
            Outcome::Unchanged(_) => panic!("no step of these worlds is unchanged"),
            Outcome::Failed(_) => assert!(ran && fails),
            Outcome::NotRun => assert!(!ran && self.time(Seen::Probed(at)).is_none()),
        }
        let told = |ended: bool| {
            let about = |event: &&(String, bool)| event.0 == step.name && event.1 == ended;
            self.events.iter().filter(about).count()
        };
        let times = usize::from(!matches!(self.outcome(at), Outcome::NotRun));
        assert_eq!((told(false), told(true)), (times, times));
    }

    fn predecessors_came_first(&self, at: usize, step: &Step) {
        let first = self.time(Seen::Probed(at)).or(self.time(Seen::Started(at)));
        let Some(first) = first else {
            let interrupted = self.world.interrupted_in.is_some();
            let stopped = interrupted || (!self.world.keep_going && self.any_failed());
            let blocked = step.after.iter().any(|before| !self.succeeded(before.0));
            assert!(
                stopped || blocked,
                "step {at} was not run, and nothing was in its way"
            );
            return;
        };
        for before in &step.after {
            assert!(self.succeeded(before.0), "{at} ran after {}", before.0);
        }
        for before in step.after.iter().chain(&step.after_end_of) {
            let end = match self.outcome(before.0) {
                Outcome::Done(_) | Outcome::Failed(_) => self.time(Seen::Ended(before.0)),
                Outcome::Skipped(_) | Outcome::Unchanged(_) => self.time(Seen::Probed(before.0)),
                Outcome::NotRun => continue,
            };
            assert!(end < Some(first), "{at} did not wait for {}", before.0);
        }
    }

    fn any_failed(&self) -> bool {
        let failed = |step: &StepReport| matches!(step.outcome, Outcome::Failed(_));
        self.report.steps.iter().any(failed)
    }

    /// What failed, and what was made for something that then did not come about; nothing else.
    fn is_undone_when_it_must(&self, at: usize, step: &Step) {
        let made = matches!(self.outcome(at), Outcome::Done(_));
        let failed = matches!(self.outcome(at), Outcome::Failed(_));
        let must = failed || (made && !step.kept && self.in_vain(at));
        let undone = self.time(Seen::Undone(at)).is_some();
        assert_eq!(undone, must && !step.undo.is_empty(), "undo of {at}");
    }

    /// Whether something builds on a step, at whatever distance, and did not succeed.
    fn in_vain(&self, at: usize) -> bool {
        let mut later = self.plan.steps.iter().enumerate().skip(at + 1);
        later.any(|(later, step)| {
            step.after.contains(&StepId(at)) && (!self.succeeded(later) || self.in_vain(later))
        })
    }

    fn bounds_hold(&self) {
        let mut running: BTreeSet<usize> = BTreeSet::new();
        for seen in &self.seen {
            match seen {
                Seen::Started(at) => _ = running.insert(*at),
                Seen::Ended(at) => _ = running.remove(at),
                Seen::Probed(_) | Seen::Undone(_) => {}
            }
            assert!(running.len() <= self.world.jobs);
            for (pool, limit) in POOLS.into_iter().zip(self.world.limits) {
                let own = running
                    .iter()
                    .filter(|at| self.plan.steps[**at].pool == Some(pool));
                assert!(own.count() <= limit, "pool {pool}");
            }
        }
    }

    /// What is taken back after the end is taken back in the reverse of the plan's order.
    fn last_is_undone_first(&self) {
        let last_end = self
            .seen
            .iter()
            .rposition(|seen| matches!(seen, Seen::Ended(_)));
        let undone: Vec<usize> = self
            .seen
            .iter()
            .enumerate()
            .filter_map(|(time, seen)| match seen {
                Seen::Undone(at) => Some((time, *at)),
                _ => None,
            })
            .filter(|(_, at)| matches!(self.outcome(*at), Outcome::Done(_)))
            .inspect(|(time, _)| assert!(Some(*time) > last_end, "undone while others ran"))
            .map(|(_, at)| at)
            .collect();
        assert!(undone.is_sorted_by(|one, next| one > next), "{undone:?}");
    }

    /// One after the other, nothing starts after an interruption, nor after a failure that ends the run.
    fn stopping_stops(&self) {
        if self.world.jobs > 1 {
            return;
        }
        let stops = |at: usize| {
            self.world.interrupts(at) || (self.world.steps[at].fails && !self.world.keep_going)
        };
        let mut stopped = false;
        for seen in &self.seen {
            match seen {
                Seen::Ended(at) => stopped |= stops(*at),
                Seen::Started(at) | Seen::Probed(at) => assert!(!stopped, "{at} ran on"),
                Seen::Undone(_) => {}
            }
        }
    }
}

#[test]
fn any_plan_runs_in_its_order_and_takes_back_exactly_what_it_must() {
    let ended = runner(600).run(&worlds(), |world| {
        Over::of(&world).check();
        Ok(())
    });
    assert!(ended.is_ok(), "{}", ended.unwrap_err());
}
