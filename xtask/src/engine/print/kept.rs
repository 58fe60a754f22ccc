// SPDX-License-Identifier: Apache-2.0
//! The files that keep what bake has answered. They lie in the repository, where others may put files too, and what they
//! say is built: only those count that are sealed with a key of this user.

use std::path::Path;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::question::Question;
use crate::{
    engine::lock::user_folder,
    own::{LockFile, file, output, source},
    plan::Location,
    target::Inputs,
};

/// The key's file in this user's own folder, and how many bytes it is.
const KEY: &str = "print.key";
const LENGTH: usize = 32;

/// An answer that was kept, as its file holds it: who has written it is not known yet.
pub(super) struct Kept {
    head: Head,
    /// What was printed, the moment of it marked.
    printed: String,
}

/// The first line of a file.
#[derive(Deserialize, Serialize)]
struct Head {
    /// The variables that the files declare which bake has read, so that these need not be read as HCL again.
    declared: Vec<String>,
    /// HMAC-SHA256, in base64, of all of this, of what bake has read, and of the place of the file.
    seal: String,
}

impl Kept {
    /// What was kept the last time at `place`, which is told from the root. What cannot be read is none.
    pub(super) fn read(root: &Path, place: &Path) -> Option<Self> {
        Self::of(&source::read_own(root, place).ok().flatten()?)
    }

    fn of(text: &str) -> Option<Self> {
        let (head, printed) = text.split_once('\n')?;
        Some(Self {
            head: serde_json::from_str(head).ok()?,
            printed: printed.to_owned(),
        })
    }

    /// The variables to look up before it can be opened.
    pub(super) fn declared(&self) -> &[String] {
        &self.head.declared
    }
}

/// What an answer that is kept is sealed with: random bytes that only this user can read.
#[derive(Debug)]
pub(crate) struct Key([u8; LENGTH]);

impl Key {
    /// This user's, made when there is none yet.
    pub(crate) fn of_user() -> anyhow::Result<Self> {
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

    fn over(
        &self,
        place: &Path,
        inputs: &Inputs,
        declared: &[String],
        printed: &str,
    ) -> anyhow::Result<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)?;
        mac.update(&serde_json::to_vec(&(place, inputs, declared))?);
        mac.update(printed.as_bytes());
        Ok(mac)
    }

    /// What an answer says that was kept at `place`. None where it was not sealed with this key, or bake would read other
    /// `inputs` now: it came with the repository, somebody has edited it, or it is of another time.
    pub(super) fn open<'a>(
        &self,
        kept: &'a Kept,
        place: &Path,
        inputs: &Inputs,
    ) -> Option<&'a str> {
        let Kept { head, printed } = kept;
        let seal = STANDARD.decode(&head.seal).ok()?;
        let mac = self.over(place, inputs, &head.declared, printed).ok()?;
        mac.verify_slice(&seal).is_ok().then_some(printed)
    }

    /// Keeps the answer to a question, for this user alone: it may hold what only the environment is to, as a proxy's login.
    pub(super) fn keep(&self, question: &Question, printed: &str) -> anyhow::Result<()> {
        output::ignore()?;
        file::write_private(
            &Location::output(&question.place),
            &self.sealed(question, printed)?,
        )
    }

    /// What any other text is sealed with that is kept at `place`: one line.
    pub(crate) fn seal(&self, place: &Path, text: &str) -> anyhow::Result<String> {
        let mac = self.over_text(place, text)?;
        Ok(STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Whether that is the seal of the text that was kept at `place`.
    pub(crate) fn fits(&self, seal: &str, place: &Path, text: &str) -> bool {
        let mac = self.over_text(place, text).ok();
        let seal = STANDARD.decode(seal).ok();
        mac.zip(seal)
            .is_some_and(|(mac, seal)| mac.verify_slice(&seal).is_ok())
    }

    fn over_text(&self, place: &Path, text: &str) -> anyhow::Result<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)?;
        mac.update(&serde_json::to_vec(&(place, text))?);
        Ok(mac)
    }

    /// The text of the file that keeps it.
    fn sealed(&self, question: &Question, printed: &str) -> anyhow::Result<String> {
        let declared = &question.expressions.declared;
        let seal = self.over(&question.place, &question.inputs, declared, printed)?;
        let head = Head {
            declared: declared.clone(),
            seal: STANDARD.encode(seal.finalize().into_bytes()),
        };
        Ok(format!("{}\n{printed}", serde_json::to_string(&head)?))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::target::Expressions;

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
        let key = Key([1; LENGTH]);
        let question = || Question {
            inputs: Inputs {
                files: [("a.hcl".to_owned(), "a = 1\n".to_owned())].into(),
                variables: [("a".to_owned(), "1".to_owned())].into(),
                program: "docker 1".into(),
            },
            expressions: Expressions {
                declared: vec!["a".into()],
                ..Expressions::default()
            },
            place: "target/xtask/print/a.sealed".into(),
        };
        let kept = || Kept::of(&key.sealed(&question(), "{}").unwrap()).unwrap();
        let opens = |key: &Key, kept: &Kept, now: &Question| {
            key.open(kept, &now.place, &now.inputs).is_some()
        };
        assert!(opens(&key, &kept(), &question()));
        assert!(!opens(&Key([2; LENGTH]), &kept(), &question()));
        let edits: [&dyn Fn(&mut Kept); 4] = [
            &|kept| kept.printed.push(' '),
            &|kept| kept.head.declared.clear(),
            &|kept| kept.head.seal.clear(),
            &|kept| kept.head.seal = STANDARD.encode([0; LENGTH]),
        ];
        for edit in edits {
            let mut kept = kept();
            edit(&mut kept);
            assert!(!opens(&key, &kept, &question()));
        }
        let changes: [&dyn Fn(&mut Question); 6] = [
            &|now| now.place = "target/xtask/print/b.sealed".into(),
            &|now| now.inputs.program.push('1'),
            &|now| now.inputs.files.clear(),
            &|now| {
                now.inputs
                    .files
                    .values_mut()
                    .for_each(|text| text.push('#'));
            },
            &|now| now.inputs.variables.clear(),
            &|now| {
                now.inputs
                    .variables
                    .values_mut()
                    .for_each(|text| text.push('1'));
            },
        ];
        for change in changes {
            let mut now = question();
            change(&mut now);
            assert!(!opens(&key, &kept(), &now));
        }
    }
}
