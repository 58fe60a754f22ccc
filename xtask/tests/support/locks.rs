// SPDX-License-Identifier: Apache-2.0
//! The locks of engines and clusters in this user's folders.

use std::{
    fs,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

/// Those that name a folder: a run in it holds them, or was killed.
pub(crate) fn naming(folder: &Path) -> Vec<PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let places = [
        "/run/xtask".to_owned(),
        format!("{home}/.local/state/xtask"),
    ];
    let entries = places
        .iter()
        .flat_map(|place| WalkDir::new(place).max_depth(1));
    let folder = folder.to_string_lossy();
    entries
        .flatten()
        .map(walkdir::DirEntry::into_path)
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(&*folder)))
        .collect()
}
