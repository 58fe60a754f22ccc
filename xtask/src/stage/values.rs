// SPDX-License-Identifier: Apache-2.0
//! The values of one extension image, which the Chainsaw suites read: asked of the images themselves.

use std::{fmt, path::Path, sync::Arc};

use serde_json::Value;

use crate::{
    config::{self, Config},
    environment::Place,
    exec::Exec,
    extension::Extension,
    failure::Failure,
    image::{Image, ImageRef, Naming},
    mount::{Mounted, Mounts},
    own::{file, source},
    plan::{Console, Location, Performed, Work, shell},
    tool::imagetools::Described,
    yaml,
};

mod controls;
mod document;

use document::Source;

const HEADING: &str =
    "# Written by `cargo xtask e2e generate-values`; read by the Chainsaw suites as $values.\n";

/// What to write, where to, and of which images.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub extension: Arc<Extension>,
    pub image: Image,
    /// What the image is replaced by, in the upgrade suite.
    pub newer: Option<Image>,
    /// In mounting order.
    pub needed: Vec<Dependency>,
    pub naming: Naming,
    /// With psql, for the suites' jobs. None: the PostgreSQL image itself.
    pub psql_image: Option<String>,
    /// The nodes' platform, `linux/amd64`: an image without it would be mounted all the same.
    pub platform: String,
    /// That of buildx; None: the one in use.
    pub builder: Option<String>,
    pub output: Location,
    pub told: Told,
}

/// The image under test, as values that somebody has written name it: that of the first extension. None: they do not say.
pub(crate) fn image_in(values: &Path) -> anyhow::Result<Option<ImageRef>> {
    let text = source::read_named(values)?.unwrap_or_default();
    let document = yaml::from_text(&text).unwrap_or_default();
    let reference = document.pointer("/extensions/0/image/reference");
    Ok(reference
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok()))
}

/// What a call was told by flags and its values follow from: the line that prints in place of them says it too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    registry: Option<String>,
    flags: Vec<String>,
}

impl Told {
    /// `sandbox`: the private engine is to be used. A cluster that the settings name needs no flag.
    pub(crate) fn of(config: &Config, sandbox: bool, place: &Place) -> Self {
        let mut flags = Vec::new();
        if sandbox {
            flags.push("--sandbox".to_owned());
        }
        for said in [
            config.flag(config::SANDBOX_FOLDER),
            config.flag(config::SANDBOX_BASE),
        ] {
            let own = said.into_iter().filter(|(flag, _)| *flag != config::SET);
            let words = own.flat_map(|(flag, text)| [flag, text]);
            flags.extend(words.map(str::to_owned));
        }
        // The registry has a variable of its own, which bake reads too.
        let set = config
            .said()
            .filter(|(key, _)| *key != config::REGISTRY.name());
        for (key, text) in set {
            flags.extend([config::SET.to_owned(), format!("{key}={text}")]);
        }
        let builder = config.flag(config::BUILDER);
        if let Some((_, name)) = builder.filter(|(flag, _)| *flag != config::SET) {
            flags.extend([
                config::SET.to_owned(),
                format!("{}={name}", config::BUILDER.name()),
            ]);
        }
        if let Place::Existing(access) = place {
            let kubeconfig = access.kubeconfig.to_string_lossy();
            if kubeconfig != config.get(config::CLUSTER_KUBECONFIG) {
                flags.extend(["--kubeconfig".to_owned(), kubeconfig.into_owned()]);
            }
            let context = access.context.as_ref();
            if let Some(name) = context.filter(|name| *name != config.get(config::CLUSTER_CONTEXT))
            {
                flags.extend(["--context".to_owned(), name.clone()]);
            }
        }
        let registry = config.flag(config::REGISTRY);
        Self {
            registry: registry.map(|(_, text)| text.to_owned()),
            flags,
        }
    }
}

/// An extension that the tested one needs, and where its image may be; the first that exists is taken.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub extension: Arc<Extension>,
    pub images: Vec<Image>,
}

impl Work for Values {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    /// Asks each image what it says of itself, and writes the document.
    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let own = self.mounted(&self.extension, self.described(&self.image, exec)?);
        let mut needed = Vec::new();
        for one in &self.needed {
            needed.push(self.mounted(&one.extension, self.found(one, exec)?));
        }
        let mounts = Mounts::new(own, needed);
        let asked = self.asked(mounts, exec, console)?;
        let document = match &self.newer {
            None => self.document(&asked)?,
            Some(newer) => {
                let mut after = asked.mounts.clone();
                let newer = self.described(newer, exec)?;
                *after.own_mut() = self.mounted(&self.extension, newer);
                self.upgrade(&asked, &self.asked(after, exec, console)?)?
            }
        };
        let text = yaml::to_text(&document)?;
        file::write_atomically(&self.output, &format!("{HEADING}{text}\n"))?;
        Ok(Performed::Done(None))
    }
}

impl Values {
    /// What an image says of itself. Fails when it has nothing for the nodes' platform.
    fn described(&self, image: &Image, exec: &dyn Exec) -> Result<Described, Failure> {
        let described = Described::read(&image.tagged()?, exec)?;
        described.check_platform(&self.platform, exec)?;
        Ok(described)
    }

    /// The first of the images of what is needed that is there.
    fn found(&self, needed: &Dependency, exec: &dyn Exec) -> Result<Described, Failure> {
        let mut missing = Failure::invalid(format!(
            "`{}` needs `{}`, of which there is no image",
            self.extension.name, needed.extension.name
        ));
        for image in &needed.images {
            match Described::read(&image.tagged()?, exec) {
                Ok(described) => {
                    described.check_platform(&self.platform, exec)?;
                    return Ok(described);
                }
                Err(failure) => missing = missing.detail(failure.message),
            }
        }
        let name = &needed.extension.name;
        Err(missing.hint(if needed.extension.external.is_some() {
            format!("its image is the one that `[external.{name}]` in xtask.toml names")
        } else {
            format!("build it first: `cargo xtask bake {name} --push`")
        }))
    }

    fn mounted(&self, extension: &Arc<Extension>, image: Described) -> Mounted<Source> {
        Mounted {
            extension: Arc::clone(extension),
            source: Source {
                reference: self.naming.in_cluster(&image.reference),
                described: image.reference,
                annotations: image.annotations,
            },
        }
    }
}

/// Prints as the command that writes the same file.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told { registry, flags } = &self.told;
        if let Some(registry) = registry {
            write!(f, "registry={} ", shell::word(registry))?;
        }
        write!(
            f,
            "cargo xtask e2e generate-values {} --extension-image {} --output {}",
            shell::word(&self.extension.name),
            shell::word(self.image.to_string()),
            shell::operand(&self.output)
        )?;
        if let Some(newer) = &self.newer {
            write!(f, " --upgrade-to {}", shell::word(newer.to_string()))?;
        }
        for flag in flags {
            write!(f, " {}", shell::word(flag))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
