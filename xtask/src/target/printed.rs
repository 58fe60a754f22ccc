// SPDX-License-Identifier: Apache-2.0
//! What bake says that it would build of one extension: the JSON of `docker buildx bake --print`, which is a bake file
//! itself. Fact: <https://docs.docker.com/build/bake/reference/>.

use std::{collections::BTreeSet, time::SystemTime};

use serde_json::{Map, Value};

use super::moment;
use crate::{
    failure::Failure,
    value::{
        Annotations, DebianVersion, ImageRef, Platform, Server, SqlVersion, annotations, is_tag,
    },
};

/// The group that bake builds when it is told no names.
const DEFAULT: &str = "default";
/// Arguments that bake files of this kind give PostgreSQL's major, its image and the package's version.
const MAJOR: &str = "PG_MAJOR";
const BASE: &str = "BASE";
const PACKAGE: &str = "EXT_VERSION";

/// All targets of an extension, those too that others are built from. The moment of the print is marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    targets: Map<String, Value>,
    /// Those that are built when none is named, in bake's order.
    built: Vec<String>,
    /// It was changed: it is not what bake prints.
    rebased: bool,
}

/// One target of bake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition<'a> {
    pub name: &'a str,
    json: &'a Value,
}

impl Printed {
    /// `text` is what bake has printed, with the moment of it marked or not.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::failed(format!(
                "`buildx bake --print` prints what is no bake file: {why}"
            ))
        };
        let printed: Value =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let Some(Value::Object(targets)) = printed.get("target") else {
            return Err(wrong("it has no `target`".to_owned()));
        };
        let mut built = Vec::new();
        collect(&printed["group"], DEFAULT, &mut BTreeSet::new(), &mut built);
        built.retain(|name| targets.contains_key(name));
        Ok(Self {
            targets: targets.clone(),
            built,
            rebased: false,
        })
    }

    /// Whether it is another thing than what bake prints.
    pub(crate) fn is_rebased(&self) -> bool {
        self.rebased
    }

    /// What is built when none is named.
    pub(crate) fn built(&self) -> impl Iterator<Item = Definition<'_>> {
        self.built.iter().filter_map(|name| self.get(name))
    }

    /// The definition of that name.
    pub(super) fn get<'a>(&'a self, name: &'a str) -> Option<Definition<'a>> {
        let json = self.targets.get(name)?;
        Some(Definition { name, json })
    }

    /// The value of an argument of one of all targets.
    pub(crate) fn argument_of<'a>(&'a self, target: &'a str, name: &str) -> Option<&'a str> {
        self.get(target)?.argument(name)
    }

    /// Other targets than what bake prints.
    pub(super) fn changed(targets: Map<String, Value>, built: Vec<String>) -> Self {
        Self {
            targets,
            built,
            rebased: true,
        }
    }

    /// Whether what is built goes to one place only, and nothing is left to do after that.
    pub(crate) fn exports_once(&self, name: &str) -> bool {
        let count = |field: &str| self.targets[name][field].as_array().map_or(0, Vec::len);
        self.targets.contains_key(name) && count("output") < 2 && count("cache-to") == 0
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

/// A value with that moment in place of the marks.
fn at(value: &Value, moment: SystemTime) -> Value {
    match value {
        Value::String(text) => Value::String(moment::at(text, moment)),
        Value::Array(items) => items.iter().map(|item| at(item, moment)).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            Value::Object(
                entries
                    .map(|(key, value)| (key.clone(), at(value, moment)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

impl<'a> Definition<'a> {
    fn texts(self, field: &str) -> impl Iterator<Item = &'a str> {
        let items = self.json[field].as_array();
        items.into_iter().flatten().filter_map(Value::as_str)
    }

    fn argument(self, name: &str) -> Option<&'a str> {
        self.json["args"][name]
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// The targets that this one is built from, by its named contexts.
    fn sources(self) -> impl Iterator<Item = &'a str> {
        let contexts = self.json["contexts"].as_object();
        let contexts = contexts.into_iter().flat_map(Map::values);
        contexts.filter_map(|context| context.as_str()?.strip_prefix("target:"))
    }

    /// Its tags, marked where they hold the moment.
    pub(crate) fn tags(self) -> impl Iterator<Item = &'a str> {
        self.texts("tags")
    }

    /// What it is built for. Empty: what its builder is.
    pub(crate) fn platforms(self) -> Result<Vec<Platform>, Failure> {
        let parsed = self.texts("platforms").map(|text| {
            text.parse()
                .map_err(|wanted| self.wrong(&format!("its platform `{text}` is not {wanted}")))
        });
        parsed.collect()
    }

    /// What it says of itself: its annotations, or its labels where it has none.
    fn annotations(self) -> Annotations {
        let pairs = self.texts("annotations").filter_map(|text| {
            let (key, value) = text.split_once('=')?;
            // `index,manifest[linux/amd64]:key`: on what it is written.
            let key = key.rsplit_once(':').map_or(key, |(_, key)| key);
            Some((key.to_owned(), Value::from(value)))
        });
        let annotations = Annotations::of(&Value::Object(pairs.collect()));
        if annotations.is_empty() {
            return Annotations::of(&self.json["labels"]);
        }
        annotations
    }

    /// The PostgreSQL that it is for: as its annotations say, or else its arguments, or else its name.
    pub(crate) fn server(self) -> Result<Server, Failure> {
        let said = self.annotations();
        let said = || {
            Server::parse(
                said.get(annotations::BASE_OS)?,
                said.get(annotations::BASE_MAJOR)?,
            )
        };
        let argued = || {
            let (base, major) = (self.argument(BASE)?, self.argument(MAJOR)?);
            let image: ImageRef = base.parse().ok()?;
            Server::parse(image.tag.as_deref()?.rsplit('-').next()?, major)
        };
        let named = || {
            let (rest, distro) = self.name.rsplit_once('-')?;
            let (_, major) = rest.rsplit_once('-')?;
            Server::parse(distro, major)
        };
        said().or_else(argued).or_else(named).ok_or_else(|| {
            self.wrong("for which PostgreSQL it is, nothing says")
                .hint(format!(
                    "annotate it with `{}` and `{}`, or let its name end in `-18-trixie`",
                    annotations::BASE_MAJOR,
                    annotations::BASE_OS
                ))
        })
    }

    /// The PostgreSQL image that it is for, where that is said.
    pub(crate) fn base(self) -> Result<Option<ImageRef>, Failure> {
        let said = self.annotations();
        let said = said
            .get(annotations::BASE_NAME)
            .or_else(|| self.argument(BASE));
        let parsed = said.map(str::parse).transpose();
        parsed.map_err(|wrong: Failure| {
            let failure = self.wrong(&format!("its base image {}", wrong.message));
            wrong.hint.into_iter().fold(failure, Failure::hint)
        })
    }

    /// The version of Debian's package that it is made of, where that is said.
    pub(crate) fn package(self) -> Option<&'a str> {
        self.argument(PACKAGE)
    }

    /// The version of the extension's software, where that is said.
    pub(crate) fn version(self) -> Result<Option<String>, Failure> {
        let is_version = |text: &str| is_tag(text) || DebianVersion::is(text);
        self.said(annotations::VERSION, is_version, "the version of a package")
    }

    /// The version for `CREATE EXTENSION`, where that is said.
    pub(crate) fn sql_version(self) -> Result<Option<String>, Failure> {
        self.said(annotations::SQL_VERSION, SqlVersion::is, SqlVersion::WANTED)
    }

    /// What it says under a key of itself, which is `wanted`.
    fn said(
        self,
        key: &str,
        is_right: impl Fn(&str) -> bool,
        wanted: &str,
    ) -> Result<Option<String>, Failure> {
        match self.annotations().get(key) {
            Some(text) if !is_right(text) => {
                Err(self.wrong(&format!("its `{key}` is `{text}`; it must be {wanted}")))
            }
            said => Ok(said.map(str::to_owned)),
        }
    }

    /// What is wrong with it.
    pub(crate) fn wrong(self, why: &str) -> Failure {
        Failure::invalid(format!("target `{}` of bake: {why}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(groups: &str, targets: &[&str]) -> Vec<String> {
        let targets: Map<String, Value> = targets
            .iter()
            .map(|name| ((*name).to_owned(), Value::Object(Map::new())))
            .collect();
        let targets = Value::Object(targets);
        let printed = format!(r#"{{"group": {groups}, "target": {targets}}}"#);
        let printed = Printed::parse(&printed).unwrap();
        printed.built().map(|one| one.name.to_owned()).collect()
    }

    #[test]
    fn what_is_built_are_the_targets_of_the_default_group() {
        let of_itself = r#"{"default": {"targets": ["default"]}}"#;
        assert_eq!(built(of_itself, &["default"]), ["default"]);
        let nested = r#"{"default": {"targets": ["b", "inner", "b"]}, "inner": {"targets": ["a", "inner", "default"]}}"#;
        assert_eq!(built(nested, &["a", "b", "inner"]), ["b", "a", "inner"]);
        let none = r#"{"other": {"targets": ["a"]}}"#;
        assert!(built(none, &["a"]).is_empty());
    }

    #[test]
    fn what_a_target_says_of_itself_is_checked_where_it_enters() {
        let of = |annotation: &str| {
            let target = serde_json::json!({"annotations": [annotation]});
            let printed = serde_json::json!({"target": {"x": target}});
            Printed::parse(&printed.to_string()).unwrap()
        };
        let sql = of("index:io.cloudnativepg.image.sql.version=1'); SELECT 1 --");
        let wrong = sql.get("x").unwrap().sql_version().unwrap_err();
        assert!(
            wrong.message.starts_with(
                "target `x` of bake: its `io.cloudnativepg.image.sql.version` is `1'); SELECT 1 --`; it must be an"
            ),
            "{wrong:?}"
        );
        for version in ["1.2\u{1b}[2J", "1\n2", "1 2"] {
            let printed = of(&format!("org.opencontainers.image.version={version}"));
            printed.get("x").unwrap().version().unwrap_err();
        }
        for version in ["1.2", "v1_2", "1:1.2+dfsg~rc1-1"] {
            let printed = of(&format!("org.opencontainers.image.version={version}"));
            let said = printed.get("x").unwrap().version().unwrap();
            assert_eq!(said.as_deref(), Some(version));
        }
        let base = of("index:io.cloudnativepg.image.base.name=--privileged");
        let wrong = base.get("x").unwrap().base().unwrap_err();
        assert!(
            wrong
                .message
                .starts_with("target `x` of bake: its base image `--privileged` is not an image"),
            "{wrong:?}"
        );
    }
}
