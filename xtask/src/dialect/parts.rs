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

/// A switch's option, when it is on. What is on and off are the words of Go's `strconv.ParseBool`: the Taskfile handed
/// values on to `docker` and `kind`.
pub(super) fn switch(name: &str, flag: &str, value: &str) -> Result<Option<String>, Failure> {
    match value {
        "true" | "True" | "TRUE" | "t" | "T" | "1" => Ok(Some(flag.to_owned())),
        "false" | "False" | "FALSE" | "f" | "F" | "0" => Ok(None),
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
pub(super) fn arguments(name: &str, value: &str) -> Result<Vec<String>, Failure> {
    shell_words::split(&with_blanks(value))
        .map_err(|_| Failure::invalid(format!("the quotes of variable `{name}` do not match")))
}

/// The list with blanks in place of the commas that separate: those where a flag's name ends, another flag begins or
/// nothing follows. Others are a value's own (`--selector a=b,c=d`), and so are all between quotes.
fn with_blanks(list: &str) -> String {
    let mut blank = String::with_capacity(list.len());
    let mut argument = String::new();
    let mut quote = None;
    let mut is_escaped = false;
    let mut rest = list.chars();
    while let Some(c) = rest.next() {
        let is_plain = quote.is_none() && !is_escaped;
        let is_name = argument.starts_with('-') && !argument.contains('=');
        let ends = |next: Option<char>| next.is_none_or(|c| c.is_whitespace() || "-,".contains(c));
        let separates = c == ',' && is_plain && (is_name || ends(rest.clone().next()));
        if separates || (is_plain && c.is_whitespace()) {
            argument.clear();
        } else {
            argument.push(c);
        }
        blank.push(if separates { ' ' } else { c });
        match quote {
            _ if is_escaped => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        is_escaped = !is_escaped && c == '\\' && quote != Some('\'');
    }
    blank
}
