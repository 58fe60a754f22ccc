// SPDX-License-Identifier: Apache-2.0
//! What is said of a run to programs, field by field: the serde types of `run.json`. Whatever is in them is without
//! logins, and secrets are no part of what prints.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, time::SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::log_name;
use crate::{
    event::{Outcome, StepReport},
    failure::{Failure, FailureRecord},
    own::RunId,
    plan::{Step, StepId},
    printable::printable,
    value::without_logins,
    verdict::Verdict,
};

/// The file's name in the run's folder.
pub(crate) const FILE: &str = "run.json";

/// One call of this program: what it was to do, and what became of it. Times are RFC 3339, in UTC.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RunRecord {
    pub id: String,
    /// Of this program.
    pub version: String,
    /// The command without its arguments, whichever spelling was used: `e2e test-full`. None: a record of an earlier version.
    #[serde(default)]
    pub command: Option<String>,
    /// The command line as it was given, as far as it is for this program.
    pub arguments: Vec<String>,
    pub started: String,
    /// None: it still runs, or was killed.
    pub ended: Option<String>,
    pub seconds: Option<f64>,
    pub exit_code: Option<u8>,
    /// The error that it ended with.
    pub failure: Option<FailureRecord>,
    /// Its plans, in their order.
    #[serde(default)]
    pub plans: Vec<PlanRecord>,
    /// Of all its plans, in their order.
    pub steps: Vec<StepRecord>,
    /// What it said for scripts; None: nothing, or too much for a record.
    pub result: Option<Value>,
}

/// Steps that were run together, and how many of them could run at once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct PlanRecord {
    /// The place of its first step in `steps`.
    pub first: usize,
    pub began: String,
    pub at_once: usize,
    /// How many steps of a pool, by its name; a pool that is not here has no bound of its own.
    pub pools: BTreeMap<String, usize>,
}

/// A step of a plan.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct StepRecord {
    /// Its place in `steps`.
    pub id: usize,
    pub name: String,
    /// Steps that must have succeeded before.
    pub after: Vec<usize>,
    /// Steps that must have ended before, well or not.
    pub after_end_of: Vec<usize>,
    /// What it does, as it can be pasted into a shell.
    pub command: String,
    /// Shown only when it has gone wrong.
    pub quiet: bool,
    /// Of the steps with the same word here, only as many run at once as the plan says.
    #[serde(default)]
    pub pool: Option<String>,
    /// What it proves when it ends well: `smoke`, `suite`, `lane`.
    pub proof: Option<String>,
    pub started: Option<String>,
    pub ended: Option<String>,
    pub seconds: Option<f64>,
    /// None: it had not ended when this was written.
    pub outcome: Option<Verdict>,
    /// What it did, or why it was not needed, or could not be run.
    pub reason: Option<String>,
    pub failure: Option<FailureRecord>,
    /// The file with all that its command printed.
    pub log: Option<PathBuf>,
    /// Why it was run again.
    pub retried: Option<String>,
}

/// Why a step is in no plan.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LeftOut<'a> {
    /// The run was interrupted before.
    Interrupted,
    /// It could not be run here, which is no fault of anybody.
    Impossible(&'a Failure),
    /// The same, and it was insisted on.
    Refused(&'a Failure),
}

impl LeftOut<'_> {
    pub(crate) fn verdict(self) -> Verdict {
        match self {
            Self::Interrupted | Self::Impossible(_) => Verdict::NotRun,
            Self::Refused(_) => Verdict::Failed,
        }
    }
}

impl RunRecord {
    /// A run that begins now.
    pub(crate) fn begun(id: &RunId, command: &str, arguments: &[OsString]) -> Self {
        let fit = |argument: &OsString| without_logins(&printable(&argument.to_string_lossy()));
        Self {
            id: id.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: Some(command.to_owned()),
            arguments: ours(arguments).map(fit).collect(),
            started: utc(SystemTime::now()),
            ended: None,
            seconds: None,
            exit_code: None,
            failure: None,
            plans: Vec::new(),
            steps: Vec::new(),
            result: None,
        }
    }
}

impl StepRecord {
    /// `first`: the place of the plan's first step in the run.
    pub(super) fn planned(first: usize, at: usize, step: &Step) -> Self {
        let places = |ids: &[StepId]| ids.iter().map(|id| first + id.0).collect();
        Self {
            id: first + at,
            name: step.name.clone(),
            after: places(&step.after),
            after_end_of: places(&step.after_end_of),
            command: without_logins(&step.action.to_string()),
            quiet: step.quiet,
            pool: step.pool.map(str::to_owned),
            proof: step.proof.map(str::to_owned),
            started: None,
            ended: None,
            seconds: None,
            outcome: None,
            reason: None,
            failure: None,
            log: None,
            retried: None,
        }
    }

    /// The name of its log in the run's folder. None: it has none, or another place than we give it.
    pub(crate) fn log_file(&self) -> Option<&str> {
        let name = self.log.as_deref()?.file_name()?.to_str()?;
        (log_name(name.strip_suffix(".log")?) == name).then_some(name)
    }

    #[cfg(test)]
    pub(crate) fn named(id: usize, name: &str) -> Self {
        let action = crate::plan::Action::Folder(crate::plan::Location::output("x"));
        Self::planned(id, 0, &Step::new(name, action))
    }

    /// It begins now; its end says when that was to the millisecond.
    pub(super) fn begins(&mut self) {
        self.started = Some(utc(SystemTime::now()));
    }

    pub(super) fn ends(&mut self, report: &StepReport) {
        if let Some(started) = report.started {
            self.started = Some(utc(started));
            self.ended = started.checked_add(report.elapsed).map(utc);
            self.seconds = Some(report.elapsed.as_secs_f64());
        }
        self.outcome = Some(report.outcome.verdict());
        match &report.outcome {
            Outcome::Done(what) | Outcome::Unchanged(what) => {
                self.reason = what.as_deref().map(without_logins);
            }
            Outcome::Skipped(why) => self.reason = Some(without_logins(why)),
            Outcome::Failed(failure) => self.failure = Some(failure.kept()),
            Outcome::NotRun => {}
        }
        self.log.clone_from(&report.log);
        self.retried = report.retried.as_deref().map(without_logins);
    }

    pub(super) fn is_left_out(&mut self, why: LeftOut<'_>) {
        self.outcome = Some(why.verdict());
        match why {
            LeftOut::Interrupted => {}
            LeftOut::Impossible(why) => self.reason = Some(without_logins(&why.message)),
            LeftOut::Refused(why) => self.failure = Some(FailureRecord::from(why).kept()),
        }
    }
}

/// The arguments that are for this program: what stands behind `--`, or behind `sandbox exec`, is for another one, and
/// may be anything, a password in a statement of SQL too.
fn ours(arguments: &[OsString]) -> impl Iterator<Item = &OsString> {
    let exec = arguments
        .windows(2)
        .position(|pair| pair == ["sandbox", "exec"]);
    let dashes = arguments.iter().position(|argument| argument == "--");
    let end = exec.map(|at| at + 2).into_iter().chain(dashes).min();
    arguments[..end.unwrap_or(arguments.len())].iter()
}

/// As the record writes a time.
pub(super) fn utc(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Cmd, Secret};

    #[test]
    fn a_secret_is_not_kept_and_what_is_kept_is_read_again() {
        let login = Cmd::new("docker", "log in").secret_stdin(Secret::new("s3cret"));
        let step = StepRecord::planned(0, 0, &Step::run("login", login));
        let text = serde_json::to_string(&step).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("<redacted>"), "{text}");
        let again: StepRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(again, step);
    }

    #[test]
    fn what_is_for_another_program_is_not_kept() {
        let kept = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            let id = RunId::parse("0123456789abcdef").unwrap();
            RunRecord::begun(&id, "e2e psql", &words).arguments
        };
        let psql = [
            "e2e",
            "psql",
            "alpha",
            "--",
            "ALTER ROLE a PASSWORD 's3cret'",
        ];
        assert_eq!(kept(&psql), psql[..3]);
        let exec = ["--verbose", "sandbox", "exec", "login", "-p", "s3cret"];
        assert_eq!(kept(&exec), exec[..3]);
        assert_eq!(kept(&["bake", "--all"]), ["bake", "--all"]);
    }
}
