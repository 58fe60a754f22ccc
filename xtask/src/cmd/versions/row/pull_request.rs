// SPDX-License-Identifier: Apache-2.0
//! The text of a pull request that brings newer versions: which packages, how large they are, and what becomes of databases
//! that have the older SQL version.

use super::{Row, State};
use crate::{
    stage::newest::Size,
    ui::{Report, Table, bytes},
};

/// What has changed, and what would; nothing where all pins are the newest.
pub(in crate::cmd::versions) fn body(rows: &[Row]) -> Report {
    let of = |states: &'static [State]| rows.iter().filter(|row| states.contains(&row.state));
    let written = || of(&[State::Updated]);
    let behind = || of(&[State::Outdated, State::OtherSql]);
    let (newer, databases) = ("Newer packages", "SQL versions");
    let (of_these, in_these) = match written().next() {
        Some(_) => ("Not written", "SQL versions of what is not written"),
        None => (newer, databases),
    };
    Report::default()
        .and(newer, packages(written()))
        .and(databases, sql_versions(written()))
        .and(of_these, packages(behind()))
        .and(in_these, sql_versions(behind()))
}

fn packages<'a>(rows: impl Iterator<Item = &'a Row>) -> Table {
    let cells = rows.filter_map(|row| {
        let (pinned, newest) = (row.pinned.as_ref()?, row.newest.as_ref()?);
        let sizes = row.sizes.unwrap_or_default();
        let size = |of: fn(&Size) -> u64| {
            let shown =
                |size: Option<Size>| size.as_ref().map_or_else(none, |size| bytes(of(size)));
            change(&shown(sizes.pinned), &shown(sizes.newest))
        };
        let [name, pg, distro] = image(row);
        Some(vec![
            name,
            pg,
            distro,
            change(&pinned.package, &newest.package),
            size(|size| size.installed),
            size(|size| size.download),
        ])
    });
    Table {
        headings: vec![
            "EXTENSION",
            "PG",
            "DISTRO",
            "PACKAGE",
            "INSTALLED",
            "DOWNLOAD",
        ],
        rows: cells.collect(),
    }
}

fn sql_versions<'a>(rows: impl Iterator<Item = &'a Row>) -> Table {
    let cells = rows.filter_map(|row| {
        let pinned = row.pinned.as_ref()?.sql.as_deref()?;
        let newest = row.newest.as_ref()?.sql.as_ref();
        let newest = newest.map_or_else(|| "not known".to_owned(), ToString::to_string);
        let [name, pg, distro] = image(row);
        let path = way(pinned, row.update_path.as_deref());
        Some(vec![name, pg, distro, change(pinned, &newest), path])
    });
    Table {
        headings: vec![
            "EXTENSION",
            "PG",
            "DISTRO",
            "SQL VERSION",
            "ALTER EXTENSION … UPDATE",
        ],
        rows: cells.collect(),
    }
}

fn image(row: &Row) -> [String; 3] {
    [
        row.name.clone(),
        row.pg_major.to_string(),
        row.distro.to_string(),
    ]
}

fn none() -> String {
    "-".to_owned()
}

fn change(from: &str, to: &str) -> String {
    if from == to {
        to.to_owned()
    } else {
        format!("{from} → {to}")
    }
}

/// What a database that has the pinned version can do.
fn way(pinned: &str, path: Option<&[String]>) -> String {
    match path {
        None => "not known".to_owned(),
        Some([]) => format!("no script leads there, so a database stays at {pinned}"),
        Some([_]) => "not needed".to_owned(),
        Some([_, _]) => "1 script".to_owned(),
        Some(path) => format!("{} ({} scripts)", path.join(" → "), path.len() - 1),
    }
}
