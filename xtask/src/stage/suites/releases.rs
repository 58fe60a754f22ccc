// SPDX-License-Identifier: Apache-2.0
//! The suites of several images with several releases of the operator, one release after the other on one cluster.

use std::sync::Arc;

use super::{Runner, Subject, SuiteSteps, add_leftovers};
use crate::{
    environment::{Environment, LABEL, Place, Ready, operator::Earlier, survey::Survey},
    failure::Failure,
    plan::{Plan, Step, StepId},
    stage::tested::ToTest,
};

/// The suites of every image with every release, one release after the other on the one cluster.
pub(crate) fn add(
    plan: &mut Plan,
    runner: &Runner,
    environments: &[Environment],
    ready: &Ready,
    survey: &Survey,
    tested: &[ToTest],
) -> Result<Vec<(Subject, SuiteSteps)>, Failure> {
    let mut leftovers = add_leftovers(plan, &environments[0], survey);
    leftovers.extend(runner.add_needs(plan, &ready.cluster));
    let mut before: Vec<StepId> = ready
        .operator
        .iter()
        .chain(&ready.cluster)
        .chain(&leftovers)
        .copied()
        .collect();
    let mut subjects: Vec<(Subject, SuiteSteps)> = Vec::new();
    let several = environments.len() > 1;
    for (at, environment) in environments.iter().enumerate() {
        if at > 0 {
            if let (Place::Existing(_), true) = (&environment.place, several) {
                return Err(Failure::invalid(
                    "on an existing cluster, one release at a time: its operator is not ours to change",
                ));
            }
            let ended: Vec<StepId> = subjects
                .iter()
                .flat_map(|(_, suites)| suites.steps())
                .collect();
            before = vec![next_release(plan, environment, &ended, &ready.cluster)?];
        }
        for one in tested {
            let mut name = one.target.title();
            if several {
                name += &format!(" {}", environment.release);
            }
            let subject = Subject {
                extension: Arc::clone(&one.target.extension),
                name,
                image: Some(one.image.clone()),
                server: Some(one.target.server.clone()),
                release: environment.release.to_string(),
                values: one.values.clone(),
            };
            let after: Vec<StepId> = before.iter().copied().chain([one.step]).collect();
            let suites = runner.add(plan, &subject, &after);
            subjects.push((subject, suites));
        }
    }
    Ok(subjects)
}

/// The operator's next release, when the suites with the one before have ended and their databases are
/// gone: it would restart them.
fn next_release(
    plan: &mut Plan,
    environment: &Environment,
    ended: &[StepId],
    cluster: &[StepId],
) -> Result<StepId, Failure> {
    let gone = environment
        .access()
        .cmd("delete the earlier suites' namespaces")
        .args([
            "delete",
            "namespace",
            "--selector",
            &format!("{LABEL}=suite"),
            "--ignore-not-found",
            "--timeout",
            "3m",
        ]);
    let gone = Step::run(
        format!("delete suites before operator {}", environment.release),
        gone,
    )
    .after(cluster.iter().copied())
    .after_end_of(ended.iter().copied());
    let gone = plan.add(gone);
    let manifest = environment.read_manifest()?;
    Ok(environment.add_release(plan, &manifest, Earlier::Stamp, &[gone]))
}
