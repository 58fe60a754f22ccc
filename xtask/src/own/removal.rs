// SPDX-License-Identifier: Apache-2.0
//! Removes a folder and what is in it: no link is followed, and nothing that is mounted is touched.

use std::{
    ffi::OsStr,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use anyhow::Context as _;
use nix::{
    errno::Errno,
    sys::stat::{SFlag, fstat},
    unistd::{UnlinkatFlags, unlinkat},
};

use super::{beneath, mounts};
use crate::failure::Failure;

/// Removes `name` in the open folder, with all in it but what `last` names, which goes after the rest
/// has gone: who kills us half-way leaves a folder that still says whose it is. `shown` is its path for
/// people. Looks at what is mounted first, so that nothing has gone when it refuses.
pub(super) fn remove(
    folder: &OwnedFd,
    name: &OsStr,
    shown: &Path,
    last: Option<&str>,
) -> anyhow::Result<()> {
    let Some(found) = beneath::look(folder, name)? else {
        return Ok(());
    };
    if beneath::is(&found, SFlag::S_IFLNK) {
        return Err(beneath::is_a_link(folder, name, shown).into());
    }
    let inside = enter(folder, name, shown)?;
    if let Some(mounted) = mounts::below_open(&inside)?.first() {
        return Err(is_mounted(mounted, shown).into());
    }
    for entry in beneath::names(&inside)? {
        if last.is_none_or(|last| entry != last) {
            remove_entry(&inside, &entry, &shown.join(&entry))?;
        }
    }
    if let Some(last) = last {
        unlink(&inside, OsStr::new(last), UnlinkatFlags::NoRemoveDir, shown)?;
    }
    unlink(folder, name, UnlinkatFlags::RemoveDir, shown)
}

fn remove_entry(folder: &OwnedFd, name: &OsStr, shown: &Path) -> anyhow::Result<()> {
    let Some(found) = beneath::look(folder, name)? else {
        return Ok(());
    };
    if !beneath::is(&found, SFlag::S_IFDIR) {
        return unlink(folder, name, UnlinkatFlags::NoRemoveDir, shown);
    }
    let inside = enter(folder, name, shown)?;
    for entry in beneath::names(&inside)? {
        remove_entry(&inside, &entry, &shown.join(&entry))?;
    }
    drop(inside);
    unlink(folder, name, UnlinkatFlags::RemoveDir, shown)
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
    match open_on_the_same_mount(folder, name) {
        Ok(inside) if fstat(&inside)?.st_dev == fstat(folder)?.st_dev => Ok(inside),
        Ok(_) | Err(Errno::EXDEV) => Err(is_mounted(shown, shown).into()),
        Err(error) => Err(beneath::in_the_way(folder, name, shown, error)),
    }
}

/// Only the kernel knows of a folder that is mounted a second time in the same file system.
#[cfg(target_os = "linux")]
fn open_on_the_same_mount(folder: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
        .resolve(
            ResolveFlag::RESOLVE_NO_XDEV
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_BENEATH,
        );
    match openat2(folder, name, how) {
        // A kernel before 5.6, or a container's filter that does not know the call. What is mounted was
        // looked at before.
        Err(Errno::ENOSYS | Errno::EPERM) => beneath::open_child(folder, name),
        opened => opened,
    }
}

#[cfg(not(target_os = "linux"))]
fn open_on_the_same_mount(folder: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    beneath::open_child(folder, name)
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
