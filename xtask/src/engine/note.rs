// SPDX-License-Identifier: Apache-2.0
//! What a run notes for the next one. It lies in the repository, where others may put files too, so only what this user has
//! sealed at its place counts.

use std::path::{Path, PathBuf};

use serde::{Serialize, de::DeserializeOwned};

use super::print::Key;
use crate::{
    own::{file, output, source},
    plan::Location,
};

/// Below the root.
const FOLDER: &str = "target/xtask/images";

/// The file of a note, and the key that it is sealed with.
#[derive(Debug)]
pub(crate) struct Note {
    key: Key,
    file: PathBuf,
}

impl Note {
    /// `name`: of letters that a file's name may have. None where nobody has a place for a key: nothing is noted then.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(Self {
            key: Key::of_user().ok()?,
            file: Path::new(FOLDER).join(format!("{name}.sealed")),
        })
    }

    /// Whether anything was noted here.
    pub(crate) fn any() -> bool {
        Path::new(FOLDER).is_dir()
    }

    /// What was noted. What cannot be read, or was not sealed by this user there, is nothing.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let text = source::read_own(Path::new("."), &self.file)
            .ok()
            .flatten()?;
        let (seal, said) = text.split_once('\n')?;
        let seal: String = serde_json::from_str(seal).ok()?;
        let fits = self.key.fits(&seal, &self.file, said);
        fits.then(|| serde_json::from_str(said).ok()).flatten()
    }

    /// Notes it in place of what was noted before.
    pub(crate) fn write<T: Serialize>(&self, what: &T) -> anyhow::Result<()> {
        let said = serde_json::to_string(what)?;
        let seal = serde_json::to_string(&self.key.seal(&self.file, &said)?)?;
        output::ignore()?;
        file::write_private(&Location::output(&self.file), &format!("{seal}\n{said}"))
    }
}
