// SPDX-License-Identifier: Apache-2.0
//! Looks at both sides: the bytes of the image's manifest have the digest here and there, all that it consists of is there, and what
//! refers to it is there too. A registry may have lost a part of what it once got, and a copy takes for whole what has a manifest.

use std::{collections::BTreeSet, fmt};

use super::{
    beside::{Held, apart, beside, held},
    origin::{Origin, lost},
    referrers,
};
use crate::{
    exec::{CmdFailure, Exec},
    failure::Failure,
    image::{ImageRef, listed},
    plan::{Console, Performed, Work, shell},
    stage::pushed::PATIENCE,
    tool::oras,
    value::Digest,
};

/// Compares an image with its copy, both by digest.
#[derive(Clone, Debug)]
pub(super) struct Compare {
    pub from: ImageRef,
    pub to: ImageRef,
}

/// What a registry gives as a manifest of an image, whose bytes must have its digest.
fn manifest(image: &ImageRef, digest: &Digest, exec: &dyn Exec) -> Result<String, Failure> {
    let manifest = Origin::Registry(image.clone()).manifest(digest, exec)?;
    checked(manifest, image, digest)
}

fn checked(manifest: String, image: &ImageRef, digest: &Digest) -> Result<String, Failure> {
    let seen = Digest::of(manifest.as_bytes());
    if *digest == seen {
        return Ok(manifest);
    }
    let image = image.by_digest(digest);
    Err(Failure::failed(format!(
        "the registry gives another image for `{image}`: its digest is `{seen}`"
    ))
    .hint("do not use that registry before somebody has looked at it"))
}

/// Looks at all that manifests in a registry consist of, down to their blobs. Gives them with the manifests in them.
pub(super) fn whole(
    at: &ImageRef,
    manifests: impl IntoIterator<Item = Digest>,
    origin: &Origin,
    exec: &dyn Exec,
) -> Result<BTreeSet<Digest>, Failure> {
    let mut left: Vec<Digest> = manifests.into_iter().collect();
    let (mut seen, mut blobs) = (BTreeSet::new(), BTreeSet::new());
    while let Some(digest) = left.pop() {
        if seen.insert(digest.clone()) {
            let part = at.by_digest(&digest);
            let read = exec.read(&oras::manifest_cmd(&part), Some(PATIENCE));
            let text = read.map_err(|failed| gone(failed, &part, origin, copied))?;
            let text = checked(text, at, &digest)?;
            left.extend(listed::manifests(&text));
            blobs.extend(listed::blobs(&text));
        }
    }
    for blob in blobs {
        let blob = at.by_digest(&blob);
        let asked = exec.read(&oras::blob_descriptor_cmd(&blob), Some(PATIENCE));
        asked.map_err(|failed| gone(failed, &blob, origin, carried))?;
    }
    Ok(seen)
}

/// A question about a part that has failed. Where the registry has lost it, the commands that bring it back: a copy takes for whole
/// what has a manifest.
fn gone(
    failed: CmdFailure,
    part: &ImageRef,
    origin: &Origin,
    back: fn(&ImageRef, &ImageRef) -> String,
) -> Failure {
    if !oras::is_absent(&failed) {
        return failed.into();
    }
    let failure = lost(&part.to_string());
    match (origin, &part.digest) {
        (Origin::Registry(from), Some(digest)) => failure.hint(format!(
            "the registry has lost it: `{}` brings it back, and then the command again goes on",
            back(&from.by_digest(digest), part)
        )),
        _ => failure,
    }
}

/// A manifest with its blobs.
fn copied(from: &ImageRef, to: &ImageRef) -> String {
    let to = ImageRef {
        digest: None,
        ..to.clone()
    };
    oras::copy_cmd(from, &to).to_string()
}

/// A blob, by way of a file.
fn carried(from: &ImageRef, to: &ImageRef) -> String {
    let (save, push) = (
        oras::save_blob_cmd(from, "lost.part"),
        oras::push_blob_cmd(to, "lost.part"),
    );
    format!("{save} && {push}")
}

/// Looks whether a registry has an image whole, with all that refers to it where it comes from. Gives how many those are.
pub(crate) fn is_there(origin: &Origin, to: &ImageRef, exec: &dyn Exec) -> Result<usize, Failure> {
    let manifests = whole(to, to.digest.clone(), origin, exec)?;
    let here = referrers::of(origin, &manifests, exec)?;
    let there = referrers::of(&Origin::Registry(to.clone()), &manifests, exec)?;
    let missing = here.keys().filter(|digest| !there.contains_key(*digest));
    let missing: Vec<String> = missing.map(ToString::to_string).collect();
    if !missing.is_empty() {
        let failure = Failure::failed(format!(
            "`{}` lacks what refers to the image in `{origin}`",
            to.repository
        ));
        let failure = missing.into_iter().fold(failure, Failure::detail);
        return Err(failure.hint("run the command again: a copy takes what is missing"));
    }
    whole(to, here.keys().cloned(), origin, exec)?;
    Ok(here.len())
}

impl Compare {
    /// Looks whether what older cosign has put beside the image is there too.
    fn beside(&self, exec: &dyn Exec) -> Result<usize, Failure> {
        let tags = beside(&self.from, exec)?;
        for tag in &tags {
            let (from, to) = (self.from.by_tag(tag), self.to.by_tag(tag));
            let ours = exec.read(&oras::manifest_cmd(&from), Some(PATIENCE))?;
            if held(&ours, &to, exec)? != Held::All {
                return Err(apart(&to, &self.from.repository));
            }
        }
        Ok(tags.len())
    }
}

impl Work for Compare {
    fn programs(&self) -> &'static [&'static str] {
        &[oras::PROGRAM]
    }

    fn perform(&self, exec: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        if let Some(digest) = &self.from.digest {
            manifest(&self.from, digest, exec)?;
        }
        let origin = Origin::Registry(self.from.clone());
        let referrers = is_there(&origin, &self.to, exec)?;
        let beside = self.beside(exec)?;
        let digest = self.to.digest.as_ref().map_or("", Digest::short);
        let referrers = match referrers {
            0 => "without referrers".to_owned(),
            1 => "with 1 that refers to it".to_owned(),
            count => format!("with {count} that refer to it"),
        };
        let beside = match beside {
            0 => String::new(),
            1 => ", 1 signature's tag beside it".to_owned(),
            count => format!(", {count} signatures' tags beside it"),
        };
        let seen = format!("{digest} on both sides, {referrers}{beside}");
        Ok(Performed::Done(Some(seen)))
    }
}

/// The same for a shell, which looks at the manifests that the image lists, and no deeper.
impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self.to.digest.as_deref().unwrap_or_default();
        let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
        let check = format!("sha256sum | grep -q '^{hex} '");
        let (from, to) = (oras::manifest_cmd(&self.from), oras::manifest_cmd(&self.to));
        let (ours, theirs) = (oras::discover_cmd(&self.from), oras::discover_cmd(&self.to));
        let digests = "grep -Eo 'sha256:[0-9a-f]{64}'";
        let part = ImageRef {
            digest: None,
            ..self.to.clone()
        };
        write!(
            f,
            "([ \"$copied\" = {it} ] && {from} | {check} && {to} | {check} && \
             {to} | {digests} | while IFS= read -r part; do {manifest}@\"$part\" < /dev/null > /dev/null 2>&1 || \
             {blob}@\"$part\" < /dev/null > /dev/null || exit 1; done && \
             there=\"$({theirs})\" && {ours} | {digests} | while IFS= read -r part; do case $there in *\"$part\"*) ;; \
             *) echo \"$part is missing\" >&2; exit 1 ;; esac; done) && compared={it}",
            it = shell::word(self.to.to_string()),
            manifest = oras::manifest_cmd(&part),
            blob = oras::blob_descriptor_cmd(&part),
        )
    }
}
