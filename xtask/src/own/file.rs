// SPDX-License-Identifier: Apache-2.0
//! Files that appear whole or not at all, in a place where they may: nothing of somebody else's is
//! written over by way of a link.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use anyhow::Context;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl, openat, renameat},
    sys::stat::{FileStat, Mode, SFlag, fchmod, fstat},
    unistd::{Gid, Uid, UnlinkatFlags, fchown, unlinkat},
};

use super::{
    Location,
    beneath::{self, Missing, Owner},
    removal,
};
use crate::failure::Failure;

/// What may be done with a new file; one that is replaced keeps what it has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Readable,
    /// Only its owner may read it, also when it replaces a file that others could read.
    Private,
    Program,
}

/// Writes `contents` to a temporary file beside `location` and renames it: a reader, a full disk or a
/// kill never sees half of it, and the old file stays until the new one is complete. A file that is
/// replaced keeps its mode and its owner.
pub(crate) fn write_atomically(location: &Location, contents: &str) -> anyhow::Result<()> {
    write(location, contents, Access::Readable)
}

/// The same, for a file that only its owner may read.
pub(crate) fn write_private(location: &Location, contents: &str) -> anyhow::Result<()> {
    write(location, contents, Access::Private)
}

/// The same, for a program that anybody may run.
pub(crate) fn write_program(location: &Location, contents: &str) -> anyhow::Result<()> {
    write(location, contents, Access::Program)
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

/// Says before the work what would otherwise be found out after it: that a file which the user has
/// named cannot be written. Makes nothing.
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
    match nix::fcntl::open(path, SPECIAL, Mode::empty()) {
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
const SPECIAL: OFlag = OFlag::O_WRONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_CLOEXEC);

pub(super) fn is_absent(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// A location, anchored at the open folder that it is looked up in.
struct Anchored {
    top: OwnedFd,
    /// Relative to `top`, without a link that we would follow.
    path: PathBuf,
    /// What people call `top`; empty where it is the repository's root.
    shown: PathBuf,
    /// A link in the last part is replaced, not refused: all in there is ours.
    replaces_links: bool,
    owner: Option<Owner>,
    /// To whom folders go that are made on the way.
    above: Option<Owner>,
}

impl Anchored {
    /// The repository's root is the current folder: the program enters it when it starts.
    fn find(location: &Location) -> anyhow::Result<Self> {
        let failed = || format!("failed to write `{}`", location.display());
        let root = Path::new(".");
        let (top, path, replaces_links) = match location {
            Location::Output(path) => (root, relative(path)?, false),
            Location::Repository(path) => (root, beneath::within(root, &relative(path)?)?, false),
            Location::Ours { folder, path } => (
                folder.as_path(),
                path.strip_prefix(folder).with_context(failed)?.to_owned(),
                true,
            ),
            Location::Named(path) => return Self::named(path).with_context(failed),
        };
        let top_folder = beneath::open_named(top).with_context(failed)?;
        Ok(Self {
            owner: Owner::of(&top_folder)?,
            above: Owner::of(&top_folder)?,
            top: top_folder,
            path,
            shown: if top == root {
                PathBuf::new()
            } else {
                top.to_owned()
            },
            replaces_links,
        })
    }

    fn named(path: &Path) -> anyhow::Result<Self> {
        let resolved = beneath::resolved(path)?;
        let root = fs_err::canonicalize(".")?;
        let owner = match resolved.strip_prefix(&root) {
            Ok(_) => Owner::of(beneath::open_named(&root)?)?,
            Err(_) => None,
        };
        let is_there = |folder: &&Path| folder.is_dir();
        let above = resolved.ancestors().skip(1).find(is_there);
        let above = above.unwrap_or(Path::new("/"));
        let top = beneath::open_named(above)?;
        Ok(Self {
            above: Owner::of(&top)?.or(owner),
            top,
            path: resolved.strip_prefix(above)?.to_owned(),
            shown: above.to_owned(),
            replaces_links: false,
            owner,
        })
    }

    fn missing(&self, make: bool) -> Missing {
        if make {
            Missing::Made(self.above)
        } else {
            Missing::Refused
        }
    }

    fn folder(&self, make: bool) -> anyhow::Result<OwnedFd> {
        let missing = self.missing(make);
        beneath::open(&self.top, &self.path, &self.shown, missing)
    }

    /// The folder that it lies in, and its name there.
    fn parent(&self, make: bool) -> anyhow::Result<(OwnedFd, OsString)> {
        let name = self.path.file_name().context("a file needs a name")?;
        let above = self.path.parent().unwrap_or(Path::new(""));
        let missing = self.missing(make);
        let folder = beneath::open(&self.top, above, &self.shown, missing)?;
        Ok((folder, name.to_owned()))
    }
}

/// A path below the root, which may be told from there or from the machine's root.
fn relative(path: &Path) -> anyhow::Result<PathBuf> {
    if path.is_relative() {
        return Ok(path.to_owned());
    }
    let root = fs_err::canonicalize(".")?;
    let inside = path.strip_prefix(&root);
    Ok(inside.map_err(|_| beneath::leads_out(path))?.to_owned())
}

fn write(location: &Location, contents: &str, access: Access) -> anyhow::Result<()> {
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
            return write_into(&folder, &name, contents).with_context(failed);
        }
    }
    let old = old.filter(|old| beneath::is(old, SFlag::S_IFREG));
    let new = Temporary::make(&folder).with_context(failed)?;
    match new.dress(old.as_ref(), anchored.owner, access) {
        // Only root can give a file away. One that lies in a folder of several people stays whose it is.
        Err(Errno::EPERM) if old.is_some() => {
            drop(new);
            return write_into(&folder, &name, contents).with_context(failed);
        }
        dressed => dressed.map_err(io::Error::from).with_context(failed)?,
    }
    new.fill(contents)
        .and_then(|()| new.take_the_name(&name))
        .with_context(failed)
}

fn write_into(folder: &OwnedFd, name: &OsStr, contents: &str) -> io::Result<()> {
    let flags = SPECIAL | OFlag::O_TRUNC | OFlag::O_NOFOLLOW;
    let file = openat(folder, name, flags, Mode::empty())?;
    // It has a reader now, who may take his time.
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    let mut file = File::from(file);
    file.write_all(contents.as_bytes())
}

/// What the name of a file begins with that a kill has kept from its own.
const TEMPORARY: &str = ".xtask-";

/// Whether a file has such a name.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY).is_some_and(|rest| {
        rest.len() == 16
            && rest
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A file that is removed again unless it takes another's name.
struct Temporary<'a> {
    folder: &'a OwnedFd,
    name: String,
    file: File,
}

impl<'a> Temporary<'a> {
    fn make(folder: &'a OwnedFd) -> io::Result<Self> {
        let name = format!(
            "{TEMPORARY}{:016x}",
            getrandom::u64().map_err(io::Error::other)?
        );
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(
            folder,
            name.as_str(),
            flags,
            Mode::from_bits_truncate(0o600),
        )?;
        Ok(Self {
            folder,
            name,
            file: file.into(),
        })
    }

    /// Gives it the owner and the mode of the file that it is to replace.
    fn dress(
        &self,
        old: Option<&FileStat>,
        owner: Option<Owner>,
        access: Access,
    ) -> nix::Result<()> {
        let own = fstat(self.file.as_fd())?;
        let wanted = match (old, owner) {
            (Some(old), _) => Some((old.st_uid, old.st_gid)),
            (None, Some(owner)) => Some((owner.user.as_raw(), owner.group.as_raw())),
            (None, None) => None,
        };
        if let Some((user, group)) = wanted.filter(|wanted| *wanted != (own.st_uid, own.st_gid)) {
            fchown(
                &self.file,
                Some(Uid::from_raw(user)),
                Some(Gid::from_raw(group)),
            )?;
        }
        let mode = match (old, access) {
            (_, Access::Program) => 0o755,
            (Some(old), Access::Readable) => old.st_mode & 0o7777,
            (Some(old), Access::Private) => old.st_mode & 0o700,
            (None, Access::Readable) => 0o644,
            (None, Access::Private) => 0o600,
        };
        fchmod(&self.file, Mode::from_bits_truncate(mode))
    }

    fn fill(&self, contents: &str) -> io::Result<()> {
        (&self.file).write_all(contents.as_bytes())?;
        self.file.sync_all()
    }

    fn take_the_name(mut self, name: &OsStr) -> io::Result<()> {
        renameat(self.folder, self.name.as_str(), self.folder, name)?;
        self.name.clear();
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            // Nobody else knows the name; where it cannot be removed, the error that led here is said.
            let _kept = unlinkat(self.folder, self.name.as_str(), UnlinkatFlags::NoRemoveDir);
        }
    }
}
