// SPDX-License-Identifier: Apache-2.0
//! Which extensions of a repository are meant, and whether they can be worked with.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::Workspace;
use crate::{
    extension::Extension,
    failure::{Failure, did_you_mean},
    finding::{Finding, Severity},
};

/// Which extensions the user means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    All,
    /// By directory name; none is a mistake.
    Named(Vec<String>),
}

impl Selection {
    pub(crate) fn one(name: &str) -> Self {
        Self::Named(vec![name.to_owned()])
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|named| named == name),
        }
    }

    /// Those that are named; empty when all are meant.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::All => &[],
            Self::Named(names) => names,
        }
    }

    /// Whether it is one extension that is named.
    pub(crate) fn is_one(&self) -> bool {
        self.names().len() == 1
    }
}

impl Workspace {
    /// Refuses names that are no extension, and a selection that names none.
    pub(crate) fn check(&self, selection: &Selection) -> Result<(), Failure> {
        let known = || -> Vec<String> { self.names().map(|name| format!("`{name}`")).collect() };
        for name in selection.names() {
            if !self.names.contains(name) {
                let meant = did_you_mean(name, self.names());
                return Err(
                    Failure::invalid(format!("extension `{name}` not found{meant}"))
                        .hint(format!("known extensions: {}", known().join(", "))),
                );
            }
        }
        match selection {
            Selection::Named(names) if names.is_empty() => {
                Err(Failure::invalid("which extension?").hint(format!(
                    "name one or more of {}, or use `--all`",
                    known().join(", ")
                )))
            }
            _ => Ok(()),
        }
    }

    /// The extensions that are meant, dependencies first; refused when one is unknown or broken.
    pub(crate) fn select(&self, selection: &Selection) -> Result<Vec<Arc<Extension>>, Failure> {
        self.check(selection)?;
        let wanted = |extension: &&Arc<Extension>| selection.has(&extension.name);
        let needed: BTreeSet<&String> = self
            .extensions
            .iter()
            .filter(wanted)
            .flat_map(|extension| &extension.required_extensions)
            .collect();
        let is_broken = |finding: &&Finding| {
            let folder = finding.file.parent().and_then(Path::file_name);
            let name = folder.map(|name| name.to_string_lossy().into_owned());
            let meant = |name: &String| selection.has(name) || needed.contains(name);
            finding.severity == Severity::Error && name.as_ref().is_some_and(meant)
        };
        let mut broken = self.findings.iter().filter(is_broken).peekable();
        if broken.peek().is_some() {
            let failure = Failure::invalid("the metadata has errors");
            let failure = broken.fold(failure, |all, one| all.detail(one.to_string()));
            return Err(failure.hint("run `cargo xtask checks` again when it is fixed"));
        }
        if self.names.is_empty() {
            return Err(self.without_extensions());
        }
        Ok(self.extensions.iter().filter(wanted).cloned().collect())
    }
}
