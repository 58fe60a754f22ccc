// SPDX-License-Identifier: Apache-2.0
//! `inspect`: what is in an image, for whoever has to decide whether to use it. It is read, never run.

mod inspected;

use self::inspected::Inspected;
use crate::{
    cli,
    context::Context,
    engine::Access,
    failure::Failure,
    plan::Plan,
    stage::{
        look::Looking,
        subject::{Subject, Subjects},
    },
    target::Filter,
    ui::Form,
    workspace::Selection,
};

pub(super) fn run(args: &cli::Inspect, context: &mut Context) -> anyhow::Result<()> {
    let form = Form::of(args.json, args.markdown);
    let filter = Filter::from(&args.filters);
    let access = Access::Work.or_look(args.dry_run);
    let selection = Selection::one(args.image.trim_end_matches('/'));
    let subjects = Subjects::open(context, &selection, &filter, access)?;
    only(&subjects.all)?;
    let mut plan = Plan::default();
    let looked = Looking::new(&mut plan, &context.run_id).images_with_bases(&subjects.all);
    if subjects.engine.is_looked_at() {
        context.print(&subjects.engine, &plan);
        return Ok(());
    }
    let report = context.run(&subjects.engine.exec, &plan)?;
    context.verdict(&report, "inspect")?;
    let inspected = subjects.all.iter().zip(&looked);
    let inspected = inspected.filter_map(|(subject, looked)| Inspected::of(subject, looked));
    for one in inspected {
        context.report(form, one.value()?, &one.report());
        context.ui.conclusion(&one.conclusion());
    }
    Ok(())
}

/// One image at a time.
fn only(subjects: &[Subject]) -> Result<(), Failure> {
    if subjects.len() == 1 {
        return Ok(());
    }
    let titles: Vec<&str> = subjects.iter().map(|one| one.title.as_str()).collect();
    Err(Failure::invalid(format!(
        "one image at a time, and it is built for several servers: {}",
        titles.join("; ")
    ))
    .hint("choose one with `--distro` and `--pg`, or give a reference"))
}
