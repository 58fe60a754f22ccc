// SPDX-License-Identifier: Apache-2.0
//! The files of an image, as the archive that `docker export` writes has them.

use std::{
    fmt,
    io::{self, Read},
};

use serde::{Serialize, Serializer};
use tar::EntryType;

use crate::value::Digest;

/// What the engine puts into every container, in the place of what the image may have there: moby's
/// `daemon/initlayer/setup_unix.go`.
const OF_THE_ENGINE: &[&str] = &[
    "/.dockerenv",
    "/dev/console",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/mtab",
    "/etc/resolv.conf",
];

/// No image has as many files.
const MOST: usize = 1_000_000;

/// A file of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// From the image's root on, with `/` before it; what is not UTF-8 in it is replaced.
    pub path: String,
    /// In bytes; none of a link.
    pub size: u64,
    /// What a link of either kind leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Its permissions; none of a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Of what is in it; None of a link, and where nobody wanted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// The permissions of a file, as `chmod` takes them: `0644`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(u32);

impl Mode {
    /// Of a file's type nothing is kept.
    fn of(bits: u32) -> Self {
        Self(bits & 0o7777)
    }

    /// Whether a program that is started of it gets its owner's or its group's rights.
    pub(crate) fn is_set_id(self) -> bool {
        self.0 & 0o6000 != 0
    }

    /// Whether every user may read it.
    pub(crate) fn is_for_all(self) -> bool {
        self.0 & 0o004 != 0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Entry {
    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What its path is without that, and without a `/` at the end: empty at the root.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// All files of an image, by their paths. Folders are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Contents {
    /// In bytes, of all files together.
    pub size: u64,
    pub files: Vec<Entry>,
}

impl Contents {
    /// Reads an archive to its end, and lets each file that is no link be looked into. Fails where it is none, or has been cut
    /// off.
    pub(crate) fn read(
        archive: impl Read,
        look: &mut dyn FnMut(&mut Entry, &mut dyn Read) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut files = Vec::new();
        for entry in tar::Archive::new(archive).entries()? {
            let mut entry = entry?;
            let kind = entry.header().entry_type();
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = format!("/{}", name.trim_start_matches("./").trim_matches('/'));
            if kind == EntryType::Directory || OF_THE_ENGINE.contains(&path.as_str()) {
                continue;
            }
            let link = entry.link_name_bytes();
            let link = link.map(|name| String::from_utf8_lossy(&name).into_owned());
            let size = if link.is_some() { 0 } else { entry.size() };
            let is_file = kind.is_file() && link.is_none();
            let bits = entry.header().mode()?;
            let mut file = Entry {
                path,
                size,
                mode: link.is_none().then_some(Mode::of(bits)),
                link,
                digest: None,
            };
            if is_file {
                look(&mut file, &mut entry)?;
            }
            files.push(file);
            if files.len() > MOST {
                return Err(io::Error::other(format!("it has more than {MOST} files")));
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let sizes = files.iter().map(|file| file.size);
        Ok(Self {
            size: sizes.fold(0, u64::saturating_add),
            files,
        })
    }
}

#[cfg(test)]
mod tests {
    use tar::{Builder, Header};

    use super::*;

    fn put(archive: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, of: &str) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_size(0);
            archive.append_link(&mut header, path, of).unwrap();
        } else {
            header.set_size(of.len() as u64);
            archive
                .append_data(&mut header, path, of.as_bytes())
                .unwrap();
        }
    }

    #[test]
    fn files_and_links_are_listed_without_what_the_engine_adds() {
        let mut archive = Builder::new(Vec::new());
        let long = format!("share/{}.sql", "x".repeat(200));
        put(&mut archive, "lib/", EntryType::Directory, "");
        put(&mut archive, &long, EntryType::Regular, "SELECT 1;");
        put(&mut archive, "lib/a.so", EntryType::Symlink, "a.so.1");
        put(&mut archive, "lib/a.so.1", EntryType::Regular, "1234");
        put(&mut archive, "lib/b.so", EntryType::Link, "lib/a.so.1");
        put(&mut archive, ".dockerenv", EntryType::Regular, "");
        put(&mut archive, "etc/hosts", EntryType::Regular, "");
        let bytes = archive.into_inner().unwrap();
        let mut read = Vec::new();
        let contents = Contents::read(&bytes[..], &mut |entry, bytes| {
            let mut text = String::new();
            bytes.read_to_string(&mut text)?;
            read.push((entry.path.clone(), text));
            Ok(())
        });
        let contents = contents.unwrap();
        let files = [
            (format!("/{long}"), "SELECT 1;"),
            ("/lib/a.so.1".into(), "1234"),
        ];
        assert_eq!(read, files.map(|(path, text)| (path, text.to_owned())));
        let entry = |path: &str, size, link: Option<&str>| Entry {
            path: path.into(),
            size,
            mode: link.is_none().then_some(Mode(0o644)),
            link: link.map(str::to_owned),
            digest: None,
        };
        let wanted = [
            entry("/lib/a.so", 0, Some("a.so.1")),
            entry("/lib/a.so.1", 4, None),
            entry("/lib/b.so", 0, Some("lib/a.so.1")),
            entry(&format!("/{long}"), 9, None),
        ];
        assert_eq!(contents.files, wanted);
        assert_eq!(contents.size, 13);
    }

    #[test]
    fn what_is_no_archive_or_is_cut_off_is_refused() {
        let mut archive = Builder::new(Vec::new());
        put(&mut archive, "a", EntryType::Regular, &"x".repeat(2000));
        let bytes = archive.into_inner().unwrap();
        for part in [&bytes[..1000], &[b'x'; 600][..]] {
            assert!(Contents::read(part, &mut |_, _| Ok(())).is_err());
        }
    }
}
