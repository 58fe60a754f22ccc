// SPDX-License-Identifier: Apache-2.0
//! Images that are in a registry, by their digests: those that a metadata file names, or those that targets have there now.

use std::{path::Path, str::FromStr as _, time::Duration};

use crate::{
    exec::Exec,
    failure::Failure,
    image::{ImageRef, Metadata},
    target::Target,
    tool::oras,
    value::{Digest, Registry, split_host},
};

/// How long a registry may take to answer a question.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a copy may take, of whatever size: oras waits for ever for a registry that has stopped to answer.
pub(crate) const LIMIT: Duration = Duration::from_secs(1800);

/// What bake puts behind a name with `environment=testing`.
const TESTING: &str = "-testing";

/// How many tags with a moment are compared with the rolling one, newest first.
const LOOKED_AT: usize = 20;

/// An image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pushed {
    /// As people tell images apart.
    pub title: String,
    /// `repository@digest`.
    pub image: ImageRef,
    /// The tags that it was pushed with.
    pub tags: Vec<String>,
}

impl Pushed {
    /// The image of a target that a metadata file speaks of. None: the file has no digest of it.
    pub(crate) fn written(
        title: &str,
        metadata: &Metadata,
        target: &str,
        file: &Path,
    ) -> Result<Option<Self>, Failure> {
        let Some(digest) = metadata.digest(target) else {
            return Ok(None);
        };
        let wrong = |why: String| {
            let file = file.display();
            Failure::invalid(format!(
                "`{file}` has no image of `{target}` that was pushed: {why}"
            ))
            .hint("give the file that `cargo xtask bake --push --metadata-file FILE` has written")
        };
        let names = metadata.names(target);
        let names: Result<Vec<ImageRef>, Failure> =
            names.iter().map(|name| ImageRef::from_str(name)).collect();
        let names = names.map_err(|failure| wrong(failure.message))?;
        let Some(first) = names.first() else {
            return Err(wrong("it says no name".into()));
        };
        if split_host(&first.repository).0.is_none() {
            return Err(wrong(format!("`{first}` names no registry")));
        }
        let same = names
            .iter()
            .filter(|name| name.repository == first.repository);
        Ok(Some(Self {
            title: title.to_owned(),
            image: first.by_digest(&digest),
            tags: same.filter_map(|name| name.tag.clone()).collect(),
        }))
    }

    /// The same of a target that bake could build here. Of an index that buildx has put together of several nodes' the file says
    /// the digest alone: it has the target's rolling tag then.
    pub(crate) fn of_written_target(
        target: &Target,
        metadata: &Metadata,
        file: &Path,
    ) -> Result<Option<Self>, Failure> {
        match metadata.digest(&target.name) {
            Some(digest) if metadata.names(&target.name).is_empty() => Ok(Some(Self {
                title: target.title(),
                image: target.tag.by_digest(&digest),
                tags: target.tag.tag.iter().cloned().collect(),
            })),
            _ => Self::written(&target.title(), metadata, &target.name, file),
        }
    }

    /// What a target's tags name in its registry now.
    pub(crate) fn of_target(target: &Target, exec: &dyn Exec) -> Result<Self, Failure> {
        let digest = digest_of(&target.tag, exec)?;
        let mut tags: Vec<String> = target.tag.tag.iter().cloned().collect();
        tags.extend(stamped(target, &digest, exec)?);
        Ok(Self {
            title: target.title(),
            image: target.tag.by_digest(&digest),
            tags,
        })
    }

    /// An image that the user has named, whatever it is.
    pub(crate) fn named(image: &ImageRef, exec: &dyn Exec) -> Result<Self, Failure> {
        let digest = match &image.digest {
            Some(digest) => digest.clone(),
            None => digest_of(image, exec)?,
        };
        Ok(Self {
            title: image.to_string(),
            image: image.by_digest(&digest),
            tags: image.tag.iter().cloned().collect(),
        })
    }

    /// The repository that it is promoted to: what is released has the name without `-testing`.
    pub(crate) fn promoted_to(&self, registry: &Registry) -> Result<String, Failure> {
        let name = self.image.name();
        let released = name.strip_suffix(TESTING).filter(|name| !name.is_empty());
        let to = format!("{registry}/{}", released.unwrap_or(name));
        Ok(ImageRef::from_str(&to)?.repository)
    }

    /// The same image where it was promoted to.
    pub(crate) fn promoted(self, registry: &Registry) -> Result<Self, Failure> {
        let repository = self.promoted_to(registry)?;
        Ok(Self {
            image: ImageRef {
                repository,
                ..self.image
            },
            ..self
        })
    }
}

/// The newest of a target's tags with the moment of a bake that names the same image as the rolling one.
fn stamped(target: &Target, digest: &Digest, exec: &dyn Exec) -> Result<Option<String>, Failure> {
    let Some(rotation) = &target.stamped else {
        return Ok(None);
    };
    let listed = exec.read(&oras::tags_cmd(&rotation.repository), Some(PATIENCE))?;
    let mut tags = oras::parse_tags(&listed);
    tags.retain(|tag| rotation.covers(tag));
    tags.sort_unstable_by(|one, other| other.cmp(one));
    for tag in tags.into_iter().take(LOOKED_AT) {
        if find(&target.tag.by_tag(&tag), exec)?.as_ref() == Some(digest) {
            return Ok(Some(tag));
        }
    }
    Ok(None)
}

/// The digest that an image has in its registry. None: it is not there.
pub(crate) fn find(image: &ImageRef, exec: &dyn Exec) -> Result<Option<Digest>, Failure> {
    let printed = match exec.read(&oras::resolve_cmd(image), Some(PATIENCE)) {
        Ok(printed) => printed,
        Err(failed) if oras::is_absent(&failed) => return Ok(None),
        Err(failed) => return Err(Failure::from(failed)),
    };
    oras::parse_digest(&printed).map(Some).ok_or_else(|| {
        Failure::failed(format!("the registry gives no digest of `{image}`"))
            .detail(printed.trim().to_owned())
    })
}

/// The same, of one that must be there.
pub(super) fn digest_of(image: &ImageRef, exec: &dyn Exec) -> Result<Digest, Failure> {
    find(image, exec)?.ok_or_else(|| {
        Failure::invalid(format!("image `{image}` is not in its registry"))
            .hint("build and push it: `cargo xtask bake … --push`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(name: &str) -> Pushed {
        let image: ImageRef = format!("localhost:5000/{name}").parse().unwrap();
        Pushed {
            title: name.into(),
            image: image.by_digest(&Digest::of(b"x")),
            tags: Vec::new(),
        }
    }

    #[test]
    fn what_is_released_is_not_called_testing() {
        let to: Registry = "ghcr.io/o".parse().unwrap();
        for (name, released) in [
            ("pgvector-testing", "ghcr.io/o/pgvector"),
            ("a/pgvector-testing", "ghcr.io/o/pgvector"),
            ("pgvector", "ghcr.io/o/pgvector"),
        ] {
            assert_eq!(pushed(name).promoted_to(&to).unwrap(), released);
        }
    }

    #[test]
    fn a_metadata_file_says_where_an_image_is_and_what_it_is_called() {
        let digest = Digest::of(b"x");
        let read = |names: &str| {
            let text = serde_json::json!({"t": {"containerimage.digest": digest, "image.name": names}, "u": {}});
            let metadata = Metadata::parse(&text.to_string()).unwrap();
            let of = |target| Pushed::written("title", &metadata, target, Path::new("f.json"));
            assert_eq!(of("u").unwrap(), None);
            of("t")
        };
        let found =
            read("localhost:5000/x-testing:1,localhost:5000/x-testing:1-202611261506,other/x:1");
        let found = found.unwrap().unwrap();
        assert_eq!(
            found.image.to_string(),
            format!("localhost:5000/x-testing@{digest}")
        );
        assert_eq!(found.tags, ["1", "1-202611261506"]);
        for names in ["", "--help", "localhost:5000/X:1", "x:1"] {
            let failure = read(names).unwrap_err();
            assert!(
                failure.message.contains("`f.json` has no image of `t`"),
                "{failure}"
            );
        }
    }
}
