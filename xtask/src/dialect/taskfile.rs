// SPDX-License-Identifier: Apache-2.0
//! What somebody else's Taskfile means here: its tasks, and the values that it gives to variables.

use serde::Serialize;

use super::{
    tasks,
    variables::{self, Meaning, VARIABLES},
};
use crate::config::{Config, REGISTRY};

/// The command that the task of this name is, as its words; None: it is none of the old Taskfile's.
pub(crate) fn command_of(task: &str) -> Option<String> {
    Some(tasks::find(task)?.canonical.join(" "))
}

/// A setting that a Taskfile has given a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Said {
    /// The setting's key.
    pub key: &'static str,
    pub value: String,
    /// The Taskfile's variable.
    pub variable: &'static str,
}

/// What variables of a Taskfile, each with its value, say of the settings. What a setting cannot be is left out, as is
/// what no setting says.
pub(crate) fn settings(variables: &[(String, String)]) -> Vec<Said> {
    let value_of = |name: &str| {
        let mut same = variables
            .iter()
            .filter(|(known, _)| variables::renamed(known) == name);
        same.next_back().map(|(_, value)| value.as_str())
    };
    let said = VARIABLES.iter().filter_map(|variable| {
        let value = value_of(variable.name)?;
        let (key, value) = match variable.meaning {
            Meaning::Setting(key, pattern) => (key, pattern.replace("{}", value)),
            Meaning::RegistryHost => {
                let port = value_of("REGISTRY_HOST_PORT").unwrap_or("5000");
                (REGISTRY.name(), format!("{value}:{port}"))
            }
            Meaning::RegistryPort if value_of("REGISTRY_HOST_NAME").is_none() => {
                (REGISTRY.name(), format!("localhost:{value}"))
            }
            _ => return None,
        };
        let variable = variable.name;
        Config::objection(key, &value).is_none().then_some(Said {
            key,
            value,
            variable,
        })
    });
    said.collect()
}
