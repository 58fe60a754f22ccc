// SPDX-License-Identifier: Apache-2.0
//! From one registry to another, byte by byte: the image, its attestations, signatures and whatever else refers to it, then the
//! proof that both sides are equal, and only then the tags. What is there already is left as it is, so a run that was killed is
//! completed by the next one.

mod beside;
mod compare;
mod copy;
mod origin;
mod referrers;
mod tag;

pub(crate) use self::{
    beside::{Held, apart, beside, held, is_beside},
    compare::is_there,
    copy::run,
    origin::Origin,
    referrers::complete,
    tag::{is_another, is_stamped},
};

use crate::{
    image::ImageRef,
    plan::{Plan, Step, StepId},
};

/// An image, and what it is to be called elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Promotion {
    /// As people tell images apart.
    pub title: String,
    /// By its digest.
    pub from: ImageRef,
    /// The same there.
    pub to: ImageRef,
    pub tags: Vec<String>,
}

/// The steps of a promotion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    pub copy: StepId,
    pub compare: StepId,
    pub tag: StepId,
}

impl Steps {
    /// In their order.
    pub(crate) fn all(&self) -> [StepId; 3] {
        [self.copy, self.compare, self.tag]
    }
}

impl Promotion {
    pub(crate) fn add(&self, plan: &mut Plan) -> Steps {
        let copy = plan.add(Step::work(
            format!("copy {}", self.title),
            copy::Copy {
                from: self.from.clone(),
                to: self.to.clone(),
            },
        ));
        let compare = compare::Compare {
            from: self.from.clone(),
            to: self.to.clone(),
        };
        let compare = Step::work(format!("compare {}", self.title), compare).after([copy]);
        let compare = plan.add(compare);
        let tag = tag::Tag {
            image: self.to.clone(),
            tags: self.tags.clone(),
        };
        let tag = Step::work(format!("tag {}", self.title), tag).after([compare]);
        Steps {
            copy,
            compare,
            tag: plan.add(tag),
        }
    }
}
