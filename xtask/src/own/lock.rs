// SPDX-License-Identifier: Apache-2.0
//! A file that holds others off while it is locked.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use anyhow::Context;
use nix::libc;

use crate::failure::Failure;

/// Takes the lock on `path`, waiting for another process to let go of it. `waiting` is called once when
/// it has to; the wait ends when `interrupted` says so. A lock file that its holder has removed
/// meanwhile (`sandbox down`) is no lock any more: the one that stands in its place is. What lies there
/// and is not a lock of ours is refused.
pub(crate) fn lock(
    path: &Path,
    interrupted: &dyn Fn() -> bool,
    waiting: &dyn Fn(),
) -> anyhow::Result<File> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mut said = false;
    loop {
        let file = open(path)?;
        let locked = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("failed to lock `{}`", path.display()));
            }
        };
        if locked && stands(path, &file) {
            return Ok(file);
        }
        if interrupted() {
            return Err(Failure::interrupted().into());
        }
        if !locked {
            if !std::mem::replace(&mut said, true) {
                waiting();
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

/// Removes the file of a lock that we hold, and lets go of it.
pub(crate) fn remove(path: &Path, lock: File) -> anyhow::Result<()> {
    if stands(path, &lock) && lock.metadata()?.len() == 0 {
        fs_err::remove_file(path)?;
    }
    drop(lock);
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<File> {
    let foreign = |what: &str| {
        Failure::invalid(format!(
            "`{}` is {what}, not a lock of ours: it stays as it is",
            path.display()
        ))
        .hint("move it away, or choose another folder")
    };
    if fs_err::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Err(foreign("a link").into());
    }
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .with_context(|| format!("failed to open `{}`", path.display()))?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(foreign("not a file").into());
    }
    Ok(file)
}

/// Whether `path` still names the file that is open, and no link to it.
fn stands(path: &Path, file: &File) -> bool {
    let (Ok(there), Ok(open)) = (fs_err::symlink_metadata(path), file.metadata()) else {
        return false;
    };
    there.is_file() && (there.dev(), there.ino()) == (open.dev(), open.ino())
}
