// SPDX-License-Identifier: Apache-2.0
//! What stands beside the bake file for all extensions: the Dockerfile that builds those which name their Debian
//! packages, and the package archive's index for those that have a Dockerfile of their own.

use std::path::{Path, PathBuf};

use crate::{
    extension::Extension, finding::Findings, hcl::File, own::source, value::placeholder::IMAGE_ROOT,
};

/// What a repository's bake file gives to its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    /// Relative to the root. None: each extension has a Dockerfile of its own.
    pub dockerfile: Option<PathBuf>,
    /// Whether a Dockerfile of an extension's own finds the target `archive` as a named context.
    pub archive: bool,
    /// Whether the bake file has a variable by the name of CloudNativePG's placeholder, so that `${image_root}` is one.
    pub image_root: bool,
}

impl Shared {
    /// Looks beside `bake_file`, which is relative to `root`.
    pub(crate) fn beside(root: &Path, bake_file: &Path) -> Self {
        let dockerfile = bake_file.with_file_name("Dockerfile");
        let mut unread = Findings::about(bake_file);
        // What is wrong with a bake file, bake says better.
        let text = source::read(root, bake_file).ok().flatten();
        let file = text.and_then(|text| File::parse(&text, &mut unread));
        let has_block = |kind, label| {
            file.as_ref()
                .is_some_and(|file| file.has_block(kind, label))
        };
        Self {
            // Whatever it is: reading it says what is wrong with it.
            dockerfile: fs_err::symlink_metadata(root.join(&dockerfile))
                .is_ok()
                .then_some(dockerfile),
            archive: has_block("target", "archive"),
            image_root: has_block("variable", IMAGE_ROOT),
        }
    }

    /// The shared Dockerfile, where it is the one that builds the extension.
    pub(crate) fn dockerfile_of(&self, extension: &Extension) -> Option<&Path> {
        let packaged = !extension.packages.is_empty();
        self.dockerfile.as_deref().filter(|_| packaged)
    }
}
