// SPDX-License-Identifier: Apache-2.0
//! The images that tests need and nobody builds in their run: they are there, or pulled before.

use crate::{
    image::ImageRef,
    plan::{Plan, Probe, Step, StepId},
    target::Target,
    tool::docker,
};

/// An image that is not built here, and the step after which the engine has it.
pub(crate) struct Pulled {
    image: ImageRef,
    step: StepId,
}

impl Pulled {
    /// Adds the steps that pull these images, each for the target that it is of, where the engine does not have it.
    pub(crate) fn add<'a>(
        plan: &mut Plan,
        images: impl IntoIterator<Item = (&'a Target, ImageRef)>,
    ) -> Vec<Self> {
        let mut pulled: Vec<Self> = Vec::new();
        for (target, image) in images {
            if pulled.iter().any(|known| known.image == image) {
                continue;
            }
            let has = Probe::Succeeds(docker::has_image_cmd(&image));
            // An image in the place of the target's is not called as that is.
            let title = if image == target.tag {
                target.title()
            } else {
                image.to_string()
            };
            let pull = Step::run(format!("pull {title}"), docker::pull_cmd(&image));
            let step = plan.add(pull.skip_if(has, "the engine has it"));
            pulled.push(Self { image, step });
        }
        pulled
    }

    /// The step after which an image is there, if it is one of these.
    pub(super) fn step(pulled: &[Self], image: &ImageRef) -> Option<StepId> {
        let found = pulled.iter().find(|known| known.image == *image);
        found.map(|found| found.step)
    }
}
