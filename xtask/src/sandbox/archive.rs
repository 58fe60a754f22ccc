// SPDX-License-Identifier: Apache-2.0
//! What Debian's archive has of the extensions, for `--base debian`: the versions of their packages, and what the control
//! files in these say. It is remembered for all repositories that use the sandbox.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    extension::{Extension, Pin},
    plan::Cmd,
    value::{DebianVersion, Major, PackageName, Server, SqlVersion, Suite},
};

/// What is known of the archive. Texts, as they come from files: what is used of them is checked then.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Archive {
    /// The suite of which all else is said.
    #[serde(default)]
    suite: String,
    /// Each Debian package that was asked for -> its version. None: the archive has none.
    versions: BTreeMap<String, Option<String>>,
    /// `package=version` -> the control files in it, and in the packages of the same source and version that it needs:
    /// the extension's name -> `default_version`.
    #[serde(default)]
    controls: BTreeMap<String, BTreeMap<String, String>>,
}

/// Prints, for packages of exact versions, the argument as a line, and then a line for each control file in them: the
/// argument, a tab, the extension's name, a tab, the line that says its default version. What cannot be read is skipped. A package whose scripts are in another one of the same version
/// is read with that. Arguments: `package=version`.
const CONTROLS: &str = include_str!("controls.sh");

impl Archive {
    /// What is remembered of a suite; of another one, or when it cannot be read, nothing.
    pub(crate) fn remembered(text: Option<&str>, suite: &Suite) -> Self {
        let known = text.and_then(|text| serde_json::from_str::<Self>(text).ok());
        let known = known.filter(|known| known.suite == **suite);
        known.unwrap_or_else(|| Self {
            suite: suite.to_string(),
            ..Self::default()
        })
    }

    /// Takes what the archive has now of the packages that it was `asked` for.
    pub(crate) fn take_versions(
        &mut self,
        asked: &[PackageName],
        found: &BTreeMap<String, String>,
    ) {
        for name in asked {
            let name = name.to_string();
            let version = found.get(&name).cloned();
            self.versions.insert(name, version);
        }
    }

    /// The packages of these extensions that the archive was never asked for.
    pub(crate) fn unknown(&self, extensions: &[Arc<Extension>]) -> Vec<PackageName> {
        let mut names = packages(extensions);
        names.retain(|name| !self.versions.contains_key(&**name));
        names
    }

    /// The version that the archive has of a pin's package, with the package's name.
    pub(crate) fn version<'a>(&'a self, pin: &'a Pin) -> Option<(&'a PackageName, &'a str)> {
        let name = pin.package_name.as_ref()?;
        let version = self.versions.get(&**name)?.as_deref()?;
        DebianVersion::is(version).then_some((name, version))
    }

    /// The packages whose control files have not been read, each with its version.
    pub(crate) fn unread(&self, extensions: &[Arc<Extension>]) -> Vec<String> {
        let found = pins(extensions).filter_map(|(_, pin)| self.version(pin));
        let mut unread: Vec<String> = found.map(|(name, version)| key(name, version)).collect();
        unread.retain(|key| !self.controls.contains_key(key));
        unread.sort();
        unread.dedup();
        unread
    }

    /// What `CREATE EXTENSION` makes of a package of that version: as its control file says, which may have
    /// the software's major behind the name (`postgis-3.control`). None: no control file says it.
    pub(crate) fn sql_version(
        &self,
        name: &PackageName,
        version: &str,
        extension: &str,
    ) -> Option<&str> {
        let controls = self.controls.get(&key(name, version))?;
        let numbered = |control: &str| {
            let number = control
                .strip_prefix(extension)
                .and_then(|rest| rest.strip_prefix('-'));
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let own = controls.get(extension).or_else(|| {
            let mut others = controls.iter();
            others.find_map(|(control, version)| numbered(control).then_some(version))
        });
        own.map(String::as_str)
            .filter(|version| SqlVersion::is(version))
    }

    /// Takes what [`controls_cmd`] has printed for these packages.
    pub(crate) fn read_controls(&mut self, packages: &[String], printed: &str) {
        for line in printed.lines() {
            if packages.iter().any(|package| package == line) {
                self.controls.entry(line.to_owned()).or_default();
                continue;
            }
            let mut parts = line.splitn(3, '\t');
            let (Some(package), Some(name), Some(said)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let version = said.split_once('=').map(|(_, value)| value.trim());
            let version = version.map(|value| value.trim_matches('\''));
            if let (Some(controls), Some(version)) = (self.controls.get_mut(package), version) {
                controls.insert(name.to_owned(), version.to_owned());
            }
        }
        // Of versions that the archive no longer has, nothing is asked again.
        let known = |key: &String| {
            let (name, version) = key.split_once('=').unwrap_or_default();
            let now = self.versions.get(name).and_then(Option::as_deref);
            now == Some(version)
        };
        let kept: Vec<String> = self
            .controls
            .keys()
            .filter(|key| known(key))
            .cloned()
            .collect();
        self.controls.retain(|key, _| kept.contains(key));
    }
}

/// The command that reads the control files of packages, to be run where the archive can be asked.
pub(crate) fn controls_cmd(packages: &[String]) -> Cmd {
    Cmd::new("sh", "read the control files of the archive's packages")
        .args(["-c", CONTROLS, "controls"])
        .args(packages)
}

fn key(name: &PackageName, version: &str) -> String {
    format!("{name}={version}")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::{Exec, Real};

    #[test]
    fn the_sql_version_is_what_the_control_file_says() {
        let mut archive = Archive::default();
        for (name, version) in [
            ("postgresql-18-mysql-fdw", "2.9.2-1"),
            ("postgresql-18-postgis-3", "3.6.4-2"),
        ] {
            archive
                .versions
                .insert(name.into(), Some(version.to_owned()));
        }
        let packages = [
            "postgresql-18-mysql-fdw=2.9.2-1".to_owned(),
            "postgresql-18-postgis-3=3.6.4-2".to_owned(),
        ];
        archive.read_controls(
            &packages,
            "postgresql-18-mysql-fdw=2.9.2-1\n\
             postgresql-18-mysql-fdw=2.9.2-1\tmysql_fdw\tdefault_version = '1.2'\n\
             postgresql-18-postgis-3=3.6.4-2\n\
             postgresql-18-postgis-3=3.6.4-2\tpostgis_topology-3\tdefault_version='3.6.3'\n\
             postgresql-18-postgis-3=3.6.4-2\tpostgis-3\tdefault_version='3.6.4'\n\
             other=1\tx\tdefault_version = '1'\nnonsense\n",
        );
        let said = |name: &str, version: &str, extension: &str| {
            archive
                .sql_version(&name.parse().unwrap(), version, extension)
                .map(str::to_owned)
        };
        assert_eq!(
            said("postgresql-18-mysql-fdw", "2.9.2-1", "mysql_fdw").as_deref(),
            Some("1.2")
        );
        assert_eq!(
            said("postgresql-18-postgis-3", "3.6.4-2", "postgis").as_deref(),
            Some("3.6.4")
        );
        assert_eq!(said("postgresql-18-postgis-3", "3.6.4-2", "raster"), None);
        assert_eq!(
            said("postgresql-18-mysql-fdw", "2.9.3-1", "mysql_fdw"),
            None
        );
        assert_eq!(archive.controls.len(), 2);
    }

    #[test]
    fn one_repository_does_not_make_another_s_packages_forgotten() {
        let names = |all: &[&str]| -> Vec<PackageName> {
            all.iter().map(|name| name.parse().unwrap()).collect()
        };
        let found = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
            let all = all.iter();
            all.map(|(name, version)| ((*name).to_owned(), (*version).to_owned()))
                .collect()
        };
        let forky: Suite = "forky".parse().unwrap();
        let again = |archive: &Archive, suite: &Suite| {
            let text = serde_json::to_string(archive).unwrap();
            Archive::remembered(Some(&text), suite)
        };
        let mut archive = Archive::remembered(None, &forky);
        archive.take_versions(&names(&["aa", "lost"]), &found(&[("aa", "1-1")]));
        archive.read_controls(
            &["aa=1-1".into()],
            "aa=1-1\naa=1-1\taa\tdefault_version = '1'\n",
        );
        let mut archive = again(&archive, &forky);
        archive.take_versions(&names(&["bb"]), &found(&[("bb", "2-1")]));
        archive.read_controls(
            &["bb=2-1".into()],
            "bb=2-1\nbb=2-1\tbb\tdefault_version = '2'\n",
        );
        let archive = again(&archive, &forky);
        let sql =
            |name: &str, version: &str| archive.sql_version(&name.parse().unwrap(), version, name);
        assert_eq!((sql("aa", "1-1"), sql("bb", "2-1")), (Some("1"), Some("2")));
        assert_eq!(archive.versions["lost"], None, "it was asked for");
        assert!(!archive.versions.contains_key("c"));
        // Another suite has other packages; a file of an older xtask says nothing of its suite.
        let other = again(&archive, &"trixie".parse().unwrap());
        assert!(other.versions.is_empty() && other.controls.is_empty());
        let old = r#"{"versions": {"aa": "1-1"}, "controls": {}}"#;
        assert!(Archive::remembered(Some(old), &forky).versions.is_empty());
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
        let printed = exec.read(&controls_cmd(&packages), None).unwrap();
        let mut archive = Archive::default();
        for package in &packages {
            let (name, version) = package.split_once('=').unwrap();
            archive
                .versions
                .insert(name.into(), Some(version.to_owned()));
        }
        archive.read_controls(&packages, &printed);
        let read: Vec<&String> = archive.controls.keys().collect();
        assert_eq!(read, ["sound=1-1"], "{printed}");
        let sound = "sound".parse().unwrap();
        assert_eq!(archive.sql_version(&sound, "1-1", "sound"), Some("1.2"));
    }
}
