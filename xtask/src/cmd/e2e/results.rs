// SPDX-License-Identifier: Apache-2.0
//! What became of each image: the table, the JSON, and the file that `--rerun-failed` reads.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::suite::{Subject, Suites};
use crate::{
    context::Context,
    environment::FOLDER,
    event::{Outcome, StepReport},
    failure::Failure,
    json::pretty,
    own::{file, source},
    plan::Location,
    run::Report,
    ui::{Table, seconds},
    verdict::Verdict,
};

/// One image with one release of the operator.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Tested {
    pub extension: String,
    pub image: String,
    pub cnpg_release: String,
    /// `passed`, `failed`, `not run`.
    pub result: String,
    pub shared: String,
    /// `none` when the extension has no suite of its own.
    pub own: String,
    pub seconds: f64,
    pub values: PathBuf,
    /// Why a suite was run once more; its verdict is that of the second run.
    #[serde(default)]
    pub retried: Option<String>,
    /// The probable cause of a failure.
    pub cause: Option<String>,
}

fn file_path() -> PathBuf {
    PathBuf::from(FOLDER).join("results.json")
}

/// Shows the results and keeps them. Gives how many passed.
pub(super) fn show(
    context: &mut Context,
    subjects: &[(Subject, Suites)],
    report: &Report,
    json: bool,
) -> anyhow::Result<usize> {
    let mut tested = Vec::new();
    for (subject, suites) in subjects {
        let shared = report.step(suites.shared);
        let own = suites.own.map(|id| report.step(id));
        let mut elapsed = shared.elapsed;
        elapsed += own.map_or(Duration::ZERO, |own| own.elapsed);
        let of = |step: &StepReport| Verdict::of(&step.outcome);
        let result = Verdict::of_all(std::iter::once(shared).chain(own).map(of));
        let cause =
            [Some(shared), own]
                .into_iter()
                .flatten()
                .find_map(|step| match &step.outcome {
                    Outcome::Failed(failure) => failure.cause.clone(),
                    _ => None,
                });
        tested.push(Tested {
            extension: subject.extension.name.clone(),
            image: subject.image.clone(),
            cnpg_release: subject.release.clone(),
            result: result.word().to_owned(),
            shared: of(shared).word().to_owned(),
            own: own.map_or("none", |own| of(own).word()).to_owned(),
            seconds: elapsed.as_secs_f64(),
            values: subject.values.clone(),
            retried: shared
                .retried
                .clone()
                .or(own.and_then(|own| own.retried.clone())),
            cause,
        });
    }
    let table = Table {
        headings: vec![
            "RESULT",
            "EXTENSION",
            "IMAGE",
            "CNPG",
            "SHARED",
            "OWN",
            "TIME",
        ],
        rows: tested
            .iter()
            .map(|row| {
                vec![
                    match row.retried {
                        None => row.result.clone(),
                        Some(_) => format!("{} (retried)", row.result),
                    },
                    row.extension.clone(),
                    short(&row.image),
                    row.cnpg_release.clone(),
                    row.shared.clone(),
                    row.own.clone(),
                    seconds(Duration::from_secs_f64(row.seconds)),
                ]
            })
            .collect(),
    };
    let value = serde_json::to_value(&tested)?;
    let text = pretty(&value);
    let folder = context.run_folder()?;
    file::write_atomically(&Location::ours(&folder, folder.join("results.json")), &text)?;
    file::write_atomically(&Location::Output(file_path()), &text)?;
    let passed = tested.iter().filter(|row| row.result == "passed").count();
    context.ui.result(json, &value, &table);
    Ok(passed)
}

/// What the last run of tests found.
pub(super) fn last() -> anyhow::Result<Vec<Tested>> {
    let path = file_path();
    let text = source::read(Path::new("."), &path)?.ok_or_else(|| {
        Failure::invalid("there are no results of an earlier run")
            .hint("run `cargo xtask e2e test TARGET` or `--all` first")
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::invalid(format!(
            "`{}` is not what we wrote: {error}",
            path.display()
        ))
        .hint("run the tests without `--rerun-failed`")
        .into()
    })
}

/// People tell images apart by name, tag and the digest's first digits.
fn short(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or_default();
    match name.split_once("@sha256:") {
        Some((name, digest)) => format!("{name}@{}", digest.chars().take(8).collect::<String>()),
        None => name.to_owned(),
    }
}
