// SPDX-License-Identifier: Apache-2.0
//! Writes a catalog with what was found of each extension.

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use serde_json::Value;

use super::{Answer, Found, Row, Source, State};
use crate::{
    exec::Exec,
    extension::Extension,
    failure::Failure,
    own::file,
    plan::{Console, Performed, Work, shell},
    stage::{catalog, resources},
    target::Target,
};

/// Where an image of an extension goes in a catalog.
#[derive(Debug)]
pub(super) struct Slot {
    pub major: u64,
    pub target: Target,
    /// What the catalog has there.
    pub old: Option<Value>,
    pub answer: Answer,
}

/// What has become of all entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows(Arc<OnceLock<Vec<Row>>>);

impl Rows {
    pub(super) fn found(&self) -> Vec<Row> {
        self.0.get().cloned().unwrap_or_default()
    }
}

#[derive(Debug)]
pub(super) struct Write {
    pub source: Source,
    pub slots: Vec<Slot>,
    /// Where its signature is, where this run makes none.
    pub signature: Option<PathBuf>,
    /// The options of the command that does the same.
    pub command: Vec<String>,
    pub rows: Rows,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cargo xtask catalogs")?;
        self.command
            .iter()
            .try_for_each(|word| write!(f, " {}", shell::word(word)))
    }
}

impl Work for Write {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let mut entries = self.source.entries();
        let mut rows = Vec::new();
        for slot in &self.slots {
            let (state, entry, why) = slot.resolved();
            let image = entry.as_ref().and_then(catalog::reference);
            rows.push(slot.row(state, image.map(|image| image.to_string()), why));
            if let Some(entry) = entry {
                let of_major = entries.entry(slot.major).or_default();
                of_major.insert(slot.target.extension.name.clone(), entry);
            }
        }
        rows.sort_by(|a, b| (a.pg_major.number(), &a.name).cmp(&(b.pg_major.number(), &b.name)));
        let is_empty = entries.values().all(BTreeMap::is_empty);
        self.rows.0.get_or_init(|| rows);
        if is_empty && self.source.is_new() {
            return Ok(Performed::Skipped("it would have no extension".into()));
        }
        let written = self.source.base.with(&entries)?;
        let file = &self.source.file;
        let shown = file.display();
        if written.reformatted {
            (console.warning)(format!(
                "the layout and the comments of the catalog could not be kept in `{shown}`: it is not written line by line"
            ));
        }
        if self.source.is_as(&written.text) {
            return Ok(Performed::Skipped(format!("`{shown}` is up to date")));
        }
        file::write_atomically(file, &written.text)?;
        if let Some(signature) = self.signature.as_ref().filter(|path| path.is_file()) {
            (console.warning)(format!(
                "`{}` is of what `{shown}` was before: sign it again with `--sign`, or remove the signature",
                signature.display()
            ));
        }
        Ok(Performed::Done(Some(shown.to_string())))
    }
}

impl Slot {
    pub(super) fn is_of(&self, extension: &Extension) -> bool {
        self.target.extension.name == extension.name
    }

    /// What becomes of the entry, the entry, and why where that does not say it.
    fn resolved(&self) -> (State, Option<Value>, Option<String>) {
        let ours = |reference: &str| {
            let ours = resources::mounted(&self.target.extension, reference);
            catalog::merged(self.old.as_ref(), &ours)
        };
        let current = self
            .old
            .as_ref()
            .and_then(|old| old["image"]["reference"].as_str());
        match (self.answer.get(), current) {
            (Some(Found::Other(image)), _) => {
                let state = self.old.as_ref().map_or(State::New, |_| State::Updated);
                (state, Some(ours(&image.to_string())), None)
            }
            (Some(Found::Same), Some(current)) => {
                let entry = ours(current);
                let is_same = self.old.as_ref() == Some(&entry);
                let state = if is_same {
                    State::Unchanged
                } else {
                    State::Updated
                };
                (state, Some(entry), None)
            }
            (Some(Found::Alike(newer)), Some(current)) => {
                let why = format!("`{newer}` holds the same");
                (State::Kept, Some(ours(current)), Some(why))
            }
            (Some(Found::Older(other)), Some(current)) => {
                let why = format!("`{other}` is older");
                (State::Older, Some(ours(current)), Some(why))
            }
            (Some(Found::Missing(why)), _) => (State::Missing, self.old.clone(), Some(why.clone())),
            (_, _) => (State::Missing, self.old.clone(), None),
        }
    }

    fn row(&self, state: State, image: Option<String>, why: Option<String>) -> Row {
        Row {
            state,
            name: self.target.extension.name.clone(),
            distro: self.target.server.distro.clone(),
            pg_major: self.target.server.major.clone(),
            image,
            why,
        }
    }
}
