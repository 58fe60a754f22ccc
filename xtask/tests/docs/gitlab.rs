// SPDX-License-Identifier: Apache-2.0
//! The pipeline for GitLab is one that GitLab would take: stages, jobs and what they refer to are there, and its commands parse.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    repository::text,
    workflows::{check, command},
};

const FILE: &str = "docs/gitlab-ci.yml";

/// Keys at the top that are no jobs, see <https://docs.gitlab.com/ci/yaml/#global-keywords>.
const GLOBAL: &[&str] = &["default", "include", "stages", "variables", "workflow"];

/// What a job may hold here; GitLab refuses what it does not know.
const OF_A_JOB: &[&str] = &[
    "artifacts",
    "before_script",
    "extends",
    "id_tokens",
    "needs",
    "parallel",
    "rules",
    "script",
    "services",
    "stage",
    "variables",
];

fn pipeline() -> Map<String, Value> {
    serde_saphyr::from_str(&text(FILE)).unwrap()
}

/// The jobs, and with a dot before their names what they extend.
fn jobs(pipeline: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let jobs = pipeline.iter();
    jobs.filter(|(name, _)| !GLOBAL.contains(&name.as_str()))
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[test]
fn jobs_stand_in_stages_and_need_jobs_of_earlier_ones() {
    let pipeline = pipeline();
    let stages: Vec<&str> = texts(&pipeline["stages"]).collect();
    let place = |job: &Value| {
        let stage = job["stage"].as_str().unwrap();
        stages.iter().position(|known| *known == stage)
    };
    let mut used = BTreeSet::new();
    for (name, job) in jobs(&pipeline) {
        for key in job.as_object().unwrap().keys() {
            assert!(OF_A_JOB.contains(&key.as_str()), "`{name}` has `{key}`");
        }
        if let Some(base) = job["extends"].as_str() {
            assert!(pipeline.contains_key(base), "`{name}` extends `{base}`");
        }
        if name.starts_with('.') {
            continue;
        }
        let own = place(job).unwrap_or_else(|| panic!("the stage of `{name}`"));
        used.insert(own);
        for needed in texts(&job["needs"]) {
            let other = place(&pipeline[needed]);
            assert!(other < Some(own), "`{name}` needs `{needed}`");
        }
        assert!(texts(&job["script"]).count() > 0, "`{name}` does nothing");
    }
    assert_eq!(used.len(), stages.len(), "a stage has no job");
}

#[test]
fn its_commands_parse_and_do_what_the_workflows_do() {
    let pipeline = pipeline();
    let mut commands = BTreeSet::new();
    for (_, job) in jobs(&pipeline) {
        for script in texts(&job["script"]).filter(|line| line.contains("cargo xtask")) {
            let line = command(FILE, script);
            check(&line);
            commands.insert(line.args[0].clone());
        }
    }
    for file in ["images.yml", "extension.yml", "catalogs.yml", "os-libs.yml"] {
        let workflow = text(&format!(".github/workflows/{file}"));
        let lines = workflow
            .lines()
            .filter_map(|line| line.trim().split_once("run: "));
        for (_, run) in lines.filter(|(_, run)| run.starts_with("cargo xtask")) {
            let name = &command("a workflow", run).args[0];
            assert!(commands.contains(name), "{FILE} lacks `{name}` of {file}");
        }
    }
}

#[test]
fn no_secret_is_written_down() {
    let file = text(FILE);
    for line in file
        .lines()
        .filter(|line| line.contains("PASSWORD") || line.contains("TOKEN"))
    {
        let line = line.trim();
        let known = [
            "$CI_REGISTRY_PASSWORD",
            "$UPDATE_TOKEN",
            "SIGSTORE_ID_TOKEN:",
            "# ",
        ];
        assert!(known.iter().any(|known| line.contains(known)), "`{line}`");
    }
    assert!(!file.contains("--password "));
}
