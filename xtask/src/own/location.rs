// SPDX-License-Identifier: Apache-2.0
//! Where a step writes or removes: whose place that is decides what it may do there.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
};

/// A path with the folder that nothing of it may lead out of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// Below `target/xtask`, which holds our own files alone: a link there is refused.
    Output(PathBuf),
    /// Beside what people have written in the repository: a link may stay in the repository.
    Repository(PathBuf),
    /// Below a folder that is ours altogether, the sandbox's or a run's: no link is followed.
    Ours { folder: PathBuf, path: PathBuf },
    /// What the user has named: a link is followed to where it leads.
    Named(PathBuf),
}

impl Location {
    pub(crate) fn output(path: impl Into<PathBuf>) -> Self {
        Self::Output(path.into())
    }

    pub(crate) fn ours(folder: &Path, path: impl Into<PathBuf>) -> Self {
        Self::Ours {
            folder: folder.to_owned(),
            path: path.into(),
        }
    }

    /// What lies below it, which nothing may lead out of either.
    pub(crate) fn below(&self, path: impl AsRef<Path>) -> Self {
        match self {
            Self::Output(own) => Self::Output(own.join(path)),
            Self::Repository(own) => Self::Repository(own.join(path)),
            Self::Ours { folder, path: own } => Self::Ours {
                folder: folder.clone(),
                path: own.join(path),
            },
            Self::Named(own) => Self::Named(own.join(path)),
        }
    }
}

/// As a path it is what people and tools call it.
impl Deref for Location {
    type Target = Path;

    fn deref(&self) -> &Path {
        match self {
            Self::Output(path)
            | Self::Repository(path)
            | Self::Ours { path, .. }
            | Self::Named(path) => path,
        }
    }
}

impl AsRef<Path> for Location {
    fn as_ref(&self) -> &Path {
        self
    }
}
