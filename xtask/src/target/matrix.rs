// SPDX-License-Identifier: Apache-2.0
//! What bake builds of each extension.

use std::{collections::BTreeMap, sync::Arc};

use super::{Printed, Target, model};
use crate::{config::Config, extension::Extension, failure::Failure};

/// The targets of extensions, by the extensions' names. One that cannot be built spoils no other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matrix {
    of: BTreeMap<String, Result<Vec<Target>, Failure>>,
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
        printed: Result<Printed, Failure>,
        config: &Config,
    ) {
        let targets = printed.and_then(|printed| {
            let printed = Arc::new(printed);
            let targets = printed.built();
            targets
                .map(|definition| Target::printed(extension, &printed, definition, config))
                .collect()
        });
        self.of.insert(extension.name.clone(), targets);
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
        match self.of.get(&extension.name) {
            Some(Ok(targets)) => Ok(targets),
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(Failure::failed(format!(
                "bake was not asked what it builds of `{}`",
                extension.name
            ))),
        }
    }
}
