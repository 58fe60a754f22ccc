// SPDX-License-Identifier: Apache-2.0
//! An extension's own regression tests, of its source, run in a server with its image.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use serde::Serialize;

use super::{Runner, SmokeTest, container, kept::RECIPE, told::Told};
use crate::{
    exec::Exec,
    failure::Failure,
    plan::{Arg, Cmd, Console, Performed, Plan, Step, StepId, Work},
    verdict::Verdict,
};

const FETCH: &str = include_str!("fetch.sh");
const SCRIPT: &str = include_str!("installcheck.sh");
/// Lines of a difference that a message has.
const SHOWN: usize = 12;

/// Where an extension's source is.
#[derive(Clone, Debug)]
pub(crate) enum Tests {
    /// In the archive, of a Debian package: `postgresql-18-pgvector=0.8.6-1`.
    Package(String),
    /// At an address, with the SHA-256 of what is there.
    Source { address: String, checksum: String },
}

/// A regression test, and how it has ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Check {
    pub test: String,
    pub result: Verdict,
    /// Why a difference is no fault, as the metadata say.
    pub known: Option<String>,
    /// What differs from what is expected.
    pub difference: Vec<String>,
    pub seconds: f64,
}

/// Where a step leaves them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks(Arc<OnceLock<Result<Vec<Check>, String>>>);

impl Checks {
    pub(crate) fn get(&self) -> &[Check] {
        match self.0.get() {
            Some(Ok(all)) => all,
            _ => &[],
        }
    }

    /// Why there are none, where that is nobody's fault.
    pub(crate) fn lacking(&self) -> Option<&str> {
        self.0.get()?.as_ref().err().map(String::as_str)
    }
}

impl Runner {
    /// Adds the step that runs the regression tests of a test's extension.
    pub(crate) fn add_installcheck(
        &self,
        plan: &mut Plan,
        test: &SmokeTest,
        tests: &Tests,
    ) -> (StepId, Checks) {
        let checks = Checks::default();
        let [package, source, checksum] = match tests {
            Tests::Package(package) => [package.as_str(), "", ""],
            Tests::Source { address, checksum } => ["", address, checksum],
        };
        let input = format!("{FETCH}{RECIPE}{}{SCRIPT}", container::SERVER);
        let told = [
            ("XTASK_PACKAGE", package),
            ("XTASK_SOURCE", source),
            ("XTASK_CHECKSUM", checksum),
        ];
        let (cmd, removal) = container::open_server(test, self, &told, input);
        let check = Run {
            cmd,
            known: test.mounts.own().extension.known_differences.clone(),
            limit: (!self.limit.is_zero()).then(|| self.limit.saturating_mul(LONGEST)),
            checks: checks.clone(),
        };
        let step = Step::work(format!("installcheck {}", test.name), check);
        let step = step.after(test.after.iter().copied()).undo(removal);
        (plan.add(step.proof("installcheck")), checks)
    }
}

/// In how many times the time of one smoke test all tests must be done.
const LONGEST: u32 = 10;

#[derive(Debug)]
struct Run {
    cmd: Cmd<Arg>,
    known: BTreeMap<String, String>,
    limit: Option<std::time::Duration>,
    checks: Checks,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cmd)
    }
}

impl Run {
    fn checks(&self, told: &Told) -> Vec<Check> {
        let checks = told.sections().map(|section| {
            let differs = section.first("ended") != Some("ok");
            let known = self.known.get(section.name).filter(|_| differs);
            Check {
                test: section.name.to_owned(),
                result: if differs && known.is_none() {
                    Verdict::Failed
                } else {
                    Verdict::Passed
                },
                known: known.cloned(),
                difference: section.all("diff").map(str::to_owned).collect(),
                seconds: section.seconds(),
            }
        });
        checks.collect()
    }
}

impl Work for Run {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let told = Told::by(&self.cmd, self.limit, exec, console)?;
        if let Some(lacking) = told.all("lacks").next() {
            self.checks.0.get_or_init(|| Err(lacking.to_owned()));
            return Ok(Performed::Skipped(lacking.to_owned()));
        }
        let checks = self.checks(&told);
        for name in self.known.keys() {
            let found = checks.iter().find(|check| check.test == *name);
            if found.is_none_or(|check| check.known.is_none()) {
                let how = if found.is_none() {
                    "there is no such test"
                } else {
                    "it passes"
                };
                (console.warning)(format!(
                    "`known_differences` names `{name}`, and {how}: take it out of metadata.hcl"
                ));
            }
        }
        let wrong: Vec<&str> = told.all("failed").chain(told.all("down")).collect();
        let failed: Vec<&Check> = checks
            .iter()
            .filter(|check| check.result == Verdict::Failed)
            .collect();
        let failure = if !wrong.is_empty() {
            let failure = Failure::failed("the regression tests did not run to their end");
            Some(wrong.into_iter().fold(failure, Failure::detail))
        } else if failed.is_empty() {
            None
        } else {
            let failure = Failure::failed(format!(
                "{} of {} regression tests differ from what is expected",
                failed.len(),
                checks.len()
            ));
            let lines = failed.iter().flat_map(|check| {
                let shown = check.difference.iter().take(SHOWN).cloned();
                std::iter::once(format!("`{}`:", check.test)).chain(shown)
            });
            let failure = lines.fold(failure, Failure::detail);
            Some(failure.hint("`--json` has all of the differences; one that is known stands in `known_differences` of metadata.hcl, with the reason"))
        };
        let known = checks.iter().filter(|check| check.known.is_some()).count();
        let passed = match checks.len() {
            1 => "1 regression test".to_owned(),
            all => format!("{all} regression tests"),
        };
        self.checks.0.get_or_init(|| Ok(checks));
        match (failure, known) {
            (Some(failure), _) => Err(failure),
            (None, 0) => Ok(Performed::Done(Some(format!("{passed} passed")))),
            (None, known) => Ok(Performed::Done(Some(format!(
                "{passed} ended, {known} with a known difference"
            )))),
        }
    }
}
