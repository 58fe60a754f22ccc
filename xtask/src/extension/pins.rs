// SPDX-License-Identifier: Apache-2.0
//! Takes `versions` out of the metadata: for each distro and major the package, and the SQL version.

use std::collections::BTreeMap;

use super::{
    Origin, Pin, Versions,
    fields::{Fields, Requirement},
    renovate::{Comment, Extracted},
    version_of,
};
use crate::{
    failure::did_you_mean,
    hcl::{File, Node, Value},
    value::{DebianVersion, Major, PackageName, PackagePattern, Server, SqlVersion, Suite},
};

/// What of the rest of the file the pins are checked against.
pub(super) struct Beside<'a> {
    pub file: &'a File,
    /// The extension has an SQL version, which must be known.
    pub create_extension: bool,
    /// None: which they are is not said.
    pub packages: Option<&'a [PackagePattern]>,
}

/// The texts of a pin by their keys, with their lines.
type Texts<'a> = BTreeMap<&'a str, (&'a str, usize)>;

impl Fields<'_> {
    pub(super) fn versions(&mut self, beside: &Beside<'_>) -> Versions {
        let mut versions = Versions::new();
        let Some(node) = self.take("versions", Requirement::Expected) else {
            return versions;
        };
        let Value::Map(distros) = &node.value else {
            self.unread("versions", &node, "a map of distros");
            return versions;
        };
        let names_none = |majors: &Node| matches!(&majors.value, Value::Map(all) if all.is_empty());
        if distros.iter().all(|(_, majors)| names_none(majors)) {
            let message = "`versions` is empty: there is nothing to build";
            self.findings.warning(node.line, message);
        }
        for (distro, majors) in distros {
            let path = format!("versions.{distro}");
            if !Suite::is(distro) {
                self.findings.warning(
                    majors.line,
                    format!("`{path}`: a distro is a Debian suite like `trixie`"),
                );
            }
            let Value::Map(entries) = &majors.value else {
                self.unread(&path, majors, "a map of PostgreSQL majors");
                continue;
            };
            for (major, pin) in entries {
                let path = format!("{path}.\"{major}\"");
                if !Major::is(major) {
                    self.findings.warning(
                        pin.line,
                        format!("`{path}`: a PostgreSQL major is a number like \"18\""),
                    );
                }
                let server = Server::parse(distro, major);
                let packages: Vec<PackageName> = match &server {
                    Some(server) => {
                        let packages = beside.packages.iter().copied().flatten();
                        packages.map(|each| each.package(&server.major)).collect()
                    }
                    None => Vec::new(),
                };
                let pin = self.pin(beside, &path, distro, &packages, pin);
                versions.extend(server.zip(pin));
            }
        }
        versions
    }

    fn pin(
        &mut self,
        beside: &Beside<'_>,
        path: &str,
        distro: &str,
        packages: &[PackageName],
        node: &Node,
    ) -> Option<Pin> {
        let alone = [("package".to_owned(), node.clone())];
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            // The older schema: the package's version alone. Which one SQL sees is the control file's.
            Value::String(_) => &alone[..],
            _ => {
                self.unread(
                    path,
                    node,
                    "a package's version, or a map with `package` and `sql`",
                );
                return None;
            }
        };
        let found = self.texts(path, entries);
        let sql = found.get("sql").copied();
        self.check_sql(path, node.line, sql, beside.create_extension);
        let Some((package, line)) = found.get("package").copied() else {
            if !entries.iter().any(|(key, _)| key == "package") {
                self.findings.warning(
                    node.line,
                    format!(
                        "missing field `{path}.package`: of what version it is, bake alone says"
                    ),
                );
            }
            return None;
        };
        let origin = self.origin(beside, path, packages, line);
        match origin {
            Origin::Elsewhere => self.check_version(path, package, line),
            Origin::Archive(_) | Origin::Unsaid => self.check_package(path, distro, package, line),
        }
        for (field, (_, line)) in &found {
            self.check_dep_name(beside.file, &format!("{path}.{field}"), *line, packages);
        }
        if let Some((sql, line)) = sql {
            self.check_extracted(beside.file, path, package, (sql, line));
        }
        Some(Pin {
            package: package.to_owned(),
            sql: sql
                .filter(|_| beside.create_extension)
                .map(|(text, _)| text.to_owned()),
            origin,
            line,
        })
    }

    fn texts<'n>(&mut self, path: &str, entries: &'n [(String, Node)]) -> Texts<'n> {
        let mut found = Texts::new();
        for (key, value) in entries {
            let field = format!("{path}.{key}");
            match (&value.value, key.as_str()) {
                (Value::String(text), "package" | "sql") => {
                    found.insert(key, (text, value.line));
                }
                (Value::Number(text), "package" | "sql") if is_as_read(text) => {
                    self.taken(&field, value, &format!("`\"{text}\"`"));
                    found.insert(key, (text, value.line));
                }
                (_, "package" | "sql") => self.wrong(&field, value, "a string (quote it)"),
                _ => {
                    let meant = did_you_mean(key, ["package", "sql"]);
                    self.findings
                        .warning(value.line, format!("unknown field `{field}`{meant}"));
                }
            }
        }
        found
    }

    /// `sql` belongs to extensions that are created. `whole` is the pin's line.
    fn check_sql(&mut self, path: &str, whole: usize, sql: Option<(&str, usize)>, created: bool) {
        match (sql, created) {
            (None, true) => self.findings.warning(
                whole,
                format!("missing field `{path}.sql`: the version that the image's control file says is created"),
            ),
            (Some((_, line)), false) => self.findings.warning(
                line,
                format!("`{path}.sql` is set, but `create_extension` is false: it is not used"),
            ),
            _ => {}
        }
        match sql {
            Some(("", line)) => self.findings.error(line, format!("`{path}.sql` is empty")),
            Some((sql, line)) if !SqlVersion::is(sql) => self.findings.error(
                line,
                format!("`{path}.sql` is `{sql}`; it must be {}", SqlVersion::WANTED),
            ),
            _ => {}
        }
    }

    /// What a package's version is of: `packages` says it, or the comment above the line.
    fn origin(
        &mut self,
        beside: &Beside<'_>,
        path: &str,
        packages: &[PackageName],
        line: usize,
    ) -> Origin {
        if let Some(first) = packages.first() {
            return Origin::Archive(first.clone());
        }
        if Comment::is_of_other(beside.file, line) {
            return Origin::Elsewhere;
        }
        match self.package_name(beside.file, path, line) {
            Some(name) => Origin::Archive(name),
            None if beside.packages.is_some() => Origin::Elsewhere,
            None => Origin::Unsaid,
        }
    }

    /// The name of Debian's package, which the comment above the line says.
    fn package_name(&mut self, file: &File, path: &str, line: usize) -> Option<PackageName> {
        let comment = Comment::above(file, line)?;
        let name = comment.dep_name()?;
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
    }

    /// Renovate must follow one of the packages for which bake takes the version.
    fn check_dep_name(&mut self, file: &File, path: &str, line: usize, packages: &[PackageName]) {
        let comment = Comment::above(file, line);
        let Some(name) = comment.as_ref().and_then(Comment::dep_name) else {
            return;
        };
        if !packages.is_empty() && !packages.iter().any(|package| **package == *name) {
            let packages: Vec<String> = packages.iter().map(|name| format!("`{name}`")).collect();
            self.findings.error(
                line,
                format!(
                    "the comment above `{path}` has `depName={name}`, but `packages` has {}",
                    packages.join(", ")
                ),
            );
        }
    }

    /// Renovate writes into `sql` what it makes of the package's version, which need not be what the package creates.
    fn check_extracted(&mut self, file: &File, path: &str, package: &str, sql: (&str, usize)) {
        let (sql, line) = sql;
        let comment = Comment::above(file, line);
        let made = match comment.and_then(|comment| comment.extracted(package)) {
            None => return,
            Some(Extracted::Version(version)) if version == sql => return,
            Some(Extracted::Version(version)) => format!("`{version}`"),
            Some(Extracted::Nothing) => "nothing".to_owned(),
        };
        self.findings.warning(
            line,
            format!(
                "`{path}.sql` is `{sql}`, but of package `{package}` the comment above has Renovate make {made}; where the two do not go together, remove the comment: `cargo xtask versions --update` writes what the package's control file says"
            ),
        );
    }

    /// A version that Debian knows nothing of: images and tags are named after the number that it begins with.
    fn check_version(&mut self, path: &str, version: &str, line: usize) {
        if version_of(version).is_none() {
            self.findings.warning(
                line,
                format!(
                    "`{path}.package` is `{version}`; a version starts with a number, like `1.2.0`"
                ),
            );
        }
    }

    /// A Debian version with a number to name the image after, of the distro it stands under.
    fn check_package(&mut self, path: &str, distro: &str, package: &str, line: usize) {
        if version_of(package).is_none() {
            self.findings.warning(
                line,
                format!("`{path}.package` is `{package}`; a Debian version starts with a number, like `0.8.6-1.pgdg13+1`"),
            );
        } else if !DebianVersion::is(package) {
            self.findings.warning(
                line,
                format!(
                    "`{path}.package` is `{package}`, which is not {}",
                    DebianVersion::WANTED
                ),
            );
        }
        // `pgdg13+1`, and as PostgreSQL's archive has named it since then: `pgdg130+1`.
        let release = match distro {
            "bookworm" => "12",
            "trixie" => "13",
            "forky" => "14",
            _ => return,
        };
        let Some((_, of)) = package.split_once(".pgdg") else {
            return;
        };
        let number = of
            .split(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap_or_default();
        if number != release && number.strip_suffix('0') != Some(release) {
            self.findings.warning(
                line,
                format!("`{path}.package` is `{package}`, which is not a package for {distro} (`.pgdg{release}+…` or `.pgdg{release}0+…`)"),
            );
        }
    }
}

/// Whether a number's text is what bake makes of the number: of `1.30` it makes `1.3`.
fn is_as_read(number: &str) -> bool {
    let (whole, part) = number.split_once('.').unwrap_or((number, "1"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && is_digits(part)
        && (whole == "0" || !whole.starts_with('0'))
        && !part.ends_with('0')
}
