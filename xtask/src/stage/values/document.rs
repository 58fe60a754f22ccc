// SPDX-License-Identifier: Apache-2.0
//! The values as a document. The names in here are an interface that the Chainsaw suites read: add to them,
//! never rename.

use serde_json::{Map, Value, json};

use super::{Values, controls};
use crate::{
    failure::Failure,
    image::{
        Annotations, ClusterRef, Controls, ImageRef,
        annotations::{BASE_MAJOR, BASE_OS, SQL_VERSION},
    },
    mount::{Mounted, Mounts, Wanted, in_order},
    stage::resources,
};

/// One image of the mounted ones: as the cluster will pull it, with what it says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub reference: ClusterRef,
    /// The same image as this machine reads it.
    pub described: ImageRef,
    pub annotations: Annotations,
}

impl Source {
    fn annotation(&self, name: &str) -> Result<&str, Failure> {
        self.annotations.require(name, &self.reference)
    }
}

/// The images of one server, and what their control files say.
pub(crate) struct Asked {
    pub mounts: Mounts<Source>,
    pub controls: Controls,
}

impl Asked {
    /// The version of an image's own extension that is created: the one that the image says, or else its control file.
    /// None for a module that is not created.
    fn sql_version<'a>(&'a self, one: &'a Mounted<Source>) -> Result<Option<&'a str>, Failure> {
        if !one.extension.create_extension {
            return Ok(None);
        }
        let said = one.source.annotations.get(SQL_VERSION);
        let said = said.or_else(|| self.controls.default_version(&one.extension.sql_name));
        said.map_or_else(|| one.source.annotation(SQL_VERSION), Ok)
            .map(Some)
    }
}

impl Values {
    /// The document for an upgrade: that of the older image, with what changes below `upgrade`.
    pub(crate) fn upgrade(&self, older: &Asked, newer: &Asked) -> Result<Value, Failure> {
        for name in [BASE_MAJOR, BASE_OS] {
            let (from, to) = (&older.mounts.own().source, &newer.mounts.own().source);
            let (from, to) = (from.annotation(name)?, to.annotation(name)?);
            if from != to {
                return Err(Failure::invalid(format!(
                    "the images are for different servers: `{name}` is {from} and {to}"
                ))
                .hint("an upgrade of the extension keeps PostgreSQL's major and its distro"));
            }
        }
        let mut document = self.document(older)?;
        let mut changed = self.document(newer)?;
        let mut upgrade = Map::new();
        for name in ["pg_image", "version", "extensions"] {
            if let Some(value) = changed.get_mut(name) {
                upgrade.insert(name.into(), value.take());
            }
        }
        if let Some(specs) = changed.pointer_mut("/database_config/extensions_spec") {
            upgrade.insert("extensions_spec".into(), specs.take());
        }
        document["upgrade"] = upgrade.into();
        Ok(document)
    }

    /// The document for the extension under test and what it needs.
    pub(crate) fn document(&self, asked: &Asked) -> Result<Value, Failure> {
        let Asked { mounts, controls } = asked;
        let own = mounts.own();
        let extension = &own.extension;
        let pg_image = own.source.annotations.base(&own.source.reference)?;
        let pg_image = self.naming.in_cluster(&pg_image).to_string();
        // Suites name it whether or not there is one, and Chainsaw ends at a name that is not there.
        let version = asked.sql_version(own)?.unwrap_or_default();
        let mut config = Map::new();
        let mut assert = Map::from_iter([
            ("applied".to_owned(), json!(true)),
            ("observedGeneration".to_owned(), json!(1)),
        ]);
        // One order for what is asked and for what is expected. An empty list would change the Database once
        // more, and a null would have to be there.
        for one in mounts.iter() {
            asked.sql_version(one)?;
        }
        let wanted = mounts.wanted(|one| asked.sql_version(one).ok().flatten());
        let created = in_order(&wanted, |one| {
            controls::required(controls, one.name, one.version)
        });
        let schemas = resources::schemas(&created);
        if !created.is_empty() {
            config.insert(
                "extensions_spec".into(),
                created.iter().map(|one| asked_for(one, controls)).collect(),
            );
            assert.insert(
                "extensions".into(),
                applied(created.iter().map(|one| one.name)),
            );
        }
        if !schemas.is_empty() {
            let specs = schemas.iter().map(|name| resources::schema(name));
            config.insert("schemas_spec".into(), specs.collect());
            assert.insert("schemas".into(), applied(schemas));
        }
        let psql_image = self.psql_image.as_ref().unwrap_or(&pg_image);
        let mut document = Map::new();
        let mut put = |name: &str, value: Value| document.insert(name.into(), value);
        put("name", json!(extension.name));
        put("sql_name", json!(extension.sql_name));
        put("shared_preload_libraries", json!(mounts.preload()));
        put("postgresql_parameters", json!(mounts.parameters()));
        put("pg_image", json!(pg_image));
        put("psql_image", json!(psql_image));
        put("version", json!(version));
        put("create_extension", json!(extension.create_extension));
        put("extensions", mounts.iter().map(mounted).collect());
        put("database_config", config.into());
        put("database_assert_status", assert.into());
        Ok(document.into())
    }
}

/// What a `Database` is asked for, in the version that the metadata or else the control file says.
fn asked_for(one: &Wanted<'_>, controls: &Controls) -> Value {
    resources::created(
        one,
        one.version.or_else(|| controls.default_version(one.name)),
    )
}

/// The entry of a `Cluster`'s `extensions` list.
fn mounted(one: &Mounted<Source>) -> Value {
    resources::mounted(&one.extension, &one.source.reference.to_string())
}

/// What its status must then say.
fn applied<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let names = names.into_iter();
    names
        .map(|name| json!({"applied": true, "name": name}))
        .collect()
}
