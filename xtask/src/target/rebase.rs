// SPDX-License-Identifier: Apache-2.0
//! The same targets on other packages: what `--base debian` builds. Base image, package and suite take the place of those
//! that bake has printed, wherever they stand in a target, whatever the bake file calls its arguments.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Printed, printed::Definition};
use crate::{
    extension::version_of,
    failure::Failure,
    value::{ImageRef, Major, Server, Suite, annotations},
};

/// What a target is built from instead.
#[derive(Clone, Debug)]
pub(crate) struct Instead {
    pub suite: Suite,
    pub base: ImageRef,
    /// The full version of Debian's package, and the one that stands there now.
    pub package: String,
    pub pinned: String,
    /// What `CREATE EXTENSION` makes of it. None: it is not known before there is an image.
    pub sql_version: Option<String>,
}

impl Printed {
    /// One target for each major, on what `instead` says of a target for a server; without it the target is left out. Of
    /// several for one major the last one's definition is taken.
    pub(crate) fn rebased(
        &self,
        instead: impl Fn(Definition<'_>, &Server) -> Result<Option<Instead>, Failure>,
    ) -> Result<Self, Failure> {
        let mut chosen: BTreeMap<Major, (Definition<'_>, Server, Instead)> = BTreeMap::new();
        for definition in self.built() {
            let server = definition.server()?;
            if let Some(instead) = instead(definition, &server)? {
                chosen.insert(server.major.clone(), (definition, server, instead));
            }
        }
        let (mut targets, mut built) = (Map::new(), Vec::new());
        for (definition, server, instead) in chosen.values() {
            let words = Words::of(*definition, server, instead)?;
            built.push(words.in_name(definition.name));
            for (name, json) in self.closure([definition.name]) {
                let mut json = words.in_value(json, "");
                if name == definition.name {
                    Words::annotate(&mut json, instead);
                }
                targets.insert(words.in_name(name), json);
            }
        }
        Ok(Self::changed(targets, built))
    }
}

/// Words, and what stands for them.
struct Words {
    base: (String, String),
    package: (String, String),
    version: (String, String),
    suite: (String, String),
}

impl Words {
    fn of(definition: Definition<'_>, server: &Server, instead: &Instead) -> Result<Self, Failure> {
        let old_base = definition.base()?.map(|base| base.to_string());
        let new_version = version_of(&instead.package).unwrap_or_default();
        let old_version = definition
            .version()?
            .or_else(|| version_of(&instead.pinned));
        Ok(Self {
            base: (old_base.unwrap_or_default(), instead.base.to_string()),
            package: (instead.pinned.clone(), instead.package.clone()),
            version: (old_version.unwrap_or_default(), new_version),
            suite: (server.distro.to_string(), instead.suite.to_string()),
        })
    }

    /// A target's name, which may hold neither dots nor pluses.
    fn in_name(&self, name: &str) -> String {
        let safe = |text: &str| -> String {
            let safe = |c: char| {
                if c.is_ascii_alphanumeric() || c == '-' {
                    c
                } else {
                    '_'
                }
            };
            text.chars().map(safe).collect()
        };
        let version = (safe(&self.version.0), safe(&self.version.1));
        replaced(&replaced(name, &version), &self.suite)
    }

    /// `field`: the name of what holds the value.
    fn in_value(&self, value: &Value, field: &str) -> Value {
        match value {
            Value::String(text) => Value::String(self.in_text(text, field)),
            Value::Array(items) => items
                .iter()
                .map(|item| self.in_value(item, field))
                .collect(),
            Value::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    let holder = if matches!(field, "args" | "contexts" | "labels") {
                        field
                    } else {
                        key
                    };
                    (key.clone(), self.in_value(value, holder))
                });
                Value::Object(entries.collect())
            }
            other => other.clone(),
        }
    }

    fn in_text(&self, text: &str, field: &str) -> String {
        if field == "contexts"
            && let Some(target) = text.strip_prefix("target:")
        {
            return format!("target:{}", self.in_name(target));
        }
        let text = replaced(text, &self.base);
        // Where both are the same text, names and tags have the version.
        let is_version = self.package.0 == self.version.0 && field != "args";
        let text = if is_version {
            text
        } else {
            replaced(&text, &self.package)
        };
        match field {
            // An argument may hold any number; only one that is the suite is meant.
            "args" if text == self.suite.0 => self.suite.1.clone(),
            "tags" => match text.rsplit_once(':') {
                Some((repository, tag)) => format!("{repository}:{}", self.in_words(tag)),
                None => text,
            },
            "annotations" | "labels" if !text.contains(&self.base.1) => self.in_words(&text),
            _ => text,
        }
    }

    fn in_words(&self, text: &str) -> String {
        replaced(&replaced(text, &self.version), &self.suite)
    }

    /// Says the version for SQL, which stands in no other word.
    fn annotate(json: &mut Value, instead: &Instead) {
        let version = instead.sql_version.as_deref().unwrap_or_default();
        if let Some(label) = json
            .pointer_mut("/labels")
            .and_then(|labels| labels.get_mut(annotations::SQL_VERSION))
        {
            *label = Value::from(version);
        }
        let all = json
            .pointer_mut("/annotations")
            .and_then(Value::as_array_mut);
        for annotation in all.into_iter().flatten() {
            let Some((key, _)) = annotation.as_str().and_then(|text| text.split_once('=')) else {
                continue;
            };
            if key.ends_with(annotations::SQL_VERSION) {
                *annotation = Value::from(format!("{key}={version}"));
            }
        }
    }
}

/// The text with one word in place of another, where that stands for itself and is not a part of a longer one.
fn replaced(text: &str, (old, new): &(String, String)) -> String {
    if old.is_empty() {
        return text.to_owned();
    }
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(old.as_str()) {
        let (before, found) = rest.split_at(at);
        let behind = &found[old.len()..];
        let whole = replaced.clone() + before;
        replaced += before;
        let stands_alone = !continues(whole.chars().rev()) && !continues(behind.chars());
        replaced += if stands_alone { new } else { old };
        rest = behind;
    }
    replaced + rest
}

/// Whether what comes next belongs to the same word: a letter, a digit, or a dot with a digit behind it.
fn continues(mut next: impl Iterator<Item = char>) -> bool {
    match next.next() {
        Some('.') => next.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_ascii_alphanumeric(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed() -> Printed {
        Printed::parse(
            r#"{"group": {"default": {"targets": ["x-1_2-18-trixie", "x-1_2-18-bookworm"]}},
            "target": {
              "archive-18-trixie": {"args": {"BASE": "ghcr.io/c/postgresql:18-minimal-trixie"}, "target": "archive"},
              "x-1_2-18-bookworm": {"args": {"PG_MAJOR": "18", "BASE": "ghcr.io/c/postgresql:18-minimal-bookworm"}, "tags": ["r/x:1.2-18-bookworm"]},
              "x-1_2-18-trixie": {
                "contexts": {"archive": "target:archive-18-trixie"},
                "args": {"PG_MAJOR": "18", "VERSION": "1.2-1.pgdg13+1", "BASE": "ghcr.io/c/postgresql:18-minimal-trixie", "SUITE": "trixie", "OTHER": "1.2"},
                "tags": ["localhost:5000/trixie/x:1.2-18-trixie", "localhost:5000/trixie/x:1.2-11.2.3-18-trixie"],
                "labels": {"io.cloudnativepg.image.sql.version": "1.2"},
                "annotations": ["index:io.cloudnativepg.image.base.name=ghcr.io/c/postgresql:18-minimal-trixie", "index:io.cloudnativepg.image.sql.version=1.2", "index:title=x 1.2 18 trixie"]
              }
            }}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_target_is_rebased_wherever_the_words_stand_and_nowhere_else() {
        let only_trixie = |_: Definition<'_>, server: &Server| {
            let instead = Instead {
                suite: "forky".parse().unwrap(),
                base: "ghcr.io/c/postgresql:18-minimal-forky".parse()?,
                package: "1.3.1-2".into(),
                pinned: "1.2-1.pgdg13+1".into(),
                sql_version: Some("1.3".into()),
            };
            Ok((&*server.distro == "trixie").then_some(instead))
        };
        let rebased = printed().rebased(only_trixie).unwrap();
        let names: Vec<&str> = rebased.built().map(|one| one.name).collect();
        assert_eq!(names, ["x-1_3_1-18-forky"]);
        let all = rebased.with_sources(names, std::time::SystemTime::UNIX_EPOCH);
        let expected = r#"{
          "x-1_3_1-18-forky": {
            "contexts": {"archive": "target:archive-18-forky"},
            "args": {"PG_MAJOR": "18", "VERSION": "1.3.1-2", "BASE": "ghcr.io/c/postgresql:18-minimal-forky", "SUITE": "forky", "OTHER": "1.2"},
            "tags": ["localhost:5000/trixie/x:1.3.1-18-forky", "localhost:5000/trixie/x:1.3.1-11.2.3-18-forky"],
            "labels": {"io.cloudnativepg.image.sql.version": "1.3"},
            "annotations": ["index:io.cloudnativepg.image.base.name=ghcr.io/c/postgresql:18-minimal-forky", "index:io.cloudnativepg.image.sql.version=1.3", "index:title=x 1.3.1 18 forky"]
          },
          "archive-18-forky": {"args": {"BASE": "ghcr.io/c/postgresql:18-minimal-forky"}, "target": "archive"}
        }"#;
        assert_eq!(
            Value::Object(all),
            serde_json::from_str::<Value>(expected).unwrap()
        );
    }

    #[test]
    fn a_package_without_a_revision_has_its_own_version_in_tags() {
        let printed = r#"{"group": {"default": {"targets": ["x-2-18-trixie"]}}, "target": {"x-2-18-trixie": {
            "args": {"PG_MAJOR": "18", "EXT_VERSION": "2.0", "BASE": "r/postgresql:18-minimal-trixie"}, "tags": ["r/x:2.0-18-trixie"]}}}"#;
        let rebased = Printed::parse(printed).unwrap().rebased(|_, _| {
            Ok(Some(Instead {
                suite: "forky".parse().unwrap(),
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
}
