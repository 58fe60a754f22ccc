// SPDX-License-Identifier: Apache-2.0
//! One extension: its `metadata.hcl`, validated. Knows nothing of Docker.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    failure::did_you_mean,
    finding::Findings,
    hcl::{File, Node, Value},
};

/// `CREATE EXTENSION` names and CNPG's volume names fit into this.
const LONGEST_NAME: usize = 59;
/// Some registries refuse labels that are longer.
const LONGEST_LABEL: usize = 255;

/// The pins of one (distro, PostgreSQL major).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    /// The full Debian version.
    pub package: String,
    /// The extension's SQL version; present exactly when the extension is created.
    pub sql: Option<String>,
    /// The Debian package, from the renovate comment's `depName`.
    pub package_name: Option<String>,
    /// Where `package` stands in metadata.hcl, from 1.
    pub line: usize,
}

/// distro -> major -> pin, in the file's order of distros turned alphabetical.
pub(crate) type Versions = BTreeMap<String, BTreeMap<String, Pin>>;

/// A validated `metadata.hcl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension {
    pub name: String,
    pub sql_name: String,
    pub image_name: String,
    pub licenses: Vec<String>,
    pub shared_preload_libraries: Vec<String>,
    pub postgresql_parameters: BTreeMap<String, String>,
    pub extension_control_path: Vec<String>,
    pub dynamic_library_path: Vec<String>,
    pub ld_library_path: Vec<String>,
    pub bin_path: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub auto_update_os_libs: bool,
    pub required_extensions: Vec<String>,
    pub create_extension: bool,
    pub versions: Versions,
    /// The extension's folder, absolute.
    pub folder: PathBuf,
    /// What bake reads, relative to the root where it lies inside.
    pub metadata_file: PathBuf,
}

impl Extension {
    /// Reads and validates `folder/metadata.hcl`. `shown` is the file's name in messages.
    /// None when an error was found; warnings alone leave it usable.
    pub(crate) fn load(folder: &Path, shown: &Path, findings: &mut Findings) -> Option<Self> {
        let file = File::read(&folder.join("metadata.hcl"), findings)?;
        Self::from_file(&file, folder, shown, findings)
    }

    fn from_file(
        file: &File,
        folder: &Path,
        shown: &Path,
        findings: &mut Findings,
    ) -> Option<Self> {
        let Some(metadata) = file.attribute("metadata") else {
            findings.error(None, "has no attribute `metadata`");
            return None;
        };
        let before = errors(findings);
        let mut fields = Fields::of(metadata, findings)?;
        let directory = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let create_extension = fields
            .flag("create_extension", Needed::Always)
            .unwrap_or(true);
        let extension = Self {
            name: fields.text("name"),
            sql_name: fields.text("sql_name"),
            image_name: fields.text("image_name"),
            licenses: fields.list("licenses", Needed::Always),
            shared_preload_libraries: fields.list("shared_preload_libraries", Needed::Expected),
            postgresql_parameters: fields.map("postgresql_parameters"),
            extension_control_path: fields.paths("extension_control_path"),
            dynamic_library_path: fields.paths("dynamic_library_path"),
            ld_library_path: fields.paths("ld_library_path"),
            bin_path: fields.paths("bin_path"),
            env: fields.map("env"),
            auto_update_os_libs: fields
                .flag("auto_update_os_libs", Needed::Expected)
                .unwrap_or(false),
            required_extensions: fields.list("required_extensions", Needed::Expected),
            create_extension,
            versions: fields.versions(file, create_extension),
            folder: folder.to_owned(),
            metadata_file: shown.to_owned(),
        };
        fields.unknown();
        let lines = fields.lines;
        extension.check(&directory, &lines, findings);
        (errors(findings) == before).then_some(extension)
    }

    fn check(&self, directory: &str, lines: &BTreeMap<String, usize>, findings: &mut Findings) {
        let line = |name: &str| lines.get(name).copied();
        if !self.name.is_empty() {
            if !is_name(&self.name) {
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
        let image_characters =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c);
        if !self.image_name.chars().all(image_characters) {
            findings.error(
                line("image_name"),
                format!("`image_name` is `{}`; a repository's name has lower-case letters, digits and `-_./` only", self.image_name),
            );
        }
        let licenses = self.licenses.join(" AND ");
        if licenses.len() > LONGEST_LABEL {
            findings.error(
                line("licenses"),
                format!(
                    "`licenses` joined by ` AND ` have {} characters; some registries refuse labels over {LONGEST_LABEL}",
                    licenses.len()
                ),
            );
        }
        if lines.contains_key("licenses") && self.licenses.is_empty() {
            findings.error(
                line("licenses"),
                "`licenses` is empty; name the SPDX ids of what the image holds",
            );
        }
        if lines.contains_key("versions") && self.versions.values().all(BTreeMap::is_empty) {
            findings.warning(
                line("versions"),
                "`versions` is empty: there is nothing to build",
            );
        }
    }

    /// The pin for a distro and major, if this extension is built for it.
    pub(crate) fn pin(&self, distro: &str, major: &str) -> Option<&Pin> {
        self.versions.get(distro)?.get(major)
    }
}

fn errors(findings: &Findings) -> usize {
    let errors = findings
        .all
        .iter()
        .filter(|finding| finding.severity == crate::finding::Severity::Error);
    errors.count()
}

/// `^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$`, at most 59 characters.
pub(crate) fn is_name(name: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= LONGEST_NAME
        && name.starts_with(alphanumeric)
        && name.ends_with(alphanumeric)
        && name
            .chars()
            .all(|c| alphanumeric(c) || c == '-' || c == '_')
}

/// The version that names and tags carry: the leading `[epoch:]digits(.digits)*` of a Debian version,
/// with `-` for the colon. None when it does not start with a digit.
pub(crate) fn version_of(package: &str) -> Option<String> {
    let number = |text: &str| {
        let mut end = 0;
        loop {
            let digits = text[end..].bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                // A dot without digits behind it is not part of the version.
                break text[..end].trim_end_matches('.').len();
            }
            end += digits;
            if !text[end..].starts_with('.') {
                break end;
            }
            end += 1;
        }
    };
    if let Some((epoch, rest)) = package.split_once(':')
        && !epoch.is_empty()
        && epoch.bytes().all(|byte| byte.is_ascii_digit())
    {
        let end = number(rest);
        if end > 0 {
            return Some(format!("{epoch}-{}", &rest[..end]));
        }
        // As bake's own expression does: without a number behind it, the epoch is the version.
        return Some(epoch.to_owned());
    }
    let end = number(package);
    (end > 0).then(|| package[..end].to_owned())
}

/// Whether the field may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// Without it the image would be wrong.
    Always,
    /// Older files lack it; it then has its empty default.
    Expected,
}

/// The fields of the `metadata` object, taken out one after the other.
struct Fields<'a> {
    left: Vec<(String, Node)>,
    lines: BTreeMap<String, usize>,
    asked: Vec<&'static str>,
    whole: usize,
    findings: &'a mut Findings,
}

impl<'a> Fields<'a> {
    fn of(metadata: Node, findings: &'a mut Findings) -> Option<Self> {
        let Value::Map(left) = metadata.value else {
            findings.error(
                metadata.line,
                format!("`metadata` is {}; it must be a map", metadata.value.kind()),
            );
            return None;
        };
        for (name, node) in &left {
            placeholders(name, node, findings);
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

    fn text(&mut self, name: &'static str) -> String {
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

    fn flag(&mut self, name: &'static str, needed: Needed) -> Option<bool> {
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

    fn list(&mut self, name: &'static str, needed: Needed) -> Vec<String> {
        self.nodes(name, needed)
            .into_iter()
            .map(|(text, _)| text)
            .collect()
    }

    /// Paths inside the image: relative to its root, and staying there.
    fn paths(&mut self, name: &'static str) -> Vec<String> {
        let mut paths = Vec::new();
        for (path, line) in self.nodes(name, Needed::Expected) {
            if path.starts_with('/') || path.is_empty() || path.split('/').any(|part| part == "..")
            {
                self.findings.error(
                    line,
                    format!("`{name}` has `{path}`; paths are relative to the image's root, without `..`"),
                );
            }
            paths.push(path);
        }
        paths
    }

    fn map(&mut self, name: &'static str) -> BTreeMap<String, String> {
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

    fn versions(&mut self, file: &File, created: bool) -> Versions {
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
            if !distro
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            {
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
                if major.is_empty() || !major.bytes().all(|byte| byte.is_ascii_digit()) {
                    self.findings.error(
                        pin.line,
                        format!("`{path}`: a PostgreSQL major is a number like \"18\""),
                    );
                }
                if let Some(pin) = self.pin(file, &path, distro, pin, created) {
                    versions
                        .entry(distro.clone())
                        .or_default()
                        .insert(major.clone(), pin);
                }
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
        if let Some(("", line)) = found.get("sql") {
            self.findings.error(*line, format!("`{path}.sql` is empty"));
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
            .find_map(|word| word.strip_prefix("depName="))
            .map(str::to_owned);
        Some(Pin {
            package: package.to_owned(),
            sql: found.get("sql").map(|(text, _)| (*text).to_owned()),
            package_name,
            line,
        })
    }

    /// A Debian version with a number to name the image after, of the distro it stands under.
    fn check_package(&mut self, path: &str, distro: &str, package: &str, line: usize) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".+:~-".contains(c);
        if version_of(package).is_none() {
            self.findings.error(
                line,
                format!("`{path}.package` is `{package}`; a Debian version starts with a number, like `0.8.6-1.pgdg13+1`"),
            );
        } else if !package.chars().all(allowed) {
            self.findings.error(
                line,
                format!("`{path}.package` is `{package}`; a Debian version has letters, digits and `.+:~-` only"),
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

    fn unknown(&mut self) {
        for (name, node) in std::mem::take(&mut self.left) {
            let meant = did_you_mean(&name, self.asked.iter().copied());
            self.findings
                .error(node.line, format!("unknown field `{name}`{meant}"));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_the_leading_number_with_its_epoch() {
        for (package, version) in [
            ("0.8.6-1.pgdg13+1", "0.8.6"),
            ("1:6.1.0-2.pgdg130+1", "1-6.1.0"),
            ("3.6.4+dfsg-2.pgdg12+1", "3.6.4"),
            ("0.3-2.pgdg12+1", "0.3"),
            ("18.0-3", "18.0"),
            ("7", "7"),
            ("2.", "2"),
            ("1:beta", "1"),
        ] {
            assert_eq!(version_of(package).as_deref(), Some(version), "{package}");
        }
        for package in ["", "beta-1", ":1", "v1.0"] {
            assert_eq!(version_of(package), None, "{package}");
        }
    }

    #[test]
    fn names_follow_the_rule() {
        for name in ["a", "pg-ivm", "pg_crash", "3d"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "A", "a b", "ä", &"a".repeat(60)] {
            assert!(!is_name(name), "{name}");
        }
    }

    const GOOD: &str = r#"metadata = {
  name = "x"
  sql_name = "x"
  image_name = "x"
  licenses = ["MIT"]
  shared_preload_libraries = []
  postgresql_parameters = {}
  extension_control_path = []
  dynamic_library_path = []
  ld_library_path = ["system"]
  bin_path = []
  env = { "A" = "$${image_root}/a" }
  auto_update_os_libs = false
  required_extensions = []
  create_extension = true
  versions = {
    trixie = {
      "18" = {
        // renovate: suite=trixie-pgdg depName=postgresql-18-x
        package = "1.2-1.pgdg13+1"
        sql = "1.2"
      }
    }
  }
}
"#;

    fn load(text: &str) -> (Option<Extension>, Vec<String>) {
        let mut findings = Findings::about("x/metadata.hcl");
        let file = File::parse(text, &mut findings);
        let folder = Path::new("/repository/x");
        let extension = file.and_then(|file| {
            Extension::from_file(&file, folder, Path::new("x/metadata.hcl"), &mut findings)
        });
        (
            extension,
            findings.all.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn a_good_file_has_no_findings() {
        let (extension, findings) = load(GOOD);
        assert!(findings.is_empty(), "{findings:?}");
        let extension = extension.unwrap();
        assert_eq!(extension.env["A"], "${image_root}/a");
        let pin = extension.pin("trixie", "18").unwrap();
        assert_eq!(pin.package_name.as_deref(), Some("postgresql-18-x"));
        assert_eq!(pin.sql.as_deref(), Some("1.2"));
    }

    #[test]
    fn each_mistake_has_its_message_and_line() {
        let cases = [
            (
                r#"  sql_name = "x""#,
                "",
                "x/metadata.hcl:1: error: missing field `sql_name`",
            ),
            (
                r#"  sql_name = "x""#,
                r#"  sqlname = "x""#,
                "x/metadata.hcl:3: error: unknown field `sqlname`; did you mean `sql_name`?",
            ),
            (
                r#"  name = "x""#,
                r#"  name = "y""#,
                "x/metadata.hcl:2: error: `name` is `y`, but the directory is `x`",
            ),
            (
                r#"  name = "x""#,
                r#"  name = "X""#,
                "x/metadata.hcl:2: error: `name` is `X`; it must match",
            ),
            (
                r#"["MIT"]"#,
                "[]",
                "x/metadata.hcl:5: error: `licenses` is empty",
            ),
            (
                r#"["system"]"#,
                r#"["../x"]"#,
                "x/metadata.hcl:10: error: `ld_library_path` has `../x`",
            ),
            (
                r#"["system"]"#,
                r#""system""#,
                "x/metadata.hcl:10: error: `ld_library_path` is a string; it must be a list of strings",
            ),
            (
                r#"sql = "1.2""#,
                "sql = 1.2",
                "x/metadata.hcl:21: error: `versions.trixie.\"18\".sql` is a number; it must be a string (quote it)",
            ),
            (
                r#"        sql = "1.2""#,
                "",
                "x/metadata.hcl:18: error: missing field `versions.trixie.\"18\".sql`",
            ),
            (
                "create_extension = true",
                "create_extension = false",
                "x/metadata.hcl:21: error: `versions.trixie.\"18\".sql` is set, but `create_extension` is false",
            ),
            (
                "1.2-1.pgdg13+1",
                "beta",
                "x/metadata.hcl:20: error: `versions.trixie.\"18\".package` is `beta`",
            ),
            (
                "1.2-1.pgdg13+1",
                "1.2-1.pgdg12+1",
                "x/metadata.hcl:20: error: `versions.trixie.\"18\".package` is `1.2-1.pgdg12+1`, which is not a package for trixie",
            ),
            (
                "1.2-1.pgdg13+1",
                "<package-version-here>",
                "x/metadata.hcl:20: error: `versions.trixie.18.package` still holds the placeholder",
            ),
            (
                "        package =",
                "        pakage =",
                "x/metadata.hcl:20: error: unknown field `versions.trixie.\"18\".pakage`; did you mean `package`?",
            ),
            (
                "  bin_path = []",
                "",
                "x/metadata.hcl:1: warning: missing field `bin_path`, taken as empty",
            ),
        ];
        for (from, to, message) in cases {
            assert!(GOOD.contains(from), "{from}");
            let (_, findings) = load(&GOOD.replacen(from, to, 1));
            assert!(
                findings.iter().any(|line| line.starts_with(message)),
                "{message}\n{findings:#?}"
            );
        }
    }
}
