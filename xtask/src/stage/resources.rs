// SPDX-License-Identifier: Apache-2.0
//! What a `Cluster` and a `Database` say of extensions: for the suites' values, and for whoever applies them.
//!
//! Facts: <https://cloudnative-pg.io/documentation/current/imagevolume_extensions/> and, which release knows which field,
//! `api/v1/cluster_types.go` at the tags of <https://github.com/cloudnative-pg/cloudnative-pg>.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{
    extension::Extension,
    failure::Failure,
    mount::{Folders, Wanted},
    value::{ObjectName, Server, Suite},
};

/// The first release of the operator that mounts images of extensions, and the first one that knows `bin_path` and `env`.
const MOUNTS: &str = "1.27";
const PROGRAMS_AND_VARIABLES: &str = "1.28.2";

/// The first release whose catalogs have extensions. Fact: `docs/src/image_catalog.md` of the operator.
pub(crate) const CATALOGS: &str = "1.29";

/// The group and version of all of the operator's objects.
pub(crate) const API_VERSION: &str = "postgresql.cnpg.io/v1";

/// What the operator's own catalogs of minimal images are called, each with its distro behind it.
const CATALOG: &str = "postgresql-minimal-";

/// The name of the catalog for a distro.
pub(crate) fn catalog_name(distro: &Suite) -> Result<ObjectName, Failure> {
    let name = format!("{CATALOG}{distro}");
    name.parse().map_err(|wanted| {
        Failure::invalid(format!(
            "the catalog `{name}` cannot be called so: it must be {wanted}"
        ))
    })
}

/// What a `Cluster` says of the catalog that it takes its images from.
pub(crate) fn catalog_reference(name: &ObjectName, server: &Server) -> Value {
    json!({
        "apiGroup": "postgresql.cnpg.io",
        "kind": "ClusterImageCatalog",
        "name": name,
        "major": server.major.number(),
    })
}

/// The entry of a `Cluster`'s `extensions` list for an extension whose image has that reference.
pub(crate) fn mounted(extension: &Extension, reference: &str) -> Value {
    let mut entry = Map::new();
    entry.insert("name".into(), json!(extension.name));
    entry.insert("image".into(), json!({"reference": reference}));
    for folders in Folders::ALL {
        let named = folders.named(extension);
        if !named.is_empty() {
            entry.insert(folders.field().into(), json!(named));
        }
    }
    if !extension.env.is_empty() {
        let pairs = extension.env.iter();
        let pairs: Vec<Value> = pairs
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        entry.insert("env".into(), pairs.into());
    }
    entry.into()
}

/// The fields that [`mounted`] knows.
pub(crate) fn mounted_fields() -> Vec<&'static str> {
    let folders = Folders::ALL.map(Folders::field);
    ["name", "image", "env"]
        .into_iter()
        .chain(folders)
        .collect()
}

/// The first release of the operator that takes such entries for all of these.
pub(crate) fn least_release<'a>(
    extensions: impl IntoIterator<Item = &'a Extension>,
) -> &'static str {
    let needs_more = |one: &Extension| !one.env.is_empty() || !one.bin_path.is_empty();
    if extensions.into_iter().any(needs_more) {
        PROGRAMS_AND_VARIABLES
    } else {
        MOUNTS
    }
}

/// What a `Database` is asked for. With the version where that is known, or an upgrade would leave it as it is.
pub(crate) fn created(one: &Wanted<'_>, version: Option<&str>) -> Value {
    let mut spec = Map::from_iter([
        ("ensure".to_owned(), json!("present")),
        ("name".to_owned(), json!(one.name)),
    ]);
    for (field, text) in [("version", version), ("schema", one.schema)] {
        spec.extend(text.map(|text| (field.to_owned(), json!(text))));
    }
    spec.into()
}

/// The schemas that must be made for what is created.
pub(crate) fn schemas<'a>(created: &[Wanted<'a>]) -> BTreeSet<&'a str> {
    let schemas = created.iter().filter_map(|one| one.schema);
    schemas.filter(|name| !is_always_there(name)).collect()
}

/// What a `Database` is asked for, of a schema.
pub(crate) fn schema(name: &str) -> Value {
    json!({"ensure": "present", "name": name, "owner": "app"})
}

/// Schemas of every database, which are not to be given to the application's user.
fn is_always_there(schema: &str) -> bool {
    ["public", "information_schema"].contains(&schema) || schema.starts_with("pg_")
}
