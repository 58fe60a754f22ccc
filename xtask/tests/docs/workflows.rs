// SPDX-License-Identifier: Apache-2.0
//! Workflows pin what they use, keep no credentials, and run no text of others.

use super::repository::{files, text};

/// The lines of each step of a workflow.
fn steps(workflow: &str) -> Vec<Vec<&str>> {
    let mut steps: Vec<Vec<&str>> = vec![Vec::new()];
    for line in workflow.lines() {
        let text = line.trim_start();
        if text.starts_with("- ") || line.ends_with(':') && !line.starts_with("      ") {
            steps.push(Vec::new());
        }
        if !text.starts_with('#') {
            steps.last_mut().unwrap().push(text);
        }
    }
    steps
}

#[test]
fn workflows_pin_what_they_use_and_keep_no_credentials() {
    let mut used = 0;
    for path in files(".github/workflows") {
        let workflow = text(&path.to_string_lossy());
        let name = path.display();
        assert!(
            workflow.contains("\npermissions:\n  contents: read\n\n"),
            "{name}"
        );
        assert_eq!(workflow.matches("permissions:").count(), 1, "{name}");
        for step in steps(&workflow) {
            let named = step
                .iter()
                .find_map(|line| line.trim_start_matches("- ").strip_prefix("uses: "));
            let Some(action) = named.filter(|action| !action.starts_with("./")) else {
                continue;
            };
            used += 1;
            let (reference, version) = action.split_once(" # v").unwrap_or((action, ""));
            let commit = reference.split_once('@').map_or("", |(_, commit)| commit);
            let pinned = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(
                pinned && !version.is_empty(),
                "{name}: `{action}`: no commit with its version"
            );
            if reference.starts_with("actions/checkout@") {
                let keeps = !step.contains(&"persist-credentials: false");
                assert!(!keeps, "{name}: `{action}` keeps credentials");
            }
        }
    }
    assert!(used >= 5, "only {used} actions found");
}

#[test]
fn workflows_run_no_text_of_others_and_take_the_lock_file_as_it_is() {
    assert!(text(".cargo/config.toml").contains("xtask = \"run --locked "));
    let mut calls = 0;
    for path in files(".github/workflows").into_iter().chain(files(".ci")) {
        let source = text(&path.to_string_lossy());
        for step in steps(&source) {
            let run = step
                .iter()
                .position(|line| line.trim_start_matches("- ").starts_with("run:"));
            let Some(run) = run.or((!path.starts_with(".github")).then_some(0)) else {
                continue;
            };
            // What comes behind `env:` are values of variables, which a shell does not read as its text.
            for line in step[run..]
                .iter()
                .take_while(|line| !line.starts_with("env:"))
            {
                assert!(!line.contains("${{"), "{}: `{line}`", path.display());
                for call in line.split("cargo ").skip(1) {
                    calls += 1;
                    let locked = call.starts_with("xtask ") || call.contains("--locked");
                    assert!(locked, "{}: `{line}`", path.display());
                }
            }
        }
    }
    assert!(calls >= 5, "only {calls} calls of cargo found");
}
