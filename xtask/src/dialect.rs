// SPDX-License-Identifier: Apache-2.0
//! The old Taskfile's grammar (`bake:all PUSH=true`), rewritten into the canonical one before clap
//! sees it. Knows words, not meanings: what a flag does is clap's and the commands' business.

use std::{collections::BTreeSet, ffi::OsString};

use crate::{
    failure::{Failure, did_you_mean, nearest},
    value::without_userinfo,
};

mod tasks;
#[cfg(test)]
mod tests;

use tasks::{Meaning, TASKS, Task, VARIABLES};

/// Switches that change what becomes of the world. Task read them from the environment, too.
const ALSO_IN_THE_ENVIRONMENT: [&str; 2] = ["DRY_RUN", "PUSH"];

/// Gives each option of a command and of those below it, long and short, and whether it has a value.
fn for_each_option(command: &clap::Command, on: &mut dyn FnMut(String, bool)) {
    for argument in command.get_arguments() {
        let has_value = argument.get_action().takes_values();
        let long = argument.get_long().map(|name| format!("--{name}"));
        let short = argument.get_short().map(|name| format!("-{name}"));
        for name in long.into_iter().chain(short) {
            on(name, has_value);
        }
    }
    for command in command.get_subcommands() {
        for_each_option(command, on);
    }
}

/// What was read of the arguments, by what this grammar tells apart.
struct Words<'a> {
    /// The options whose next word is their value, whatever it looks like.
    valued: BTreeSet<String>,
    variables: Vec<(String, String)>,
    rest: Vec<String>,
    environment: &'a dyn Fn(&str) -> Option<OsString>,
}

/// The canonical arguments for `args`, which come without the program's name, for the command line that
/// `command` describes. Arguments that use nothing of the dialect come back as they are. `environment` is
/// only asked for what Task would have read there: it is refused, as it would silently be something else.
pub fn canonical(
    command: &clap::Command,
    args: Vec<String>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Vec<String>, Failure> {
    let mut words = Words {
        valued: BTreeSet::new(),
        variables: Vec::new(),
        rest: Vec::new(),
        environment,
    };
    for_each_option(command, &mut |name, has_value| {
        if has_value {
            words.valued.insert(name);
        }
    });
    words.read(args);
    words.rewritten()
}

impl Words<'_> {
    /// Tells variables from all other words.
    fn read(&mut self, args: Vec<String>) {
        let mut literal = false;
        let mut value = false;
        for arg in args {
            // What `sandbox exec` runs is not ours to read.
            literal |= arg == "--" || arg == "exec";
            let is_value = std::mem::replace(&mut value, self.valued.contains(&arg));
            match variable(&arg).filter(|_| !literal && !is_value) {
                Some(variable) => self.variables.push(variable),
                None => self.rest.push(arg),
            }
        }
    }

    fn rewritten(mut self) -> Result<Vec<String>, Failure> {
        let asks_about_itself = self
            .rest
            .iter()
            .any(|arg| matches!(arg.as_str(), "-h" | "--help" | "-V" | "--version"));
        let Some(at) = self.command() else {
            // `task` alone builds everything; so does `task DRY_RUN=true`. Flags alone (`--sandbox`) too.
            if asks_about_itself {
                return Ok(self.rest);
            }
            let mut all = self.translated(&TASKS[0])?;
            all.extend(self.rest);
            return Ok(all);
        };
        let word = &self.rest[at];
        let Some(task) = TASKS.iter().find(|task| task.name == word) else {
            self.refuse_foreign(word)?;
            return Ok(self.rest);
        };
        if asks_about_itself {
            self.environment = &|_| None;
        }
        let mut words = self.translated(task)?;
        self.rest.remove(at);
        // What is for another program stays behind everything else.
        let last = words
            .iter()
            .position(|word| word == "--")
            .unwrap_or(words.len());
        if last < words.len() && self.rest.iter().any(|word| word == "--") {
            words.remove(last);
        }
        words.splice(last..last, self.rest);
        Ok(words)
    }

    /// Where the command or the task stands in the rest.
    fn command(&self) -> Option<usize> {
        (0..self.rest.len()).find(|at| {
            let is_value = *at > 0 && self.valued.contains(&self.rest[at - 1]);
            !self.rest[*at].starts_with('-') && !is_value
        })
    }

    /// Refuses a word that only looks like a task, and variables of a command that is none.
    fn refuse_foreign(&self, word: &str) -> Result<(), Failure> {
        let shown = without_userinfo(word);
        if word.contains(':') {
            let meant = did_you_mean(word, TASKS.iter().map(|task| task.name));
            return Err(Failure::invalid(format!("unknown task `{shown}`{meant}"))
                .hint("`cargo xtask --help` lists the commands"));
        }
        match self.variables.first() {
            None => Ok(()),
            Some((name, _)) => Err(Failure::invalid(format!(
                "`{shown}` takes no variables, but got `{name}`"
            ))
            .hint(format!("`cargo xtask {shown} --help` lists its options"))),
        }
    }

    /// A task and its variables as a command and its options.
    fn translated(&self, task: &Task) -> Result<Vec<String>, Failure> {
        if task.name == "default" || task.name.contains(':') || !self.variables.is_empty() {
            refuse_environment(task, &self.variables, self.environment)?;
        }
        let mut words: Vec<String> = task
            .canonical
            .iter()
            .map(|word| (*word).to_owned())
            .collect();
        let mut last: Vec<String> = Vec::new();
        for (name, value) in &self.variables {
            match meaning(task, name)? {
                // Task takes an empty variable as not set.
                _ if value.is_empty() => {}
                Meaning::Target => {
                    for word in value.split_whitespace() {
                        words.push(option(name, "--target", word)?);
                    }
                }
                Meaning::Last => {
                    let parsed = shell_words::split(value).map_err(|_| {
                        Failure::invalid(format!("the quotes of variable `{name}` do not match"))
                    })?;
                    last.extend(parsed);
                }
                Meaning::Option(flag) if self.valued.contains(flag) => {
                    words.push(option(name, flag, value)?);
                }
                Meaning::Option(flag) => words.extend(switch(name, flag, value)?),
            }
        }
        if !last.is_empty() {
            words.push("--".to_owned());
            words.extend(last);
        }
        Ok(words)
    }
}

/// `NAME=value`, as Task takes it.
fn variable(arg: &str) -> Option<(String, String)> {
    let (name, value) = arg.split_once('=')?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    named.then(|| (name.to_owned(), value.to_owned()))
}

/// What a variable stands for in a task that uses it.
fn meaning(task: &Task, name: &str) -> Result<Meaning, Failure> {
    let Some((_, meaning)) = VARIABLES.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(task, name));
    };
    if !task.variables.contains(&name) {
        let task_name = task.name;
        return Err(Failure::invalid(format!(
            "task `{task_name}` does not use the variable `{name}`"
        ))
        .hint(allowed(task)));
    }
    Ok(*meaning)
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

/// Refuses a switch that Task would have taken from the environment, and nobody reads there.
fn refuse_environment(
    task: &Task,
    variables: &[(String, String)],
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(), Failure> {
    let is_meant = |name: &str| {
        let value = environment(name).unwrap_or_default();
        task.variables.contains(&name)
            && !variables.iter().any(|(given, _)| given == name)
            && !value.is_empty()
            && value != "false"
    };
    let Some(name) = ALSO_IN_THE_ENVIRONMENT
        .into_iter()
        .find(|name| is_meant(name))
    else {
        return Ok(());
    };
    let task = if task.name == "default" {
        ""
    } else {
        task.name
    };
    let command = format!("cargo xtask {task} {name}=true").replace("  ", " ");
    Err(Failure::invalid(format!(
        "`{name}` is set in the environment, where it is not read"
    ))
    .hint(format!("write it as an argument, `{command}`, or unset it")))
}

fn unknown(task: &Task, name: &str) -> Failure {
    if ["registry", "environment", "revision", "base_image"].contains(&name) {
        return Failure::invalid(format!(
            "`{name}` is an environment variable, not a variable of a task"
        ))
        .hint(format!(
            "put it in front: `{name}=… cargo xtask {}`",
            task.name
        ));
    }
    let known = VARIABLES.iter().map(|(known, _)| *known);
    let meant = match nearest(&name.to_uppercase(), known) {
        Some(known) => format!("; did you mean `{known}`?"),
        None => String::new(),
    };
    Failure::invalid(format!("unknown variable `{name}`{meant}")).hint(allowed(task))
}

fn allowed(task: &Task) -> String {
    if task.variables.is_empty() {
        return format!("task `{}` uses no variables", task.name);
    }
    let names: Vec<String> = task
        .variables
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    format!("task `{}` uses {}", task.name, names.join(", "))
}
