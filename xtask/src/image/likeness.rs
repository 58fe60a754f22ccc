// SPDX-License-Identifier: Apache-2.0
//! Whether two images hold the same, whenever they were built: layers of one content differ by the times of folders alone, and
//! so do their digests.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use crate::value::Digest;

/// What is known of a file but its times.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    kind: u8,
    mode: u32,
    user: u64,
    group: u64,
    /// What a link leads to.
    link: Vec<u8>,
    /// Of its bytes.
    digest: Digest,
}

/// The files and folders of an image, by their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files(BTreeMap<Vec<u8>, File>);

/// The files of several images, by the first folders of their paths in an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Side(BTreeMap<Vec<u8>, Files>);

/// An archive that holds two images, each in a folder of its own: `0` and `1`, with a platform's folder above where there
/// are several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    sides: [Side; 2],
}

impl Pair {
    /// The names of the two folders.
    pub(crate) const FOLDERS: [&'static str; 2] = ["0", "1"];

    /// Reads an archive to its end. Fails where it is none, or has been cut off.
    pub(crate) fn read(archive: impl Read) -> io::Result<Self> {
        let mut pair = Self::default();
        for entry in tar::Archive::new(archive).entries()? {
            let mut entry = entry?;
            let header = entry.header();
            let (mode, user, group) = (header.mode()?, header.uid()?, header.gid()?);
            let kind = header.entry_type().as_byte();
            let path = entry.path_bytes().into_owned();
            let link = entry.link_name_bytes().unwrap_or_default().into_owned();
            let (digest, _) = Digest::of_all(&mut entry)?;
            let file = File {
                kind,
                mode,
                user,
                group,
                link,
                digest,
            };
            pair.add(&path, file);
        }
        Ok(pair)
    }

    /// Whether both hold the same, and anything at all.
    pub(crate) fn is_alike(&self) -> bool {
        let [first, second] = &self.sides;
        first == second && !first.0.is_empty()
    }

    fn add(&mut self, path: &[u8], file: File) {
        let mut parts = path
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty() && *part != b".")
            .peekable();
        let mut above = Vec::new();
        // A link to a file of the same image names the folder of that image, too.
        while let Some(part) = parts.next() {
            let side = Self::FOLDERS
                .iter()
                .position(|name| name.as_bytes() == part);
            let (Some(side), true) = (side, above.len() < 2) else {
                above.push(part.to_vec());
                continue;
            };
            if parts.peek().is_none() {
                return;
            }
            let rest: Vec<&[u8]> = parts.collect();
            let prefix = above.join(&b'/');
            let files = self.sides[side].0.entry(prefix).or_default();
            let file = file.within(Self::FOLDERS[side]);
            files.0.insert(rest.join(&b'/'), file);
            return;
        }
    }
}

impl File {
    /// A hard link's target is told from the archive's root: without the folder of its image both are the same.
    fn within(mut self, folder: &str) -> Self {
        const HARD: u8 = b'1';
        if self.kind == HARD {
            let parts = self.link.split(|byte| *byte == b'/');
            let behind: Vec<&[u8]> = parts
                .skip_while(|part| *part != folder.as_bytes())
                .collect();
            self.link = behind[1.min(behind.len())..].join(&b'/');
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use tar::{Builder, EntryType, Header};

    use super::*;

    struct Entry<'a> {
        path: &'a str,
        kind: EntryType,
        of: &'a str,
        time: u64,
    }

    fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        for entry in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(entry.kind);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(entry.time);
            if entry.kind.is_hard_link() || entry.kind.is_symlink() {
                header.set_size(0);
                archive
                    .append_link(&mut header, entry.path, entry.of)
                    .unwrap();
            } else {
                header.set_size(entry.of.len() as u64);
                archive
                    .append_data(&mut header, entry.path, entry.of.as_bytes())
                    .unwrap();
            }
        }
        archive.into_inner().unwrap()
    }

    fn of<'a>(path: &'a str, kind: EntryType, of: &'a str, time: u64) -> Entry<'a> {
        Entry {
            path,
            kind,
            of,
            time,
        }
    }

    fn is_alike(entries: &[Entry<'_>]) -> bool {
        Pair::read(&archive(entries)[..]).unwrap().is_alike()
    }

    #[test]
    fn times_make_no_difference_and_everything_else_does() {
        use EntryType::{Directory, Link, Regular, Symlink};
        let both = |second: Vec<Entry<'static>>| {
            let mut all = vec![
                of("0/", Directory, "", 1),
                of("0/lib/", Directory, "", 1),
                of("0/lib/a.so", Regular, "text", 1),
                of("0/lib/b.so", Link, "0/lib/a.so", 1),
                of("0/lib/c.so", Symlink, "a.so", 1),
                of("1/", Directory, "", 2),
            ];
            all.extend(second);
            is_alike(&all)
        };
        let second = || {
            vec![
                of("1/lib/", Directory, "", 2),
                of("1/lib/a.so", Regular, "text", 2),
                of("1/lib/b.so", Link, "1/lib/a.so", 2),
                of("1/lib/c.so", Symlink, "a.so", 2),
            ]
        };
        assert!(both(second()));
        for change in 0..4_usize {
            let mut other = second();
            match change {
                0 => other[1].of = "TEXT",
                1 => other[3].of = "b.so",
                2 => drop(other.pop()),
                _ => other.push(of("1/more", Regular, "", 2)),
            }
            assert!(!both(other), "{change}");
        }
    }

    #[test]
    fn each_platform_is_compared_with_its_own() {
        use EntryType::Regular;
        let arm = of("linux_arm64/1/0/a", Regular, "arm", 2);
        let mut all = vec![
            of("linux_amd64/0/0/a", Regular, "amd", 1),
            of("linux_arm64/0/0/a", Regular, "arm", 1),
            of("linux_amd64/1/0/a", Regular, "amd", 2),
        ];
        assert!(!is_alike(&all));
        all.push(arm);
        assert!(is_alike(&all));
        assert!(!is_alike(&[]), "of nothing, nothing is known");
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let long = "x".repeat(2_000);
        let bytes = archive(&[of("0/a", EntryType::Regular, &long, 1)]);
        assert!(Pair::read(&bytes[..1_000]).is_err());
    }
}
