// SPDX-License-Identifier: Apache-2.0
//! What somebody else's workflow does, by what it runs.

use serde::Serialize;
use serde_json::Value;

use crate::yaml;

/// What takes the place of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum Successor {
    /// It was about the Dagger module alone.
    Nothing,
    /// A file of ours.
    #[serde(untagged)]
    File(&'static str),
}

/// What hints at what a workflow of the old kind does, with what does it now; the first one counts. Comments and names hint at
/// nothing.
const WORKFLOWS: &[(&str, Successor)] = &[
    ("update-oslibs", Successor::File("os-libs.yml")),
    ("update-os-libs", Successor::File("os-libs.yml")),
    ("generate-catalogs", Successor::File("catalogs.yml")),
    ("docker/bake-action", Successor::File("extension.yml")),
    ("bake_targets.yml", Successor::File("images.yml")),
    ("task bake", Successor::File("images.yml")),
    ("task e2e:", Successor::File("images.yml")),
    ("dagger/maintenance", Successor::Nothing),
];

/// What seems to take the place of a workflow. None: it is none of ours, or the text is no workflow.
pub(super) fn becomes(text: &str) -> Option<Successor> {
    let does = does(&yaml::from_text(text)?);
    let is_done = |hint: &str| does.iter().any(|text| text.contains(hint));
    let mut hints = WORKFLOWS.iter().filter(|(hint, _)| is_done(hint));
    hints.next().map(|(_, successor)| *successor)
}

/// What a workflow runs: commands without their comments, actions, and what those are given.
fn does(workflow: &Value) -> Vec<String> {
    let jobs = workflow["jobs"].as_object().into_iter().flatten();
    let mut all = Vec::new();
    for (_, job) in jobs {
        let steps = job["steps"].as_array().into_iter().flatten();
        for step in steps.chain([job]) {
            let given = step["with"].as_object().into_iter().flatten();
            let given = given.filter_map(|(_, value)| value.as_str());
            let run = step["run"].as_str().into_iter().flat_map(str::lines);
            let run = run.filter(|line| !line.trim_start().starts_with('#'));
            let texts = step["uses"].as_str().into_iter().chain(given).chain(run);
            all.extend(texts.map(str::to_owned));
        }
    }
    all
}
