// SPDX-License-Identifier: Apache-2.0
//! JSON: what servers log, objects as kubectl prints them on one line, and pieces of those that it prints on many.

use serde_json::Value;

use super::Reading;

pub(super) fn read(line: &str) -> Option<Reading> {
    if !line.starts_with(['{', '}', '[', ']', '"']) {
        return None;
    }
    match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(object)) => {
            let value = Value::Object(object);
            Some(
                logged(&value)
                    .or_else(|| named(&value))
                    .unwrap_or(Reading::Nothing),
            )
        }
        Ok(_) => Some(Reading::Nothing),
        Err(_) => is_piece(line).then_some(Reading::Nothing),
    }
}

/// `{"level":"info","logger":"…","msg":"…"}`, and PostgreSQL's own line in CloudNativePG's.
fn logged(value: &Value) -> Option<Reading> {
    let text = |name: &str| value[name].as_str().filter(|text| !text.is_empty());
    let said = text("msg").or_else(|| text("message"))?;
    let said = match (value["record"]["message"].as_str(), text("error")) {
        (Some(record), _) => {
            let severity = value["record"]["error_severity"].as_str();
            format!("{}: {record}", severity.unwrap_or("LOG"))
        }
        (None, Some(error)) => format!("{said}: {error}"),
        (None, None) => said.to_owned(),
    };
    // A log that is quoted in another one is a line of JSON again.
    Some(Reading::Of(said))
}

/// An object of Kubernetes: its kind, its name, and how it is.
fn named(value: &Value) -> Option<Reading> {
    let (kind, name) = (value["kind"].as_str()?, value["metadata"]["name"].as_str()?);
    let phase = value["status"]["phase"].as_str();
    let phase = phase.map_or_else(String::new, |phase| format!(": {phase}"));
    Some(Reading::words(format!("{kind} {name}{phase}")))
}

/// A line of what is printed on many: `{`, `},`, `"name": "x",`, `"x"`.
fn is_piece(line: &str) -> bool {
    if line.bytes().all(|c| b"{}[],".contains(&c)) {
        return true;
    }
    let text = line.strip_suffix(',').unwrap_or(line);
    let text = text.strip_suffix(['{', '[']).unwrap_or(text).trim_end();
    let mut whole = text.to_owned();
    if text.ends_with(':') {
        whole += "0";
    }
    serde_json::from_str::<Value>(&whole).is_ok()
        || serde_json::from_str::<Value>(&format!("{{{whole}}}")).is_ok()
}
