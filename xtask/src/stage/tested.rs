// SPDX-License-Identifier: Apache-2.0
//! Images that are built for a test on a cluster: baked, pushed, and each with its values.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    bake::{self, Baked, Destination, Wanted},
    values::{Dependency, Told, Values},
    written::Written,
};
use crate::{
    config::{Config, PSQL_IMAGE},
    engine::{builder::Builder, sources::Sources},
    environment::{Environment, FOLDER},
    extension::Extension,
    failure::Failure,
    image::Image,
    plan::{Action, Location, Plan, Step, StepId},
    target::{self, Target, Targets},
    value::Server,
};

/// Where the values of a run are, below the root.
pub(crate) fn values_folder() -> PathBuf {
    Path::new(FOLDER).join("values")
}

/// A target that is tested, with the step that writes its values.
pub(crate) struct ToTest {
    pub target: Target,
    pub image: Image,
    pub values: PathBuf,
    pub step: StepId,
}

/// What images are built with for a test.
pub(crate) struct Build<'a> {
    pub config: &'a Config,
    pub sources: &'a Sources,
    pub builder: &'a Builder,
    pub environment: &'a Environment,
    /// The nodes' platform.
    pub platform: &'a str,
    /// The flags that values in this run follow from.
    pub told: &'a Told,
    /// The steps after which images can be pushed.
    pub registry: &'a [StepId],
    /// What was built and pushed before: then nothing is.
    pub written: Option<&'a Written>,
}

impl Build<'_> {
    /// Adds the steps that bake and push the targets and what they need, where that was not done before, and write the
    /// values of each that was chosen.
    pub(crate) fn add(&self, plan: &mut Plan, targets: &Targets) -> Result<Vec<ToTest>, Failure> {
        let baked = match self.written {
            None => self.bake(plan, targets)?,
            Some(_) => Vec::new(),
        };
        let folder = Action::Folder(Location::output(values_folder()));
        let place = plan.add(Step::new("folder for values", folder).quiet());
        let chosen = targets.chosen();
        chosen
            .map(|target| self.add_values(plan, targets, target, &baked, place))
            .collect()
    }

    fn bake(&self, plan: &mut Plan, targets: &Targets) -> Result<Vec<Baked>, Failure> {
        // For the nodes' platform alone, unless the registry is for others too.
        let wanted = self.wanted()?;
        let request = bake::Request {
            config: self.config,
            sources: self.sources,
            targets: &targets.with_needs()?.collect::<Vec<_>>(),
            builder: self.builder,
            to: Destination::Registry,
            platforms: &wanted,
            no_cache: false,
            metadata_file: None,
            after: self.registry,
        };
        Ok(bake::add(plan, &request))
    }

    /// Where what an image needs may be, the best first.
    fn images(&self, needed: &Target, baked: &[Baked]) -> Result<Vec<Image>, Failure> {
        match self.written {
            Some(written) if written.image(needed).is_none() => {
                pushed_or_published(needed, self.config)
            }
            _ => Ok(vec![self.image(needed, baked)]),
        }
    }

    /// The image of a target for later steps: what was written, or else what a bake of this plan makes.
    fn image(&self, target: &Target, baked: &[Baked]) -> Image {
        let given = self.written.and_then(|written| written.image(target));
        given.map_or_else(|| Baked::image(target, baked), Image::Given)
    }

    /// What images are built for.
    pub(crate) fn wanted(&self) -> Result<Wanted, Failure> {
        let Some(_) = self.environment.port else {
            return Wanted::of(&[], true, self.config);
        };
        let platform = self.platform.parse().map_err(|wanted| {
            Failure::failed(format!(
                "the nodes' platform is `{}`, not {wanted}",
                self.platform
            ))
        })?;
        Ok(Wanted::Named(vec![platform]))
    }

    fn add_values(
        &self,
        plan: &mut Plan,
        targets: &Targets,
        target: &Target,
        baked: &[Baked],
        place: StepId,
    ) -> Result<ToTest, Failure> {
        let of_this = std::iter::once(target).chain(targets.needs(target));
        let steps = of_this.filter_map(|target| Some(Baked::of(target, baked)?.step));
        let after = std::iter::once(place).chain(steps);
        let after: Vec<StepId> = after.chain(self.registry.iter().copied()).collect();
        let output = values_folder().join(format!("{}.yaml", target.name));
        let image = self.image(target, baked);
        // What was built in the same run or before, by digest.
        let needed = targets.needs(target).map(|needed| {
            Ok(Dependency {
                extension: Arc::clone(&needed.extension),
                images: self.images(needed, baked)?,
            })
        });
        let values = Values {
            told: self.told.clone(),
            extension: Arc::clone(&target.extension),
            image: image.clone(),
            newer: None,
            needed: needed.collect::<Result<_, Failure>>()?,
            naming: self.environment.naming.clone(),
            psql_image: psql_image(self.config, self.sources),
            platform: self.platform.to_owned(),
            builder: self.builder.name().map(str::to_owned),
            output: Location::output(&output),
        };
        let step = Step::work(format!("values {}", target.name), values);
        Ok(ToTest {
            target: target.clone(),
            image,
            values: output,
            step: plan.add(step.after(after).quiet()),
        })
    }
}

/// Where the image of a target is that is built elsewhere or was before: what was pushed wins over what is published.
fn pushed_or_published(target: &Target, config: &Config) -> Result<Vec<Image>, Failure> {
    let mut images = vec![Image::Given(target.tag.clone())];
    if target.is_built() {
        images.push(Image::Given(target.published(config)?));
    }
    Ok(images)
}

/// The image with psql for the suites' jobs. None: a base image that was made here, which has it too.
pub(crate) fn psql_image(config: &Config, sources: &Sources) -> Option<String> {
    let own = sources.bases.is_empty() || !config.is_default(PSQL_IMAGE);
    own.then(|| config.get(PSQL_IMAGE).to_owned())
}

/// What an extension needs, for the same server as the image that needs it; a local image wins over the published
/// one.
pub(crate) fn needs(
    extension: &Extension,
    server: &Server,
    sources: &Sources,
    config: &Config,
) -> Result<Vec<Dependency>, Failure> {
    let targets = target::needs_of(extension, server, &sources.workspace, &sources.matrix)?;
    let needed = targets.into_iter().map(|target| {
        Ok(Dependency {
            images: pushed_or_published(&target, config)?,
            extension: target.extension,
        })
    });
    needed.collect()
}
