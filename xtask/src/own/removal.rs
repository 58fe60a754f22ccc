// SPDX-License-Identifier: Apache-2.0
//! Removes a folder and what is in it: no link is followed, and nothing that is mounted is touched.

use std::{
    ffi::{OsStr, OsString},
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use anyhow::Context as _;
use nix::{
    errno::Errno,
    sys::stat::SFlag,
    unistd::{UnlinkatFlags, unlinkat},
};

use super::{beneath, mounts, walk};
use crate::failure::Failure;

/// Removes `name` in the open folder, with all in it. `shown` is its path for people. Looks at what is mounted
/// first, so that nothing has gone when it refuses.
pub(super) fn remove(folder: &OwnedFd, name: &OsStr, shown: &Path) -> anyhow::Result<()> {
    remove_all(folder, name, shown, &|_| true, &[]).map(drop)
}

/// The same, for those entries of the folder that `is_ours` names. What is left is the answer; the folder
/// itself goes when that is nothing. The entries `last` go after all others, in their order, and stay with a
/// folder that stays.
pub(super) fn remove_all(
    folder: &OwnedFd,
    name: &OsStr,
    shown: &Path,
    is_ours: &dyn Fn(&OsStr) -> bool,
    last: &[&str],
) -> anyhow::Result<Vec<OsString>> {
    let Some(found) = beneath::look(folder, name)? else {
        return Ok(Vec::new());
    };
    if beneath::is(&found, SFlag::S_IFLNK) {
        return Err(beneath::is_a_link(folder, name, shown).into());
    }
    let inside = enter(folder, name, shown)?;
    if let Some(mounted) = mounts::below_open(&inside)?.first() {
        return Err(is_mounted(mounted, shown).into());
    }
    let (ours, kept): (Vec<OsString>, Vec<OsString>) = beneath::names(&inside)?
        .into_iter()
        .partition(|name| is_ours(name));
    let ours = ours
        .into_iter()
        .filter(|name| !last.iter().any(|last| name == *last));
    walk::walk(&inside, ours.collect(), shown, &mut Removal)?;
    if !kept.is_empty() {
        return Ok(kept);
    }
    for name in last {
        unlink(
            &inside,
            OsStr::new(name),
            UnlinkatFlags::NoRemoveDir,
            &shown.join(name),
        )?;
    }
    unlink(folder, name, UnlinkatFlags::RemoveDir, shown)?;
    Ok(kept)
}

struct Removal;

impl walk::Visit for Removal {
    fn enter(
        &mut self,
        folder: &OwnedFd,
        name: &OsStr,
        shown: &Path,
    ) -> anyhow::Result<Option<OwnedFd>> {
        let Some(found) = beneath::look(folder, name)? else {
            return Ok(None);
        };
        if beneath::is(&found, SFlag::S_IFDIR) {
            return enter(folder, name, shown).map(Some);
        }
        unlink(folder, name, UnlinkatFlags::NoRemoveDir, shown)?;
        Ok(None)
    }

    fn leave(&mut self, folder: &OwnedFd, name: &OsStr, shown: &Path) -> anyhow::Result<()> {
        unlink(folder, name, UnlinkatFlags::RemoveDir, shown)
    }
}

fn unlink(
    folder: impl AsFd,
    name: &OsStr,
    what: UnlinkatFlags,
    shown: &Path,
) -> anyhow::Result<()> {
    match unlinkat(folder, name, what) {
        // Another run of ours was faster.
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        // What is mounted here cannot be taken away.
        Err(Errno::EBUSY) => Err(is_mounted(shown, shown).into()),
        Err(error) => Err(std::io::Error::from(error))
            .with_context(|| format!("failed to remove `{}`", shown.display())),
    }
}

/// Opens a folder in a folder of the same mount.
fn enter(folder: &OwnedFd, name: &OsStr, shown: &Path) -> anyhow::Result<OwnedFd> {
    match beneath::open_on_the_same_mount(folder, name) {
        Ok(inside) => Ok(inside),
        Err(Errno::EXDEV) => Err(is_mounted(shown, shown).into()),
        Err(error) => Err(beneath::in_the_way(folder, name, shown, error)),
    }
}

pub(super) fn is_mounted(mounted: &Path, removed: &Path) -> Failure {
    Failure::failed(format!(
        "`{}` is mounted, so `{}` is not removed",
        mounted.display(),
        removed.display()
    ))
    .hint(format!(
        "unmount it (`umount -R {}`) and run this again",
        shell_words::quote(&mounted.to_string_lossy())
    ))
}

#[cfg(test)]
mod tests {
    use nix::{
        fcntl::OFlag,
        sys::stat::{Mode, mkdirat},
    };

    use super::*;

    #[test]
    fn a_tree_of_any_depth_goes() {
        let place = tempfile::tempdir().unwrap();
        let top = beneath::open_named(place.path()).unwrap();
        mkdirat(&top, "deep", Mode::S_IRWXU).unwrap();
        let mut folder = beneath::open_child(&top, OsStr::new("deep")).unwrap();
        // Far more than a process may have open, and more than a path may be long.
        for level in 0..5000 {
            mkdirat(&folder, "folder", Mode::S_IRWXU).unwrap();
            if level % 100 == 0 {
                let flags = OFlag::O_CREAT | OFlag::O_WRONLY;
                nix::fcntl::openat(&folder, "file", flags, Mode::S_IRWXU).unwrap();
            }
            folder = beneath::open_child(&folder, OsStr::new("folder")).unwrap();
        }
        drop(folder);
        remove(&top, OsStr::new("deep"), Path::new("deep")).unwrap();
        assert_eq!(beneath::names(&top).unwrap(), Vec::<OsString>::new());
    }
}
