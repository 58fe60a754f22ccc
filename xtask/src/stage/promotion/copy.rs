// SPDX-License-Identifier: Apache-2.0
//! Carries an image over with all that belongs to it: what refers to it, by the registry's API or by the tag that stands for that,
//! and what cosign before version 3 has put under tags of its own (`sha256-….sig`), which refer to nothing.

use std::{collections::BTreeSet, fmt, time::Duration};

use serde_json::Value;

use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::ImageRef,
    plan::{Cmd, Console, Performed, Work, shell},
    stage::pushed::{PATIENCE, find},
    tool::oras,
    value::Digest,
};

/// How long a copy may take, of whatever size: oras waits for ever for a registry that has stopped to answer.
const LIMIT: Duration = Duration::from_secs(1800);

/// What those tags end with. Fact: cosign, `pkg/oci/remote/remote.go`.
const ENDS: [&str; 3] = [".sig", ".att", ".sbom"];

/// Copies an image, both by digest.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub from: ImageRef,
    pub to: ImageRef,
}

impl Copy {
    /// Without a reference nothing names it before it is whole.
    fn whole(&self) -> Cmd {
        let to = ImageRef {
            digest: None,
            ..self.to.clone()
        };
        oras::copy_with_referrers_cmd(&self.from, &to)
    }

    /// Whether what a tag names there holds something that would be lost: it is a list that grows on both sides.
    fn would_lose(&self, tag: &str, exec: &dyn Exec) -> Result<bool, Failure> {
        let (from, to) = (self.from.by_tag(tag), self.to.by_tag(tag));
        if find(&to, exec)?.is_none() {
            return Ok(false);
        }
        let read = |image: &ImageRef| exec.read(&oras::manifest_cmd(image), Some(PATIENCE));
        let (ours, theirs) = (layers(&read(&from)?), layers(&read(&to)?));
        Ok(!theirs.is_subset(&ours))
    }
}

/// The tags by which signatures of an image, and of the manifests in it, are found beside it.
pub(crate) fn beside(image: &ImageRef, exec: &dyn Exec) -> Result<Vec<String>, Failure> {
    let manifest = exec.read(&oras::manifest_cmd(image), Some(PATIENCE))?;
    let signed = digests(&manifest);
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

/// The digests of an index's manifests; of what is no index none.
fn digests(manifest: &str) -> BTreeSet<Digest> {
    listed(manifest, "manifests")
}

/// The digests of a manifest's layers, which of cosign's are its signatures.
fn layers(manifest: &str) -> BTreeSet<Digest> {
    listed(manifest, "layers")
}

fn listed(manifest: &str, list: &str) -> BTreeSet<Digest> {
    let value: Value = serde_json::from_str(manifest).unwrap_or_default();
    let entries = value[list].as_array().into_iter().flatten();
    let digests = entries.filter_map(|entry| entry["digest"].as_str()?.parse().ok());
    digests.collect()
}

impl Work for Copy {
    fn programs(&self) -> &'static [&'static str] {
        &[oras::PROGRAM]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let mut copied = 0;
        let mut kept = Vec::new();
        let mut run = |cmd: &Cmd| {
            let how = Supervision {
                timeout: Some(LIMIT),
                ..Supervision::default()
            };
            exec.run(cmd, how, &mut |line| {
                copied += usize::from(oras::is_copied(line));
                (console.line)(line);
            })
        };
        run(&self.whole())?;
        for tag in beside(&self.from, exec)? {
            if self.would_lose(&tag, exec)? {
                kept.push(tag);
                continue;
            }
            run(&oras::copy_cmd(
                &self.from.by_tag(&tag),
                &self.to.by_tag(&tag),
            ))?;
        }
        for tag in kept {
            (console.warning)(format!(
                "`{}` stays as it is: it holds signatures that `{}` does not have",
                self.to.by_tag(&tag),
                self.from.by_tag(&tag)
            ));
        }
        Ok(match copied {
            0 => Performed::Skipped("unchanged: all of it is there".into()),
            1 => Performed::Done(Some("copied 1 manifest or blob".into())),
            count => Performed::Done(Some(format!("copied {count} manifests and blobs"))),
        })
    }
}

/// The copy as it is run, and for signatures under tags of their own a loop that does the same.
impl fmt::Display for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (&self.from.repository, &self.to.repository);
        let digest = self.from.digest.as_deref().unwrap_or_default();
        let tags = oras::tags_cmd(from);
        let manifest = oras::manifest_cmd(&self.from);
        let copy = oras::copy_between_cmd(from, to, &[]);
        let (from, to) = (shell::word(from), shell::word(to));
        let signed = format!(
            "$({{ {manifest} < /dev/null | grep -Eo 'sha256:[0-9a-f]{{64}}'; echo {digest}; }} | tr ':\\n' '-|')"
        );
        write!(
            f,
            "{whole} && {tags} | grep -E \"^({signed})[.](sig|att|sbom)\\$\" | while IFS= read -r tag; \
             do {copy} {from}:\"$tag\" {to}:\"$tag\" < /dev/null; done",
            whole = self.whole(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_manifest_lists_is_read_and_what_is_no_digest_is_not() {
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let index = format!(
            r#"{{"manifests": [{{"digest": "{one}"}}, {{"digest": "--x"}}], "layers": [{{"digest": "{other}"}}]}}"#
        );
        assert_eq!(digests(&index), BTreeSet::from([one]));
        assert_eq!(layers(&index), BTreeSet::from([other]));
        assert!(digests("no JSON").is_empty() && digests("[]").is_empty());
    }
}
