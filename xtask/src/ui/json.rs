// SPDX-License-Identifier: Apache-2.0
//! Events and data as JSON: complete, and for programs.

use serde_json::{Value, json};

use super::failure::{Words, words};
use crate::{
    event::{Event, Outcome},
    failure::{Failure, exit_code},
    run::record::FailureRecord,
    verdict::Verdict,
};

/// JSON as data: two spaces, and short lists of strings on one line are left to the reader's `jq`.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

pub(super) fn to_json(event: &Event) -> Value {
    match event {
        Event::Note(text) => json!({"event": "note", "text": text}),
        Event::Warning(text) => json!({"event": "warning", "text": text}),
        Event::Started { step } => json!({"event": "started", "step": step}),
        Event::Output { step, line } => json!({"event": "output", "step": step, "line": line}),
        Event::Finished {
            step,
            outcome,
            elapsed,
            ..
        } => {
            let (name, text, failure) = match outcome {
                Outcome::Done(what) => ("done", what.clone(), None),
                Outcome::Skipped(why) => (Verdict::Skipped.word(), Some(why.clone()), None),
                Outcome::Failed(failure) => {
                    let text = words(failure);
                    (Verdict::Failed.word(), Some(text), Some(failure))
                }
                Outcome::NotRun => (Verdict::NotRun.word(), None, None),
            };
            let mut value = json!({"event": "finished", "step": step, "outcome": name, "text": text, "seconds": elapsed.as_secs_f64()});
            if let Some(failure) = failure {
                value["failure"] = json!(FailureRecord::from(failure));
            }
            value
        }
    }
}

/// The error that a command ends with.
pub(super) fn failure(error: &anyhow::Error) -> Value {
    let record = match error.downcast_ref::<Failure>() {
        Some(failure) => FailureRecord::from(failure),
        None => FailureRecord::from(&Failure::failed(format!("{error:#}"))),
    };
    json!({
        "event": "failure",
        "text": Words::of_error(error).text(),
        "exit_code": exit_code(error),
        "failure": record,
    })
}

/// The same of arguments that were refused.
pub(super) fn refusal(text: &str, exit_code: u8) -> Value {
    let text = text.trim_end();
    let text = text.strip_prefix("error: ").unwrap_or(text);
    json!({"event": "failure", "text": text, "exit_code": exit_code})
}
