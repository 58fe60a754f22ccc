// SPDX-License-Identifier: Apache-2.0
//! What is in a repository whose layout nobody has said: a look at its first levels, no more than advice.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The folders whose folders hold a metadata.hcl, at most three levels down, relative to the root, each with the names of
/// those in it.
pub(crate) fn folders_of_extensions(root: &Path) -> BTreeMap<PathBuf, Vec<String>> {
    let mut found: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for file in files(root).filter(|file| file.ends_with("metadata.hcl")) {
        if let Some(folder) = file.parent()
            && let (Some(outer), Some(name)) = (folder.parent(), folder.file_name())
        {
            let name = name.to_string_lossy().into_owned();
            found.entry(outer.to_owned()).or_default().push(name);
        }
    }
    found
}

/// The files at most four levels down, relative to the root, in the order of their names.
pub(crate) fn files(root: &Path) -> impl Iterator<Item = PathBuf> {
    let walk = walkdir::WalkDir::new(root).max_depth(4).sort_by_file_name();
    // Neither git's own files, nor what is built.
    let is_ours = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || name == "target")
    };
    // A folder that cannot be read has none: this is no more than advice.
    let files = walk
        .into_iter()
        .filter_entry(is_ours)
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_type().is_dir());
    let below =
        move |entry: walkdir::DirEntry| Some(entry.path().strip_prefix(root).ok()?.to_owned());
    files.filter_map(below)
}
