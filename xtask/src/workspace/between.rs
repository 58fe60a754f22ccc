// SPDX-License-Identifier: Apache-2.0
//! What only all metadata files together can show.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Aim, Workspace};
use crate::{
    extension::{Extension, Pin, example},
    failure::did_you_mean,
    finding::{Finding, Severity},
    value::Server,
};

/// A finding, and whom it keeps from working.
#[derive(Clone, Debug)]
pub(super) struct Between {
    pub finding: Finding,
    /// What the extension cannot be used for. None: it can, but for the server that the finding names.
    stops: Option<Aim>,
}

impl Between {
    /// Whether the extension cannot be used for this. Without an image there is no server either.
    pub(super) fn stops(&self, aim: Aim) -> bool {
        self.stops == Some(Aim::Images) || self.stops == Some(aim)
    }
}

impl Workspace {
    fn find(
        &mut self,
        extension: &Extension,
        line: Option<usize>,
        stops: impl Into<Option<Aim>>,
        message: String,
    ) {
        let finding = Finding {
            file: extension.metadata_file.clone(),
            line,
            severity: Severity::Error,
            message,
        };
        let stops = stops.into();
        self.between.push(Between { finding, stops });
    }

    /// Finds extensions that one server gets, and whose volumes have the same name.
    fn check_volumes(&mut self) {
        self.refused.clear();
        for extension in self.extensions.clone() {
            let mut volumes: BTreeMap<String, String> = BTreeMap::new();
            let all = self.dependencies(&extension);
            for one in std::iter::once(&extension).chain(&all) {
                let volume = volume(&one.name);
                let Some(other) = volumes.insert(volume.clone(), one.name.clone()) else {
                    continue;
                };
                self.refused.push(Finding {
                    file: extension.metadata_file.clone(),
                    line: None,
                    severity: Severity::Error,
                    message: format!(
                        "a server with `{}` has `{other}` and `{}`, and CloudNativePG calls the volumes of both `{volume}`: it cannot have both; one of the directories needs another name",
                        extension.name, one.name
                    ),
                });
            }
        }
    }

    /// What only all files together can show.
    pub(super) fn cross_check(&mut self) {
        self.check_volumes();
        self.between.clear();
        let extensions = self.extensions.clone();
        let mut images: BTreeMap<&str, &str> = BTreeMap::new();
        for extension in &extensions {
            if let Some(other) = images.insert(&extension.image_name, &extension.name) {
                self.find(
                    extension,
                    None,
                    Aim::Images,
                    format!(
                        "`image_name` is `{}`, which `{other}` has too",
                        extension.image_name
                    ),
                );
            }
            for required in &extension.required_extensions {
                match self.external.get(required) {
                    Some(Ok(_)) => continue,
                    Some(Err(why)) => {
                        let why = of_settings(why);
                        let message = format!("`required_extensions` names `{required}`: {why}");
                        self.find(extension, None, Aim::Servers, message);
                        continue;
                    }
                    None => {}
                }
                let Some(dependency) = extensions.iter().find(|other| &other.name == required)
                else {
                    if !self.names.contains(required) {
                        let meant = did_you_mean(required, self.names());
                        self.find(extension, None, Aim::Servers, format!("`required_extensions` names `{required}`, which does not exist{meant}; {}", example(required)));
                    }
                    continue;
                };
                for (server, Pin { line, .. }) in &extension.versions {
                    if dependency.pin(server).is_none() {
                        let Server { distro, major } = server;
                        self.find(extension, Some(*line), None, format!("is built for {distro} and PostgreSQL {major}, but `{required}`, which it needs, is not"));
                    }
                }
            }
            self.check_elsewhere(extension);
            if let Some(path) = self.cycle(&extension.name) {
                self.find(
                    extension,
                    None,
                    Aim::Servers,
                    format!("`required_extensions` form a cycle: {}", path.join(" -> ")),
                );
            }
        }
    }

    /// What an extension needs by way of another repository's, which must be known too.
    fn check_elsewhere(&mut self, extension: &Extension) {
        let known = |name: &String| self.needed(name).is_some() || self.names.contains(name);
        let mut lacking: Vec<(String, String)> = Vec::new();
        for needed in self.dependencies(extension) {
            let unknown = needed
                .required_extensions
                .iter()
                .filter(|name| !known(name));
            if needed.external.is_some() {
                lacking.extend(unknown.map(|name| (needed.name.clone(), name.clone())));
            }
        }
        for (needed, name) in lacking {
            let message = format!(
                "`required_extensions` leads to `{needed}` of another repository, which needs `{name}`, which does not exist; {}",
                example(&name)
            );
            self.find(extension, None, Aim::Servers, message);
        }
    }

    /// A way from `start` back to itself through `required_extensions`.
    fn cycle(&self, start: &str) -> Option<Vec<String>> {
        let mut path = vec![start.to_owned()];
        let mut seen = BTreeSet::new();
        self.leads_back(&mut path, &mut seen).then_some(path)
    }

    fn leads_back(&self, path: &mut Vec<String>, seen: &mut BTreeSet<String>) -> bool {
        let here = path.last().cloned().unwrap_or_default();
        let is_start = path.len() == 1;
        let here = if is_start {
            self.get(&here)
        } else {
            self.needed(&here)
        };
        let Some(extension) = here.map(Arc::clone) else {
            return false;
        };
        for next in &extension.required_extensions {
            path.push(next.clone());
            if Some(next) == path.first()
                || (seen.insert(next.clone()) && self.leads_back(path, seen))
            {
                return true;
            }
            path.pop();
        }
        false
    }
}

/// A finding of a settings file, as a part of another's message.
fn of_settings(finding: &Finding) -> String {
    let line = finding.line.map(|line| format!(" line {line}"));
    let (file, line) = (finding.file.display(), line.unwrap_or_default());
    format!("`{file}`{line}: {}", finding.message)
}

/// The volume of a server's pod that has an extension's image: `SanitizeExtensionNameForVolume` in `pkg/specs/volumes.go` of
/// CloudNativePG 1.30.0.
fn volume(name: &str) -> String {
    format!("ext-{}", name.replace('_', "-"))
}
