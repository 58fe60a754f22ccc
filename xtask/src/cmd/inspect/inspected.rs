// SPDX-License-Identifier: Apache-2.0
//! An image that was looked into, as scripts and people get it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

use serde_json::{Value, json};

use crate::{
    finding::{Finding, Severity},
    image::{Document, Entry, How, Object, Said, Source, SqlExtension},
    stage::look::Inspection,
    ui::{Report, Row, Table, bytes, counted},
};

/// Everything that is known of it.
pub(super) struct Inspected<'a>(pub &'a Inspection<'a>);

impl<'a> Deref for Inspected<'a> {
    type Target = Inspection<'a>;

    fn deref(&self) -> &Inspection<'a> {
        self.0
    }
}

impl Inspected<'_> {
    pub(super) fn value(&self) -> anyhow::Result<Value> {
        let Inspection { subject, image, .. } = self.0;
        let needs = self.needs();
        let objects = image.objects.iter().map(|one| object(one, &needs));
        let objects: Result<Vec<Value>, _> = objects.collect();
        Ok(json!({
            "image": subject.image.to_string(),
            "digest": subject.said.digest,
            "platform": subject.said.platform,
            "base": subject.base().map(|base| base.to_string()),
            "labels": subject.said.labels,
            "size": image.contents.size,
            "files": image.contents.files,
            "objects": objects?,
            "shared_libraries": self.libraries.shared,
            "extensions": image.extensions,
            "packages": image.packages,
            "licences": image.documents,
            "findings": self.findings,
        }))
    }

    fn needs(&self) -> Needs<'_> {
        let mut needs = Needs::new();
        for need in &self.libraries.needs {
            let of_object = needs.entry(&need.object).or_default();
            of_object.insert(&need.library, &need.source);
        }
        needs
    }

    pub(super) fn report(&self) -> Report {
        let needs = self.needs();
        let objects = self.image.objects.iter();
        let objects: Vec<Vec<String>> = objects.map(|one| cells(one, &needs)).collect();
        let objects = Table {
            headings: vec!["FILE", "PLATFORM", "POSTGRESQL", "NEEDS"],
            rows: objects,
        };
        Report::default()
            .pairs("", self.summary())
            .rows("Findings", &self.findings)
            .and("Modules, libraries and programs", objects)
            .and("Libraries that the base image has too", self.shared())
            .rows("SQL extensions", &self.image.extensions)
            .and("Modules that scripts name with $libdir", self.named())
            .and("Packages", self.packages())
            .pairs("Annotations", self.subject.said.labels.pairs())
            .rows("Files", &self.image.contents.files)
    }

    fn summary(&self) -> Vec<(String, String)> {
        let subject = self.subject;
        let base = subject.base().map(|base| base.to_string());
        let base =
            base.unwrap_or_else(|| "not known: the image does not say for which it is".into());
        let digest = subject.said.digest.as_ref();
        let digest = digest.map_or_else(|| "not known".into(), ToString::to_string);
        let contents = &self.image.contents;
        let size = format!("{} in {} files", bytes(contents.size), contents.files.len());
        let pairs = [
            ("image", subject.image.to_string()),
            ("digest", digest),
            ("platform", subject.said.platform.clone()),
            ("base image", base),
            ("size", size),
        ];
        pairs.map(|(name, text)| (name.to_owned(), text)).into()
    }

    fn shared(&self) -> Table {
        let rows = self.libraries.shared.iter().map(|one| {
            let how = match one.how {
                How::Same => "the same build",
                How::Other => "another build",
                How::Beside => "another library beside it",
            };
            vec![
                one.library.clone(),
                one.image.clone(),
                one.base.clone(),
                how.to_owned(),
            ]
        });
        Table {
            headings: vec!["LIBRARY", "IMAGE", "BASE IMAGE", "WHICH IS"],
            rows: rows.collect(),
        }
    }

    fn named(&self) -> Table {
        let extensions = self.image.extensions.iter();
        let rows = extensions.flat_map(|extension| {
            extension.named.iter().map(|named| {
                vec![
                    format!("$libdir/{}", named.name),
                    format!("{}:{}", named.script, named.line),
                    named.scripts.to_string(),
                ]
            })
        });
        Table {
            headings: vec!["MODULE", "FIRST IN", "SCRIPTS"],
            rows: rows.collect(),
        }
    }

    /// Those that the image says it is made of, and others of which it has a copyright file.
    fn packages(&self) -> Table {
        let image = self.image;
        let documents = image.documents.iter();
        let licences: BTreeMap<&str, &Document> =
            documents.map(|one| (one.package.as_str(), one)).collect();
        let installed = image.packages.iter().map(|one| &*one.package);
        let names: BTreeSet<&str> = installed.chain(licences.keys().copied()).collect();
        let rows = names.into_iter().map(|name| {
            let version = image.version(name).map(ToString::to_string);
            let licence = licences.get(name).map(|one| match &one.licence {
                Some(licence) => licence.to_string(),
                None => "said for people alone".to_owned(),
            });
            let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            vec![name.to_owned(), or_none(version), or_none(licence)]
        });
        Table {
            headings: vec!["PACKAGE", "VERSION", "LICENCE"],
            rows: rows.collect(),
        }
    }

    pub(super) fn conclusion(&self) -> String {
        let count = |severity| {
            self.findings
                .iter()
                .filter(|one| one.severity == severity)
                .count()
        };
        let contents = &self.image.contents;
        format!(
            "{} files, {} bytes; {}, {}",
            contents.files.len(),
            contents.size,
            counted(count(Severity::Error), "error"),
            counted(count(Severity::Warning), "warning"),
        )
    }
}

/// Where the libraries come from that objects need, by the objects' paths and the libraries' names.
type Needs<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Source>>;

/// An object, with where the libraries come from that it needs.
fn object(object: &Object, needs: &Needs<'_>) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(object)?;
    if let Said::Read(_) = &object.says {
        let needs = needs.get(&*object.path).cloned().unwrap_or_default();
        value["needed"] = serde_json::to_value(needs)?;
    }
    Ok(value)
}

fn cells(object: &Object, needs: &Needs<'_>) -> Vec<String> {
    let path = object.path.clone();
    let Said::Read(elf) = &object.says else {
        return vec![path, "-".into(), "-".into(), "it cannot be read".into()];
    };
    let module = elf.module.as_ref().map(|magic| {
        let own = [&magic.name, &magic.version].map(|text| text.as_deref().unwrap_or_default());
        let own = own.join(" ");
        format!("{} {}", magic.major, own.trim()).trim().to_owned()
    });
    let mut of_base = 0;
    let mut others: Vec<String> = Vec::new();
    for (library, source) in needs.get(&*object.path).into_iter().flatten() {
        match source {
            Source::Base => of_base += 1,
            Source::Image { .. } | Source::Unknown => others.push((*library).to_owned()),
            Source::Unplaced { .. } => {
                others.push(format!("{library} (if its folder is on the path)"));
            }
            Source::Unsearched { .. } => others.push(format!("{library} (not on the path)")),
            Source::Missing => others.push(format!("{library} (missing)")),
        }
    }
    let mut needs = others;
    if of_base > 0 {
        needs.push(format!("{of_base} of the base image"));
    }
    vec![
        path,
        elf.architecture.clone(),
        module.unwrap_or_else(|| "-".into()),
        needs.join(", "),
    ]
}

impl Row for Entry {
    const HEADINGS: &'static [&'static str] = &["SIZE", "MODE", "FILE"];

    fn cells(&self) -> Vec<String> {
        let file = match &self.link {
            Some(link) => format!("{} -> {link}", self.path),
            None => self.path.clone(),
        };
        let mode = self.mode.map(|mode| mode.to_string());
        vec![
            self.size.to_string(),
            mode.unwrap_or_else(|| "-".into()),
            file,
        ]
    }
}

impl Row for Finding {
    const HEADINGS: &'static [&'static str] = &["", "FILE", "WHAT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.severity.name().to_owned(),
            self.file.display().to_string(),
            self.message.clone(),
        ]
    }
}

impl Row for SqlExtension {
    const HEADINGS: &'static [&'static str] = &["NAME", "VERSION", "MODULE", "REQUIRES", "UPDATES"];

    fn cells(&self) -> Vec<String> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let others = self.versions().len().saturating_sub(1);
        let updates = match (others, self.stranded.len()) {
            (0, _) => "-".to_owned(),
            (_, 0) => format!("from all {others} other versions"),
            (_, stranded) => format!(
                "from {} of {others} other versions",
                others - stranded.min(others)
            ),
        };
        let requires = match self.requires.as_slice() {
            [] => "-".to_owned(),
            names => names.join(", "),
        };
        vec![
            self.name.clone(),
            or_none(&self.default_version),
            or_none(&self.module_pathname),
            requires,
            updates,
        ]
    }
}
