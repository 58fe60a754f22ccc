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

fn rotation() -> Rotation {
    Rotation {
        repository: "localhost:5000/pgvector-testing".into(),
        prefix: "0.8.6-".into(),
        suffix: "-18-trixie".into(),
    }
}

#[test]
fn a_rotation_keeps_the_newest_and_all_that_is_not_its_own() {
    let tags = [
        "0.8.6-18-trixie",
        "0.8.6-202611220101-18-trixie",
        "0.8.6-202611220300-18-trixie",
        "0.8.6-202611220200-18-trixie",
        "0.8.6-202611220200-18-bookworm",
        "0.8.5-202611220200-18-trixie",
        "10.8.6-202611220200-18-trixie",
        "0.8.6-20261122020x-18-trixie",
    ];
    assert_eq!(
        rotation().superseded(tags),
        [
            "localhost:5000/pgvector-testing:0.8.6-202611220101-18-trixie",
            "localhost:5000/pgvector-testing:0.8.6-202611220200-18-trixie",
        ]
    );
    assert!(
        rotation()
            .superseded(["0.8.6-202611220101-18-trixie"])
            .is_empty()
    );
}

#[test]
fn a_plan_prints_notes_as_comments_and_steps_as_lines() {
    let mut plan = Plan::default();
    plan.note("for linux/amd64, this machine's platform");
    let folder = plan.add(Step::new("folder", Action::Folder(Location::output("a b"))));
    plan.add(
        Step::new(
            "merge",
            Action::MergeJson {
                from: vec!["x.json".into(), "y.json".into()],
                into: Location::output("all.json"),
            },
        )
        .after([folder]),
    );
    assert_eq!(
        plan.to_string(),
        "# for linux/amd64, this machine's platform\nmkdir -p -- 'a b'\njq -s add x.json y.json > all.json\n"
    );
}
