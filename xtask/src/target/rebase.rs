// SPDX-License-Identifier: Apache-2.0
//! The same targets on other packages: what `--base debian` builds. Base image, package and suite take the place of those
//! that bake has printed, wherever they stand in a target, whatever the bake file calls its arguments.

mod words;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Definitions,
    definition::{Definition, PACKAGE, bare},
};
use crate::{
    failure::Failure,
    value::{ImageRef, Major, Server, annotations},
};
use words::{OF_SUITE, PACKAGED, Pair, Words, replaced};

/// Keys of OCI's image specification, annotations.
const OCI_BASE: &str = "org.opencontainers.image.base.name";
const TITLE: &str = "org.opencontainers.image.title";
const DESCRIPTION: &str = "org.opencontainers.image.description";

/// What a target is built from instead.
#[derive(Clone, Debug)]
pub(crate) struct Instead {
    pub server: Server,
    pub base: ImageRef,
    /// The full version of Debian's package, and the one that stands there now.
    pub package: String,
    pub pinned: String,
    /// What `CREATE EXTENSION` makes of it. None: it is not known before there is an image.
    pub sql_version: Option<String>,
}

impl Definitions {
    /// One target for each of these majors, on what `instead` says of a target for a server and a major; without it the target is
    /// left out. Of several for one major the last one's definition is taken. A major that no target is for has one like that for
    /// the newest, where it is certain how that differs.
    pub(crate) fn rebased(
        &self,
        majors: &[Major],
        instead: impl Fn(Definition<'_>, &Server, &Major) -> Result<Option<Instead>, Failure>,
    ) -> Result<Self, Failure> {
        let mut built = Vec::new();
        for definition in self.built() {
            built.push((definition, definition.server()?));
        }
        let newest = built.iter().map(|(_, server)| &server.major);
        let newest = newest.max_by_key(|major| major.number()).cloned();
        let mut chosen: BTreeMap<Major, (Definition<'_>, Words)> = BTreeMap::new();
        for major in majors {
            let own = built.iter().any(|(_, server)| server.major == *major);
            let like = if own { Some(major) } else { newest.as_ref() };
            for (definition, server) in built.iter().filter(|(_, one)| Some(&one.major) == like) {
                let Some(instead) = instead(*definition, server, major)? else {
                    continue;
                };
                let words = Words::of(*definition, server, instead)?;
                if own || words.can_change_major() {
                    chosen.insert(major.clone(), (*definition, words));
                }
            }
        }
        let bases = chosen.values().map(|(_, words)| words.base.clone());
        let bases: Vec<Pair> = bases.collect();
        let (mut targets, mut built) = (Map::new(), Vec::new());
        for (definition, words) in chosen.values() {
            let mut rewriting = Rewriting {
                definitions: self,
                words,
                bases: &bases,
                names: BTreeMap::new(),
                targets: &mut targets,
            };
            let name = rewriting.place(definition.name, Some(&words.sql_version));
            built.push((name, words.package.1.clone()));
        }
        Ok(Self::changed(targets, built))
    }
}

/// The rewriting of one target and of all that it is built from.
struct Rewriting<'a> {
    definitions: &'a Definitions,
    words: &'a Words,
    /// Base images of the targets for all majors: they may share what they are built from.
    bases: &'a [Pair],
    /// How the targets are called now.
    names: BTreeMap<&'a str, String>,
    targets: &'a mut Map<String, Value>,
}

impl<'a> Rewriting<'a> {
    /// Adds a target, and gives its new name. What another definition has is given another name. `sql_version` is for the
    /// image itself; what it is built from has none.
    fn place(&mut self, name: &'a str, sql_version: Option<&str>) -> String {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let wanted = self.words.in_name(name);
        self.names.insert(name, wanted.clone());
        let Some(definition) = self.definitions.get(name) else {
            return wanted;
        };
        for source in definition.sources() {
            self.place(source, None);
        }
        let mut json = self.in_value(definition.json, "", "");
        if let Some(version) = sql_version {
            annotate(&mut json, version);
        }
        let others = (2..).map(|number: usize| format!("{wanted}-{number}"));
        let is_free = |name: &String| self.targets.get(name).is_none_or(|taken| *taken == json);
        let free = std::iter::once(wanted.clone()).chain(others).find(is_free);
        let free = free.unwrap_or(wanted);
        self.names.insert(name, free.clone());
        self.targets.insert(free.clone(), json);
        free
    }

    /// `field`: the name of the target's field that holds the value, and `key` its own name there.
    fn in_value(&self, value: &Value, field: &str, key: &str) -> Value {
        match value {
            Value::String(text) => Value::String(self.in_text(text, field, key)),
            Value::Array(items) => {
                let items = items.iter();
                items.map(|item| self.in_value(item, field, key)).collect()
            }
            Value::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    let field = if field.is_empty() { key } else { field };
                    (key.clone(), self.in_value(value, field, key))
                });
                Value::Object(entries.collect())
            }
            other => other.clone(),
        }
    }

    fn in_text(&self, text: &str, field: &str, key: &str) -> String {
        match field {
            "args" => self.in_argument(text, key),
            "contexts" => match text.strip_prefix("target:") {
                Some(name) => match self.names.get(name) {
                    Some(name) => format!("target:{name}"),
                    None => text.to_owned(),
                },
                None if text.starts_with("docker-image://") => self.in_image(text),
                None => text.to_owned(),
            },
            "dockerfile-inline" if self.words.has_revision() => {
                let text = self.words.in_package_names(&self.in_image(text));
                replaced(&text, &self.words.package, PACKAGED)
            }
            "dockerfile-inline" => self.words.in_package_names(&self.in_image(text)),
            "tags" => match text.rsplit_once(':') {
                Some((repository, tag)) => format!("{repository}:{}", self.words.in_tag(tag)),
                None => text.to_owned(),
            },
            "labels" => self.in_annotation(key, text),
            "annotations" => match text.split_once('=') {
                Some((key, value)) => format!("{key}={}", self.in_annotation(bare(key), value)),
                None => text.to_owned(),
            },
            _ => text.to_owned(),
        }
    }

    /// An argument may hold any number; only one that is the suite, or that cannot be anything else, is meant.
    fn in_argument(&self, text: &str, name: &str) -> String {
        if let Some(major) = self.words.in_major_argument(name, text) {
            return major;
        }
        let based = self.in_base(text);
        if based != text {
            return based;
        }
        let named = self.words.in_package_names(text);
        if name == PACKAGE || self.words.has_revision() {
            let packaged = replaced(&named, &self.words.package, PACKAGED);
            if packaged != named {
                return packaged;
            }
        }
        if named != text {
            return named;
        }
        let (suite, new) = &self.words.suite;
        let behind = text.strip_prefix(suite.as_str());
        match behind.filter(|behind| OF_SUITE.contains(behind)) {
            Some(behind) => format!("{new}{behind}"),
            None => text.to_owned(),
        }
    }

    /// What an image says of itself. Under other keys than these a number may mean anything.
    fn in_annotation(&self, key: &str, text: &str) -> String {
        let words = self.words;
        match key {
            annotations::VERSION if words.has_revision() && text == words.package.0 => {
                words.package.1.clone()
            }
            annotations::VERSION if text == words.version.0 => words.version.1.clone(),
            annotations::BASE_NAME | OCI_BASE => self.in_base(text),
            annotations::BASE_MAJOR => words.in_major(text),
            annotations::BASE_OS if text == words.suite.0 => words.suite.1.clone(),
            TITLE | DESCRIPTION => words.in_prose(text),
            _ => text.to_owned(),
        }
    }

    fn in_base(&self, text: &str) -> String {
        let own = std::iter::once(&self.words.base);
        let based = own
            .chain(self.bases)
            .map(|base| replaced(text, base, "-_@"));
        let mut changed = based.filter(|based| based != text);
        changed.next().unwrap_or_else(|| text.to_owned())
    }

    /// A text with images in it: the base images, or others for the suite.
    fn in_image(&self, text: &str) -> String {
        self.words.in_suites(&self.in_base(text))
    }
}

/// Says the version for SQL, which stands in no other word.
fn annotate(json: &mut Value, version: &str) {
    let labels = json.get_mut("labels").and_then(Value::as_object_mut);
    if let Some(label) = labels.and_then(|labels| labels.get_mut(annotations::SQL_VERSION)) {
        *label = Value::from(version);
    }
    let all = json.get_mut("annotations").and_then(Value::as_array_mut);
    for annotation in all.into_iter().flatten() {
        let Some((key, _)) = annotation.as_str().and_then(|text| text.split_once('=')) else {
            continue;
        };
        if bare(key) == annotations::SQL_VERSION {
            *annotation = Value::from(format!("{key}={version}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed() -> Definitions {
        Definitions::parse(
            r#"{"group": {"default": {"targets": ["x-1_2-18-trixie", "x-1_2-18-bookworm"]}},
            "target": {
              "archive-18-trixie": {"args": {"BASE": "ghcr.io/c/postgresql:18-minimal-trixie"}, "target": "archive"},
              "x-1_2-18-bookworm": {"args": {"PG_MAJOR": "18", "BASE": "ghcr.io/c/postgresql:18-minimal-bookworm"}, "tags": ["r/x:1.2-18-bookworm"]},
              "x-1_2-18-trixie": {
                "contexts": {"archive": "target:archive-18-trixie"},
                "args": {"PG_MAJOR": "18", "VERSION": "1.2-1.pgdg13+1", "BASE": "ghcr.io/c/postgresql:18-minimal-trixie", "SUITE": "trixie", "OTHER": "1.2"},
                "tags": ["localhost:5000/trixie/x:1.2-18-trixie", "localhost:5000/trixie/x:1.2-11.2.3-18-trixie"],
                "labels": {"io.cloudnativepg.image.sql.version": "1.2"},
                "annotations": ["index:io.cloudnativepg.image.base.name=ghcr.io/c/postgresql:18-minimal-trixie", "index:io.cloudnativepg.image.sql.version=1.2", "index:org.opencontainers.image.title=x 1.2 18 trixie"]
              }
            }}"#,
        )
        .unwrap()
    }

    fn majors(texts: &[&str]) -> Vec<Major> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_target_is_rebased_wherever_the_words_stand_and_nowhere_else() {
        let only_trixie = |_: Definition<'_>, server: &Server, major: &Major| {
            let instead = Instead {
                server: Server::parse("forky", major).unwrap(),
                base: "ghcr.io/c/postgresql:18-minimal-forky".parse()?,
                package: "1.3.1-2".into(),
                pinned: "1.2-1.pgdg13+1".into(),
                sql_version: Some("1.3".into()),
            };
            Ok((&*server.distro == "trixie").then_some(instead))
        };
        let rebased = printed().rebased(&majors(&["18"]), only_trixie).unwrap();
        let names: Vec<&str> = rebased.built().map(|one| one.name).collect();
        assert_eq!(names, ["x-1_3_1-18-forky"]);
        let all = rebased.with_sources(names, std::time::SystemTime::UNIX_EPOCH);
        let expected = r#"{
          "x-1_3_1-18-forky": {
            "contexts": {"archive": "target:archive-18-forky"},
            "args": {"PG_MAJOR": "18", "VERSION": "1.3.1-2", "BASE": "ghcr.io/c/postgresql:18-minimal-forky", "SUITE": "forky", "OTHER": "1.2"},
            "tags": ["localhost:5000/trixie/x:1.3.1-18-forky", "localhost:5000/trixie/x:1.3.1-11.2.3-18-forky"],
            "labels": {"io.cloudnativepg.image.sql.version": "1.3"},
            "annotations": ["index:io.cloudnativepg.image.base.name=ghcr.io/c/postgresql:18-minimal-forky", "index:io.cloudnativepg.image.sql.version=1.3", "index:org.opencontainers.image.title=x 1.3.1 18 forky"]
          },
          "archive-18-forky": {"args": {"BASE": "ghcr.io/c/postgresql:18-minimal-forky"}, "target": "archive"}
        }"#;
        assert_eq!(
            Value::Object(all),
            serde_json::from_str::<Value>(expected).unwrap()
        );
    }

    /// `definitions` on Debian forky and the version `package` for each major: all targets by name.
    fn on_forky(default: &str, definitions: &str, versions: (&str, &str), of: &[&str]) -> Value {
        let rebased = rebased_on_forky(default, definitions, versions, of);
        let names = rebased.built().map(|one| one.name);
        Value::Object(rebased.with_sources(names, std::time::SystemTime::UNIX_EPOCH))
    }

    fn rebased_on_forky(
        default: &str,
        definitions: &str,
        (pinned, package): (&str, &str),
        of: &[&str],
    ) -> Definitions {
        let printed = format!(
            r#"{{"group": {{"default": {{"targets": [{default}]}}}}, "target": {{{definitions}}}}}"#
        );
        let instead = |_: Definition<'_>, _: &Server, major: &Major| {
            let base = format!("ghcr.io/c/postgresql:{major}-minimal-forky");
            Ok(Some(Instead {
                server: Server::parse("forky", major).unwrap(),
                base: base.parse()?,
                package: package.into(),
                pinned: pinned.into(),
                sql_version: None,
            }))
        };
        let definitions = Definitions::parse(&printed).unwrap();
        definitions.rebased(&majors(of), instead).unwrap()
    }

    fn json(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_version_that_is_a_small_number_is_replaced_only_where_it_is_meant() {
        let eighteen = on_forky(
            r#""x-18-18-trixie""#,
            r#""x-18-18-trixie": {
              "args": {"PG_MAJOR": "18", "EXT_VERSION": "18", "OTHER": "18", "BASE": "ghcr.io/c/postgresql:18-minimal-trixie"},
              "tags": ["r/x:18-18-trixie", "r/x:18-trixie", "r/x:18.1-18-trixie"],
              "labels": {"org.opencontainers.image.version": "18", "io.cloudnativepg.image.base.pgmajor": "18"},
              "annotations": ["org.opencontainers.image.version=18", "io.cloudnativepg.image.base.pgmajor=18", "io.cloudnativepg.image.base.os=trixie", "org.opencontainers.image.description=x 18 for PostgreSQL 18"]}"#,
            ("18", "19.1-1"),
            &["18"],
        );
        let expected = r#"{"x-19_1-18-forky": {
              "args": {"PG_MAJOR": "18", "EXT_VERSION": "19.1-1", "OTHER": "18", "BASE": "ghcr.io/c/postgresql:18-minimal-forky"},
              "tags": ["r/x:19.1-18-forky", "r/x:18-forky", "r/x:18.1-18-forky"],
              "labels": {"org.opencontainers.image.version": "19.1", "io.cloudnativepg.image.base.pgmajor": "18"},
              "annotations": ["org.opencontainers.image.version=19.1", "io.cloudnativepg.image.base.pgmajor=18", "io.cloudnativepg.image.base.os=forky", "org.opencontainers.image.description=x 19.1 for PostgreSQL 18"]}}"#;
        assert_eq!(eighteen, json(expected));
    }

    #[test]
    fn arguments_and_tags_of_another_order_and_other_names_are_replaced_too() {
        let one = on_forky(
            r#""like-18-trixie""#,
            r#""like-18-trixie": {
              "args": {"NODE": "node:18-slim-trixie", "SERVER": "ghcr.io/c/postgresql:18-minimal-trixie", "WANTED": "postgresql-18-x=1.2-1.pgdg13+1"},
              "tags": ["r/x:trixie-18", "r/x:1.2-trixie-18"]}"#,
            ("1.2-1.pgdg13+1", "1.3-1"),
            &["18"],
        );
        let expected = r#"{"like-18-forky": {
              "args": {"NODE": "node:18-slim-trixie", "SERVER": "ghcr.io/c/postgresql:18-minimal-forky", "WANTED": "postgresql-18-x=1.3-1"},
              "tags": ["r/x:forky-18", "r/x:1.3-forky-18"]}}"#;
        assert_eq!(one, json(expected));
        let bare = r#""x-18-trixie": {"args": {"PG_MAJOR": "18", "BASE": "x/postgresql:18-trixie", "V": "1.2-1.pgdg13+1"}}"#;
        let versions = ("1.2-1.pgdg13+1", "1.3-1");
        let rebased = rebased_on_forky(r#""x-18-trixie""#, bare, versions, &["18"]);
        let built = rebased.built().next().unwrap();
        assert_eq!(
            (built.package(), rebased.package_of(built)),
            (None, Some("1.3-1"))
        );
    }

    #[test]
    fn what_is_said_under_other_keys_stays_and_a_suite_is_replaced_wherever_it_is_one() {
        let one = on_forky(
            r#""x-1-18-trixie""#,
            r#""x-1-18-trixie": {
              "args": {"SUITE": "trixie-pgdg", "NAME": "trixie-tools"},
              "contexts": {"debian": "docker-image://debian:trixie-slim", "files": "./trixie"},
              "dockerfile-inline": "FROM debian:trixie\nRUN x-trixie-tools trixie",
              "labels": {"url": "https://e.org/releases/1/trixie-tools#1"},
              "annotations": ["org.opencontainers.image.version=1", "licence=GPL-1 or PostgreSQL 1"]}"#,
            ("1", "2-1"),
            &["18"],
        );
        let expected = r#"{"x-2-18-forky": {
              "args": {"SUITE": "forky-pgdg", "NAME": "trixie-tools"},
              "contexts": {"debian": "docker-image://debian:forky-slim", "files": "./trixie"},
              "dockerfile-inline": "FROM debian:forky\nRUN x-trixie-tools forky",
              "labels": {"url": "https://e.org/releases/1/trixie-tools#1"},
              "annotations": ["org.opencontainers.image.version=2", "licence=GPL-1 or PostgreSQL 1"]}}"#;
        assert_eq!(one, json(expected));
    }

    #[test]
    fn what_targets_are_built_from_is_written_once_or_under_two_names() {
        let of = |major: &str| {
            format!(
                r#""x-1_2-{major}-trixie": {{
                  "contexts": {{"a": "target:apt-trixie", "b": "target:apt-forky", "c": "target:shared"}},
                  "args": {{"PG_MAJOR": "{major}", "BASE": "ghcr.io/c/postgresql:{major}-minimal-trixie"}}}}"#
            )
        };
        let sources = r#""apt-trixie": {"target": "one"}, "apt-forky": {"target": "other"},
            "shared": {"args": {"BASE": "ghcr.io/c/postgresql:17-minimal-trixie"}}"#;
        let all = on_forky(
            r#""x-1_2-17-trixie", "x-1_2-18-trixie""#,
            &[&of("17"), &of("18"), sources].join(", "),
            ("1.2-1.pgdg13+1", "1.3-1"),
            &["17", "18"],
        );
        let mut names: Vec<&String> = all.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(
            names,
            [
                "apt-forky",
                "apt-forky-2",
                "shared",
                "x-1_3-17-forky",
                "x-1_3-18-forky"
            ]
        );
        assert_eq!(
            all["shared"]["args"]["BASE"],
            "ghcr.io/c/postgresql:17-minimal-forky"
        );
        for root in ["x-1_3-17-forky", "x-1_3-18-forky"] {
            for (context, target) in [("a", "one"), ("b", "other")] {
                let source = all[root]["contexts"][context].as_str().unwrap();
                let source = source.strip_prefix("target:").unwrap();
                assert_eq!(all[source]["target"], target, "{root}: {source}");
            }
        }
    }

    #[test]
    fn a_package_without_a_revision_has_its_own_version_in_tags() {
        let printed = r#"{"group": {"default": {"targets": ["x-2-18-trixie"]}}, "target": {"x-2-18-trixie": {
            "args": {"PG_MAJOR": "18", "EXT_VERSION": "2.0", "BASE": "r/postgresql:18-minimal-trixie"}, "tags": ["r/x:2.0-18-trixie"]}}}"#;
        let rebased =
            Definitions::parse(printed)
                .unwrap()
                .rebased(&majors(&["18"]), |_, _, major| {
                    Ok(Some(Instead {
                        server: Server::parse("forky", major).unwrap(),
                        base: "r/postgresql:18-minimal-forky".parse()?,
                        package: "2.1+dfsg-1".into(),
                        pinned: "2.0".into(),
                        sql_version: None,
                    }))
                });
        let rebased = rebased.unwrap();
        let built = rebased.built().next().unwrap();
        assert_eq!(built.tags().collect::<Vec<_>>(), ["r/x:2.1-18-forky"]);
        assert_eq!(built.package(), Some("2.1+dfsg-1"));
    }

    const ONE_MAJOR: &str = r#""x-2_1-18-trixie": {
      "args": {"PG_MAJOR": "18", "EXT_VERSION": "2.1-1", "PACKAGES": "postgresql-18-x postgresql-18-x-scripts", "NUMBER": "18",
               "MODULES": "/usr/lib/postgresql/18/lib", "BASE": "ghcr.io/c/postgresql:18-minimal-trixie"},
      "tags": ["r/x:2.1-18-trixie"],
      "annotations": ["io.cloudnativepg.image.base.pgmajor=18", "io.cloudnativepg.image.base.os=trixie",
               "org.opencontainers.image.title=x 2.1 18 trixie", "org.opencontainers.image.description=x 2.1 for PostgreSQL 18, 18.1 too"]}"#;

    #[test]
    fn a_major_without_a_target_has_one_like_that_of_the_newest() {
        let both = on_forky(
            r#""x-2_1-18-trixie""#,
            ONE_MAJOR,
            ("2.1-1", "3~rc1-1"),
            &["18", "19"],
        );
        let mut names: Vec<&String> = both.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["x-3-18-forky", "x-3-19-forky"]);
        let expected = r#"{
          "args": {"PG_MAJOR": "19", "EXT_VERSION": "3~rc1-1", "PACKAGES": "postgresql-19-x postgresql-19-x-scripts", "NUMBER": "18",
                   "MODULES": "/usr/lib/postgresql/19/lib", "BASE": "ghcr.io/c/postgresql:19-minimal-forky"},
          "tags": ["r/x:3-19-forky"],
          "annotations": ["io.cloudnativepg.image.base.pgmajor=19", "io.cloudnativepg.image.base.os=forky",
                   "org.opencontainers.image.title=x 3 19 forky", "org.opencontainers.image.description=x 3 for PostgreSQL 19, 18.1 too"]}"#;
        assert_eq!(both["x-3-19-forky"], json(expected));
    }

    #[test]
    fn other_layouts_say_the_major_otherwise() {
        let all = on_forky(
            r#""x_for_18_on_trixie""#,
            r#""x_for_18_on_trixie": {
              "args": {"MAJOR": "18", "VERSION": "2.1-1", "IMAGE": "ghcr.io/c/postgresql:18-minimal-trixie"},
              "tags": ["r/x:18-trixie", "r/x:18-trixie-20261126"],
              "annotations": ["io.cloudnativepg.image.base.pgmajor=18", "io.cloudnativepg.image.base.os=trixie",
                       "io.cloudnativepg.image.base.name=ghcr.io/c/postgresql:18-minimal-trixie"]}"#,
            ("2.1-1", "3-1"),
            &["19"],
        );
        let one = all.as_object().unwrap().values().next().unwrap();
        assert_eq!(one["args"]["MAJOR"], "19");
        assert_eq!(
            one["args"]["IMAGE"],
            "ghcr.io/c/postgresql:19-minimal-forky"
        );
        assert_eq!(
            one["tags"],
            json(r#"["r/x:19-forky", "r/x:19-forky-20261126"]"#)
        );
    }

    /// The image would be that of the other major, or be called like it.
    #[test]
    fn a_target_that_does_not_say_its_major_stands_for_no_other() {
        for (said, silent) in [
            // Which of the two numbers is it?
            (r#""PG_MAJOR": "18""#, r#""MAJOR": "18""#),
            ("r/x:2.1-18-trixie", "r/x:2.1-trixie"),
        ] {
            let definition = ONE_MAJOR.replace(said, silent);
            assert_ne!(definition, ONE_MAJOR);
            let all = on_forky(
                r#""x-2_1-18-trixie""#,
                &definition,
                ("2.1-1", "3-1"),
                &["18", "19"],
            );
            let names: Vec<&String> = all.as_object().unwrap().keys().collect();
            assert_eq!(names, ["x-3-18-forky"], "{silent}");
        }
    }
}
