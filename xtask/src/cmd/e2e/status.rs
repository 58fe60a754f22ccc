// SPDX-License-Identifier: Apache-2.0
//! `e2e status`: what exists, in which version, and what differs from what is wanted.

use serde_json::{Value, json};

use crate::{
    cli::e2e::Status,
    context::{Context, choice},
    engine::{Access, Engine},
    environment::survey::Survey,
    stage::parts,
    ui::{Row, Table},
};

impl Row for parts::Part {
    const HEADINGS: &'static [&'static str] = &["PART", "STATE", ""];

    fn cells(&self) -> Vec<String> {
        vec![self.name.to_owned(), self.state.clone(), self.what.clone()]
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
    let parts = parts::of(&environment, &survey);
    let differs = parts::differs(&wanted, &survey);
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
