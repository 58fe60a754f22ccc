// SPDX-License-Identifier: Apache-2.0
//! What bake says that it would build of one extension: the JSON of `docker buildx bake --print`, which is a bake file
//! itself. Fact: <https://docs.docker.com/build/bake/reference/>.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use serde_json::{Map, Value};

use super::{
    Definition,
    moment::{self, Moments},
    pairs::{is_named, pairs},
};
use crate::failure::Failure;

/// The group that bake builds when it is told no names.
const DEFAULT: &str = "default";

/// What buildx reads as true. Fact: Go's `strconv.ParseBool`.
const TRUE: [&str; 6] = ["1", "t", "T", "true", "True", "TRUE"];

/// All targets of an extension, those too that others are built from. The moment of the print is marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definitions {
    targets: Map<String, Value>,
    /// Those that are built when none is named, in bake's order.
    built: Vec<String>,
    /// The version of the package that each target is made of, where that is not what bake prints.
    rebased: Option<BTreeMap<String, String>>,
}

impl Definitions {
    /// `text` is what bake has printed.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut definitions = Self::parse_marked(text)?;
        let targets = definitions.targets.iter_mut();
        for (_, target) in targets {
            *target = each_text(target, &|text| moment::unmarked(text));
        }
        Ok(definitions)
    }

    /// `text` is what bake has printed, with the moment of it marked ([`timeless`]).
    pub(crate) fn parse_marked(text: &str) -> Result<Self, Failure> {
        let mut printed = json(text)?;
        let targets = printed.get_mut("target").map(Value::take);
        let Some(Value::Object(targets)) = targets else {
            return Err(wrong("it has no `target`"));
        };
        let mut built = Vec::new();
        collect(&printed["group"], DEFAULT, &mut BTreeSet::new(), &mut built);
        built.retain(|name| targets.contains_key(name));
        Ok(Self {
            targets,
            built,
            rebased: None,
        })
    }

    /// Whether it is another thing than what bake prints.
    pub(crate) fn is_rebased(&self) -> bool {
        self.rebased.is_some()
    }

    /// What is built when none is named.
    pub(crate) fn built(&self) -> impl Iterator<Item = Definition<'_>> {
        self.built.iter().filter_map(|name| self.get(name))
    }

    /// The same without what is built and for no server, with why it is not; all of it where there is nothing else.
    pub(crate) fn images(mut self) -> (Self, Vec<Failure>) {
        let others = self.built().filter_map(|one| one.server().err());
        let others: Vec<Failure> = others.collect();
        if others.len() == self.built.len() {
            return (self, Vec::new());
        }
        let is_image = |name: &String| self.get(name).is_some_and(|one| one.server().is_ok());
        let images = self.built.iter().filter(|name| is_image(name));
        self.built = images.cloned().collect();
        (self, others)
    }

    /// The definition of that name.
    pub(super) fn get<'a>(&'a self, name: &'a str) -> Option<Definition<'a>> {
        let json = self.targets.get(name)?;
        Some(Definition { name, json })
    }

    /// The value of an argument of one of all targets, in which no moment is.
    pub(crate) fn argument_of(&self, target: &str, name: &str) -> Option<String> {
        let argument = self.get(target)?.argument(name)?;
        Some(moment::at(argument, SystemTime::UNIX_EPOCH))
    }

    /// Other targets than what bake prints, with the versions of the packages that those which are built are made of.
    pub(super) fn changed(targets: Map<String, Value>, built: Vec<(String, String)>) -> Self {
        Self {
            targets,
            built: built.iter().map(|(name, _)| name.clone()).collect(),
            rebased: Some(built.into_iter().collect()),
        }
    }

    /// The version of Debian's package that a target is made of, where that is said.
    pub(super) fn package_of<'a>(&'a self, definition: Definition<'a>) -> Option<&'a str> {
        let rebased = self.rebased.as_ref();
        let package = rebased.and_then(|packages| packages.get(definition.name));
        package.map(String::as_str).or_else(|| definition.package())
    }

    /// Whether what is built goes to one place only, and nothing is left to do after that.
    pub(crate) fn exports_once(&self, name: &str) -> bool {
        let count = |field: &str| self.targets[name][field].as_array().map_or(0, Vec::len);
        self.targets.contains_key(name) && count("output") < 2 && count("cache-to") == 0
    }

    /// Whether a target's provenance names all that the build was told: where it is asked for, unless it says that it names
    /// less. Fact: BuildKit's `solver/llbsolver/provenance.go`, where no mode, `full` and `max` are one.
    pub(crate) fn attests_all(&self, name: &str) -> bool {
        let attestations = self.targets[name]["attest"].as_array();
        attestations.into_iter().flatten().any(|one| {
            let pairs = pairs(one);
            let says = |name: &str, values: &[&str]| {
                let mut said = pairs.iter().filter(|(said, _)| is_named(said, name));
                said.any(|(_, value)| values.contains(&&**value))
            };
            // Handed on as it stands: with a blank before it the name is none that BuildKit knows.
            let mode = pairs.iter().rfind(|(name, _)| name == "mode");
            let is_less = mode.is_some_and(|(_, mode)| mode == "min");
            says("type", &["provenance"]) && !says("disabled", &TRUE) && !is_less
        })
    }

    /// The definitions of these targets and of those that they are built from, at that moment.
    pub(crate) fn with_sources<'a>(
        &'a self,
        names: impl IntoIterator<Item = &'a str>,
        moment: SystemTime,
    ) -> Map<String, Value> {
        let taken = self.closure(names).into_iter();
        taken
            .map(|(name, json)| (name.to_owned(), at(json, moment)))
            .collect()
    }

    /// These targets and those that they are built from, as they are kept.
    pub(super) fn closure<'a>(
        &'a self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Vec<(&'a str, &'a Value)> {
        let mut taken: Vec<(&str, &Value)> = Vec::new();
        let mut pending: Vec<&str> = names.into_iter().collect();
        while let Some(name) = pending.pop() {
            let is_new = taken.iter().all(|(known, _)| *known != name);
            if let Some(definition) = self.get(name).filter(|_| is_new) {
                pending.extend(definition.sources());
                taken.push((name, definition.json));
            }
        }
        taken
    }
}

/// The targets of a group, those of its groups too. A member that has the group's own name is a target: bake puts a
/// target `default` into a group of that name.
fn collect(groups: &Value, name: &str, seen: &mut BTreeSet<String>, targets: &mut Vec<String>) {
    if !seen.insert(name.to_owned()) {
        return;
    }
    let members = groups[name]["targets"].as_array();
    for member in members.into_iter().flatten().filter_map(Value::as_str) {
        let is_target = member == name || groups.get(member).is_none();
        if !is_target {
            collect(groups, member, seen, targets);
        } else if !targets.iter().any(|known| known == member) {
            targets.push(member.to_owned());
        }
    }
}

/// What bake has printed, with marks in place of the moment of it. None where it is not certain what the moment is.
pub(crate) fn timeless(text: &str, moments: &Moments) -> Option<String> {
    marked(&json(text).ok()?, moments).map(|value| value.to_string())
}

fn json(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))
}

fn wrong(why: &str) -> Failure {
    Failure::failed(format!(
        "`buildx bake --print` prints what is no bake file: {why}"
    ))
}

/// What is named after the moment, or a number made of it, is not followed any further.
fn marked(value: &Value, moments: &Moments) -> Option<Value> {
    Some(match value {
        Value::String(text) => Value::String(moments.marked(text)?),
        Value::Array(items) => {
            let items = items.iter().map(|item| marked(item, moments));
            Value::Array(items.collect::<Option<_>>()?)
        }
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let is_plain = moments.marked(key)? == *key;
                is_plain.then_some((key.clone(), marked(value, moments)?))
            });
            Value::Object(entries.collect::<Option<_>>()?)
        }
        Value::Number(number) if moments.are_in(&number.to_string()) => return None,
        other => other.clone(),
    })
}

/// A value with that moment in place of the marks.
fn at(value: &Value, moment: SystemTime) -> Value {
    each_text(value, &|text| moment::at(text, moment))
}

/// A value with each of its texts changed; keys are none.
fn each_text(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| each_text(item, change)).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            Value::Object(
                entries
                    .map(|(key, value)| (key.clone(), each_text(value, change)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
