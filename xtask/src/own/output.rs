// SPDX-License-Identifier: Apache-2.0
//! `target/xtask`: what we and the tools write in a repository. No link lies there, and all of it
//! belongs to the repository's owner.

use std::{
    ffi::OsStr,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::AtFlags,
    sys::stat::{FileStat, SFlag, fstat},
    unistd::{Uid, fchownat, geteuid},
};

use super::{
    Location,
    beneath::{self, Missing, Owner},
    walk,
};
use crate::failure::Failure;

/// Below the repository's root.
const OUTPUT: &str = "target/xtask";
/// Folders that hold what others have made: files of images, and the logs of runs.
const NOT_SEARCHED: &[&str] = &["runs", "smoke"];
/// How deep tools are told to write.
const DEPTH: usize = 3;

/// Refuses a link where a tool is going to write: buildx, kind and Chainsaw would follow it.
pub(crate) fn refuse_links(root: &Path) -> anyhow::Result<()> {
    let top = beneath::open_named(root)?;
    let Some(output) = open(&top)? else {
        return Ok(());
    };
    search(&output, Path::new(OUTPUT), DEPTH)
}

fn search(folder: &OwnedFd, shown: &Path, depth: usize) -> anyhow::Result<()> {
    for name in beneath::names(folder)? {
        let shown = shown.join(&name);
        let Some(found) = beneath::look(folder, &name)? else {
            continue;
        };
        if beneath::is(&found, SFlag::S_IFLNK) {
            return Err(beneath::is_a_link(folder, &name, &shown).into());
        }
        let searched = depth < DEPTH || !NOT_SEARCHED.iter().any(|other| name == *other);
        if depth > 1 && searched && beneath::is(&found, SFlag::S_IFDIR) {
            // What we may not open, a tool cannot write to either, and says so.
            if let Ok(inside) = beneath::open_child(folder, &name) {
                search(&inside, &shown, depth - 1)?;
            }
        }
    }
    Ok(())
}

/// Keeps git from taking for a change of the repository what is written here.
pub(crate) fn ignore() -> anyhow::Result<()> {
    let ignore = Location::output(Path::new(OUTPUT).join(".gitignore"));
    if ignore.exists() {
        return Ok(());
    }
    super::file::write_atomically(&ignore, "*\n")
}

/// The open folder, if it is there.
fn open(top: &OwnedFd) -> anyhow::Result<Option<OwnedFd>> {
    match beneath::open(top, Path::new(OUTPUT), Path::new(""), Missing::Refused) {
        Ok(folder) => Ok(Some(folder)),
        Err(error) if super::file::is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives what root has made in `target/xtask` to the repository's owner: docker, kind and Chainsaw
/// write as whoever calls them. Links are given away themselves, never what they lead to; a file
/// that has a second name somewhere else, and what is mounted there, is left alone.
pub(crate) fn hand_over(root: &Path) -> anyhow::Result<()> {
    let top = beneath::open_named(root)?;
    let (Some(owner), Some(output)) = (Owner::of(&top)?, open(&top)?) else {
        return Ok(());
    };
    let mut gift = Gift(owner);
    let (target, xtask) = (OsStr::new("target"), OsStr::new("xtask"));
    let shown = Path::new(OUTPUT);
    let _on_this_mount = gift.give(&top, target, Path::new("target"))?;
    let folder = beneath::open_child(&top, target)?;
    if gift.give(&folder, xtask, shown)? {
        walk::walk(&output, beneath::names(&output)?, shown, &mut gift)?;
    }
    Ok(())
}

/// One entry, if it is ours to give. False when something is mounted there, or nothing is there any more.
pub(super) fn give(
    folder: &OwnedFd,
    name: &OsStr,
    shown: &Path,
    owner: Owner,
) -> anyhow::Result<bool> {
    Gift(owner).give(folder, name, shown)
}

/// Gives entries to the owner, on the way through their folders.
struct Gift(Owner);

impl Gift {
    /// One entry, if it is ours to give: what is looked at is what is given. False when something is mounted
    /// there, or nothing is there any more.
    #[cfg(target_os = "linux")]
    fn give(&mut self, folder: &OwnedFd, name: &OsStr, shown: &Path) -> anyhow::Result<bool> {
        let entry = match beneath::open_entry(folder, name) {
            Ok(entry) => entry,
            Err(Errno::EXDEV | Errno::ENOENT) => return Ok(false),
            Err(error) => return Err(beneath::in_the_way(folder, name, shown, error)),
        };
        if is_to_give(&fstat(&entry)?) {
            let (user, group) = (Some(self.0.user), Some(self.0.group));
            fchownat(&entry, "", user, group, AtFlags::AT_EMPTY_PATH)?;
        }
        Ok(true)
    }

    /// Where there is no way to open an entry without looking into it.
    #[cfg(not(target_os = "linux"))]
    fn give(&mut self, folder: &OwnedFd, name: &OsStr, _shown: &Path) -> anyhow::Result<bool> {
        let Some(found) = beneath::look(folder, name)? else {
            return Ok(false);
        };
        if found.st_dev != fstat(folder)?.st_dev {
            return Ok(false);
        }
        if is_to_give(&found) {
            let (user, group) = (Some(self.0.user), Some(self.0.group));
            fchownat(folder, name, user, group, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        }
        Ok(true)
    }
}

fn is_to_give(found: &FileStat) -> bool {
    let second_name = found.st_nlink > 1 && !beneath::is(found, SFlag::S_IFDIR);
    Uid::from_raw(found.st_uid) == geteuid() && !second_name
}

impl walk::Visit for Gift {
    fn enter(
        &mut self,
        folder: &OwnedFd,
        name: &OsStr,
        shown: &Path,
    ) -> anyhow::Result<Option<OwnedFd>> {
        if !self.give(folder, name, shown)? {
            return Ok(None);
        }
        // No folder, or something mounted there since, is not entered.
        Ok(beneath::open_on_the_same_mount(folder, name).ok())
    }

    fn leave(&mut self, _: &OwnedFd, _: &OsStr, _: &Path) -> anyhow::Result<()> {
        Ok(())
    }
}

/// What to do about an `error` of writing below `target/xtask`: it says whose what is in the way is.
pub(crate) fn unwritable(root: &Path, error: &anyhow::Error) -> Failure {
    let failure = Failure::unavailable(format!("cannot write below `{OUTPUT}`: {error:#}"));
    match foreign(root) {
        Some((path, user)) => failure
            .detail(format!(
                "`{}` belongs to {user}: a run as another user has left it",
                path.display()
            ))
            .hint("make it yours again: `sudo chown -R \"$(id -u):$(id -g)\" target`"),
        None => {
            failure.hint("logs and results go there: free some disk space, or make it writable")
        }
    }
}

/// What is nearest to the root of what belongs to others there.
pub(crate) fn foreign(root: &Path) -> Option<(PathBuf, String)> {
    use std::os::unix::fs::MetadataExt;
    let own = geteuid();
    if own.is_root() {
        return None;
    }
    let target = root.join("target");
    let inside = walkdir::WalkDir::new(root.join(OUTPUT)).max_depth(DEPTH);
    let all = std::iter::once(target).chain(
        inside
            .into_iter()
            .filter_map(Result::ok)
            .map(walkdir::DirEntry::into_path),
    );
    all.into_iter().find_map(|path| {
        let user = fs_err::symlink_metadata(&path).ok()?.uid();
        let name = if user == 0 {
            "root".to_owned()
        } else {
            format!("user {user}")
        };
        let shown = path.strip_prefix(root).unwrap_or(&path).to_owned();
        (user != own.as_raw()).then_some((shown, name))
    })
}
