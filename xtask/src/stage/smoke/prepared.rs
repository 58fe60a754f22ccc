// SPDX-License-Identifier: Apache-2.0
//! What every command that tries images in servers begins with: an engine, the images, which are built where they are to be, and a test of each.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Pulled, Runner, SmokeTest, Transport,
    given::{Given, stands_for},
};
use crate::{
    config,
    engine::{Access, Opener, builder::Builder, sources::Freshness},
    failure::Failure,
    image::ImageRef,
    plan::{AfterFailure, Plan},
    stage::{
        bake::{self, Baked, Destination},
        begin::Begun,
        written::Written,
    },
    target::{Filter, Target, Targets},
    workspace::{Aim, Selection},
};

/// What is to be tried.
pub(crate) struct Wanted {
    pub selection: Selection,
    pub filter: Filter,
    pub access: Access,
    pub after_failure: AfterFailure,
    /// Whether images are built first.
    pub bakes: bool,
    /// Whether what has passed and is unchanged is tried again.
    pub retests: bool,
    /// The image in the place of the one that is named.
    pub given: Option<ImageRef>,
    /// What was built before.
    pub written: Option<Written>,
}

/// A plan that makes the images, and tests that are in no plan yet.
pub(crate) struct Prepared {
    pub begun: Begun,
    pub targets: Targets,
    pub runner: Runner,
    pub plan: Plan,
    /// In the order of the targets.
    pub tests: Vec<SmokeTest>,
}

impl Prepared {
    pub(crate) fn open(opener: &mut dyn Opener, wanted: Wanted) -> anyhow::Result<Self> {
        let Wanted {
            selection,
            mut filter,
            access,
            after_failure,
            bakes,
            retests,
            given,
            written,
        } = wanted;
        let written = written.as_ref();
        let freshness = Freshness::for_what_is_built(bakes);
        let how = (access, freshness);
        let mut begun = Begun::open_as_of(opener, &selection, Aim::Servers, &filter, how)?;
        if let (Some(written), Selection::Written) = (written, &selection) {
            begun.keep_written(written, &mut filter, opener)?;
        }
        let given = given.map(|image| Given::survey(image, &begun.engine));
        let given = given.transpose()?;
        for warning in given.iter().flat_map(|given| given.narrow(&mut filter)) {
            opener.warn(&warning);
        }
        let mut targets = targets(&begun, &filter, given.as_ref(), opener)?;
        for left_out in written.iter().map(|written| written.narrow(&mut targets)) {
            left_out?.iter().for_each(|text| opener.warn(text));
        }
        let runner = Runner {
            transport: Transport::choose(opener.config(), &begun.engine)?,
            run: opener.run_id().clone(),
            limit: Duration::from_secs(u64::from(opener.config().get(config::SMOKE_TIMEOUT))),
            // Who names what is there wants to see it tried.
            remembers: !retests && bakes && given.is_none(),
        };
        let mut plan = Plan {
            after_failure,
            ..Plan::default()
        };
        let stands_for = given.as_ref().map(|_| stands_for(&targets)).transpose()?;
        let baked = if bakes {
            bake_first(opener, &mut plan, &begun, &targets, stands_for)?
        } else {
            Vec::new()
        };
        let pulled = Pulled::add(&mut plan, from_elsewhere(&targets, written));
        let mut tests = tests(&begun, &targets, &baked, given.as_ref(), written)?;
        for test in &mut tests {
            test.wait_for(&pulled);
        }
        runner.keep_data(&mut plan, &mut tests);
        warn_without_proof(opener, &tests);
        Ok(Self {
            begun,
            targets,
            runner,
            plan,
            tests,
        })
    }
}

/// What is tested: of what is built here, what this machine can run.
fn targets(
    begun: &Begun,
    filter: &Filter,
    given: Option<&Given>,
    opener: &dyn Opener,
) -> anyhow::Result<Targets> {
    let mut targets = begun.targets_with_needs(filter, opener)?;
    if given.is_none() {
        for left_out in bake::Wanted::here()?.narrow_with_needs(&mut targets)? {
            opener.warn(&left_out);
        }
    }
    Ok(targets)
}

/// What the tests need and this run does not build: images of other repositories, and those that were written.
fn from_elsewhere<'a>(
    targets: &'a Targets,
    written: Option<&'a Written>,
) -> impl Iterator<Item = (&'a Target, ImageRef)> {
    let needs = |target: &'a Target| std::iter::once(target).chain(targets.needs(target));
    targets.chosen().flat_map(needs).filter_map(move |target| {
        let image = match written {
            _ if !target.is_built() => Some(target.tag.clone()),
            written => written?.image(target),
        };
        Some((target, image?))
    })
}

/// One for each image, in which the `given` one stands for what is built.
fn tests(
    begun: &Begun,
    targets: &Targets,
    baked: &[Baked],
    given: Option<&Given>,
    written: Option<&Written>,
) -> anyhow::Result<Vec<SmokeTest>> {
    let mut tests = Vec::new();
    for target in targets.chosen() {
        let mut test = SmokeTest::of(target, targets, &begun.sources.workspace, baked, written)?;
        if let Some(given) = given {
            given.stand_in(&mut test);
        }
        tests.push(test);
    }
    Ok(tests)
}

/// Adds the bakes of what is tested and of what it needs. A given image is there already: only what it needs is built.
fn bake_first(
    opener: &dyn Opener,
    plan: &mut Plan,
    begun: &Begun,
    targets: &Targets,
    stands_for: Option<&Target>,
) -> Result<Vec<Baked>, Failure> {
    let needed = targets.with_needs()?;
    let to_bake: Vec<&Target> = needed
        .filter(|target| stands_for != Some(*target))
        .collect();
    if to_bake.is_empty() {
        return Ok(Vec::new());
    }
    let builder = Builder::survey(opener.config(), &begun.engine)?;
    let request = bake::Request {
        config: opener.config(),
        sources: &begun.sources,
        targets: &to_bake,
        builder: &builder,
        to: Destination::Engine,
        platforms: &bake::Wanted::here()?,
        no_cache: false,
        metadata_file: None,
        after: &[],
    };
    Ok(bake::add(plan, &request))
}

/// Once for each extension, however many of its images are tested.
fn warn_without_proof(opener: &dyn Opener, tests: &[SmokeTest]) {
    let without = tests.iter().filter(|test| test.proof.is_none());
    let warnings: BTreeSet<String> = without
        .map(|test| {
            format!(
                "`{}` has no smoke.sql that does anything: it is {}",
                test.mounts.own().extension.name,
                test.silent()
            )
        })
        .collect();
    for warning in &warnings {
        opener.warn(warning);
    }
}
