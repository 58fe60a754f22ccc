// SPDX-License-Identifier: Apache-2.0
//! What is asked and kept when a step fails, before anything is taken back.

use std::time::Duration;

use super::{Walk, log_name};
use crate::{
    failure::Failure,
    own::{file, source},
    plan::{Action, Location, Step},
    symptom,
    tool::chainsaw,
};

/// Tools that speak of this machine, not of a node.
const HOST: [&str; 2] = ["docker", "kind"];

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
        let (own, cluster) = self.said(step, &failure);
        let on_host = symptom::cause_on_machine(&own);
        let mut texts = cluster;
        let told = texts.len().min(1);
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
                    "what the cluster says could not be saved: {error:#}"
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
        // What ended the step is its cause; then what the tool itself was told; then what stands elsewhere.
        failure.cause = failure
            .cause
            .or(on_host)
            .or_else(|| symptom::cause_in_cluster(&texts[..told]))
            .or_else(|| symptom::cause_in_cluster(&texts));
        failure = failure.detail(format!("what the cluster says: {}", folder.display()));
        if !unasked.is_empty() {
            failure = failure.detail(format!("could not be asked: {}", unasked.join(", ")));
        }
        failure
    }

    /// What the step itself has said: of this machine, when its tool works on the engine, otherwise of a
    /// cluster, what chainsaw calls errors first and then the whole log.
    fn said(&self, step: &Step, failure: &Failure) -> (Vec<String>, Vec<String>) {
        let log = source::read_log(&self.options.logs.join(log_name(&step.name)));
        // Without a log there is what the failure quotes.
        let log = log.map_or_else(
            || quoted(failure),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        );
        match &step.action {
            Action::Run(cmd) if HOST.iter().any(|tool| cmd.speaker() == *tool) => {
                (vec![quoted(failure), log], Vec::new())
            }
            _ => {
                let told = chainsaw::errors(&log).join("\n");
                (Vec::new(), vec![told, quoted(failure), log])
            }
        }
    }
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
