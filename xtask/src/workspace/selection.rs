// SPDX-License-Identifier: Apache-2.0
//! Which extensions of a repository are meant, and whether they can be worked with.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::Workspace;
use crate::{
    extension::Extension,
    failure::{Failure, Kind, did_you_mean},
    finding::Severity,
    value::Name,
    verdict::Verdict,
};

/// Which extensions the user means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    All,
    /// Those that metadata files speak of: which these are, what bake says of all will tell.
    Written,
    /// By directory name; none is a mistake.
    Named(Vec<String>),
}

/// What extensions are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Their images.
    Images,
    /// Servers with these, as CloudNativePG makes or refuses them.
    Servers,
}

impl Selection {
    pub(crate) fn one(name: &str) -> Self {
        Self::Named(vec![name.to_owned()])
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::All | Self::Written => true,
            Self::Named(names) => names.iter().any(|named| named == name),
        }
    }

    /// Those that are named; empty when all are meant.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::All | Self::Written => &[],
            Self::Named(names) => names,
        }
    }

    pub(crate) fn is_named(&self) -> bool {
        matches!(self, Self::Named(_))
    }

    /// Whether nothing was said of which extensions are meant.
    pub(crate) fn is_none(&self) -> bool {
        self.is_named() && self.names().is_empty()
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
                if self.misnamed.contains(name) {
                    let place = self.shown(name);
                    return Err(Failure::invalid(format!(
                        "`{}` holds a metadata.hcl, but the directory's name is not {}",
                        place.display(),
                        Name::WANTED
                    ))
                    .hint("rename the directory, and `name` in its metadata.hcl"));
                }
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

    /// The extensions that are meant, dependencies first; refused when one is unknown, or broken for what is wanted.
    pub(crate) fn select(
        &self,
        selection: &Selection,
        aim: Aim,
    ) -> Result<Vec<Arc<Extension>>, Failure> {
        self.check(selection)?;
        if self.names.is_empty() {
            return Err(self.without_extensions());
        }
        let unread = self.unread(aim);
        let broken = unread.iter().filter(|one| selection.has(&one.name));
        let broken: Vec<&Unread> = broken.collect();
        if !broken.is_empty() {
            return Err(refused(&broken));
        }
        let wanted = |extension: &&Arc<Extension>| selection.has(&extension.name);
        Ok(self.extensions.iter().filter(wanted).cloned().collect())
    }

    /// The same; but when all are meant, those that cannot be read are left out and given too. Refused when nothing is
    /// left.
    pub(crate) fn choose(&self, selection: &Selection, aim: Aim) -> Result<Chosen, Failure> {
        if !selection.is_named() {
            let chosen = self.sorted_out(aim);
            if !chosen.extensions.is_empty() {
                return Ok(chosen);
            }
        }
        Ok(Chosen {
            extensions: self.select(selection, aim)?,
            unread: Vec::new(),
        })
    }

    /// All extensions, told apart by whether they can be worked with.
    pub(crate) fn sorted_out(&self, aim: Aim) -> Chosen {
        let unread = self.unread(aim);
        let is_read = |one: &&Arc<Extension>| !unread.iter().any(|other| other.name == one.name);
        Chosen {
            extensions: self.extensions.iter().filter(is_read).cloned().collect(),
            unread,
        }
    }

    /// The extensions that cannot be worked with: their metadata has errors, or, for servers, that of something that they
    /// need. An image is built without the others.
    fn unread(&self, aim: Aim) -> Vec<Unread> {
        let mut unread = self.unread_themselves(aim);
        if aim == Aim::Servers {
            self.add_dependants(&mut unread);
        }
        unread
    }

    /// Those of which the metadata itself says why.
    fn unread_themselves(&self, aim: Aim) -> Vec<Unread> {
        let mut unread: Vec<Unread> = Vec::new();
        let own = self.findings.iter().map(|one| (one, Verdict::NotRead));
        let between = self.between.iter().filter(|one| one.stops(aim));
        let between = between.map(|one| {
            let of_image = one.stops(Aim::Images);
            let verdict = if of_image {
                Verdict::NotRead
            } else {
                Verdict::NotRun
            };
            (&one.finding, verdict)
        });
        let refused = self.refused().filter(|_| aim == Aim::Servers);
        let refused = refused.map(|one| (one, Verdict::NotRun));
        for (finding, verdict) in own.chain(between).chain(refused) {
            let folder = finding.file.parent().and_then(Path::file_name);
            let Some(name) = folder.map(|name| name.to_string_lossy().into_owned()) else {
                continue;
            };
            if finding.severity != Severity::Error {
                continue;
            }
            let known = unread.iter_mut().find(|one| one.name == name);
            if let Some(known) = known {
                let why = known.why.clone();
                known.why = why.detail(finding.to_string());
            } else {
                let why = Failure::invalid("its metadata has errors").detail(finding.to_string());
                unread.push(Unread { name, why, verdict });
            }
        }
        unread.extend(self.open.iter().map(|(open, why)| Unread {
            name: open.name(),
            why: why.clone(),
            verdict: Verdict::NotRead,
        }));
        unread
    }

    /// Adds what needs what cannot be read.
    fn add_dependants(&self, unread: &mut Vec<Unread>) {
        let elsewhere = self.refused_elsewhere();
        // Each extension stands behind those that it needs.
        for extension in &self.extensions {
            let is_unread = |name: &String| {
                let of_others = self.external.contains_key(name);
                let mut all = if of_others { &elsewhere } else { &*unread }.iter();
                all.find(|one| one.name == *name)
            };
            let needs = extension.required_extensions.iter().find_map(is_unread);
            let is_known = unread.iter().any(|one| one.name == extension.name);
            if let Some(needed) = needs.filter(|_| !is_known) {
                let message = format!("it needs `{}`", needed.name);
                let why = Failure {
                    message,
                    ..needed.why.clone()
                };
                unread.push(Unread {
                    name: extension.name.clone(),
                    why,
                    verdict: needed.verdict,
                });
            }
        }
    }

    /// The extensions of other repositories that no server can be made with.
    fn refused_elsewhere(&self) -> Vec<Unread> {
        let known = self.external.values().filter_map(|one| one.as_ref().ok());
        let refused = known.filter(|one| !one.refused.is_empty());
        let refused = refused.map(|one| {
            let why = Failure::invalid("its metadata has errors");
            Unread {
                name: one.name.clone(),
                why: one
                    .refused
                    .iter()
                    .map(ToString::to_string)
                    .fold(why, Failure::detail),
                verdict: Verdict::NotRun,
            }
        });
        refused.collect()
    }
}

/// Why extensions cannot be worked with that are meant.
fn refused(broken: &[&Unread]) -> Failure {
    // What bake has not evaluated may well be right, and what it refuses, it says itself.
    let is_open = |one: &&&Unread| one.why.kind != Kind::Invalid || one.why.command.is_some();
    if let Some(open) = broken.iter().find(is_open) {
        let why = open.why.clone();
        let message = format!("`{}` cannot be read: {}", open.name, why.message);
        return Failure { message, ..why };
    }
    let failure = Failure::invalid("the metadata has errors");
    // Those that need each other have theirs in common.
    let mut seen = BTreeSet::new();
    let details = broken.iter().flat_map(|one| &one.why.details);
    let details = details.filter(|detail| seen.insert(*detail));
    let failure = details.fold(failure, |all, detail| all.detail(detail.clone()));
    failure.hint("run `cargo xtask checks` again when it is fixed")
}

/// The extensions that are meant.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// Dependencies first.
    pub extensions: Vec<Arc<Extension>>,
    /// Those that are meant too and cannot be read.
    pub unread: Vec<Unread>,
}

/// An extension of which it is not known what it is, or what bake builds of it, or that no server can be made with.
#[derive(Clone, Debug)]
pub(crate) struct Unread {
    /// Its directory.
    pub name: String,
    pub why: Failure,
    /// Not read, or read and not run.
    pub verdict: Verdict,
}

impl Unread {
    /// Why, in a line.
    pub(crate) fn reason(&self) -> String {
        let said = self.why.command.as_ref().and_then(|failed| failed.cause());
        match self.why.details.first().map(String::as_str).or(said) {
            Some(detail) => format!("{}: {detail}", self.why.message),
            None => self.why.message.clone(),
        }
    }
}
