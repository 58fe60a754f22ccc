// SPDX-License-Identifier: Apache-2.0
//! What an image says about itself. The names are those of docker/bake.hcl, of CloudNativePG's own images and
//! of the tools that read them: an interface.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::Value;

use super::{ImageRef, Server};
use crate::failure::Failure;

/// The PostgreSQL image that an extension image is for.
pub(crate) const BASE_NAME: &str = "io.cloudnativepg.image.base.name";
/// The Debian suite of that image.
pub(crate) const BASE_OS: &str = "io.cloudnativepg.image.base.os";
/// Its PostgreSQL major.
pub(crate) const BASE_MAJOR: &str = "io.cloudnativepg.image.base.pgmajor";
/// The version of the software in the image. Fact: OCI's image specification, annotations.
pub(crate) const VERSION: &str = "org.opencontainers.image.version";
/// SPDX expressions of what it may be used under.
pub(crate) const LICENSES: &str = "org.opencontainers.image.licenses";
/// The version for `CREATE EXTENSION`.
pub(crate) const SQL_VERSION: &str = "io.cloudnativepg.image.sql.version";

/// The annotations of an index or a manifest, or the labels of an image, which have the same names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Annotations(BTreeMap<String, String>);

impl Annotations {
    /// The texts of a JSON object; of anything else there are none, as images without labels have `null`.
    pub(crate) fn of(value: &Value) -> Self {
        let pairs = value.as_object().into_iter().flatten();
        let texts =
            pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Self(texts.collect())
    }

    /// All of them, by their names.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        self.0.clone().into_iter()
    }

    /// The same, for those that keep nothing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.clone()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// None when it is not there, or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name).map(String::as_str);
        text.filter(|text| !text.is_empty())
    }

    /// One that must be there. `image` is whose it is, for the message.
    pub(crate) fn require(&self, name: &str, image: &impl fmt::Display) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| {
            Failure::invalid(format!("image `{image}` has no annotation `{name}`"))
                .detail("neither its index nor its manifest carries it")
                .hint("bake it with this repository's bake file, which annotates index and manifest, and push it")
        })
    }

    /// The PostgreSQL image that the extension image is for.
    pub(crate) fn base(&self, image: &impl fmt::Display) -> Result<ImageRef, Failure> {
        let text = self.require(BASE_NAME, image)?;
        text.parse().map_err(|wrong: Failure| {
            let what = format!("image `{image}` is annotated wrongly (`{BASE_NAME}`)");
            Failure::invalid(format!("{what}: {}", wrong.message))
        })
    }

    /// The server that the extension image is for.
    pub(crate) fn server(&self, image: &impl fmt::Display) -> Result<Server, Failure> {
        let (distro, major) = (
            self.require(BASE_OS, image)?,
            self.require(BASE_MAJOR, image)?,
        );
        Server::parse(distro, major).ok_or_else(|| {
            Failure::invalid(format!(
                "image `{image}` says that it is for PostgreSQL `{major}` on `{distro}`, which is no Debian suite with a PostgreSQL major"
            ))
        })
    }
}
