// SPDX-License-Identifier: Apache-2.0
//! `e2e setup-env`: makes the environment, or mends it.

use super::{choose_environment, choose_release, environment};
use crate::{
    cli::e2e::SetupEnv,
    cmd::bake,
    config,
    context::Context,
    environment::{Environment, Place, world::World},
    exec::Exec,
    failure::{Failure, Kind},
    plan::{Plan, shell},
    sandbox::engage::Engaged,
    tool::{self, kind},
};

pub(super) fn run(args: &SetupEnv, context: &mut Context) -> anyhow::Result<()> {
    choose_environment(context, &args.environment)?;
    choose_release(context, args.cnpg_release.as_deref())?;
    let workspace = context.workspace()?;
    let needed = matches!(environment(context)?.place, Place::Kind { .. });
    let engaged = context.engage_unpinned(workspace, args.dry_run, needed)?;
    let environment = wanted(context, &engaged)?;
    let _cluster = super::cluster_turn(context, &environment, args.dry_run)?;
    let world = world(context, &environment, args.dry_run)?;
    let mut plan = Plan::default();
    environment.add(&mut plan, &world)?;
    if args.dry_run {
        bake::print(context, &engaged, &plan);
        return Ok(());
    }
    let report = context.run(&plan, None, false)?;
    context.verdict(&report, "setting up the environment")?;
    conclude(context, &environment);
    Ok(())
}

/// What is wanted, with the images that only this engine has among those that the registry is given.
pub(super) fn wanted(context: &Context, engaged: &Engaged) -> Result<Environment, Failure> {
    let mut environment = environment(context)?;
    for base in engaged.bases.iter().map(ToString::to_string) {
        if !environment.seeds.contains(&base) {
            environment.seeds.push(base);
        }
    }
    Ok(environment)
}

/// What is there, once a cluster that sleeps has been woken. A dry run without an engine to ask plans from
/// nothing, and wakes nobody.
pub(super) fn world(
    context: &mut Context,
    environment: &Environment,
    dry_run: bool,
) -> anyhow::Result<World> {
    if dry_run {
        return Ok(World::survey(environment, &context.exec, false).unwrap_or_default());
    }
    if let Place::Kind { kubernetes, .. } = &environment.place {
        context.engine()?;
        check_kind(context, kubernetes)?;
        if context.exec.finds("kubectl").is_none() {
            return Err(tool::missing("kubectl").into());
        }
    }
    let world = World::survey(environment, &context.exec, true)?;
    let Some(wake) = environment.wake(&world)? else {
        return Ok(world);
    };
    let report = context.run(&wake, None, false)?;
    if report.failure(context.exec.interrupted()) == Some(Kind::Interrupted) {
        return Err(Failure::interrupted().into());
    }
    // One that did not wake shows in the second look, and is made anew.
    Ok(World {
        woken: true,
        ..World::survey(environment, &context.exec, true)?
    })
}

/// Kind must be there, and new enough for the version of its nodes.
fn check_kind(context: &Context, kubernetes: &str) -> Result<(), Failure> {
    let text = context
        .exec
        .read(&kind::version_cmd(), None)
        .map_err(|failed| match failed.reason {
            crate::exec::Reason::NotFound => tool::missing("kind"),
            _ => Failure::from(failed),
        })?;
    kind::check_version(text.trim(), kubernetes)
}

/// What there is now, and what to do with it.
pub(super) fn conclude(context: &mut Context, environment: &Environment) {
    let cluster = match environment.cluster() {
        Some(name) => format!("cluster `{name}`"),
        None => "the cluster".to_owned(),
    };
    let registry = match environment.port {
        Some(port) => format!(", registry localhost:{port}"),
        None => String::new(),
    };
    context.ui.conclusion(&format!(
        "the environment is up: {cluster}, operator {}{registry}",
        environment.release
    ));
    let access = environment.access();
    context.ui.note(&format!(
        "`export KUBECONFIG={}` for kubectl; `cargo xtask e2e test-full TARGET` tests an extension",
        shell::word(context.root.join(access.kubeconfig))
    ));
    if let (Some(port), true) = (
        environment.port,
        context.config.origin_is_flag(config::REGISTRY),
    ) {
        context.ui.note(&format!("the registry is at another port than the settings say: `export registry=localhost:{port}` for bake"));
    }
}
