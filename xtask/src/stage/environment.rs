// SPDX-License-Identifier: Apache-2.0
//! The environment of a command that tests: what is there of it, whether it can be used, and how it is taken away.

use crate::{
    config,
    engine::{Engine, Opener},
    environment::{Environment, Part, Place, api::Api, survey::Survey},
    exec::{Exec, Real},
    failure::{Failure, Kind},
    plan::{AfterFailure, Plan, shell},
    tool::{self, docker, kind, kubectl::Kubectl},
};

/// What is there, once a stopped cluster has been started again. An engine that is only looked at starts none; where it
/// cannot be asked, there is nothing.
pub(crate) fn survey(
    opener: &mut dyn Opener,
    engine: &Engine,
    environment: &Environment,
) -> anyhow::Result<Survey> {
    if engine.is_looked_at() {
        return Ok(Survey::of(environment, &engine.exec)
            .unwrap_or_else(|_| Survey::without_engine(environment)));
    }
    if let Place::Kind { kubernetes, .. } = &environment.place {
        engine.info()?;
        tool::require(&engine.exec, ["kind"])?;
        check_kind(&engine.exec, kubernetes)?;
    }
    let survey = Survey::refreshed(environment, &engine.exec)?;
    let Some(restart) = environment.restart(&survey)? else {
        return Ok(survey);
    };
    if let Err(error) = opener.carry_out(&engine.exec, &restart, "starting the cluster again")
        && is_interrupted(&error)
    {
        return Err(error);
    }
    // One that did not come back shows in the second look, and is created again.
    Ok(Survey {
        restarted: true,
        ..Survey::refreshed(environment, &engine.exec)?
    })
}

/// What there is in the engine, for the parts that come before a cluster.
pub(crate) fn survey_of_engine(
    engine: &Engine,
    environment: &Environment,
) -> anyhow::Result<Survey> {
    if engine.is_looked_at() {
        return Ok(Survey::of_engine(environment, &engine.exec)
            .unwrap_or_else(|_| Survey::without_engine(environment)));
    }
    engine.info()?;
    Survey::of_engine(environment, &engine.exec)
}

fn is_interrupted(error: &anyhow::Error) -> bool {
    let failure = error.downcast_ref::<Failure>();
    failure.is_some_and(|failure| failure.kind == Kind::Interrupted)
}

/// Kind must be new enough for the version of its nodes.
fn check_kind(exec: &dyn Exec, kubernetes: &str) -> Result<(), Failure> {
    let text = exec
        .read(&kind::version_cmd(), None)
        .map_err(Failure::from)?;
    kind::check_version(text.trim(), kubernetes)
}

/// The nodes' platform; of a cluster that is still to come this machine's.
pub(crate) fn platform(survey: &Survey) -> String {
    let known = survey.api.as_ref().and_then(|api| api.platform());
    known.map_or_else(
        || docker::platform_of(std::env::consts::ARCH),
        str::to_owned,
    )
}

/// Refuses a cluster that does not answer or has no operator: suites would fail one after the other.
pub(crate) fn check_usable(
    environment: &Environment,
    survey: &Survey,
    exec: &Real,
) -> Result<(), Failure> {
    if let Some(api) = &survey.api {
        return check_operator(api);
    }
    let access = environment.access();
    if environment.cluster().is_some() && !access.kubeconfig.is_file() {
        return Err(Failure::unavailable("there is no cluster").hint(
            "`cargo xtask e2e setup-env` creates one; `--kubeconfig FILE` uses another one",
        ));
    }
    // The failure says why it does not answer.
    check_operator(&Api::survey(&access, exec)?)
}

fn check_operator(api: &Api) -> Result<(), Failure> {
    match &api.operator {
        None => Err(
            Failure::unavailable("the cluster has no CloudNativePG operator")
                .hint("`cargo xtask e2e setup-env` installs it"),
        ),
        Some(operator) if !operator.available => {
            Err(Failure::unavailable("the operator is not available")
                .hint("`cargo xtask e2e setup-env` repairs it"))
        }
        Some(_) => Ok(()),
    }
}

/// Says what there is now, and what to do with it.
pub(crate) fn conclude(opener: &dyn Opener, environment: &Environment) {
    let cluster = match environment.cluster() {
        Some(name) => format!("cluster `{name}`"),
        None => "the cluster".to_owned(),
    };
    let registry = match environment.port {
        Some(port) => format!(", registry localhost:{port}"),
        None => String::new(),
    };
    opener.conclude(&format!(
        "the environment is up: {cluster}, operator {}{registry}",
        environment.release
    ));
    let access = environment.access();
    let kubectl = match access.kubectl {
        Kubectl::OnPath => {
            let kubeconfig = shell::word(opener.root().join(access.kubeconfig));
            format!("`export KUBECONFIG={kubeconfig}` for kubectl")
        }
        Kubectl::InNode(_) => format!(
            "`{} get pods` asks the cluster",
            access.cmd("ask the cluster")
        ),
    };
    opener.note(&format!(
        "{kubectl}; `cargo xtask e2e test-full TARGET` tests an extension"
    ));
    if let (Some(port), true) = (
        environment.port,
        opener.config().flag(config::REGISTRY).is_some(),
    ) {
        opener.note(&format!("the registry is at another port than the settings say: `export registry=localhost:{port}` for bake"));
    }
}

/// Says that a part is there, which is not all of the environment.
pub(crate) fn conclude_part(opener: &dyn Opener, environment: &Environment, until: Part) {
    let (network, registry) = (environment.network(), environment.registry());
    let there = match (until, environment.port) {
        (Part::Registry, Some(port)) => {
            format!(
                "the registry answers at localhost:{port}; on the network `{network}` it is `{registry}:5000`"
            )
        }
        (Part::Cluster | Part::Operator, _) => {
            let name = environment.cluster().unwrap_or_default();
            format!("cluster `{name}` is up, without an operator")
        }
        _ => format!("the network `{network}` is there"),
    };
    opener.conclude(&there);
}

/// Removes the environment, and says what has become of it.
pub(crate) fn remove(
    opener: &mut dyn Opener,
    engine: &Engine,
    environment: &Environment,
) -> anyhow::Result<()> {
    let plan = cleanup(engine, environment)?;
    if plan.steps.is_empty() {
        for note in &plan.notes {
            opener.note(note);
        }
        opener.conclude("there is nothing to remove");
        return Ok(());
    }
    opener.carry_out(&engine.exec, &plan, "cleaning up")?;
    opener.conclude(match environment.place {
        Place::Kind { .. } => "the environment is removed",
        Place::Existing(_) => "what xtask created for databases is removed from the cluster",
    });
    Ok(())
}

/// The steps that remove the environment; none where there is nothing of it.
pub(crate) fn cleanup(engine: &Engine, environment: &Environment) -> anyhow::Result<Plan> {
    let mut plan = Plan {
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
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
