// SPDX-License-Identifier: Apache-2.0
//! Reads what a repository holds: ordinary files of a bounded size below its root, wherever its links
//! claim to lead.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open, openat},
    sys::stat::Mode,
};

use super::beneath::{self, Missing};
use crate::failure::Failure;

/// No file that people write for us comes near this.
const LIMIT: u64 = 4 << 20;

/// What tools print in an hour stays below this.
const LOG_LIMIT: u64 = 64 << 20;

/// How a file is opened: a pipe must not keep us waiting.
const READ: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_CLOEXEC);

/// The text of a file below `root`; None when there is none. `path` is told from the root, or holds it.
pub(crate) fn read(root: &Path, path: &Path) -> Result<Option<String>, Failure> {
    let path = path.strip_prefix(root).unwrap_or(path);
    match opened(root, path) {
        Ok(Some(file)) => text(file, path).map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(unreadable(error, path)),
    }
}

/// Refuses a path of the repository that leads out of it, there or not.
pub(crate) fn stays_inside(root: &Path, path: &Path) -> Result<(), Failure> {
    match beneath::within(root, path) {
        Ok(_) => Ok(()),
        Err(error) => Err(unreadable(error, path)),
    }
}

/// The text of a file that the user has named, wherever it is; None when there is none.
pub(crate) fn read_named(path: &Path) -> Result<Option<String>, Failure> {
    match open(path, READ, Mode::empty()) {
        Ok(file) => text(file.into(), path).map(Some),
        Err(Errno::ENOENT) => Ok(None),
        Err(error) => Err(unreadable(std::io::Error::from(error).into(), path)),
    }
}

/// A file that the user has named, opened, of any size; None when there is none.
pub(crate) fn open_named(path: &Path) -> Result<Option<File>, Failure> {
    let refused =
        |what: &str| Failure::invalid(format!("`{}` cannot be read: {what}", path.display()));
    let file = match open(path, READ, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::ENOENT) => return Ok(None),
        Err(error) => return Err(refused(&std::io::Error::from(error).to_string())),
    };
    let found = file
        .metadata()
        .map_err(|error| refused(&error.to_string()))?;
    if !found.is_file() {
        return Err(refused("it is not an ordinary file"));
    }
    Ok(Some(file))
}

/// The text of a file of our own: `path` beneath `folder`, without a link in any part of it. None when there
/// is none.
pub(crate) fn read_own(folder: &Path, path: &Path) -> Result<Option<String>, Failure> {
    let shown = folder.join(path);
    match opened_own(folder, path) {
        Ok(Some(file)) => text(file, &shown).map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(unreadable(error, &shown)),
    }
}

/// The same file, opened: for what is read piece by piece, of any size.
pub(crate) fn open_own(folder: &Path, path: &Path) -> Result<File, Failure> {
    let found = opened_own(folder, path).and_then(|file| {
        let file = file
            .ok_or(std::io::ErrorKind::NotFound)
            .map_err(std::io::Error::from)?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            anyhow::bail!("it is not an ordinary file")
        }
    });
    found.map_err(|error| unreadable(error, &folder.join(path)))
}

/// The end of a log of our own, as far as anybody reads it; None when it is not there or no plain file.
pub(crate) fn read_log(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::from(open(path, READ | OFlag::O_NOFOLLOW, Mode::empty()).ok()?);
    let found = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    file.seek(SeekFrom::Start(found.len().saturating_sub(LOG_LIMIT)))
        .ok()?;
    let mut bytes = Vec::new();
    file.take(LOG_LIMIT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn opened_own(folder: &Path, path: &Path) -> anyhow::Result<Option<File>> {
    let Some(name) = path.file_name() else {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory).into());
    };
    let above = path.parent().unwrap_or(Path::new(""));
    let inside = beneath::open_named(folder)
        .map_err(anyhow::Error::from)
        .and_then(|top| beneath::open(&top, above, folder, Missing::Refused));
    let inside = match inside {
        Err(error) if super::file::is_absent(&error) => return Ok(None),
        inside => inside?,
    };
    match openat(&inside, name, READ | OFlag::O_NOFOLLOW, Mode::empty()) {
        Ok(file) => Ok(Some(file.into())),
        Err(Errno::ENOENT) => Ok(None),
        Err(error) => Err(beneath::in_the_way(
            &inside,
            name,
            &folder.join(path),
            error,
        )),
    }
}

fn opened(root: &Path, path: &Path) -> anyhow::Result<Option<File>> {
    let place: PathBuf = beneath::within(root, path)?;
    let Some(name) = place.file_name() else {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory).into());
    };
    let top = beneath::open_named(root)?;
    let above = place.parent().unwrap_or(Path::new(""));
    let folder = match beneath::open(&top, above, Path::new(""), Missing::Refused) {
        Err(error) if super::file::is_absent(&error) => return Ok(None),
        folder => folder?,
    };
    match openat(&folder, name, READ | OFlag::O_NOFOLLOW, Mode::empty()) {
        Ok(file) => Ok(Some(file.into())),
        Err(Errno::ENOENT) => Ok(None),
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}

fn text(file: File, shown: &Path) -> Result<String, Failure> {
    let shown = shown.display();
    let refuse = |what: String| Failure::invalid(format!("`{shown}` cannot be read: {what}"));
    let found = file.metadata().map_err(|error| refuse(error.to_string()))?;
    if !found.is_file() {
        return Err(refuse("it is not an ordinary file".into())
            .hint("put a file with the text in its place"));
    }
    let mut bytes = Vec::new();
    file.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refuse(error.to_string()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(refuse(format!(
            "it is larger than the {} MiB that such a file may have",
            LIMIT >> 20
        ))
        .hint("is it the file that was meant?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        refuse(format!("line {line} is not UTF-8"))
    })
}

fn unreadable(error: anyhow::Error, path: &Path) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(error) => Failure::invalid(format!("`{}` cannot be read: {error:#}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn refused(root: &Path, name: &str) -> String {
        read(root, Path::new(name)).unwrap_err().message
    }

    #[test]
    fn only_ordinary_files_below_the_root_are_read() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs_err::write(root.join("a"), "text").unwrap();
        fs_err::create_dir(root.join("folder")).unwrap();
        symlink("../a", root.join("folder/inside")).unwrap();
        symlink("/etc/passwd", root.join("out")).unwrap();
        symlink("/dev/zero", root.join("endless")).unwrap();
        symlink("/etc", root.join("folder/etc")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink("nothing", root.join("dangling")).unwrap();
        nix::unistd::mkfifo(&root.join("pipe"), Mode::from_bits_truncate(0o600)).unwrap();
        let text = |name: &str| read(root, Path::new(name)).unwrap();
        assert_eq!(text("a").as_deref(), Some("text"));
        assert_eq!(text("folder/inside").as_deref(), Some("text"));
        assert_eq!(text("folder/../a").as_deref(), Some("text"));
        for absent in ["b", "no/b", "dangling"] {
            assert_eq!(text(absent), None, "{absent}");
        }
        for out in ["out", "endless", "folder/etc/passwd", "../a", "/etc/passwd"] {
            let message = refused(root, out);
            assert_eq!(message, format!("`{out}` leads out of the repository"));
        }
        assert!(refused(root, "pipe").contains("not an ordinary file"));
        assert!(refused(root, "folder").contains("not an ordinary file"));
        assert!(refused(root, "loop").contains("cannot be read"));
    }

    #[test]
    fn what_is_our_own_is_no_link_and_no_pipe() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        fs_err::create_dir(root.join("in")).unwrap();
        fs_err::write(root.join("in/a"), "text").unwrap();
        symlink("a", root.join("in/link")).unwrap();
        symlink("in", root.join("folder")).unwrap();
        symlink("/dev/zero", root.join("in/endless")).unwrap();
        nix::unistd::mkfifo(&root.join("in/pipe"), Mode::from_bits_truncate(0o600)).unwrap();
        let read = |name: &str| read_own(root, Path::new(name));
        assert_eq!(read("in/a").unwrap().as_deref(), Some("text"));
        for absent in ["in/b", "no/b"] {
            assert_eq!(read(absent).unwrap(), None, "{absent}");
        }
        for link in ["in/link", "in/endless", "folder/a"] {
            let message = read(link).unwrap_err().message;
            assert!(message.contains("is a link to"), "{message}");
        }
        let message = read("in/pipe").unwrap_err().message;
        assert!(message.contains("not an ordinary file"), "{message}");
        assert_eq!(read_own(&root.join("no"), Path::new("a")).unwrap(), None);
    }

    #[test]
    fn what_is_too_large_or_no_text_is_said() {
        let root = tempfile::tempdir().unwrap();
        let file = fs_err::File::create(root.path().join("large")).unwrap();
        file.set_len(LIMIT).unwrap();
        assert!(read(root.path(), Path::new("large")).is_ok());
        file.set_len(LIMIT + 1).unwrap();
        let message = refused(root.path(), "large");
        assert_eq!(
            message,
            "`large` cannot be read: it is larger than the 4 MiB that such a file may have"
        );
        fs_err::write(root.path().join("bytes"), b"a\nb\xff").unwrap();
        let message = refused(root.path(), "bytes");
        assert_eq!(message, "`bytes` cannot be read: line 2 is not UTF-8");
        assert!(read_named(Path::new("/dev/zero")).is_err());
        assert_eq!(read_named(&root.path().join("no")).unwrap(), None);
    }
}
