// SPDX-License-Identifier: Apache-2.0
//! Takes the fields of `metadata` out of the HCL, and says what is wrong with each.

use std::collections::BTreeMap;

use super::texts::{one_line, placeholders};
use crate::{
    failure::did_you_mean,
    finding::Findings,
    hcl::{Node, Value},
    value::PackagePattern,
};

/// Whether the field may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Requirement {
    /// Without it the image would be wrong.
    Required,
    /// Older files lack it; it then has its empty default.
    Expected,
    /// Not every extension has it.
    Optional,
}

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// All of it, as metadata.hcl does.
    InFull,
    /// What is not as it mostly is.
    InPart,
}

/// The fields of the `metadata` object, taken out one after the other.
pub(super) struct Fields<'a> {
    left: Vec<(String, Node)>,
    pub(super) lines: BTreeMap<String, usize>,
    /// The names that a field was looked for by.
    pub(super) asked: Vec<&'static str>,
    /// Fields that older files lack.
    missing: Vec<&'static str>,
    /// An expression is among what was taken.
    pub(super) open: bool,
    said: Said,
    whole: usize,
    pub(super) findings: &'a mut Findings,
}

impl<'a> Fields<'a> {
    pub(super) fn of(metadata: &Node, findings: &'a mut Findings) -> Option<Self> {
        Self::said(metadata, Said::InFull, findings)
    }

    pub(super) fn said(metadata: &Node, said: Said, findings: &'a mut Findings) -> Option<Self> {
        let Value::Map(left) = &metadata.value else {
            findings.error(
                metadata.line,
                format!("`metadata` is {}; it must be a map", metadata.value.kind()),
            );
            return None;
        };
        // What is null is not said.
        let left = left.iter().filter(|(_, node)| node.value != Value::Null);
        let left: Vec<(String, Node)> = left.cloned().collect();
        for (name, node) in &left {
            placeholders(name, node, findings);
            one_line(name, node, findings);
        }
        Some(Self {
            lines: left
                .iter()
                .map(|(name, node)| (name.clone(), node.line))
                .collect(),
            left,
            asked: Vec::new(),
            missing: Vec::new(),
            open: false,
            said,
            whole: metadata.line,
            findings,
        })
    }

    pub(super) fn take(&mut self, name: &'static str, needed: Requirement) -> Option<Node> {
        self.asked.push(name);
        let at = self.left.iter().position(|(key, _)| key == name);
        if at.is_none() {
            match needed {
                Requirement::Required => self
                    .findings
                    .error(self.whole, format!("missing field `{name}`")),
                Requirement::Expected if self.said == Said::InPart => {}
                Requirement::Expected => self.missing.push(name),
                Requirement::Optional => {}
            }
        }
        let node = at.map(|at| self.left.remove(at).1);
        self.open |= node.as_ref().is_some_and(Node::is_open);
        node
    }

    /// What bake alone reads may be written in any way.
    pub(super) fn unread(&mut self, name: &str, node: &Node, wanted: &str) {
        let found = node.value.kind();
        self.findings.warning(
            node.line,
            format!("`{name}` is {found}, where most have {wanted}: bake alone reads it"),
        );
    }

    pub(super) fn wrong(&mut self, name: &str, node: &Node, wanted: &str) {
        let found = node.value.kind();
        self.findings.error(
            node.line,
            format!("`{name}` is {found}; it must be {wanted}"),
        );
    }

    /// What a list or a map holds is wrong.
    pub(super) fn wrong_item(&mut self, name: &str, node: &Node, wanted: &str) {
        let found = node.value.kind();
        self.findings.error(
            node.line,
            format!("`{name}` holds {found}; it must be {wanted}"),
        );
    }

    /// A text; where it is missing, `default` is taken.
    pub(super) fn text_or(&mut self, name: &'static str, default: &str) -> String {
        if self.left.iter().any(|(key, _)| key == name) {
            return self.text(name);
        }
        self.asked.push(name);
        if self.said == Said::InFull {
            self.findings.warning(
                self.whole,
                format!("missing field `{name}`, taken as `{default}`"),
            );
        }
        default.to_owned()
    }

    /// The image's name in small letters, which alone a registry takes: bake files write it so.
    pub(super) fn image_name(&mut self, default: &str) -> String {
        let name = "image_name";
        let text = self.text_or(name, default);
        let small = text.to_lowercase();
        if small != text {
            let message =
                format!("`{name}` is `{text}`, taken as `{small}`: images have small letters");
            self.findings
                .warning(self.lines.get(name).copied(), message);
        }
        small
    }

    pub(super) fn text(&mut self, name: &'static str) -> String {
        match self.take(name, Requirement::Required) {
            Some(Node {
                value: Value::String(text),
                line,
            }) => {
                if text.is_empty() {
                    self.findings.error(line, format!("`{name}` is empty"));
                }
                text
            }
            Some(node) => {
                self.wrong(name, &node, "a string");
                String::new()
            }
            None => String::new(),
        }
    }

    pub(super) fn flag(&mut self, name: &'static str, needed: Requirement) -> Option<bool> {
        match self.take(name, needed)? {
            Node {
                value: Value::Bool(flag),
                ..
            } => Some(flag),
            node => {
                let said = match &node.value {
                    Value::String(text) => text.parse().ok(),
                    _ => None,
                };
                match said {
                    Some(flag) => self.taken(name, &node, &format!("`{flag}`")),
                    None => self.wrong(name, &node, "`true` or `false`"),
                }
                said
            }
        }
    }

    /// Bake takes what is not written as it should be, and it is clear what is meant.
    pub(super) fn taken(&mut self, name: &str, node: &Node, taken: &str) {
        let found = node.value.kind();
        let message = format!("`{name}` is {found}, taken as {taken}");
        self.findings.warning(node.line, message);
    }

    pub(super) fn nodes(
        &mut self,
        name: &'static str,
        needed: Requirement,
    ) -> Vec<(String, usize)> {
        let Some(node) = self.take(name, needed) else {
            return Vec::new();
        };
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            Value::String(text) => {
                self.taken(name, &node, &format!("a list of it: `[\"{text}\"]`"));
                std::slice::from_ref(&node)
            }
            _ => {
                self.wrong(name, &node, "a list of strings");
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::String(text) => texts.push((text.clone(), item.line)),
                _ => self.wrong_item(name, item, "a list of strings"),
            }
        }
        texts
    }

    pub(super) fn list(&mut self, name: &'static str, needed: Requirement) -> Vec<String> {
        self.nodes(name, needed)
            .into_iter()
            .map(|(text, _)| text)
            .collect()
    }

    /// Paths inside the image: relative to its root, and staying there.
    pub(super) fn paths(&mut self, name: &'static str) -> Vec<String> {
        let mut paths = Vec::new();
        for (path, line) in self.nodes(name, Requirement::Expected) {
            let path = self.inside(name, path, line);
            if path.starts_with(['/', '-'])
                || path.is_empty()
                || path.contains([':', ',', '"', '\'', '\\'])
                || path.split('/').any(|part| part == "..")
            {
                self.findings.error(
                    line,
                    format!("`{name}` has `{path}`; paths are relative to the image's root, without `..`, `:`, `,` and quotes"),
                );
            }
            paths.push(path);
        }
        paths
    }

    /// A path without the slash that would say where the image's root is.
    fn inside(&mut self, name: &str, path: String, line: usize) -> String {
        match path.strip_prefix('/').filter(|inside| !inside.is_empty()) {
            None => path,
            Some(inside) => {
                let inside = inside.to_owned();
                let message = format!(
                    "`{name}` has `{path}`, taken as `{inside}`: paths are relative to the image's root"
                );
                self.findings.warning(line, message);
                inside
            }
        }
    }

    pub(super) fn map(&mut self, name: &'static str) -> BTreeMap<String, String> {
        self.map_where(name, Requirement::Expected)
    }

    /// One that most extensions do not have.
    pub(super) fn optional_map(&mut self, name: &'static str) -> BTreeMap<String, String> {
        self.map_where(name, Requirement::Optional)
    }

    fn map_where(&mut self, name: &'static str, needed: Requirement) -> BTreeMap<String, String> {
        let Some(node) = self.take(name, needed) else {
            return BTreeMap::new();
        };
        let Value::Map(entries) = &node.value else {
            self.wrong(name, &node, "a map of strings");
            return BTreeMap::new();
        };
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            match &value.value {
                Value::String(text) => {
                    map.insert(key.clone(), text.clone());
                }
                Value::Number(_) | Value::Bool(_) => {
                    let text = value.value.to_string();
                    self.taken(&format!("{name}.{key}"), value, &format!("`\"{text}\"`"));
                    map.insert(key.clone(), text);
                }
                Value::Null => {}
                _ => self.wrong(&format!("{name}.{key}"), value, "a string (quote it)"),
            }
        }
        map
    }

    /// Names of Debian packages, in which `{pg}` stands for the major. None: which these are is not said.
    pub(super) fn packages(&mut self) -> Option<Vec<PackagePattern>> {
        let is_said = self.left.iter().any(|(key, _)| key == "packages");
        let mut packages = Vec::new();
        for (name, line) in self.nodes("packages", Requirement::Optional) {
            match name.parse() {
                Ok(package) => packages.push(package),
                Err(wanted) => self.findings.error(
                    line,
                    format!("`packages` has `{name}`; it must be {wanted}"),
                ),
            }
        }
        is_said.then_some(packages)
    }

    /// Refuses a field, if it is said.
    pub(super) fn refuse(&mut self, name: &str, why: &str) {
        if let Some(at) = self.left.iter().position(|(known, _)| known == name) {
            let (_, node) = self.left.remove(at);
            self.findings.error(node.line, format!("`{name}` {why}"));
        }
    }

    /// Puts in what is not said, but known.
    pub(super) fn assume(&mut self, name: &str, value: Value) {
        let line = self.whole;
        self.left.retain(|(known, _)| known != name);
        self.left.push((name.to_owned(), Node { line, value }));
    }

    pub(super) fn is_in_full(&self) -> bool {
        self.said == Said::InFull
    }

    /// Fields that nobody reads.
    pub(super) fn unknown_as_errors(&mut self) {
        for (name, node) in std::mem::take(&mut self.left) {
            let meant = did_you_mean(&name, self.asked.iter().copied());
            self.findings
                .error(node.line, format!("unknown field `{name}`{meant}"));
        }
    }

    /// Says which of the fields are missing that most files have.
    pub(super) fn say_missing(&mut self) {
        let names: Vec<String> = self
            .missing
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let fields = match names.len() {
            0 => return,
            1 => "field",
            _ => "fields",
        };
        let message = format!("missing {fields} {}, taken as empty", names.join(", "));
        self.findings.warning(self.whole, message);
    }

    /// Fields that only the bake file may read.
    pub(super) fn unknown(&mut self) {
        for (name, node) in std::mem::take(&mut self.left) {
            let meant = did_you_mean(&name, self.asked.iter().copied());
            self.findings
                .warning(node.line, format!("unknown field `{name}`{meant}"));
        }
    }
}
