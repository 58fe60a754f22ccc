// SPDX-License-Identifier: Apache-2.0
//! What bake's answer about an extension depends on: as long as all of it is the same, so is the answer, but for the
//! moment in it.

use std::collections::BTreeMap;

use hcl_edit::structure::Body;
use serde::Serialize;

use super::{
    moment::Layout,
    passing::{Names, layouts},
};

/// What a variable's value may be in, besides its own name. Fact: docker/buildx, `bake/hclparser`, the override of a typed
/// variable as JSON.
const AS_JSON: &str = "_JSON";
/// Variables that change what bake reads or prints, declared or not. Fact: `SOURCE_DATE_EPOCH` becomes an argument of each
/// target in docker/buildx, `commands/bake.go`.
const OF_BAKE: &[&str] = &["BAKE_", "BUILDX_", "SOURCE_DATE_EPOCH"];

/// All that bake reads to say what it builds.
#[derive(Debug, Serialize)]
pub(crate) struct Inputs {
    /// The texts of its files, by their names.
    pub files: BTreeMap<String, String>,
    /// The variables of the environment that these declare, as far as they are set.
    pub variables: BTreeMap<String, String>,
    /// Which program answers, and on what kind of machine.
    pub program: String,
}

/// Whether bake's answer depends on a variable of the environment, where its files declare these.
pub(crate) fn is_read(name: &str, declared: &[String]) -> bool {
    let plain = name.strip_suffix(AS_JSON).unwrap_or(name);
    let of_bake = OF_BAKE.iter().any(|prefix| name.starts_with(prefix));
    of_bake || declared.iter().any(|one| one == name || one == plain)
}

/// What the files' expressions are, as far as an answer's life depends on it.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    /// The variables that bake takes from the environment.
    pub declared: Vec<String>,
    /// How the moment of the call is written; None: not all of it can be told, so that an answer is not kept.
    pub layouts: Option<Vec<Layout>>,
}

impl Expressions {
    /// Of the texts of bake files. One that is no HCL to us may be to bake: then nothing is known.
    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let bodies = texts.into_iter().map(hcl_edit::parser::parse_body);
        let Ok(bodies) = bodies.collect::<Result<Vec<Body>, _>>() else {
            return Self::default();
        };
        Self {
            declared: bodies.iter().flat_map(declared).collect(),
            layouts: layouts(&bodies, &Names::of(&bodies)),
        }
    }
}

/// The names of a file's `variable` blocks.
fn declared(body: &Body) -> Vec<String> {
    let variables = body
        .blocks()
        .filter(|block| block.ident.as_str() == "variable");
    let labels = variables.flat_map(|block| &block.labels);
    labels.map(|label| label.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_bake_reads_are_those_that_are_declared_as_json_too_and_its_own() {
        let declared = ["regs".to_owned()];
        for name in [
            "regs",
            "regs_JSON",
            "SOURCE_DATE_EPOCH",
            "BUILDX_BAKE_FILE_RELATIVE_PATHS",
        ] {
            assert!(is_read(name, &declared), "{name}");
        }
        for name in ["other", "other_JSON", "regs_CSV2", "_JSON"] {
            assert!(!is_read(name, &declared), "{name}");
        }
    }

    #[test]
    fn the_variables_of_all_files_are_declared() {
        let expressions = Expressions::of(["variable \"a\" {}\n", "variable b {}\nc = 1\n"]);
        assert_eq!(expressions.declared, ["a", "b"]);
        assert!(Expressions::of(["a = {\n"]).layouts.is_none());
    }
}
