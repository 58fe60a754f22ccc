// SPDX-License-Identifier: Apache-2.0
//! Files that appear whole or not at all, in a place where they may: nothing of somebody else's is
//! written over by way of a link.

mod anchored;
mod temporary;
mod writable;

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Write},
    os::fd::OwnedFd,
    path::Path,
};

use anyhow::Context;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl, openat, renameat},
    sys::stat::{Mode, SFlag, fstat},
    unistd::{UnlinkatFlags, unlinkat},
};

pub(crate) use self::{temporary::is_temporary, writable::can_be_written};

use self::{
    anchored::Anchored,
    temporary::{Access, Temporary},
    writable::SPECIAL,
};
use super::{Location, beneath, removal};
use crate::failure::Failure;

/// Gives a file's contents to a writer.
pub(crate) type Fill<'a> = dyn FnMut(&mut dyn Write) -> io::Result<()> + 'a;

/// Writes `contents` to a temporary file beside `location` and renames it: a reader, a full disk or a
/// kill never sees half of it, and the old file stays until the new one is complete. A file that is
/// replaced keeps its mode and its owner.
pub(crate) fn write_atomically(location: &Location, contents: &str) -> anyhow::Result<()> {
    write_with(location, &mut |to| to.write_all(contents.as_bytes()))
}

/// The same, of what is given piece by piece to a writer.
pub(crate) fn write_with(location: &Location, give: &mut Fill<'_>) -> anyhow::Result<()> {
    write(location, give, Access::Readable)
}

/// The same, for a file that only its owner may read.
pub(crate) fn write_private(location: &Location, contents: &str) -> anyhow::Result<()> {
    write(
        location,
        &mut |to| to.write_all(contents.as_bytes()),
        Access::Private,
    )
}

/// The same, for a program that anybody may run.
pub(crate) fn write_program(location: &Location, contents: &str) -> anyhow::Result<()> {
    write(
        location,
        &mut |to| to.write_all(contents.as_bytes()),
        Access::Program,
    )
}

/// Writes a file where there is none, whole or not at all. What is there already, a link too, stays as it is and is
/// an error.
pub(crate) fn write_new(location: &Location, contents: &str) -> anyhow::Result<()> {
    let failed = || format!("failed to write `{}`", location.display());
    let anchored = Anchored::find(location)?;
    let (folder, name) = anchored.parent(true)?;
    let new = Temporary::make(&folder).with_context(failed)?;
    new.dress(None, anchored.owner, Access::Readable)
        .map_err(io::Error::from)
        .with_context(failed)?;
    let is_made = new
        .fill(&mut |to| to.write_all(contents.as_bytes()))
        .and_then(|()| new.take_a_free_name(&name));
    if is_made.with_context(failed)? {
        return Ok(());
    }
    let text = format!(
        "`{}` is there already, and stays as it is",
        location.display()
    );
    Err(Failure::failed(text).into())
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(location: &Location) -> anyhow::Result<()> {
    let anchored = Anchored::find(location)?;
    anchored.folder(true).map(drop)
}

/// Gives a file or folder of ours another name; what has that name already is replaced.
pub(crate) fn rename(from: &Location, to: &Location) -> anyhow::Result<()> {
    let failed = || {
        format!(
            "failed to rename `{}` to `{}`",
            from.display(),
            to.display()
        )
    };
    let (source, name) = Anchored::find(from)?.parent(false)?;
    let (target, new) = Anchored::find(to)?.parent(false)?;
    for (folder, name, location) in [(&source, &name, from), (&target, &new, to)] {
        let found = beneath::look(folder, name).with_context(failed)?;
        if found.is_some_and(|found| beneath::is(&found, SFlag::S_IFLNK)) {
            return Err(beneath::is_a_link(folder, name, location).into());
        }
    }
    renameat(&source, name.as_os_str(), &target, new.as_os_str())
        .map_err(io::Error::from)
        .with_context(failed)
}

/// Removes a folder of ours and all in it, if it is there.
pub(crate) fn remove_folder(location: &Location) -> anyhow::Result<()> {
    if let Location::Named(path) | Location::Repository(path) = location {
        anyhow::bail!("`{}` is not ours to remove", path.display());
    }
    match Anchored::find(location)?.parent(false) {
        Ok((folder, name)) => removal::remove(&folder, &name, location),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes a file of ours, if it is there.
pub(crate) fn remove_file(location: &Location) -> anyhow::Result<()> {
    if let Location::Named(path) | Location::Repository(path) = location {
        anyhow::bail!("`{}` is not ours to remove", path.display());
    }
    let (folder, name) = match Anchored::find(location)?.parent(false) {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    let failed = || format!("failed to remove `{}`", location.display());
    let found = beneath::look(&folder, &name).with_context(failed)?;
    if found.is_some_and(|found| beneath::is(&found, SFlag::S_IFLNK)) {
        return Err(beneath::is_a_link(&folder, &name, location).into());
    }
    match unlinkat(&folder, name.as_os_str(), UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(error) => Err(io::Error::from(error)).with_context(failed),
    }
}

/// Gives a file that a tool has made as root, where the user has named it, to the repository's owner when
/// it is in the repository.
pub(crate) fn hand_over(path: &Path) -> anyhow::Result<()> {
    let anchored = Anchored::named(path)?;
    let Some(owner) = anchored.owner else {
        return Ok(());
    };
    let (folder, name) = anchored.parent(false)?;
    super::output::give(&folder, &name, path, owner)
        .map(drop)
        .with_context(|| format!("`{}` still belongs to root", path.display()))
}

/// Opens a log of our own for writing at its end, and empties it first when it is to be `fresh`. Made when it is
/// not there; never by way of a link, and never a file that has a second name.
pub(crate) fn open_log(path: &Path, fresh: bool) -> io::Result<File> {
    let flags = OFlag::O_WRONLY
        | OFlag::O_CREAT
        | OFlag::O_APPEND
        | OFlag::O_NOFOLLOW
        | OFlag::O_NONBLOCK
        | OFlag::O_NOCTTY
        | OFlag::O_CLOEXEC;
    let file = File::from(nix::fcntl::open(
        path,
        flags,
        Mode::from_bits_truncate(0o644),
    )?);
    let found = fstat(&file)?;
    if !beneath::is(&found, SFlag::S_IFREG) || found.st_nlink > 1 {
        return Err(io::Error::other("it is no plain file of ours"));
    }
    if fresh {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Adds to a file that the environment names what `text` makes of the bytes that are in it. A pipe that nobody reads
/// keeps nobody waiting.
pub(crate) fn append_named(
    path: &Path,
    text: impl FnOnce(u64) -> io::Result<String>,
) -> io::Result<()> {
    let flags = OFlag::O_WRONLY
        | OFlag::O_CREAT
        | OFlag::O_APPEND
        | OFlag::O_NONBLOCK
        | OFlag::O_NOCTTY
        | OFlag::O_CLOEXEC;
    let file = nix::fcntl::open(path, flags, Mode::from_bits_truncate(0o644))?;
    let mut file = File::from(file);
    let text = text(file.metadata()?.len())?;
    file.write_all(text.as_bytes())
}

pub(super) fn is_absent(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn write(location: &Location, give: &mut Fill<'_>, access: Access) -> anyhow::Result<()> {
    let failed = || format!("failed to write `{}`", location.display());
    let anchored = Anchored::find(location)?;
    let parent = anchored.parent(true);
    let (folder, name) = parent.map_err(|error| match error.downcast::<Failure>() {
        Ok(failure) => anyhow::Error::from(failure),
        Err(error) => error.context(failed()),
    })?;
    let old = beneath::look(&folder, &name).with_context(failed)?;
    if let Some(old) = &old {
        if beneath::is(old, SFlag::S_IFLNK) {
            if !anchored.replaces_links {
                return Err(beneath::is_a_link(&folder, &name, location).into());
            }
        } else if !beneath::is(old, SFlag::S_IFREG) {
            if !matches!(location, Location::Named(_)) {
                return Err(io::Error::other("it is not a regular file")).with_context(failed);
            }
            // What a user names may be a pipe or a device: it is written to, not replaced.
            return write_into(&folder, &name, give).with_context(failed);
        }
    }
    let old = old.filter(|old| beneath::is(old, SFlag::S_IFREG));
    let new = Temporary::make(&folder).with_context(failed)?;
    match new.dress(old.as_ref(), anchored.owner, access) {
        // Only root can give a file away. One that lies in a folder of several people stays whose it is.
        Err(Errno::EPERM) if old.is_some() => {
            drop(new);
            return write_into(&folder, &name, give).with_context(failed);
        }
        dressed => dressed.map_err(io::Error::from).with_context(failed)?,
    }
    new.fill(give)
        .and_then(|()| new.take_the_name(&name))
        .with_context(failed)
}

fn write_into(folder: &OwnedFd, name: &OsStr, give: &mut Fill<'_>) -> io::Result<()> {
    let flags = SPECIAL | OFlag::O_TRUNC | OFlag::O_NOFOLLOW;
    let file = openat(folder, name, flags, Mode::empty())?;
    // It has a reader now, who may take his time.
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    let mut file = File::from(file);
    give(&mut file)
}
