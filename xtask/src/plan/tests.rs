// SPDX-License-Identifier: Apache-2.0
use std::{sync::Arc, time::Duration};

use super::*;
use crate::exec::Exec;

#[test]
fn a_command_prints_as_a_line_that_a_shell_takes_apart_again() {
    let cmd = Cmd::new("docker", "try")
        .env("registry", "local host:5000")
        .args(["buildx", "a b", "$HOME", "it's"]);
    let line = cmd.to_string();
    let words = shell_words::split(&line).expect("the line is quoted");
    assert_eq!(
        words,
        [
            "registry=local host:5000",
            "docker",
            "buildx",
            "a b",
            "$HOME",
            "it's"
        ]
    );
}

#[test]
fn a_plan_prints_notes_as_comments_and_steps_as_lines() {
    let mut plan = Plan::default();
    plan.note("for linux/amd64, this machine's platform");
    let folder = plan.add(Step::new("folder", Action::Folder(Location::output("a b"))));
    let remove = Action::RemoveFolder(Location::output("old"));
    plan.add(Step::new("remove", remove).after([folder]));
    assert_eq!(
        plan.to_string(),
        "# for linux/amd64, this machine's platform\nmkdir -p -- 'a b'\nrm -rf --one-file-system -- old\n"
    );
}

/// Asks these, and is never certain.
#[derive(Debug)]
struct Asking([Cmd; 2]);

impl Watch for Asking {
    fn commands(&self) -> Vec<&Cmd> {
        self.0.iter().collect()
    }

    fn begin(&self) -> Box<dyn Look + Send + '_> {
        Box::new(Never)
    }
}

#[derive(Debug)]
struct Never;

impl Look for Never {
    fn look(&mut self, _: &dyn Exec) -> Option<Hopeless> {
        None
    }
}

impl Diagnose for Never {
    fn cause(&self, _: &Said) -> Option<String> {
        None
    }
}

impl Retry for Never {
    fn why(&self, _: &str) -> Option<String> {
        None
    }
}

#[test]
fn a_plan_needs_what_it_may_start_but_for_what_it_makes_itself() {
    let call = |program: &str| Cmd::new(program, "try");
    let mut plan = Plan::default();
    let owned = Owned::new(Kind::Volume, "a=b", "remove it");
    let script = Action::Script {
        path: Location::output("bin/made"),
        contents: String::new(),
    };
    let made = plan.add(Step::new("make", script));
    let again = Again {
        retry: Arc::new(Never),
        needs: "it",
        patience: Duration::ZERO,
        place: "elsewhere",
        ready: Probe::Succeeds(call("ready")),
        prepare: call("prepare"),
        step: Step::run("again", call("again")),
    };
    plan.add(
        Step::run("a", call("run"))
            .after([made])
            .skip_if(Probe::Succeeds(call("probe")), "it is there")
            .evidence(Evidence::new(
                vec![Question::new("file", call("evidence"))],
                Never,
            ))
            .watch(Asking([call("objects"), call("log")]))
            .again(again)
            .undo(call("undo")),
    );
    plan.add(Step::run("b", call("made")));
    plan.add(Step::run("c", call("/by/its/path")));
    plan.add(Step::new("d", Action::Remove(owned)));
    let save = Action::Save {
        cmd: call("save"),
        path: Location::output("saved"),
    };
    plan.add(Step::new("e", save));
    let needed: Vec<String> = plan
        .programs()
        .into_iter()
        .map(|program| program.into_string().unwrap())
        .collect();
    assert_eq!(
        needed,
        [
            "again", "docker", "evidence", "log", "objects", "prepare", "probe", "ready", "run",
            "save", "undo"
        ]
    );
}
