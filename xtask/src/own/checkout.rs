// SPDX-License-Identifier: Apache-2.0
//! What tells one checkout from others that use the same cluster: an identity that is drawn once, and counts
//! only where it was drawn. A copy of the folder, or of its `target`, is another checkout.

use std::{os::unix::fs::MetadataExt, path::Path};

use serde::{Deserialize, Serialize};

use super::{Location, RunId, file, source};
use crate::failure::Failure;

/// Below the repository's root.
const FILE: &str = "target/xtask/owner";

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    path: String,
    inode: u64,
    /// Empty where a machine has no name for itself.
    machine: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    owner: String,
    #[serde(flatten)]
    identity: Identity,
}

impl Identity {
    fn of(root: &Path) -> Result<Self, Failure> {
        let unknown = |error: std::io::Error| {
            Failure::unavailable(format!("`{}` cannot be looked at: {error}", root.display()))
        };
        let path = fs_err::canonicalize(root).map_err(unknown)?;
        let inode = fs_err::metadata(&path).map_err(unknown)?.ino();
        let machine = source::read_named(Path::new("/etc/machine-id"));
        Ok(Self {
            path: path.to_string_lossy().into_owned(),
            inode,
            machine: machine.ok().flatten().unwrap_or_default().trim().to_owned(),
        })
    }
}

/// What an earlier run has noted here; None where none has, and in a copy. Fails when the file is not one
/// that can be read.
pub(crate) fn owner(root: &Path) -> Result<Option<RunId>, Failure> {
    let text = source::read(root, Path::new(FILE))?.unwrap_or_default();
    let Ok(record) = serde_json::from_str::<Record>(&text) else {
        return Ok(None);
    };
    let here = record.identity == Identity::of(root)?;
    Ok(RunId::parse(&record.owner).filter(|_| here))
}

/// Notes it, where no run has yet.
pub(crate) fn note(root: &Path, owner: &RunId) -> anyhow::Result<()> {
    if self::owner(root)?.is_some() {
        return Ok(());
    }
    let record = Record {
        owner: owner.to_string(),
        identity: Identity::of(root)?,
    };
    let text = serde_json::to_string(&record)?;
    file::write_atomically(&Location::output(FILE), &format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_another_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let (first, copy) = (folder.path().join("first"), folder.path().join("copy"));
        let place = |root: &Path| {
            fs_err::create_dir_all(root.join("target/xtask")).unwrap();
            root.join(FILE)
        };
        let id = RunId::draw().unwrap();
        let file = place(&first);
        assert_eq!(owner(&first).unwrap(), None);
        let record = Record {
            owner: id.to_string(),
            identity: Identity::of(&first).unwrap(),
        };
        fs_err::write(&file, serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(owner(&first).unwrap(), Some(id));
        fs_err::copy(&file, place(&copy)).unwrap();
        assert_eq!(owner(&copy).unwrap(), None);
        // In the same place, but another folder: one that was removed and copied back.
        fs_err::rename(&first, folder.path().join("old")).unwrap();
        fs_err::rename(&copy, &first).unwrap();
        assert_eq!(owner(&first).unwrap(), None);
        for text in ["", "0123456789abcdef\n", "{}", "[1]"] {
            fs_err::write(&file, text).unwrap();
            assert_eq!(owner(&first).unwrap(), None, "{text}");
        }
        fs_err::remove_file(&file).unwrap();
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let failure = owner(&first).unwrap_err();
        assert!(
            failure.message.contains("not an ordinary file"),
            "{failure}"
        );
    }
}
