// SPDX-License-Identifier: Apache-2.0
//! A new file under a name of its own, until it is complete and takes the one that it is for.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, BufWriter, Write},
    os::fd::{AsFd, OwnedFd},
};

use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat, renameat},
    sys::stat::{FileStat, Mode, fchmod, fstat},
    unistd::{Gid, Uid, UnlinkatFlags, fchown, linkat, unlinkat},
};

use crate::own::beneath::Owner;

/// What may be done with a new file; one that is replaced keeps what it has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Readable,
    /// Only its owner may read it, also when it replaces a file that others could read.
    Private,
    Program,
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
pub(super) struct Temporary<'a> {
    folder: &'a OwnedFd,
    name: String,
    file: File,
}

impl<'a> Temporary<'a> {
    pub(super) fn make(folder: &'a OwnedFd) -> io::Result<Self> {
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
    pub(super) fn dress(
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

    pub(super) fn fill(&self, give: &mut super::Fill<'_>) -> io::Result<()> {
        let mut file = BufWriter::new(&self.file);
        give(&mut file)?;
        file.flush()?;
        self.file.sync_all()
    }

    /// Takes a name that nothing has, whoever is quicker: the kernel refuses one that is taken. Whether it was free.
    pub(super) fn take_a_free_name(self, name: &OsStr) -> io::Result<bool> {
        let own = self.name.as_str();
        match linkat(self.folder, own, self.folder, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::EEXIST) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn take_the_name(mut self, name: &OsStr) -> io::Result<()> {
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
