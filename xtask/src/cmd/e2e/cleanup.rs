// SPDX-License-Identifier: Apache-2.0
//! `e2e cleanup`: removes what the other commands of `e2e` have made.

use super::choose_cluster;
use crate::{
    cli::e2e::Cleanup,
    cmd::bake,
    config,
    context::Context,
    environment::{Environment, Place, world::World},
    plan::Plan,
    sandbox::State,
};

pub(super) fn run(args: &Cleanup, context: &mut Context) -> anyhow::Result<()> {
    // A kubeconfig in the settings is of somebody else's cluster: it must be named to be touched.
    for key in [config::CLUSTER_KUBECONFIG, config::CLUSTER_CONTEXT] {
        context.config.set_flag(key, "cleanup", Some(""))?;
    }
    choose_cluster(context, &args.cluster)?;
    if context.global.sandbox && !matches!(context.sandbox()?.state(), State::Running(_)) {
        context
            .ui
            .note("the sandbox does not run; it is started to see what is in it");
    }
    let environment = super::environment(context)?;
    let entered = super::enter(context, &environment, args.dry_run)?;
    if args.dry_run {
        let plan = plan(context, &environment)?;
        bake::print_plan(context, entered.sandbox.as_ref(), &plan);
        return Ok(());
    }
    if let Place::Kind { .. } = environment.place {
        context.engine()?;
    }
    remove(context, &environment)
}

fn plan(context: &Context, environment: &Environment) -> anyhow::Result<Plan> {
    let mut plan = Plan::default();
    match environment.place {
        Place::Kind { .. } => {
            let world = World::of_engine(environment, &context.exec)?;
            environment.add_cleanup(&mut plan, &world, context.exec.finds("kind").is_some());
        }
        Place::Existing(_) => {
            let world = World::survey(environment, &context.exec, false)?;
            environment.add_cleanup_of_existing(&mut plan, &world);
        }
    }
    Ok(plan)
}

/// Removes the environment.
pub(super) fn remove(context: &mut Context, environment: &Environment) -> anyhow::Result<()> {
    let plan = plan(context, environment)?;
    if plan.steps.is_empty() {
        for note in &plan.notes {
            context.ui.note(note);
        }
        context.ui.conclusion("there is nothing to remove");
        return Ok(());
    }
    let report = context.run(&plan, None, true)?;
    context.verdict(&report, "cleaning up")?;
    context.ui.conclusion(match environment.place {
        Place::Kind { .. } => "the environment is gone",
        Place::Existing(_) => "what xtask made for databases is gone from the cluster",
    });
    Ok(())
}
