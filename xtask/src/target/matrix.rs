// SPDX-License-Identifier: Apache-2.0
//! What bake builds of each extension.

use std::{collections::BTreeMap, sync::Arc};

use super::{Definitions, Target, model};
use crate::{
    config::Config,
    extension::Extension,
    failure::Failure,
    value::{Server, joined},
};

/// The targets of extensions, by the extensions' names. One that cannot be built spoils no other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matrix {
    of: BTreeMap<String, Result<Vec<Target>, Failure>>,
    /// The same of extensions of other repositories, which one that is built here may be called like.
    external: BTreeMap<String, Result<Vec<Target>, Failure>>,
}

impl Matrix {
    /// As this repository's own bake file would build them.
    pub(crate) fn modelled(extensions: &[Arc<Extension>], config: &Config) -> Self {
        let mut matrix = Self::default();
        for extension in extensions {
            let targets = model::targets(extension, config);
            matrix.of.insert(extension.name.clone(), targets);
        }
        matrix
    }

    /// Adds what bake has printed of an extension, or why it has printed nothing.
    pub(crate) fn add(
        &mut self,
        extension: &Arc<Extension>,
        definitions: Result<Definitions, Failure>,
        config: &Config,
    ) {
        let targets = definitions.and_then(|all| {
            let all = Arc::new(all);
            let targets = all.built();
            let targets =
                targets.map(|definition| Target::defined(extension, &all, definition, config));
            targets.collect::<Result<_, _>>().map(told_apart)
        });
        self.of.insert(extension.name.clone(), targets);
    }

    /// Adds the images of an extension of another repository, for each server that something is built for.
    pub(crate) fn add_external(&mut self, extension: &Arc<Extension>) {
        let Some(external) = &extension.external else {
            return;
        };
        let mut targets: Vec<Target> = Vec::new();
        let mut refused = None;
        for other in self.of.values().flatten().flatten() {
            if targets.iter().any(|known| known.server == other.server) {
                continue;
            }
            match Target::external(extension, external, other) {
                Ok(target) => targets.push(target),
                Err(failure) => refused = Some(failure),
            }
        }
        // Those that it is there for can be used; if it is for none, this is why.
        let targets = match refused {
            Some(failure) if targets.is_empty() => Err(failure),
            _ => Ok(targets),
        };
        self.external.insert(extension.name.clone(), targets);
    }

    /// What is built of an extension otherwise than the rules of the default layout say, a difference a text.
    pub(crate) fn differences(
        &self,
        extension: &Arc<Extension>,
        config: &Config,
    ) -> Result<Vec<String>, Failure> {
        let Some(Ok(targets)) = self.of.get(&extension.name) else {
            return Ok(Vec::new());
        };
        let mut different = Vec::new();
        let modelled = model::targets(extension, config)?;
        for model in &modelled {
            let Some(target) = targets.iter().find(|target| target.server == model.server) else {
                different.push(format!(
                    "bake builds nothing for {}, which `versions` names",
                    model.server
                ));
                continue;
            };
            let pairs = [
                ("target", target.name.clone(), model.name.clone()),
                ("tag", target.tag.to_string(), model.tag.to_string()),
                (
                    "base image",
                    target.base.to_string(),
                    model.base.to_string(),
                ),
                (
                    "platforms",
                    joined(&target.platforms),
                    joined(&model.platforms),
                ),
            ];
            for (what, said, expected) in pairs {
                if said != expected {
                    different.push(format!(
                        "bake's {what} for {} is `{said}`, where this layout's is `{expected}`",
                        model.server
                    ));
                }
            }
        }
        let is_modelled =
            |target: &&Target| modelled.iter().any(|model| model.server == target.server);
        for target in targets.iter().filter(|target| !is_modelled(target)) {
            different.push(format!(
                "bake builds `{}`, which `versions` does not name",
                target.name
            ));
        }
        Ok(different)
    }

    /// All targets of these extensions, and the extensions of which bake says none, with why.
    pub(crate) fn sound<'a>(
        &'a self,
        extensions: &'a [Arc<Extension>],
    ) -> (Vec<&'a Target>, Vec<(&'a Extension, &'a Failure)>) {
        let (mut sound, mut refused) = (Vec::new(), Vec::new());
        for extension in extensions {
            match self.of.get(&extension.name) {
                Some(Ok(targets)) => sound.extend(targets),
                Some(Err(failure)) => refused.push((&**extension, failure)),
                None => {}
            }
        }
        (sound, refused)
    }

    /// The targets of an extension, in bake's order. Fails when bake does not say them.
    pub(crate) fn of(&self, extension: &Extension) -> Result<&[Target], Failure> {
        let all = match extension.external {
            Some(_) => &self.external,
            None => &self.of,
        };
        match all.get(&extension.name) {
            Some(Ok(targets)) => Ok(targets),
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(Failure::failed(format!(
                "bake was not asked what it builds of `{}`",
                extension.name
            ))),
        }
    }
}

/// The targets of one extension, each with whether another is for its server.
fn told_apart(mut targets: Vec<Target>) -> Vec<Target> {
    let servers: Vec<Server> = targets.iter().map(|one| one.server.clone()).collect();
    for target in &mut targets {
        let alike = servers.iter().filter(|server| **server == target.server);
        target.has_twin = alike.count() > 1;
    }
    targets
}
