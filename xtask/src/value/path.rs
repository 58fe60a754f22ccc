// SPDX-License-Identifier: Apache-2.0
//! Places in a repository.

use std::path::{Component, Path};

use super::{is_one_line, text_type};

/// Linux takes no longer one: `PATH_MAX`.
const LONGEST: usize = 4096;

text_type!(
    /// A file or folder of the repository, told from its root. Where links lead is for who opens it to see.
    InnerPath,
    |text| {
        let within = |part: Component<'_>| matches!(part, Component::Normal(_));
        is_one_line(text)
            && !text.starts_with('-')
            && (1..LONGEST).contains(&text.len())
            && Path::new(text).components().all(within)
    },
    "a path below the repository's root: relative, without `..`"
);

impl AsRef<Path> for InnerPath {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}
