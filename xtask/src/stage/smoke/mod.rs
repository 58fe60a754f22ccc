// SPDX-License-Identifier: Apache-2.0
//! Tests of images in a real PostgreSQL, as steps: a container of the base image, the extensions' files in it where
//! CloudNativePG mounts them, and a throw-away server.

mod container;
mod copy;
pub(crate) mod given;
mod installcheck;
mod kept;
mod passed;
mod prepared;
mod proof;
mod pulled;
mod server;
mod superseded;
mod together;
mod told;
mod upgrade;
mod view;

use std::{sync::Arc, time::Duration};

pub(crate) use installcheck::{Check, Tests};
pub(crate) use prepared::{Prepared, Wanted};
pub(crate) use proof::has_statement;
pub(crate) use pulled::Pulled;
pub(crate) use together::{Compared, Complaint, Proof, Ran};
pub(crate) use upgrade::Upgrade;
pub(crate) use view::{View, Viewed};

use self::kept::Kept;
use crate::{
    config::{Config, SMOKE_MOUNT, SmokeMount},
    engine::Engine,
    failure::Failure,
    image::{Image, ImageRef},
    mount::{Mounted, Mounts},
    own::{RunId, source},
    plan::{Plan, StepId},
    stage::{bake::Baked, took::Took, written::Written},
    target::{Target, Targets},
    workspace::Workspace,
};

/// Where a mounted extension's files come from, and which version they must be.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub image: Image,
    /// None: it is not created, or an image that the user names does not say.
    pub sql_version: Option<String>,
}

/// One test: the extension under test and what it needs, in a base image.
#[derive(Clone, Debug)]
pub(crate) struct SmokeTest {
    /// `pgvector 18-trixie`.
    pub name: String,
    base: ImageRef,
    /// The data directory that it starts from; None: it makes its own.
    kept: Option<Kept>,
    pub mounts: Mounts<Source>,
    /// What `smoke.sql` holds. None: nothing that does anything.
    pub proof: Option<String>,
    /// The bakes of this plan that make the images.
    after: Vec<StepId>,
}

impl SmokeTest {
    /// The test of a target, with the images that the bakes of this plan make, or else those that were `written`.
    pub(crate) fn of(
        target: &Target,
        targets: &Targets,
        workspace: &Workspace,
        baked: &[Baked],
        written: Option<&Written>,
    ) -> anyhow::Result<Self> {
        let image = |target: &Target| {
            let given = written.and_then(|written| written.image(target));
            given.map_or_else(|| Baked::image(target, baked), Image::Given)
        };
        let mounted = |target: &Target| Mounted {
            extension: Arc::clone(&target.extension),
            source: Source {
                image: image(target),
                sql_version: target.sql_version.clone(),
            },
        };
        let all = std::iter::once(target).chain(targets.needs(target));
        let path = target.extension.folder.join("smoke.sql");
        Ok(Self {
            name: target.title(),
            base: target.base.clone(),
            kept: None,
            mounts: Mounts::new(mounted(target), targets.needs(target).map(mounted)),
            proof: source::read(&workspace.root, &path)?.filter(|text| has_statement(text)),
            after: all
                .filter_map(|target| Some(Baked::of(target, baked)?.step))
                .collect(),
        })
    }

    /// Lets the test wait for those of its images that are pulled.
    pub(crate) fn wait_for(&mut self, pulled: &[Pulled]) {
        let images = self.mounts.iter().map(|one| &one.source.image);
        let steps = images.filter_map(|image| match image {
            Image::Given(image) => Pulled::step(pulled, image),
            Image::Baked { .. } => None,
        });
        self.after.extend(steps);
    }

    /// Lets the test wait for an image that it mounts beside its own, if that is pulled.
    pub(crate) fn wait_for_image(&mut self, pulled: &[Pulled], image: &ImageRef) {
        self.after.extend(Pulled::step(pulled, image));
    }

    /// What a test that prints nothing has shown: the one place that has words for it.
    pub(crate) fn silent(&self) -> &'static str {
        match (&self.proof, self.mounts.own().extension.create_extension) {
            (Some(_), _) => "smoke.sql passed, it prints nothing",
            (None, true) => "created, not used",
            (None, false) => "loaded, not created and not used",
        }
    }
}

/// How an extension's files get into the server's container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// `--mount type=image`, Docker 28 and newer.
    Mount,
    /// `docker cp` from a container of the one image into a container of the other.
    Copy,
}

impl Transport {
    /// What the setting says, or what the engine can do; one that is only looked at is taken for a new one.
    pub(crate) fn choose(config: &Config, engine: &Engine) -> Result<Self, Failure> {
        Ok(match config.get(SMOKE_MOUNT) {
            SmokeMount::Image => Self::Mount,
            SmokeMount::Auto if engine.is_looked_at() || engine.info()?.mounts_images() => {
                Self::Mount
            }
            SmokeMount::Auto | SmokeMount::Copy => Self::Copy,
        })
    }
}

/// What the step of a test is called that decides.
fn step_name(test: &str) -> String {
    format!("smoke {test}")
}

/// What all tests of a run have in common.
pub(crate) struct Runner {
    pub transport: Transport,
    pub run: RunId,
    /// How long one test may take; zero: as long as it likes.
    pub limit: Duration,
    /// What has passed with the same images is not tried again.
    pub remembers: bool,
}

impl Runner {
    /// Lets the tests start from data directories that the engine keeps, and adds the steps that find or make these: one for each
    /// base image.
    pub(crate) fn keep_data<'a>(
        &self,
        plan: &mut Plan,
        tests: impl IntoIterator<Item = &'a mut SmokeTest>,
    ) {
        let mut all: Vec<Kept> = Vec::new();
        for test in tests {
            let known = all.iter().find(|kept| kept.is_of(&test.base)).cloned();
            let kept = known.unwrap_or_else(|| {
                let kept = Kept::add(plan, &test.base, self);
                all.push(kept.clone());
                kept
            });
            test.after.push(kept.step);
            test.kept = Some(kept);
        }
    }

    /// Adds the steps of tests, of which those that took longest begin first; gives those that decide, in the order of the tests.
    pub(crate) fn add_all(&self, plan: &mut Plan, tests: &[SmokeTest], took: &Took) -> Vec<StepId> {
        let names: Vec<String> = tests.iter().map(|test| step_name(&test.name)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let order = took.longest_first(&names).into_iter();
        let mut steps: Vec<(usize, StepId)> =
            order.map(|at| (at, self.add(plan, &tests[at]))).collect();
        steps.sort();
        steps.into_iter().map(|(_, step)| step).collect()
    }

    /// Adds the steps of a test; gives the one that decides.
    fn add(&self, plan: &mut Plan, test: &SmokeTest) -> StepId {
        match self.transport {
            Transport::Mount => container::add(plan, test, self),
            Transport::Copy => copy::add(plan, test, self),
        }
    }
}
