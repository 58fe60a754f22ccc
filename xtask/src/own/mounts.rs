// SPDX-License-Identifier: Apache-2.0
//! What is mounted at, below or above a folder.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    path::{Path, PathBuf},
};

/// The mount points at or below `folder`, a resolved path, in this process's own mount namespace. None
/// known where there is no Linux.
pub(super) fn below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !cfg!(target_os = "linux") {
        return Ok(Vec::new());
    }
    let text = fs_err::read("/proc/self/mountinfo")?;
    Ok(points(&text)
        .filter(|point| point.starts_with(folder))
        .collect())
}

/// What is mounted in the namespace of another process at the folder `path` or above it, as that process names it; the uppermost
/// comes first.
pub(crate) fn above(path: &Path, process: i32) -> anyhow::Result<Vec<PathBuf>> {
    let text = fs_err::read(format!("/proc/{process}/mountinfo"))?;
    let all: BTreeSet<PathBuf> = points(&text)
        .filter(|point| path.starts_with(point))
        .collect();
    Ok(all.into_iter().collect())
}

/// The same for an open folder, whatever its path is by now.
pub(super) fn below_open(folder: &OwnedFd) -> anyhow::Result<Vec<PathBuf>> {
    if !cfg!(target_os = "linux") {
        return Ok(Vec::new());
    }
    below(&fs_err::read_link(format!(
        "/proc/self/fd/{}",
        folder.as_raw_fd()
    ))?)
}

/// Whether something is mounted on `name` in an open folder. True when that cannot be told.
#[cfg(target_os = "linux")]
pub(super) fn is_point(folder: &OwnedFd, name: &std::ffi::OsStr) -> bool {
    let path = fs_err::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    let mounted = path.map_err(anyhow::Error::from).and_then(|path| {
        let path = path.join(name);
        Ok(below(&path)?.contains(&path))
    });
    mounted.unwrap_or(true)
}

/// The fifth field of each line of mountinfo, see proc(5).
fn points(text: &[u8]) -> impl Iterator<Item = PathBuf> {
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(|field| PathBuf::from(OsString::from_vec(decoded(field))))
}

/// Blank, tab, newline and backslash are written as a backslash and three octal digits.
fn decoded(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[3..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_read_as_its_path() {
        let text = b"36 35 98:0 / /a\\040b\\011c\\012d\\134e rw,noatime shared:1 - ext4 /dev/x rw\n37 35 0:1 / /plain rw - tmpfs t rw\n";
        let points: Vec<PathBuf> = points(text).collect();
        assert_eq!(points, [Path::new("/a b\tc\nd\\e"), Path::new("/plain")]);
        assert_eq!(decoded(b"\\04"), b"\\04");
    }
}
