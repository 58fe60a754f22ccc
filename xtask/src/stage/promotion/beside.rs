// SPDX-License-Identifier: Apache-2.0
//! What cosign before version 3 has put beside an image under tags of its own (`sha256-….sig`), which refer to nothing.

use std::collections::BTreeSet;

use crate::{
    exec::Exec,
    failure::Failure,
    image::{ImageRef, listed},
    stage::pushed::{PATIENCE, find},
    tool::oras,
    value::Digest,
};

/// What those tags end with. Fact: cosign, `pkg/oci/remote/remote.go`.
const ENDS: [&str; 3] = [".sig", ".att", ".sbom"];

/// Whether a tag is one of those.
pub(crate) fn is_beside(tag: &str) -> bool {
    let is_end = |end: &&str| tag.starts_with("sha256-") && tag.ends_with(*end);
    ENDS.iter().any(is_end)
}

/// The tags by which signatures of an image, and of the manifests in it, are found beside it.
pub(crate) fn beside(image: &ImageRef, exec: &dyn Exec) -> Result<Vec<String>, Failure> {
    let manifest = exec.read(&oras::manifest_cmd(image), Some(PATIENCE))?;
    let signed = listed::manifests(&manifest);
    let signed = signed.iter().chain(&image.digest);
    let begins: Vec<String> = signed.map(|digest| digest.replacen(':', "-", 1)).collect();
    let listed = exec.read(&oras::tags_cmd(&image.repository), Some(PATIENCE))?;
    let mut tags = oras::parse_tags(&listed);
    tags.retain(|tag| {
        let begin = ENDS.iter().find_map(|end| tag.strip_suffix(end));
        begin.is_some_and(|begin| begins.iter().any(|signed| signed == begin))
    });
    tags.sort();
    Ok(tags)
}

/// What a tag there holds of what one here does: a list that grows on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// All of it, or all of it and more.
    All,
    /// Nothing that is not here too.
    Part,
    /// Some that is not here, and not all that is.
    Other,
}

/// Compares them, of which one is given as its manifest.
pub(crate) fn held(ours: &str, theirs: &ImageRef, exec: &dyn Exec) -> Result<Held, Failure> {
    if find(theirs, exec)?.is_none() {
        return Ok(Held::Part);
    }
    let theirs = exec.read(&oras::manifest_cmd(theirs), Some(PATIENCE))?;
    Ok(Held::of(&listed::layers(ours), &listed::layers(&theirs)))
}

impl Held {
    fn of(ours: &BTreeSet<Digest>, theirs: &BTreeSet<Digest>) -> Self {
        match (ours.is_subset(theirs), theirs.is_subset(ours)) {
            (true, _) => Self::All,
            (false, true) => Self::Part,
            (false, false) => Self::Other,
        }
    }
}

/// That a signature cannot arrive, as the other side has others under its tag.
pub(crate) fn apart(tag: &ImageRef, origin: &str) -> Failure {
    Failure::failed(format!(
        "`{tag}` holds signatures that `{origin}` does not have, and lacks some of those"
    ))
    .hint("nothing is written over: remove the tag whose signatures are not wanted any more; `cargo xtask sign` signs an image without such a tag")
}
