// SPDX-License-Identifier: Apache-2.0
//! `target/xtask`: what we and the tools write in a repository. No link lies there, and all of it
//! belongs to the repository's owner.

use std::{
    ffi::OsStr,
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use nix::{
    fcntl::AtFlags,
    sys::stat::{SFlag, fstat},
    unistd::{Uid, fchownat, geteuid},
};

use super::beneath::{self, Missing, Owner};
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

/// The open folder, if it is there.
fn open(top: &OwnedFd) -> anyhow::Result<Option<OwnedFd>> {
    match beneath::open(top, Path::new(OUTPUT), Path::new(""), Missing::Refused) {
        Ok(folder) => Ok(Some(folder)),
        Err(error) if super::file::is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives what root has made in `target/xtask` to the repository's owner: docker, kind and Chainsaw
/// write as whoever calls them. Links are given away themselves, never what they lead to, and a file
/// that has a second name somewhere else is left alone.
pub(crate) fn hand_over(root: &Path) -> anyhow::Result<()> {
    let top = beneath::open_named(root)?;
    let (Some(owner), Some(output)) = (Owner::of(&top)?, open(&top)?) else {
        return Ok(());
    };
    give(&top, OsStr::new("target"), owner)?;
    let target = beneath::open_child(&top, OsStr::new("target"))?;
    give(&target, OsStr::new("xtask"), owner)?;
    give_all(&output, owner)
}

fn give_all(folder: &OwnedFd, owner: Owner) -> anyhow::Result<()> {
    for name in beneath::names(folder)? {
        give(folder, &name, owner)?;
        if let Ok(inside) = beneath::open_child(folder, &name) {
            // Something else may be mounted there.
            if fstat(&inside)?.st_dev == fstat(folder)?.st_dev {
                give_all(&inside, owner)?;
            }
        }
    }
    Ok(())
}

/// One entry, if it is ours to give.
pub(super) fn give(folder: &OwnedFd, name: &OsStr, owner: Owner) -> io::Result<()> {
    let Some(found) = beneath::look(folder, name)? else {
        return Ok(());
    };
    let second_name = found.st_nlink > 1 && !beneath::is(&found, SFlag::S_IFDIR);
    if Uid::from_raw(found.st_uid) != geteuid() || second_name {
        return Ok(());
    }
    let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
    Ok(fchownat(
        folder,
        name,
        Some(owner.user),
        Some(owner.group),
        flags,
    )?)
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
        None => failure.hint("logs and results go there: free some disk or make it writable"),
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
