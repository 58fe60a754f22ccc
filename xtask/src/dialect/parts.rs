// SPDX-License-Identifier: Apache-2.0
//! What the values of variables become on the canonical command line: one word with its option each, so that none is an
//! option of its own.

use crate::{config::Config, failure::Failure};

/// The parts of the command line, and what becomes of them.
#[derive(Default)]
pub(super) struct Parts {
    pub options: Vec<String>,
    /// For another program.
    pub last: Vec<String>,
    pub registry_host: Option<String>,
    pub registry_port: Option<String>,
}

impl Parts {
    /// All of them, those for another program last.
    pub(super) fn words(self) -> Vec<String> {
        let mut words = self.options;
        if self.registry_host.is_some() || self.registry_port.is_some() {
            let host = self.registry_host.as_deref().unwrap_or("localhost");
            let port = self.registry_port.as_deref().unwrap_or("5000");
            words.push(format!("--set=registry={host}:{port}"));
        }
        if !self.last.is_empty() {
            words.push("--".to_owned());
            words.extend(self.last);
        }
        words
    }
}

/// A switch's option, when it is on.
pub(super) fn switch(name: &str, flag: &str, value: &str) -> Result<Option<String>, Failure> {
    match value {
        "true" => Ok(Some(flag.to_owned())),
        "false" => Ok(None),
        _ => Err(Failure::invalid(format!(
            "variable `{name}` must be `true` or `false`"
        ))),
    }
}

/// A value as one word with its option, so that it can be no option of its own. Values are never repeated in
/// messages: somebody may have written a password into one.
pub(super) fn option(name: &str, flag: &str, value: &str) -> Result<String, Failure> {
    if value.starts_with('-') {
        return Err(Failure::invalid(format!(
            "variable `{name}` has a word that begins with `-`: options stand beside variables, not in them"
        )));
    }
    Ok(format!("{flag}={value}"))
}

/// A value as the option that gives a setting. Refuses what the setting may not be.
pub(super) fn setting(name: &str, key: &str, value: &str) -> Result<String, Failure> {
    match Config::objection(key, value) {
        Some(wanted) => Err(Failure::invalid(format!(
            "variable `{name}` stands for the setting `{key}`, which must be {wanted}"
        ))),
        None => Ok(format!("--set={key}={value}")),
    }
}

/// The arguments that a value lists: separated as a shell does it, or by commas, which the old tooling wanted.
/// A comma separates where a flag's name ends or another flag begins; others are a value's own (`--selector a=b,c=d`).
pub(super) fn arguments(name: &str, value: &str) -> Result<Vec<String>, Failure> {
    let words = shell_words::split(value)
        .map_err(|_| Failure::invalid(format!("the quotes of variable `{name}` do not match")))?;
    let mut arguments = Vec::new();
    for word in words {
        let mut rest = word.as_str();
        while let Some(at) = separator(rest) {
            arguments.push(rest[..at].to_owned());
            rest = &rest[at + 1..];
        }
        arguments.push(rest.to_owned());
    }
    // What an empty place in a list of commas leaves.
    arguments.retain(|argument| !argument.is_empty());
    Ok(arguments)
}

/// Where the first of several arguments in a word ends.
fn separator(word: &str) -> Option<usize> {
    let name_ends = word
        .find([',', '='])
        .filter(|at| word.starts_with('-') && word[*at..].starts_with(','));
    name_ends.or_else(|| word.find(",-"))
}
