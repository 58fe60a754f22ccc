// SPDX-License-Identifier: Apache-2.0
//! Files that appear whole or not at all.

use std::{io::Write, path::Path};

use anyhow::Context;

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
