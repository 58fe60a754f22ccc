// SPDX-License-Identifier: Apache-2.0
//! Where the Dockerfile of a target is, as bake has printed it.

use std::path::{Path, PathBuf};

use super::{Definition, Target, place};

/// What a target is built by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Recipe {
    /// A file, relative to the repository's root where bake names it so.
    File(PathBuf),
    /// The bake file holds the text.
    Inline(String),
    /// It is not on this machine.
    Remote,
}

impl Definition<'_> {
    /// What it is built by. Fact: <https://docs.docker.com/build/bake/reference/#targetdockerfile>.
    fn recipe(self) -> Recipe {
        let field = |name: &str| self.json[name].as_str();
        if let Some(text) = field("dockerfile-inline") {
            // What is printed is a bake file, in which `${` would begin a template.
            return Recipe::Inline(text.replace("$${", "${"));
        }
        let context = field("context").unwrap_or(".");
        let dockerfile = field("dockerfile").unwrap_or("Dockerfile");
        match place::dockerfile(context, dockerfile) {
            Some(file) => Recipe::File(plain(&file)),
            None => Recipe::Remote,
        }
    }
}

impl Target {
    /// What it is built by. None: bake was not asked.
    pub(crate) fn recipe(&self) -> Option<Recipe> {
        Some(self.definitions.as_ref()?.get(&self.name)?.recipe())
    }

    /// What stands in its Dockerfile for the version of its package: the arguments that hold it, and itself.
    pub(crate) fn versions_in_recipe(&self) -> Vec<String> {
        let definitions = self.definitions.as_ref();
        let definition = definitions.and_then(|all| all.get(&self.name));
        let (Some(definition), Some(package)) = (definition, &self.package) else {
            return Vec::new();
        };
        let arguments = definition.json["args"].as_object().into_iter().flatten();
        let holding = arguments.filter(|(_, value)| {
            let value = value.as_str();
            value.is_some_and(|value| value.contains(package.as_str()))
        });
        let names = holding.map(|(name, _)| name.clone());
        names.chain([package.clone()]).collect()
    }
}

/// The path without `.` in it.
fn plain(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != std::path::Component::CurDir)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dockerfile_is_meant_from_its_context() {
        let of = |json: serde_json::Value| {
            Definition {
                name: "x",
                json: &json,
            }
            .recipe()
        };
        for (json, file) in [
            (json!({}), "Dockerfile"),
            (json!({"context": "x/"}), "x/Dockerfile"),
            (
                json!({"context": ".", "dockerfile": "x/Dockerfile"}),
                "x/Dockerfile",
            ),
            (
                json!({"context": "./x", "dockerfile": "../pg.Dockerfile"}),
                "x/../pg.Dockerfile",
            ),
            (
                json!({"context": "https://example.org/x.git", "dockerfile": "cwd://x/Dockerfile"}),
                "x/Dockerfile",
            ),
        ] {
            assert_eq!(of(json.clone()), Recipe::File(file.into()), "{json}");
        }
        assert_eq!(
            of(json!({"context": "https://example.org/x.git"})),
            Recipe::Remote
        );
        let inline = json!({"context": "x", "dockerfile-inline": "FROM scratch"});
        assert_eq!(of(inline), Recipe::Inline("FROM scratch".into()));
    }
}
