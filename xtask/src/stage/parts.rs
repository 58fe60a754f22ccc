// SPDX-License-Identifier: Apache-2.0
//! The end-to-end environment in its parts: what there is of each, and what setting it up again would say.

use serde::Serialize;

use crate::{
    environment::{
        Environment,
        api::{Api, Node},
        survey::{Presence, Survey},
    },
    plan::Plan,
};

/// One part of the environment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Part {
    pub name: &'static str,
    pub state: String,
    pub what: String,
}

impl Part {
    fn new(name: &'static str, state: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            name,
            state: state.into(),
            what: what.into(),
        }
    }
}

/// What setting the environment up again would say.
pub(crate) fn differs(wanted: &Environment, survey: &Survey) -> Vec<String> {
    let mut plan = Plan::default();
    let added = wanted
        .read_manifest()
        .and_then(|manifest| wanted.add(&mut plan, survey, &manifest));
    match added {
        Ok(_) => plan.notes,
        Err(failure) => vec![failure.message],
    }
}

/// What there is.
pub(crate) fn of(environment: &Environment, survey: &Survey) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(cluster) = environment.cluster() {
        parts.extend(of_engine(environment, survey, cluster));
    }
    if let Some(api) = &survey.api {
        parts.extend(of_cluster(api));
    }
    parts
}

/// What the engine holds of an environment of its own.
fn of_engine(environment: &Environment, survey: &Survey, cluster: String) -> Vec<Part> {
    let presence = |presence: Presence| match presence {
        Presence::Absent => "absent",
        Presence::Ours => "there",
        Presence::Foreign => "not ours",
    };
    let network = presence(survey.network);
    let mut parts = vec![Part::new("network", network, environment.network())];
    if environment.port.is_some() {
        let registry = survey.registry.as_ref();
        let state = registry.map_or("absent", |found| &found.container.state);
        let (host, inside) = (&environment.naming.host, &environment.naming.cluster);
        let what = format!("{host} here, {inside} in the cluster");
        parts.push(Part::new("registry", state, what));
        let volume = presence(survey.volume);
        parts.push(Part::new("volume", volume, environment.volume()));
    }
    let state = match survey.cluster(&cluster) {
        None => "absent",
        Some(found) if found.nodes.iter().any(|node| !node.running) => "stopped",
        Some(_) if survey.api.is_none() => "not answering",
        Some(_) => "running",
    };
    parts.push(Part::new("cluster", state, cluster));
    parts
}

/// What the cluster holds.
fn of_cluster(api: &Api) -> Vec<Part> {
    let node = |node: &Node| {
        let state = if node.ready { "ready" } else { "not ready" };
        let what = format!(
            "{}, Kubernetes {}, {}",
            node.name, node.kubelet, node.platform
        );
        Part::new("node", state, what)
    };
    let mut parts: Vec<Part> = api.nodes.iter().map(node).collect();
    parts.push(match &api.operator {
        None => Part::new("operator", "absent", ""),
        Some(operator) => {
            let state = if operator.available {
                "available"
            } else {
                "not available"
            };
            let what = match &operator.release {
                Some(release) => format!("{release}, {}", operator.image),
                None => operator.image.clone(),
            };
            Part::new("operator", state, what)
        }
    });
    let databases = api.databases.iter();
    parts.extend(databases.map(|database| Part::new("database", "there", database)));
    parts
}
