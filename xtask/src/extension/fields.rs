// SPDX-License-Identifier: Apache-2.0
//! Takes the fields of `metadata` out of the HCL, and says what is wrong with each.

use std::collections::BTreeMap;

use super::{Pin, Versions, version_of};
use crate::{
    failure::did_you_mean,
    finding::Findings,
    hcl::{File, Node, Value},
    value::{DebianVersion, Major, PackageName, Server, SqlVersion, Suite, is_one_line},
};

/// Whether the field may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    /// Without it the image would be wrong.
    Always,
    /// Older files lack it; it then has its empty default.
    Expected,
}

/// The fields of the `metadata` object, taken out one after the other.
pub(super) struct Fields<'a> {
    left: Vec<(String, Node)>,
    pub(super) lines: BTreeMap<String, usize>,
    asked: Vec<&'static str>,
    whole: usize,
    findings: &'a mut Findings,
}

impl<'a> Fields<'a> {
    pub(super) fn of(metadata: Node, findings: &'a mut Findings) -> Option<Self> {
        let Value::Map(left) = metadata.value else {
            findings.error(
                metadata.line,
                format!("`metadata` is {}; it must be a map", metadata.value.kind()),
            );
            return None;
        };
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
            whole: metadata.line,
            findings,
        })
    }

    fn take(&mut self, name: &'static str, needed: Needed) -> Option<Node> {
        self.asked.push(name);
        let at = self.left.iter().position(|(key, _)| key == name);
        if at.is_none() {
            match needed {
                Needed::Always => self
                    .findings
                    .error(self.whole, format!("missing field `{name}`")),
                Needed::Expected => self.findings.warning(
                    self.whole,
                    format!("missing field `{name}`, taken as empty"),
                ),
            }
        }
        at.map(|at| self.left.remove(at).1)
    }

    fn wrong(&mut self, name: &str, node: &Node, wanted: &str) {
        let found = node.value.kind();
        self.findings.error(
            node.line,
            format!("`{name}` is {found}; it must be {wanted}"),
        );
    }

    pub(super) fn text(&mut self, name: &'static str) -> String {
        match self.take(name, Needed::Always) {
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

    pub(super) fn flag(&mut self, name: &'static str, needed: Needed) -> Option<bool> {
        match self.take(name, needed)? {
            Node {
                value: Value::Bool(flag),
                ..
            } => Some(flag),
            node => {
                self.wrong(name, &node, "`true` or `false`");
                None
            }
        }
    }

    fn nodes(&mut self, name: &'static str, needed: Needed) -> Vec<(String, usize)> {
        let Some(node) = self.take(name, needed) else {
            return Vec::new();
        };
        let Value::List(items) = &node.value else {
            self.wrong(name, &node, "a list of strings");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::String(text) => texts.push((text.clone(), item.line)),
                _ => self.wrong(name, item, "a list of strings"),
            }
        }
        texts
    }

    pub(super) fn list(&mut self, name: &'static str, needed: Needed) -> Vec<String> {
        self.nodes(name, needed)
            .into_iter()
            .map(|(text, _)| text)
            .collect()
    }

    /// Paths inside the image: relative to its root, and staying there.
    pub(super) fn paths(&mut self, name: &'static str) -> Vec<String> {
        let mut paths = Vec::new();
        for (path, line) in self.nodes(name, Needed::Expected) {
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

    pub(super) fn map(&mut self, name: &'static str) -> BTreeMap<String, String> {
        let Some(node) = self.take(name, Needed::Expected) else {
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
                _ => self.wrong(&format!("{name}.{key}"), value, "a string (quote it)"),
            }
        }
        map
    }

    pub(super) fn versions(&mut self, file: &File, created: bool) -> Versions {
        let mut versions = Versions::new();
        let Some(node) = self.take("versions", Needed::Always) else {
            return versions;
        };
        let Value::Map(distros) = &node.value else {
            self.wrong("versions", &node, "a map of distros");
            return versions;
        };
        for (distro, majors) in distros {
            let path = format!("versions.{distro}");
            if !Suite::is(distro) {
                self.findings.error(
                    majors.line,
                    format!("`{path}`: a distro is a Debian suite like `trixie`"),
                );
            }
            let Value::Map(entries) = &majors.value else {
                self.wrong(&path, majors, "a map of PostgreSQL majors");
                continue;
            };
            for (major, pin) in entries {
                let path = format!("{path}.\"{major}\"");
                if !Major::is(major) {
                    self.findings.error(
                        pin.line,
                        format!("`{path}`: a PostgreSQL major is a number like \"18\""),
                    );
                }
                let pin = self.pin(file, &path, distro, pin, created);
                versions.extend(Server::parse(distro, major).zip(pin));
            }
        }
        versions
    }

    fn pin(
        &mut self,
        file: &File,
        path: &str,
        distro: &str,
        node: &Node,
        created: bool,
    ) -> Option<Pin> {
        let Value::Map(entries) = &node.value else {
            self.wrong(path, node, "a map with `package` and `sql`");
            return None;
        };
        let mut found: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
        for (key, value) in entries {
            let field = format!("{path}.{key}");
            match (&value.value, key.as_str()) {
                (Value::String(text), "package" | "sql") => {
                    found.insert(key, (text, value.line));
                }
                (_, "package" | "sql") => self.wrong(&field, value, "a string (quote it)"),
                _ => {
                    let meant = did_you_mean(key, ["package", "sql"]);
                    self.findings
                        .error(value.line, format!("unknown field `{field}`{meant}"));
                }
            }
        }
        match (found.get("sql"), created) {
            (None, true) => self.findings.error(
                node.line,
                format!("missing field `{path}.sql`: `create_extension` is true, so the SQL version must be known"),
            ),
            (Some((_, line)), false) => self.findings.error(
                *line,
                format!("`{path}.sql` is set, but `create_extension` is false"),
            ),
            _ => {}
        }
        match found.get("sql") {
            Some(("", line)) => self.findings.error(*line, format!("`{path}.sql` is empty")),
            Some((sql, line)) if !SqlVersion::is(sql) => self.findings.error(
                *line,
                format!("`{path}.sql` is `{sql}`; it must be {}", SqlVersion::WANTED),
            ),
            _ => {}
        }
        let Some((package, line)) = found.get("package").copied() else {
            if !entries.iter().any(|(key, _)| key == "package") {
                self.findings
                    .error(node.line, format!("missing field `{path}.package`"));
            }
            return None;
        };
        self.check_package(path, distro, package, line);
        let comment = file.comment_above(line);
        let package_name = comment
            .split_whitespace()
            .find_map(|word| word.strip_prefix("depName="));
        let package_name = package_name.and_then(|name| {
            let parsed = name.parse().ok();
            if parsed.is_none() {
                self.findings.warning(
                    line,
                    format!(
                        "the comment above `{path}.package` has `depName={name}`, which is not {}: it is not asked for",
                        PackageName::WANTED
                    ),
                );
            }
            parsed
        });
        Some(Pin {
            package: package.to_owned(),
            sql: found.get("sql").map(|(text, _)| (*text).to_owned()),
            package_name,
            line,
        })
    }

    /// A Debian version with a number to name the image after, of the distro it stands under.
    fn check_package(&mut self, path: &str, distro: &str, package: &str, line: usize) {
        if version_of(package).is_none() {
            self.findings.error(
                line,
                format!("`{path}.package` is `{package}`; a Debian version starts with a number, like `0.8.6-1.pgdg13+1`"),
            );
        } else if !DebianVersion::is(package) {
            self.findings.error(
                line,
                format!(
                    "`{path}.package` is `{package}`; it must be {}",
                    DebianVersion::WANTED
                ),
            );
        }
        let release = match distro {
            "bookworm" => ".pgdg12+",
            "trixie" => ".pgdg13+",
            _ => return,
        };
        if package.contains(".pgdg") && !package.contains(release) {
            self.findings.error(
                line,
                format!("`{path}.package` is `{package}`, which is not a package for {distro} (`{release}…`)"),
            );
        }
    }

    pub(super) fn unknown(&mut self) {
        for (name, node) in std::mem::take(&mut self.left) {
            let meant = did_you_mean(&name, self.asked.iter().copied());
            self.findings
                .error(node.line, format!("unknown field `{name}`{meant}"));
        }
    }
}

/// Text that would end or turn a line wherever it is shown or written.
fn one_line(path: &str, node: &Node, findings: &mut Findings) {
    match &node.value {
        Value::String(text) if !is_one_line(text) => findings.error(
            node.line,
            format!("`{path}` is `{text}`; it must be one line without control characters"),
        ),
        Value::List(items) => items.iter().for_each(|item| one_line(path, item, findings)),
        Value::Map(entries) => {
            for (key, value) in entries {
                let path = format!("{path}.{key}");
                if !is_one_line(key) {
                    findings.error(
                        value.line,
                        format!("`{path}` has control characters in its name"),
                    );
                }
                one_line(&path, value, findings);
            }
        }
        _ => {}
    }
}

/// A template's placeholder that nobody has filled in.
fn placeholders(path: &str, node: &Node, findings: &mut Findings) {
    match &node.value {
        Value::String(text) => {
            if let Some(start) = text.find('<')
                && text[start..].contains("-here>")
            {
                findings.error(
                    node.line,
                    format!("`{path}` still holds the placeholder `{text}`"),
                );
            }
        }
        Value::List(items) => items
            .iter()
            .for_each(|item| placeholders(path, item, findings)),
        Value::Map(entries) => {
            for (key, value) in entries {
                placeholders(&format!("{path}.{key}"), value, findings);
            }
        }
        _ => {}
    }
}
