// SPDX-License-Identifier: Apache-2.0
//! What is built, and what each image needs. Bake says what it builds ([`Definitions`]), and where it cannot be asked, a model
//! of this repository's own bake file does. Resolved once for a command.

mod definition;
mod definitions;
mod filter;
mod inputs;
mod matrix;
mod model;
mod moment;
mod needs;
mod pairs;
mod passing;
mod place;
mod reach;
mod rebase;
mod recipe;
mod shard;

use std::sync::Arc;

pub(crate) use definition::Definition;
pub(crate) use definitions::{Definitions, timeless};
pub(crate) use filter::{Filter, Unmatched};
pub(crate) use inputs::{Expressions, Inputs, is_read};
pub(crate) use matrix::Matrix;
pub(crate) use model::PLATFORMS;
pub(crate) use moment::{Between, Moments};
pub(crate) use needs::{Targets, needs_of, said};
pub(crate) use reach::is_lifted;
pub(crate) use rebase::Instead;
pub(crate) use recipe::Recipe;
pub use shard::Shard;

use crate::{
    config::{self, Config},
    extension::{Extension, External, version_of},
    failure::Failure,
    image::{ImageRef, Stamped},
    value::{Platform, Server, is_tag},
};

/// One image to build: what bake calls a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub extension: Arc<Extension>,
    pub server: Server,
    /// Bake's name for it: `pgvector-0_8_6-18-trixie`.
    pub name: String,
    /// The version in tags: `0.8.6`. None: nothing says it.
    pub version: Option<String>,
    /// The full version of Debian's package, where it is made of one.
    pub package: Option<String>,
    pub sql_version: Option<String>,
    /// The rolling tag with its repository.
    pub tag: ImageRef,
    /// The tags with the moment of the bake, of which bakes leave one behind each.
    pub stamped: Option<Stamped>,
    /// The base image it is built for and runs in.
    pub base: ImageRef,
    /// What it is built for. Empty: what its builder is.
    pub platforms: Vec<Platform>,
    /// The extension has another target for the same server.
    pub has_twin: bool,
    /// Where its definition is. None: bake was not asked.
    pub definitions: Option<Arc<Definitions>>,
}

impl Target {
    /// A target as bake would build it.
    fn defined(
        extension: &Arc<Extension>,
        definitions: &Arc<Definitions>,
        definition: Definition<'_>,
        config: &Config,
    ) -> Result<Self, Failure> {
        let server = definition.server()?;
        let pin = extension.pin(&server);
        let tag = rolling(definition, &format!("{}:{server}", extension.image_name))?;
        let package = definitions
            .package_of(definition)
            .or(pin.map(|pin| &*pin.package));
        let in_tag = tag.tag.as_deref().unwrap_or_default();
        // What the image says need not fit into a tag.
        let said = definition.version()?.filter(|version| is_tag(version));
        let version = said
            .or_else(|| Some(in_tag.strip_suffix(&format!("-{server}"))?.to_owned()))
            .or_else(|| version_of(package?));
        let base = match definition.base()? {
            Some(base) => base,
            None => base_of(&server, config)?,
        };
        Ok(Self {
            extension: Arc::clone(extension),
            name: definition.name.to_owned(),
            version,
            package: package.map(str::to_owned),
            sql_version: definition
                .sql_version()?
                .or_else(|| pin.and_then(|pin| pin.sql.clone())),
            stamped: definition.tags().find_map(stamped),
            tag,
            base,
            platforms: definition.platforms()?,
            has_twin: false,
            definitions: Some(Arc::clone(definitions)),
            server,
        })
    }

    /// All tags that bake gives it, with `{YYYYMMDDhhmm}` where the moment of the bake will stand.
    pub(crate) fn tags(&self) -> Vec<String> {
        let all = self.definitions.as_ref();
        match all.and_then(|all| all.get(&self.name)) {
            Some(definition) => definition.tags().map(moment::shown).collect(),
            None => std::iter::once(self.tag.to_string())
                .chain(self.stamped.as_ref().map(Stamped::pattern))
                .collect(),
        }
    }

    /// The image of an extension of another repository, for the server of `other` and with its base image.
    fn external(
        extension: &Arc<Extension>,
        external: &External,
        other: &Self,
    ) -> Result<Self, Failure> {
        let (tag, version) = external.image(extension, &other.server)?;
        let pin = extension.pin(&other.server);
        Ok(Self {
            extension: Arc::clone(extension),
            server: other.server.clone(),
            name: format!("{}-{}", extension.name, other.server),
            version: Some(version),
            package: None,
            sql_version: pin.and_then(|pin| pin.sql.clone()),
            tag,
            stamped: None,
            base: other.base.clone(),
            platforms: Vec::new(),
            has_twin: false,
            definitions: None,
        })
    }

    /// Whether it is built here.
    pub(crate) fn is_built(&self) -> bool {
        self.extension.external.is_none()
    }

    /// The same image where released ones are: below the setting `images.published`.
    pub(crate) fn published(&self, config: &Config) -> Result<ImageRef, Failure> {
        let registry = config.get(config::PUBLISHED);
        let name = &self.extension.image_name;
        match (&self.version, &self.tag.tag) {
            (None, Some(tag)) => format!("{registry}/{name}:{tag}").parse(),
            (version, _) => {
                let version = version.as_deref().unwrap_or_default();
                format!("{registry}/{name}:{version}-{}", self.server).parse()
            }
        }
    }

    /// As people tell images apart: `pgvector 18-trixie`, and of several for one server by bake's names too. No two have one.
    pub(crate) fn title(&self) -> String {
        let title = format!("{} {}", self.extension.name, self.server);
        if self.has_twin {
            return format!("{title} {}", self.name);
        }
        title
    }
}

/// The tag by which others name an image whenever it was built. `like` is one that it could have, without the registry.
fn rolling(definition: Definition<'_>, like: &str) -> Result<ImageRef, Failure> {
    let mut tags = definition.tags();
    if let Some(tag) = tags.find(|tag| moment::stamp(tag).is_none()) {
        return tag.parse();
    }
    let stamped = definition.tags().map(moment::shown).next();
    let (why, what) = match stamped {
        Some(tag) => {
            let why = format!("all its tags have the time of the bake in them, like `{tag}`");
            (why, "add one without it")
        }
        None => ("it has no tag".to_owned(), "give it one"),
    };
    let failure = definition.wrong(&format!("{why}: nobody could name the image"));
    Err(failure.hint(format!(
        "{what} in the bake file, like `tags = [\"localhost:5000/{like}\"]`"
    )))
}

/// The tags that a tag with a mark in it leaves behind.
fn stamped(tag: &str) -> Option<Stamped> {
    let stamp = moment::stamp(tag)?;
    let (repository, prefix) = stamp.before.rsplit_once(':')?;
    Some(Stamped {
        repository: repository.to_owned(),
        prefix: prefix.to_owned(),
        digits: stamp.digits?,
        suffix: stamp.behind.to_owned(),
    })
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
