// SPDX-License-Identifier: Apache-2.0
//! A task that is called, with its variables: as a command with its options.

use std::ffi::OsString;

use super::{
    Canonical,
    beside::Beside,
    parts::{Parts, arguments, option, setting, switch},
    tasks::Task,
    variables::{self, Meaning, Scope, VARIABLES, Variable},
};
use crate::{
    config::{REGISTRY, SETTINGS},
    failure::{Failure, nearest},
};

/// A task, which variables it is called with, and what stands beside them.
pub(super) struct Call<'a> {
    pub task: &'static Task,
    /// `NAME=value` of the command line, as they stand there.
    pub arguments: &'a [(String, String)],
    pub beside: Beside<'a>,
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
}

/// A variable with the value that it has in a call.
struct Given {
    name: String,
    variable: &'static Variable,
    value: String,
    from_environment: bool,
}

impl Call<'_> {
    /// The command and its options; what stood beside the variables is not among them.
    pub(super) fn canonical(&self) -> Result<Canonical, Failure> {
        self.beside.refuse_foreign(self.task)?;
        let mut variables: Vec<Given> = Vec::new();
        for (name, value) in self.arguments {
            let variable = self.known(name)?;
            let name = variables::renamed(name);
            // The last of two counts.
            variables.retain(|given| given.name != name);
            variables.push(Given {
                name: name.to_owned(),
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
        if variable.scope == Scope::Task && !self.uses(variable) {
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
                    name: variable.name.to_owned(),
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

    /// Whether the environment may give a variable: the task uses it, no word on the command line says the same, and it
    /// is not a setting's own, which is read there anyway.
    pub(super) fn inherits(&self, variable: &Variable) -> bool {
        let mut settings = SETTINGS.iter();
        if settings.any(|setting| setting.env == variable.name) {
            return false;
        }
        let options: &[&str] = match &variable.meaning {
            Meaning::Target => &["--target", "--all", "--rerun-failed"],
            Meaning::Option(flag) | Meaning::Path(flag) => std::slice::from_ref(flag),
            _ => &[],
        };
        let is_operand = self.task.variables.first() == Some(&variable.name);
        let is_said = options.iter().any(|flag| self.beside.has_option(flag))
            || (is_operand && self.beside.has_operand());
        variable.scope == Scope::Task && self.uses(variable) && !is_said
    }

    /// A path as a shell understands it, when `~` is its first folder.
    fn below_home(&self, path: &str) -> String {
        let home = || (self.environment)("HOME")?.into_string().ok();
        let expanded = path.strip_prefix("~/").zip(home());
        expanded.map_or_else(
            || path.to_owned(),
            |(below, home)| format!("{home}/{below}"),
        )
    }

    /// Puts what a variable stands for among the parts.
    fn take(
        &self,
        given: &Given,
        parts: &mut Parts,
        notes: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let (name, value) = (given.name.as_str(), given.value.as_str());
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
            Meaning::Option(flag) | Meaning::Path(flag) if self.beside.valued.contains(*flag) => {
                self.beside.refuse_twice(name, flag)?;
                let value = match given.variable.meaning {
                    Meaning::Path(_) => self.below_home(value),
                    _ => value.to_owned(),
                };
                parts.options.push(option(name, flag, &value)?);
            }
            Meaning::Option(flag) | Meaning::Path(flag) => {
                let switch = switch(name, flag, value)?;
                if switch.is_none() {
                    self.beside.refuse_twice(name, flag)?;
                }
                // Said twice, it is on.
                parts
                    .options
                    .extend(switch.filter(|flag| !self.beside.has_option(flag)));
            }
            Meaning::Setting(key, pattern) => {
                let value = pattern.replace("{}", value);
                parts.options.push(setting(name, key, &value)?);
            }
            Meaning::RegistryHost => {
                setting(name, REGISTRY.name(), &format!("{value}:5000"))?;
                parts.registry_host = Some(value.to_owned());
            }
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
        if SETTINGS.iter().any(|setting| setting.env == name) {
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

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
