// SPDX-License-Identifier: Apache-2.0
//! `e2e status`: what exists, in which version, and what differs from what is wanted.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cli::e2e::Status,
    context::{Context, choice},
    engine::{Access, Engine},
    environment::{
        Environment,
        api::{Api, Node},
        survey::{Presence, Survey},
    },
    plan::Plan,
    ui::{Row, Table},
};

/// One part of the environment.
#[derive(Serialize)]
struct Part {
    name: &'static str,
    state: String,
    what: String,
}

impl Row for Part {
    const HEADINGS: &'static [&'static str] = &["PART", "STATE", ""];

    fn cells(&self) -> Vec<String> {
        vec![self.name.to_owned(), self.state.clone(), self.what.clone()]
    }
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

pub(super) fn run(args: &Status, context: &mut Context) -> anyhow::Result<u8> {
    let place = choice::place(context, &args.cluster)?;
    let engine = Engine::open(context, Access::Look)?;
    let wanted = choice::environment(context, place, choice::release(context, None)?)?;
    let (environment, survey) = if engine.is_stopped() {
        (wanted.clone(), Survey::without_engine(&wanted))
    } else {
        wanted.existing(context, &engine)?
    };
    let parts = parts(&environment, &survey);
    let differs = differs(&wanted, &survey);
    let operator = survey.api.as_ref().and_then(|api| api.operator.as_ref());
    let up = operator.is_some_and(|operator| operator.available);
    let value = json!({
        "up": up,
        "parts": parts,
        "kubernetes": survey.api.as_ref().and_then(|api| Some(api.nodes.first()?.kubelet.clone())),
        "operator": operator.map(|operator| json!({
            "image": operator.image, "release": operator.release, "available": operator.available,
        })),
        "registry": {"host": environment.naming.host, "cluster": environment.naming.cluster},
        "kubeconfig": survey.api.as_ref().map(|_| context.root.join(environment.access().kubeconfig).display().to_string()),
        "databases": survey.api.as_ref().map_or(Value::Null, |api| json!(api.databases)),
        "differs": differs,
    });
    context.result(args.json, value, &Table::of(&parts));
    for line in &differs {
        context.ui.note(&format!("`setup-env` would say: {line}"));
    }
    if !up {
        context
            .ui
            .note("`cargo xtask e2e setup-env` creates or repairs it");
    }
    Ok(u8::from(!up))
}

/// What setting the environment up again would say.
fn differs(wanted: &Environment, survey: &Survey) -> Vec<String> {
    let mut plan = Plan::default();
    let added = wanted
        .read_manifest()
        .and_then(|manifest| wanted.add(&mut plan, survey, &manifest));
    match added {
        Ok(_) => plan.notes,
        Err(failure) => vec![failure.message],
    }
}

fn parts(environment: &Environment, survey: &Survey) -> Vec<Part> {
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
