// SPDX-License-Identifier: Apache-2.0
//! What became of each image in the suites, and where `--rerun-failed` reads it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::suites::{Subject, SuiteSteps};
use crate::{
    event::{Outcome, StepReport},
    failure::Failure,
    own::{Location, RUNS, file, is_run_name, source},
    run::{
        Report,
        record::{self, RunRecord},
    },
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
    /// Why a suite was run again; its verdict is that of the second run.
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
    fn of(subject: &Subject, suites: &SuiteSteps, report: &Report) -> Self {
        let shared = report.step(suites.shared);
        let own = suites.own.map(|id| report.step(id));
        let both = || std::iter::once(shared).chain(own);
        let of = |step: &StepReport| step.outcome.verdict();
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

/// How many of them have passed, for people.
pub(crate) fn passed(tested: &[Tested]) -> String {
    let passed = tested.iter().filter(|row| row.result == Verdict::Passed);
    format!("{} of {} passed", passed.count(), tested.len())
}

/// Names the folder of the last run of tests, whose record says what it has found.
const LAST: &str = "target/xtask/e2e/last-tests";

/// What became of each subject.
pub(crate) fn of(subjects: &[(Subject, SuiteSteps)], report: &Report) -> Vec<Tested> {
    let tested = subjects.iter();
    tested
        .map(|(subject, suites)| Tested::of(subject, suites, report))
        .collect()
}

/// Notes that the run whose folder this is was the last one of tests: it is the one to read.
pub(crate) fn note(folder: &Path) -> anyhow::Result<()> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    file::write_atomically(&Location::output(LAST), &name)
}

/// The name of that run's folder, below the repository at `root`.
pub(crate) fn last_run(root: &Path) -> Option<String> {
    let name = source::read_own(root, Path::new(LAST)).ok().flatten()?;
    let name = name.trim();
    is_run_name(name).then(|| name.to_owned())
}

/// What the last run of tests found.
pub(crate) fn last() -> anyhow::Result<Vec<Tested>> {
    let here = Path::new(".");
    let none = || {
        Failure::invalid("there are no results of an earlier run")
            .hint("run `cargo xtask e2e test TARGET` or `--all` first")
    };
    let folder = Path::new(RUNS).join(last_run(here).ok_or_else(none)?);
    let path = folder.join(record::FILE);
    let text = source::read_own(here, &path)?.ok_or_else(none)?;
    let wrong = |error: serde_json::Error| {
        let path = path.display();
        Failure::invalid(format!("`{path}` is not what we wrote: {error}"))
            .hint("run the tests without `--rerun-failed`")
    };
    let record: RunRecord = serde_json::from_str(&text).map_err(wrong)?;
    let tested = serde_json::from_value(record.result.unwrap_or_default());
    Ok(tested.map_err(wrong)?)
}
