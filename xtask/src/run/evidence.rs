// SPDX-License-Identifier: Apache-2.0
//! What is asked and kept when a step fails, before anything is taken back.

use std::time::Duration;

use super::{Walk, log_name};
use crate::{
    diagnosis,
    failure::Failure,
    own::file,
    plan::{Location, Step},
};

/// A cluster that does not answer must not hold up the report.
const PATIENCE: Duration = Duration::from_secs(20);

impl Walk<'_> {
    /// The failure, with the step's evidence kept in a folder of its own and the probable cause that it
    /// shows.
    pub(super) fn with_evidence(&self, step: &Step, failure: Failure) -> Failure {
        if step.evidence.is_empty() {
            return failure;
        }
        let folder = self
            .options
            .logs
            .join(log_name(&step.name).trim_end_matches(".log"));
        let mut texts: Vec<String> = vec![failure.to_string()];
        let mut unasked = Vec::new();
        for question in &step.evidence {
            let name = &question.file;
            // What cannot be asked is part of the evidence.
            let text = match self.exec.read(&question.cmd, Some(PATIENCE)) {
                Ok(text) => text,
                Err(failed) => {
                    unasked.push(name.clone());
                    format!("{failed}\n{}\n", failed.cause().unwrap_or_default())
                }
            };
            let place = Location::ours(&self.options.logs, folder.join(name));
            let kept = file::write_atomically(&place, &text);
            if let Err(error) = kept {
                return failure.detail(format!(
                    "what the cluster says could not be kept: {error:#}"
                ));
            }
            texts.push(match &question.about {
                None => text,
                Some(about) => {
                    let lines = text.lines().filter(|line| line.contains(about));
                    lines.collect::<Vec<_>>().join("\n")
                }
            });
        }
        let mut failure = failure;
        failure.cause = diagnosis::probable_cause(&texts);
        failure = failure.detail(format!("what the cluster says: {}", folder.display()));
        if !unasked.is_empty() {
            failure = failure.detail(format!("could not be asked: {}", unasked.join(", ")));
        }
        failure
    }
}
