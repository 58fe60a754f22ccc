// SPDX-License-Identifier: Apache-2.0
//! What a new extension needs of others: where each is that its control files require.

use std::sync::Arc;

use crate::{
    extension::Extension,
    failure::Failure,
    stage::creation::Request,
    stage::package::Package,
    value::{Name, PackageName},
};

/// Looks for what is needed.
pub(crate) struct Needs<'a> {
    pub request: &'a Request,
    pub package: &'a Package,
    /// The repository's.
    pub extensions: &'a [Arc<Extension>],
}

impl Needs<'_> {
    /// The extensions here whose packages those of the new one depend on.
    pub(crate) fn of_packages(&self) -> Vec<Name> {
        self.owners(&self.package.depends)
    }

    /// The extensions here that those packages recommend, or that are one of several which they can do with.
    pub(crate) fn recommended(&self) -> Vec<Name> {
        self.owners(&self.package.recommends)
    }

    /// Whose packages these are.
    fn owners(&self, packages: &[PackageName]) -> Vec<Name> {
        let mut owners = Vec::new();
        for package in packages {
            let is_of = |one: &&Arc<Extension>| {
                let mut servers = self.request.servers.iter();
                servers.any(|server| one.package_names(&server.major).contains(package))
            };
            if let Some(found) = self.extensions.iter().find(is_of) {
                put(&mut owners, found);
            }
        }
        owners
    }

    /// Adds the directories that an extension of the package needs. Fails where nobody has what it requires.
    pub(crate) fn add(&self, name: &str, required: &mut Vec<Name>) -> Result<(), Failure> {
        for needed in self.package.controls.requires(name, None) {
            if self.package.controls.has(needed) || self.package.server.contains(needed) {
                continue;
            }
            let creates = |one: &&Arc<Extension>| {
                let mut others = one.sql_extensions.iter();
                one.create_extension
                    && (one.sql_name == *needed || others.any(|other| other.name == *needed))
            };
            let found = self.extensions.iter().find(creates).ok_or_else(|| {
                Failure::invalid(format!(
                    "`{name}` requires `{needed}`, which neither the base image has nor an extension of this repository creates"
                ))
                .hint(format!(
                    "first `cargo xtask create-extension {} --from-archive`",
                    needed.replace('_', "-")
                ))
            })?;
            put(required, found);
        }
        Ok(())
    }
}

fn put(required: &mut Vec<Name>, extension: &Extension) {
    if let Ok(name) = extension.name.parse::<Name>()
        && !required.contains(&name)
    {
        required.push(name);
    }
}
