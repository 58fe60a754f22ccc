// SPDX-License-Identifier: Apache-2.0
//! Every event as a line of JSON on standard output: complete, and for programs.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Form, Report, Reporter, failure::words, screen::Screen};
use crate::{
    event::{Event, Outcome, StepReport},
    failure::{Failure, FailureRecord},
    finding::Finding,
};

pub(super) struct Json {
    screen: Rc<Screen>,
}

impl Json {
    pub(super) fn new(screen: Rc<Screen>) -> Self {
        Self { screen }
    }

    /// One event on a line of its own.
    fn line(&self, event: &Value) {
        self.screen.write_json(&event.to_string());
    }
}

impl Reporter for Json {
    fn event(&self, event: &Event) {
        if let Some(event) = to_json(event) {
            self.line(&event);
        }
    }

    fn finding(&self, finding: &Finding, quiet: bool) {
        if !quiet {
            self.line(&json!({"event": "finding", "finding": finding}));
        }
    }

    fn data(&self, text: &str) {
        self.line(&json!({"event": "data", "text": text}));
    }

    fn result(&self, value: &Value, _report: &Report, _form: Form) -> Result<(), String> {
        self.one_line(value);
        Ok(())
    }

    fn one_line(&self, value: &Value) {
        self.line(&json!({"event": "result", "result": value}));
    }

    fn failure(&self, failure: &FailureRecord) {
        self.line(&ending(&words(failure), failure.kind.exit_code(), failure));
    }

    fn refusal(&self, text: &str, exit_code: u8) {
        let text = text.trim_end();
        let text = text.strip_prefix("error: ").unwrap_or(text);
        let (message, rest) = text.split_once('\n').unwrap_or((text, ""));
        let lines = rest.lines().filter(|line| !line.is_empty());
        let failure = lines.fold(Failure::invalid(message), Failure::detail);
        self.line(&ending(text, exit_code, &(&failure).into()));
    }
}

/// None: nothing that happened.
fn to_json(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Note(text) => json!({"event": "note", "text": text}),
        Event::Warning(text) => json!({"event": "warning", "text": text}),
        Event::Planned { steps } => json!({"event": "planned", "steps": steps}),
        Event::Started { step, .. } => json!({"event": "started", "step": step}),
        Event::Output { step, line, .. } => json!({"event": "output", "step": step, "line": line}),
        Event::Finished(report) => finished(report),
        Event::Quiet => return None,
    })
}

fn finished(report: &StepReport) -> Value {
    let mut value = json!({
        "event": "finished",
        "step": report.name,
        "outcome": report.outcome.verdict(),
        "text": match &report.outcome {
            Outcome::Done(what) | Outcome::Unchanged(what) => what.clone(),
            Outcome::Skipped(why) => Some(why.clone()),
            Outcome::Failed(failure) => Some(words(failure)),
            Outcome::NotRun => None,
        },
        "seconds": report.elapsed.as_secs_f64(),
    });
    if let Outcome::Failed(failure) = &report.outcome {
        value["failure"] = json!(**failure);
    }
    value
}

/// What a command ends with that has failed.
fn ending(text: &str, exit_code: u8, failure: &FailureRecord) -> Value {
    json!({ "event": "failure", "text": text, "exit_code": exit_code, "failure": failure })
}
