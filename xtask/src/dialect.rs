// SPDX-License-Identifier: Apache-2.0
//! The old Taskfile's grammar (`bake:all PUSH=true`), rewritten into the canonical one before clap
//! sees it. Knows words, not meanings: what a flag does is clap's and the commands' business.

use std::{collections::BTreeSet, ffi::OsString};

use crate::{
    failure::{Failure, did_you_mean},
    value::without_userinfo,
};

mod beside;
mod call;
mod parts;
mod taskfile;
mod tasks;
#[cfg(test)]
mod tests;
mod variables;

use beside::Beside;
use call::Call;
pub(crate) use taskfile::{Said, command_of, settings};
use tasks::{OPTIONS_OF_TASK, RENAMED, TASKS, Task};
use variables::{VARIABLES, Variable};

/// Arguments in the canonical grammar.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Canonical {
    pub words: Vec<String>,
    /// What was done on the way there that nobody sees in the arguments, a sentence each.
    pub notes: Vec<String>,
}

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
    commands: BTreeSet<&'a str>,
    /// The options whose next word is their value, whatever it looks like.
    valued: BTreeSet<String>,
    variables: Vec<(String, String)>,
    rest: Vec<String>,
    environment: &'a dyn Fn(&str) -> Option<OsString>,
}

/// The tasks that can be called by the old Taskfile's names, ours in its way of writing included.
pub fn tasks() -> impl Iterator<Item = &'static str> {
    TASKS.iter().map(|task| task.name)
}

/// The variables of the old Taskfile, with `*` at the end of what stands for all that begin so, and what some of them
/// were called before.
pub fn variables() -> impl Iterator<Item = &'static str> {
    let former = variables::RENAMED.iter().map(|(before, _)| *before);
    VARIABLES.iter().map(|variable| variable.name).chain(former)
}

/// The canonical arguments for `args`, which come without the program's name, for the command line that
/// `command` describes. Arguments that use nothing of the dialect come back as they are. `environment` is
/// asked for the variables of a task that is called.
pub fn canonical(
    command: &clap::Command,
    args: Vec<String>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Canonical, Failure> {
    let mut words = Words {
        commands: command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect(),
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

    fn rewritten(mut self) -> Result<Canonical, Failure> {
        let asks_about_itself = self
            .rest
            .iter()
            .any(|arg| matches!(arg.as_str(), "-h" | "--help" | "-V" | "--version"));
        if asks_about_itself {
            self.environment = &|_| None;
        } else {
            self.refuse_options_of_task()?;
        }
        let Some(at) = (0..self.rest.len()).find(|at| is_plain(&self.rest, *at, &self.valued))
        else {
            // `task` alone builds everything; so does `task DRY_RUN=true`. Flags alone (`--sandbox`) too.
            if asks_about_itself {
                return Ok(self.untouched(Vec::new()));
            }
            return self.called(&TASKS[0]);
        };
        let word = self.rest[at].as_str();
        let renamed = RENAMED.iter().find(|(before, _)| *before == word);
        let name = renamed.map_or(word, |(_, after)| after);
        if let Some(task) = tasks::find(name) {
            self.rest.remove(at);
            return self.called(task);
        }
        self.refuse_foreign(word)?;
        let notes = self.unread(at);
        Ok(self.untouched(notes))
    }

    fn untouched(self, notes: Vec<String>) -> Canonical {
        Canonical {
            words: self.rest,
            notes,
        }
    }

    /// A task, with its variables and the words beside them.
    fn called(self, task: &'static Task) -> Result<Canonical, Failure> {
        let Canonical { mut words, notes } = self.call(task, &self.rest).canonical()?;
        // What is for another program stays behind everything else.
        let last = words
            .iter()
            .position(|word| word == "--")
            .unwrap_or(words.len());
        if last < words.len() && self.rest.iter().any(|word| word == "--") {
            words.remove(last);
        }
        words.splice(last..last, self.rest);
        Ok(Canonical { words, notes })
    }

    fn call<'a>(&'a self, task: &'static Task, beside: &'a [String]) -> Call<'a> {
        Call {
            task,
            arguments: &self.variables,
            beside: Beside {
                words: beside,
                valued: &self.valued,
            },
            environment: self.environment,
        }
    }

    /// The task of a command that is called by its own name. Those of one word are both.
    fn task_of_command(&self) -> Option<&'static Task> {
        let plain = (0..self.rest.len()).filter(|at| is_plain(&self.rest, *at, &self.valued));
        let plain: Vec<&str> = plain.map(|at| self.rest[at].as_str()).collect();
        let of_several = TASKS.iter().filter(|task| task.canonical.len() > 1);
        let mut called = of_several.filter(|task| plain.starts_with(task.canonical));
        called.next()
    }

    /// What the environment has for the task of a command that was called by its own name, where nobody reads it.
    fn unread(&self, at: usize) -> Vec<String> {
        let Some(task) = self.task_of_command() else {
            return Vec::new();
        };
        let beside = self
            .rest
            .get(at + task.canonical.len()..)
            .unwrap_or_default();
        let call = self.call(task, beside);
        let is_set = |name: &str| (self.environment)(name).is_some_and(|value| !value.is_empty());
        let unread = VARIABLES
            .iter()
            .filter(|one| call.inherits(one) && is_set(one.name));
        let note = |variable: &Variable| {
            let (name, command) = (variable.name, task.canonical.join(" "));
            let instead = variable.meaning.on_a_command();
            format!(
                "`{name}` in the environment is not read by `{command}`, for which it is {instead}; the task `{}` reads it",
                task.name
            )
        };
        unread.map(note).collect()
    }

    /// Refuses options of Task that are none of ours: clap would take them for those of a command.
    fn refuse_options_of_task(&self) -> Result<(), Failure> {
        let own = |at: &usize| !matches!(self.rest[*at].as_str(), "--" | "exec");
        for at in (0..self.rest.len()).take_while(own) {
            let word = self.rest[at].as_str();
            let is_value = at > 0 && self.valued.contains(&self.rest[at - 1]);
            let known = OPTIONS_OF_TASK
                .iter()
                .find(|(names, _)| names.contains(&word));
            if let Some((_, instead)) = known.filter(|_| !is_value) {
                let message = format!("`{word}` is an option of Task");
                return Err(Failure::invalid(message).hint(*instead));
            }
        }
        Ok(())
    }

    /// Refuses a word that only looks like a task, and variables of a command that is none.
    fn refuse_foreign(&self, word: &str) -> Result<(), Failure> {
        let shown = without_userinfo(word);
        let first = self.variables.first();
        if word.contains(':') || (first.is_some() && !self.commands.contains(word)) {
            let known = TASKS.iter().map(|task| task.name);
            let meant = did_you_mean(
                &word.to_lowercase(),
                known.chain(self.commands.iter().copied()),
            );
            return Err(Failure::invalid(format!("unknown task `{shown}`{meant}"))
                .hint("`cargo xtask --help` lists the commands"));
        }
        let Some((name, _)) = first else {
            return Ok(());
        };
        let hint = match self.task_of_command() {
            Some(task) => format!("its task does: `cargo xtask {} {name}=…`", task.name),
            None => format!("`cargo xtask {shown} --help` lists its options"),
        };
        let message = format!("`{shown}` takes no variables, but got `{name}`");
        Err(Failure::invalid(message).hint(hint))
    }
}

/// Whether the word at a place is neither an option nor the value of one.
fn is_plain(words: &[String], at: usize, valued: &BTreeSet<String>) -> bool {
    let is_value = at > 0 && valued.contains(&words[at - 1]);
    !words[at].starts_with('-') && !is_value
}

/// `NAME=value`, as Task takes it.
fn variable(arg: &str) -> Option<(String, String)> {
    let (name, value) = arg.split_once('=')?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    named.then(|| (name.to_owned(), value.to_owned()))
}
