// SPDX-License-Identifier: Apache-2.0
//! What is done for the engine's disk once an image is built: nothing where none was added.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    exec::Exec,
    failure::Failure,
    image::Rotation,
    plan::{Console, Performed, Work},
};

/// Drops the tags that a new one has superseded.
#[derive(Debug)]
pub(super) struct Tidy {
    pub rotation: Rotation,
    /// There is no new one.
    pub is_unchanged: Arc<AtomicBool>,
}

impl Work for Tidy {
    fn programs(&self) -> &'static [&'static str] {
        self.rotation.programs()
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        if self.is_unchanged.load(Ordering::Acquire) {
            return Ok(Performed::Skipped("nothing superseded".into()));
        }
        self.rotation.perform(exec, console)
    }
}

impl fmt::Display for Tidy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rotation.fmt(f)
    }
}
