// SPDX-License-Identifier: Apache-2.0
//! The examples in an extension's README, compared with what `manifest` would print: what a user copies must work. An example may leave
//! out what does not matter, and name things as it likes.

mod cluster;
mod database;

use std::sync::Arc;

use serde_json::Value;

use crate::{extension::Extension, finding::Findings, stage::resources, yaml};

/// What the examples are held against: the extension, and those that it needs, in mounting order.
pub(super) struct Readme<'a> {
    pub extension: &'a Arc<Extension>,
    pub needed: &'a [Arc<Extension>],
}

/// An object of the operator's in a block of code.
#[derive(Debug)]
struct Example<'a> {
    /// Its first line in the file, from 1.
    line: usize,
    text: &'a str,
    value: Value,
}

impl Readme<'_> {
    /// Says what of the examples would not work, or is out of date.
    pub(super) fn check(&self, text: &str, findings: &mut Findings) {
        let examples = examples(text, findings);
        let of_kind = |kind: &'static str| {
            let all = examples.iter();
            all.filter(move |one| one.value["kind"] == kind)
                .collect::<Vec<_>>()
        };
        let (clusters, databases) = (of_kind("Cluster"), of_kind("Database"));
        cluster::check(self, &clusters, findings);
        database::check(self, &databases, &clusters, findings);
    }

    /// All of them, in mounting order.
    fn all(&self) -> impl Iterator<Item = &Arc<Extension>> {
        std::iter::once(self.extension).chain(self.needed)
    }
}

impl Example<'_> {
    /// The line, from 1, of the first that holds all of these; else its first one.
    fn line_of(&self, words: &[&str]) -> usize {
        let holds = |line: &str| {
            let said = line.split(" #").next().unwrap_or_default();
            words.iter().all(|word| said.contains(word))
        };
        let at = self.text.lines().position(holds);
        self.line + at.unwrap_or_default()
    }

    fn name(&self) -> Option<&str> {
        self.value["metadata"]["name"].as_str()
    }
}

/// The entries of a list of objects.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The operator's objects in the blocks of code that are YAML.
fn examples<'a>(text: &'a str, findings: &mut Findings) -> Vec<Example<'a>> {
    let mut examples = Vec::new();
    for (line, block) in documents(text) {
        let is_ours = ["kind: Cluster", "kind: Database"]
            .iter()
            .any(|kind| block.lines().any(|line| line.trim_end() == *kind));
        if !is_ours {
            continue;
        }
        match yaml::one_document(block) {
            Err(why) => findings.warning(line, format!("this example is no YAML: {why}")),
            Ok(value) => {
                let said = value["apiVersion"].as_str().unwrap_or_default();
                if said != resources::API_VERSION {
                    let wanted = resources::API_VERSION;
                    findings.error(
                        line,
                        format!("`apiVersion` is `{said}`; the operator's objects have `{wanted}`"),
                    );
                }
                examples.push(Example {
                    line,
                    text: block,
                    value,
                });
            }
        }
    }
    examples
}

/// The documents in all blocks of code that begin with three backticks or tildes, each with its first line, from 1.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut block: Option<(&str, usize, usize)> = None;
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let trimmed = line.trim();
        let fence = ["```", "~~~"]
            .into_iter()
            .find(|fence| trimmed.starts_with(fence));
        let end = at + line.len();
        match (block, fence) {
            (None, Some(fence)) => {
                let language = trimmed.trim_start_matches(['`', '~']).trim();
                // Of another language nothing is an object.
                let is_yaml = ["", "yaml", "yml"].contains(&language);
                block = Some((if is_yaml { fence } else { "" }, number + 2, end));
            }
            (Some((kind, first, start)), Some(fence)) if kind.is_empty() || kind == fence => {
                if !kind.is_empty() {
                    found.push((first, &text[start..at]));
                }
                block = None;
            }
            (Some((kind, first, start)), None) if trimmed == "---" => {
                if !kind.is_empty() {
                    found.push((first, &text[start..at]));
                }
                block = Some((kind, number + 2, end));
            }
            _ => {}
        }
        at = end;
    }
    found
}
