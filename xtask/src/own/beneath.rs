// SPDX-License-Identifier: Apache-2.0
//! Ways into a folder that no link leads out of: each part of a path is opened from the one before it,
//! and a link is refused, whoever put it there and whenever.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{self, AtFlags, OFlag, openat, readlinkat},
    sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat},
    unistd::{Gid, Uid, fchown, geteuid},
};

use crate::failure::Failure;

/// How a folder is opened: never through a link in its last part.
const FOLDER: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// How many links in a row may lead on, as Linux has it.
const MOST_LINKS: usize = 40;

/// To whom a repository belongs, when that is not us: what root makes in it is given to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(super) user: Uid,
    pub(super) group: Gid,
}

impl Owner {
    /// The owner of an open folder. None when what we make is to stay ours: it is our own folder, or we
    /// are not root and could not give anything away.
    pub(super) fn of(folder: impl AsFd) -> io::Result<Option<Self>> {
        let found = fstat(folder)?;
        let owner = Self {
            user: Uid::from_raw(found.st_uid),
            group: Gid::from_raw(found.st_gid),
        };
        Ok((geteuid().is_root() && !owner.user.is_root()).then_some(owner))
    }

    pub(super) fn takes(self, file: impl AsFd) -> io::Result<()> {
        Ok(fchown(file, Some(self.user), Some(self.group))?)
    }
}

/// What becomes of a folder that is not there.
#[derive(Clone, Copy)]
pub(super) enum Missing {
    Refused,
    /// It is made, and given to the owner.
    Made(Option<Owner>),
}

/// Opens a folder that somebody has named; links on the way to it are theirs.
pub(super) fn open_named(path: &Path) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let flags = FOLDER.difference(OFlag::O_NOFOLLOW);
    Ok(fcntl::open(path, flags, Mode::empty())?)
}

/// Opens a folder in a folder.
pub(super) fn open_child(folder: impl AsFd, name: &OsStr) -> nix::Result<OwnedFd> {
    openat(folder, name, FOLDER, Mode::empty())
}

/// The same, unless it is mounted there: [`Errno::EXDEV`] then. Only the kernel knows of a folder that is
/// mounted a second time in the same file system.
#[cfg(target_os = "linux")]
fn open_unless_mounted(folder: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    match open_here(folder, name, FOLDER) {
        // A kernel before 5.6, or a container's filter that does not know the call. What is mounted was
        // looked at before.
        Err(Errno::ENOSYS | Errno::EPERM) => open_child(folder, name),
        opened => opened,
    }
}

#[cfg(not(target_os = "linux"))]
fn open_unless_mounted(folder: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    open_child(folder, name)
}

/// Opens a folder in a folder, unless it is mounted there or of another file system: [`Errno::EXDEV`] then.
pub(super) fn open_on_the_same_mount(folder: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    let inside = open_unless_mounted(folder, name)?;
    if fstat(&inside)?.st_dev == fstat(folder)?.st_dev {
        Ok(inside)
    } else {
        Err(Errno::EXDEV)
    }
}

/// Opens what lies in a folder by that name, whatever it is, without looking into it: a link as a link. What
/// is mounted there is refused ([`Errno::EXDEV`]).
#[cfg(target_os = "linux")]
pub(super) fn open_entry(folder: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    match open_here(folder, name, flags) {
        Err(Errno::ENOSYS | Errno::EPERM) => {
            if super::mounts::is_point(folder, name) {
                return Err(Errno::EXDEV);
            }
            openat(folder, name, flags, Mode::empty())
        }
        opened => opened,
    }
}

#[cfg(target_os = "linux")]
fn open_here(folder: &OwnedFd, name: &OsStr, flags: OFlag) -> nix::Result<OwnedFd> {
    use nix::fcntl::{OpenHow, ResolveFlag, openat2};
    let how = OpenHow::new().flags(flags).resolve(
        ResolveFlag::RESOLVE_NO_XDEV
            | ResolveFlag::RESOLVE_NO_SYMLINKS
            | ResolveFlag::RESOLVE_BENEATH,
    );
    openat2(folder, name, how)
}

/// What lies in a folder by that name, a link as a link; None when nothing does.
pub(super) fn look(folder: impl AsFd, name: &OsStr) -> io::Result<Option<FileStat>> {
    match fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::ENOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn is(found: &FileStat, kind: SFlag) -> bool {
    SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == kind
}

/// The names in an open folder.
pub(super) fn names(folder: &OwnedFd) -> io::Result<Vec<OsString>> {
    use std::os::unix::ffi::OsStrExt;
    // Opened anew: reading moves the place in a folder, which a copied descriptor would share.
    let mut entries = Dir::from_fd(openat(folder, ".", FOLDER, Mode::empty())?)?;
    let mut names = Vec::new();
    for entry in entries.iter() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Opens the folder `path` beneath `top`, part by part and never through a link. Names what is in the way by `shown`, which is what
/// people call `top`.
pub(super) fn open(
    top: &OwnedFd,
    path: &Path,
    shown: &Path,
    missing: Missing,
) -> anyhow::Result<OwnedFd> {
    let mut folder = top.try_clone()?;
    let mut here = shown.to_owned();
    for part in path.components() {
        let name = match part {
            Component::CurDir => continue,
            Component::Normal(name) => name,
            _ => return Err(leads_out(&shown.join(path)).into()),
        };
        here.push(name);
        let mut next = open_child(&folder, name);
        if let (Err(Errno::ENOENT), Missing::Made(owner)) = (&next, missing) {
            next = match mkdirat(&folder, name, Mode::from_bits_truncate(0o755)) {
                // Another run of ours was faster.
                Ok(()) | Err(Errno::EEXIST) => open_child(&folder, name),
                Err(error) => Err(error),
            };
            if let (Ok(made), Some(owner)) = (&next, owner) {
                owner.takes(made)?;
            }
        }
        folder = next.map_err(|error| in_the_way(&folder, name, &here, error))?;
    }
    Ok(folder)
}

/// Opens the folder that `path`, which is resolved, lies in. What is missing on the way is made, and belongs
/// to whoever owns the nearest folder that was there.
pub(super) fn make_above(path: &Path) -> anyhow::Result<OwnedFd> {
    let above = path.parent().unwrap_or(Path::new("/"));
    let there = above.ancestors().find(|folder| folder.is_dir());
    let there = there.unwrap_or(Path::new("/"));
    let top = open_named(there)?;
    let owner = Owner::of(&top)?;
    open(
        &top,
        above.strip_prefix(there)?,
        there,
        Missing::Made(owner),
    )
}

/// Why a folder in a folder cannot be opened or made.
pub(super) fn in_the_way(
    folder: &OwnedFd,
    name: &OsStr,
    shown: &Path,
    error: Errno,
) -> anyhow::Error {
    let link = matches!(look(folder, name), Ok(Some(found)) if is(&found, SFlag::S_IFLNK));
    if link && matches!(error, Errno::ENOTDIR | Errno::ELOOP) {
        return is_a_link(folder, name, shown).into();
    }
    let error = io::Error::from(error);
    anyhow::Error::new(error).context(format!("failed to open `{}`", shown.display()))
}

/// The refusal of a link where only our own files and folders may lie.
pub(super) fn is_a_link(folder: &OwnedFd, name: &OsStr, shown: &Path) -> Failure {
    let target = readlinkat(folder, name).unwrap_or_default();
    Failure::invalid(format!(
        "`{}` is a link to `{}`, and xtask writes and removes only what is its own",
        shown.display(),
        Path::new(&target).display()
    ))
    .hint(format!(
        "remove the link: `rm {}`",
        shell_words::quote(&shown.to_string_lossy())
    ))
}

pub(super) fn leads_out(shown: &Path) -> Failure {
    Failure::invalid(format!("`{}` leads out of the repository", shown.display()))
        .hint("what belongs to a repository lies below its root; a link must end there too")
}

/// Where `path` leads when every link in it is followed, also one whose end is not there yet. Absolute.
pub(crate) fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs_err::canonicalize(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        if fs_err::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            path = parent.join(fs_err::read_link(&path)?);
            continue;
        }
        let Some(name) = path.file_name() else {
            break;
        };
        return Ok(resolved(&parent)?.join(name));
    }
    Err(io::Error::other(format!(
        "`{}` cannot be followed to where it leads",
        path.display()
    )))
}

/// Where `path` beneath `root` leads, relative to the root; refused when that is outside. Links that
/// stay inside are followed.
pub(super) fn within(root: &Path, path: &Path) -> anyhow::Result<PathBuf> {
    let top = fs_err::canonicalize(root)?;
    let place = resolved(&top.join(path))?;
    match place.strip_prefix(&top) {
        Ok(inside) => Ok(inside.to_owned()),
        Err(_) => Err(leads_out(path).into()),
    }
}
