// SPDX-License-Identifier: Apache-2.0
//! Images to use: one that a user names, and one that a bake of ours builds; by what name whom.

use std::{fmt, path::PathBuf};

pub(crate) mod attestation;
pub(crate) mod bundle;
mod contents;
mod controls;
pub(crate) mod copyright;
mod elf;
mod inventory;
mod libraries;
mod likeness;
pub(crate) mod listed;
mod metadata;
mod opened;
mod rotation;
mod scripts;
mod stamped;
mod status;
mod updates;

pub(crate) use contents::{Contents, Entry};
pub(crate) use controls::Controls;
pub(crate) use elf::Elf;
pub(crate) use inventory::{Document, Inventory, Object, Said};
pub(crate) use libraries::{How, Libraries, Provider, Source};
pub(crate) use likeness::Pair;
pub(crate) use metadata::{Merge, Metadata, Promised};
pub(crate) use opened::Opened;
pub(crate) use rotation::Rotation;
pub(crate) use scripts::SqlExtension;
pub(crate) use stamped::Stamped;
pub(crate) use status::Installed;
pub(crate) use updates::{Update, update_path};

pub(crate) use crate::value::{Annotations, ImageRef, annotations, is_local};
use crate::{failure::Failure, plan::Pending};

/// An image to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    /// One that is there already.
    Given(ImageRef),
    /// One that a bake of this plan makes.
    Baked {
        tag: ImageRef,
        /// Where bake writes the digest, and the target's name in that file.
        metadata: PathBuf,
        target: String,
    },
}

impl Image {
    /// What is known before anything has run: the name that was given, or the tag.
    pub(crate) fn reference(&self) -> &ImageRef {
        match self {
            Self::Given(reference) => reference,
            Self::Baked { tag, .. } => tag,
        }
    }

    /// The tag and, when a bake of this plan made it, the digest: what a node pulls is what was built, and
    /// people still see which version it is.
    pub(crate) fn tagged(&self) -> anyhow::Result<ImageRef> {
        match self {
            Self::Given(reference) => Ok(reference.clone()),
            Self::Baked {
                tag,
                metadata,
                target,
            } => {
                let digest = Metadata::read(metadata)?.digest(target).ok_or_else(|| {
                    Failure::failed(format!(
                        "`{}` has no `containerimage.digest` for target `{target}`",
                        metadata.display()
                    ))
                })?;
                Ok(ImageRef {
                    digest: Some(digest),
                    ..tag.clone()
                })
            }
        }
    }
}

/// As it was named, until it is built.
impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference().fmt(f)
    }
}

impl Pending for Image {
    /// The reference by nothing but the digest that `buildx bake --metadata-file` wrote for this target; a
    /// given image stays as it was named.
    fn text(&self) -> Result<String, Failure> {
        let mut reference = self.tagged()?;
        if let Self::Baked { .. } = self {
            reference.tag = None;
        }
        Ok(reference.to_string())
    }
}

/// An image as a node of the cluster pulls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterRef(ImageRef);

impl fmt::Display for ClusterRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<ClusterRef> for ImageRef {
    fn from(ClusterRef(reference): ClusterRef) -> Self {
        reference
    }
}

/// The registry by its two names: on this machine and in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    /// What images are pushed to: `localhost:5000`.
    pub host: String,
    /// What nodes pull from: `registry.pg-extensions:5000`.
    pub cluster: String,
}

impl Naming {
    /// The same image by the name that nodes use; one of another registry keeps its name.
    pub(crate) fn in_cluster(&self, reference: &ImageRef) -> ClusterRef {
        ClusterRef(reference.moved(&self.host, &self.cluster))
    }

    /// The same image by the name that this machine uses.
    pub(crate) fn on_host(&self, reference: &ImageRef) -> ImageRef {
        reference.moved(&self.cluster, &self.host)
    }
}
