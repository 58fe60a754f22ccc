// SPDX-License-Identifier: Apache-2.0
//! `smoke`: each image in a real PostgreSQL, mounted and configured the way CNPG does it.

mod row;

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use self::row::Row;
use crate::{
    cli, config,
    context::Context,
    engine::{Access, Engine, builder::Builder},
    event::{Outcome, StepReport},
    exec::Exec,
    failure::Failure,
    image::ImageRef,
    plan::Plan,
    sandbox::libraries,
    stage::{
        bake::{self, Baked, Destination, Wanted},
        begin::{Begun, NONE_IN_SHARE},
        smoke::{
            Pulled, Runner, SmokeTest, Transport,
            given::{Given, stands_for},
        },
        took::Took,
        written::Written,
    },
    target::{Filter, Target, Targets},
    verdict::{self, Verdict},
    workspace::{Aim, Selection},
};

/// How long the archive may take to say what is in its packages.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(args: &cli::Smoke, context: &mut Context) -> anyhow::Result<()> {
    let written = context.written(&args.written)?;
    let selection = args.written.selection(&args.extensions);
    let given = named_image(args, &selection)?;
    let mut filter = Filter::from(&args.filters);
    let access = Access::Work.or_look(args.dry_run);
    let mut begun = Begun::open(context, &selection, Aim::Servers, &filter, access)?;
    if let (Some(written), Selection::Written) = (&written, &selection) {
        begun.keep_written(written, &mut filter, context)?;
    }
    let given = given.map(|image| Given::survey(image, &begun.engine));
    let given = given.transpose()?;
    for warning in given.iter().flat_map(|given| given.narrow(&mut filter)) {
        context.ui.warning(&warning);
    }
    let mut targets = targets(&begun, &filter, given.as_ref(), context)?;
    for left_out in written.iter().map(|written| written.narrow(&mut targets)) {
        left_out?.iter().for_each(|text| context.ui.warning(text));
    }
    let runner = Runner {
        transport: Transport::choose(&context.config, &begun.engine)?,
        run: context.run_id.clone(),
        limit: Duration::from_secs(u64::from(context.config.get(config::SMOKE_TIMEOUT))),
        // Who names what is there wants to see it tried.
        remembers: !args.retest && !args.no_bake && given.is_none() && written.is_none(),
    };
    let mut plan = Plan {
        after_failure: args.running.after_failure(&selection),
        ..Plan::default()
    };
    let baked = bake_first(args, context, &mut plan, &begun, &targets, given.as_ref())?;
    let pulled = Pulled::add(&mut plan, from_elsewhere(&targets, written.as_ref()));
    let mut tests = tests(&begun, &targets, &baked, given.as_ref(), written.as_ref())?;
    for test in &mut tests {
        test.wait_for(&pulled);
    }
    runner.keep_data(&mut plan, &mut tests);
    warn_without_proof(context, &tests);
    let tested = runner.add_all(&mut plan, &tests, &Took::read(&context.root));
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    let steps = tested.iter().map(|id| report.step(*id));
    for (target, step) in targets.chosen().zip(steps.clone()) {
        note_holders(context, &begun.engine, target, step);
    }
    let rows = targets.chosen().zip(&tests).zip(steps);
    let rows = rows.map(|((target, test), step)| Row::of(target, test, step));
    let rows = rows.chain(begun.sources.unavailable.iter().map(Row::unavailable));
    let rows: Vec<Row> = rows.chain(begun.unread.iter().map(Row::unread)).collect();
    context.rows(args.json, &rows)?;
    context.verdict(&report, "smoke")?;
    begun.check_read()?;
    context.ui.conclusion(&conclusion(&rows));
    Ok(())
}

/// What is tested: of what is built here, what this machine can run.
fn targets(
    begun: &Begun,
    filter: &Filter,
    given: Option<&Given>,
    context: &Context,
) -> anyhow::Result<Targets> {
    let mut targets = begun.targets_with_needs(filter, context)?;
    if given.is_none() {
        for left_out in Wanted::here()?.narrow_with_needs(&mut targets)? {
            context.ui.warning(&left_out);
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

fn conclusion(rows: &[Row]) -> String {
    let is_there = |row: &&Row| row.result != Verdict::NotAvailable;
    if rows.iter().find(is_there).is_none() {
        return NONE_IN_SHARE.to_owned();
    }
    verdict::passed(rows.iter().map(|row| row.result))
}

/// The image that `--image` names, for the one extension that is in it.
fn named_image(args: &cli::Smoke, selection: &Selection) -> Result<Option<ImageRef>, Failure> {
    let given = args.image.as_deref().map(ImageRef::from_str).transpose()?;
    if given.is_some() && !selection.is_one() {
        return Err(Failure::invalid(
            "`--image` tests one image: name the one extension that is in it",
        ));
    }
    Ok(given)
}

/// Adds the bakes of what is tested and of what it needs. A given image is there already: only what it needs is built.
fn bake_first(
    args: &cli::Smoke,
    context: &Context,
    plan: &mut Plan,
    begun: &Begun,
    targets: &Targets,
    given: Option<&Given>,
) -> Result<Vec<Baked>, Failure> {
    let stands_for = given.map(|_| stands_for(targets)).transpose()?;
    let needed = targets.with_needs()?;
    let to_bake: Vec<&Target> = needed
        .filter(|target| {
            args.written.metadata_files.is_empty() && !args.no_bake && stands_for != Some(*target)
        })
        .collect();
    if to_bake.is_empty() {
        return Ok(Vec::new());
    }
    let builder = Builder::survey(&context.config, &begun.engine)?;
    let request = bake::Request {
        config: &context.config,
        sources: &begun.sources,
        targets: &to_bake,
        builder: &builder,
        to: Destination::Engine,
        platforms: &Wanted::here()?,
        no_cache: false,
        metadata_file: None,
        after: &[],
    };
    Ok(bake::add(plan, &request))
}

/// Names the packages of the libraries that a test has missed, where the archive can be asked.
fn note_holders(context: &Context, engine: &Engine, target: &Target, step: &StepReport) {
    let Outcome::Failed(failure) = &step.outcome else {
        return;
    };
    let said = failure
        .command
        .as_ref()
        .and_then(|command| command.first_error.as_deref());
    let libraries = libraries::lacking(said.unwrap_or_default());
    let (Some(sandbox), Some(version)) = (&engine.sandbox, &target.package) else {
        return;
    };
    let (major, packages) = (&target.server.major, target.extension.packages.iter());
    let packages: Vec<String> = packages
        .map(|name| format!("{}={version}", name.replace("{pg}", major)))
        .collect();
    if libraries.is_empty() || packages.is_empty() {
        return;
    }
    let ask = sandbox.inside(libraries::holders_cmd(&packages, &libraries));
    // Without an answer there is what the test has said.
    if let Ok(printed) = engine.exec.read(&ask, Some(PATIENCE)) {
        let holders = libraries::holders(&printed);
        if !holders.is_empty() {
            context
                .ui
                .note(&format!("{}: {}", target.title(), holders.join(", ")));
        }
    }
}

/// Once for each extension, however many of its images are tested.
fn warn_without_proof(context: &Context, tests: &[SmokeTest]) {
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
        context.ui.warning(warning);
    }
}
