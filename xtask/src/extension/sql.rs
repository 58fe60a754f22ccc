// SPDX-License-Identifier: Apache-2.0
//! What of an image is created in SQL beside the extension that it is named after, and what it needs of the base image.

use super::fields::{Fields, Requirement};
use crate::{
    failure::did_you_mean,
    hcl::{Node, Value},
    value::{Name, SqlName, SqlVersion},
};

/// Before the name of an extension in SQL that the base image has, in `required_extensions`. Proposed for the old
/// tooling in <https://github.com/cloudnative-pg/postgres-extensions-containers/pull/338>.
const IN_BASE_IMAGE: &str = "base-image:";
/// The same of one that the extension's own image has.
const IN_OWN_IMAGE: &str = "image-sql:";
/// Before the name of an extension of another repository, behind which its name in SQL may stand.
const ELSEWHERE: &str = "catalog:";

/// An entry of `sql_extensions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SqlExtension {
    pub name: String,
    /// None: the one that its control file says.
    pub version: Option<String>,
    /// Where its objects go; None: where its control file says, or else the first schema of the search path.
    pub schema: Option<String>,
    /// What it needs, by names in SQL, beside what its control file requires.
    pub requires: Vec<String>,
}

/// What an extension needs.
#[derive(Default)]
pub(super) struct Required {
    /// Directories, here or of another repository: their images are mounted too.
    pub directories: Vec<String>,
    /// What is created before it and is in no other extension's image, by names in SQL.
    pub created_first: Vec<String>,
}

impl Fields<'_> {
    /// `required_extensions`: directories, and with a prefix what is created besides.
    pub(super) fn required(&mut self) -> Required {
        let mut required = Required::default();
        for (entry, line) in self.nodes("required_extensions", Requirement::Expected) {
            let created = [IN_BASE_IMAGE, IN_OWN_IMAGE];
            let created = created.iter().find_map(|prefix| entry.strip_prefix(prefix));
            let right = match (created, entry.strip_prefix(ELSEWHERE)) {
                (Some(sql), _) => {
                    required.created_first.push(sql.to_owned());
                    SqlName::is(sql)
                }
                (None, elsewhere) => {
                    let rest = elsewhere.unwrap_or(&entry);
                    let name = match rest.split_once(':') {
                        Some((name, sql)) if elsewhere.is_some() && SqlName::is(sql) => name,
                        _ => rest,
                    };
                    required.directories.push(name.to_owned());
                    Name::is(name)
                }
            };
            if !right {
                self.findings.error(
                    line,
                    format!(
                        "`required_extensions` has `{entry}`; it must be an extension's directory ({}), or `{IN_BASE_IMAGE}NAME`, `{IN_OWN_IMAGE}NAME` or `{ELSEWHERE}DIRECTORY`",
                        Name::WANTED
                    ),
                );
            }
        }
        required
    }

    /// `sql_extensions`: what else is created, in this order.
    pub(super) fn sql_extensions(&mut self, created: bool) -> Vec<SqlExtension> {
        let name = "sql_extensions";
        let Some(node) = self.take(name, Requirement::Optional) else {
            return Vec::new();
        };
        let Value::List(entries) = &node.value else {
            self.wrong(name, &node, "a list of maps with `name`");
            return Vec::new();
        };
        if !created && !entries.is_empty() {
            self.findings.warning(
                node.line,
                format!("`{name}` is set, but `create_extension` is false: it is not used"),
            );
        }
        let mut found: Vec<SqlExtension> = Vec::new();
        for entry in entries {
            let Some(one) = self.sql_extension(entry) else {
                continue;
            };
            if found.iter().any(|other| other.name == one.name) {
                self.findings
                    .error(entry.line, format!("`{name}` names `{}` twice", one.name));
            }
            found.push(one);
        }
        if created { found } else { Vec::new() }
    }

    fn sql_extension(&mut self, entry: &Node) -> Option<SqlExtension> {
        const KEYS: [&str; 4] = ["name", "version", "schema", "requires"];
        let Value::Map(fields) = &entry.value else {
            self.wrong_item("sql_extensions", entry, "a list of maps with `name`");
            return None;
        };
        let mut found = SqlExtension::default();
        for (key, node) in fields {
            let path = format!("sql_extensions.{key}");
            match key.as_str() {
                _ if node.value == Value::Null => {}
                "name" => found.name = self.word(&path, node, SqlName::is, SqlName::WANTED)?,
                "version" => {
                    found.version = self.word(&path, node, SqlVersion::is, SqlVersion::WANTED);
                }
                "schema" => found.schema = self.word(&path, node, SqlName::is, SqlName::WANTED),
                "requires" => {
                    let Value::List(names) = &node.value else {
                        self.wrong(&path, node, "a list of strings");
                        continue;
                    };
                    found.requires = self.names(&path, names);
                }
                _ => {
                    let meant = did_you_mean(key, KEYS);
                    self.findings
                        .warning(node.line, format!("unknown field `{path}`{meant}"));
                }
            }
        }
        if found.name.is_empty() {
            self.findings
                .error(entry.line, "missing field `sql_extensions.name`");
            return None;
        }
        Some(found)
    }

    /// The texts of a list of names in SQL.
    fn names(&mut self, path: &str, names: &[Node]) -> Vec<String> {
        let mut found = Vec::new();
        for name in names {
            if matches!(name.value, Value::String(_)) {
                found.extend(self.word(path, name, SqlName::is, SqlName::WANTED));
            } else {
                self.wrong_item(path, name, "a list of strings");
            }
        }
        found
    }

    /// A text of a kind.
    fn word(
        &mut self,
        path: &str,
        node: &Node,
        is: fn(&str) -> bool,
        wanted: &str,
    ) -> Option<String> {
        match &node.value {
            Value::String(text) if is(text) => return Some(text.clone()),
            Value::String(text) => self.findings.error(
                node.line,
                format!("`{path}` is `{text}`; it must be {wanted}"),
            ),
            _ => self.wrong(path, node, "a string (quote it)"),
        }
        None
    }
}
