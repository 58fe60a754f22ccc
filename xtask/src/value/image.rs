// SPDX-License-Identifier: Apache-2.0
//! References to images, as people and registries write them.

use std::{fmt, str::FromStr};

use super::{Digest, Domain, RepositoryPath, is_tag, without_userinfo};
use crate::failure::Failure;

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
        if let Some(tag) = tag.as_deref().filter(|tag| !is_tag(tag)) {
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
    /// What it is called, whichever registry has it: the last part of the repository.
    pub(crate) fn name(&self) -> &str {
        let repository = &self.repository;
        repository
            .rsplit_once('/')
            .map_or(repository, |(_, name)| name)
    }

    /// The image of its repository that has this digest, and by nothing else.
    pub(crate) fn by_digest(&self, digest: &Digest) -> Self {
        Self {
            repository: self.repository.clone(),
            tag: None,
            digest: Some(digest.clone()),
        }
    }

    /// The image of its repository that has this tag now.
    pub(crate) fn by_tag(&self, tag: &str) -> Self {
        Self {
            repository: self.repository.clone(),
            tag: Some(tag.to_owned()),
            digest: None,
        }
    }

    /// The same image in the registry `to`, where it is one of the registry `from`; else as it is.
    pub(crate) fn moved(&self, from: &str, to: &str) -> Self {
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
