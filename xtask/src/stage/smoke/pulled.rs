// SPDX-License-Identifier: Apache-2.0
//! The images of other repositories that tests need: they are there, or pulled before.

use crate::{
    image::ImageRef,
    plan::{Plan, Probe, Step, StepId},
    target::Targets,
    tool::docker,
};

/// An image of another repository, and the step after which the engine has it.
pub(crate) struct Pulled {
    image: ImageRef,
    step: StepId,
}

impl Pulled {
    /// Adds the steps that pull what the chosen images need and nobody builds here, where the engine does not have it.
    pub(crate) fn add(plan: &mut Plan, targets: &Targets) -> Vec<Self> {
        let mut pulled: Vec<Self> = Vec::new();
        let needed = targets.chosen().flat_map(|target| targets.needs(target));
        for target in needed.filter(|needed| !needed.is_built()) {
            if pulled.iter().any(|known| known.image == target.tag) {
                continue;
            }
            let has = Probe::Succeeds(docker::has_image_cmd(&target.tag));
            let pull = Step::run(
                format!("pull {}", target.title()),
                docker::pull_cmd(&target.tag),
            );
            pulled.push(Self {
                image: target.tag.clone(),
                step: plan.add(pull.skip_if(has, "the engine has it")),
            });
        }
        pulled
    }

    /// The step after which an image is there, if it is one of these.
    pub(super) fn step(pulled: &[Self], image: &ImageRef) -> Option<StepId> {
        let found = pulled.iter().find(|known| known.image == *image);
        found.map(|found| found.step)
    }
}
