// SPDX-License-Identifier: Apache-2.0
use super::*;

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
    let remove = Action::RemoveFile(Location::output("all.json"));
    plan.add(Step::new("remove", remove).after([folder]));
    assert_eq!(
        plan.to_string(),
        "# for linux/amd64, this machine's platform\nmkdir -p -- 'a b'\nrm -f -- all.json\n"
    );
}
