// SPDX-License-Identifier: Apache-2.0
//! References to images: what a user names, and what a bake of ours has built.

use std::{fmt, path::PathBuf, str::FromStr};

pub(crate) mod annotations;
mod metadata;
mod rotation;

pub(crate) use annotations::Annotations;
pub(crate) use metadata::{Merge, Metadata, Promised};
pub(crate) use rotation::Rotation;

use crate::{
    failure::Failure,
    plan::Pending,
    value::{self, Digest, Domain, RepositoryPath, without_userinfo},
};

/// An image as people and registries name it: `repository[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageRef {
    /// With the registry's host in front: `localhost:5000/pgvector-testing`.
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

impl FromStr for ImageRef {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::invalid(format!(
                "`{}` is not an image reference: {why}",
                without_userinfo(text)
            ))
            .hint("write it as `registry/name:tag` or `registry/name@sha256:…`")
        };
        let (name, digest) = match text.split_once('@') {
            None => (text, None),
            Some((name, digest)) => {
                let digest = Digest::from_str(digest)
                    .map_err(|wanted| wrong(&format!("the digest is not {wanted}")))?;
                (name, Some(digest))
            }
        };
        // A colon before the last slash is a port.
        let slash = name.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match name[slash..].rfind(':') {
            None => (name, None),
            Some(at) => (&name[..slash + at], Some(name[slash + at + 1..].to_owned())),
        };
        if let Some(tag) = tag.as_deref().filter(|tag| !value::is_tag(tag)) {
            return Err(wrong(&format!(
                "the tag `{tag}` is not of letters, digits and `_.-`, at most 128"
            )));
        }
        check_repository(repository).map_err(|why| wrong(&why))?;
        Ok(Self {
            repository: repository.to_owned(),
            tag,
            digest,
        })
    }
}

impl ImageRef {
    /// The same image in the registry `to`, where it is one of the registry `from`; else as it is.
    fn moved(&self, from: &str, to: &str) -> Self {
        let path = self.repository.strip_prefix(from);
        match path.filter(|path| path.starts_with('/')) {
            Some(path) => Self {
                repository: format!("{to}{path}"),
                ..self.clone()
            },
            None => self.clone(),
        }
    }
}

/// Refuses what the grammar of references does not know, with the reason.
fn check_repository(repository: &str) -> Result<(), String> {
    let (host, path) = split_host(repository);
    if repository.len() > 255 {
        return Err("it is longer than 255 characters".into());
    }
    if let Some(host) = host.filter(|host| !Domain::is(host)) {
        return Err(format!("`{host}` is not {}", Domain::WANTED));
    }
    if !RepositoryPath::is(path) {
        return Err(format!("`{path}` is not {}", RepositoryPath::WANTED));
    }
    Ok(())
}

/// A repository's host, when it names one, and the path below it, as docker tells them apart.
pub(crate) fn split_host(repository: &str) -> (Option<&str>, &str) {
    match repository.split_once('/') {
        Some((host, path))
            if host.contains(['.', ':', '[', '@'])
                || host == "localhost"
                || host.chars().any(char::is_uppercase) =>
        {
            (Some(host), path)
        }
        _ => (None, repository),
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// An image to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    /// One that is there already.
    Given(ImageRef),
    /// One that a bake of this plan makes.
    Baked {
        tag: ImageRef,
        /// Where bake writes the digest, and the target's name in that file.
        metadata: PathBuf,
        target: String,
    },
}

impl Image {
    /// What is known before anything has run: the name that was given, or the tag.
    pub(crate) fn reference(&self) -> &ImageRef {
        match self {
            Self::Given(reference) => reference,
            Self::Baked { tag, .. } => tag,
        }
    }

    /// The tag and, when a bake of this plan made it, the digest: what a node pulls is what was built, and
    /// people still see which version it is.
    pub(crate) fn tagged(&self) -> anyhow::Result<ImageRef> {
        match self {
            Self::Given(reference) => Ok(reference.clone()),
            Self::Baked {
                tag,
                metadata,
                target,
            } => {
                let digest = Metadata::read(metadata)?.digest(target).ok_or_else(|| {
                    Failure::failed(format!(
                        "`{}` has no `containerimage.digest` for target `{target}`",
                        metadata.display()
                    ))
                })?;
                Ok(ImageRef {
                    digest: Some(digest),
                    ..tag.clone()
                })
            }
        }
    }
}

/// As it was named, until it is built.
impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference().fmt(f)
    }
}

impl Pending for Image {
    /// The reference by nothing but the digest that `buildx bake --metadata-file` wrote for this target; a
    /// given image stays as it was named.
    fn text(&self) -> Result<String, Failure> {
        let mut reference = self.tagged()?;
        if let Self::Baked { .. } = self {
            reference.tag = None;
        }
        Ok(reference.to_string())
    }
}

/// Whether a registry is on this machine, so that what is pushed there is for this machine.
pub(crate) fn is_local(registry: &str) -> bool {
    let host = registry.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.starts_with("127.")
}

/// An image as a node of the cluster pulls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterRef(ImageRef);

impl fmt::Display for ClusterRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The registry by its two names: on this machine and in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    /// What images are pushed to: `localhost:5000`.
    pub host: String,
    /// What nodes pull from: `registry.pg-extensions:5000`.
    pub cluster: String,
}

impl Naming {
    /// The same image by the name that nodes use; one of another registry keeps its name.
    pub(crate) fn in_cluster(&self, reference: &ImageRef) -> ClusterRef {
        ClusterRef(reference.moved(&self.host, &self.cluster))
    }

    /// The same image by the name that this machine uses.
    pub(crate) fn on_host(&self, reference: &ImageRef) -> ImageRef {
        reference.moved(&self.cluster, &self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart_and_put_together_again() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for text in [
            "pgvector",
            "localhost:5000/pgvector-testing:0.8.6-18-trixie",
            &format!("ghcr.io/cnpg/x@{digest}"),
            &format!("localhost:5000/x:1@{digest}"),
        ] {
            assert_eq!(ImageRef::from_str(text).unwrap().to_string(), text);
        }
        let port = ImageRef::from_str("localhost:5000/x").unwrap();
        assert_eq!(
            (port.repository.as_str(), port.tag),
            ("localhost:5000/x", None)
        );
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "a b",
            "x:",
            "x@sha256:12",
            "x@md5:1",
            "host/",
            "host/Upper:1",
            "a,b=c",
            "--a",
            "a\u{1b}b",
            "a|b",
            "$(touch x)",
            "u:secret@host.example/x",
            "https://host/x:1",
            "x:-1",
            "a//b",
            "host.example/_x",
            "host:x/y",
        ] {
            assert!(ImageRef::from_str(text).is_err(), "{text}");
        }
    }
}
