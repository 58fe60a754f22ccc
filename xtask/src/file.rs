// SPDX-License-Identifier: Apache-2.0
//! Files that appear whole or not at all, and folders that go only when nothing of others is below them.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::failure::Failure;

/// Writes `contents` to a temporary file beside `path` and renames it: a reader, a full disk or a kill
/// never sees half of it, and the old file stays until the new one is complete.
pub(crate) fn write_atomically(path: &Path, contents: &str) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = || format!("failed to write `{}`", path.display());
    fs_err::create_dir_all(folder).with_context(failed)?;
    let mut file = tempfile::Builder::new()
        .prefix(".xtask-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .with_context(failed)?;
    file.write_all(contents.as_bytes()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(path).with_context(failed)?;
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
            shell_words::quote(&mounted.to_string_lossy())
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
