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
    ui::{Row, seconds},
    verdict::Verdict,
};

/// One image with one release of the operator.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Tested {
    pub extension: String,
    pub image: String,
    pub cnpg_release: String,
    pub result: Verdict,
    pub shared: Verdict,
    pub own: OwnSuite,
    pub seconds: f64,
    pub values: PathBuf,
    /// Why a suite was run once more; its verdict is that of the second run.
    #[serde(default)]
    pub retried: Option<String>,
    /// The probable cause of a failure.
    pub cause: Option<String>,
}

/// What became of an extension's own suite.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum OwnSuite {
    Ran(Verdict),
    None(Absent),
}

/// The word for a suite that an extension does not have.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) enum Absent {
    #[serde(rename = "none")]
    Absent,
}

impl OwnSuite {
    fn word(self) -> &'static str {
        match self {
            Self::Ran(verdict) => verdict.word(),
            Self::None(Absent::Absent) => "none",
        }
    }
}

impl Tested {
    fn of(subject: &Subject, suites: &Suites, report: &Report) -> Self {
        let shared = report.step(suites.shared);
        let own = suites.own.map(|id| report.step(id));
        let both = || std::iter::once(shared).chain(own);
        let of = |step: &StepReport| Verdict::of(&step.outcome);
        let cause = |step: &StepReport| match &step.outcome {
            Outcome::Failed(failure) => failure.cause.clone(),
            _ => None,
        };
        Self {
            extension: subject.extension.name.clone(),
            image: subject.image.clone(),
            cnpg_release: subject.release.clone(),
            result: Verdict::of_all(both().map(of)),
            shared: of(shared),
            own: own.map_or(OwnSuite::None(Absent::Absent), |own| OwnSuite::Ran(of(own))),
            seconds: both().map(|step| step.elapsed.as_secs_f64()).sum(),
            values: subject.values.clone(),
            retried: both().find_map(|step| step.retried.clone()),
            cause: both().find_map(cause),
        }
    }
}

impl Row for Tested {
    const HEADINGS: &'static [&'static str] = &[
        "RESULT",
        "EXTENSION",
        "IMAGE",
        "CNPG",
        "SHARED",
        "OWN",
        "TIME",
    ];

    fn cells(&self) -> Vec<String> {
        let result = self.result.word();
        vec![
            match self.retried {
                None => result.to_owned(),
                Some(_) => format!("{result} (retried)"),
            },
            self.extension.clone(),
            short(&self.image),
            self.cnpg_release.clone(),
            self.shared.word().to_owned(),
            self.own.word().to_owned(),
            seconds(Duration::from_secs_f64(self.seconds)),
        ]
    }
}

/// What the run's record says of the last tests, where it outlives the folders of runs.
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
    let tested = subjects.iter();
    let tested: Vec<Tested> = tested
        .map(|(subject, suites)| Tested::of(subject, suites, report))
        .collect();
    let text = pretty(&serde_json::to_value(&tested)?);
    file::write_atomically(&Location::Output(file_path()), &text)?;
    context.rows(json, &tested);
    let passed = tested.iter().filter(|row| row.result == Verdict::Passed);
    Ok(passed.count())
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
