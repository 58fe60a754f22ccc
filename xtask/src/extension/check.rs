// SPDX-License-Identifier: Apache-2.0
//! What is wrong with the values of an extension's fields: names, labels, and what PostgreSQL is given.

use std::collections::BTreeMap;

use super::Extension;
use crate::{
    finding::Findings,
    value::{LONGEST_NAME, Name, Parameter, RepositoryPath, SqlName, Variable},
};

/// Some registries refuse labels that are longer.
const LONGEST_LABEL: usize = 255;

impl Extension {
    /// Checks it. `directory` is the name of its folder, `lines` are where its fields stand.
    pub(super) fn check(
        &self,
        directory: &str,
        lines: &BTreeMap<String, usize>,
        findings: &mut Findings,
    ) {
        let line = |name: &str| lines.get(name).copied();
        if !self.name.is_empty() {
            if !Name::is(&self.name) {
                findings.error(
                    line("name"),
                    format!(
                        "`name` is `{}`; it must match `^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$` and have at most {LONGEST_NAME} characters",
                        self.name
                    ),
                );
            }
            if self.name != directory {
                findings.error(
                    line("name"),
                    format!(
                        "`name` is `{}`, but the directory is `{directory}`",
                        self.name
                    ),
                );
            }
        }
        if !self.image_name.is_empty() && !RepositoryPath::is(&self.image_name) {
            findings.error(
                line("image_name"),
                format!(
                    "`image_name` is `{}`; it must be {}",
                    self.image_name,
                    RepositoryPath::WANTED
                ),
            );
        }
        self.check_names(&line, findings);
        self.check_licenses(line("licenses"), findings);
    }

    /// `line`: where the field is, if it is there.
    fn check_licenses(&self, line: Option<usize>, findings: &mut Findings) {
        let licenses = self.licenses.join(" AND ");
        if licenses.len() > LONGEST_LABEL {
            findings.warning(
                line,
                format!(
                    "`licenses` joined by ` AND ` have {} characters; some registries refuse labels over {LONGEST_LABEL}",
                    licenses.len()
                ),
            );
        }
        if line.is_some() && self.licenses.is_empty() {
            findings.warning(
                line,
                "`licenses` is empty; name the SPDX ids of what the image holds",
            );
        }
    }

    /// What PostgreSQL and the server's container are given must be what they take it for.
    fn check_names(&self, line: &dyn Fn(&str) -> Option<usize>, findings: &mut Findings) {
        let mut check = |field: &str, text: &str, right: bool, wanted: &str| {
            if !text.is_empty() && !right {
                findings.error(
                    line(field),
                    format!("`{field}` has `{text}`; it must be {wanted}"),
                );
            }
        };
        check(
            "sql_name",
            &self.sql_name,
            SqlName::is(&self.sql_name),
            SqlName::WANTED,
        );
        for name in self.postgresql_parameters.keys() {
            check(
                "postgresql_parameters",
                name,
                Parameter::is(name),
                Parameter::WANTED,
            );
        }
        for name in self.env.keys() {
            check("env", name, Variable::is(name), Variable::WANTED);
        }
        for name in self.env.keys() {
            let better = match name.as_str() {
                // The operator refuses it.
                "LD_LIBRARY_PATH" => continue,
                "BASH_ENV" | "ENV" => "the server is not started by a shell",
                name if name.starts_with("LD_") => {
                    "it changes how every program of the server is loaded"
                }
                name if name.starts_with("XTASK_") => {
                    "such names are ours, and no extension reads them"
                }
                _ => continue,
            };
            findings.warning(line("env"), format!("`env` sets `{name}`: {better}"));
        }
    }
}
