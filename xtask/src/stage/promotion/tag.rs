// SPDX-License-Identifier: Apache-2.0
//! Gives an image its tags, last of all: from then on others find it.

use std::fmt;

use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::ImageRef,
    plan::{Console, Performed, Work, shell},
    stage::pushed::find,
    tool::oras,
    value::Digest,
};

/// Digits that a tag's moment has at least: `YYYYMMDDhhmm`.
const MOMENT: usize = 12;

/// Tags an image, which is named by its digest.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub image: ImageRef,
    pub tags: Vec<String>,
}

/// Whether a tag has the moment of a bake in it: it names one image for ever.
pub(crate) fn is_stamped(tag: &str) -> bool {
    let is_moment = |part: &str| {
        part.len() >= MOMENT
            && part.starts_with("20")
            && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    tag.split('-').any(is_moment)
}

/// That a tag is not moved.
pub(crate) fn is_another(name: &ImageRef, found: &Digest) -> Failure {
    Failure::failed(format!("`{name}` is another image already: `{found}`"))
        .hint("a tag with the moment of a bake is never moved: somebody may have it by that name")
}

impl Tag {
    /// What a tag names now.
    fn named(&self, tag: &str, exec: &dyn Exec) -> Result<Option<Digest>, Failure> {
        find(&self.image.by_tag(tag), exec)
    }
}

impl Work for Tag {
    fn programs(&self) -> &'static [&'static str] {
        &[oras::PROGRAM]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let (mut to_set, mut did) = (Vec::new(), Vec::new());
        for tag in &self.tags {
            match self.named(tag, exec)? {
                Some(found) if Some(&found) == self.image.digest.as_ref() => continue,
                Some(found) if is_stamped(tag) => {
                    return Err(is_another(&self.image.by_tag(tag), &found));
                }
                Some(found) => did.push(format!("{tag}, which was {}", found.short())),
                None => did.push(tag.clone()),
            }
            to_set.push(tag);
        }
        if to_set.is_empty() {
            return Ok(Performed::Unchanged(Some("the tags name it".into())));
        }
        let cmd = oras::tag_cmd(&self.image, to_set.iter().copied());
        exec.run(&cmd, Supervision::default(), console.line)?;
        for tag in &self.tags {
            let found = self.named(tag, exec)?;
            if found.as_ref() != self.image.digest.as_ref() {
                let found = found.map_or_else(|| "nothing".to_owned(), |found| found.to_string());
                return Err(Failure::failed(format!(
                    "`{}` was set, and names {found}: somebody else may have moved it",
                    self.image.by_tag(tag)
                )));
            }
        }
        Ok(Performed::Done(Some(did.join("; "))))
    }
}

/// A shell asks as well what a tag names that is never moved.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self.image.digest.as_deref().unwrap_or_default();
        let stamped = self.tags.iter().filter(|tag| is_stamped(tag));
        let asked = stamped.map(|tag| {
            let asked = oras::resolve_cmd(&self.image.by_tag(tag));
            format!("[ \"$({asked} 2> /dev/null || echo {digest})\" = {digest} ] && ")
        });
        let tag = oras::tag_cmd(&self.image, &self.tags);
        let it = shell::word(self.image.to_string());
        let asked: String = asked.collect();
        write!(f, "([ \"$compared\" = {it} ] && {asked}{tag})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_with_a_moment_is_told_from_a_version_that_is_a_date() {
        for tag in ["0.8.7-202611261506-18-trixie", "1-20261126150612-17-forky"] {
            assert!(is_stamped(tag), "{tag}");
        }
        for tag in ["0.8.7-18-trixie", "20230616-18-trixie", "123456789012-18"] {
            assert!(!is_stamped(tag), "{tag}");
        }
    }
}
