// SPDX-License-Identifier: Apache-2.0
//! `checks`: metadata, Dockerfiles and files that must be there, then bake's own check; all findings at once.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{
    cli,
    context::Context,
    dockerfile,
    engine::{Access, Engine, base::Sources},
    event::Outcome,
    extension::Extension,
    failure::{Failure, Kind},
    finding::{Finding, Findings, Severity},
    own::source,
    plan::{Plan, Step, StepId},
    stage::{bake, smoke},
    tool::buildx::Bake,
    ui::Table,
    workspace::Workspace,
};

pub(super) fn run(args: &cli::Checks, context: &mut Context) -> anyhow::Result<()> {
    let workspace = context.workspace()?;
    let names = args.selection.names();
    workspace.known(&names)?;
    if names.is_empty() && !args.selection.all {
        workspace.select(&names, false)?;
    }
    let wanted = |name: &str| args.selection.all || names.iter().any(|wanted| wanted == name);
    let mut findings: Vec<Finding> = workspace
        .findings()
        .iter()
        .filter(|finding| {
            finding
                .file
                .parent()
                .and_then(Path::file_name)
                .is_some_and(|name| wanted(&name.to_string_lossy()))
        })
        .cloned()
        .collect();
    let folders: Vec<PathBuf> = workspace
        .names()
        .filter(|name| wanted(name))
        .map(|name| workspace.folder(name))
        .collect();
    if folders.is_empty() {
        return Err(workspace.without_extensions().into());
    }
    for folder in &folders {
        findings.extend(files(&workspace, folder));
    }
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let sound = workspace
        .extensions()
        .iter()
        .any(|extension| wanted(&extension.name));
    let mut verdict = Ok(());
    if !args.no_bake && sound {
        verdict = bake_check(workspace.clone(), &wanted, context, &mut findings);
    }
    for finding in &findings {
        context.ui.finding(finding, args.json);
    }
    // People have read them already, as lines.
    let none = Table {
        headings: Vec::new(),
        rows: Vec::new(),
    };
    context.result(args.json, json!(findings), &none);
    if errors > 0 {
        let what = if errors == 1 {
            "1 error".to_owned()
        } else {
            format!("{errors} errors")
        };
        return Err(Failure::invalid(format!("checks found {what}")).into());
    }
    verdict?;
    let warnings = findings.len();
    let found = match warnings {
        0 => "nothing to mend".to_owned(),
        1 => "1 warning".to_owned(),
        _ => format!("{warnings} warnings"),
    };
    context.ui.conclusion(&format!(
        "{} checked: {found}",
        if folders.len() == 1 {
            "1 extension".to_owned()
        } else {
            format!("{} extensions", folders.len())
        }
    ));
    Ok(())
}

/// What must stand beside metadata.hcl.
fn files(workspace: &Workspace, folder: &Path) -> Vec<Finding> {
    let shown = folder
        .strip_prefix(&workspace.root)
        .unwrap_or(folder)
        .to_owned();
    let mut all = Vec::new();
    let mut about = |name: &str, check: &mut dyn FnMut(Option<String>, &mut Findings)| {
        let mut findings = Findings::about(shown.join(name));
        match source::read(&workspace.root, &folder.join(name)) {
            Ok(text) => check(text, &mut findings),
            Err(failure) => findings.error(None, failure.message),
        }
        all.append(&mut findings.all);
    };
    about("Dockerfile", &mut |text, findings| match text {
        Some(text) => dockerfile::check(&text, findings),
        None => findings.error(None, "missing: there is nothing to build"),
    });
    about(
        "README.md",
        &mut |text, findings| match text.as_deref().map(str::trim) {
            None => findings.warning(
                None,
                "missing: users want to know what is in the image and how to use it",
            ),
            Some("") => findings.warning(None, "empty"),
            Some(text) if text.contains("TODO") || text.contains("-here>") => {
                findings.warning(None, "still holds text of the template");
            }
            Some(_) => {}
        },
    );
    about(
        "smoke.sql",
        &mut |text, findings| match text.as_deref().map(str::trim) {
            None => findings.warning(
                None,
                "missing: `smoke` will create or load the extension, but not use it",
            ),
            Some("") => findings.warning(
                None,
                "empty: `smoke` will create or load the extension, but not use it",
            ),
            Some(text) if !smoke::has_statement(text) => findings.warning(
                None,
                "holds no statement: `smoke` will create or load the extension, but not use it",
            ),
            Some(_) => {}
        },
    );
    all
}

/// Bake's own `--check` for every image. Without an override of the output, index annotations refuse
/// the single platform that a check builds.
fn bake_check(
    workspace: Workspace,
    wanted: &dyn Fn(&str) -> bool,
    context: &mut Context,
    findings: &mut Vec<Finding>,
) -> anyhow::Result<()> {
    let not_made = |failure: Failure| {
        let message = format!("bake's own check was not made: {}", failure.message);
        Failure { message, ..failure }.or_hint("`--no-bake` leaves it out")
    };
    if !context.global.sandbox {
        Engine::open(context, Access::Look)?
            .info()
            .map_err(not_made)?;
    }
    let engine = Engine::open(context, Access::Work)?;
    let sources = Sources::prepare(context, &engine, workspace)?;
    engine.info().map_err(not_made)?;
    let mut plan = Plan::default();
    let builder = context.config.builder();
    let variables = context.config.bake_variables();
    let mut checked: Vec<(&Extension, StepId)> = Vec::new();
    for extension in sources
        .workspace
        .extensions()
        .iter()
        .filter(|extension| wanted(&extension.name))
    {
        let written = bake::write_metadata(&mut plan, &sources, &extension.name);
        let check = Bake {
            purpose: format!("check how `{}` would be baked", extension.name),
            files: vec![
                sources.workspace.bake_file.clone(),
                extension.metadata_file.clone(),
            ],
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            builder: builder.map(str::to_owned),
            // Nothing is exported, so nothing needs the scanner's image, which bake would look up.
            set: vec![
                "*.output=type=cacheonly".to_owned(),
                "*.attest=type=sbom,disabled=true".to_owned(),
            ],
            check: true,
            ..Bake::default()
        };
        let step = Step::run(format!("check {}", extension.name), check.cmd()).after(written);
        checked.push((extension, plan.add(step)));
    }
    let report = context.run(&engine.exec, &plan, None, true)?;
    for (extension, id) in checked {
        let Outcome::Failed(failure) = &report.step(id).outcome else {
            continue;
        };
        if failure.kind == Kind::Interrupted {
            continue;
        }
        let command = failure.command.as_ref();
        let cause = command.and_then(|command| command.first_error.as_deref());
        findings.push(Finding {
            file: sources
                .workspace
                .shown(&extension.name)
                .join("metadata.hcl"),
            line: None,
            severity: Severity::Error,
            message: format!("bake refuses it: {}", cause.unwrap_or(&failure.message)),
        });
    }
    Ok(context.verdict(&report, "bake's own check")?)
}
