// SPDX-License-Identifier: Apache-2.0
//! `e2e setup-env`: creates or repairs the environment.

use crate::{
    cli::e2e::SetupEnv,
    context::{Context, choice},
    engine::{Engine, base},
    plan::Plan,
    stage::environment::{conclude, survey},
};

pub(super) fn run(args: &SetupEnv, context: &mut Context) -> anyhow::Result<()> {
    let place = choice::to_make(context, &args.environment)?;
    let release = choice::release(context, args.cnpg_release.as_deref())?;
    let workspace = context.workspace()?;
    let environment = choice::environment(context, place, release)?;
    let engine = Engine::open(context, environment.engine_access().or_look(args.dry_run))?;
    let bases = base::made(context, &engine, &workspace)?.unwrap_or_default();
    let environment = environment.of_checkout(&context.root)?.with_seeds(&bases);
    let _cluster = environment.lock(context, &engine)?;
    let survey = survey(context, &engine, &environment)?;
    let mut plan = Plan::default();
    environment.add(&mut plan, &survey, &environment.read_manifest()?)?;
    if engine.is_looked_at() {
        context.print(&engine, &plan);
        return Ok(());
    }
    let report = context.run(&engine.exec, &plan)?;
    context.verdict(&report, "setting up the environment")?;
    conclude(context, &environment);
    Ok(())
}
