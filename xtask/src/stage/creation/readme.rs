// SPDX-License-Identifier: Apache-2.0
//! The first `README.md` of an extension: what it is, and how a cluster gets it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    draft::{Draft, Pin},
    metadata::{NO_SQL, extract_version},
};
use crate::{
    config::{self, Config},
    extension::{Extension, version_of},
    failure::Failure,
    stage::resources,
    target::base_of,
    value::Server,
    yaml,
};

/// Stands for the version in an image's tag, where it is not known.
const NO_VERSION: &str = "<version-here>";

impl Draft {
    /// Examples are for the newest server, with the images as they are published.
    /// `needed` are the extensions that it needs, direct or not.
    pub(crate) fn readme(
        &self,
        needed: &[Arc<Extension>],
        config: &Config,
    ) -> Result<String, Failure> {
        let about = match &self.summary {
            Some(summary) => markdown(summary.trim_end_matches('.')),
            None => "TODO: say what it is and what it is good for".to_owned(),
        };
        let name = markdown(&self.sql_name);
        let mut text = format!("# {name}\n\n{about}.");
        if let Some(home) = &self.homepage {
            text += &format!(" Its home is <{home}>.");
        }
        text += &format!(
            "\n\nThis is {name} as an image volume for [CloudNativePG](https://cloudnative-pg.io), PostgreSQL 18 or later.\n\n## Use\n\n"
        );
        if let Some((server, pin)) = self.example() {
            text += &self.cluster(server, pin, needed, config)?;
            if self.is_created {
                text += &self.database(server, pin, needed)?;
            } else {
                text += "It creates nothing in a database.\n\n";
            }
        }
        if !self.required.is_empty() {
            let names: Vec<&str> = self.required.iter().map(|name| &**name).collect();
            text += &format!(
                "It needs {}: images of their own, which are listed in the `Cluster` too.\n\n",
                names.join(", ")
            );
        }
        let licence = match &self.licences {
            Some(licences) => licences.join(", "),
            None => "TODO: name it".to_owned(),
        };
        text += &format!(
            "## Licence\n\n{name}: {licence}. {}The copyright file of every package in the image is in `/licenses/<package>/`.\n",
            match self.source {
                Some(_) => format!("Its own licence file is in `/licenses/{}/`. ", self.name),
                None => String::new(),
            }
        );
        Ok(text)
    }

    fn cluster(
        &self,
        server: &Server,
        pin: &Pin,
        needed: &[Arc<Extension>],
        config: &Config,
    ) -> Result<String, Failure> {
        let base = base_of(server, config)?;
        let registry = config.get(config::PUBLISHED);
        let version = pin.package.as_deref().and_then(version_of);
        let version = version.unwrap_or_else(|| NO_VERSION.to_owned());
        Ok(format!(
            "Mount the image into a `Cluster`:\n\n```yaml\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata:\n  \
             name: {}-demo\nspec:\n  instances: 1\n  imageName: {base}\n  storage:\n    size: 1Gi\n  postgresql:\n{}    extensions:\n      \
             - name: {6}\n        image:\n{3}          reference: {registry}/{2}:{version}-{server}\n{4}{5}```\n\n",
            self.resource(),
            self.options(needed)?,
            self.name,
            self.renovate(server)
                .map_or(String::new(), |comment| format!("          # {comment}\n")),
            self.folders(),
            entries(needed, server, registry)?,
            scalar(&self.name)?
        ))
    }

    fn database(
        &self,
        server: &Server,
        pin: &Pin,
        needed: &[Arc<Extension>],
    ) -> Result<String, Failure> {
        let package = pin.package.as_deref().unwrap_or_default();
        let sql = pin.sql.as_deref().unwrap_or(NO_SQL);
        let pattern = extract_version(package, sql);
        let renovate = self.renovate(server).zip(pattern);
        let renovate = renovate
            .map(|(comment, pattern)| format!("      # {comment} extractVersion={pattern}\n"));
        let mut others = String::new();
        for name in &self.others {
            others += &format!("    - name: {}\n", scalar(name)?);
        }
        let before = needed.iter().rev().filter(|one| one.create_extension);
        let mut names = String::new();
        for one in before {
            let sql = one.pin(server).and_then(|pin| pin.sql.as_ref());
            let version = sql.map(|sql| format!("      version: '{sql}'\n"));
            names += &format!(
                "    - name: {}\n{}",
                scalar(&one.sql_name)?,
                version.unwrap_or_default()
            );
        }
        Ok(format!(
            "Create the extension in a database:\n\n```yaml\napiVersion: postgresql.cnpg.io/v1\nkind: Database\nmetadata:\n  \
             name: {0}-demo-app\nspec:\n  name: app\n  owner: app\n  cluster:\n    name: {0}-demo\n  extensions:\n{4}    \
             - name: {1}\n{2}      version: '{sql}'\n{3}```\n\n",
            self.resource(),
            scalar(&self.sql_name)?,
            renovate.unwrap_or_default(),
            others,
            names
        ))
    }

    /// A name as Kubernetes takes it.
    fn resource(&self) -> String {
        self.name.replace('_', "-")
    }

    /// What the server is told besides, for what is needed before the extension itself.
    fn options(&self, needed: &[Arc<Extension>]) -> Result<String, Failure> {
        let mut preload: Vec<&str> = Vec::new();
        let mut parameters: BTreeMap<&str, &str> = BTreeMap::new();
        for one in needed.iter().rev() {
            preload.extend(one.shared_preload_libraries.iter().map(String::as_str));
            let pairs = one.postgresql_parameters.iter();
            parameters.extend(pairs.map(|(name, value)| (&**name, &**value)));
        }
        preload.extend(self.preload.iter().map(|name| &**name));
        let own = self.parameters.iter();
        parameters.extend(own.map(|(name, value)| (&**name, &**value)));
        let mut text = String::new();
        if !preload.is_empty() {
            text += "    shared_preload_libraries:\n";
            let mut said: Vec<&str> = Vec::new();
            for name in preload {
                if !said.contains(&name) {
                    said.push(name);
                    text += &format!("      - {}\n", scalar(name)?);
                }
            }
        }
        if !parameters.is_empty() {
            text += "    parameters:\n";
            let pairs = parameters.iter();
            text.extend(
                pairs.map(|(name, value)| {
                    format!("      {name}: '{}'\n", value.replace('\'', "''"))
                }),
            );
        }
        Ok(text)
    }

    fn folders(&self) -> String {
        let all = [
            (self.has_libraries, "ld_library_path", "system"),
            (self.has_programs, "bin_path", "bin"),
        ];
        let named = all.into_iter().filter(|(is_there, ..)| *is_there);
        let lines = named.map(|(_, field, name)| format!("        {field}:\n          - {name}\n"));
        lines.collect()
    }
}

/// A name in YAML, quoted where it would be something else, as `true` and `1e3`.
fn scalar(name: &str) -> Result<String, Failure> {
    let text = yaml::to_plain_text(&serde_json::json!(name))?;
    Ok(text.trim_end().to_owned())
}

/// What a `Cluster` says of other extensions.
fn entries(needed: &[Arc<Extension>], server: &Server, registry: &str) -> Result<String, Failure> {
    let mut text = String::new();
    for one in needed {
        let version = one.pin(server).and_then(|pin| version_of(&pin.package));
        let version = version.unwrap_or_else(|| NO_VERSION.to_owned());
        let reference = format!("{registry}/{}:{version}-{server}", one.image_name);
        let entry = serde_json::json!([resources::mounted(one, &reference)]);
        let entry = yaml::to_plain_text(&entry)?;
        text.extend(entry.lines().map(|line| format!("      {line}\n")));
    }
    Ok(text)
}

/// Text of somebody else's as a part of a paragraph or a cell.
pub(crate) fn markdown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '@' | '|' => shown += &format!("&#{};", u32::from(c)),
            '\\' | '`' | '*' | '[' | ']' | '#' => shown.extend(['\\', c]),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_text_whatever_yaml_would_take_it_for() {
        for name in [
            "vector", "true", "null", "123", "1e3", "no", "0x1f", "1_000", "pg_cron",
        ] {
            let text = scalar(name).unwrap();
            let read = yaml::from_text(&format!("name: {text}\n")).unwrap();
            assert_eq!(read["name"], name, "{text}");
        }
        assert_eq!(scalar("pg_cron").unwrap(), "pg_cron");
        assert_eq!(scalar("no").unwrap(), "\"no\"");
    }
}
