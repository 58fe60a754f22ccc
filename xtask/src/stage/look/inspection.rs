// SPDX-License-Identifier: Apache-2.0
//! An image that was looked into, with what its files mean where it is used.

use super::{Looked, findings};
use crate::{
    finding::Finding,
    image::{Inventory, Libraries},
    stage::subject::Subject,
};

/// Everything that is known of an image.
pub(crate) struct Inspection<'a> {
    pub subject: &'a Subject,
    pub image: &'a Inventory,
    pub libraries: Libraries,
    pub findings: Vec<Finding>,
}

impl<'a> Inspection<'a> {
    /// None: it was not read.
    pub(crate) fn of(subject: &'a Subject, looked: &'a Looked) -> Option<Self> {
        let image = looked.found.get()?;
        let base = looked.base.as_ref().and_then(|base| base.get());
        let libraries = Libraries::of(image, subject.searched().as_deref(), base);
        Some(Self {
            findings: findings::all(subject, image, &libraries),
            subject,
            image,
            libraries,
        })
    }
}
