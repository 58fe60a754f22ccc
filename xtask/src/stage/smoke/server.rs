// SPDX-License-Identifier: Apache-2.0
//! What a test's server is told: its options, its variables and the statements before the proof.

use super::{SmokeTest, Source};
use crate::mount::{Folders, Mounts};

/// The server's options, as CNPG sets them.
pub(super) fn options(mounts: &Mounts<Source>) -> Vec<String> {
    let joined = |first: &str, folders: Folders| {
        let all = std::iter::once(first.to_owned()).chain(mounts.folders(folders));
        format!("{}={}", folders.field(), all.collect::<Vec<_>>().join(":"))
    };
    let mut options = vec![
        joined("$system", Folders::Control),
        joined("$libdir", Folders::Library),
    ];
    let preload = mounts.preload();
    if !preload.is_empty() {
        options.push(format!("shared_preload_libraries={}", preload.join(",")));
    }
    let parameters = mounts.parameters().into_iter();
    options.extend(parameters.map(|(name, value)| format!("{name}={value}")));
    options
        .into_iter()
        .flat_map(|option| ["-c".to_owned(), option])
        .collect()
}

/// What our script is told.
pub(super) fn environment(test: &SmokeTest) -> [(&'static str, String); 7] {
    let own = &test.mounts.own().extension;
    [
        ("XTASK_EXTENSION", own.name.clone()),
        ("XTASK_NAME", own.sql_name.clone()),
        ("XTASK_LOAD", load_sql(&test.mounts)),
        ("XTASK_WANTED", wanted_sql(&test.mounts)),
        ("XTASK_SILENT", test.silent().to_owned()),
        ("XTASK_LIBRARY_PATH", library_path(&test.mounts)),
        (
            "XTASK_BIN_PATH",
            test.mounts.folders(Folders::Programs).join(":"),
        ),
    ]
}

/// Where the dynamic linker looks first.
pub(super) fn library_path(mounts: &Mounts<Source>) -> String {
    mounts.folders(Folders::Linker).join(":")
}

/// The metadata's own variables, `NAME=value`. CNPG injects them into the PostgreSQL process (the reference of its
/// `Cluster`, `extensions[].env`), so they are for the server alone, never for docker or our script.
pub(super) fn variables(mounts: &Mounts<Source>) -> impl Iterator<Item = String> + '_ {
    let pairs = mounts.variables();
    pairs.map(|(name, value)| format!("{name}={value}"))
}

/// Loads what is not created.
pub(super) fn load_sql(mounts: &Mounts<Source>) -> String {
    let modules = mounts.in_creation_order().into_iter();
    let modules = modules.filter(|one| !one.extension.create_extension);
    let loads = modules.map(|one| format!("LOAD {};\n", literal(&one.extension.sql_name)));
    loads.collect()
}

/// What is created, as rows of SQL: place, name, version, schema, and the names that it needs. The server's own view of
/// control files says what else they require, and in which order.
pub(super) fn wanted_sql(mounts: &Mounts<Source>) -> String {
    let wanted = mounts.wanted(|one| one.source.sql_version.as_deref());
    let or_null = |text: Option<&str>| text.map_or_else(|| "NULL".to_owned(), literal);
    let rows = wanted.iter().enumerate().map(|(place, one)| {
        let needs: Vec<String> = one.needs.iter().map(|name| literal(name)).collect();
        format!(
            "({place}, {}, {}::text, {}::text, ARRAY[{}]::text[])",
            literal(one.name),
            or_null(one.version),
            or_null(one.schema),
            needs.join(", ")
        )
    });
    rows.collect::<Vec<_>>().join(", ")
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
