// SPDX-License-Identifier: Apache-2.0
//! Where a repository begins.

use std::path::{Path, PathBuf};

use crate::{
    config,
    failure::{Failure, Section},
};

/// The root folder: the nearest one upwards from `from` that holds an `xtask.toml`, or else one that
/// looks like a repository of the old tooling (`docker-bake.hcl`).
pub(crate) fn find_root(from: &Path) -> Result<PathBuf, Failure> {
    let is_root = |folder: &&Path| {
        ["xtask.toml", config::OLD_BAKE_FILE]
            .iter()
            .any(|name| folder.join(name).is_file())
    };
    if let Some(root) = from.ancestors().find(is_root) {
        return Ok(root.to_owned());
    }
    Err(Failure::invalid(format!(
        "`{}` is not inside a repository of extensions: no `xtask.toml` here or above",
        from.display()
    ))
    .hint("`cargo xtask init` makes one of it; or create `xtask.toml` at the repository's root, where an empty one means the default layout")
    .see(Section::Repository))
}

/// The same, or else the folder that is to become one: the nearest one upwards from `from` that git works in, or else
/// `from` itself.
pub(crate) fn root_to_be(from: &Path) -> PathBuf {
    let is_git = |folder: &&Path| folder.join(".git").exists();
    let of_git = || from.ancestors().find(is_git).map(Path::to_owned);
    let known = find_root(from).ok().or_else(of_git);
    known.unwrap_or_else(|| from.to_owned())
}
