// SPDX-License-Identifier: Apache-2.0
//! What the script prints that asks a base image's archive.

use std::collections::{BTreeMap, BTreeSet};

use super::{Compared, Newest, Size, Sizes, asked};
use crate::{
    extension::{Extension, Pin},
    image::{Update, update_path},
    sandbox::default_versions::{DefaultVersions, key},
    value::{DebianVersion, SqlVersion},
};

/// How the newest version is to the pinned one, by Debian's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Newer,
    Same,
    Older,
}

/// What a base image's archive has said of the pins that were asked for.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// `package=version` of a pin -> the newest.
    newest: BTreeMap<String, (String, Order)>,
    /// What the newest make.
    sql: DefaultVersions,
    /// `package=version` -> how large it is, where the archive has it.
    sizes: BTreeMap<String, Size>,
    /// `package=version` of the newest, and the extension's name in a control file -> its update scripts.
    updates: BTreeMap<(String, String), Vec<Update>>,
}

impl Said {
    /// Takes what [`script`](super::script) has printed. Lines that are none are left out.
    pub(super) fn parse(asked: &[String], printed: &str) -> Self {
        let mut said = Self::default();
        for line in printed.lines() {
            let parts: Vec<&str> = line.split('\t').collect();
            match parts[..] {
                [package, "size", installed, download] => {
                    said.take_size(package, installed, download);
                }
                [package, extension, script] if script.starts_with("script ") => {
                    said.take_script(package, extension, script);
                }
                [pin, version, order] if asked.iter().any(|one| one == pin) => {
                    said.take_newest(pin, version, order);
                }
                _ => {}
            }
        }
        let newest = said.newest.iter();
        let newest = newest.map(|(pin, (version, _))| {
            let package = pin.split_once('=').map_or(&**pin, |(package, _)| package);
            format!("{package}={version}")
        });
        let newest: BTreeSet<String> = newest.collect();
        let newest: Vec<String> = newest.into_iter().collect();
        said.sql.take(&newest, printed);
        said
    }

    /// Of how many pins the archive has the package.
    pub(super) fn count(&self) -> usize {
        self.newest.len()
    }

    fn take_newest(&mut self, pin: &str, version: &str, order: &str) {
        let order = match order {
            "newer" => Order::Newer,
            "same" => Order::Same,
            "older" => Order::Older,
            _ => return,
        };
        if DebianVersion::is(version) {
            self.newest
                .insert(pin.to_owned(), (version.to_owned(), order));
        }
    }

    fn take_size(&mut self, package: &str, installed: &str, download: &str) {
        if let (Ok(kibibytes), Ok(download)) = (installed.parse::<u64>(), download.parse()) {
            let size = Size {
                installed: kibibytes.saturating_mul(1024),
                download,
            };
            self.sizes.insert(package.to_owned(), size);
        }
    }

    fn take_script(&mut self, package: &str, extension: &str, script: &str) {
        let versions = script.strip_prefix("script ");
        let update = versions.and_then(|versions| versions.split_once("--"));
        // One of a single version makes it from nothing.
        let Some((from, to)) = update.filter(|(_, to)| !to.contains("--")) else {
            return;
        };
        let key = (package.to_owned(), extension.to_owned());
        self.updates.entry(key).or_default().push(Update {
            from: from.to_owned(),
            to: to.to_owned(),
        });
    }

    pub(super) fn compared(&self, extension: &Extension, pin: &Pin) -> Compared {
        let Some((order, newest)) = self.newest(extension, pin) else {
            return Compared::Absent;
        };
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

    fn newest(&self, extension: &Extension, pin: &Pin) -> Option<(Order, Newest)> {
        let pinned = asked(pin)?;
        let (version, order) = self.newest.get(&pinned)?;
        let package = key(pin.package_name()?, version);
        let sql = self.sql.sql_version(&package, &extension.sql_name);
        let sql: Option<SqlVersion> = sql
            .filter(|_| extension.create_extension)
            .and_then(|sql| sql.parse().ok());
        let update_path = pin.sql.as_ref().zip(sql.as_ref()).map(|(from, to)| {
            let control = self.sql.control_name(&package, &extension.sql_name);
            let key = control.map(|name| (package.clone(), name.to_owned()));
            let updates = key.and_then(|key| self.updates.get(&key));
            update_path(updates.map_or(&[], Vec::as_slice), from, to)
        });
        let newest = Newest {
            package: version.parse().ok()?,
            sql,
            update_path,
            sizes: Sizes {
                pinned: self.sizes.get(&pinned).copied(),
                newest: self.sizes.get(&package).copied(),
            },
        };
        Some((*order, newest))
    }
}
