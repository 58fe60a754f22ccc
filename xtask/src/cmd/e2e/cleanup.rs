// SPDX-License-Identifier: Apache-2.0
//! `e2e cleanup`: removes what the other commands of `e2e` have made.

use crate::{
    cli::e2e::Cleanup,
    cmd::bake,
    context::{Context, choice},
    engine::Engine,
    environment::{Environment, Place, in_use::InUse, survey::Survey},
    plan::Plan,
    sandbox::State,
};

pub(super) fn run(args: &Cleanup, context: &mut Context) -> anyhow::Result<()> {
    let place = choice::named_place(context, &args.cluster)?;
    if context.global.sandbox && !matches!(context.sandbox()?.state(), State::Running(_)) {
        context
            .ui
            .note("the sandbox does not run; it is started to see what is in it");
    }
    let environment = choice::environment(context, place, choice::release(context, None)?)?;
    let in_use = InUse::open(context, &environment, args.dry_run)?;
    if args.dry_run {
        let plan = plan(&in_use.engine, &environment)?;
        bake::print(context, &in_use.engine, &plan);
        return Ok(());
    }
    if let Place::Kind { .. } = environment.place {
        in_use.engine.info()?;
    }
    remove(context, &in_use.engine, &environment)
}

fn plan(engine: &Engine, environment: &Environment) -> anyhow::Result<Plan> {
    let mut plan = Plan::default();
    match environment.place {
        Place::Kind { .. } => {
            let survey = Survey::of_engine(environment, &engine.exec)?;
            environment.add_cleanup(&mut plan, &survey, engine.exec.finds("kind").is_some());
        }
        Place::Existing(_) => {
            let survey = Survey::of(environment, &engine.exec)?;
            environment.add_cleanup_of_existing(&mut plan, &survey);
        }
    }
    Ok(plan)
}

/// Removes the environment.
pub(super) fn remove(
    context: &mut Context,
    engine: &Engine,
    environment: &Environment,
) -> anyhow::Result<()> {
    let plan = plan(engine, environment)?;
    if plan.steps.is_empty() {
        for note in &plan.notes {
            context.ui.note(note);
        }
        context.ui.conclusion("there is nothing to remove");
        return Ok(());
    }
    let report = context.run(&engine.exec, &plan, None, true)?;
    context.verdict(&report, "cleaning up")?;
    context.ui.conclusion(match environment.place {
        Place::Kind { .. } => "the environment is gone",
        Place::Existing(_) => "what xtask made for databases is gone from the cluster",
    });
    Ok(())
}
