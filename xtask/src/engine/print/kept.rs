// SPDX-License-Identifier: Apache-2.0
//! The files that keep what bake has answered. They lie in the repository, where others may put files too, and what they
//! say is built: only those count that are sealed with a key of this user.

use std::path::Path;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Question;
use crate::{
    engine::lock::user_folder,
    own::{LockFile, file, output, source},
    plan::Location,
    target::Inputs,
};

/// The key's file in this user's own folder, and how many bytes it is.
const KEY: &str = "print.key";
const LENGTH: usize = 32;

/// What is kept of an answer.
#[derive(Deserialize, Serialize)]
pub(super) struct Kept {
    pub inputs: Inputs,
    /// The variables that its files declare, so that these need not be read as HCL again.
    pub declared: Vec<String>,
    /// What was printed, the moment of it marked.
    pub printed: String,
    /// HMAC-SHA256, in base64, of all of this and of the place of the file.
    seal: String,
}

/// What an answer that is kept is sealed with: random bytes that only this user can read.
#[derive(Debug)]
pub(super) struct Key([u8; LENGTH]);

impl Key {
    /// This user's, made when there is none yet.
    pub(super) fn of_user() -> anyhow::Result<Self> {
        Self::in_folder(&user_folder()?)
    }

    /// `folder` is one that nobody else may write to.
    fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        if let Some(key) = Self::read(folder) {
            return Ok(key);
        }
        // Two runs would make two keys, of which one seals what nobody can open.
        let lock = folder.join(format!("{KEY}.lock"));
        let _lock = LockFile::take(&lock, &|| false, &mut |_| {})?;
        if let Some(key) = Self::read(folder) {
            return Ok(key);
        }
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes)
            .context("the system has no random numbers for the key of kept answers")?;
        let place = Location::ours(folder, folder.join(KEY));
        file::write_private(&place, &STANDARD.encode(bytes))?;
        Ok(Self(bytes))
    }

    /// What cannot be read is none, and is replaced.
    fn read(folder: &Path) -> Option<Self> {
        let text = source::read_own(folder, Path::new(KEY)).ok().flatten()?;
        let bytes = STANDARD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    fn over(&self, place: &Path, kept: &Kept) -> anyhow::Result<Hmac<Sha256>> {
        let said = (place, &kept.inputs, &kept.declared, &kept.printed);
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)?;
        mac.update(&serde_json::to_vec(&said)?);
        Ok(mac)
    }

    /// Whether what is kept was sealed with it, at this place.
    fn fits(&self, place: &Path, kept: &Kept) -> bool {
        let seal = STANDARD.decode(&kept.seal).unwrap_or_default();
        self.over(place, kept)
            .is_ok_and(|mac| mac.verify_slice(&seal).is_ok())
    }

    /// What was kept the last time at `place`, which is told from the root. What cannot be read is none, and so is what is
    /// not sealed with this key: it came with the repository, or somebody has edited it.
    pub(super) fn open(&self, root: &Path, place: &Path) -> Option<Kept> {
        let text = source::read_own(root, place).ok().flatten()?;
        let kept: Kept = serde_json::from_str(&text).ok()?;
        self.fits(place, &kept).then_some(kept)
    }

    /// Keeps the answer to a question.
    pub(super) fn keep(&self, question: &Question, printed: String) -> anyhow::Result<()> {
        let mut kept = Kept {
            inputs: question.inputs.clone(),
            declared: question.expressions.declared.clone(),
            printed,
            seal: String::new(),
        };
        let seal = self.over(&question.place, &kept)?.finalize();
        kept.seal = STANDARD.encode(seal.into_bytes());
        output::ignore()?;
        let place = Location::output(&question.place);
        file::write_atomically(&place, &serde_json::to_string(&kept)?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn sealed(key: &Key, place: &Path) -> Kept {
        let mut kept = Kept {
            inputs: Inputs::default(),
            declared: vec!["a".into()],
            printed: "{}".into(),
            seal: String::new(),
        };
        let seal = key.over(place, &kept).unwrap().finalize();
        kept.seal = STANDARD.encode(seal.into_bytes());
        kept
    }

    #[test]
    fn a_key_is_made_once_and_is_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::in_folder(folder.path()).unwrap();
        assert_eq!(Key::in_folder(folder.path()).unwrap().0, key.0);
        let path = folder.path().join(KEY);
        let mode = fs_err::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs_err::write(&path, "no key").unwrap();
        let other = Key::in_folder(folder.path()).unwrap();
        assert_ne!(other.0, key.0);
        let names = fs_err::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 1, "no lock is left");
    }

    #[test]
    fn only_what_was_sealed_at_its_place_and_is_as_it_was_counts() {
        let (key, place) = (Key([1; LENGTH]), Path::new("target/xtask/print/a.json"));
        assert!(key.fits(place, &sealed(&key, place)));
        assert!(!key.fits(Path::new("target/xtask/print/b.json"), &sealed(&key, place)));
        assert!(!Key([2; LENGTH]).fits(place, &sealed(&key, place)));
        let edits: [&dyn Fn(&mut Kept); 4] = [
            &|kept| kept.printed.push(' '),
            &|kept| kept.declared.clear(),
            &|kept| kept.inputs.program.push('x'),
            &|kept| kept.seal.clear(),
        ];
        for edit in edits {
            let mut kept = sealed(&key, place);
            edit(&mut kept);
            assert!(!key.fits(place, &kept));
        }
    }
}
