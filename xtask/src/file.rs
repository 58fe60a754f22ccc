// SPDX-License-Identifier: Apache-2.0
//! Files that appear whole or not at all, and folders that go only when nothing of others is below them.

use std::{
    fs::{File, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::failure::Failure;

/// Writes `contents` to a temporary file beside `path` and renames it: a reader, a full disk or a kill
/// never sees half of it, and the old file stays until the new one is complete.
pub(crate) fn write_atomically(path: &Path, contents: &str) -> anyhow::Result<()> {
    write(path, contents, 0o644)
}

/// The same, for a file that only its owner may read.
pub(crate) fn write_private(path: &Path, contents: &str) -> anyhow::Result<()> {
    write(path, contents, 0o600)
}

fn write(path: &Path, contents: &str, mode: u32) -> anyhow::Result<()> {
    let failed = || format!("failed to write `{}`", path.display());
    // What a link points to is meant, and a pipe or a device is written to, not replaced.
    let resolved = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs_err::metadata(&resolved).is_ok_and(|file| !file.is_file()) {
        let mut file = fs_err::File::options()
            .write(true)
            .open(&resolved)
            .with_context(failed)?;
        return file.write_all(contents.as_bytes()).with_context(failed);
    }
    let folder = match resolved.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs_err::create_dir_all(folder).with_context(failed)?;
    let mut file = tempfile::Builder::new()
        .prefix(".xtask-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
        .tempfile_in(folder)
        .with_context(failed)?;
    file.write_all(contents.as_bytes()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(&resolved).with_context(failed)?;
    Ok(())
}

/// Removes a folder and all in it, if it is there. Refused when something is mounted below it: removing
/// that would remove what is not ours.
pub(crate) fn remove_folder(path: &Path) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    if let Some(mounted) = mounts_below(path)?.first() {
        return Err(Failure::failed(format!(
            "`{}` is mounted, so `{}` is not removed",
            mounted.display(),
            path.display()
        ))
        .hint(format!(
            "unmount it (`umount -R {}`) and run this again",
            crate::plan::shell::word(mounted)
        ))
        .into());
    }
    Ok(fs_err::remove_dir_all(path)?)
}

/// The mount points at or below `folder` in this process's own mount namespace.
fn mounts_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let text = fs_err::read_to_string("/proc/self/mountinfo")?;
    Ok(text
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|path| PathBuf::from(path.replace("\\040", " ")))
        .filter(|path| path.starts_with(folder))
        .collect())
}

/// Takes the lock on `path`, waiting for another process to let go of it. `waiting` is called once when
/// it has to; the wait ends when `interrupted` says so. A lock file that its holder has removed
/// meanwhile (`sandbox down`) is no lock any more: the one that stands in its place is.
pub(crate) fn lock(
    path: &Path,
    interrupted: &dyn Fn() -> bool,
    waiting: &dyn Fn(),
) -> anyhow::Result<File> {
    use std::os::unix::fs::MetadataExt;
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mut said = false;
    loop {
        let options = fs_err::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        let file = options.into_parts().0;
        let locked = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("failed to lock `{}`", path.display()));
            }
        };
        let same = fs_err::metadata(path)
            .and_then(|there| Ok(there.ino() == file.metadata()?.ino()))
            .unwrap_or_default();
        if locked && same {
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
