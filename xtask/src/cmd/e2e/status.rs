// SPDX-License-Identifier: Apache-2.0
//! `e2e status`: what exists, in which version, and what differs from what is wanted.

use serde::Serialize;
use serde_json::{Value, json};

use super::choose_cluster;
use crate::{
    cli::e2e::Status,
    context::Context,
    environment::{
        Environment,
        world::{Presence, World},
    },
    plan::Plan,
    sandbox::State,
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

pub(super) fn run(args: &Status, context: &mut Context) -> anyhow::Result<u8> {
    choose_cluster(context, &args.cluster)?;
    context.enter(true, false)?;
    let wanted = super::environment(context)?;
    let stopped =
        context.global.sandbox && !matches!(context.sandbox()?.state(), State::Running(_));
    let (environment, world) = if stopped {
        (wanted.clone(), World::default())
    } else {
        super::existing(context)?
    };
    let parts = parts(&environment, &world);
    // What setting it up again would say.
    let mut plan = Plan::default();
    let drift = match wanted.add(&mut plan, &world) {
        Ok(_) => plan.notes.clone(),
        Err(failure) => vec![failure.message],
    };
    let up = world.api.as_ref().is_some_and(|api| {
        api.operator
            .as_ref()
            .is_some_and(|operator| operator.available)
    });
    let value = json!({
        "up": up,
        "parts": parts,
        "kubernetes": world.api.as_ref().and_then(|api| Some(api.nodes.first()?.kubelet.clone())),
        "operator": world.api.as_ref().and_then(|api| api.operator.as_ref()).map(|operator| json!({
            "image": operator.image, "release": operator.release, "available": operator.available,
        })),
        "registry": {"host": environment.naming.host, "cluster": environment.naming.cluster},
        "kubeconfig": world.api.as_ref().map(|_| context.root.join(environment.access().kubeconfig)),
        "databases": world.api.as_ref().map_or(Value::Null, |api| json!(api.databases)),
        "differs": drift,
    });
    context.result(args.json, value, &Table::of(&parts));
    for line in &drift {
        context.ui.note(&format!("`setup-env` would say: {line}"));
    }
    if !up {
        context
            .ui
            .note("`cargo xtask e2e setup-env` makes it, or mends it");
    }
    Ok(u8::from(!up))
}

fn parts(environment: &Environment, world: &World) -> Vec<Part> {
    let mut parts = Vec::new();
    let presence = |presence: Presence| match presence {
        Presence::Absent => "absent",
        Presence::Ours => "there",
        Presence::Foreign => "not ours",
    };
    if let Some(cluster) = environment.cluster() {
        parts.push(Part {
            name: "network",
            state: presence(world.network).into(),
            what: environment.network(),
        });
        if environment.port.is_some() {
            let registry = world.registry.as_ref();
            parts.push(Part {
                name: "registry",
                state: registry.map_or("absent".into(), |found| found.container.state.clone()),
                what: format!(
                    "{} here, {} in the cluster",
                    environment.naming.host, environment.naming.cluster
                ),
            });
            parts.push(Part {
                name: "volume",
                state: presence(world.volume).into(),
                what: environment.volume(),
            });
        }
        let state = match world.cluster(&cluster) {
            None => "absent",
            Some(found) if found.nodes.iter().any(|node| !node.running) => "stopped",
            Some(_) if world.api.is_none() => "not answering",
            Some(_) => "running",
        };
        parts.push(Part {
            name: "cluster",
            state: state.into(),
            what: cluster,
        });
    }
    let Some(api) = &world.api else {
        return parts;
    };
    for node in &api.nodes {
        let state = if node.ready { "ready" } else { "not ready" };
        parts.push(Part {
            name: "node",
            state: state.into(),
            what: format!(
                "{}, Kubernetes {}, {}",
                node.name, node.kubelet, node.platform
            ),
        });
    }
    parts.push(match &api.operator {
        None => Part {
            name: "operator",
            state: "absent".into(),
            what: String::new(),
        },
        Some(operator) => Part {
            name: "operator",
            state: if operator.available {
                "available"
            } else {
                "not available"
            }
            .into(),
            what: match &operator.release {
                Some(release) => format!("{release}, {}", operator.image),
                None => operator.image.clone(),
            },
        },
    });
    for database in &api.databases {
        parts.push(Part {
            name: "database",
            state: "there".into(),
            what: database.clone(),
        });
    }
    parts
}
