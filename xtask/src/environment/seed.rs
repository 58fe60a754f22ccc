// SPDX-License-Identifier: Apache-2.0
//! Images of the engine that the local registry is given, where nodes look before they go elsewhere.

use super::{
    Environment,
    registry::{Steps, docker},
};
use crate::{
    failure::Failure,
    plan::{Plan, Step, StepId},
    value::{ImageRef, split_host},
};

/// An image that the local registry is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    image: ImageRef,
    /// Its registry, as docker understands it.
    pub(super) host: String,
    /// What it is called there, with tag or digest.
    path: String,
}

impl Seed {
    pub(crate) fn of(image: ImageRef) -> Self {
        let (host, path) = match split_host(&image.repository) {
            (Some(host), path) => (host, path.to_owned()),
            (None, path) if path.contains('/') => ("docker.io", path.to_owned()),
            (None, name) => ("docker.io", format!("library/{name}")),
        };
        Self {
            host: host.to_owned(),
            path: ImageRef {
                repository: path,
                ..image.clone()
            }
            .to_string(),
            image,
        }
    }

    /// Refuses what is no reference, and what cannot be pushed.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let image: ImageRef = text.parse()?;
        if image.digest.is_some() {
            return Err(Failure::invalid(format!(
                "the seed `{text}` has a digest; a tag is needed to push it"
            ))
            .hint("name it as `docker image ls` does: `repository:tag`"));
        }
        Ok(Self::of(image))
    }
}

impl Environment {
    /// Pushes images of the engine to the registry, where nodes look before they go elsewhere.
    pub(crate) fn add_seeds(&self, plan: &mut Plan, registry: &Steps) -> Vec<StepId> {
        let Some(port) = self.port else {
            return Vec::new();
        };
        let mut last = Vec::new();
        for seed in &self.seeds {
            let image = seed.image.to_string();
            let copy = format!("localhost:{port}/{}", seed.path);
            let untag = docker(
                format!("remove the tag `{copy}`"),
                &["image", "rm", "--", &copy],
            );
            let tag = docker(format!("tag `{image}`"), &["tag", "--", &image, &copy]);
            let tag = plan.add(Step::run(format!("tag {image}"), tag).quiet());
            let push = docker(
                format!("push `{image}` to the local registry"),
                &["push", "--quiet", "--", &copy],
            );
            let after = registry.answers.iter().copied().chain([tag]);
            let push = plan.add(Step::run(format!("push {image}"), push).after(after));
            last.push(push);
            plan.add(
                Step::run(format!("untag {image}"), untag)
                    .after([push])
                    .quiet(),
            );
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_split_as_docker_does() {
        for (reference, host, path) in [
            ("ghcr.io/a/b:1", "ghcr.io", "a/b:1"),
            ("alpine/psql:18", "docker.io", "alpine/psql:18"),
            ("registry:3", "docker.io", "library/registry:3"),
            ("localhost:5000/x", "localhost:5000", "x"),
        ] {
            let seed = Seed::parse(reference).unwrap();
            assert_eq!((seed.host.as_str(), seed.path.as_str()), (host, path));
        }
    }
}
