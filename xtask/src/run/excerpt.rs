// SPDX-License-Identifier: Apache-2.0
//! The end of a file in a run's folder, as much as anybody reads of it on a page.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use crate::own::source;

/// Bytes and lines of one file at most.
const BYTES: u64 = 16 << 10;
const LINES: usize = 120;

/// The end of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// From the run's folder on.
    pub path: PathBuf,
    pub lines: Vec<String>,
    /// It has more before them.
    pub is_cut: bool,
}

impl Excerpt {
    /// At most so many lines of a file below the run's folder. None: there is none, it is no plain file of ours, or empty.
    pub(super) fn of(folder: &Path, path: &Path, most: usize) -> Option<Self> {
        let file = source::open_own(folder, path).ok()?;
        let (text, mut is_cut) = end(file).ok()?;
        let mut lines: Vec<&str> = text.lines().collect();
        if is_cut && lines.len() > 1 {
            // The first one has lost its beginning.
            lines.remove(0);
        }
        let left = lines.len().saturating_sub(most.min(LINES));
        is_cut |= left > 0;
        let lines = lines.split_off(left).into_iter().map(str::to_owned);
        Some(Self {
            path: path.to_owned(),
            lines: lines.collect(),
            is_cut,
        })
        .filter(|one| !one.lines.is_empty())
    }
}

fn end(mut file: File) -> std::io::Result<(String, bool)> {
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(BYTES)))?;
    let mut bytes = Vec::new();
    file.take(BYTES).read_to_end(&mut bytes)?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), size > BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_is_bounded_and_says_that_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let of = |text: &str| {
            fs_err::write(folder.path().join("a.log"), text).unwrap();
            Excerpt::of(folder.path(), Path::new("a.log"), 1000)
        };
        assert_eq!(of(""), None);
        let short = of("a\nb\n").unwrap();
        assert_eq!(
            (short.lines, short.is_cut),
            (vec!["a".to_owned(), "b".into()], false)
        );
        let many = of(&"line\n".repeat(1000)).unwrap();
        assert_eq!((many.lines.len(), many.is_cut), (LINES, true));
        let wide = of(&format!("first\n{}\nlast", "x".repeat(100_000))).unwrap();
        assert_eq!((wide.lines, wide.is_cut), (vec!["last".to_owned()], true));
        let one = of(&"x".repeat(100_000)).unwrap();
        assert_eq!(one.lines[0].len() as u64, BYTES);
        assert_eq!(Excerpt::of(folder.path(), Path::new("../a.log"), 9), None);
        assert_eq!(Excerpt::of(folder.path(), Path::new("b.log"), 9), None);
    }
}
