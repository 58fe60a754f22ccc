// SPDX-License-Identifier: Apache-2.0
//! The values of one extension image, which the Chainsaw suites read: asked of the images themselves.

use std::{fmt, sync::Arc};

use crate::{
    exec::Exec,
    extension::Extension,
    failure::Failure,
    image::{Image, Naming},
    mount::{Mounted, Mounts},
    own::file,
    plan::{Console, Location, Performed, Work, shell},
    tool::imagetools::Described,
    yaml,
};

mod document;

use document::Source;

const HEADING: &str =
    "# Written by `cargo xtask e2e generate-values`; read by the Chainsaw suites as $values.\n";

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

impl Work for Values {
    /// Asks each image what it says of itself, and writes the document.
    fn perform(&self, exec: &dyn Exec, _: &mut Console<'_>) -> anyhow::Result<Performed> {
        let own = self.mounted(&self.extension, self.described(&self.image, exec)?);
        let mut needed = Vec::new();
        for one in &self.needed {
            needed.push(self.mounted(&one.extension, self.found(one, exec)?));
        }
        let mounts = Mounts::new(own, needed);
        let document = match &self.newer {
            None => self.document(&mounts)?,
            Some(newer) => {
                let mut after = mounts.clone();
                let newer = self.described(newer, exec)?;
                *after.own_mut() = self.mounted(&self.extension, newer);
                self.upgrade(&mounts, &after)?
            }
        };
        let text = yaml::to_text(&document)?;
        file::write_atomically(&self.output, &format!("{HEADING}{text}\n"))?;
        Ok(Performed::Done(None))
    }
}

impl Values {
    /// What an image says of itself. Fails when it has nothing for the nodes' platform.
    fn described(&self, image: &Image, exec: &dyn Exec) -> anyhow::Result<Described> {
        let described = Described::read(&image.tagged()?, exec)?;
        described.check_platform(&self.platform, exec)?;
        Ok(described)
    }

    /// The first of the images of what is needed that is there.
    fn found(&self, needed: &Needed, exec: &dyn Exec) -> anyhow::Result<Described> {
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
        let fix = format!(
            "build it first: `cargo xtask bake {} --push`",
            needed.extension.name
        );
        Err(missing.hint(fix).into())
    }

    fn mounted(&self, extension: &Arc<Extension>, image: Described) -> Mounted<Source> {
        Mounted {
            extension: Arc::clone(extension),
            source: Source {
                reference: self.naming.in_cluster(&image.reference),
                annotations: image.annotations,
            },
        }
    }
}

/// Prints as the command that writes the same file.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cargo xtask e2e generate-values {} --extension-image {} --output {}",
            shell::word(&self.extension.name),
            shell::word(self.image.to_string()),
            shell::operand(&self.output)
        )?;
        match &self.newer {
            Some(newer) => write!(f, " --upgrade-to {}", shell::word(newer.to_string())),
            None => Ok(()),
        }
    }
}
