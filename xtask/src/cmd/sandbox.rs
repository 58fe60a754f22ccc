// SPDX-License-Identifier: Apache-2.0
//! `sandbox up | status | exec | down`.

use std::ffi::OsString;

use serde_json::json;

use crate::{
    cli::SandboxCommand,
    config,
    context::Context,
    engine::{
        self, Access, Engine, lock,
        sources::{Freshness, Sources},
    },
    failure::Failure,
    own::folder::Removed,
    plan::Cmd,
    sandbox::{self, State},
    target::Filter,
    ui::Table,
};

pub(super) fn run(command: SandboxCommand, context: &mut Context) -> anyhow::Result<u8> {
    match command {
        SandboxCommand::Up => up(context)?,
        SandboxCommand::Status { json } => return status(json, context),
        SandboxCommand::Exec { command } => return exec(&command, context),

        SandboxCommand::Down { keep } => down(keep, context)?,
        SandboxCommand::Init { folder, repository } => sandbox::init::run(&folder, &repository)?,
    }
    Ok(0)
}

fn up(context: &mut Context) -> anyhow::Result<()> {
    let sandbox = context.sandbox()?;
    let folder = sandbox.folder.display().to_string();
    if context.config.get(config::SANDBOX_BASE) == config::Base::Debian {
        let workspace = context.workspace()?;
        let engine = Engine::in_sandbox(context, sandbox, Access::Work)?;
        Sources::prepare(
            context,
            &engine,
            workspace,
            &[],
            &Filter::default(),
            Freshness::Now,
        )?;
    } else {
        Engine::in_sandbox(context, sandbox, Access::Share)?;
    }
    context
        .ui
        .conclusion(&format!("the sandbox is up in `{folder}`"));
    context
        .ui
        .note("add `--sandbox` to a command, or `export XTASK_SANDBOX=1`, to use it");
    Ok(())
}

fn status(as_json: bool, context: &mut Context) -> anyhow::Result<u8> {
    let sandbox = context.sandbox()?;
    let state = sandbox.state();
    let (name, pid) = match &state {
        State::Absent => ("absent", None),
        State::Foreign => ("not a sandbox", None),
        State::Stopped => ("stopped", None),
        State::Running(engine) => ("running", Some(engine.pid)),
    };
    let version = pid.and_then(|_| sandbox.engine_version(&context.exec));
    let name = if pid.is_some() && version.is_none() {
        "not answering"
    } else {
        name
    };
    let value = json!({"state": name, "folder": sandbox.folder.display().to_string(), "pid": pid, "engine": version, "suite": sandbox.suite, "path": sandbox.bin().display().to_string()});
    let cell = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let rows = [
        ("state", name.to_owned()),
        ("folder", sandbox.folder.display().to_string()),
        (
            "engine",
            cell(version.as_ref().map(|version| format!("Docker {version}"))),
        ),
        ("process", cell(pid.map(|pid| pid.to_string()))),
        ("programs", sandbox.bin().display().to_string()),
    ];
    let table = Table {
        headings: vec!["SANDBOX", ""],
        rows: rows
            .into_iter()
            .map(|(name, value)| vec![name.to_owned(), value])
            .collect(),
    };
    context.result(as_json, value, &table);
    Ok(u8::from(version.is_none()))
}

fn exec(command: &[OsString], context: &mut Context) -> anyhow::Result<u8> {
    let sandbox = context.sandbox()?;
    let enter = sandbox.bin().join("enter");
    let engine = Engine::in_sandbox(context, sandbox, Access::Share)?;
    let cmd = Cmd::new(enter, "run a command in the sandbox").args(command);
    let exec = engine.exec.in_folder(&context.here);
    let status = exec.interactive(&cmd).map_err(Failure::from)?;
    Ok(status)
}

fn down(keep: bool, context: &mut Context) -> anyhow::Result<()> {
    let sandbox = context.sandbox()?;
    sandbox.refuse_foreign()?;
    if sandbox.state() == State::Absent {
        context.ui.conclusion("there is no sandbox");
        return Ok(());
    }
    sandbox::up::refuse()?;
    let _lock = lock::sandbox(context, &sandbox)?;
    // It may be used without the folder's lock, by its programs on PATH.
    let _engine = engine::lock_if_answering(context, &sandbox)?;
    if keep {
        let was = sandbox::down::stop(&sandbox)?;
        context.ui.conclusion(if was {
            "the sandbox is stopped, its files are kept"
        } else {
            "the sandbox was not running"
        });
        return Ok(());
    }
    let folder = sandbox.folder.display().to_string();
    let text = match sandbox::down::remove(&sandbox)? {
        Removed::Absent => "there is no sandbox".to_owned(),
        Removed::Gone => format!("the sandbox is removed, with its folder `{folder}`"),
        Removed::Kept(names) => {
            let names = names.iter().map(|name| format!("`{}`", name.display()));
            let names = names.collect::<Vec<_>>().join(", ");
            context.ui.note(&format!(
                "move your files away and run `sandbox down` again to remove `{folder}` too"
            ));
            format!(
                "the sandbox is removed, but `{folder}` is kept: it holds {names}, which does not belong to the sandbox"
            )
        }
    };
    context.ui.conclusion(&text);
    Ok(())
}
