// SPDX-License-Identifier: Apache-2.0
//! The folder of one run, with its logs and results, and the end of those of old runs.

mod old;

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

pub(crate) use self::old::{Doing, FoundRun, Keep, Removed, found, names, prune_below};

use super::{
    RunId,
    beneath::{self, Missing, Owner},
    lock, removal,
};

/// Folders below the repository's root with files of images, of a `smoke` that copies them and of `inspect`; and what
/// names in them begin with, before the first digits of the run's id.
const COPIES: [(&str, &str); 3] = [
    ("target/xtask/smoke", "xtask-smoke-"),
    ("target/xtask/inspect", "xtask-inspect-"),
    ("target/xtask/scan", "xtask-scan-"),
];
/// Runs whose logs are kept when a new one begins.
pub(crate) const KEPT: usize = 20;
/// Below the repository's root.
pub(crate) const RUNS: &str = "target/xtask/runs";
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
    /// `kept` is the name of an old one that stays all the same; `warn` is told what could not be removed.
    pub(crate) fn make(
        root: &Path,
        shown: &Path,
        id: &RunId,
        kept: Option<&str>,
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
            let (_, failed) = old::prune(&runs, Keep::Newest(KEPT), kept, Doing::Removal, &|_| 0);
            for error in failed {
                warn(format!(
                    "the logs of an old run were not removed: {error:#}"
                ));
            }
            for (place, prefix) in COPIES {
                drop_copies(&top, &runs, Path::new(place), prefix, id, warn);
            }
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

/// Removes what runs that were killed have copied: whoever runs holds its folder.
fn drop_copies(
    top: &OwnedFd,
    runs: &OwnedFd,
    place: &Path,
    prefix: &str,
    own: &RunId,
    warn: &mut dyn FnMut(String),
) {
    // Mostly there are none. A link in the way is said by whoever goes there to write.
    let Ok(copies) = beneath::open(top, place, Path::new(""), Missing::Refused) else {
        return;
    };
    let folders = beneath::names(runs).unwrap_or_default();
    let runs_on = |id: &str| {
        let folders = folders.iter().filter_map(|name| name.to_str());
        let mut of_run = folders.filter(|name| is_name(name) && name[11..].starts_with(id));
        of_run.any(|name| match beneath::open_child(runs, OsStr::new(name)) {
            // What cannot be asked may go on.
            Ok(folder) => !matches!(locked(folder, runs, name), Ok(Some(_))),
            Err(_) => true,
        })
    };
    for name in beneath::names(&copies).unwrap_or_default() {
        let id = name
            .to_str()
            .and_then(|name| name.strip_prefix(prefix)?.get(..8));
        let is_id = |id: &&str| {
            id.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let Some(id) = id.filter(is_id) else {
            continue;
        };
        if id == own.short() || runs_on(id) {
            continue;
        }
        if let Err(error) = removal::remove(&copies, &name, &place.join(&name)) {
            warn(format!(
                "the copies of a killed run were not removed: {error:#}"
            ));
        }
    }
}

/// Ten digits of the time and the sixteen of a run: see [`RunFolder::make`].
pub(crate) fn is_name(name: &str) -> bool {
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
        RunFolder::make(root, root, &id, None, &mut |text| warnings.push(text))
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
    fn what_a_killed_run_has_copied_goes_with_the_next_one() {
        for (place, prefix) in COPIES {
            let root = tempfile::tempdir().unwrap();
            let copies = root.path().join(place);
            let put = |name: &str| {
                let place = copies.join(name);
                fs_err::create_dir_all(place.join("extensions/x")).unwrap();
                place
            };
            let of = |folder: &RunFolder| {
                let name = folder.path.file_name().unwrap().to_str().unwrap();
                put(&format!("{prefix}{}-gamma-18-trixie-gamma", &name[11..19]))
            };
            let (runs_on, _) = make(root.path()).unwrap();
            let (killed, _) = make(root.path()).unwrap();
            let (stays, gone) = (of(&runs_on), of(&killed));
            let long_gone = put(&format!("{prefix}01234567"));
            let foreign = [put("notes"), put(&format!("{prefix}notes")), put(prefix)];
            drop(killed);
            let (_, warnings) = make(root.path()).unwrap();
            assert_eq!(warnings, Vec::<String>::new());
            assert!(stays.is_dir() && !gone.exists() && !long_gone.exists());
            assert!(foreign.iter().all(|place| place.is_dir()));
        }
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
