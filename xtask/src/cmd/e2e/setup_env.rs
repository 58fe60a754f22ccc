// SPDX-License-Identifier: Apache-2.0
//! `e2e setup-env`: creates or repairs the environment.

use crate::{
    cli::e2e::SetupEnv,
    context::{Context, choice},
    engine::{Engine, base, print, sources::Freshness},
    environment::Part,
    plan::Plan,
    stage::environment::{conclude, conclude_part, survey, survey_of_engine},
    target::Filter,
};

pub(super) fn run(args: &SetupEnv, context: &mut Context) -> anyhow::Result<()> {
    let part = args.until.unwrap_or(Part::Operator);
    let place = choice::to_make(context, &args.environment)?;
    let release = choice::release(context, args.cnpg_release.as_deref())?;
    let workspace = context.workspace()?;
    let environment = choice::environment_to_make(context, place, release)?;
    let engine = Engine::open(context, environment.engine_access().or_look(args.dry_run))?;
    let workspace = print::evaluated(context, &engine, workspace)?;
    let bases = if part.has_nodes() {
        let made = base::made(
            context,
            &engine,
            &workspace,
            &[],
            &Filter::default(),
            Freshness::Now,
        )?;
        let images = made.map(|made| made.images).unwrap_or_default();
        images.into_values().collect()
    } else {
        Vec::new()
    };
    let environment = environment.of_checkout(&context.root)?.with_seeds(&bases);
    let _cluster = environment.lock(context, &engine)?;
    let survey = if part.has_nodes() {
        survey(context, &engine, &environment)?
    } else {
        survey_of_engine(&engine, &environment)?
    };
    let mut plan = Plan::default();
    if part == Part::Operator {
        environment.add(&mut plan, &survey, &environment.read_manifest()?)?;
    } else {
        environment.add_until(part, &mut plan, &survey)?;
    }
    if engine.is_looked_at() {
        context.print(&engine, &plan);
        return Ok(());
    }
    let report = context.run(&engine.exec, &plan)?;
    context.verdict(&report, "setting up the environment")?;
    if part == Part::Operator {
        conclude(context, &environment);
    } else {
        conclude_part(context, &environment, part);
    }
    Ok(())
}
