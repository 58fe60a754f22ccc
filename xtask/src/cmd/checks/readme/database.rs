// SPDX-License-Identifier: Apache-2.0
//! A `Database` in a README: whether it creates the extension, and what that needs, by the names and versions that there are.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Example, Readme, list};
use crate::{extension::Extension, finding::Findings};

pub(super) fn check(
    readme: &Readme<'_>,
    databases: &[&Example<'_>],
    clusters: &[&Example<'_>],
    findings: &mut Findings,
) {
    let extension = readme.extension;
    let mut creating = 0;
    for database in databases {
        let of_database = OfDatabase { readme, database };
        of_database.cluster(clusters, findings);
        creating += usize::from(of_database.extensions(findings));
    }
    let Some(first) = databases.first().filter(|_| creating == 0) else {
        return;
    };
    if extension.create_extension {
        findings.error(
            first.line_of(&["extensions:"]),
            format!(
                "no `Database` here creates `{}`: name it in `spec.extensions`",
                extension.sql_name
            ),
        );
    }
}

struct OfDatabase<'a> {
    readme: &'a Readme<'a>,
    database: &'a Example<'a>,
}

impl OfDatabase<'_> {
    /// The cluster must be one of those in the same file.
    fn cluster(&self, clusters: &[&Example<'_>], findings: &mut Findings) {
        let names: Vec<&str> = clusters.iter().filter_map(|one| one.name()).collect();
        let said = self.database.value["spec"]["cluster"]["name"].as_str();
        let said = said.unwrap_or_default();
        if !names.is_empty() && !names.contains(&said) {
            findings.error(
                self.database.line_of(&["name:", said]),
                format!(
                    "the cluster `{said}` is not in this file, which has `{}`",
                    names.join("`, `")
                ),
            );
        }
    }

    /// Whether the extension is created, or should not have been.
    fn extensions(&self, findings: &mut Findings) -> bool {
        let extension = self.readme.extension;
        let entries: Vec<&Value> = list(&self.database.value["spec"]["extensions"]).collect();
        let place = |name: &str| entries.iter().position(|entry| entry["name"] == name);
        for entry in &entries {
            self.version_is_text(entry, findings);
        }
        let Some(own) = place(&extension.sql_name) else {
            if extension.create_extension && place(&extension.name).is_some() {
                findings.error(
                    self.database.line_of(&["name:", &extension.name]),
                    format!(
                        "`{}` is the image's name; what is created is `{}`",
                        extension.name, extension.sql_name
                    ),
                );
                return true;
            }
            return false;
        };
        if !extension.create_extension {
            findings.error(
                self.database.line_of(&["name:", &extension.sql_name]),
                format!(
                    "`{}` cannot be created: its image has no control file, it is only loaded",
                    extension.sql_name
                ),
            );
            return true;
        }
        for one in self.readme.all() {
            self.version(one, &entries, findings);
        }
        for needed in self.readme.needed.iter().filter(|one| one.create_extension) {
            let line = self.database.line_of(&["name:", &extension.sql_name]);
            let (sql, own_sql) = (&needed.sql_name, &extension.sql_name);
            match place(sql) {
                None => findings.error(line, format!("`{sql}` is not created, and `{own_sql}` needs it: name it before")),
                Some(at) if at > own => findings.warning(
                    line,
                    format!("`{sql}` stands behind `{own_sql}`, which needs it: the operator fails once before it tries again"),
                ),
                Some(_) => {}
            }
        }
        true
    }

    fn version_is_text(&self, entry: &Value, findings: &mut Findings) {
        let name = entry["name"].as_str().unwrap_or_default();
        if entry["version"].is_number() {
            let line = self
                .database
                .line_of(&["version:", &entry["version"].to_string()]);
            findings.error(
                line,
                format!("the version of `{name}` must be a text: quote it"),
            );
        }
    }

    /// The version must be one that an image makes.
    fn version(&self, extension: &Extension, entries: &[&Value], findings: &mut Findings) {
        let entry = entries
            .iter()
            .find(|entry| entry["name"] == extension.sql_name.as_str());
        let Some(said) = entry.and_then(|entry| entry["version"].as_str()) else {
            return;
        };
        let pins = extension.versions.values();
        let made: BTreeSet<&str> = pins.filter_map(|pin| pin.sql.as_deref()).collect();
        if made.is_empty() || made.contains(said) {
            return;
        }
        let made: Vec<&str> = made.into_iter().collect();
        findings.warning(
            self.database.line_of(&["version:", said]),
            format!(
                "`{}` is created in version `{said}`; metadata.hcl has `{}`",
                extension.sql_name,
                made.join("`, `")
            ),
        );
    }
}
