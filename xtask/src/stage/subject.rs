// SPDX-License-Identifier: Apache-2.0
//! The images that a command looks into: those of extensions, which were baked before, and any other by its reference.

use std::collections::BTreeMap;

use crate::{
    engine::{Access, Engine, Opener, sources::Freshness},
    image::{
        ImageRef,
        annotations::{BASE_MAJOR, BASE_NAME, BASE_OS},
    },
    mount::Folders,
    stage::{begin::Begun, described},
    target::{Filter, Target, Targets},
    tool::docker,
    value::Suite,
    workspace::{Aim, Selection, Workspace},
};

/// An image with what is known of it before it is opened.
#[derive(Debug)]
pub(crate) struct Subject {
    /// As people tell it from others.
    pub title: String,
    pub image: ImageRef,
    /// None: it was named by its reference.
    pub target: Option<Target>,
    /// Of an engine that is only looked at nothing is known.
    pub said: docker::Image,
}

/// What was named, and an engine that has it.
pub(crate) struct Subjects {
    pub engine: Engine,
    /// In the order of the names.
    pub all: Vec<Subject>,
    /// None: no extension was named.
    pub known: Option<Known>,
}

/// What the repository knows of the extensions that were named.
pub(crate) struct Known {
    pub targets: Targets,
    pub workspace: Workspace,
}

impl Subjects {
    /// Opens an engine, and asks it for the images; what it does not have is pulled. `selection`: extensions by their names,
    /// and images by their references, which have a `/`, a `:` or an `@` in them.
    pub(crate) fn open(
        opener: &mut dyn Opener,
        selection: &Selection,
        filter: &Filter,
        access: Access,
    ) -> anyhow::Result<Self> {
        let mut references = BTreeMap::new();
        for name in selection.names().iter().filter(|name| is_reference(name)) {
            references.insert(name.as_str(), name.parse::<ImageRef>()?);
        }
        let extensions = match selection {
            Selection::All | Selection::Written => selection.clone(),
            Selection::Named(names) => {
                let names = names.iter().filter(|name| !is_reference(name));
                Selection::Named(names.cloned().collect())
            }
        };
        let is_of_references = extensions.names().is_empty() && !references.is_empty();
        let (engine, targets, known) = if is_of_references && extensions.is_named() {
            filter.check_unused()?;
            (Engine::open(opener, access)?, Vec::new(), None)
        } else {
            let begun = Begun::open_as_of(
                opener,
                &extensions,
                Aim::Images,
                filter,
                (access, Freshness::Remembered),
            )?;
            let targets = begun.targets(filter, opener)?;
            begun.check_read()?;
            let built = targets.chosen().filter(|target| target.is_built());
            let built: Vec<Target> = built.cloned().collect();
            let workspace = begun.sources.workspace;
            (begun.engine, built, Some(Known { targets, workspace }))
        };
        let mut all = Vec::new();
        if !extensions.is_named() {
            for target in &targets {
                all.push(Subject::of_target(&engine, target)?);
            }
        }
        for name in selection.names() {
            match references.get(name.as_str()) {
                Some(image) => all.push(Subject::of_reference(&engine, image)?),
                None => {
                    for target in targets.iter().filter(|one| one.extension.name == *name) {
                        all.push(Subject::of_target(&engine, target)?);
                    }
                }
            }
        }
        Ok(Self { engine, all, known })
    }
}

/// Whether a name is an image's: an extension's has no registry, no tag and no digest.
pub(crate) fn is_reference(name: &str) -> bool {
    name.contains(['/', ':', '@'])
}

impl Subject {
    fn of_reference(engine: &Engine, image: &ImageRef) -> anyhow::Result<Self> {
        let otherwise = "`docker image ls` lists what the engine has, `oras repo tags` what is in a repository of a registry";
        Ok(Self {
            title: image.to_string(),
            said: survey(engine, image, otherwise)?,
            image: image.clone(),
            target: None,
        })
    }

    fn of_target(engine: &Engine, target: &Target) -> anyhow::Result<Self> {
        let name = &target.extension.name;
        let otherwise = format!("build it first: `cargo xtask bake {name}`");
        Ok(Self {
            title: target.title(),
            said: survey(engine, &target.tag, &otherwise)?,
            image: target.tag.clone(),
            target: Some(target.clone()),
        })
    }

    /// Whether a package of the image is the extension's own, and no library that came along.
    pub(crate) fn is_own(&self, package: &str) -> bool {
        let Some(target) = &self.target else {
            let begin = format!("postgresql-{}-", self.major().unwrap_or_default());
            return package.starts_with(&begin);
        };
        let major = &target.server.major;
        let mut named = target.extension.packages.iter();
        let pinned = target.extension.pin(&target.server);
        let pinned = pinned
            .and_then(|pin| pin.package_name())
            .map(|name| &**name);
        pinned == Some(package) || named.any(|one| *one.package(major) == *package)
    }

    /// The PostgreSQL image that it is for. None: nothing says it, or what does is no reference.
    pub(crate) fn base(&self) -> Option<ImageRef> {
        match &self.target {
            Some(target) => Some(target.base.clone()),
            None => self.said.labels.get(BASE_NAME)?.parse().ok(),
        }
    }

    /// The PostgreSQL major that it is for.
    pub(crate) fn major(&self) -> Option<&str> {
        match &self.target {
            Some(target) => Some(&target.server.major),
            None => self.said.labels.get(BASE_MAJOR),
        }
    }

    /// The Debian suite that it is for.
    pub(crate) fn suite(&self) -> Option<Suite> {
        match &self.target {
            Some(target) => Some(target.server.distro.clone()),
            None => self.said.labels.get(BASE_OS)?.parse().ok(),
        }
    }

    /// The folders that the dynamic linker is told of. None: no metadata says it.
    pub(crate) fn searched(&self) -> Option<Vec<String>> {
        let target = self.target.as_ref()?;
        Some(Folders::Linker.of(&target.extension))
    }
}

/// Of an engine that is only looked at nothing is asked: it may have to pull.
fn survey(engine: &Engine, image: &ImageRef, otherwise: &str) -> anyhow::Result<docker::Image> {
    if engine.is_looked_at() {
        return Ok(docker::Image::default());
    }
    described::survey(engine, image, otherwise)
}
