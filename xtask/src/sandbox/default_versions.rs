// SPDX-License-Identifier: Apache-2.0
//! What `CREATE EXTENSION` makes of packages of the archive: what the control files in them say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    plan::Cmd,
    value::{PackageName, SqlVersion},
};

/// Prints, for packages of exact versions, the argument as a line, and then a line for each control file in them: the
/// argument, a tab, the extension's name, a tab, the line that says its default version; and the same with `script` and the
/// version or the two versions in the name of each of its scripts. What cannot be read is skipped. A package whose scripts
/// are in another one of the same version is read with that. Arguments: `package=version`.
pub(crate) const SCRIPT: &str = include_str!("controls.sh");

/// Runs [`SCRIPT`] for packages, where the archive can be asked.
pub(crate) fn command(packages: &[String]) -> Cmd {
    Cmd::new("sh", "read the control files of the archive's packages")
        .args(["-c", SCRIPT, "controls"])
        .args(packages)
}

/// `package=version`
pub(crate) fn key(name: &PackageName, version: &str) -> String {
    format!("{name}={version}")
}

/// `package=version` -> the control files in it, and in the packages of the same source and version that it needs: the
/// extension's name -> `default_version`. Texts, as they come from files: what is used of them is checked then.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct DefaultVersions(BTreeMap<String, BTreeMap<String, String>>);

impl DefaultVersions {
    /// Whether a `package=version` was read.
    pub(crate) fn has(&self, package: &str) -> bool {
        self.0.contains_key(package)
    }

    /// Takes what [`SCRIPT`] has printed for these packages.
    pub(crate) fn take(&mut self, packages: &[String], printed: &str) {
        for line in printed.lines() {
            if packages.iter().any(|package| package == line) {
                self.0.entry(line.to_owned()).or_default();
                continue;
            }
            let mut parts = line.splitn(3, '\t');
            let (Some(package), Some(name), Some(said)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let version = said.strip_prefix("default_version").map(str::trim_start);
            let version = version.and_then(|rest| rest.strip_prefix('='));
            let version = version.map(|value| value.trim().trim_matches('\''));
            if let (Some(controls), Some(version)) = (self.0.get_mut(package), version) {
                controls.insert(name.to_owned(), version.to_owned());
            }
        }
    }

    /// Forgets each `package=version` that `is_known` does not take.
    pub(crate) fn retain(&mut self, is_known: impl Fn(&str) -> bool) {
        self.0.retain(|package, _| is_known(package));
    }

    /// What `CREATE EXTENSION` makes of a `package=version`. None: no control file says it.
    pub(crate) fn sql_version(&self, package: &str, extension: &str) -> Option<&str> {
        let (_, version) = control(self.0.get(package)?, extension)?;
        Some(version).filter(|version| SqlVersion::is(version))
    }

    /// What the control file of an extension is called in a `package=version`, without its end.
    pub(crate) fn control_name(&self, package: &str, extension: &str) -> Option<&str> {
        let (name, _) = control(self.0.get(package)?, extension)?;
        Some(name)
    }

    /// Whether a `package=version` is known to be another extension's: it has control files, and none is of this one.
    pub(crate) fn is_of_another(&self, package: &str, extension: &str) -> bool {
        let controls = self.0.get(package).filter(|controls| !controls.is_empty());
        controls.is_some_and(|controls| control(controls, extension).is_none())
    }
}

/// The name of an extension's control file, which may have the software's major behind the extension's (`postgis-3`), and the
/// version in it.
fn control<'a>(
    controls: &'a BTreeMap<String, String>,
    extension: &str,
) -> Option<(&'a str, &'a str)> {
    let numbered = |control: &str| {
        let number = control
            .strip_prefix(extension)
            .and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let own = controls.get_key_value(extension).or_else(|| {
        let mut others = controls.iter();
        others.find(|(control, _)| numbered(control))
    });
    own.map(|(name, version)| (name.as_str(), version.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::{Exec, Real};

    #[test]
    fn the_sql_version_is_what_the_control_file_says() {
        let packages = [
            "postgresql-18-mysql-fdw=2.9.2-1".to_owned(),
            "postgresql-18-postgis-3=3.6.4-2".to_owned(),
        ];
        let mut known = DefaultVersions::default();
        known.take(
            &packages,
            "postgresql-18-mysql-fdw=2.9.2-1\n\
             postgresql-18-mysql-fdw=2.9.2-1\tmysql_fdw\tdefault_version = '1.2'\n\
             postgresql-18-postgis-3=3.6.4-2\n\
             postgresql-18-postgis-3=3.6.4-2\tpostgis_topology-3\tdefault_version='3.6.3'\n\
             postgresql-18-postgis-3=3.6.4-2\tpostgis-3\tdefault_version='3.6.4'\n\
             other=1\tx\tdefault_version = '1'\nnonsense\n",
        );
        let [mysql, postgis] = &packages;
        assert_eq!(known.sql_version(mysql, "mysql_fdw"), Some("1.2"));
        assert_eq!(known.sql_version(postgis, "postgis"), Some("3.6.4"));
        assert_eq!(known.sql_version(postgis, "raster"), None);
        let newer = "postgresql-18-mysql-fdw=2.9.3-1";
        assert_eq!(known.sql_version(newer, "mysql_fdw"), None);
        assert_eq!(known.0.len(), 2);
        assert!(known.is_of_another(postgis, "pg_trickle"));
        assert!(!known.is_of_another(postgis, "postgis"));
        assert!(!known.is_of_another(newer, "x"), "it was not read");
        known.retain(|package| package == mysql);
        assert!(known.has(mysql) && !known.has(postgis));
    }

    /// apt and dpkg of a system whose archive has lost a package, and has another one whose file is broken.
    const FAKES: [(&str, &str); 3] = [
        ("apt-cache", ":"),
        (
            "apt-get",
            "case \" $* \" in *' lost='*) exit 100 ;; *' broken='*) : > broken.deb ;; *) : > sound.deb ;; esac",
        ),
        (
            "dpkg-deb",
            "[ \"$2\" = sound.deb ] || exit 2\nmkdir -p root/usr/share/postgresql/18/extension\n\
             echo \"default_version = '1.2'\" > root/usr/share/postgresql/18/extension/sound.control",
        ),
    ];

    #[test]
    fn a_package_that_cannot_be_read_spoils_no_other_and_is_not_remembered() {
        let tools = tempfile::tempdir().unwrap();
        for (name, script) in FAKES {
            let place = tools.path().join(name);
            let text = format!("#!/bin/sh\nset -eu\n{script}\n");
            fs_err::write(&place, text).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs_err::set_permissions(&place, mode).unwrap();
        }
        let packages = ["lost=1-1", "broken=1-1", "sound=1-1"].map(str::to_owned);
        let exec = Real::default().with_programs(tools.path()).unwrap();
        let printed = exec.read(&command(&packages), None).unwrap();
        let mut known = DefaultVersions::default();
        known.take(&packages, &printed);
        let read: Vec<&String> = known.0.keys().collect();
        assert_eq!(read, ["sound=1-1"], "{printed}");
        assert_eq!(known.sql_version("sound=1-1", "sound"), Some("1.2"));
    }
}
