// SPDX-License-Identifier: Apache-2.0
//! Walks a tree of folders of any depth: few of them are open at a time, and none is called from another.

use std::{
    ffi::{OsStr, OsString},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{OFlag, openat},
    sys::stat::{Mode, fstat},
};

use super::beneath;

/// How many folders are open at a time; those above are opened again on the way back.
const OPEN: usize = 16;

/// What is done on the way.
pub(super) trait Visit {
    /// For each entry of a folder. Gives the entry as an open folder when it is to be walked too.
    fn enter(
        &mut self,
        folder: &OwnedFd,
        name: &OsStr,
        shown: &Path,
    ) -> anyhow::Result<Option<OwnedFd>>;

    /// For each folder that was walked, after all in it.
    fn leave(&mut self, folder: &OwnedFd, name: &OsStr, shown: &Path) -> anyhow::Result<()>;
}

/// A folder on the way down.
struct Level {
    name: OsString,
    /// None while it is further up than [`OPEN`].
    folder: Option<OwnedFd>,
    device: nix::libc::dev_t,
    inode: nix::libc::ino_t,
    /// What is still to be visited.
    left: Vec<OsString>,
}

impl Level {
    fn of(name: OsString, folder: OwnedFd, left: Vec<OsString>) -> anyhow::Result<Self> {
        let found = fstat(&folder)?;
        Ok(Self {
            name,
            folder: Some(folder),
            device: found.st_dev,
            inode: found.st_ino,
            left,
        })
    }

    /// Opens it again from a folder in it, unless that has been moved away meanwhile.
    fn reopen(&mut self, child: &OwnedFd, shown: &Path) -> anyhow::Result<()> {
        if self.folder.is_none() {
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let folder = openat(child, "..", flags, Mode::empty())?;
            let found = fstat(&folder)?;
            anyhow::ensure!(
                (found.st_dev, found.st_ino) == (self.device, self.inode),
                "`{}` was moved by somebody",
                shown.display()
            );
            self.folder = Some(folder);
        }
        Ok(())
    }
}

/// Visits the `entries` of the open folder `top`, which people call `shown`, and all below them.
pub(super) fn walk(
    top: &OwnedFd,
    entries: Vec<OsString>,
    shown: &Path,
    visit: &mut dyn Visit,
) -> anyhow::Result<()> {
    let mut shown: PathBuf = shown.to_owned();
    let mut way = vec![Level::of(OsString::new(), top.try_clone()?, entries)?];
    while let Some(level) = way.last_mut() {
        let Some(folder) = level.folder.as_ref() else {
            anyhow::bail!("`{}` is not open", shown.display());
        };
        if let Some(name) = level.left.pop() {
            shown.push(&name);
            match visit.enter(folder, &name, &shown)? {
                None => {
                    shown.pop();
                }
                Some(inside) => {
                    let left = beneath::names(&inside)?;
                    way.push(Level::of(name, inside, left)?);
                    // The top is never opened again by way of what is in it.
                    if let Some(far) = way.len().checked_sub(OPEN + 1).filter(|far| *far > 0) {
                        way[far].folder = None;
                    }
                }
            }
            continue;
        }
        let Some(done) = way.pop() else { break };
        if let (Some(above), Some(folder)) = (way.last_mut(), done.folder.as_ref()) {
            above.reopen(folder, &shown)?;
            let inside = done.folder;
            drop(inside);
            if let Some(above) = &above.folder {
                visit.leave(above, &done.name, &shown)?;
            }
            shown.pop();
        }
    }
    Ok(())
}
