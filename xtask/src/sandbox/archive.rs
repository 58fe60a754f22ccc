// SPDX-License-Identifier: Apache-2.0
//! What Debian's archive has of PostgreSQL and the extensions, for `--base debian`: which suite has a major's server, the
//! versions of the extensions' packages, and what the control files in these say. It is remembered for all repositories that
//! use the sandbox.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{
    extension::Extension,
    target::Filter,
    value::{DebianVersion, Major, PackageName, Suite},
};

use super::default_versions::{DefaultVersions, key};

/// Majors, each with the packages that are asked for.
pub(crate) type Asked = BTreeMap<Major, Vec<PackageName>>;

/// What is known of the archive. Texts, as they come from files: what is used of them is checked then.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Archive {
    /// The suites of which all else is said, the sandbox's own first.
    #[serde(default)]
    suites: Vec<String>,
    /// Each PostgreSQL major that was asked for -> the suite that has its server. None: none has.
    #[serde(default)]
    servers: BTreeMap<String, Option<String>>,
    /// The suites that did not answer, and may have what the others lack.
    #[serde(default)]
    pub unasked: Vec<String>,
    /// Each PostgreSQL major -> each Debian package that was asked for with it -> its version, in the suite that has the
    /// major's server. None: there is none. A package may be for several majors, which have their servers in different suites.
    versions: BTreeMap<String, BTreeMap<String, Option<String>>>,
    /// What the control files of the packages say.
    #[serde(default)]
    controls: DefaultVersions,
    /// Each suite -> when its index was last read, in seconds since 1970.
    #[serde(default)]
    read: BTreeMap<String, u64>,
}

impl Archive {
    /// What is remembered of these suites; of others, or when it cannot be read, nothing.
    pub(crate) fn remembered<'a>(
        text: Option<&str>,
        suites: impl IntoIterator<Item = &'a Suite>,
    ) -> Self {
        let suites: Vec<String> = suites.into_iter().map(ToString::to_string).collect();
        let known = text.and_then(|text| serde_json::from_str::<Self>(text).ok());
        let known = known.filter(|known| known.suites == suites);
        known.unwrap_or_else(|| Self {
            suites,
            ..Self::default()
        })
    }

    /// The suite that a major's server, and all packages for it, are taken from.
    pub(crate) fn suite(&self, major: &Major) -> Option<Suite> {
        self.servers.get(&**major)?.as_ref()?.parse().ok()
    }

    /// Whether all suites have been asked for a major's server, and none has it.
    pub(crate) fn lacks(&self, major: &Major) -> bool {
        self.servers.get(&**major) == Some(&None)
    }

    /// What of these was never asked for: the server of a major, or a package.
    pub(crate) fn unknown(&self, asked: &Asked) -> Option<String> {
        let mut servers = asked.keys();
        let unknown = servers.find(|major| !self.servers.contains_key(&***major));
        let package = || {
            let mut packages = asked
                .iter()
                .flat_map(|(major, names)| names.iter().map(move |name| (major, name)));
            let unknown = packages.find(|(major, name)| self.known(name, major).is_none());
            unknown.map(|(_, name)| name.to_string())
        };
        unknown.map(server).or_else(package)
    }

    /// What is known of a package for a major: its version, or that there is none. None: it was not asked for.
    fn known(&self, name: &PackageName, major: &Major) -> Option<&Option<String>> {
        self.versions.get(&**major)?.get(&**name)
    }

    /// The version that the archive has of a package for a major.
    pub(crate) fn version(&self, name: &PackageName, major: &Major) -> Option<&str> {
        let version = self.known(name, major)?.as_deref()?;
        (self.suite(major).is_some() && DebianVersion::is(version)).then_some(version)
    }

    /// The index of a suite has just been read.
    pub(crate) fn is_read(&mut self, suite: &Suite, now: SystemTime) {
        self.read.insert(suite.to_string(), seconds(now));
    }

    /// Whether the index of a suite was read at most this long ago. Not where a clock has been set back since.
    pub(crate) fn was_read_within(&self, suite: &Suite, age: Duration, now: SystemTime) -> bool {
        let read = self.read.get(&**suite);
        let passed = read.and_then(|read| seconds(now).checked_sub(*read));
        passed.is_some_and(|passed| passed < age.as_secs())
    }

    /// Forgets what was known of these, which are to be asked for again.
    pub(crate) fn forget(&mut self, asked: &Asked) {
        for (major, names) in asked {
            self.servers.remove(&**major);
            let Some(versions) = self.versions.get_mut(&**major) else {
                continue;
            };
            versions.retain(|known, _| names.iter().all(|name| **name != **known));
        }
    }

    /// Takes what a suite has, out of what was asked for majors: the servers, and the packages for these.
    pub(crate) fn take(&mut self, suite: &Suite, asked: &Asked, found: &BTreeMap<String, String>) {
        for (major, names) in asked {
            let has_server = found.contains_key(&server(major));
            let from = has_server.then(|| suite.to_string());
            self.servers.insert(major.to_string(), from);
            let versions = self.versions.entry(major.to_string()).or_default();
            for name in names {
                let version = found.get(&**name).filter(|_| has_server);
                versions.insert(name.to_string(), version.cloned());
            }
        }
    }

    /// Of the packages for a major those whose control files have not been read, each with its version.
    pub(crate) fn unread(&self, names: &[PackageName], major: &Major) -> Vec<String> {
        let found = names
            .iter()
            .filter_map(|name| Some(key(name, self.known(name, major)?.as_deref()?)));
        let mut unread: Vec<String> = found.collect();
        unread.retain(|key| !self.controls.has(key));
        unread.sort();
        unread.dedup();
        unread
    }

    /// What `CREATE EXTENSION` makes of a package of that version. None: no control file says it.
    pub(crate) fn sql_version(
        &self,
        name: &PackageName,
        version: &str,
        extension: &str,
    ) -> Option<&str> {
        self.controls.sql_version(&key(name, version), extension)
    }

    /// Whether a package of that version is known to be another extension's: it has control files, and none is of this one.
    pub(crate) fn is_of_another(&self, name: &PackageName, version: &str, extension: &str) -> bool {
        self.controls.is_of_another(&key(name, version), extension)
    }

    /// Takes what the control files of these packages say, as [`super::default_versions::command`] prints it.
    pub(crate) fn read_controls(&mut self, packages: &[String], printed: &str) {
        self.controls.take(packages, printed);
        // Of versions that the archive no longer has, nothing is asked again.
        self.controls.retain(|key| {
            let (name, version) = key.split_once('=').unwrap_or_default();
            let mut now = self.versions.values().filter_map(|of| of.get(name));
            now.any(|now| now.as_deref() == Some(version))
        });
    }
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The package of PostgreSQL itself.
pub(crate) fn server(major: &Major) -> String {
    format!("postgresql-{major}")
}

/// What to ask the archive for: the majors that `filter` asks for, each with the packages of the extensions for it.
pub(crate) fn asked(extensions: &[Arc<Extension>], filter: &Filter) -> Asked {
    let majors = filter.majors.iter().filter_map(|text| text.parse().ok());
    let mut asked: Asked = majors.map(|major| (major, Vec::new())).collect();
    for extension in extensions {
        for major in filter.majors_of(extension) {
            let servers = extension.servers_like(&major).into_iter();
            let names = servers.filter_map(|server| extension.package_name(server, &major));
            let names: Vec<PackageName> = names.collect();
            asked.entry(major).or_default().extend(names);
        }
    }
    for names in asked.values_mut() {
        names.sort();
        names.dedup();
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majors_packages_are_those_of_the_first_suite_that_has_its_server() {
        let texts = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, version)| ((*name).into(), (*version).into()))
                .collect()
        };
        let major = |text: &str| -> Major { text.parse().unwrap() };
        let package = |text: &str| -> PackageName { text.parse().unwrap() };
        let asked = ["17", "18", "19"].map(|text| {
            let name = format!("postgresql-{text}-x");
            (major(text), vec![package(&name)])
        });
        let mut asked = BTreeMap::from(asked);
        let mut archive = Archive::default();
        let before = ["16", "17"].map(|text| {
            let name = format!("postgresql-{text}-x");
            (major(text), vec![package(&name), package("for-all")])
        });
        let has = [
            ("postgresql-16", "16.3-1"),
            ("postgresql-16-x", "1-1"),
            ("postgresql-17", "17.1-1"),
            ("postgresql-17-x", "1-1"),
            ("for-all", "5-1"),
        ];
        archive.take(
            &"forky".parse().unwrap(),
            &Asked::from(before),
            &texts(&has),
        );
        archive.forget(&asked);
        let has = [
            ("postgresql-18", "18.6-3"),
            ("postgresql-18-x", "2-1"),
            ("postgresql-19-x", "2-1"),
        ];
        archive.take(&"forky".parse().unwrap(), &asked, &texts(&has));
        asked.remove(&major("18"));
        let has = [
            ("postgresql-19", "19~rc1-1"),
            ("postgresql-19-x", "3-1"),
            ("postgresql-18-x", "3-1"),
        ];
        archive.take(&"experimental".parse().unwrap(), &asked, &texts(&has));
        let said = ["16", "17", "18", "19"].map(|text| {
            let name = package(&format!("postgresql-{text}-x"));
            let major = major(text);
            let suite = archive.suite(&major).map(|suite| suite.to_string());
            (suite, archive.version(&name, &major).map(str::to_owned))
        });
        let of = |suite: &str, version: &str| (Some(suite.to_owned()), Some(version.to_owned()));
        // What nobody asked for stays known; what has gone from the archive is gone.
        assert_eq!(
            said,
            [
                of("forky", "1-1"),
                (None, None),
                of("forky", "2-1"),
                of("experimental", "3-1")
            ]
        );
        assert!(archive.lacks(&major("17")) && !archive.lacks(&major("20")));
        let unknown = |text: &str, name: &str| {
            archive.unknown(&Asked::from([(major(text), vec![package(name)])]))
        };
        assert_eq!(unknown("17", "postgresql-17-x"), None);
        assert_eq!(unknown("17", "other").as_deref(), Some("other"));
        assert_eq!(unknown("20", "other").as_deref(), Some("postgresql-20"));
        // It is for a server that has gone, and for one that is there.
        let for_all = package("for-all");
        assert_eq!(archive.version(&for_all, &major("16")), Some("5-1"));
        assert_eq!(archive.version(&for_all, &major("17")), None);
    }

    #[test]
    fn a_package_for_several_majors_has_for_each_the_version_of_the_suite_of_its_server() {
        let major = |text: &str| -> Major { text.parse().unwrap() };
        let name: PackageName = "for-all".parse().unwrap();
        let has = |server: &str, version: &str| {
            let pairs = [(server, "1-1"), ("for-all", version)];
            pairs.map(|(name, version)| (name.to_owned(), version.to_owned()))
        };
        let of = |text: &str| (major(text), vec![name.clone()]);
        let mut archive = Archive::default();
        archive.take(
            &"forky".parse().unwrap(),
            &Asked::from([of("18"), of("19"), of("20")]),
            &has("postgresql-18", "5-1").into(),
        );
        archive.take(
            &"experimental".parse().unwrap(),
            &Asked::from([of("19"), of("20")]),
            &has("postgresql-19", "6-1").into(),
        );
        let known = ["18", "19", "20"].map(|text| archive.version(&name, &major(text)));
        assert_eq!(known, [Some("5-1"), Some("6-1"), None]);
        archive.forget(&Asked::from([of("19")]));
        assert_eq!(archive.version(&name, &major("18")), Some("5-1"));
        assert_eq!(archive.unknown(&Asked::from([of("18")])), None);
        archive.read_controls(
            &["for-all=5-1".into()],
            "for-all=5-1\nfor-all=5-1\tx\tdefault_version = '5'\n",
        );
        assert_eq!(archive.sql_version(&name, "5-1", "x"), Some("5"));
    }

    #[test]
    fn an_index_is_as_old_as_its_last_reading() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let suite = |name: &str| -> Suite { name.parse().unwrap() };
        let (forky, age) = (suite("forky"), Duration::from_secs(60));
        let mut archive = Archive::remembered(None, [&forky]);
        assert!(!archive.was_read_within(&forky, age, at(1_000)));
        archive.is_read(&forky, at(1_000));
        let text = serde_json::to_string(&archive).unwrap();
        let again = Archive::remembered(Some(&text), [&forky]);
        let is_recent =
            |name: &str, age, seconds| again.was_read_within(&suite(name), age, at(seconds));
        assert!(is_recent("forky", age, 1_059));
        assert!(!is_recent("forky", age, 1_060));
        assert!(!is_recent("experimental", age, 1_000));
        assert!(!is_recent("forky", age, 999), "a clock that was set back");
        assert!(!is_recent("forky", Duration::ZERO, 1_000));
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
            Archive::remembered(Some(&text), [suite])
        };
        let take = |archive: &mut Archive, all: &[&str], has: (&str, &str)| {
            let asked = Asked::from([("18".parse().unwrap(), names(all))]);
            archive.forget(&asked);
            archive.take(&forky, &asked, &found(&[("postgresql-18", "18.6-3"), has]));
        };
        let mut archive = Archive::remembered(None, [&forky]);
        take(&mut archive, &["aa", "lost"], ("aa", "1-1"));
        archive.read_controls(
            &["aa=1-1".into()],
            "aa=1-1\naa=1-1\taa\tdefault_version = '1'\n",
        );
        let mut archive = again(&archive, &forky);
        take(&mut archive, &["bb"], ("bb", "2-1"));
        archive.read_controls(
            &["bb=2-1".into()],
            "bb=2-1\nbb=2-1\tbb\tdefault_version = '2'\n",
        );
        let archive = again(&archive, &forky);
        let sql =
            |name: &str, version: &str| archive.sql_version(&name.parse().unwrap(), version, name);
        assert_eq!((sql("aa", "1-1"), sql("bb", "2-1")), (Some("1"), Some("2")));
        assert_eq!(archive.versions["18"]["lost"], None, "it was asked for");
        assert!(!archive.versions["18"].contains_key("c"));
        // Another suite has other packages; a file of an older xtask says nothing of its suite.
        let other = again(&archive, &"trixie".parse().unwrap());
        assert!(other.versions.is_empty() && other.controls == DefaultVersions::default());
        for old in [
            r#"{"versions": {"aa": "1-1"}, "controls": {}}"#,
            r#"{"suites": ["forky"], "servers": {"18": "forky"}, "versions": {"aa": "1-1"}}"#,
        ] {
            let known = Archive::remembered(Some(old), [&forky]);
            assert_eq!(known, Archive::remembered(None, [&forky]), "{old}");
        }
    }
}
