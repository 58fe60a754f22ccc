// SPDX-License-Identifier: Apache-2.0
//! What the archive has in place of pinned versions: asked once for each base image.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde::Serialize;

use crate::{
    exec::Exec,
    extension::{Extension, Pin},
    failure::Failure,
    plan::{Cmd, Console, Performed, Work},
    sandbox::default_versions::{self, DefaultVersions, key},
    value::{DebianVersion, SqlVersion},
};

/// Says what is newest of packages.
const NEWEST: &str = include_str!("newest.sh");

/// To be run in a base image, with `package=version` as arguments: says what is newest, and then what the control files of
/// that say.
pub(crate) fn script() -> String {
    format!("{NEWEST}\n{}", default_versions::SCRIPT)
}

/// How long pulling a base image, reading the package index and downloading the packages may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// How the newest version is to the pinned one, by Debian's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Newer,
    Same,
    Older,
}

/// What there is in place of a pin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Newest {
    pub package: DebianVersion,
    /// What its control file says. None: nothing is created, or no control file says it.
    pub sql: Option<SqlVersion>,
}

/// What has come of comparing a pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// The archive has no such package.
    Absent,
    Current(Newest),
    /// The package is the newest, and makes another SQL version than the pinned one.
    OtherSql(Newest),
    Outdated(Newest),
    /// The pin is newer than what the archive has.
    Ahead(Newest),
}

impl Compared {
    pub(crate) fn newest(&self) -> Option<&Newest> {
        match self {
            Self::Absent => None,
            Self::Current(newest)
            | Self::OtherSql(newest)
            | Self::Outdated(newest)
            | Self::Ahead(newest) => Some(newest),
        }
    }

    /// What the pin is to be replaced by.
    pub(crate) fn replacement(&self) -> Option<&Newest> {
        match self {
            Self::OtherSql(newest) | Self::Outdated(newest) => Some(newest),
            Self::Absent | Self::Current(_) | Self::Ahead(_) => None,
        }
    }
}

/// What a base image's archive has said of the pins that were asked for.
#[derive(Debug, Default)]
struct Said {
    /// `package=version` of a pin -> the newest.
    newest: BTreeMap<String, (String, Order)>,
    /// What the newest make.
    sql: DefaultVersions,
}

impl Said {
    /// Takes what [`script`] has printed. Lines that are none are left out.
    fn parse(asked: &[String], printed: &str) -> Self {
        let mut newest = BTreeMap::new();
        let mut packages = BTreeSet::new();
        for line in printed.lines() {
            let mut parts = line.split('\t');
            let (Some(pin), Some(version), Some(order), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let order = match order {
                "newer" => Order::Newer,
                "same" => Order::Same,
                "older" => Order::Older,
                _ => continue,
            };
            if asked.iter().any(|one| one == pin) && DebianVersion::is(version) {
                let package = pin.split_once('=').map_or(pin, |(package, _)| package);
                packages.insert(format!("{package}={version}"));
                newest.insert(pin.to_owned(), (version.to_owned(), order));
            }
        }
        let packages: Vec<String> = packages.into_iter().collect();
        let mut sql = DefaultVersions::default();
        sql.take(&packages, printed);
        Self { newest, sql }
    }

    fn compared(&self, extension: &Extension, pin: &Pin) -> Compared {
        let name = pin.package_name.as_ref();
        let found = name.and_then(|name| Some((name, self.newest.get(&asked(pin)?)?)));
        let Some((name, (version, order))) = found else {
            return Compared::Absent;
        };
        let Ok(package) = version.parse() else {
            return Compared::Absent;
        };
        let sql = self
            .sql
            .sql_version(&key(name, version), &extension.sql_name)
            .filter(|_| extension.create_extension)
            .and_then(|sql| sql.parse().ok());
        let newest = Newest { package, sql };
        let says_other = match (&pin.sql, &newest.sql) {
            (Some(pinned), Some(now)) => **pinned != **now,
            _ => false,
        };
        match order {
            Order::Newer => Compared::Outdated(newest),
            Order::Older => Compared::Ahead(newest),
            Order::Same if says_other => Compared::OtherSql(newest),
            Order::Same => Compared::Current(newest),
        }
    }
}

/// What is asked of a pin. None: it is not known of which package it is a version.
pub(crate) fn asked(pin: &Pin) -> Option<String> {
    let name = pin.package_name.as_ref()?;
    Some(format!("{name}={}", pin.package))
}

/// Where a question leaves its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer(Arc<OnceLock<Said>>);

impl Answer {
    /// None: there is no answer.
    pub(crate) fn compared(&self, extension: &Extension, pin: &Pin) -> Option<Compared> {
        self.0.get().map(|said| said.compared(extension, pin))
    }
}

/// Asks in one base image.
#[derive(Debug)]
pub(crate) struct Ask {
    pub read: Cmd,
    /// `package=version`, which are arguments of the command.
    pub asked: Vec<String>,
    pub answer: Answer,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.read)
    }
}

impl Work for Ask {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let printed = exec.read(&self.read, Some(PATIENCE))?;
        let said = self
            .answer
            .0
            .get_or_init(|| Said::parse(&self.asked, &printed));
        let (found, all) = (said.newest.len(), self.asked.len());
        Ok(Performed::Done(Some(format!(
            "the archive has {found} of {all} packages"
        ))))
    }
}
