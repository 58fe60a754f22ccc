// SPDX-License-Identifier: Apache-2.0
//! Images as users get them: where they are looked for, and what is beside them in their registry.

use std::{collections::BTreeSet, time::Duration};

use super::{
    promotion,
    pushed::{digest_of, find},
};
use crate::{
    config::{Config, REGISTRY},
    exec::Exec,
    failure::Failure,
    image::{ImageRef, bundle::Named},
    target::Target,
    tool::curl,
    value::{Digest, Url},
};

/// How long a file of the web may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a target's image is looked for: where images are pushed, if that was said, and else where they are published.
pub(crate) fn image_of(target: &Target, config: &Config) -> Result<ImageRef, Failure> {
    if config.is_default(REGISTRY) && target.is_built() {
        target.published(config)
    } else {
        Ok(target.tag.clone())
    }
}

/// The text at an address.
pub(crate) fn read_url(url: &str, exec: &dyn Exec) -> Result<String, Failure> {
    let url: Url = url.parse().map_err(|wanted| {
        Failure::invalid(format!("`{url}` cannot be read: it must be {wanted}"))
    })?;
    let text = exec.read(&curl::read_cmd(&url), Some(PATIENCE));
    text.map_err(|failed| Failure::from(failed).or_unavailable())
}

/// An image that its registry has, with the tags of what stands beside it: signatures that refer to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    /// As it was asked for.
    name: ImageRef,
    digest: Digest,
    beside: Vec<(ImageRef, Digest)>,
}

impl Offered {
    /// Asks the registry. An image that is not there is refused.
    pub(crate) fn find(name: &ImageRef, exec: &dyn Exec) -> Result<Self, Failure> {
        let digest = match &name.digest {
            Some(digest) => digest.clone(),
            None => digest_of(name, exec)?,
        };
        let mut beside = Vec::new();
        for tag in promotion::beside(&name.by_digest(&digest), exec)? {
            let image = name.by_tag(&tag);
            if let Some(digest) = find(&image, exec)? {
                beside.push((image, digest));
            }
        }
        Ok(Self {
            name: name.clone(),
            digest,
            beside,
        })
    }

    /// What is to be copied, by digest, each with what it is called for people.
    pub(crate) fn copies(&self) -> impl Iterator<Item = (String, ImageRef)> {
        let all = self.beside.iter().map(|(name, digest)| (name, digest));
        let all = std::iter::once((&self.name, &self.digest)).chain(all);
        all.map(|(name, digest)| (name.to_string(), name.by_digest(digest)))
    }

    /// What they are called in a bundle.
    pub(crate) fn names(&self) -> BTreeSet<Named> {
        let beside = self.beside.iter().map(|(name, digest)| (name, digest));
        let all = std::iter::once((&self.name, &self.digest)).chain(beside);
        let named = |(name, digest): (&ImageRef, &Digest)| Named {
            // A digest is what a layout knows itself; a name that is nothing else is needed all the same.
            name: match &name.tag {
                Some(_) => ImageRef {
                    digest: None,
                    ..name.clone()
                },
                None => name.by_digest(digest),
            }
            .to_string(),
            digest: digest.clone(),
        };
        all.map(named).collect()
    }
}
