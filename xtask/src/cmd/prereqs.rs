// SPDX-License-Identifier: Apache-2.0
//! `prereqs`: everything that the wanted commands need, checked at once; what is missing comes with its fix.

use std::time::Duration;

use serde::Serialize;

use crate::{
    cli::Prereqs,
    config,
    context::Context,
    engine::{Access, Engine},
    environment::{release::Release, support},
    exec::{Exec, Real},
    failure::Failure,
    image::ImageRef,
    sandbox,
    tool::{
        NeededFor, kind,
        table::{self, Tool},
    },
    ui::Row,
};

mod engine;

/// A tool that does not say its version by then hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is looked at when nothing is named.
const ALL: &[NeededFor] = &[
    NeededFor::Checks,
    NeededFor::Bake,
    NeededFor::Smoke,
    NeededFor::E2e,
    NeededFor::Release,
];

/// What everything else works without: a tool that only these need is an error where they were named.
const APART: &[NeededFor] = &[NeededFor::E2e, NeededFor::Release];

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    fix: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    #[serde(rename = "ok")]
    Good,
    /// It works, but something is worth knowing.
    Warning,
    Missing,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Good => "ok",
            State::Warning => "warning",
            State::Missing => "missing",
        }
    }
}

impl Row for Check {
    const HEADINGS: &'static [&'static str] = &["STATE", "WHAT", "FOUND", "FIX"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.state.name().to_owned(),
            self.name.to_owned(),
            self.found.clone(),
            self.fix.clone().unwrap_or_default(),
        ]
    }
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            state: State::Good,
            found: found.into(),
            fix: None,
        }
    }

    fn warning(name: &'static str, found: impl Into<String>, fix: &str) -> Self {
        Self::wrong(State::Warning, name, found, fix)
    }

    fn missing(name: &'static str, found: impl Into<String>, fix: &str) -> Self {
        Self::wrong(State::Missing, name, found, fix)
    }

    fn wrong(state: State, name: &'static str, found: impl Into<String>, fix: &str) -> Self {
        Self {
            name,
            state,
            found: found.into(),
            fix: Some(fix.to_owned()),
        }
    }
}

pub(super) fn run(args: &Prereqs, context: &mut Context) -> anyhow::Result<()> {
    let asked = &args.needed_for;
    let wanted = if asked.is_empty() { ALL } else { asked };
    let checks = look(wanted, context, asked)?;
    context.rows(args.json, &checks)?;
    let missing = |check: &&Check| check.state == State::Missing;
    match checks.iter().filter(missing).count() {
        0 => {}
        1 => return Err(Failure::unavailable("1 prerequisite is missing").into()),
        count => {
            let what = format!("{count} prerequisites are missing");
            return Err(Failure::unavailable(what).into());
        }
    }
    context.ui.conclusion("all prerequisites are met");
    Ok(())
}

/// Checks all that is `wanted`; `asked` is what of it was named.
fn look(
    wanted: &[NeededFor],
    context: &mut Context,
    asked: &[NeededFor],
) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    let mut exec = context.exec.clone();
    if context.global.sandbox || wanted.contains(&NeededFor::Sandbox) {
        checks.extend(of_sandbox(context));
    }
    if context.global.sandbox {
        if checks.iter().any(|check| check.state == State::Missing) {
            // Without it nothing that is in it can be looked at.
            return Ok(checks);
        }
        exec = Engine::open(context, Access::Share)?.exec;
    }
    let without_engine = [NeededFor::Release, NeededFor::Scan, NeededFor::Sandbox];
    if wanted.iter().any(|what| !without_engine.contains(what)) {
        checks.extend(engine::checks(context, &exec, wanted));
    }
    for tool in table::needed_for(wanted) {
        let only_for = |what| tool.needed_for == [what];
        // What a sandbox needs has been looked at, and so has the engine with its program.
        if tool.name == "docker" || only_for(NeededFor::Sandbox) {
            continue;
        }
        // Of scanners those that the settings name.
        let chosen = context.config.get(config::SCAN_WITH);
        if only_for(NeededFor::Scan) && !chosen.iter().any(|name| name == tool.name) {
            continue;
        }
        let is_apart = tool.needed_for.iter().all(|what| APART.contains(what));
        let is_asked = || tool.needed_for.iter().any(|what| asked.contains(what));
        let absent = if is_apart && !is_asked() {
            State::Warning
        } else {
            State::Missing
        };
        checks.push(of_tool(tool, context, &exec, absent));
    }
    if wanted.contains(&NeededFor::E2e) {
        checks.extend(of_release(context));
    }
    Ok(checks)
}

/// The operator's release, as far as there is something to know of it.
fn of_release(context: &Context) -> Option<Check> {
    let release: Release = context.config.get(config::CNPG_RELEASE).parse().ok()?;
    let nodes: ImageRef = context.config.get(config::NODE_IMAGE).parse().ok()?;
    let kubernetes = nodes.tag.unwrap_or_default();
    let remarks = support::remarks(&release, &kubernetes, &support::today());
    let fix = "`--cnpg-release` and `--kubernetes` choose others";
    (!remarks.is_empty()).then(|| Check::warning("operator", remarks.join("; "), fix))
}

/// What the machine must have for a sandbox.
fn of_sandbox(context: &Context) -> Vec<Check> {
    let machine = match sandbox::up::refuse() {
        Ok(()) => Check::good("Linux, root, tun", "yes"),
        Err(failure) => Check {
            name: "Linux, root, tun",
            state: State::Missing,
            found: failure.message,
            fix: failure.hint,
        },
    };
    let tools =
        table::only_for(NeededFor::Sandbox).map(|tool| match context.exec.finds(tool.name) {
            Some(path) => Check::good(tool.name, path.display().to_string()),
            None => Check::missing(tool.name, "not on PATH", &tool.install()),
        });
    std::iter::once(machine).chain(tools).collect()
}

/// A tool of its own; `absent` is what it is when it will not do.
fn of_tool(tool: &Tool, context: &Context, exec: &Real, absent: State) -> Check {
    let wrong = |found: String| Check::wrong(absent, tool.name, found, &tool.install());
    let Some(path) = exec.finds(tool.name) else {
        let on_kind = context.config.get(config::CLUSTER_KUBECONFIG).is_empty();
        if let Some(otherwise) = tool.otherwise(on_kind) {
            return Check::good(tool.name, format!("not on PATH: {otherwise}"));
        }
        return wrong(format!("not on PATH, and {} needs it", tool.needed_by()));
    };
    let Some(cmd) = tool.version_cmd() else {
        return Check::good(tool.name, path.display().to_string());
    };
    match exec.read(&cmd, Some(PATIENCE)) {
        Ok(text) => match too_old(tool, text.trim(), context) {
            None => Check::good(
                tool.name,
                tool.version_in(&text).unwrap_or_else(|| "there".to_owned()),
            ),
            Some(why) => wrong(why),
        },
        Err(failed) => wrong(failed.cause().unwrap_or("it does not run").to_owned()),
    }
}

/// Why a tool is too old: for the cluster that the settings ask for, or for anything.
fn too_old(tool: &Tool, printed: &str, context: &Context) -> Option<String> {
    let of_nodes = || {
        let image: ImageRef = context.config.get(config::NODE_IMAGE).parse().ok()?;
        let failure = kind::check_version(printed, &image.tag?).err()?;
        Some(failure.message)
    };
    let for_nodes = (tool.name == "kind").then(of_nodes).flatten();
    for_nodes.or_else(|| tool.too_old(printed))
}
