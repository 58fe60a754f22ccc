// SPDX-License-Identifier: Apache-2.0
//! The folder of one run, with its logs and results, and the end of those of old runs.

use std::{
    ffi::OsStr,
    fs::File,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use nix::{
    errno::Errno,
    sys::stat::{Mode, fstat, mkdirat},
    unistd::{UnlinkatFlags, unlinkat},
};

use super::{
    RunId,
    beneath::{self, Missing, Owner},
    lock, removal,
};

/// Runs whose logs are kept.
const KEPT: usize = 20;
/// Below the repository's root.
const RUNS: &str = "target/xtask/runs";
/// Two clocks that say the same second, and a rotation in between.
const ATTEMPTS: usize = 5;

/// A folder that is this run's alone. It is locked while we live, so no other run takes it for an old one.
pub(crate) struct RunFolder {
    /// As it can be opened from the folder in which we run.
    pub path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Makes it below `root`, which people and tools call `shown`, and removes those that are old.
    /// `warn` is told what could not be removed.
    pub(crate) fn make(
        root: &Path,
        shown: &Path,
        id: &RunId,
        warn: &mut dyn FnMut(String),
    ) -> anyhow::Result<Self> {
        let top = beneath::open_named(root)?;
        let owner = Owner::of(&top)?;
        let runs = beneath::open(&top, Path::new(RUNS), Path::new(""), Missing::Made(owner))?;
        let made = || format!("failed to make a folder in `{RUNS}`");
        for _ in 0..ATTEMPTS {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let name = format!("{:010}-{id}", now.unwrap_or_default().as_secs());
            match mkdirat(&runs, name.as_str(), Mode::from_bits_truncate(0o755)) {
                Ok(()) => {}
                Err(Errno::EEXIST) => continue,
                Err(error) => return Err(std::io::Error::from(error)).with_context(made),
            }
            let folder = beneath::open_child(&runs, OsStr::new(&name))
                .map_err(std::io::Error::from)
                .with_context(made)?;
            if let Some(owner) = owner {
                owner.takes(&folder).with_context(made)?;
            }
            let lock = locked(folder, &runs, &name).map_err(|error| {
                // Empty, and nobody would ever remove it; what is said is why there is no lock.
                let _stays = unlinkat(&runs, name.as_str(), UnlinkatFlags::RemoveDir);
                lock::refused(&Path::new(RUNS).join(&name), &error)
            })?;
            let Some(lock) = lock else {
                continue;
            };
            drop_old(&runs, Path::new(RUNS), warn);
            return Ok(Self {
                path: shown.join(RUNS).join(name),
                _lock: lock,
            });
        }
        anyhow::bail!("{}: other runs remove it at once", made())
    }
}

/// The lock on a run's folder; None when a run has it, or has just removed it.
fn locked(folder: OwnedFd, runs: &OwnedFd, name: &str) -> std::io::Result<Option<File>> {
    let folder = File::from(folder);
    if !lock::attempt(&folder)? {
        return Ok(None);
    }
    let own = fstat(&folder)?;
    let there = beneath::look(runs, OsStr::new(name))?;
    Ok(there
        .is_some_and(|there| there.st_ino == own.st_ino)
        .then_some(folder))
}

/// Removes all but the newest; what runs keeps its folder, however old that is. What has another name
/// than we give is not ours and does not count. Nothing in here is worth a failure.
fn drop_old(runs: &OwnedFd, shown: &Path, warn: &mut dyn FnMut(String)) {
    let names = beneath::names(runs).unwrap_or_default();
    let ours: Vec<&str> = names
        .iter()
        .filter_map(|name| name.to_str())
        .filter(|name| is_name(name))
        .collect();
    for name in &ours[..ours.len().saturating_sub(KEPT)] {
        // A link of such a name is not ours; neither is a file.
        let Ok(folder) = beneath::open_child(runs, OsStr::new(name)) else {
            continue;
        };
        let Ok(Some(_held)) = locked(folder, runs, name) else {
            continue;
        };
        if let Err(error) = removal::remove(runs, OsStr::new(name), &shown.join(name)) {
            warn(format!("the logs of an old run stay: {error:#}"));
        }
    }
}

/// Ten digits of the time and the sixteen of a run: see [`RunFolder::make`].
fn is_name(name: &str) -> bool {
    name.split_once('-').is_some_and(|(time, id)| {
        time.len() == 10
            && time.bytes().all(|byte| byte.is_ascii_digit())
            && id.len() == 16
            && id
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(root: &Path) -> anyhow::Result<(RunFolder, Vec<String>)> {
        let mut warnings = Vec::new();
        let id = RunId::draw()?;
        RunFolder::make(root, root, &id, &mut |text| warnings.push(text))
            .map(|folder| (folder, warnings))
    }

    #[test]
    fn a_run_that_goes_on_keeps_its_folder_however_many_come_after() {
        let root = tempfile::tempdir().unwrap();
        let (first, _) = make(root.path()).unwrap();
        for _ in 0..3 * KEPT {
            make(root.path()).unwrap();
        }
        assert!(first.path.is_dir());
        let kept = fs_err::read_dir(root.path().join(RUNS)).unwrap().count();
        assert!((KEPT..=KEPT + 2).contains(&kept), "{kept}");
    }

    #[test]
    fn what_we_did_not_name_stays_and_troubles_nobody() {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path().join(RUNS);
        let foreign = root.path().join("foreign");
        fs_err::create_dir_all(&runs).unwrap();
        fs_err::create_dir_all(foreign.join("precious")).unwrap();
        fs_err::write(runs.join("0000000000-stray"), "a file").unwrap();
        fs_err::write(runs.join("0000000000-0123456789abcdef"), "a file").unwrap();
        std::os::unix::fs::symlink(&foreign, runs.join("0000000001-0123456789abcdef")).unwrap();
        fs_err::create_dir(runs.join("notes")).unwrap();
        for number in 2..40 {
            fs_err::create_dir(runs.join(format!("{number:010}-0123456789abcdef"))).unwrap();
        }
        let (_, warnings) = make(root.path()).unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        for name in [
            "0000000000-stray",
            "0000000000-0123456789abcdef",
            "0000000001-0123456789abcdef",
            "notes",
        ] {
            assert!(runs.join(name).symlink_metadata().is_ok(), "{name}");
        }
        assert!(foreign.join("precious").is_dir());
        assert_eq!(fs_err::read_dir(&runs).unwrap().count(), KEPT + 4);
    }

    #[test]
    fn a_link_to_elsewhere_is_refused() {
        for link in ["target", "target/xtask", "target/xtask/runs"] {
            let root = tempfile::tempdir().unwrap();
            let elsewhere = tempfile::tempdir().unwrap();
            let place = root.path().join(link);
            fs_err::create_dir_all(place.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(elsewhere.path(), &place).unwrap();
            let error = make(root.path()).err().unwrap().to_string();
            let said = format!("`{link}` is a link to `{}`", elsewhere.path().display());
            assert!(error.starts_with(&said), "{error}");
            assert_eq!(fs_err::read_dir(elsewhere.path()).unwrap().count(), 0);
        }
    }
}
