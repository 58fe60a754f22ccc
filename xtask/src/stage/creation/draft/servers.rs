// SPDX-License-Identifier: Apache-2.0
//! One draft for all servers: what the package of each says, put together. Metadata has one value for all of them, so a person is
//! told where they differ.

use std::sync::Arc;

use super::{Draft, Pin};
use crate::{
    extension::Extension,
    failure::Failure,
    stage::{
        creation::{Request, metadata::Layout},
        package::Package,
    },
    value::{Server, Suite},
};

/// A server's package.
pub(crate) struct Known<'a> {
    pub server: Server,
    pub package: &'a Package,
    /// The distro whose archive was asked in its place.
    pub of: Option<Suite>,
}

/// What one answer of the archive says, for the servers that it counts for.
struct Part {
    servers: String,
    draft: Draft,
}

impl Draft {
    /// The draft, as the archive says it: what the package of any server needs is in it. `extensions` are those that it may need.
    /// Fails where the servers' packages are not called alike.
    pub(crate) fn known(
        request: &Request,
        known: &[Known<'_>],
        extensions: &[Arc<Extension>],
    ) -> Result<Self, Failure> {
        let parts = parts(request, known, extensions)?;
        refuse_different_packages(&parts)?;
        // What can be created somewhere says more than a module alone.
        let creates = parts.iter().find(|part| part.draft.is_created);
        let Some(first) = creates.or(parts.first()) else {
            return Ok(Self::of(request));
        };
        let mut draft = first.draft.clone();
        for part in &parts {
            draft.take_in(&part.draft);
        }
        draft.undecided = sentences(&parts);
        draft.undecided.extend(draft.differences(&parts));
        draft.pins = known
            .iter()
            .map(|one| (one.server.clone(), draft.pin(one)))
            .collect();
        Ok(draft)
    }

    /// What another server's package has or needs besides.
    fn take_in(&mut self, other: &Self) {
        self.files.extend(other.files.iter().cloned());
        self.has_libraries |= other.has_libraries;
        self.has_programs |= other.has_programs;
        add_new(&mut self.preload, &other.preload);
        add_new(&mut self.required, &other.required);
        add_new(&mut self.others, &other.others);
        self.others.retain(|name| **name != *self.sql_name);
        for (name, value) in &other.parameters {
            let own = self.parameters.entry(name.clone());
            own.or_insert_with(|| value.clone());
        }
        self.licences = match (self.licences.take(), &other.licences) {
            (Some(mut own), Some(others)) => {
                add_new(&mut own, others);
                Some(own)
            }
            // What is not certain of one is not certain of all.
            _ => None,
        };
    }

    fn pin(&self, known: &Known<'_>) -> Pin {
        let package = known.package;
        let sql = package.controls.default_version(&self.sql_name);
        Pin {
            package: match package.packages.first() {
                Some((_, version)) => Some(version.clone()),
                None => package.release.clone(),
            },
            sql: sql
                .filter(|_| self.is_created)
                .and_then(|version| version.parse().ok()),
            of: known.of.clone(),
        }
    }

    /// A sentence for each field that is not the same for all servers.
    fn differences(&self, parts: &[Part]) -> Vec<String> {
        let fields = self.fields(Layout::Shared).into_iter();
        // It follows from the folder of libraries.
        let fields = fields.filter(|(name, _)| *name != "auto_update_os_libs");
        let differs = fields.filter_map(|(name, written)| {
            let values: Vec<(&str, String)> = parts
                .iter()
                .map(|part| (&*part.servers, part.draft.value(name)))
                .collect();
            let (_, first) = values.first()?;
            if values.iter().all(|(_, value)| value == first) {
                return None;
            }
            let said = values.iter();
            let said = said.map(|(servers, value)| format!("{servers} has {value}"));
            Some(format!(
                "`{name}` is one value for all servers, {}, and their packages differ: {}",
                in_one_line(&written),
                said.collect::<Vec<_>>().join("; ")
            ))
        });
        differs.collect()
    }

    /// A field of the metadata, in one line.
    fn value(&self, name: &str) -> String {
        let fields = self.fields(Layout::Shared);
        let field = fields.iter().find(|(field, _)| *field == name);
        field.map_or_else(|| "none".to_owned(), |(_, value)| in_one_line(value))
    }
}

/// A draft for each answer, in the order of the servers.
fn parts(
    request: &Request,
    known: &[Known<'_>],
    extensions: &[Arc<Extension>],
) -> Result<Vec<Part>, Failure> {
    let mut parts: Vec<(&Package, Part)> = Vec::new();
    for one in known {
        let same = |(package, _): &&mut (&Package, Part)| std::ptr::eq(*package, one.package);
        if let Some((_, part)) = parts.iter_mut().find(same) {
            part.servers += &format!(", {}", one.server);
            continue;
        }
        let draft = Draft::of_package(request, &one.server.major, one.package, extensions)
            .map_err(|failure| failure.detail(format!("so says the package for {}", one.server)))?;
        let servers = one.server.to_string();
        parts.push((one.package, Part { servers, draft }));
    }
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

/// Metadata has one pattern for the names, by which bake takes the version of each server.
fn refuse_different_packages(parts: &[Part]) -> Result<(), Failure> {
    let Some(first) = parts.first() else {
        return Ok(());
    };
    if parts
        .iter()
        .all(|part| part.draft.packages == first.draft.packages)
    {
        return Ok(());
    }
    let failure = Failure::invalid("the servers' packages are not called alike");
    let lines = parts
        .iter()
        .map(|part| format!("{}: {}", part.servers, part.draft.value("packages")));
    Err(lines
        .fold(failure, Failure::detail)
        .hint("`--package` names one that all have, `--distro` and `--pg` leave servers out"))
}

/// What is left to a person: with its servers where it is not said of all.
fn sentences(parts: &[Part]) -> Vec<String> {
    let mut all = Vec::new();
    for sentence in parts.iter().flat_map(|part| &part.draft.undecided) {
        let of: Vec<&Part> = parts
            .iter()
            .filter(|part| part.draft.undecided.contains(sentence))
            .collect();
        let said = if of.len() == parts.len() {
            sentence.clone()
        } else {
            let servers: Vec<&str> = of.iter().map(|part| &*part.servers).collect();
            format!("{}: {sentence}", servers.join(", "))
        };
        add_new(&mut all, &[said]);
    }
    all
}

fn add_new<T: Clone + PartialEq>(all: &mut Vec<T>, others: &[T]) {
    for one in others {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

fn in_one_line(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}
