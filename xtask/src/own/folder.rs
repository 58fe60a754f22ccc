// SPDX-License-Identifier: Apache-2.0
//! A folder of ours outside of any repository: the sandbox's. It becomes ours when it is absent or
//! empty, and a marker in it says so from then on.

use std::{
    ffi::{OsStr, OsString},
    io::{Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
};

use anyhow::Context as _;
use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, mkdirat},
    unistd::geteuid,
};

use super::{beneath, mounts, removal};
use crate::failure::Failure;

/// The marker's name in the folder.
const MARKER: &str = "xtask-sandbox";
const TEXT: &str =
    "This folder belongs to `cargo xtask sandbox`; `cargo xtask sandbox down` removes it.";

/// Whose a folder is.
#[derive(Clone, Debug)]
pub(crate) enum Claim {
    /// It is not there, or nothing is in it.
    Free,
    Ours,
    /// Why it is not.
    Foreign(Failure),
}

/// What the marker says: our text and the folder's own identity. A copy of the marker, or of the whole
/// folder, names another one. Device numbers change when a machine starts, so they are no part of it.
fn marker(path: &Path, inode: u64) -> String {
    let path = path.as_os_str().as_bytes().escape_ascii();
    format!("{TEXT}\nfolder {path}\ninode {inode}\n")
}

/// Whose the folder at `path` is, which is resolved ([`super::resolved`]). Changes nothing.
pub(crate) fn claim(path: &Path) -> anyhow::Result<Claim> {
    let found = match fs_err::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Claim::Free),
        found => found?,
    };
    if !found.is_dir() {
        return Ok(Claim::Foreign(
            foreign(path, "it is not a folder").hint("choose another path for the sandbox"),
        ));
    }
    let folder = beneath::open_named(path).with_context(|| failed(path))?;
    if let Some(why) = of_others(&fstat(&folder)?) {
        return Ok(Claim::Foreign(why.of(path, "it")));
    }
    let read = match read_marker(&folder).with_context(|| failed(path))? {
        Some(Err(why)) => return Ok(Claim::Foreign(why.of(path, "its marker"))),
        Some(Ok(text)) => Some(text),
        None => None,
    };
    let own = marker(path, fstat(&folder)?.st_ino);
    let alone = beneath::names(&folder)?.len() == 1;
    match read.as_deref() {
        Some(text) if text == own => Ok(Claim::Ours),
        // Killed while it was written, before anything else was.
        Some(text) if alone && own.starts_with(text) && text.trim_end() != TEXT => Ok(Claim::Free),
        Some(text) if text.trim_end() == TEXT => Ok(Claim::Foreign(
            foreign(path, "its marker is that of an earlier version, which does not say which folder it marks")
                .hint(format!(
                    "if it is a sandbox, let the version that made it end its engine (`sandbox down --keep`), and remove it by hand: {}",
                    by_hand(path)
                )),
        )),
        Some(text) if text.starts_with(TEXT) => Ok(Claim::Foreign(
            foreign(path, "its marker is that of another folder: it was copied or moved")
                .hint(format!(
                    "move it back, or remove it by hand if it is yours to remove: {}",
                    by_hand(path)
                )),
        )),
        None if beneath::names(&folder)?.is_empty() => {
            if mounts::below(path)?.iter().any(|point| point == path) {
                return Ok(Claim::Foreign(
                    foreign(path, "it is a mount point, which could not be removed again")
                        .hint(format!("name a folder in it: `{}`", path.join("sandbox").display())),
                ));
            }
            Ok(Claim::Free)
        }
        _ => Ok(Claim::Foreign(not_marked(path))),
    }
}

/// Why an open file or folder is not ours alone.
enum Others {
    Own(u32),
    MayWrite,
}

impl Others {
    fn of(self, path: &Path, what: &str) -> Failure {
        match self {
            Self::Own(user) => foreign(
                path,
                &format!(
                    "{what} belongs to user {user}, and this is user {}",
                    geteuid()
                ),
            )
            .hint(
                "run this as the user who made it, or name another folder: `XTASK_SANDBOX_FOLDER`",
            ),
            Self::MayWrite => foreign(path, &format!("others may write to {what}")).hint(format!(
                "if what is in it is yours, say so: `chmod -R go-w {}`; or name another folder",
                shell_words::quote(&path.to_string_lossy())
            )),
        }
    }
}

/// What others have a hand in is not ours, whatever it says of itself.
fn of_others(found: &FileStat) -> Option<Others> {
    if found.st_uid != geteuid().as_raw() {
        return Some(Others::Own(found.st_uid));
    }
    let shared = Mode::S_IWGRP | Mode::S_IWOTH;
    Mode::from_bits_truncate(found.st_mode)
        .intersects(shared)
        .then_some(Others::MayWrite)
}

fn failed(path: &Path) -> String {
    format!("cannot determine the owner of `{}`", path.display())
}

fn foreign(path: &Path, why: &str) -> Failure {
    Failure::invalid(format!("`{}` is not a sandbox: {why}", path.display()))
}

fn not_marked(path: &Path) -> Failure {
    foreign(path, "it holds files, and no marker of ours among them")
        .hint("name a folder that is absent or empty: `XTASK_SANDBOX_FOLDER`, or `[sandbox] folder` in `~/.config/xtask/config.toml`")
}

fn by_hand(path: &Path) -> String {
    let quoted = shell_words::quote(&path.to_string_lossy()).into_owned();
    format!("`rm -rf --one-file-system {quoted}`")
}

/// The marker's text, if there is a regular file of that name and of about its size; or why it is not ours.
fn read_marker(folder: &OwnedFd) -> anyhow::Result<Option<Result<String, Others>>> {
    let Some(found) = beneath::look(folder, OsStr::new(MARKER))? else {
        return Ok(None);
    };
    if !beneath::is(&found, SFlag::S_IFREG) {
        return Ok(None);
    }
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = std::fs::File::from(openat(folder, MARKER, flags, Mode::empty())?);
    if let Some(why) = of_others(&fstat(&file)?) {
        return Ok(Some(Err(why)));
    }
    let mut bytes = Vec::new();
    file.take(64 * 1024).read_to_end(&mut bytes)?;
    Ok(Some(Ok(String::from_utf8_lossy(&bytes).into_owned())))
}

/// Makes the folder at `path`, which is resolved, ours, if it is not yet: the marker is the first thing
/// in it. Refused when it is somebody else's.
pub(crate) fn take(path: &Path) -> anyhow::Result<()> {
    match claim(path)? {
        Claim::Ours => return Ok(()),
        Claim::Foreign(failure) => return Err(failure.into()),
        Claim::Free => {}
    }
    let made = || format!("failed to make `{}`", path.display());
    let folder = make(path).with_context(made)?;
    // Between the look and now somebody may have put another one in its place.
    if let Some(why) = of_others(&fstat(&folder)?) {
        return Err(why.of(path, "it").into());
    }
    let text = marker(path, fstat(&folder)?.st_ino);
    let flags = OFlag::O_WRONLY
        | OFlag::O_CREAT
        | OFlag::O_TRUNC
        | OFlag::O_NOFOLLOW
        | OFlag::O_NONBLOCK
        | OFlag::O_CLOEXEC;
    let file = openat(&folder, MARKER, flags, Mode::from_bits_truncate(0o644))
        .map_err(std::io::Error::from);
    let mut file = std::fs::File::from(file.with_context(made)?);
    // Whatever the umask says: what others may write to is not ours.
    fchmod(&file, Mode::from_bits_truncate(0o644))
        .map_err(std::io::Error::from)
        .with_context(made)?;
    file.write_all(text.as_bytes()).with_context(made)?;
    file.sync_all().with_context(made)
}

/// Makes the folder, if it is not there, as one that only we may write to.
fn make(path: &Path) -> anyhow::Result<OwnedFd> {
    let (Some(name), Some(_)) = (path.file_name(), path.parent()) else {
        return Err(not_marked(path).into());
    };
    let above = beneath::make_above(path)?;
    match mkdirat(&above, name, Mode::from_bits_truncate(0o755)) {
        Ok(()) => {
            let folder = beneath::open_child(&above, name)?;
            fchmod(&folder, Mode::from_bits_truncate(0o755))?;
            Ok(folder)
        }
        Err(Errno::EEXIST) => Ok(beneath::open_child(&above, name)?),
        Err(error) => Err(error.into()),
    }
}

/// Makes a folder that only we may look into, if it is not there. Those above it that are missing belong to
/// whoever owns the nearest one, and others may look into them.
pub(crate) fn make_private(path: &Path) -> anyhow::Result<()> {
    let above = beneath::make_above(path)?;
    let name = path.file_name().context("a folder needs a name")?;
    match mkdirat(&above, name, Mode::from_bits_truncate(0o700)) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}

/// What has become of a folder of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    Absent,
    Gone,
    /// What in it has no name that we give; so the folder is there, and its marker.
    Kept(Vec<OsString>),
}

/// Removes what has a name of ours from the folder at `path`, which is resolved, if that is ours; and the
/// folder itself, if nothing else is in it. Who kills us half-way leaves a folder that still says whose it
/// is, and the file `lock`, which the caller holds.
pub(crate) fn remove(
    path: &Path,
    is_ours: &dyn Fn(&OsStr) -> bool,
    lock: &str,
) -> anyhow::Result<Removed> {
    match claim(path)? {
        Claim::Free => return Ok(Removed::Absent),
        Claim::Foreign(failure) => return Err(failure.into()),
        Claim::Ours => {}
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(not_marked(path).into());
    };
    let parent = beneath::open_named(parent)?;
    let ours = |name: &OsStr| name == MARKER || is_ours(name);
    let kept = removal::remove_all(&parent, name, path, &ours, &[lock, MARKER])?;
    Ok(if kept.is_empty() {
        Removed::Gone
    } else {
        Removed::Kept(kept)
    })
}

/// Refuses to go on when something is mounted below `path`, before anything has been ended or removed.
pub(crate) fn refuse_mounts(path: &Path) -> anyhow::Result<()> {
    match mounts::below(path)?.first() {
        Some(mounted) => Err(removal::is_mounted(mounted, path).into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
