// SPDX-License-Identifier: Apache-2.0
//! `inspect`: what is in an image, for whoever has to decide whether to use it. It is read, never run; against another one
//! servers are asked too, as smoke tests start them.

mod difference;
mod inspected;

use std::time::Duration;

use self::{difference::Difference, inspected::Inspected};
use crate::{
    cli, config,
    context::Context,
    engine::Access,
    failure::Failure,
    image::annotations::SQL_VERSION,
    plan::{AfterFailure, Plan},
    stage::{
        look::{Inspection, Looking},
        smoke::{Runner, SmokeTest, Transport, View, Viewed},
        subject::{Known, Subject, Subjects},
    },
    target::{Filter, Target},
    ui::Form,
    workspace::Selection,
};

pub(super) fn run(args: &cli::Inspect, context: &mut Context) -> anyhow::Result<()> {
    let form = Form::of(args.json, args.markdown);
    let filter = Filter::from(&args.filters);
    let access = Access::Work.or_look(args.dry_run);
    let names = std::iter::once(&args.image).chain(&args.against);
    let names = names.map(|name| name.trim_end_matches('/').to_owned());
    let selection = Selection::Named(names.collect());
    let subjects = Subjects::open(context, &selection, &filter, access)?;
    one_each(&subjects.all, selection.names().len())?;
    let mut plan = Plan {
        // A server that does not start is no reason not to tell what the files say.
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
    let looked = Looking::new(&mut plan, &context.run_id).images_with_bases(&subjects.all);
    let views = views(&mut plan, context, &subjects)?;
    if subjects.engine.is_looked_at() {
        context.print(&subjects.engine, &plan);
        return Ok(());
    }
    let report = context.run(&subjects.engine.exec, &plan)?;
    let inspected = subjects.all.iter().zip(&looked);
    let inspected = inspected.filter_map(|(subject, looked)| Inspection::of(subject, looked));
    match inspected.collect::<Vec<_>>().as_slice() {
        [new, old] => {
            let asked: Vec<&View> = views.iter().rev().filter_map(Viewed::get).collect();
            let difference = Difference::of(old, new, asked.try_into().ok());
            context.report(form, difference.value()?, &difference.report());
            context.verdict(&report, "inspect")?;
            context.ui.conclusion(&difference.conclusion());
        }
        [one] if args.against.is_none() => {
            let one = Inspected(one);
            context.report(form, one.value()?, &one.report());
            context.verdict(&report, "inspect")?;
            context.ui.conclusion(&one.conclusion());
        }
        _ => context.verdict(&report, "inspect")?,
    }
    Ok(())
}

/// Each name is to be that of one image.
fn one_each(subjects: &[Subject], named: usize) -> Result<(), Failure> {
    if subjects.len() == named {
        return Ok(());
    }
    let titles: Vec<&str> = subjects.iter().map(|one| one.title.as_str()).collect();
    Err(Failure::invalid(format!(
        "one image at a time, and it is built for several servers: {}",
        titles.join("; ")
    ))
    .hint("choose one with `--distro` and `--pg`, or give a reference"))
}

/// Servers with each of two images. Without metadata it is not known how one is started; an engine that cannot mount images
/// is not asked.
fn views(plan: &mut Plan, context: &Context, subjects: &Subjects) -> anyhow::Result<Vec<Viewed>> {
    let all = &subjects.all;
    let target = all.iter().find_map(|subject| subject.target.as_ref());
    let (2, Some(known), Some(target)) = (all.len(), &subjects.known, target) else {
        return Ok(Vec::new());
    };
    if Transport::choose(&context.config, &subjects.engine)? != Transport::Mount {
        context
            .ui
            .warning("servers are asked with Docker 28 and newer alone");
        return Ok(Vec::new());
    }
    let runner = Runner {
        transport: Transport::Mount,
        run: context.run_id.clone(),
        limit: Duration::from_secs(u64::from(context.config.get(config::SMOKE_TIMEOUT))),
        remembers: false,
    };
    let tests = all.iter().zip(["new", "old"]);
    let tests = tests.map(|(subject, which)| view(known, target, subject, which));
    let mut tests = tests.collect::<anyhow::Result<Vec<SmokeTest>>>()?;
    runner.keep_data(plan, &mut tests);
    let views = tests.iter().map(|test| runner.add_view(plan, test));
    Ok(views.collect())
}

/// A server with an image in the place of the target's.
fn view(
    known: &Known,
    target: &Target,
    subject: &Subject,
    which: &str,
) -> anyhow::Result<SmokeTest> {
    let test = SmokeTest::of(target, &known.targets, &known.workspace, &[], None)?;
    let own = subject.target.as_ref();
    let version = match own {
        Some(own) => own.sql_version.as_deref(),
        None => subject.said.labels.get(SQL_VERSION),
    };
    let title = format!("{which} {}", target.title());
    Ok(test.view(&subject.image, version, &title))
}
