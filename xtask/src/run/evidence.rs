// SPDX-License-Identifier: Apache-2.0
//! What is asked and kept when a step fails, before anything is taken back.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Walk, log_name};
use crate::{
    failure::Failure,
    own::{file, source},
    plan::{Location, Question, Said, Step},
};

/// A cluster that does not answer must not hold up the report.
const PATIENCE: Duration = Duration::from_secs(20);

impl Walk<'_> {
    /// The failure, with the step's evidence kept in a folder of its own and the probable cause that it
    /// shows.
    pub(super) fn with_evidence(&self, step: &Step, mut failure: Failure) -> Failure {
        let Some(evidence) = &step.evidence else {
            return failure;
        };
        let log = self.options.logs.join(log_name(&step.name));
        let folder = folder(&log);
        let (mut answers, mut unasked) = (Vec::new(), Vec::new());
        for question in &evidence.questions {
            // What cannot be asked is part of the evidence.
            let text = match self.exec.read(&question.cmd, Some(PATIENCE)) {
                Ok(text) => text,
                Err(failed) => {
                    unasked.push(question.file.clone());
                    format!("{failed}\n{}\n", failed.cause().unwrap_or_default())
                }
            };
            let place = Location::ours(&self.options.logs, folder.join(&question.file));
            if let Err(error) = file::write_atomically(&place, &text) {
                return failure.detail(format!(
                    "what the cluster says could not be saved: {error:#}"
                ));
            }
            answers.push(about(question, text));
        }
        // What ended the step is its cause.
        if failure.cause.is_none() {
            let quoted = quoted(&failure);
            let log = source::read_log(&log);
            failure.cause = evidence.diagnose.cause(&Said {
                // Without a log there is what the failure quotes.
                log: log.map_or_else(
                    || quoted.clone(),
                    |bytes| String::from_utf8_lossy(&bytes).into_owned(),
                ),
                failure: quoted,
                answers,
            });
        }
        failure = failure.detail(format!("what the cluster says: {}", folder.display()));
        if !unasked.is_empty() {
            failure = failure.detail(format!("could not be asked: {}", unasked.join(", ")));
        }
        failure
    }
}

/// Where the answers to the questions of a step are, by the step's log.
pub(super) fn folder(log: &Path) -> PathBuf {
    log.with_extension("")
}

/// What of an answer is about the step.
fn about(question: &Question, text: String) -> String {
    let Some(about) = &question.about else {
        return text;
    };
    let lines = text.lines().filter(|line| line.contains(about));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a failure says and quotes.
fn quoted(failure: &Failure) -> String {
    let command = failure.command.iter().flat_map(|command| command.kept());
    let details = failure.details.iter().map(String::as_str);
    let lines = std::iter::once(failure.message.as_str())
        .chain(command)
        .chain(details);
    lines.collect::<Vec<_>>().join("\n")
}
