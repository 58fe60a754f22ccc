// SPDX-License-Identifier: Apache-2.0
//! A container of an image for the sake of its files: it is made, never started, and removed.

use super::Image;
use crate::plan::{Action, Arg, Cmd, Kind, Owned, Step};

/// Such a container.
pub(crate) struct Opened<'a> {
    pub name: &'a str,
    /// That of the run, `name=value`.
    pub label: &'a str,
    /// What it is of, for people: ``image of `pgvector` ``.
    pub of: &'a str,
}

impl Opened<'_> {
    /// Makes it, and takes it back when what builds on it does not succeed. An image without a command of its own wants
    /// one all the same.
    pub(crate) fn open(&self, step: impl Into<String>, image: &Image) -> Step {
        let create = Cmd::new("docker", format!("open the {}", self.of))
            .args(["create", "--name", self.name, "--label", self.label, "--"]);
        let create: Cmd<Arg> = create.into();
        Step::run(step, create.pending("", image.clone(), "").arg("none")).undo(self.removal())
    }

    /// Removes it.
    pub(crate) fn close(&self, step: impl Into<String>) -> Step {
        Step::new(step, Action::Remove(self.removal()))
    }

    fn removal(&self) -> Owned {
        let purpose = format!("close the {}", self.of);
        Owned::new(Kind::Container, self.label, purpose).name(self.name)
    }
}
