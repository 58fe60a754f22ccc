// SPDX-License-Identifier: Apache-2.0
//! What the suites have found of each image, kept by its digest: one file for an image and a release of the operator, so that
//! the folders of several machines can be put together. It says that a test has passed, not who says so.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::results::Tested;
use crate::{
    failure::Failure,
    own::{Location, RunId, file, source},
    value::Digest,
    verdict::Verdict,
};

/// Where they are kept, below the root.
const FOLDER: &str = "target/xtask/proofs";

/// What became of an image with one release of the operator, the last time.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Proof {
    pub digest: Digest,
    /// As the nodes have pulled it.
    pub image: String,
    pub extension: String,
    pub cnpg_release: String,
    pub result: Verdict,
    /// The run that has found it.
    pub run: String,
}

impl Proof {
    /// None: the image was not tried, or it is not known by which digest.
    fn of(tested: &Tested, run: &RunId) -> Option<Self> {
        let image = tested.image.0.as_ref()?;
        let was_tried = matches!(tested.result, Verdict::Passed | Verdict::Failed);
        let digest = image.digest.clone().filter(|_| was_tried)?;
        Some(Self {
            digest,
            image: image.to_string(),
            extension: tested.extension.clone(),
            cnpg_release: tested.cnpg_release.clone(),
            result: tested.result,
            run: run.to_string(),
        })
    }

    /// The release is text from elsewhere, and may be a path: it is told by some digits of its digest.
    fn file_name(&self) -> String {
        let release = Digest::of(self.cnpg_release.as_bytes());
        format!("{}{}.json", prefix(&self.digest), &digits(&release)[..8])
    }
}

fn digits(digest: &Digest) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

/// What the names of an image's files begin with.
fn prefix(digest: &Digest) -> String {
    format!("{}-", digits(digest))
}

/// Keeps what a run has found.
pub(crate) fn keep<'a>(
    tested: impl IntoIterator<Item = &'a Tested>,
    run: &RunId,
) -> anyhow::Result<()> {
    for proof in tested.into_iter().filter_map(|one| Proof::of(one, run)) {
        let place = Path::new(FOLDER).join(proof.file_name());
        let text = serde_json::to_string_pretty(&proof)? + "\n";
        file::write_atomically(&Location::output(place), &text)?;
    }
    Ok(())
}

/// Where proofs are looked for.
#[derive(Clone, Debug)]
pub(crate) enum Proofs {
    /// Those of this checkout.
    Own,
    /// Those in a folder that the user names, or in folders of it, as CI systems unpack what several jobs have left.
    In(PathBuf),
}

impl Proofs {
    /// All that is known, of any image. What is none of ours by what it says is left out.
    pub(crate) fn all(&self) -> Vec<Proof> {
        let folder = self.folder();
        let texts = files(folder)
            .into_iter()
            .filter_map(|path| self.read(&path).ok()?);
        texts.filter_map(|text| parse(&text).ok()).collect()
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Own => Path::new(FOLDER),
            Self::In(folder) => folder,
        }
    }

    fn read(&self, path: &Path) -> Result<Option<String>, Failure> {
        match self {
            Self::Own => source::read_own(Path::new("."), path),
            Self::In(_) => source::read_named(path),
        }
    }

    /// Refuses a folder that is not there.
    pub(crate) fn in_folder(folder: PathBuf) -> Result<Self, Failure> {
        if folder.is_dir() {
            return Ok(Self::In(folder));
        }
        let shown = folder.display();
        Err(
            Failure::invalid(format!("`--results {shown}` is not a folder")).hint(format!(
                "`cargo xtask e2e` leaves its results in `{FOLDER}`: name a copy of that"
            )),
        )
    }

    /// What is known of an image. Refuses a file that is none of ours by what it says.
    pub(crate) fn of(&self, digest: &Digest) -> Result<Vec<Proof>, Failure> {
        let folder = self.folder();
        let begin = prefix(digest);
        let mut found = Vec::new();
        for path in files(folder) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !name.starts_with(&begin) || !name.ends_with(".json") {
                continue;
            }
            let text = self.read(&path)?;
            let proof = parse(&text.unwrap_or_default()).and_then(|proof| {
                let is_its = proof.digest == *digest;
                is_its
                    .then_some(proof)
                    .ok_or_else(|| "it is of another image".to_owned())
            });
            let wrong = |why: String| {
                Failure::invalid(format!(
                    "`{}` is no result of a test: {why}",
                    path.display()
                ))
                .hint("remove the file, and test the image again: `cargo xtask e2e test-full …`")
            };
            found.push(proof.map_err(wrong)?);
        }
        found.sort_by(|one, other| one.cnpg_release.cmp(&other.cnpg_release));
        Ok(found)
    }
}

/// Reads a file of ours, which anybody may have edited.
pub(crate) fn parse(text: &str) -> Result<Proof, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// The files in a folder and in the folders of it. What cannot be listed has none.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let (folders, mut files): (Vec<_>, Vec<_>) =
        entries(folder).into_iter().partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| entries(folder)));
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_found_by_its_digest_also_in_the_folder_of_a_job() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"image");
        let proof = |release: &str, result| Proof {
            digest: digest.clone(),
            image: format!("registry:5000/x@{digest}"),
            extension: "x".into(),
            cnpg_release: release.into(),
            result,
            run: "1-a".into(),
        };
        let all = [
            proof("1.29", Verdict::Failed),
            proof("../main", Verdict::Passed),
        ];
        for (job, proof) in ["", "job-1"].iter().zip(&all) {
            let place = folder.path().join(job);
            std::fs::create_dir_all(&place).unwrap();
            let text = serde_json::to_string(proof).unwrap();
            std::fs::write(place.join(proof.file_name()), text).unwrap();
        }
        let proofs = Proofs::in_folder(folder.path().to_owned()).unwrap();
        let found = proofs.of(&digest).unwrap();
        assert_eq!(found, [all[1].clone(), all[0].clone()]);
        assert!(proofs.of(&Digest::of(b"other")).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_proof_of_the_image_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"image");
        let path = folder.path().join(format!("{}0.json", prefix(&digest)));
        let other = Digest::of(b"other");
        let of_another = format!(
            r#"{{"digest":"{other}","image":"","extension":"","cnpg_release":"","result":"passed","run":""}}"#
        );
        for text in ["", "{}", "[1]", &of_another] {
            std::fs::write(&path, text).unwrap();
            let failure = Proofs::In(folder.path().to_owned())
                .of(&digest)
                .unwrap_err();
            assert!(failure.message.contains("no result of a test"), "{failure}");
        }
        assert!(Proofs::in_folder(folder.path().join("nowhere")).is_err());
    }
}
