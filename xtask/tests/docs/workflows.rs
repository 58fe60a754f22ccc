// SPDX-License-Identifier: Apache-2.0
//! Workflows pin what they use, keep no credentials, and run no text of others.

use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::{Value, json};
use xtask::cli::Cli;

use super::{
    commands::Line,
    repository::{files, text},
};

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

/// The workflows and the actions beside them.
fn all() -> Vec<PathBuf> {
    let mut all = files(".github/workflows");
    all.extend(files(".github/actions"));
    all
}

fn parsed(path: &Path) -> Value {
    serde_saphyr::from_str(&text(&path.to_string_lossy())).unwrap()
}

/// The jobs of a workflow, by their names.
fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().into_iter().flatten()
}

/// What each job may do beyond reading the repository's text; a job that is not here has no rights of its own.
const RIGHTS: &[(&str, &str, &[&str])] = &[
    (
        "catalogs.yml",
        "update",
        &[
            "contents: write",
            "id-token: write",
            "packages: read",
            "pull-requests: write",
        ],
    ),
    (
        "extension.yml",
        "e2e",
        &["contents: read", "packages: read"],
    ),
    (
        "extension.yml",
        "image",
        &["contents: read", "id-token: write", "packages: write"],
    ),
    (
        "extension.yml",
        "promote",
        &["contents: read", "packages: write"],
    ),
    // What they call gets no more than they have.
    (
        "images.yml",
        "catalogs",
        &[
            "contents: write",
            "id-token: write",
            "packages: read",
            "pull-requests: write",
        ],
    ),
    (
        "images.yml",
        "extension",
        &["contents: read", "id-token: write", "packages: write"],
    ),
    (
        "os-libs.yml",
        "update",
        &["contents: write", "pull-requests: write"],
    ),
];

#[test]
fn rights_are_to_read_and_a_job_says_what_more_it_needs() {
    let mut used = 0;
    for path in files(".github/workflows") {
        let workflow = parsed(&path);
        let name = path.file_name().unwrap().to_str().unwrap();
        let read = json!({ "contents": "read" });
        assert_eq!(workflow["permissions"], read, "{name}");
        for (job, said) in jobs(&workflow) {
            let own = RIGHTS
                .iter()
                .find(|right| (right.0, right.1) == (name, job));
            let Some(rights) = said.get("permissions") else {
                assert!(own.is_none(), "{name}: `{job}` has lost its rights");
                continue;
            };
            used += 1;
            let mut rights: Vec<String> = rights
                .as_object()
                .unwrap_or_else(|| panic!("{name}: `{job}` asks for {rights}"))
                .iter()
                .map(|(right, level)| format!("{right}: {}", level.as_str().unwrap()))
                .collect();
            rights.sort();
            assert_eq!(rights, own.map_or(&[][..], |own| own.2), "{name}: `{job}`");
            let of_forks = said["if"]
                .as_str()
                .is_some_and(|said| said.contains("== 'pull_request' &&"));
            assert!(!of_forks, "{name}: `{job}` has rights for a fork");
        }
    }
    assert_eq!(used, RIGHTS.len());
}

#[test]
fn only_the_branch_is_published_and_no_push_takes_the_place_of_another() {
    let images = parsed(Path::new(".github/workflows/images.yml"));
    let group = images["concurrency"]["group"].as_str().unwrap();
    for part in ["${{ github.ref }}", "github.sha"] {
        assert!(group.contains(part), "{group}");
    }
    for file in ["images.yml", "extension.yml"] {
        let workflow = text(&format!(".github/workflows/{file}"));
        // A tag may have the name of the branch.
        assert!(!workflow.contains("github.ref_name"), "{file}");
        for line in workflow.lines().map(str::trim) {
            // What a release is called is a user's: an artifact's name may not be a URL.
            let is_name = line.starts_with("name: ") && line.contains("matrix.release");
            assert!(!is_name, "{file}: `{line}`");
        }
    }
}

/// Thin: what a step does is a command's business, and is tried by its tests.
#[test]
fn every_step_is_one_command_that_parses() {
    let (mut commands, thin) = (0, [".ci/run", "cargo build --locked --package xtask"]);
    for path in all() {
        let (workflow, name) = (parsed(&path), path.display());
        let of_jobs = jobs(&workflow).map(|(_, job)| &job["steps"]);
        let steps = of_jobs.chain([&workflow["runs"]["steps"]]);
        for step in steps.filter_map(Value::as_array).flatten() {
            let Some(run) = step["run"].as_str().map(str::trim) else {
                continue;
            };
            if thin.contains(&run) {
                continue;
            }
            assert_eq!(run.lines().count(), 1, "{name}: `{run}`");
            check(&command("a workflow", run));
            commands += 1;
        }
    }
    assert!(commands >= 5, "only {commands} commands found");
}

/// What the variables of lines stand for, the longer names first.
const VARIABLES: &[(&str, &str)] = &[
    ("$CI_NODE_INDEX/$CI_NODE_TOTAL", "1/3"),
    ("$CI_REGISTRY_IMAGE", "localhost:5000/project"),
    ("$CATALOGS", "https://catalogs.example/{distro}.yaml"),
    ("$EXTENSIONS", "pgvector postgis"),
    ("$EXTENSION", "pgvector"),
    ("$REGISTRY", "localhost:5000"),
    ("$RELEASES", "1.30,main"),
    ("$RELEASE", "1.30"),
    ("$SINCE", "origin/main"),
];

/// The command of a line, with what its variables may hold: `a ${B:+--c "$B"}` is `a --c "b"`.
pub(super) fn command(file: &'static str, line: &str) -> Line {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        let (condition, after) = after.split_once('}').unwrap();
        let (_, words) = condition.split_once(":+").unwrap();
        filled += before;
        filled += words;
        rest = after;
    }
    filled += rest;
    for (variable, value) in VARIABLES {
        filled = filled.replace(variable, value);
    }
    let line = Line::parse(file, &filled);
    let line = line.unwrap_or_else(|| panic!("{file}: `{filled}` is no command"));
    let unknown = line.args.iter().find(|arg| arg.contains('$'));
    assert!(unknown.is_none(), "{file}: what is `{}`?", unknown.unwrap());
    line
}

/// Fails where a command does not parse.
pub(super) fn check(line: &Line) {
    let words = std::iter::once("cargo xtask".to_owned()).chain(line.canonical());
    if let Err(error) = Cli::try_parse_from(words) {
        panic!("{}: `{}`: {error}", line.file, line.text);
    }
}

#[test]
fn workflows_pin_what_they_use_and_keep_no_credentials() {
    let mut used = 0;
    for path in all() {
        let workflow = text(&path.to_string_lossy());
        let name = path.display();
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
    for path in all().into_iter().chain(files(".ci")) {
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

/// What `init` writes into other repositories is what is used here.
#[test]
fn all_that_images_are_made_with_goes_into_an_empty_repository() {
    let sources =
        text("xtask/src/cmd/init/written.rs") + &text("xtask/src/cmd/init/written/starter.rs");
    let mut all = files(".github/workflows");
    all.extend(files("docker"));
    all.extend(files("test"));
    // The gate and the lab are this repository's own.
    all.retain(|path| !path.ends_with("ci.yml") && !path.starts_with("test/lab"));
    assert!(all.len() > 8, "only {} files", all.len());
    for path in all {
        let name = path.display();
        assert!(
            sources.contains(&format!("../{name}\")")),
            "`init` lacks {name}"
        );
    }
}
