// SPDX-License-Identifier: Apache-2.0
//! The folders of earlier runs: which there are, and the end of those that nobody wants any more. What has another name than we
//! give is not ours and does not count.

use std::{
    ffi::OsStr,
    os::fd::OwnedFd,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{RUNS, is_name, locked};
use crate::own::{
    beneath::{self, Missing},
    file, removal,
};

/// The folder of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundRun {
    /// Below [`RUNS`].
    pub name: String,
    /// A run has it: that has not ended.
    pub is_held: bool,
}

/// Which runs stay.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keep {
    /// So many, the newest ones.
    Newest(usize),
    /// Those that began then or later.
    Since(SystemTime),
}

/// Whether it is only looked at what would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Removal,
    Look,
}

/// A run's folder that has gone, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Removed {
    pub name: String,
    /// Of the files in it.
    pub bytes: u64,
}

impl Keep {
    /// Which of the names, the oldest first, are to go.
    fn old(self, names: &[String]) -> &[String] {
        let stays = match self {
            Self::Newest(count) => names.len().saturating_sub(count),
            Self::Since(then) => names.partition_point(|name| began(name) < then),
        };
        &names[..stays]
    }
}

/// When a run began, as its folder's name says.
fn began(name: &str) -> SystemTime {
    let seconds = name.split_once('-').and_then(|(time, _)| time.parse().ok());
    UNIX_EPOCH + Duration::from_secs(seconds.unwrap_or_default())
}

/// The names of the folders of runs below `root`, the oldest first. What cannot be listed has none.
pub(crate) fn names(root: &Path) -> Vec<String> {
    opened(root).map_or_else(|_| Vec::new(), |runs| ours(&runs))
}

/// The same, with whether the runs go on.
pub(crate) fn found(root: &Path) -> Vec<FoundRun> {
    let Ok(runs) = opened(root) else {
        return Vec::new();
    };
    let found = ours(&runs).into_iter().filter_map(|name| {
        let folder = beneath::open_child(&runs, OsStr::new(&name)).ok()?;
        // What cannot be asked may go on.
        let is_held = !matches!(locked(folder, &runs, &name), Ok(Some(_)));
        Some(FoundRun { name, is_held })
    });
    found.collect()
}

/// Removes the folders below `root` that are not to be kept, or says which these are; with what could not be removed.
pub(crate) fn prune_below(
    root: &Path,
    keep: Keep,
    kept: Option<&str>,
    doing: Doing,
) -> anyhow::Result<(Vec<Removed>, Vec<anyhow::Error>)> {
    match opened(root) {
        Ok(runs) => {
            let bytes = |name: &str| bytes(&root.join(RUNS).join(name));
            Ok(prune(&runs, keep, kept, doing, &bytes))
        }
        Err(error) if file::is_absent(&error) => Ok((Vec::new(), Vec::new())),
        Err(error) => Err(error),
    }
}

/// Of the files in a folder; what cannot be looked at counts nothing.
fn bytes(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    let sizes = files.filter_map(|file| file.metadata().ok().filter(std::fs::Metadata::is_file));
    sizes.map(|found| found.len()).sum()
}

fn opened(root: &Path) -> anyhow::Result<OwnedFd> {
    let top = beneath::open_named(root)?;
    beneath::open(&top, Path::new(RUNS), Path::new(""), Missing::Refused)
}

fn ours(runs: &OwnedFd) -> Vec<String> {
    let names = beneath::names(runs).unwrap_or_default();
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let mut ours: Vec<String> = names.filter(|name| is_name(name)).collect();
    ours.sort();
    ours
}

/// The same in an open folder. What goes on keeps its folder, however old that is, and so does the run of the name `kept`. `bytes`
/// says what is in a folder.
pub(super) fn prune(
    runs: &OwnedFd,
    keep: Keep,
    kept: Option<&str>,
    doing: Doing,
    bytes: &dyn Fn(&str) -> u64,
) -> (Vec<Removed>, Vec<anyhow::Error>) {
    let (mut removed, mut failed) = (Vec::new(), Vec::new());
    let ours = ours(runs);
    for name in keep.old(&ours) {
        if kept == Some(name) {
            continue;
        }
        // A link of such a name is not ours; neither is a file.
        let Ok(folder) = beneath::open_child(runs, OsStr::new(name)) else {
            continue;
        };
        let Ok(Some(_held)) = locked(folder, runs, name) else {
            continue;
        };
        let shown = Path::new(RUNS).join(name);
        let bytes = bytes(name);
        let gone = match doing {
            Doing::Look => Ok(()),
            Doing::Removal => removal::remove(runs, OsStr::new(name), &shown),
        };
        match gone {
            Ok(()) => removed.push(Removed {
                name: name.clone(),
                bytes,
            }),
            Err(error) => failed.push(error),
        }
    }
    (removed, failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_goes_and_what_is_kept_or_held_stays() {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path().join(RUNS);
        let all: Vec<String> = (10..15)
            .map(|at| format!("00000000{at}-0123456789abcdef"))
            .collect();
        for name in &all {
            fs_err::create_dir_all(runs.join(name)).unwrap();
            fs_err::write(runs.join(name).join("run.json"), "12345").unwrap();
        }
        fs_err::create_dir(runs.join("notes")).unwrap();
        let held = std::fs::File::open(runs.join(&all[1])).unwrap();
        assert!(crate::own::lock::attempt(&held).unwrap());
        let since = |second| Keep::Since(UNIX_EPOCH + Duration::from_secs(second));
        let pruned = |keep, doing| {
            let (removed, failed) = prune_below(root.path(), keep, Some(&all[0]), doing).unwrap();
            assert!(failed.is_empty(), "{failed:?}");
            removed
        };
        let third = Removed {
            name: all[2].clone(),
            bytes: 5,
        };
        assert_eq!(pruned(since(13), Doing::Look), std::slice::from_ref(&third));
        assert_eq!(names(root.path()), all);
        assert_eq!(pruned(since(13), Doing::Removal), [third]);
        assert_eq!(pruned(Keep::Newest(1), Doing::Removal)[0].name, all[3]);
        assert_eq!(pruned(Keep::Newest(0), Doing::Removal)[0].name, all[4]);
        assert_eq!(names(root.path()), all[..2]);
        assert!(runs.join("notes").is_dir());
        let none = tempfile::tempdir().unwrap();
        assert_eq!(names(none.path()), Vec::<String>::new());
        let (removed, _) = prune_below(none.path(), Keep::Newest(0), None, Doing::Look).unwrap();
        assert_eq!(removed, []);
    }
}
