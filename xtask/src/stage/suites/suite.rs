// SPDX-License-Identifier: Apache-2.0
//! A folder of tests.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use walkdir::WalkDir;

use crate::{own::source, tool::assertion};

/// A folder of tests, read once however many images it tests.
pub(crate) struct Suite {
    pub folder: PathBuf,
    /// Another file than `chainsaw-test.yaml`, without its ending.
    pub(super) file: Option<&'static str>,
    /// The least time that one of its assertions may take.
    pub(super) shortest: Option<Duration>,
}

impl Suite {
    /// `folder` is below `root`.
    pub(crate) fn read(root: &Path, folder: PathBuf, file: Option<&'static str>) -> Self {
        let shortest = texts(root, &folder, file)
            .and_then(|texts| assertion::shortest(texts.iter().map(String::as_str)));
        Self {
            folder,
            file,
            shortest,
        }
    }
}

/// The texts of a suite's files; None when one cannot be read.
fn texts(root: &Path, folder: &Path, file: Option<&str>) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for entry in WalkDir::new(root.join(folder)).max_depth(3) {
        let entry = entry.ok()?;
        let name = entry.file_name().to_string_lossy();
        let is_test = name.starts_with("chainsaw-test.");
        let is_meant = file.is_none_or(|file| !is_test || name.starts_with(file));
        if entry.file_type().is_file() && name.ends_with(".yaml") && is_meant {
            let path = entry.path().strip_prefix(root).ok()?;
            texts.push(source::read(root, path).ok()??);
        }
    }
    Some(texts)
}
