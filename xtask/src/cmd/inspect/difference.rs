// SPDX-License-Identifier: Apache-2.0
//! How an image differs from another one, for whoever reviews that it takes its place.

mod change;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use self::change::{Change, changes, named, names, table};
use crate::{
    image::{Said, SqlExtension, update_path},
    stage::{look::Inspection, smoke::View},
    ui::{Report, Table, bytes},
};

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
