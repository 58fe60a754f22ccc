// SPDX-License-Identifier: Apache-2.0
//! The text of a new `metadata.hcl`.

use std::{fmt::Write as _, ops::Deref};

use super::draft::{Draft, Pin};
use crate::value::Server;

/// How the image is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// By the shared Dockerfile, of the packages that the metadata names.
    Shared,
    /// By a Dockerfile beside the metadata.
    Own,
}

/// What stands where a person is to write what is not known; `checks` finds it.
const NO_PACKAGE: &str = "<package-version-here>";
pub(crate) const NO_SQL: &str = "<sql-version-here>";

impl Draft {
    pub(crate) fn metadata(&self, layout: Layout) -> String {
        let mut text = String::from("# SPDX-License-Identifier: Apache-2.0\n");
        for one in &self.undecided {
            text += &format!("# TODO: {one}\n");
        }
        text += "metadata = {\n";
        for (name, value) in self.fields(layout) {
            text += &format!("  {name:<24} = {value}");
            if name == "licenses" && self.licences.is_none() {
                text += match self.source {
                    Some(_) => " # TODO: the SPDX ids of what the source's files say",
                    None => " # TODO: the SPDX ids of what the package's copyright file says",
                };
            }
            text.push('\n');
        }
        text += "\n  versions = {\n";
        let mut distros: Vec<_> = self.pins.keys().map(|server| &server.distro).collect();
        distros.dedup();
        for distro in distros {
            text += &format!("    {distro} = {{\n");
            for (server, pin) in self
                .pins
                .iter()
                .filter(|(server, _)| server.distro == *distro)
            {
                text += &self.pin_text(server, pin);
            }
            text += "    }\n";
        }
        text + "  }\n}\n"
    }

    /// The fields with their values, as they are written.
    pub(crate) fn fields(&self, layout: Layout) -> Vec<(&'static str, String)> {
        let folder = |is_there: bool, name: &str| {
            let folders: Vec<&str> = is_there.then_some(name).into_iter().collect();
            list(&folders)
        };
        let mut all = vec![
            ("name", quoted(&self.name)),
            ("sql_name", quoted(&self.sql_name)),
            ("image_name", quoted(&self.name)),
        ];
        // An empty list says that no package is meant.
        if layout == Layout::Shared || self.source.is_some() {
            all.push(("packages", list(&self.packages)));
        }
        let licences = self.licences.iter().flatten();
        let licences: Vec<&str> = licences.map(String::as_str).collect();
        all.extend([
            ("licenses", list(&licences)),
            ("shared_preload_libraries", list(&self.preload)),
            ("postgresql_parameters", self.parameters_text()),
            ("extension_control_path", "[]".to_owned()),
            ("dynamic_library_path", "[]".to_owned()),
            ("ld_library_path", folder(self.has_libraries, "system")),
            ("bin_path", folder(self.has_programs, "bin")),
            ("env", "{}".to_owned()),
            (
                "auto_update_os_libs",
                (self.has_libraries && self.source.is_none()).to_string(),
            ),
            ("required_extensions", list(&self.required)),
            ("create_extension", self.is_created.to_string()),
        ]);
        if !self.others.is_empty() {
            let others = self.others.iter();
            let others = others.map(|name| format!("    {{ name = {} }},\n", quoted(name)));
            all.push((
                "sql_extensions",
                format!("[\n{}  ]", others.collect::<String>()),
            ));
        }
        all
    }

    fn parameters_text(&self) -> String {
        if self.parameters.is_empty() {
            return "{}".to_owned();
        }
        let pairs = self.parameters.iter();
        let pairs =
            pairs.map(|(name, value)| format!("    {} = {}\n", quoted(name), quoted(value)));
        format!("{{\n{}  }}", pairs.collect::<String>())
    }

    /// The comment that tells renovate where a version of Debian's package is from. None: it is of no package.
    pub(crate) fn renovate(&self, server: &Server) -> Option<String> {
        let name = self.packages.first()?.package(&server.major);
        Some(format!(
            "renovate: suite={}-pgdg depName={name}",
            server.distro
        ))
    }

    fn pin_text(&self, server: &Server, pin: &Pin) -> String {
        let mut text = format!("      {} = {{\n", quoted(&server.major));
        if let Some(suite) = &pin.of {
            let _ = writeln!(
                text,
                "        // TODO: this is the version of {suite}, as the archive of {} could not be asked: `cargo xtask versions {} --update`",
                server.distro, self.name
            );
        }
        let renovate = self.renovate(server);
        let of_source = || self.source.as_ref()?.renovate();
        if let Some(comment) = renovate.clone().or_else(of_source) {
            let _ = writeln!(text, "        // {comment}");
        }
        let version = pin.package.as_deref().unwrap_or(NO_PACKAGE);
        let _ = writeln!(text, "        package = {}", quoted(version));
        if self.is_created {
            let sql = pin.sql.as_deref().unwrap_or(NO_SQL);
            if let Some((renovate, pattern)) = renovate.zip(extract_version(version, sql)) {
                let _ = writeln!(text, "        // {renovate} extractVersion={pattern}");
            }
            let _ = writeln!(text, "        sql     = {}", quoted(sql));
        }
        text + "      }\n"
    }
}

/// The pattern by which renovate takes the SQL version out of the package's. None: it is no part of it, and `versions --update`
/// alone knows it.
pub(crate) fn extract_version(package: &str, sql: &str) -> Option<String> {
    let parts = sql.split('.').count();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let rest = package.strip_prefix(sql)?;
    let ends = rest.is_empty() || !rest.starts_with(|c: char| c.is_ascii_digit());
    (sql.split('.').all(is_number) && ends)
        .then(|| format!("^(?<version>{})", vec![r"\d+"; parts].join(r"\.")))
}

fn list<T: Deref<Target = str>>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// As a text of HCL, in which `${` and `%{` would begin an expression.
pub(crate) fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace("${", "$${").replace("%{", "%%{"))
}
