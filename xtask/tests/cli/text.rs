// SPDX-License-Identifier: Apache-2.0
//! What tools, names and arguments say is text, whoever reads it: a terminal, a GitHub runner, a summary.

use std::fs;

use crate::cli::world::World;

/// No character of it acts on a terminal.
#[track_caller]
fn is_fit(text: &str) {
    let acts = |c: char| c.is_control() && c != '\n';
    assert!(!text.chars().any(acts), "{text:?}");
}

#[test]
fn a_tools_output_neither_colours_nor_moves_nor_ends_a_line() {
    let world = World::new();
    let said = "\u{1b}[31mERROR: no\u{1b}[0m\u{1b}]0;owned\u{7}\n\u{1b}[2J\u{202e}evil\u{9b}1m\n";
    world.docker.bake_fails("gamma", said);
    let ended = world
        .run("bake gamma")
        .status(1)
        .says("first error: ERROR: no\n")
        .says("| #1 0.0 \\u{202e}evil\\u{9b}1m\n");
    is_fit(&ended.stderr);
    let ended = world
        .run("bake gamma --verbose")
        .status(1)
        .says("bake gamma | #1 0.0 ERROR: no\n");
    is_fit(&ended.stderr);
    let trace = world.run_with("bake gamma", &[("XTASK_LOG", "trace")]);
    is_fit(&trace.status(1).stderr);
    // Programs get it as it is.
    let json = world.run("bake gamma --format json").status(1);
    assert!(json.stdout.contains("\\u001b[2J"), "{}", json.stdout);
}

#[test]
fn an_argument_is_shown_and_not_obeyed() {
    let world = World::new();
    for (args, shown) in [
        (
            &["bake", "a\u{1b}[2J\nb"][..],
            "extension `a\\nb` not found",
        ),
        (&["bak\u{8}e"], "unrecognized subcommand 'bak\\u{8}e'"),
        (&["bake", "alpha", "--jobs", "1\u{1b}c"], "1\\u{1b}c"),
    ] {
        let ended = world.run(args).status(2).says(shown);
        is_fit(&ended.stderr);
    }
}

#[test]
fn a_last_line_of_any_length_is_a_cell_for_people_and_whole_in_json() {
    let world = World::new();
    let long = "é".repeat(70_000);
    world.docker.proof(&format!("{long}\n"));
    let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
    let ended = world.run(args).success();
    let row = ended
        .stdout
        .lines()
        .find(|line| line.starts_with("passed"))
        .unwrap();
    assert!(
        row.ends_with("éé…") && row.chars().count() < 10_000,
        "{row}"
    );
    let json = world.run((&args, "--json")).success().json();
    assert_eq!(json[0]["proof"], long);
}

#[test]
fn a_runner_obeys_us_alone() {
    let world = World::new();
    let said = "::error::forged\n  ::add-mask::e\n::endgroup::\nx ##[group]y\n::stop-commands::z\nERROR: no\n";
    world.docker.bake_fails("gamma", said);
    let github = [("GITHUB_ACTIONS", "true")];
    for (more, count) in [
        (&[][..], 3),
        (&["--verbose"], 1),
        (&["--format", "json"], 1),
    ] {
        let ended = world.run_with(("bake gamma", more), &github).status(1);
        let mut stopped: Option<String> = None;
        let mut obeyed = Vec::new();
        for line in ended.stderr.lines().chain(ended.stdout.lines()) {
            // As the runner does: see `ActionCommandManager.cs`.
            let line = line.trim_start();
            if let Some(word) = &stopped {
                if line == format!("::{word}::") {
                    stopped = None;
                }
            } else if let Some(word) = line.strip_prefix("::stop-commands::") {
                stopped = Some(word.to_owned());
            } else if line.starts_with("::") {
                obeyed.push(line.to_owned());
            } else {
                assert!(!line.contains("##["), "{line}");
            }
        }
        assert_eq!(stopped, None);
        let ours = |line: &&String| {
            [
                "::group::bake gamma",
                "::endgroup::",
                "::error title=bake gamma::failed to bake",
            ]
            .iter()
            .any(|start| line.starts_with(start))
        };
        assert_eq!(
            obeyed.iter().filter(ours).count(),
            obeyed.len(),
            "{obeyed:?}"
        );
        assert_eq!(obeyed.len(), count, "{obeyed:?}");
    }
}

#[test]
fn a_summary_shows_what_was_said_and_nothing_else() {
    let world = World::new();
    world
        .docker
        .proof("::error::a|b <img src=x> [l](https://e.example) `c` @someone\n");
    let summary = world.root().join("summary.md");
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
    world.run_with(args, &environment).success();
    let text = fs::read_to_string(summary).unwrap();
    let row = text.lines().nth(2).unwrap();
    assert!(
        row.ends_with("| &#58;&#58;error&#58;&#58;a\\|b &#60;img src=x&#62; \\[l\\](https&#58;//e.example) \\`c\\` &#64;someone |"),
        "{row}"
    );
}
