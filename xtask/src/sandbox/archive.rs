// SPDX-License-Identifier: Apache-2.0
//! Extensions pinned to what Debian's archive has, for `--base debian`. The pins in metadata.hcl are
//! not touched: a copy with other `versions` is what bake reads.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use hcl_edit::expr::{Expression, ObjectKey};

use crate::{
    extension::{Extension, Pin, Versions, version_of},
    failure::Failure,
    own::source,
    value::{Major, PackageName, Server, Suite},
};

/// Debian package -> version.
pub(crate) type Archive = BTreeMap<String, String>;

/// An extension as the archive has it, and the metadata file that says so.
#[derive(Clone, Debug)]
pub(crate) struct Repinned {
    pub extension: Arc<Extension>,
    /// Where the copy goes, relative to the repository's root.
    pub file: PathBuf,
    pub contents: String,
}

/// The packages to ask the archive for.
pub(crate) fn packages(extensions: &[Arc<Extension>]) -> Vec<PackageName> {
    let mut names: Vec<PackageName> = pins(extensions)
        .filter_map(|(_, pin)| pin.package_name.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The majors that the extensions are built for.
pub(crate) fn majors(extensions: &[Arc<Extension>]) -> Vec<Major> {
    let mut majors: Vec<Major> = pins(extensions)
        .map(|(server, _)| server.major.clone())
        .collect();
    majors.sort();
    majors.dedup();
    majors
}

fn pins(extensions: &[Arc<Extension>]) -> impl Iterator<Item = (&Server, &Pin)> {
    extensions.iter().flat_map(|extension| &extension.versions)
}

/// The extension pinned to the archive's versions under the distro `suite`. None when the archive has
/// none of its packages.
pub(crate) fn repin(
    root: &Path,
    extension: &Extension,
    archive: &Archive,
    suite: &Suite,
) -> Result<Option<Repinned>, Failure> {
    let mut versions = Versions::new();
    for (server, pin) in &extension.versions {
        let Some((name, version)) = pin
            .package_name
            .as_ref()
            .and_then(|name| Some((name, archive.get(&**name)?)))
        else {
            continue;
        };
        let sql = pin
            .sql
            .as_deref()
            .map(|pinned| sql_version(version, pinned));
        versions.insert(
            Server {
                distro: suite.clone(),
                major: server.major.clone(),
            },
            Pin {
                package: version.clone(),
                sql,
                package_name: Some(name.clone()),
                line: pin.line,
            },
        );
    }
    if versions.is_empty() {
        return Ok(None);
    }
    let text = source::read(root, &extension.folder.join("metadata.hcl"))?.unwrap_or_default();
    let contents = replace_versions(&text, &versions).ok_or_else(|| {
        Failure::invalid(format!(
            "`{}`: `metadata.versions` is not where it can be replaced",
            extension.metadata_file.display()
        ))
    })?;
    let file = Path::new("target/xtask/debian")
        .join(&extension.name)
        .join("metadata.hcl");
    Ok(Some(Repinned {
        extension: Arc::new(Extension {
            versions,
            metadata_file: file.clone(),
            ..extension.clone()
        }),
        file,
        contents,
    }))
}

/// The SQL version of a package, as precise as the pinned one: `3.6.4+dfsg-2` with `3.6.1` -> `3.6.4`.
pub(crate) fn sql_version(package: &str, pinned: &str) -> String {
    let version = version_of(package).unwrap_or_default();
    // An epoch is Debian's business, not the extension's.
    let version = version
        .split_once('-')
        .map_or(version.as_str(), |(_, rest)| rest);
    version
        .split('.')
        .take(pinned.split('.').count())
        .collect::<Vec<_>>()
        .join(".")
}

/// The text of a `metadata.hcl` with other `versions`. None when they are not where they can be replaced.
pub(crate) fn replace_versions(text: &str, versions: &Versions) -> Option<String> {
    let mut written = String::from("{\n");
    let mut distros: BTreeMap<&Suite, Vec<(&Major, &Pin)>> = BTreeMap::new();
    for (server, pin) in versions {
        let majors = distros.entry(&server.distro).or_default();
        majors.push((&server.major, pin));
    }
    for (distro, majors) in distros {
        written += &format!("    {distro} = {{\n");
        for (major, pin) in majors {
            written += &format!(
                "      \"{major}\" = {{\n        package = \"{}\"\n",
                pin.package
            );
            if let Some(sql) = &pin.sql {
                written += &format!("        sql     = \"{sql}\"\n");
            }
            written += "      }\n";
        }
        written += "    }\n";
    }
    written += "  }";
    let mut body = hcl_edit::parser::parse_body(text).ok()?;
    let mut attribute = body.get_attribute_mut("metadata")?;
    let Expression::Object(metadata) = attribute.value_mut() else {
        return None;
    };
    let versions = metadata.iter().find_map(|(key, _)| {
        let name = match key {
            ObjectKey::Ident(name) => name.as_str(),
            ObjectKey::Expression(name) => name.as_str()?,
        };
        (name == "versions").then(|| key.clone())
    })?;
    let expression = hcl_edit::parser::parse_expr(&written).ok()?;
    *metadata.get_mut(&versions)?.expr_mut() = expression;
    Some(format!(
        "// Written by `cargo xtask --base debian` from the extension's own file; not for editing.\n{body}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sql_version_is_as_precise_as_the_pinned_one() {
        assert_eq!(sql_version("3.6.4+dfsg-2", "3.6.1"), "3.6.4");
        assert_eq!(sql_version("18.0-3", "18.0"), "18.0");
        assert_eq!(sql_version("1:1.13.2-1", "1.13"), "1.13");
    }

    #[test]
    fn only_the_versions_change() {
        let text = "// SPDX\nmetadata = {\n  name = \"x\"\n  env = { \"A\" = \"$${image_root}/a\" }\n  versions = {\n    trixie = { \"18\" = { package = \"1\" } }\n  }\n}\n\ntarget \"default\" {\n  name = getBuildName(metadata.name, build.distro, build.pgVersion)\n  args = { POSTGIS_MAJOR = \"3\" }\n}\n";
        let pin = Pin {
            package: "2.1-1".into(),
            sql: Some("2.1".into()),
            package_name: None,
            line: 1,
        };
        let server = Server::parse("forky", "18").unwrap();
        let versions = Versions::from([(server, pin)]);
        let written = replace_versions(text, &versions).unwrap();
        assert!(written.contains("package = \"2.1-1\""), "{written}");
        assert!(!written.contains("trixie"), "{written}");
        assert!(written.contains("\"$${image_root}/a\""), "{written}");
        assert!(
            written.contains("name = getBuildName(metadata.name, build.distro, build.pgVersion)"),
            "{written}"
        );
        assert!(hcl_edit::parser::parse_body(&written).is_ok());
    }
}
