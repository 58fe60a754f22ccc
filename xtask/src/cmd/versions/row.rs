// SPDX-License-Identifier: Apache-2.0
//! A pin beside what is newest, for people and as JSON.

mod pull_request;

use serde::Serialize;

pub(super) use self::pull_request::body;

use crate::{
    extension::{Origin, Pin},
    stage::newest::{Compared, Newest, Sizes},
    ui,
    value::{Major, PackageName, Suite},
};

/// What is known of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// It is the newest.
    Current,
    Outdated,
    /// The package is the newest, but `sql` is not what it makes.
    OtherSql,
    /// What was outdated is now the newest in the file.
    Updated,
    /// The base image cannot install a version as new as the pinned one.
    Ahead,
    /// The base image's sources have no such package.
    Absent,
    /// It is a version of what is built from source: no archive of Debian packages has it.
    FromSource,
    /// Of what package it is a version is said nowhere.
    NoPackage,
    /// The metadata has no pin for what is built.
    NoPin,
    /// The question has failed, or was not put.
    NotAsked,
}

impl State {
    pub(super) fn of(
        pin: Option<&Pin>,
        is_asked: bool,
        compared: Option<&Compared>,
        written: bool,
    ) -> Self {
        match (pin, compared) {
            (None, _) => Self::NoPin,
            (Some(pin), None) if pin.origin == Origin::Elsewhere => Self::FromSource,
            (Some(_), None) if !is_asked => Self::NoPackage,
            (Some(_), None) => Self::NotAsked,
            (_, Some(Compared::Outdated(_) | Compared::OtherSql(_))) if written => Self::Updated,
            (_, Some(Compared::Outdated(_))) => Self::Outdated,
            (_, Some(Compared::OtherSql(_))) => Self::OtherSql,
            (_, Some(Compared::Current(_))) => Self::Current,
            (_, Some(Compared::Ahead(_))) => Self::Ahead,
            (_, Some(Compared::Absent)) => Self::Absent,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Outdated => "outdated",
            Self::OtherSql => "other SQL version",
            Self::Updated => "updated",
            Self::Ahead => "ahead of the archive",
            Self::Absent => "not in the archive",
            Self::FromSource => "from source",
            Self::NoPackage => "package not known",
            Self::NoPin => "no pin",
            Self::NotAsked => "not asked",
        }
    }
}

#[derive(Serialize)]
pub(super) struct Pinned {
    pub package: String,
    pub sql: Option<String>,
}

impl Pinned {
    pub(super) fn of(pin: &Pin) -> Self {
        Self {
            package: pin.package.clone(),
            sql: pin.sql.clone(),
        }
    }
}

/// An image's pin beside what is newest.
#[derive(Serialize)]
pub(super) struct Row {
    pub state: State,
    pub name: String,
    pub distro: Suite,
    pub pg_major: Major,
    pub debian_package: Option<PackageName>,
    pub pinned: Option<Pinned>,
    pub newest: Option<Newest>,
    /// The SQL versions by which a database gets from the pinned to the newest, both with them; empty: no scripts lead there.
    /// None: one of the two is not known.
    pub update_path: Option<Vec<String>>,
    /// Of the packages, in bytes.
    pub sizes: Option<Sizes>,
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] =
        &["STATE", "NAME", "PG", "DISTRO", "PINNED", "NEWEST"];

    fn cells(&self) -> Vec<String> {
        let version = |package: &str, sql: Option<&str>| match sql {
            Some(sql) => format!("{package} (SQL {sql})"),
            None => package.to_owned(),
        };
        let none = || "-".to_owned();
        let pinned = self.pinned.as_ref();
        let pinned = pinned.map(|pinned| version(&pinned.package, pinned.sql.as_deref()));
        let newest = self.newest.as_ref();
        let newest = newest.map(|newest| version(&newest.package, newest.sql.as_deref()));
        vec![
            self.state.words().to_owned(),
            self.name.clone(),
            self.pg_major.to_string(),
            self.distro.to_string(),
            pinned.unwrap_or_else(none),
            newest.unwrap_or_else(none),
        ]
    }
}
