// SPDX-License-Identifier: Apache-2.0
//! What became of each image in the suites, and the file that `--rerun-failed` reads.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::suites::{Subject, Suites};
use crate::{
    environment::FOLDER,
    event::{Outcome, StepReport},
    failure::Failure,
    json::pretty,
    own::{file, source},
    plan::Location,
    run::Report,
    verdict::Verdict,
};

/// One image with one release of the operator.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Tested {
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
pub(crate) enum OwnSuite {
    Ran(Verdict),
    None(Absent),
}

/// The word for a suite that an extension does not have.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Absent {
    #[serde(rename = "none")]
    Absent,
}

impl OwnSuite {
    pub(crate) fn word(self) -> &'static str {
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

/// What the run's record says of the last tests, where it outlives the folders of runs.
fn file_path() -> PathBuf {
    PathBuf::from(FOLDER).join("results.json")
}

/// What became of each subject, kept for the next call.
pub(crate) fn keep(subjects: &[(Subject, Suites)], report: &Report) -> anyhow::Result<Vec<Tested>> {
    let tested = subjects.iter();
    let tested: Vec<Tested> = tested
        .map(|(subject, suites)| Tested::of(subject, suites, report))
        .collect();
    let text = pretty(&serde_json::to_value(&tested)?);
    file::write_atomically(&Location::Output(file_path()), &text)?;
    Ok(tested)
}

/// What the last run of tests found.
pub(crate) fn last() -> anyhow::Result<Vec<Tested>> {
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
