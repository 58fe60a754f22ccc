// SPDX-License-Identifier: Apache-2.0
//! `e2e test-full`: environment, bake and push, values, suites, as one graph. The cluster comes up while
//! images are baked.

use std::collections::BTreeSet;

use crate::{
    cli::e2e::TestFull,
    config,
    context::{Context, choice},
    engine::{Access, Engine, builder::Builder},
    environment::{Environment, Place, release::Release},
    failure::Failure,
    plan::Plan,
    stage::{
        begin::{Begun, NONE_IN_SHARE},
        environment::{conclude, platform, remove, survey},
        results::{self, Tested},
        suites::{self, Options, Runner, releases},
        tested::Build,
        values::Told,
        written::Written,
    },
    target::{Filter, Target, Targets},
    workspace::{Aim, Selection},
};

/// What is said of a share all of whose images were left out.
const NONE_RUNS: &str = "no image of this share is built for the nodes' platform";

pub(super) fn run(args: &TestFull, context: &mut Context) -> anyhow::Result<()> {
    let place = choice::to_make(context, &args.environment)?;
    let releases = wanted_releases(context, &args.cnpg_release)?;
    let wanted = choice::environment_to_make(context, place, releases[0].clone())?;
    let written = context.written(&args.written)?;
    let selection = args.written.selection(&args.extensions);
    let mut filter = Filter::from(&args.filters);
    let access = Access::Work.or_look(args.dry_run);
    let mut begun = Begun::open(context, &selection, Aim::Servers, &filter, access)?;
    if let (Some(written), Selection::Written) = (&written, &selection) {
        begun.keep_written(written, &mut filter, context)?;
    }
    let (engine, sources) = (&begun.engine, &begun.sources);
    let mut targets = begun.targets_with_needs(&filter, context)?;
    if let Some(written) = &written {
        keep(written, &mut targets, context)?;
    }
    if targets.is_empty() {
        return nothing_to_do(context, &begun, NONE_IN_SHARE);
    }
    let builder = builder(context, engine, written.as_ref())?;
    let wanted = wanted.of_checkout(&context.root)?;
    let wanted = wanted.with_seeds(&sources.bases);
    let environments = of_releases(releases, &wanted);
    let first = &environments[0];
    let _cluster = first.lock(context, engine)?;
    let survey = survey(context, engine, first)?;
    let mut plan = Plan::default();
    let ready = first.add(&mut plan, &survey, &first.read_manifest()?)?;
    let build = Build {
        config: &context.config,
        sources,
        builder: &builder,
        environment: first,
        platform: &platform(&survey),
        told: &Told::of(&context.config, context.global.sandbox, &first.place),
        registry: &ready.registry,
        written: written.as_ref(),
    };
    for left_out in build.wanted()?.narrow_with_needs(&mut targets)? {
        context.ui.warning(&left_out);
    }
    if targets.is_empty() {
        return nothing_to_do(context, &begun, NONE_RUNS);
    }
    first.add_prefetch(&mut plan, &targets.bases(), &ready.cluster);
    let tested = build.add(&mut plan, &targets)?;
    let runner = Runner::open(context, engine, first, Options::from(&args.suites))?;
    let subjects = releases::add(&mut plan, &runner, &environments, &ready, &survey, &tested)?;
    suites::side_by_side(&mut plan, &context.config, subjects.len());
    if engine.is_looked_at() {
        context.print(engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&engine.exec, &plan)?;
    let mut tested = results::of(&runner, &subjects, &report);
    tested.extend(sources.unavailable.iter().map(Tested::unavailable));
    tested.extend(begun.unread.iter().map(Tested::unread));
    context.proved(args.json, &tested, &Options::from(&args.suites))?;
    context.verdict(&report, "the tests")?;
    begun.check_read()?;
    context.ui.conclusion(&results::passed(&tested));
    leave(args, context, engine, &environments)
}

/// Says why there is nothing to do. That is no failure, unless an extension cannot be read.
fn nothing_to_do(context: &Context, begun: &Begun, why: &str) -> anyhow::Result<()> {
    begun.check_read()?;
    context.ui.conclusion(why);
    Ok(())
}

/// The same environment for each release, in their order.
fn of_releases(releases: Vec<Release>, wanted: &Environment) -> Vec<Environment> {
    let with = |release| Environment {
        release,
        ..wanted.clone()
    };
    releases.into_iter().map(with).collect()
}

/// Leaves out what was not built before, and says where what the others need comes from then.
fn keep(written: &Written, targets: &mut Targets, context: &Context) -> Result<(), Failure> {
    for left_out in written.narrow_without_needs(targets)? {
        context.ui.warning(&left_out);
    }
    let needed = targets.chosen().flat_map(|target| targets.needs(target));
    let needed = needed.filter(|needed| written.lacks(needed).is_some());
    let needed: BTreeSet<String> = needed.map(Target::title).collect();
    for title in needed {
        context.ui.note(&format!(
            "`{title}`, which is needed, is in no metadata file: it is what was pushed last, or else what is published"
        ));
    }
    Ok(())
}

/// The builder, which must reach the registry where it is to push there.
fn builder(
    context: &Context,
    engine: &Engine,
    written: Option<&Written>,
) -> Result<Builder, Failure> {
    let builder = Builder::survey(&context.config, engine)?;
    for warning in builder.lost_nodes() {
        context.ui.warning(&warning);
    }
    if written.is_none() {
        builder.check_registry(&context.config)?;
    }
    Ok(builder)
}

/// Removes the environment where that is wanted, or says what there is now.
fn leave(
    args: &TestFull,
    context: &mut Context,
    engine: &Engine,
    environments: &[Environment],
) -> anyhow::Result<()> {
    match environments {
        [first, ..] if args.cleanup => match first.place {
            Place::Kind { .. } => remove(context, engine, first)?,
            // Its suites have removed what they made.
            Place::Existing(_) => context.ui.note("the existing cluster is kept"),
        },
        // The operator is that of the last release.
        [.., last] => conclude(context, last),
        [] => {}
    }
    Ok(())
}

/// The releases to test with, oldest first, so that the operator is only ever upgraded.
fn wanted_releases(context: &Context, given: &[String]) -> Result<Vec<Release>, Failure> {
    if given.is_empty() {
        return Ok(vec![choice::release(context, None)?]);
    }
    let mut releases: Vec<Release> = Vec::new();
    for text in given {
        let release = choice::named_release(context, text)?;
        if !releases.contains(&release) {
            releases.push(release);
        }
    }
    releases.sort_by_key(Release::rank);
    let pattern = context.config.get(config::CNPG_MANIFEST);
    if releases.len() > 1 && !pattern.is_empty() && !pattern.contains("{release}") {
        return Err(Failure::invalid(format!(
            "setting `cnpg.manifest` is `{pattern}`, which is the same for every release"
        ))
        .hint("put `{release}` where the release stands in its name, or name one release"));
    }
    Ok(releases)
}
