// SPDX-License-Identifier: Apache-2.0
//! What became of each image in the suites, and where `--rerun-failed` reads it.

use std::{
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::suites::{Runner, Subject, SuiteSteps};
use crate::{
    engine::sources::Unavailable,
    event::{Outcome, StepReport},
    failure::Failure,
    image::{Image, ImageRef, Naming},
    own::{Location, RUNS, file, is_run_name, source},
    run::{Report, record},
    value::{InnerPath, Name, Server},
    verdict::{self, Verdict},
    workspace::Unread,
};

/// One image with one release of the operator.
#[derive(Debug, Serialize)]
pub(crate) struct Tested {
    pub extension: String,
    pub image: TestedImage,
    /// Of the server that it is for; empty where the values do not say which that is.
    pub distro: String,
    pub pg_major: String,
    pub cnpg_release: String,
    pub result: Verdict,
    pub shared: Verdict,
    pub own: OwnSuite,
    pub seconds: f64,
    /// Empty: it was not to be tried at all.
    pub values: PathBuf,
    /// Why a suite was run again; its verdict is that of the second run.
    pub retried: Option<String>,
    /// The probable cause of a failure.
    pub cause: Option<String>,
}

/// What became of an extension's own suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum OwnSuite {
    Ran(Verdict),
    None(Absent),
}

/// The word for a suite that an extension does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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

/// The image as the suites had it; empty where the values do not say which it was.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(from = "String", into = "String")]
pub(crate) struct TestedImage(pub Option<ImageRef>);

impl TestedImage {
    /// After the run: what this run has built is called as nodes pull it.
    fn of(image: Option<&Image>, naming: &Naming) -> Self {
        Self(image.map(|image| match (image, image.tagged()) {
            (Image::Baked { .. }, Ok(built)) => naming.in_cluster(&built).into(),
            // Without a digest it was not built, and the bake's failure says why.
            _ => image.reference().clone(),
        }))
    }
}

impl From<String> for TestedImage {
    fn from(text: String) -> Self {
        Self(text.parse().ok())
    }
}

impl From<TestedImage> for String {
    fn from(TestedImage(image): TestedImage) -> Self {
        image.map(|image| image.to_string()).unwrap_or_default()
    }
}

impl Tested {
    /// An image that Debian's archive has nothing for.
    pub(crate) fn unavailable(one: &Unavailable) -> Self {
        Self {
            distro: one.server.distro.to_string(),
            pg_major: one.server.major.to_string(),
            ..Self::untested(&one.name, Verdict::NotAvailable, one.why.clone())
        }
    }

    /// An extension that cannot be read.
    pub(crate) fn unread(unread: &Unread) -> Self {
        Self::untested(&unread.name, unread.verdict, unread.reason())
    }

    fn untested(extension: &str, verdict: Verdict, why: String) -> Self {
        Self {
            extension: extension.to_owned(),
            image: TestedImage(None),
            distro: String::new(),
            pg_major: String::new(),
            cnpg_release: String::new(),
            result: verdict,
            shared: verdict,
            own: OwnSuite::None(Absent::Absent),
            seconds: 0.0,
            values: PathBuf::new(),
            retried: None,
            cause: Some(why),
        }
    }

    fn of(subject: &Subject, suites: &SuiteSteps, naming: &Naming, report: &Report) -> Self {
        let shared = report.step(suites.shared);
        let own = suites.own.map(|id| report.step(id));
        let both = || std::iter::once(shared).chain(own);
        let of = |step: &StepReport| step.outcome.verdict();
        let of_server =
            |part: fn(&Server) -> String| subject.server.as_ref().map(part).unwrap_or_default();
        let cause = |step: &StepReport| match &step.outcome {
            Outcome::Failed(failure) => failure.cause.clone(),
            _ => None,
        };
        Self {
            extension: subject.extension.name.clone(),
            image: TestedImage::of(subject.image.as_ref(), naming),
            distro: of_server(|server| server.distro.to_string()),
            pg_major: of_server(|server| server.major.to_string()),
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
    verdict::passed(tested.iter().map(|row| row.result))
}

/// Names the folder of the last run of tests, whose record says what it has found.
const LAST: &str = "target/xtask/e2e/last-tests";

/// What became of each subject of a runner.
pub(crate) fn of(
    runner: &Runner,
    subjects: &[(Subject, SuiteSteps)],
    report: &Report,
) -> Vec<Tested> {
    let naming = &runner.environment.naming;
    let tested = subjects.iter();
    tested
        .map(|(subject, suites)| Tested::of(subject, suites, naming, report))
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

/// What is read again of an image's results: the file lies in the repository, and anybody may have edited it.
#[derive(Debug, Deserialize)]
pub(crate) struct Earlier {
    pub extension: Name,
    pub result: Verdict,
    pub values: InnerPath,
}

/// Of a run's record, the part that is read again.
#[derive(Deserialize)]
struct Kept {
    /// None: there was none.
    result: Option<Vec<Value>>,
}

impl Earlier {
    /// From a run's record.
    pub(crate) fn read(record: impl Read) -> Result<Vec<Self>, String> {
        let kept: Kept = serde_json::from_reader(record).map_err(|error| error.to_string())?;
        let rows = kept.result.ok_or_else(|| "it has no result".to_owned())?;
        // Of what was never to be tried there is nothing to run again.
        let tested = rows.into_iter().filter(|row| row["values"] != "");
        tested
            .map(|row| serde_json::from_value(row).map_err(|error| error.to_string()))
            .collect()
    }
}

/// What the last run of tests found. Refused whole where a part of it is not what such a run leaves.
pub(crate) fn last() -> anyhow::Result<Vec<Earlier>> {
    let here = Path::new(".");
    let none = || {
        Failure::invalid("there are no results of an earlier run")
            .hint("run `cargo xtask e2e test TARGET` or `--all` first")
    };
    let folder = Path::new(RUNS).join(last_run(here).ok_or_else(none)?);
    let path = folder.join(record::FILE);
    if !path.exists() {
        return Err(none().into());
    }
    let record = source::open_own(here, &path)?;
    let wrong = |why: String| {
        let path = path.display();
        Failure::invalid(format!("the results in `{path}` cannot be used: {why}"))
            .hint("run the tests without `--rerun-failed`")
    };
    let earlier = Earlier::read(BufReader::new(record)).map_err(wrong)?;
    for row in &earlier {
        source::stays_inside(here, row.values.as_ref())
            .map_err(|failure| wrong(failure.message))?;
    }
    Ok(earlier)
}
