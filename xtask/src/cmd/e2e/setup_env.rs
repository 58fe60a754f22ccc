// SPDX-License-Identifier: Apache-2.0
//! `e2e setup-env`: makes the environment, or mends it.

use crate::{
    cli::e2e::SetupEnv,
    cmd::bake,
    config,
    context::{Context, choice},
    engine::{Engine, base},
    environment::{Environment, Place, survey::Survey},
    exec::Exec,
    failure::{Failure, Kind},
    plan::{Plan, shell},
    tool::{self, kind},
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
    let survey = survey(context, &engine, &environment, args.dry_run)?;
    let mut plan = Plan::default();
    environment.add(&mut plan, &survey, &environment.read_manifest()?)?;
    if args.dry_run {
        bake::print(context, &engine, &plan);
        return Ok(());
    }
    let report = context.run(&engine.exec, &plan, None, false)?;
    context.verdict(&report, "setting up the environment")?;
    conclude(context, &environment);
    Ok(())
}

/// What is there, once a stopped cluster has been started again. A dry run without an engine to ask plans
/// from nothing, and starts none.
pub(super) fn survey(
    context: &mut Context,
    engine: &Engine,
    environment: &Environment,
    dry_run: bool,
) -> anyhow::Result<Survey> {
    if dry_run {
        return Ok(Survey::of(environment, &engine.exec)
            .unwrap_or_else(|_| Survey::without_engine(environment)));
    }
    if let Place::Kind { kubernetes, .. } = &environment.place {
        engine.info()?;
        tool::require(&engine.exec, ["kind", "kubectl"])?;
        check_kind(&engine.exec, kubernetes)?;
    }
    let survey = Survey::refreshed(environment, &engine.exec)?;
    let Some(restart) = environment.restart(&survey)? else {
        return Ok(survey);
    };
    let report = context.run(&engine.exec, &restart, None, false)?;
    if report.failure(context.exec.interrupted()) == Some(Kind::Interrupted) {
        return Err(Failure::interrupted().into());
    }
    // One that did not come back shows in the second look, and is made anew.
    Ok(Survey {
        restarted: true,
        ..Survey::refreshed(environment, &engine.exec)?
    })
}

/// Kind must be new enough for the version of its nodes.
fn check_kind(exec: &dyn Exec, kubernetes: &str) -> Result<(), Failure> {
    let text = exec
        .read(&kind::version_cmd(), None)
        .map_err(Failure::from)?;
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
        context.config.flag(config::REGISTRY).is_some(),
    ) {
        context.ui.note(&format!("the registry is at another port than the settings say: `export registry=localhost:{port}` for bake"));
    }
}
