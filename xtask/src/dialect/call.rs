// SPDX-License-Identifier: Apache-2.0
//! A task that is called, with its variables: as a command with its options.

use std::{collections::BTreeSet, ffi::OsString};

use super::{
    Canonical,
    tasks::Task,
    variables::{self, Meaning, Scope, VARIABLES, Variable},
};
use crate::failure::{Failure, nearest};

/// A task, which variables it is called with, and what stands beside them.
pub(super) struct Call<'a> {
    pub task: &'static Task,
    /// `NAME=value` of the command line, as they stand there.
    pub arguments: &'a [(String, String)],
    /// All other words of the command line, without the task.
    pub beside: &'a [String],
    /// The options whose next word is their value.
    pub valued: &'a BTreeSet<String>,
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
}

/// A variable with the value that it has in a call.
struct Given {
    variable: &'static Variable,
    value: String,
    from_environment: bool,
}

/// The parts of the command line, and what becomes of them.
#[derive(Default)]
struct Parts {
    options: Vec<String>,
    /// For another program.
    last: Vec<String>,
    registry_host: Option<String>,
    registry_port: Option<String>,
}

impl Call<'_> {
    /// The command and its options; what stood beside the variables is not among them.
    pub(super) fn canonical(&self) -> Result<Canonical, Failure> {
        let mut variables: Vec<Given> = Vec::new();
        for (name, value) in self.arguments {
            let variable = self.known(name)?;
            // The last of two counts.
            variables.retain(|given| given.variable.name != variable.name);
            variables.push(Given {
                variable,
                value: value.clone(),
                from_environment: false,
            });
        }
        let mut notes: Vec<String> = self.task.note.map(str::to_owned).into_iter().collect();
        let inherited = self.inherited(&variables)?;
        if !inherited.is_empty() {
            let names = inherited.iter().map(|given| given.variable.name);
            notes.push(format!("from the environment: {}", listed(names)));
        }
        variables.extend(inherited);
        notes.extend(self.unread(&variables));
        let mut parts = Parts::default();
        for given in &variables {
            // Task takes an empty variable as not set.
            if !given.value.is_empty() {
                self.take(given, &mut parts, &mut notes)
                    .map_err(|failure| given.blamed(failure))?;
            }
        }
        let words = self.task.canonical.iter().map(|word| (*word).to_owned());
        Ok(Canonical {
            words: words.chain(parts.words()).collect(),
            notes,
        })
    }

    /// The variable of that name, when the task takes it.
    fn known(&self, name: &str) -> Result<&'static Variable, Failure> {
        let variable = variables::find(name).ok_or_else(|| self.unknown(name))?;
        let is_unused = self.task.unused.is_some_and(|(unused, _)| unused == name);
        if variable.scope == Scope::Task && !self.uses(variable) && !is_unused {
            let task = self.task.name;
            return Err(Failure::invalid(format!(
                "task `{task}` does not use the variable `{name}`"
            ))
            .hint(self.allowed()));
        }
        Ok(variable)
    }

    fn uses(&self, variable: &Variable) -> bool {
        self.task.variables.contains(&variable.name)
    }

    /// The variables that the environment gives, as no argument does.
    fn inherited(&self, given: &[Given]) -> Result<Vec<Given>, Failure> {
        let mut inherited = Vec::new();
        for variable in VARIABLES {
            let is_given = given.iter().any(|one| one.variable.name == variable.name);
            if !self.inherits(variable) || is_given {
                continue;
            }
            let Some(value) = (self.environment)(variable.name) else {
                continue;
            };
            let value = value.into_string().map_err(|_| {
                let name = variable.name;
                Failure::invalid(format!("environment variable `{name}` is not UTF-8"))
            })?;
            if !value.is_empty() {
                inherited.push(Given {
                    variable,
                    value,
                    from_environment: true,
                });
            }
        }
        Ok(inherited)
    }

    /// What the environment has for the Taskfile's own variables: Task did not read it either, but said nothing. A
    /// command by its own name has no use for them.
    fn unread(&self, given: &[Given]) -> Vec<String> {
        let task = self.task.name;
        let is_task = task.contains(':') || !given.is_empty();
        let is_read = |variable: &Variable| match variable.meaning {
            Meaning::Nothing(_) => false,
            Meaning::Option(_) => self.uses(variable),
            _ => true,
        };
        let is_set = |name: &str| (self.environment)(name).is_some_and(|value| !value.is_empty());
        let unread = VARIABLES.iter().filter(|variable| {
            let is_given = given.iter().any(|one| one.variable.name == variable.name);
            variable.scope == Scope::Taskfile
                && is_read(variable)
                && !is_given
                && is_set(variable.name)
        });
        let note = |name: &str| {
            format!(
                "`{name}` in the environment is not read, as the Taskfile gave it a value of its own: write `cargo xtask {task} {name}=…`"
            )
        };
        unread
            .filter(|_| is_task)
            .map(|variable| note(variable.name))
            .collect()
    }

    /// Whether the environment may give a variable: the task uses it, and no word on the command line says the same.
    pub(super) fn inherits(&self, variable: &Variable) -> bool {
        let options: &[&str] = match &variable.meaning {
            Meaning::Target => &["--target", "--all", "--rerun-failed"],
            Meaning::Option(flag) => std::slice::from_ref(flag),
            _ => &[],
        };
        let is_operand = self.task.variables.first() == Some(&variable.name);
        let is_said =
            options.iter().any(|flag| self.has_option(flag)) || (is_operand && self.has_operand());
        variable.scope == Scope::Task && self.uses(variable) && !is_said
    }

    fn has_option(&self, flag: &str) -> bool {
        let is_it = |word: &String| {
            let rest = word.strip_prefix(flag);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        self.own_words().iter().any(is_it)
    }

    fn has_operand(&self) -> bool {
        let words = self.own_words();
        (0..words.len()).any(|at| super::is_plain(words, at, self.valued))
    }

    /// The words that are not for another program.
    fn own_words(&self) -> &[String] {
        let end = self.beside.iter().position(|word| word == "--");
        &self.beside[..end.unwrap_or(self.beside.len())]
    }

    /// Puts what a variable stands for among the parts.
    fn take(
        &self,
        given: &Given,
        parts: &mut Parts,
        notes: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let (name, value) = (given.variable.name, given.value.as_str());
        if let Some((_, instead)) = self.task.unused.filter(|(unused, _)| *unused == name) {
            notes.push(format!("`{name}` changes nothing: {instead}"));
            return Ok(());
        }
        match &given.variable.meaning {
            Meaning::Target => {
                for word in value.split_whitespace() {
                    parts.options.push(option(name, "--target", word)?);
                }
            }
            Meaning::Last => parts.last.extend(arguments(name, value)?),
            Meaning::Option(flag) if !self.uses(given.variable) => notes.push(format!(
                "`{name}` changes nothing here: `{flag}` is for the tasks that make the cluster"
            )),
            Meaning::Option(flag) if self.valued.contains(*flag) => {
                parts.options.push(option(name, flag, value)?);
            }
            Meaning::Option(flag) => parts.options.extend(switch(name, flag, value)?),
            Meaning::Setting(key, pattern) => {
                let value = pattern.replace("{}", value);
                parts.options.push(format!("--set={key}={value}"));
            }
            Meaning::RegistryHost => parts.registry_host = Some(value.to_owned()),
            Meaning::RegistryPort => {
                let port = value.parse::<u16>().ok().filter(|port| *port > 0);
                let port = port.ok_or_else(|| {
                    Failure::invalid(format!("variable `{name}` must be a port, from 1 to 65535"))
                })?;
                parts.registry_port = Some(port.to_string());
            }
            Meaning::Nothing(instead) => {
                notes.push(format!("`{name}` changes nothing: {instead}"));
            }
        }
        Ok(())
    }

    fn unknown(&self, name: &str) -> Failure {
        let task = self.task.name;
        if ["registry", "environment", "revision", "base_image"].contains(&name) {
            return Failure::invalid(format!(
                "`{name}` is an environment variable, not a variable of a task"
            ))
            .hint(format!("put it in front: `{name}=… cargo xtask {task}`"));
        }
        let known = VARIABLES.iter().map(|variable| variable.name);
        let meant = match nearest(&name.to_uppercase(), known) {
            Some(known) => format!("; did you mean `{known}`?"),
            None => String::new(),
        };
        Failure::invalid(format!("unknown variable `{name}`{meant}")).hint(self.allowed())
    }

    fn allowed(&self) -> String {
        let task = self.task.name;
        if self.task.variables.is_empty() {
            return format!("task `{task}` uses no variables");
        }
        let names = self.task.variables.iter().copied();
        format!("task `{task}` uses {}", listed(names))
    }
}

impl Given {
    /// The same failure, which says where the value is from when it does not stand on the command line.
    fn blamed(&self, failure: Failure) -> Failure {
        if self.from_environment {
            let name = self.variable.name;
            failure.or_hint(format!(
                "it is set in the environment: `unset {name}`, or give the variable behind the task"
            ))
        } else {
            failure
        }
    }
}

impl Parts {
    /// All of them, those for another program last.
    fn words(self) -> Vec<String> {
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

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// A switch's option, when it is on.
fn switch(name: &str, flag: &str, value: &str) -> Result<Option<String>, Failure> {
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
fn option(name: &str, flag: &str, value: &str) -> Result<String, Failure> {
    if value.starts_with('-') {
        return Err(Failure::invalid(format!(
            "variable `{name}` has a word that begins with `-`: options stand beside variables, not in them"
        )));
    }
    Ok(format!("{flag}={value}"))
}

/// The arguments that a value lists: separated as a shell does it, or by commas, which the old tooling wanted.
/// A comma separates where a flag's name ends or another flag begins; others are a value's own (`--selector a=b,c=d`).
fn arguments(name: &str, value: &str) -> Result<Vec<String>, Failure> {
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
