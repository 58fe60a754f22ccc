// SPDX-License-Identifier: Apache-2.0
//! The values of one extension image, as the Chainsaw suites read them. The names in here are an
//! interface: add to them, never rename.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value, json};

use super::{Location, shell};
use crate::{
    extension::{Extension, creation_order},
    failure::Failure,
    image::{
        Annotations, ClusterRef, Image, Naming,
        annotations::{BASE_MAJOR, BASE_OS, SQL_VERSION},
    },
};

/// What to write, where to, and of which images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Values {
    pub extension: Arc<Extension>,
    pub image: Image,
    /// What the image is replaced by, in the upgrade suite.
    pub newer: Option<Image>,
    /// In mounting order.
    pub needed: Vec<Needed>,
    pub naming: Naming,
    /// With psql, for the suites' jobs. None: the PostgreSQL image itself.
    pub psql_image: Option<String>,
    /// The nodes' platform, `linux/amd64`: an image without it would be mounted all the same.
    pub platform: String,
    pub output: Location,
}

/// An extension that the tested one needs, and where its image may be; the first that exists is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    pub extension: Arc<Extension>,
    pub images: Vec<Image>,
}

/// An extension with its image as the cluster will pull it.
#[derive(Clone, Debug)]
pub(crate) struct Mounted<'a> {
    pub extension: &'a Extension,
    pub reference: ClusterRef,
    pub annotations: Annotations,
}

impl Values {
    /// The document for an upgrade: that of the older image, with what changes below `upgrade`.
    pub(crate) fn upgrade(
        &self,
        older: &[Mounted<'_>],
        newer: &[Mounted<'_>],
    ) -> Result<Value, Failure> {
        for name in [BASE_MAJOR, BASE_OS] {
            let (from, to) = (older[0].annotation(name)?, newer[0].annotation(name)?);
            if from != to {
                return Err(Failure::invalid(format!(
                    "the images are for different servers: `{name}` is {from} and {to}"
                ))
                .hint("an upgrade of the extension keeps PostgreSQL and its distribution"));
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

    /// The document for the extension under test, which comes first, and what it needs.
    pub(crate) fn document(&self, mounted: &[Mounted<'_>]) -> Result<Value, Failure> {
        let own = &mounted[0];
        let extension = own.extension;
        let pg_image = own.annotations.base(&own.reference)?;
        let pg_image = self.naming.in_cluster(&pg_image).to_string();
        let version = own.sql_version()?;
        // One order for what is asked and for what is expected: with what is needed behind what needs it, the
        // operator would fail once and try again.
        let created: Vec<&Mounted<'_>> = creation_order(mounted, |mounted| mounted.extension)
            .into_iter()
            .filter(|mounted| mounted.extension.create_extension)
            .collect();
        let specs: Vec<Value> = created
            .iter()
            .map(|mounted| {
                Ok(json!({
                    "ensure": "present",
                    "name": mounted.extension.sql_name,
                    "version": mounted.sql_version()?,
                }))
            })
            .collect::<Result<_, Failure>>()?;
        let status: Vec<Value> = created
            .iter()
            .map(|mounted| json!({"applied": true, "name": mounted.extension.sql_name}))
            .collect();
        let mut config = Map::new();
        let mut assert = Map::from_iter([
            ("applied".to_owned(), json!(true)),
            ("observedGeneration".to_owned(), json!(1)),
        ]);
        // An empty list would change the Database once more, and a null would have to be there.
        if !specs.is_empty() {
            config.insert("extensions_spec".into(), specs.into());
            assert.insert("extensions".into(), status.into());
        }
        let mut preload: Vec<&String> = Vec::new();
        for library in mounted
            .iter()
            .flat_map(|mounted| &mounted.extension.shared_preload_libraries)
        {
            if !preload.contains(&library) {
                preload.push(library);
            }
        }
        let mut document = Map::new();
        let mut put = |name: &str, value: Value| document.insert(name.into(), value);
        put("name", json!(extension.name));
        put("sql_name", json!(extension.sql_name));
        put("shared_preload_libraries", json!(preload));
        put(
            "postgresql_parameters",
            json!(extension.postgresql_parameters),
        );
        put("pg_image", json!(pg_image));
        put(
            "psql_image",
            json!(self.psql_image.as_ref().unwrap_or(&pg_image)),
        );
        if let Some(version) = version {
            put("version", json!(version));
        }
        put("create_extension", json!(extension.create_extension));
        put("extensions", mounted.iter().map(Mounted::entry).collect());
        put("database_config", config.into());
        put("database_assert_status", assert.into());
        Ok(document.into())
    }
}

/// Prints as the command that writes the same file.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cargo xtask e2e generate-values {} --extension-image {} --output {}",
            shell::word(&self.extension.name),
            shell::word(self.image.reference().to_string()),
            shell::operand(&self.output)
        )?;
        match &self.newer {
            Some(newer) => write!(
                f,
                " --upgrade-to {}",
                shell::word(newer.reference().to_string())
            ),
            None => Ok(()),
        }
    }
}

impl Mounted<'_> {
    fn annotation(&self, name: &str) -> Result<&str, Failure> {
        self.annotations.require(name, &self.reference)
    }

    /// The version to create; None for a module that is not created.
    fn sql_version(&self) -> Result<Option<&str>, Failure> {
        if !self.extension.create_extension {
            return Ok(None);
        }
        self.annotation(SQL_VERSION).map(Some)
    }

    /// The entry of a Cluster's `extensions` list.
    fn entry(&self) -> Value {
        let extension = self.extension;
        let mut entry = Map::new();
        entry.insert("name".into(), json!(extension.name));
        entry.insert(
            "image".into(),
            json!({"reference": self.reference.to_string()}),
        );
        for (name, paths) in [
            ("extension_control_path", &extension.extension_control_path),
            ("dynamic_library_path", &extension.dynamic_library_path),
            ("ld_library_path", &extension.ld_library_path),
            ("bin_path", &extension.bin_path),
        ] {
            if !paths.is_empty() {
                entry.insert(name.into(), json!(paths));
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
}
