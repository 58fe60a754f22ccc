// SPDX-License-Identifier: Apache-2.0
//! Tests that have passed: what one depends on, and where it is noted that it has passed with that.

use serde::{Deserialize, Serialize};

use super::{Runner, SmokeTest, container::input, kept::Kept, server};
use crate::{
    engine::note::Note,
    image::Image,
    mount,
    own::RunId,
    plan::{Memory, Pending as _, Shown},
    value::Digest,
};

/// Remembers a test in a data directory that the engine keeps, of images that are known by their digests.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    test: SmokeTest,
    kept: Kept,
    run: RunId,
}

/// What is noted of a test.
#[derive(Deserialize, Serialize)]
struct Noted {
    /// Stands for all that the test depends on.
    of: Digest,
    shown: Shown,
}

impl Passed {
    /// None where each run tries all, or where it is not known what a server starts in.
    pub(super) fn of(test: &SmokeTest, runner: &Runner) -> Option<Self> {
        Some(Self {
            test: test.clone(),
            kept: test.kept.clone().filter(|_| runner.remembers)?,
            run: runner.run.clone(),
        })
    }

    fn note(&self) -> Option<Note> {
        Note::of(&format!("{}.smoke", self.test.name.replace(' ', "-")))
    }

    /// What stands for all that the test depends on: this program, the base image, the images and where they are mounted, and
    /// what server and script are told. None: of an image no more than a name is known.
    fn depends_on(&self) -> Option<Digest> {
        let mounts = &self.test.mounts;
        let image = |image: &Image| {
            let is_certain = image.tagged().ok()?.digest.is_some();
            is_certain.then(|| image.text().ok()).flatten()
        };
        let mounted = mounts.iter().map(|one| {
            let image = image(&one.source.image)?;
            Some((mount::root(&one.extension.name), image))
        });
        let all = (
            env!("CARGO_PKG_VERSION"),
            self.kept.identity()?,
            mounted.collect::<Option<Vec<_>>>()?,
            server::environment(&self.test),
            server::variables(mounts).collect::<Vec<_>>(),
            server::options(mounts),
            input(&self.test),
        );
        Some(Digest::of(format!("{all:?}").as_bytes()))
    }
}

impl Memory for Passed {
    fn recall(&self) -> Option<Shown> {
        let noted: Noted = self.note()?.read()?;
        (self.depends_on()? == noted.of).then_some(noted.shown)
    }

    fn keep(&self, last_line: Option<&str>, found: Option<&str>) -> anyhow::Result<()> {
        let (Some(note), Some(of)) = (self.note(), self.depends_on()) else {
            return Ok(());
        };
        let shown = Shown::now(last_line, found, &self.run);
        note.write(&Noted { of, shown })
    }
}
