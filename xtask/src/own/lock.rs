// SPDX-License-Identifier: Apache-2.0
//! A file that one run holds at a time, and that says who it is.

use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use fs_err::os::unix::fs::OpenOptionsExt;

use crate::failure::Failure;

/// How often another run is asked whether it has ended.
const EVERY: Duration = Duration::from_millis(50);
/// How often before it is said that there is one to wait for: it has just taken the lock, and says who it
/// is in the next moment.
const TRIES: u32 = 6;

/// Held until it is dropped. Closed on exec, so no child has it: what holds it is a run that goes on.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
    path: PathBuf,
}

impl LockFile {
    /// Waits until nobody else has it. `waiting` is called once when that takes a while, with what the
    /// file says; the wait ends when `interrupted` says so.
    pub(crate) fn take(
        path: &Path,
        interrupted: &dyn Fn() -> bool,
        waiting: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Self> {
        let mut tries = 0;
        loop {
            let file = open(path)?;
            let locked = attempt(&file).map_err(|error| refused(path, &error))?;
            let mut lock = Self {
                file,
                path: path.to_owned(),
            };
            if locked {
                if lock.is_there() {
                    return Ok(lock);
                }
                // Its holder has removed it; the one that stands in its place is the lock.
                lock.forget();
                continue;
            }
            tries += 1;
            if tries == TRIES {
                waiting(&lock.text());
            }
            lock.forget();
            if interrupted() {
                return Err(Failure::interrupted().into());
            }
            std::thread::sleep(EVERY);
        }
    }

    /// Whether the file is from a run that was killed: it names a holder, and nobody holds it. Waits for
    /// nobody and makes nothing.
    pub(crate) fn is_left(path: &Path) -> bool {
        let named =
            fs_err::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0);
        // Let go of at once, by being dropped.
        // One that cannot be locked at all says nothing of a run.
        named && open_existing(path).is_ok_and(|file| attempt(&file).is_ok_and(|locked| locked))
    }

    /// What the file says. Text that is there when the lock is taken is from a run that was killed.
    pub(crate) fn text(&mut self) -> String {
        let mut text = String::new();
        let read = self
            .file
            .rewind()
            .and_then(|()| self.file.read_to_string(&mut text));
        // What cannot be read is nothing that we wrote.
        read.map_or_else(|_| String::new(), |_| text)
    }

    /// Says who holds it. The new text stands before the old one is cut off: killed in between, we leave
    /// two, of which the first counts, and never none.
    pub(crate) fn write(&mut self, text: &str) -> anyhow::Result<()> {
        let mut replace = || {
            self.file.rewind()?;
            self.file.write_all(text.as_bytes())?;
            self.file.set_len(text.len() as u64)
        };
        replace().with_context(|| format!("failed to write `{}`", self.path.display()))
    }

    fn is_there(&self) -> bool {
        let there = fs_err::symlink_metadata(&self.path);
        let own = self.file.metadata();
        there.is_ok_and(|there| {
            own.is_ok_and(|own| (there.dev(), there.ino()) == (own.dev(), own.ino()))
        })
    }

    /// Lets go of a file that is not locked by us.
    fn forget(mut self) {
        self.path = PathBuf::new();
    }
}

/// At a normal end nothing is left: neither the text, which would speak of a killed run, nor the file.
impl Drop for LockFile {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() && self.is_there() {
            let emptied = self.file.set_len(0);
            let removed = fs_err::remove_file(&self.path);
            tracing::debug!(path = %self.path.display(), ?emptied, ?removed, "lock released");
        }
    }
}

/// Locks an open file if nobody else has it locked: then the answer is true. Any other reason why it cannot be
/// locked is an error, and says nothing of others.
pub(crate) fn attempt(file: &File) -> std::io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Why there is no lock on `path`, when not because somebody else has it.
pub(crate) fn refused(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unavailable(format!("`{}` cannot be locked: {error}", path.display()))
        .hint("its file system must know locks (flock): work on a local disk")
}

/// Opens the file for reading and writing; made when it is not there. Never by way of a link, and never one
/// of somebody else.
pub(crate) fn open(path: &Path) -> anyhow::Result<File> {
    opened(path, true)
}

/// The same, of a file that must be there.
pub(crate) fn open_existing(path: &Path) -> anyhow::Result<File> {
    opened(path, false)
}

fn opened(path: &Path, make: bool) -> anyhow::Result<File> {
    let failed = || format!("failed to open the lock `{}`", path.display());
    if make {
        super::beneath::make_above(path).with_context(failed)?;
    }
    let file = fs_err::File::options()
        .create(make)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
        .open(path)
        .with_context(failed)?
        .into_parts()
        .0;
    let found = file.metadata().with_context(failed)?;
    let own = nix::unistd::geteuid().as_raw();
    if !found.is_file() || found.uid() != own || found.nlink() > 1 {
        return Err(Failure::unavailable(format!(
            "`{}` is not a lock of ours: it is of somebody else, or no plain file",
            path.display()
        ))
        .hint("look at it, and remove it if nobody needs it")
        .into());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(path: &Path) -> anyhow::Result<LockFile> {
        LockFile::take(path, &|| true, &mut |_| {})
    }

    #[test]
    fn one_holds_it_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/x.lock");
        let mut lock = take(&path).unwrap();
        lock.write("a longer text").unwrap();
        lock.write("me").unwrap();
        assert!(take(&path).is_err());
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "me");
        drop(lock);
        assert!(!path.exists());
        // A run that was killed leaves its text.
        fs_err::File::create(&path)
            .unwrap()
            .write_all(b"gone")
            .unwrap();
        assert!(LockFile::is_left(&path));
        let lock = take(&path).unwrap();
        assert!(!LockFile::is_left(&path));
        drop(lock);
        assert!(!LockFile::is_left(&path));
        fs_err::File::create(&path)
            .unwrap()
            .write_all(b"gone")
            .unwrap();
        assert_eq!(take(&path).unwrap().text(), "gone");
    }

    #[test]
    fn neither_a_link_nor_a_second_name_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let foreign = folder.path().join("foreign");
        fs_err::File::create(&foreign)
            .unwrap()
            .write_all(b"kept")
            .unwrap();
        let path = folder.path().join("x.lock");
        std::os::unix::fs::symlink(&foreign, &path).unwrap();
        assert!(take(&path).is_err());
        fs_err::remove_file(&path).unwrap();
        fs_err::hard_link(&foreign, &path).unwrap();
        assert!(take(&path).is_err());
        assert_eq!(fs_err::read_to_string(&foreign).unwrap(), "kept");
    }
}
