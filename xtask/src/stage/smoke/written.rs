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
        self.find(target).ok()
    }

    /// Or why the file does not have it. Bake files of several extensions may call different targets the same.
    fn find(&self, target: &Target) -> Result<ImageRef, String> {
        let (file, key) = (self.file.display(), &target.name);
        let digest = self.metadata.digest(key);
        let digest = digest.ok_or_else(|| format!("`{file}` has no digest of it"))?;
        let names = self.metadata.names(key);
        let is_its_own = |given: &ImageRef| given.name() == target.tag.name();
        let mut given = names.iter().filter_map(|name| name.parse().ok());
        let given = match names.first() {
            None => target.tag.clone(),
            Some(first) => given
                .find(is_its_own)
                .ok_or_else(|| format!("`{file}` has `{first}` under its name, `{key}`"))?,
        };
        Ok(ImageRef {
            tag: None,
            digest: Some(digest),
            ..given
        })
    }

    /// Leaves out of what was chosen what the file does not have, with all that it needs; gives why, an image a line.
    /// Refused when nothing is left.
    pub(crate) fn narrow(&self, targets: &mut Targets) -> Result<Vec<String>, Failure> {
        let left_out = targets.leave_out(|target, needs| {
            let title = target.title();
            if let Some(why) = self.lacks(target) {
                return Some(format!("`{title}` is left out: {why}"));
            }
            let lacking = |needed: &&Target| Some((needed.title(), self.lacks(needed)?));
            let (needed, why) = needs.iter().find_map(lacking)?;
            Some(format!("`{title}` is left out: it needs `{needed}`: {why}"))
        });
        self.refuse_none(targets, left_out)
    }

    /// The same, where what is needed may come from elsewhere.
    pub(crate) fn narrow_without_needs(
        &self,
        targets: &mut Targets,
    ) -> Result<Vec<String>, Failure> {
        let left_out = targets.leave_out(|target, _| {
            let why = self.lacks(target)?;
            Some(format!("`{}` is left out: {why}", target.title()))
        });
        self.refuse_none(targets, left_out)
    }

    /// Why the file does not have a target that is built here; None: it has.
    fn lacks(&self, target: &Target) -> Option<String> {
        let found = target.is_built().then(|| self.find(target));
        found.and_then(Result::err)
    }

    fn refuse_none(
        &self,
        targets: &Targets,
        left_out: Vec<String>,
    ) -> Result<Vec<String>, Failure> {
        let file = self.file.display();
        if targets.is_empty() && !left_out.is_empty() {
            let failure = Failure::invalid(format!("`{file}` has none of these images"));
            let failure = left_out.into_iter().fold(failure, Failure::detail);
            return Err(failure.hint(
                "give the file that `cargo xtask bake --push --metadata-file FILE` has written of the same extensions, with the same bake variables",
            ));
        }
        Ok(left_out)
    }
}
