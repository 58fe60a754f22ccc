// SPDX-License-Identifier: Apache-2.0
//! A location, anchored at the open folder that it is looked up in: from there no link leads out.

use std::{
    ffi::OsString,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::own::{
    Location,
    beneath::{self, Missing, Owner},
};

/// A location, anchored at the open folder that it is looked up in.
pub(super) struct Anchored {
    top: OwnedFd,
    /// Relative to `top`, without a link that we would follow.
    path: PathBuf,
    /// What people call `top`; empty where it is the repository's root.
    shown: PathBuf,
    /// A link in the last part is replaced, not refused: all in there is ours.
    pub(super) replaces_links: bool,
    pub(super) owner: Option<Owner>,
    /// To whom folders go that are made on the way.
    above: Option<Owner>,
}

impl Anchored {
    /// The repository's root is the current folder: the program enters it when it starts.
    pub(super) fn find(location: &Location) -> anyhow::Result<Self> {
        let failed = || format!("failed to write `{}`", location.display());
        let root = Path::new(".");
        let (top, path, replaces_links) = match location {
            Location::Output(path) => (root, relative(path)?, false),
            Location::Repository(path) => (root, beneath::within(root, &relative(path)?)?, false),
            Location::Ours { folder, path } => (
                folder.as_path(),
                path.strip_prefix(folder).with_context(failed)?.to_owned(),
                true,
            ),
            Location::Named(path) => return Self::named(path).with_context(failed),
        };
        let top_folder = beneath::open_named(top).with_context(failed)?;
        Ok(Self {
            owner: Owner::of(&top_folder)?,
            above: Owner::of(&top_folder)?,
            top: top_folder,
            path,
            shown: if top == root {
                PathBuf::new()
            } else {
                top.to_owned()
            },
            replaces_links,
        })
    }

    pub(super) fn named(path: &Path) -> anyhow::Result<Self> {
        let resolved = beneath::resolved(path)?;
        let root = fs_err::canonicalize(".")?;
        let owner = match resolved.strip_prefix(&root) {
            Ok(_) => Owner::of(beneath::open_named(&root)?)?,
            Err(_) => None,
        };
        let is_there = |folder: &&Path| folder.is_dir();
        let above = resolved.ancestors().skip(1).find(is_there);
        let above = above.unwrap_or(Path::new("/"));
        let top = beneath::open_named(above)?;
        Ok(Self {
            above: Owner::of(&top)?.or(owner),
            top,
            path: resolved.strip_prefix(above)?.to_owned(),
            shown: above.to_owned(),
            replaces_links: false,
            owner,
        })
    }

    fn missing(&self, make: bool) -> Missing {
        if make {
            Missing::Made(self.above)
        } else {
            Missing::Refused
        }
    }

    pub(super) fn folder(&self, make: bool) -> anyhow::Result<OwnedFd> {
        let missing = self.missing(make);
        beneath::open(&self.top, &self.path, &self.shown, missing)
    }

    /// The folder that it lies in, and its name there.
    pub(super) fn parent(&self, make: bool) -> anyhow::Result<(OwnedFd, OsString)> {
        let name = self.path.file_name().context("a file needs a name")?;
        let above = self.path.parent().unwrap_or(Path::new(""));
        let missing = self.missing(make);
        let folder = beneath::open(&self.top, above, &self.shown, missing)?;
        Ok((folder, name.to_owned()))
    }
}

/// A path below the root, which may be told from there or from the machine's root.
fn relative(path: &Path) -> anyhow::Result<PathBuf> {
    if path.is_relative() {
        return Ok(path.to_owned());
    }
    let root = fs_err::canonicalize(".")?;
    let inside = path.strip_prefix(&root);
    Ok(inside.map_err(|_| beneath::leads_out(path))?.to_owned())
}
