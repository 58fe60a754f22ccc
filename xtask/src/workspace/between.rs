// SPDX-License-Identifier: Apache-2.0
//! What only all metadata files together can show.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::Workspace;
use crate::{
    extension::{Extension, Pin, example},
    failure::did_you_mean,
    finding::{Finding, Severity},
    value::Server,
};

impl Workspace {
    fn find(&mut self, extension: &Extension, line: Option<usize>, message: String) {
        self.between.push(Finding {
            file: extension.metadata_file.clone(),
            line,
            severity: Severity::Error,
            message,
        });
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
                        let message = format!("`required_extensions` names `{required}`: {why}");
                        self.find(extension, None, message);
                        continue;
                    }
                    None => {}
                }
                let Some(dependency) = extensions.iter().find(|other| &other.name == required)
                else {
                    if !self.names.contains(required) {
                        let meant = did_you_mean(required, self.names());
                        self.find(extension, None, format!("`required_extensions` names `{required}`, which does not exist{meant}; {}", example(required)));
                    }
                    continue;
                };
                for (server, Pin { line, .. }) in &extension.versions {
                    if dependency.pin(server).is_none() {
                        let Server { distro, major } = server;
                        self.find(extension, Some(*line), format!("is built for {distro} and PostgreSQL {major}, but `{required}`, which it needs, is not"));
                    }
                }
            }
            if let Some(path) = cycle(&extensions, &extension.name) {
                self.find(
                    extension,
                    None,
                    format!("`required_extensions` form a cycle: {}", path.join(" -> ")),
                );
            }
        }
    }
}

/// The volume of a server's pod that has an extension's image: `SanitizeExtensionNameForVolume` in `pkg/specs/volumes.go` of
/// CloudNativePG 1.30.0.
fn volume(name: &str) -> String {
    format!("ext-{}", name.replace('_', "-"))
}

/// A way from `start` back to itself through `required_extensions`.
fn cycle(extensions: &[Arc<Extension>], start: &str) -> Option<Vec<String>> {
    fn walk(
        extensions: &[Arc<Extension>],
        path: &mut Vec<String>,
        seen: &mut BTreeSet<String>,
    ) -> bool {
        let here = path.last().cloned().unwrap_or_default();
        let Some(extension) = extensions.iter().find(|extension| extension.name == here) else {
            return false;
        };
        for next in &extension.required_extensions {
            path.push(next.clone());
            if Some(next) == path.first()
                || (seen.insert(next.clone()) && walk(extensions, path, seen))
            {
                return true;
            }
            path.pop();
        }
        false
    }
    let mut path = vec![start.to_owned()];
    let mut seen = BTreeSet::new();
    walk(extensions, &mut path, &mut seen).then_some(path)
}
