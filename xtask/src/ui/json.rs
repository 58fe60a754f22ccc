// SPDX-License-Identifier: Apache-2.0
//! Events and data as JSON: complete, and for programs.

use serde_json::{Value, json};

use crate::{
    event::{Event, Outcome},
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
            let (name, text) = match outcome {
                Outcome::Done(what) => ("done", what.clone()),
                Outcome::Skipped(why) => (Verdict::Skipped.word(), Some(why.clone())),
                Outcome::Failed(failure) => (Verdict::Failed.word(), Some(failure.to_string())),
                Outcome::NotRun => (Verdict::NotRun.word(), None),
            };
            json!({"event": "finished", "step": step, "outcome": name, "text": text, "seconds": elapsed.as_secs_f64()})
        }
    }
}
