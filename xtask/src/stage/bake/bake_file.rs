// SPDX-License-Identifier: Apache-2.0
//! The bake file that a run builds from: what bake has printed of each extension, put together.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    time::SystemTime,
};

use serde_json::{Map, Value, json};

use super::{changes::Changes, solve::Wanted};
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

    /// What a registry would have of a target, when `set` is said over its definition.
    pub(super) fn wanted(&self, target: &Target, set: &[String]) -> Wanted {
        let (timeless, _) = self.definitions(&[target], SystemTime::UNIX_EPOCH);
        let (now, then) = (self.all.get(&target.name), timeless.get(&target.name));
        let (Some(now), Some(then)) = (now, then) else {
            return Wanted::default();
        };
        let texts = |definition: &Value, key: &str| -> Vec<String> {
            let texts = definition[key].as_array().into_iter().flatten();
            texts.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (tags, of_then) = (texts(now, "tags"), texts(then, "tags"));
        // What says when it was made is another one each time.
        let stays = tags.iter().filter(|tag| of_then.contains(tag));
        let annotations = texts(now, "annotations");
        let of_then = texts(then, "annotations");
        let annotations: Vec<&String> = annotations
            .iter()
            .filter(|one| of_then.contains(one))
            .collect();
        Wanted {
            tags: stays.filter_map(|tag| tag.parse().ok()).collect(),
            of_index: of_level(&annotations, "index"),
            of_manifests: of_level(&annotations, "manifest"),
            attested: attested(now, set),
        }
    }

    fn text(&self) -> String {
        let text = serde_json::to_string_pretty(&json!({ "target": self.all }));
        text.unwrap_or_default() + "\n"
    }
}

/// Of annotations as bake takes them, `index,manifest:name=value`, those of a level; without one they are the manifest's. For one
/// platform alone, it stands in brackets behind the level.
fn of_level(annotations: &[&String], level: &str) -> BTreeMap<String, String> {
    let of_level = |text: &&String| {
        let (levels, pair) = match text.split_once(':') {
            Some((levels, pair)) if !levels.contains('=') => (levels, pair),
            _ => ("manifest", text.as_str()),
        };
        let (name, value) = pair.split_once('=')?;
        let mut levels = levels.split(',');
        let is_its = levels.any(|one| one.split('[').next() == Some(level));
        is_its.then(|| (name.to_owned(), value.to_owned()))
    };
    annotations.iter().filter_map(of_level).collect()
}

/// The kinds of attestations that a definition asks for, when `set` is said over it.
fn attested(definition: &Value, set: &[String]) -> BTreeSet<String> {
    let attests = definition["attest"].as_array().into_iter().flatten();
    let kind = |attest: &Value| {
        let kind = attest["type"].as_str()?;
        let is_disabled = attest["disabled"] == "true"
            || set.contains(&format!("*.attest=type={kind},disabled=true"));
        (!is_disabled).then(|| kind.to_owned())
    };
    attests.filter_map(kind).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_those_of_their_level_and_without_one_the_manifests() {
        let all = [
            "index,manifest:a=1",
            "index:b=2:3",
            "manifest[linux/amd64]:c=4",
            "d=http://e",
            "manifest-descriptor:f=5",
            "no pair",
        ]
        .map(str::to_owned);
        let all: Vec<&String> = all.iter().collect();
        let pairs = |level: &str| {
            let pairs = of_level(&all, level).into_iter();
            let pairs: Vec<String> = pairs.map(|(name, value)| name + " " + &value).collect();
            pairs
        };
        assert_eq!(pairs("index"), ["a 1", "b 2:3"]);
        assert_eq!(pairs("manifest"), ["a 1", "c 4", "d http://e"]);
    }

    #[test]
    fn what_is_attested_is_what_the_definition_says_without_what_is_set_otherwise() {
        let definition = json!({"attest": [
            {"type": "provenance", "mode": "max"}, {"type": "sbom"}, {"type": "other", "disabled": "true"},
        ]});
        let kinds = |set: &[&str]| {
            let set: Vec<String> = set.iter().map(|&one| one.to_owned()).collect();
            attested(&definition, &set).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(kinds(&[]), ["provenance", "sbom"]);
        assert_eq!(kinds(&["*.attest=type=sbom,disabled=true"]), ["provenance"]);
        assert!(attested(&json!({}), &[]).is_empty());
    }
}
