// SPDX-License-Identifier: Apache-2.0
//! How an image differs from another one, for whoever reviews that it takes its place.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::{
    image::{Said, SqlExtension, update_path},
    stage::{look::Inspection, smoke::View},
    ui::{Report, Table, bytes},
};

/// What has become of something that both images may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Change {
    name: String,
    /// None: only the other one has it.
    from: Option<String>,
    to: Option<String>,
}

/// What differs between what two images have, by name. Of a name with several values each is a thing of its own.
fn changes<N: Into<String>>(
    from: impl IntoIterator<Item = (N, String)>,
    to: impl IntoIterator<Item = (N, String)>,
) -> Vec<Change> {
    let mut all: BTreeMap<String, [BTreeSet<String>; 2]> = BTreeMap::new();
    for (name, value) in from {
        all.entry(name.into()).or_default()[0].insert(value);
    }
    for (name, value) in to {
        all.entry(name.into()).or_default()[1].insert(value);
    }
    let mut changed = Vec::new();
    for (name, [from, to]) in &all {
        let mut gone: Vec<&String> = from.difference(to).collect();
        let mut new: Vec<&String> = to.difference(from).collect();
        let pairs = usize::from(from.len() == 1 && to.len() == 1 && !gone.is_empty());
        let mut change = |from: Option<&String>, to: Option<&String>| {
            changed.push(Change {
                name: name.clone(),
                from: from.cloned(),
                to: to.cloned(),
            });
        };
        for (from, to) in gone.drain(..pairs).zip(new.drain(..pairs)) {
            change(Some(from), Some(to));
        }
        for from in gone {
            change(Some(from), None);
        }
        for to in new {
            change(None, Some(to));
        }
    }
    changed
}

/// The same of names alone.
fn names<'a>(
    from: impl IntoIterator<Item = &'a String>,
    to: impl IntoIterator<Item = &'a String>,
) -> Vec<Change> {
    let named = |name: &'a String| (name.as_str(), String::new());
    changes(from.into_iter().map(named), to.into_iter().map(named))
}

/// How an update of an SQL extension goes.
#[derive(Debug, Serialize)]
struct Update {
    name: String,
    from: Option<String>,
    to: Option<String>,
    /// The versions on the way; empty: no scripts lead there.
    path: Vec<String>,
}

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    image: String,
    against: String,
    size: [u64; 2],
    packages: Vec<Change>,
    extensions: Vec<Update>,
    /// Libraries that are needed, with where they come from.
    libraries: Vec<Change>,
    modules: Vec<Change>,
    /// None: no server was asked.
    settings: Option<Vec<Change>>,
    objects: Option<Vec<Change>>,
    annotations: Vec<Change>,
    findings: Vec<Change>,
    files: Vec<Change>,
}

impl Difference {
    /// `views`: what servers say, the other one's first.
    pub(super) fn of(
        old: &Inspection<'_>,
        new: &Inspection<'_>,
        views: Option<[&View; 2]>,
    ) -> Self {
        let of_each =
            |of: fn(&View) -> &BTreeSet<String>| views.map(|[old, new]| names(of(old), of(new)));
        let both = [old, new];
        Self {
            image: new.subject.image.to_string(),
            against: old.subject.image.to_string(),
            size: both.map(|one| one.image.contents.size),
            packages: between(both, packages),
            extensions: updates(old, new),
            libraries: between(both, libraries),
            modules: between(both, modules),
            settings: of_each(|view| &view.settings),
            objects: of_each(|view| &view.objects),
            annotations: between(both, annotations),
            findings: between(both, findings),
            files: between(both, files),
        }
    }

    pub(super) fn value(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    pub(super) fn report(&self) -> Report {
        let [old, new] = self.size;
        let sizes = format!("{}, was {}", bytes(new), bytes(old));
        let summary = [
            ("image", self.image.clone()),
            ("against", self.against.clone()),
            ("size", sizes),
        ];
        let summary = summary.map(|(name, text)| (name.to_owned(), text));
        let of = |changes: &Option<Vec<Change>>| named(changes.as_deref().unwrap_or_default());
        Report::default()
            .pairs("", summary)
            .and("Packages", table("PACKAGE", &self.packages))
            .and("SQL extensions", self.updates())
            .and("Settings", of(&self.settings))
            .and("SQL objects", of(&self.objects))
            .and(
                "Libraries that are needed",
                table("LIBRARY", &self.libraries),
            )
            .and("Modules and libraries", table("FILE", &self.modules))
            .and("Findings", named(&self.findings))
            .and("Annotations", table("ANNOTATION", &self.annotations))
            .and("Files", table("FILE", &self.files))
    }

    fn updates(&self) -> Table {
        let rows = self.extensions.iter().map(|one| {
            let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
            let path = match (&one.from, &one.to, one.path.len()) {
                (Some(from), Some(to), _) if from == to => "the same version".to_owned(),
                (Some(_), Some(_), 0) => "no scripts update to it".to_owned(),
                (Some(_), Some(_), _) => one.path.join(" -> "),
                _ => "-".to_owned(),
            };
            vec![one.name.clone(), or_none(&one.from), or_none(&one.to), path]
        });
        Table {
            headings: vec!["NAME", "WAS", "IS", "UPDATE"],
            rows: rows.collect(),
        }
    }

    pub(super) fn conclusion(&self) -> String {
        let all = [&self.files, &self.packages, &self.libraries];
        let [files, packages, libraries] = all.map(Vec::len);
        let servers = match (&self.settings, &self.objects) {
            (Some(settings), Some(objects)) => {
                format!("settings {}, SQL objects {}", settings.len(), objects.len())
            }
            _ => "no server was asked".to_owned(),
        };
        format!(
            "what differs: files {files}, packages {packages}, libraries {libraries}, {servers}"
        )
    }
}

fn between<'a, N: Into<String>, I: IntoIterator<Item = (N, String)>>(
    [old, new]: [&'a Inspection<'a>; 2],
    of: fn(&'a Inspection<'a>) -> I,
) -> Vec<Change> {
    changes(of(old), of(new))
}

fn packages<'a>(one: &'a Inspection<'a>) -> Vec<(&'a str, String)> {
    let packages = one.image.packages.iter();
    let packages: BTreeMap<&str, String> = packages
        .map(|one| (&*one.package, one.version.to_string()))
        .collect();
    // What names a version goes before.
    let documents = one.image.documents.iter();
    let documents = documents.map(|one| one.package.as_str());
    let documents = documents.filter(|package| !packages.contains_key(package));
    let documents: Vec<_> = documents
        .map(|package| (package, "without a version".to_owned()))
        .collect();
    documents.into_iter().chain(packages).collect()
}

/// By what needs it: several objects may need a library, and each from elsewhere.
fn libraries(one: &Inspection<'_>) -> Vec<(String, String)> {
    let needs = one.libraries.needs.iter();
    let needs = needs.map(|need| {
        let name = format!("{} of {}", need.library, need.object);
        (name, need.source.word().to_owned())
    });
    needs.collect()
}

fn modules<'a>(one: &'a Inspection<'a>) -> Vec<(&'a str, String)> {
    let objects = one.image.objects.iter().map(|object| {
        let says = match &object.says {
            Said::Broken { .. } => "cannot be read".to_owned(),
            Said::Read(elf) => match &elf.module {
                None => elf.architecture.clone(),
                Some(magic) => {
                    let version = magic.version.clone().unwrap_or_default();
                    let text = format!("{} PostgreSQL {} {version}", elf.architecture, magic.major);
                    text.trim_end().to_owned()
                }
            },
        };
        (object.path.as_str(), says)
    });
    objects.collect()
}

fn annotations<'a>(one: &'a Inspection<'a>) -> Vec<(&'a str, String)> {
    one.subject.said.labels.iter().collect()
}

fn findings<'a>(one: &'a Inspection<'a>) -> Vec<(&'a str, String)> {
    let findings = one.findings.iter();
    let findings = findings.filter_map(|one| Some((one.file.to_str()?, one.message.clone())));
    findings.collect()
}

fn files<'a>(one: &'a Inspection<'a>) -> Vec<(&'a str, String)> {
    let files = one.image.contents.files.iter().map(|file| {
        let mut says = match (&file.link, &file.digest) {
            (Some(link), _) => format!("link to {link}"),
            (None, Some(digest)) => format!("{} {}", bytes(file.size), short(digest)),
            (None, None) => bytes(file.size),
        };
        if let Some(mode) = file.mode {
            says += &format!(" {mode}");
        }
        (file.path.as_str(), says)
    });
    files.collect()
}

/// As much of a digest as tells it from another.
fn short(digest: &str) -> &str {
    digest.get(7..19).unwrap_or(digest)
}

/// From the default version of the one to that of the other, by the scripts of the newer image.
fn updates(old: &Inspection<'_>, new: &Inspection<'_>) -> Vec<Update> {
    let find = |of: &Inspection<'_>, name: &str| -> Option<SqlExtension> {
        let mut extensions = of.image.extensions.iter();
        extensions.find(|one| one.name == name).cloned()
    };
    let both = [old, new].map(|of| of.image.extensions.iter());
    let all: BTreeSet<&str> = both
        .into_iter()
        .flatten()
        .map(|one| one.name.as_str())
        .collect();
    let updates = all.into_iter().map(|name| {
        let (old, new) = (find(old, name), find(new, name));
        let from = old.and_then(|old| old.default_version);
        let to = new.as_ref().and_then(|new| new.default_version.clone());
        let path = match (&from, &to, &new) {
            (Some(from), Some(to), Some(new)) => update_path(&new.updates, from, to),
            _ => Vec::new(),
        };
        let name = name.to_owned();
        Update {
            name,
            from,
            to,
            path,
        }
    });
    updates.collect()
}

/// What was and what is.
fn table(heading: &'static str, changes: &[Change]) -> Table {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let rows = changes
        .iter()
        .map(|one| vec![one.name.clone(), or_none(&one.from), or_none(&one.to)]);
    Table {
        headings: vec![heading, "WAS", "IS"],
        rows: rows.collect(),
    }
}

/// What is there and was not, and the other way round.
fn named(changes: &[Change]) -> Table {
    let rows = changes.iter().map(|one| {
        let sign = match (&one.from, &one.to) {
            (None, _) => "+",
            (_, None) => "-",
            _ => "~",
        };
        let text = match one.to.as_deref().or(one.from.as_deref()) {
            None | Some("") => one.name.clone(),
            Some(text) => format!("{}: {text}", one.name),
        };
        vec![sign.to_owned(), text]
    });
    Table {
        headings: vec!["", ""],
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_with_several_values_none_is_lost() {
        let of = |from: &[(&str, &str)], to: &[(&str, &str)]| -> Vec<[Option<String>; 2]> {
            let owned = |all: &[(&str, &str)]| -> Vec<(String, String)> {
                all.iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect()
            };
            let changes = changes(owned(from), owned(to));
            changes.into_iter().map(|one| [one.from, one.to]).collect()
        };
        let said = |text: &str| Some(text.to_owned());
        // Two findings of one file, of which either goes.
        for (kept, gone) in [("one", "other"), ("other", "one")] {
            assert_eq!(
                of(&[("f", "one"), ("f", "other")], &[("f", kept)]),
                [[said(gone), None]]
            );
        }
        assert_eq!(
            of(&[("f", "one")], &[("f", "two")]),
            [[said("one"), said("two")]]
        );
        assert_eq!(
            of(&[("f", "a")], &[("f", "b"), ("f", "c")]),
            [[said("a"), None], [None, said("b")], [None, said("c")]]
        );
        assert!(of(&[("f", "a"), ("f", "b")], &[("f", "b"), ("f", "a")]).is_empty());
    }
}
