// SPDX-License-Identifier: Apache-2.0
//! Steps that one command carries out together: when each begins and ends, and what becomes of those of which nothing
//! is told.

use std::{
    fmt, fs,
    sync::{Arc, mpsc::Sender},
};

use super::*;
use crate::{
    failure::Failure,
    plan::{Board, Joint, Part, Performed},
};

/// Says what it was asked for, and does what a test says.
struct Shared<W> {
    asked: Arc<Mutex<Vec<Vec<usize>>>>,
    work: W,
}

impl<W> fmt::Debug for Shared<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<W> fmt::Display for Shared<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all")
    }
}

impl<W> Joint for Shared<W>
where
    W: Fn(&[usize], &dyn Exec, &dyn Board) -> Result<(), Failure> + Send + Sync,
{
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn alone(&self, part: usize) -> String {
        format!("part {part}")
    }

    fn perform(&self, parts: &[usize], exec: &dyn Exec, board: &dyn Board) -> Result<(), Failure> {
        self.asked.lock().unwrap().push(parts.to_vec());
        (self.work)(parts, exec, board)
    }
}

/// What the work of a plan was asked for.
type Asked = Arc<Mutex<Vec<Vec<usize>>>>;

/// The steps of such work, by these names.
fn parts<W>(names: &[&str], work: W) -> (Vec<Step>, Asked)
where
    W: Fn(&[usize], &dyn Exec, &dyn Board) -> Result<(), Failure> + Send + Sync + 'static,
{
    let asked = Asked::default();
    let joint: Arc<dyn Joint> = Arc::new(Shared {
        asked: Arc::clone(&asked),
        work,
    });
    let step = |(place, name): (usize, &&str)| {
        let joint = Arc::clone(&joint);
        Step::new(*name, Action::Part(Part { joint, place }))
    };
    (names.iter().enumerate().map(step).collect(), asked)
}

const WELL: Result<Performed, Failure> = Ok(Performed::Done(None));

fn asked(asked: &Asked) -> Vec<Vec<usize>> {
    asked.lock().unwrap().clone()
}

fn walk_in(logs: &Path, plan: &Plan, exec: &dyn Exec) -> Report {
    let options = Options {
        at_once: AtOnce::of(4),
        logs: logs.to_owned(),
    };
    run(plan, exec, &options, &mut |_| {})
}

fn message(report: &Report, at: usize) -> String {
    match &report.step(StepId(at)).outcome {
        Outcome::Failed(failure) => failure.message.clone(),
        other => panic!("{other:?}"),
    }
}

/// Says which commands it was asked for.
struct Heard(Mutex<Sender<String>>);

impl Exec for Heard {
    fn run(
        &self,
        cmd: &Cmd,
        _: Supervision<'_>,
        _: &mut dyn FnMut(&str),
    ) -> Result<(), CmdFailure> {
        self.0.lock().unwrap().send(cmd.to_string()).unwrap();
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

#[test]
fn what_follows_a_part_begins_before_the_work_is_over() {
    let logs = tempfile::tempdir().unwrap();
    let (said, heard) = mpsc::channel();
    let heard = Mutex::new(heard);
    let (steps, asked_for) = parts(&["a", "b"], move |_, _, board| {
        board.line(0, "of a");
        board.line(1, "of b");
        board.ended(0, WELL);
        // Said once more it is nothing new.
        board.ended(0, WELL);
        board.line(0, "too late");
        let patience = Duration::from_secs(60);
        let begun = heard.lock().unwrap().recv_timeout(patience);
        assert_eq!(begun.as_deref(), Ok("after-a"));
        board.ended(1, WELL);
        Ok(())
    });
    let mut plan = Plan::default();
    let ids: Vec<StepId> = steps.into_iter().map(|step| plan.add(step)).collect();
    plan.add(Step::run("after a", Cmd::new("after-a", "x")).after([ids[0]]));
    let report = walk_in(logs.path(), &plan, &Heard(Mutex::new(said)));
    assert!(report.steps.iter().all(StepReport::succeeded), "{report:?}");
    assert_eq!(asked(&asked_for), [vec![0, 1]]);
    for (name, log) in [("a", "$ part 0\nof a\n"), ("b", "$ part 1\nof b\n")] {
        let path = logs.path().join(log_name(name));
        assert_eq!(fs::read_to_string(&path).unwrap(), log);
    }
    assert_eq!(report.step(ids[1]).last_line.as_deref(), Some("of b"));
}

#[test]
fn a_part_whose_predecessor_has_failed_is_not_asked_for() {
    let logs = tempfile::tempdir().unwrap();
    let mut plan = keeps_going(Plan::default());
    let before = plan.add(step("x"));
    let (steps, asked_for) = parts(&["a", "b", "c"], |parts, _, board| {
        for part in parts {
            board.ended(*part, WELL);
        }
        Ok(())
    });
    for step in steps {
        let needs = if step.name == "b" {
            vec![before]
        } else {
            vec![]
        };
        plan.add(step.after(needs));
    }
    let fake = Fake {
        failing: vec!["x"],
        ..Fake::default()
    };
    let report = walk_in(logs.path(), &plan, &fake);
    assert_eq!(asked(&asked_for), [vec![0, 2]]);
    let succeeded: Vec<bool> = report.steps.iter().map(StepReport::succeeded).collect();
    assert_eq!(succeeded, [false, true, false, true]);
    assert!(matches!(report.step(StepId(2)).outcome, Outcome::NotRun));
}

#[test]
fn a_part_of_which_nothing_is_told_has_failed() {
    for (ends, why) in [
        (Ok(()), "what has become of it was not told"),
        (Err(Failure::failed("it broke")), "it broke"),
    ] {
        let logs = tempfile::tempdir().unwrap();
        let (steps, _) = parts(&["a", "b", "c"], move |_, _, board| {
            board.ended(1, WELL);
            board.ended(2, Err(Failure::failed("its own")));
            ends.clone()
        });
        let mut plan = Plan::default();
        for step in steps {
            plan.add(step);
        }
        let report = walk_in(logs.path(), &plan, &Fake::default());
        assert_eq!(message(&report, 0), why);
        assert!(report.step(StepId(1)).succeeded());
        assert_eq!(message(&report, 2), "its own");
    }
}

#[test]
fn an_interruption_ends_the_parts_that_have_not_ended() {
    let logs = tempfile::tempdir().unwrap();
    let (steps, _) = parts(&["a", "b", "c"], |_, exec, board| {
        board.ended(0, WELL);
        let cut = exec.run(&Cmd::new("cut", "cut"), Supervision::default(), &mut |_| {});
        board.ended(
            1,
            cut.map(|()| Performed::Done(None)).map_err(Failure::from),
        );
        Err(Failure::failed("the call was ended"))
    });
    let mut plan = keeps_going(Plan::default());
    let ids: Vec<StepId> = steps.into_iter().map(|step| plan.add(step)).collect();
    let last = plan.add(step("late").after_end_of(ids.iter().copied()));
    let fake = Fake {
        interrupt_at: Some("cut"),
        ..Fake::default()
    };
    let report = walk_in(logs.path(), &plan, &fake);
    assert!(report.step(ids[0]).succeeded());
    for id in &ids[1..] {
        let outcome = &report.step(*id).outcome;
        let is_cut = |failure: &crate::failure::FailureRecord| failure.kind == Kind::Interrupted;
        assert!(
            matches!(outcome, Outcome::Failed(failure) if is_cut(failure)),
            "{outcome:?}"
        );
    }
    assert!(matches!(report.step(last).outcome, Outcome::NotRun));
    assert_eq!(report.failure(fake.interrupted()), Some(Kind::Interrupted));
}

#[test]
fn a_part_whose_log_cannot_be_written_is_not_asked_for() {
    let logs = tempfile::tempdir().unwrap();
    fs::create_dir(logs.path().join(log_name("a"))).unwrap();
    let (steps, asked_for) = parts(&["a", "b"], |parts, _, board| {
        for part in parts {
            board.ended(*part, WELL);
        }
        Ok(())
    });
    let mut plan = Plan::default();
    for step in steps {
        plan.add(step);
    }
    let report = walk_in(logs.path(), &plan, &Fake::default());
    assert_eq!(asked(&asked_for), [vec![1]]);
    assert!(message(&report, 0).starts_with("cannot write `"));
    assert!(report.step(StepId(1)).succeeded());

    // Nobody is asked when there is nobody to ask for.
    let (steps, asked_for) = parts(&["a"], |_, _, _| Ok(()));
    let mut plan = Plan::default();
    for step in steps {
        plan.add(step);
    }
    let report = walk_in(logs.path(), &plan, &Fake::default());
    assert!(asked(&asked_for).is_empty());
    assert!(message(&report, 0).starts_with("cannot write `"));
}

#[test]
fn a_part_that_has_ended_well_may_turn_out_to_have_failed() {
    let logs = tempfile::tempdir().unwrap();
    let (steps, _) = parts(&["a", "b"], |_, _, board| {
        board.ended(0, WELL);
        board.ended(0, Err(Failure::failed("not pushed after all")));
        board.ended(1, WELL);
        Ok(())
    });
    let mut plan = Plan::default();
    for step in steps {
        plan.add(step);
    }
    let report = walk_in(logs.path(), &plan, &Fake::default());
    assert_eq!(message(&report, 0), "not pushed after all");
    assert!(report.step(StepId(1)).succeeded());
    assert_eq!(report.failure(false), Some(Kind::Failed));
}

#[test]
fn work_that_fails_when_all_parts_have_ended_well_has_failed() {
    let logs = tempfile::tempdir().unwrap();
    let (steps, _) = parts(&["a", "b"], |_, _, board| {
        board.ended(0, WELL);
        board.ended(1, WELL);
        Err(Failure::failed("the cache could not be exported"))
    });
    let mut plan = Plan::default();
    for step in steps {
        plan.add(step);
    }
    let report = walk_in(logs.path(), &plan, &Fake::default());
    assert_eq!(message(&report, 0), "the cache could not be exported");
    assert_eq!(report.failure(false), Some(Kind::Failed));
}
