// SPDX-License-Identifier: Apache-2.0
use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

mod printed;

use super::*;
use crate::{
    exec::{CmdFailure, Reason, Supervision},
    failure::Failure,
    plan::{Cmd, Console, Performed, Probe, Step, Work},
};

mod joint;
mod memory;
mod order;

/// Runs nothing: remembers what it was asked for, and fails where it is told to.
#[derive(Default)]
struct Fake {
    asked: Mutex<Vec<String>>,
    failing: Vec<&'static str>,
    interrupt_at: Option<&'static str>,
    interrupted: AtomicBool,
}

impl Fake {
    fn ask(&self, cmd: &Cmd) -> Result<(), CmdFailure> {
        let line = cmd.to_string();
        self.asked.lock().unwrap().push(line.clone());
        if self.interrupt_at == Some(line.as_str()) {
            self.interrupted.store(true, Ordering::SeqCst);
        }
        if self.failing.contains(&line.as_str()) || self.interrupt_at == Some(line.as_str()) {
            return Err(failure(cmd));
        }
        Ok(())
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn failure(cmd: &Cmd) -> CmdFailure {
    CmdFailure {
        purpose: cmd.purpose.clone(),
        command: cmd.to_string(),
        program: "fake".into(),
        reason: Reason::Status(1),
        elapsed: Duration::ZERO,
        tail: vec![],
        first_error: None,
        lines: 0,
        log: None,
    }
}

impl Exec for Fake {
    fn run(
        &self,
        cmd: &Cmd,
        _: Supervision<'_>,
        _: &mut dyn FnMut(&str),
    ) -> Result<(), CmdFailure> {
        self.ask(cmd)
    }

    fn read(&self, cmd: &Cmd, _: Option<Duration>) -> Result<String, CmdFailure> {
        self.ask(cmd).map(|()| String::new())
    }

    fn start(&self, _: &Cmd, _: &Path) -> Result<(), CmdFailure> {
        Ok(())
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}

fn step(name: &str) -> Step {
    Step::run(name, Cmd::new(name, name)).undo(Cmd::new(format!("undo-{name}"), "undo"))
}

fn walk(plan: &Plan, fake: &Fake) -> Report {
    let options = Options {
        at_once: AtOnce::ONE,
        logs: PathBuf::from("/nonexistent"),
    };
    run(plan, fake, &options, &mut |_| {})
}

fn chain() -> Plan {
    let mut plan = Plan::default();
    let a = plan.add(step("a"));
    let b = plan.add(step("b").after([a]));
    plan.add(step("c").after([b]));
    plan.add(step("d"));
    plan
}

fn keeps_going(plan: Plan) -> Plan {
    Plan {
        after_failure: AfterFailure::KeepGoing,
        ..plan
    }
}

#[test]
fn all_goes_well_and_nothing_is_undone() {
    let fake = Fake::default();
    let report = walk(&chain(), &fake);
    assert_eq!(fake.asked(), ["a", "b", "c", "d"]);
    assert_eq!(report.failure(false), None);
}

#[test]
fn a_failure_stops_the_rest_and_is_undone_last_first() {
    let fake = Fake {
        failing: vec!["b"],
        ..Fake::default()
    };
    let report = walk(&chain(), &fake);
    assert_eq!(fake.asked(), ["a", "b", "undo-b", "undo-a"]);
    assert_eq!(report.failure(false), Some(Kind::Failed));
    assert!(matches!(report.step(StepId(3)).outcome, Outcome::NotRun));
}

/// Work that has a fault.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("work")
    }
}

impl Work for Broken {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        panic!("of a fault")
    }
}

#[test]
fn work_that_panics_is_a_failed_step_and_nobody_waits_for_it() {
    let mut plan = Plan::default();
    let before = plan.add(step("a"));
    let broken = plan.add(Step::work("b", Broken).after([before]));
    plan.add(step("c").after([broken]));
    let fake = Fake::default();
    let report = walk(&plan, &fake);
    assert_eq!(fake.asked(), ["a", "undo-a"]);
    assert_eq!(report.failure(false), Some(Kind::Failed));
    assert!(matches!(report.step(StepId(2)).outcome, Outcome::NotRun));
}

#[test]
fn keep_going_runs_what_does_not_depend_on_the_failure() {
    let fake = Fake {
        failing: vec!["b"],
        ..Fake::default()
    };
    let report = walk(&keeps_going(chain()), &fake);
    assert_eq!(fake.asked(), ["a", "b", "undo-b", "d", "undo-a"]);
    assert!(matches!(report.step(StepId(2)).outcome, Outcome::NotRun));
    assert!(report.step(StepId(3)).succeeded());
}

#[test]
fn an_interruption_undoes_and_wins_over_the_failure() {
    let fake = Fake {
        interrupt_at: Some("b"),
        ..Fake::default()
    };
    let report = walk(&keeps_going(chain()), &fake);
    assert_eq!(fake.asked(), ["a", "b", "undo-b", "undo-a"]);
    assert_eq!(report.failure(fake.interrupted()), Some(Kind::Interrupted));
}

#[test]
fn a_probe_that_holds_skips_the_step() {
    let mut plan = Plan::default();
    plan.add(step("a").skip_if(Probe::Succeeds(Cmd::new("there", "look")), "it is there"));
    plan.add(step("b").skip_if(Probe::Succeeds(Cmd::new("missing", "look")), "it is there"));
    let fake = Fake {
        failing: vec!["missing"],
        ..Fake::default()
    };
    let report = walk(&plan, &fake);
    assert_eq!(fake.asked(), ["there", "missing", "b"]);
    assert!(
        matches!(&report.step(StepId(0)).outcome, Outcome::Skipped(why) if why == "it is there")
    );
}

#[test]
fn independent_steps_run_side_by_side() {
    struct Barrier(std::sync::Barrier);
    impl Exec for Barrier {
        fn run(
            &self,
            _: &Cmd,
            _: Supervision<'_>,
            _: &mut dyn FnMut(&str),
        ) -> Result<(), CmdFailure> {
            self.0.wait();
            Ok(())
        }
        fn read(&self, _: &Cmd, _: Option<Duration>) -> Result<String, CmdFailure> {
            Ok(String::new())
        }
        fn start(&self, _: &Cmd, _: &Path) -> Result<(), CmdFailure> {
            Ok(())
        }

        fn interrupted(&self) -> bool {
            false
        }
    }
    let mut plan = Plan::default();
    plan.add(step("a"));
    plan.add(step("b"));
    let options = Options {
        at_once: AtOnce::of(2),
        logs: PathBuf::new(),
    };
    // Ends only when both steps are in the barrier at the same time.
    let report = run(
        &plan,
        &Barrier(std::sync::Barrier::new(2)),
        &options,
        &mut |_| {},
    );
    assert!(report.steps.iter().all(StepReport::succeeded));
}

#[test]
fn when_nothing_happens_that_is_said_too() {
    /// A command that ends when somebody has heard that nothing happens.
    struct Waiting(Mutex<mpsc::Receiver<()>>);
    impl Exec for Waiting {
        fn run(
            &self,
            _: &Cmd,
            _: Supervision<'_>,
            _: &mut dyn FnMut(&str),
        ) -> Result<(), CmdFailure> {
            self.0.lock().unwrap().recv().unwrap();
            Ok(())
        }

        fn read(&self, _: &Cmd, _: Option<Duration>) -> Result<String, CmdFailure> {
            Ok(String::new())
        }

        fn start(&self, _: &Cmd, _: &Path) -> Result<(), CmdFailure> {
            Ok(())
        }

        fn interrupted(&self) -> bool {
            false
        }
    }
    let (heard, news) = mpsc::channel();
    let mut plan = Plan::default();
    plan.add(step("a"));
    let options = Options {
        at_once: AtOnce::ONE,
        logs: PathBuf::new(),
    };
    let report = run(&plan, &Waiting(Mutex::new(news)), &options, &mut |event| {
        if matches!(event, Event::Quiet) {
            heard.send(()).unwrap();
        }
    });
    assert!(report.step(StepId(0)).succeeded());
}

#[test]
fn a_pool_bounds_its_steps_and_what_waits_for_an_end_runs_after_a_failure() {
    /// Remembers how many ran at once.
    #[derive(Default)]
    struct Counter {
        now: Mutex<usize>,
        most: Mutex<usize>,
    }
    impl Exec for Counter {
        fn run(
            &self,
            _: &Cmd,
            _: Supervision<'_>,
            _: &mut dyn FnMut(&str),
        ) -> Result<(), CmdFailure> {
            let now = {
                let mut now = self.now.lock().unwrap();
                *now += 1;
                *now
            };
            let mut most = self.most.lock().unwrap();
            *most = (*most).max(now);
            drop(most);
            std::thread::yield_now();
            *self.now.lock().unwrap() -= 1;
            Ok(())
        }

        fn read(&self, _: &Cmd, _: Option<Duration>) -> Result<String, CmdFailure> {
            Ok(String::new())
        }

        fn start(&self, _: &Cmd, _: &Path) -> Result<(), CmdFailure> {
            Ok(())
        }

        fn interrupted(&self) -> bool {
            false
        }
    }
    let mut plan = Plan::default();
    plan.limits.push(("suite", AtOnce::ONE));
    let first = plan.add(step("first").pool("suite"));
    let second = plan.add(step("second").pool("suite"));
    plan.add(step("last").after_end_of([first, second]));
    let fake = Fake {
        failing: vec!["first"],
        ..Fake::default()
    };
    let report = walk(&keeps_going(plan), &fake);
    let succeeded: Vec<bool> = report.steps.iter().map(StepReport::succeeded).collect();
    assert_eq!(succeeded, [false, true, true]);
    assert_eq!(fake.asked(), ["first", "undo-first", "second", "last"]);

    let mut plan = Plan::default();
    plan.limits.push(("suite", AtOnce::of(2)));
    for at in 0..40 {
        plan.add(Step::run(format!("suite {at}"), Cmd::new("x", "x")).pool("suite"));
    }
    let counter = Counter::default();
    let options = Options {
        at_once: AtOnce::of(8),
        logs: PathBuf::new(),
    };
    run(&plan, &counter, &options, &mut |_| {});
    assert!(*counter.most.lock().unwrap() <= 2);
}

#[test]
fn what_is_kept_is_taken_back_only_by_its_own_failure() {
    for (failing, asked) in [
        ("late", vec!["made", "late", "undo-late"]),
        ("made", vec!["made", "undo-made"]),
    ] {
        let mut plan = Plan::default();
        let made = plan.add(step("made").kept());
        plan.add(step("late").after([made]));
        let fake = Fake {
            failing: vec![failing],
            ..Fake::default()
        };
        walk(&plan, &fake);
        assert_eq!(fake.asked(), asked);
    }
}
