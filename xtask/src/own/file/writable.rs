// SPDX-License-Identifier: Apache-2.0
//! Whether a file that the user has named can be written: said before the work, not found out after it.

use std::{io, path::Path};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sys::stat::Mode,
};

use crate::{failure::Failure, own::beneath};

/// Refuses a file that the user has named and that cannot be written. Makes nothing.
pub(crate) fn can_be_written(path: &Path) -> Result<(), Failure> {
    let refuse = |why: String| {
        Err(
            Failure::invalid(format!("`{}` cannot be written: {why}", path.display()))
                .hint("name a file that can be made or replaced"),
        )
    };
    let resolved = match beneath::resolved(path) {
        Ok(resolved) => resolved,
        Err(error) => return refuse(error.to_string()),
    };
    match fs_err::metadata(&resolved) {
        Ok(found) if found.is_dir() => return refuse("it is a folder".into()),
        Ok(found) if !found.is_file() => {
            return match special_can_be_written(&resolved, &found) {
                Ok(()) => Ok(()),
                Err(error) => refuse(error.to_string()),
            };
        }
        Ok(_) if nix::unistd::access(&resolved, nix::unistd::AccessFlags::W_OK).is_err() => {
            return refuse("its permissions do not allow it".into());
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return refuse(error.to_string()),
    }
    let missing = |folder: &&Path| fs_err::symlink_metadata(folder).is_ok();
    let Some(above) = resolved.ancestors().skip(1).find(missing) else {
        return Ok(());
    };
    if !above.is_dir() {
        return refuse(format!("`{}` is not a folder", above.display()));
    }
    if nix::unistd::access(above, nix::unistd::AccessFlags::W_OK).is_err() {
        return refuse(format!("nothing can be made in `{}`", above.display()));
    }
    Ok(())
}

/// The same for what is neither a file nor a folder. A pipe must have a reader, and keeps it: it is held open
/// until we end, or its reader would take our look for the end. A device takes nothing here, and says so if
/// it cannot take anything.
fn special_can_be_written(path: &Path, found: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    let kind = found.file_type();
    if !kind.is_fifo() && !kind.is_char_device() {
        return Err(io::Error::other(
            "it is neither a file, a pipe nor a terminal",
        ));
    }
    match open(path, SPECIAL, Mode::empty()) {
        Ok(file) if kind.is_fifo() => {
            std::mem::forget(file);
            Ok(())
        }
        Ok(file) => nix::unistd::write(&file, &[])
            .map(drop)
            .map_err(io::Error::from),
        Err(Errno::ENXIO) => Err(io::Error::other("it is a pipe that nobody reads")),
        Err(error) => Err(error.into()),
    }
}

/// How a pipe or a device is opened: without waiting for anybody.
pub(super) const SPECIAL: OFlag = OFlag::O_WRONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_CLOEXEC);
