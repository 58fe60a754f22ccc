// SPDX-License-Identifier: Apache-2.0
//! Looks at both sides: the bytes of the image's manifest have the digest here and there, and what refers to it is there too.

use std::{collections::BTreeSet, fmt};

use crate::{
    exec::Exec,
    failure::Failure,
    image::ImageRef,
    plan::{Console, Performed, Work},
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

/// The digest of what a registry gives as an image's manifest.
fn seen(image: &ImageRef, exec: &dyn Exec) -> Result<Digest, Failure> {
    let manifest = exec.read(&oras::manifest_cmd(image), Some(PATIENCE))?;
    Ok(Digest::of(manifest.as_bytes()))
}

fn referrers(image: &ImageRef, exec: &dyn Exec) -> Result<BTreeSet<Digest>, Failure> {
    let printed = exec.read(&oras::discover_cmd(image), Some(PATIENCE))?;
    oras::parse_referrers(&printed)
        .ok_or_else(|| Failure::failed(format!("oras does not say what refers to `{image}`")))
}

impl Work for Compare {
    fn programs(&self) -> &'static [&'static str] {
        &[oras::PROGRAM]
    }

    fn perform(&self, exec: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        for image in [&self.from, &self.to] {
            let seen = seen(image, exec)?;
            if image.digest.as_ref() != Some(&seen) {
                return Err(Failure::failed(format!(
                    "the registry gives another image for `{image}`: its digest is `{seen}`"
                ))
                .hint("do not use that registry before somebody has looked at it"));
            }
        }
        let (here, there) = (referrers(&self.from, exec)?, referrers(&self.to, exec)?);
        let missing: Vec<String> = here.difference(&there).map(ToString::to_string).collect();
        if !missing.is_empty() {
            let failure = Failure::failed(format!(
                "`{}` lacks what refers to the image in `{}`",
                self.to.repository, self.from.repository
            ));
            let failure = missing.into_iter().fold(failure, Failure::detail);
            return Err(failure.hint("run the command again: a copy takes what is missing"));
        }
        let digest = self.to.digest.as_ref().map_or("", Digest::short);
        let referrers = match here.len() {
            0 => "without referrers".to_owned(),
            1 => "with 1 that refers to it".to_owned(),
            count => format!("with {count} that refer to it"),
        };
        let seen = format!("{digest} on both sides, {referrers}");
        Ok(Performed::Done(Some(seen)))
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self.to.digest.as_deref().unwrap_or_default();
        let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
        let check = format!("sha256sum | grep -q '^{hex} '");
        write!(
            f,
            "{} | {check} && {} | {check} && {} && {}",
            oras::manifest_cmd(&self.from),
            oras::manifest_cmd(&self.to),
            oras::discover_cmd(&self.from),
            oras::discover_cmd(&self.to)
        )
    }
}
