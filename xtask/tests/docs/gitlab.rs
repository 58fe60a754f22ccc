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
fn no_change_is_left_out_or_built_twice() {
    let pipeline = pipeline();
    let rules = |of: &Value| of["rules"].as_array().unwrap().clone();
    let place = |rules: &[Value], of: &dyn Fn(&str, &Value) -> bool| {
        let found = rules.iter().position(|rule| {
            let condition = rule["if"].as_str().unwrap_or_default();
            of(condition, rule)
        });
        found.unwrap_or_else(|| panic!("{rules:#?}"))
    };
    let main = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH";
    let of_all = rules(&pipeline["workflow"]);
    // What was pushed to the main branch is compared with the push before it, whose pipeline a later one may not end.
    let kept = place(&of_all, &|condition, rule| {
        condition == main && rule["auto_cancel"]["on_new_commit"] == "none"
    });
    let once = place(&of_all, &|condition, rule| {
        condition.contains("$CI_OPEN_MERGE_REQUESTS") && rule["when"] == "never"
    });
    let others = place(&of_all, &|condition, _| condition == "$CI_COMMIT_BRANCH");
    assert!(kept < once && once < others, "{of_all:#?}");
    // A pipeline that nobody pushed, and the first of a branch, have no commit before them.
    let of_targets = rules(&pipeline["targets"]);
    let zeros = "0".repeat(40);
    let all = place(&of_targets, &|condition, rule| {
        condition.contains("!= \"push\"")
            && condition.contains(&zeros)
            && rule["variables"]["SINCE"] == ""
    });
    let since = place(&of_targets, &|_, rule| {
        rule["variables"]["SINCE"] == "$CI_COMMIT_BEFORE_SHA"
    });
    assert!(all < since, "{of_targets:#?}");
}

/// Every line that names a secret, as a whole.
const OF_SECRETS: &[&str] = &[
    "- echo \"$CI_REGISTRY_PASSWORD\" | docker login --username \"$CI_REGISTRY_USER\" --password-stdin \"$CI_REGISTRY\"",
    "REGISTRY_PASSWORD: $CI_REGISTRY_PASSWORD",
    "SIGSTORE_ID_TOKEN:",
    "git -c credential.helper='!f() { echo username=xtask; echo \"password=$UPDATE_TOKEN\"; }; f'",
];

#[test]
fn no_secret_is_written_down() {
    let file = text(FILE);
    let lines = file.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with('#'));
    let secret = ["PASSWORD", "TOKEN", "SECRET", "KEY"];
    let named = lines.filter(|line| secret.iter().any(|word| line.contains(word)));
    let named: BTreeSet<&str> = named.collect();
    assert_eq!(named, OF_SECRETS.iter().copied().collect());
}
