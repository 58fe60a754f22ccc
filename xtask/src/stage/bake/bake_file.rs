// SPDX-License-Identifier: Apache-2.0
//! The bake file that a run builds from: what bake has printed of each extension, put together.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::SystemTime};

use serde_json::{Map, Value, json};

use super::changes::Changes;
use crate::{
    exec::Exec,
    failure::Failure,
    own::file,
    plan::{Console, Location, Performed, Work, shell},
    target::Target,
    tool::buildx::Bake,
    value::Digest,
};

/// The definitions of the targets of several extensions, and where they go.
#[derive(Clone, Debug)]
pub(super) struct BakeFile {
    pub path: PathBuf,
    changes: Changes,
    all: Map<String, Value>,
    /// What stands for the definition of each target at any time.
    asked: BTreeMap<String, Digest>,
    /// The calls that print the same. None: it is not what bake prints.
    printed_by: Option<Vec<Bake>>,
}

impl BakeFile {
    pub(super) fn empty(path: PathBuf, changes: Changes) -> Self {
        Self {
            path,
            changes,
            all: Map::new(),
            asked: BTreeMap::new(),
            printed_by: Some(Vec::new()),
        }
    }

    /// Adds these targets of one extension, with what they are built from, as they are at `moment`. `ask` is the call
    /// that prints them. False: one of them has the name of another one that is there, and nothing was added.
    pub(super) fn add(&mut self, targets: &[&Target], moment: SystemTime, ask: &Bake) -> bool {
        let (own, as_printed) = self.definitions(targets, moment);
        let is_other = |(name, definition): (&String, &Value)| {
            self.all.get(name).is_some_and(|known| known != definition)
        };
        if own.iter().any(is_other) {
            return false;
        }
        self.all.extend(own);
        for target in targets {
            let (timeless, _) = self.definitions(&[target], SystemTime::UNIX_EPOCH);
            let text = Value::Object(timeless).to_string();
            let digest = Digest::of(text.as_bytes());
            self.asked.insert(target.name.clone(), digest);
        }
        match &mut self.printed_by {
            Some(calls) if as_printed => calls.push(ask.clone()),
            changed => *changed = None,
        }
        true
    }

    /// The definitions of these targets, and of what they are built from, at `moment`, and whether bake prints the same.
    fn definitions(&self, targets: &[&Target], moment: SystemTime) -> (Map<String, Value>, bool) {
        let mut all = Map::new();
        let mut as_printed = true;
        for target in targets {
            // Nothing is built from a model: what it plans is only shown.
            if let Some(definitions) = &target.definitions {
                all.extend(definitions.with_sources([target.name.as_str()], moment));
                as_printed &= !definitions.is_rebased();
            }
        }
        as_printed &= !self.changes.make(targets, &mut all);
        (all, as_printed)
    }

    /// What stands for all that a target's definition asks for, but its moment.
    pub(super) fn asked(&self, target: &str) -> Option<&Digest> {
        self.asked.get(target)
    }

    /// The names that the image of a target gets.
    pub(super) fn tags(&self, target: &str) -> Vec<String> {
        let tags = self.all.get(target).and_then(|all| all["tags"].as_array());
        let tags = tags.into_iter().flatten().filter_map(Value::as_str);
        tags.map(str::to_owned).collect()
    }

    fn text(&self) -> String {
        let text = serde_json::to_string_pretty(&json!({ "target": self.all }));
        text.unwrap_or_default() + "\n"
    }
}

impl Work for BakeFile {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        file::write_atomically(&Location::output(&self.path), &self.text())?;
        Ok(Performed::Done(None))
    }
}

/// Prints as the calls whose output it is, or else as the text itself.
impl fmt::Display for BakeFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = shell::operand(&self.path);
        match self.printed_by.as_deref() {
            None => write!(f, "{} > {path}", shell::prints(&self.text())),
            Some([one]) => write!(f, "{} > {path}", one.cmd()),
            Some(many) => {
                f.write_str("{\n")?;
                for call in many {
                    writeln!(f, "  {} &&", call.cmd())?;
                }
                write!(
                    f,
                    "  :\n}} | jq -s 'reduce .[] as $one ({{}}; . * $one)' > {path}"
                )
            }
        }
    }
}
