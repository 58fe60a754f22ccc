// SPDX-License-Identifier: Apache-2.0
//! Images that a bake has built before, on another machine maybe: those that its metadata file names, by their digests.

use std::path::{Path, PathBuf};

use crate::{
    failure::Failure,
    image::{ImageRef, Metadata},
    target::{Target, Targets},
};

/// A metadata file that `bake --metadata-file` has written.
pub(crate) struct Written {
    file: PathBuf,
    metadata: Metadata,
}

impl Written {
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            metadata: Metadata::read_named(file)?,
            file: file.to_owned(),
        })
    }

    /// The image of a target, by nothing but its digest: under the name that it was given, or else the one that it would
    /// get here. None: the file does not have it.
    pub(crate) fn image(&self, target: &Target) -> Option<ImageRef> {
        let digest = self.metadata.digest(&target.name)?;
        let mut names = self.metadata.names(&target.name).into_iter();
        let given = names.find_map(|name| name.parse::<ImageRef>().ok());
        Some(ImageRef {
            tag: None,
            digest: Some(digest),
            ..given.unwrap_or_else(|| target.tag.clone())
        })
    }

    /// Leaves out of what was chosen what the file does not have, with all that it needs; gives why, an image a line.
    /// Refused when nothing is left.
    pub(crate) fn narrow(&self, targets: &mut Targets) -> Result<Vec<String>, Failure> {
        let file = self.file.display();
        let lacks = |target: &Target| target.is_built() && self.image(target).is_none();
        let left_out = targets.leave_out(|target, needs| {
            let title = target.title();
            if lacks(target) {
                return Some(format!(
                    "`{title}` is left out: `{file}` has no digest of it"
                ));
            }
            let needed = needs.iter().find(|needed| lacks(needed))?;
            Some(format!(
                "`{title}` is left out: it needs `{}`, of which `{file}` has no digest",
                needed.title()
            ))
        });
        if targets.is_empty() && !left_out.is_empty() {
            let failure = Failure::invalid(format!("`{file}` has none of these images"));
            let failure = left_out.into_iter().fold(failure, Failure::detail);
            return Err(failure.hint(
                "give the file that `cargo xtask bake --push --metadata-file FILE` has written of the same extensions",
            ));
        }
        Ok(left_out)
    }
}
