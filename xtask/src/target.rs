// SPDX-License-Identifier: Apache-2.0
//! What is built, and what each image needs: extension × server, exactly the pairs that the metadata names.
//! Resolved once for a command, and the only place that knows how bake names things.

mod filter;
mod needs;

use std::sync::Arc;

pub(crate) use filter::Filter;
pub use filter::Shard;
pub(crate) use needs::{Targets, needs_of};

use crate::{
    config::{self, Config, Purpose},
    extension::{Extension, Pin, version_of},
    failure::Failure,
    image::{ImageRef, Rotation},
    value::Server,
};

/// What bake builds an image for unless it is told otherwise: `platforms` of the bake file.
pub(crate) const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// One image to build: what bake calls a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub extension: Arc<Extension>,
    pub server: Server,
    /// The full Debian version.
    pub package: String,
    pub sql_version: Option<String>,
    /// The version in names and tags: `0.8.6`.
    pub version: String,
    /// Bake's name for it: `pgvector-0_8_6-18-trixie`.
    pub name: String,
    /// The rolling tag with its repository.
    pub tag: ImageRef,
    /// The base image it is built for and runs in.
    pub base: ImageRef,
}

impl Target {
    /// None when the extension is not built for the server.
    fn for_server(
        extension: &Arc<Extension>,
        server: &Server,
        config: &Config,
    ) -> Result<Option<Self>, Failure> {
        match extension.pin(server) {
            Some(pin) => Self::new(extension, server, pin, config),
            None => Ok(None),
        }
    }

    /// None when the pinned package has no version to name an image after.
    fn new(
        extension: &Arc<Extension>,
        server: &Server,
        pin: &Pin,
        config: &Config,
    ) -> Result<Option<Self>, Failure> {
        let Some(version) = version_of(&pin.package) else {
            return Ok(None);
        };
        let suffix = match config.get(config::ENVIRONMENT) {
            Purpose::Testing => "-testing",
            Purpose::Production => "",
        };
        let safe = |c: char| match c {
            '-' | '_' => c,
            c if c.is_ascii_alphanumeric() => c,
            _ => '_',
        };
        let version_in_name: String = version.chars().map(safe).collect();
        let repository = format!(
            "{}/{}{suffix}",
            config.get(config::REGISTRY),
            extension.image_name
        );
        Ok(Some(Self {
            extension: Arc::clone(extension),
            server: server.clone(),
            package: pin.package.clone(),
            sql_version: pin.sql.clone(),
            name: format!("{}-{version_in_name}-{server}", extension.name),
            tag: format!("{}:{version}-{server}", repository.to_lowercase()).parse()?,
            base: base_of(server, config)?,
            version,
        }))
    }

    /// The timestamped tags of this image, of which bakes leave one behind each.
    pub(crate) fn rotation(&self) -> Rotation {
        Rotation {
            repository: self.tag.repository.clone(),
            prefix: format!("{}-", self.version),
            suffix: format!("-{}", self.server),
        }
    }

    /// The same image where released ones are: below the setting `images.published`.
    pub(crate) fn published(&self, config: &Config) -> Result<ImageRef, Failure> {
        let registry = config.get(config::PUBLISHED);
        let (name, version) = (&self.extension.image_name, &self.version);
        format!("{registry}/{name}:{version}-{}", self.server).parse()
    }

    /// As people tell images apart: `pgvector 18-trixie`.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.extension.name, self.server)
    }
}

/// The PostgreSQL image that images for a server are built for and run in.
pub(crate) fn base_of(server: &Server, config: &Config) -> Result<ImageRef, Failure> {
    let pattern = config.get(config::BASE_IMAGE);
    pattern
        .replace("{pg}", &server.major)
        .replace("{distro}", &server.distro)
        .parse()
}

#[cfg(test)]
mod tests;
