// SPDX-License-Identifier: Apache-2.0
//! `smoke`: each image in a real PostgreSQL, mounted and configured the way CNPG does it.

mod row;
mod together;

use std::{collections::BTreeMap, str::FromStr, thread, time::Duration};

use self::row::Row;
use crate::{
    cli,
    context::Context,
    engine::{Access, Engine},
    event::{Outcome, StepReport},
    exec::{Exec, Real},
    failure::Failure,
    image::ImageRef,
    plan::Plan,
    run::Report,
    sandbox::libraries,
    stage::{
        begin::NONE_IN_SHARE,
        smoke::{Prepared, Wanted},
        took::Took,
    },
    target::{Filter, Target},
    tool::docker::{self, Listed},
    verdict::{self, Verdict},
    workspace::Selection,
};

/// How long the engine may take to list its images, and the archive to say what is in its packages.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(args: &cli::Smoke, context: &mut Context) -> anyhow::Result<()> {
    let written = context.written(&args.written)?;
    let mut selection = args.written.selection(&args.extensions);
    if args.together && selection.is_none() {
        selection = Selection::All;
    }
    let bakes = args.written.metadata_files.is_empty() && !args.no_bake;
    let wanted = Wanted {
        filter: Filter::from(&args.filters),
        access: Access::Work.or_look(args.dry_run),
        after_failure: args.running.after_failure(&selection),
        bakes,
        retests: args.retest,
        given: named_image(args, &selection)?,
        written,
        selection,
    };
    let prepared = Prepared::open(context, wanted)?;
    if args.together {
        return together::prove(prepared, context, args.json);
    }
    let Prepared {
        begun,
        targets,
        runner,
        mut plan,
        tests,
    } = prepared;
    let tested = runner.add_all(&mut plan, &tests, &Took::read(&context.root));
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let (report, listed) = tried(context, &begun.engine, &plan, bakes)?;
    let steps = tested.iter().map(|id| report.step(*id));
    for (target, step) in targets.chosen().zip(steps.clone()) {
        note_holders(context, &begun.engine, target, step);
    }
    let rows = targets.chosen().zip(&tests).zip(steps);
    let rows = rows.map(|((target, test), step)| Row::of(target, test, step, &listed));
    let rows = rows.chain(begun.sources.unavailable.iter().map(Row::unavailable));
    let rows: Vec<Row> = rows.chain(begun.unread.iter().map(Row::unread)).collect();
    context.rows(args.json, &rows)?;
    context.verdict(&report, "smoke")?;
    begun.check_read()?;
    context.ui.conclusion(&conclusion(&rows));
    Ok(())
}

/// Runs the plan, and asks what the engine has: beside it where nothing is baked, and else when it has ended.
fn tried(
    context: &mut Context,
    engine: &Engine,
    plan: &Plan,
    bakes: bool,
) -> anyhow::Result<(Report, BTreeMap<String, Listed>)> {
    let (exec, has_digests) = (engine.exec.clone(), engine.info()?.containerd_store);
    if bakes {
        let report = context.run(&exec, plan)?;
        return Ok((report, listed(&exec, has_digests)));
    }
    thread::scope(|scope| {
        let asked = scope.spawn(|| listed(&exec, has_digests));
        let report = context.run(&exec, plan)?;
        // Without an answer the rows lack digests and sizes.
        Ok((report, asked.join().unwrap_or_default()))
    })
}

/// What the engine says of its images. A run that was told to stop asks nothing more, and where images do not live in containerd
/// a list has no digests of theirs.
fn listed(exec: &Real, has_digests: bool) -> BTreeMap<String, Listed> {
    let ask = || exec.read(&docker::listed_cmd(), Some(PATIENCE)).ok();
    let said = (!exec.interrupted()).then(ask).flatten();
    let mut listed = docker::parse_listed(&said.unwrap_or_default());
    if !has_digests {
        for one in listed.values_mut() {
            one.digest = None;
        }
    }
    listed
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
