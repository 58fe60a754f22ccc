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
    let parameters = mounts.parameters().iter();
    options.extend(parameters.map(|(name, value)| format!("{name}={value}")));
    options
        .into_iter()
        .flat_map(|option| ["-c".to_owned(), option])
        .collect()
}

/// What our script is told.
pub(super) fn environment(test: &SmokeTest) -> [(&'static str, String); 5] {
    let joined = |folders| test.mounts.folders(folders).join(":");
    [
        ("XTASK_EXTENSION", test.mounts.own().extension.name.clone()),
        ("XTASK_CREATE", create_sql(&test.mounts)),
        ("XTASK_SILENT", test.silent().to_owned()),
        ("XTASK_LIBRARY_PATH", joined(Folders::Linker)),
        ("XTASK_BIN_PATH", joined(Folders::Programs)),
    ]
}

/// The metadata's own variables, `NAME=value`. CNPG injects them into the PostgreSQL process (the reference of its
/// `Cluster`, `extensions[].env`), so they are for the server alone, never for docker or our script.
pub(super) fn variables(mounts: &Mounts<Source>) -> impl Iterator<Item = String> + '_ {
    let pairs = mounts.variables();
    pairs.map(|(name, value)| format!("{name}={value}"))
}

/// Creates what is created, what is needed first, and checks the version; loads what is not created.
fn create_sql(mounts: &Mounts<Source>) -> String {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let identifier = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut sql = String::new();
    for mounted in mounts.in_creation_order() {
        let name = &mounted.extension.sql_name;
        if !mounted.extension.create_extension {
            sql += &format!("LOAD {};\n", literal(name));
            continue;
        }
        let version = mounted
            .source
            .sql_version
            .as_deref()
            .map(|version| format!(" VERSION {}", literal(version)))
            .unwrap_or_default();
        sql += &format!(
            "CREATE EXTENSION IF NOT EXISTS {}{version};\n",
            identifier(name)
        );
        if let Some(version) = &mounted.source.sql_version {
            sql += &format!(
                "DO $check$ DECLARE found text := (SELECT extversion FROM pg_extension WHERE extname = {name});\n\
                 BEGIN IF found IS DISTINCT FROM {version} THEN\n\
                 RAISE EXCEPTION 'extension % has version %, not %', {name}, found, {version}; END IF; END $check$;\n",
                name = literal(name),
                version = literal(version),
            );
        }
    }
    sql
}
