// SPDX-License-Identifier: Apache-2.0
//! `checks`: metadata, Dockerfiles and files that must be there, then bake's own check; all findings at once.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{
    cli, config,
    context::Context,
    dockerfile,
    event::Outcome,
    extension::Extension,
    failure::{Failure, Kind},
    finding::{Finding, Findings, Severity},
    plan::{Plan, Step},
    tool::{buildx::Bake, docker},
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
    for folder in &folders {
        findings.extend(files(&workspace, folder));
    }
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let sound: Vec<&Extension> = workspace
        .extensions()
        .iter()
        .filter(|extension| wanted(&extension.name))
        .collect();
    let mut verdict = Ok(());
    if !args.no_bake && !sound.is_empty() {
        verdict = bake_check(&workspace, &sound, context, &mut findings);
    }
    for finding in findings.iter().filter(|_| !args.json) {
        context.ui.finding(finding);
    }
    context.ui.result(
        args.json,
        &json!(findings),
        &Table {
            headings: Vec::new(),
            rows: Vec::new(),
        },
    );
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
        match fs_err::read_to_string(folder.join(name)) {
            Ok(text) => check(Some(text), &mut findings),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                check(None, &mut findings);
            }
            Err(error) => findings.error(None, format!("cannot be read: {error}")),
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
                "missing: `smoke` will create the extension, but not use it",
            ),
            Some("") => findings.warning(
                None,
                "empty: `smoke` will create the extension, but not use it",
            ),
            Some(_) => {}
        },
    );
    all
}

/// Bake's own `--check` for every image. Without an override of the output, index annotations refuse
/// the single platform that a check builds.
fn bake_check(
    workspace: &Workspace,
    extensions: &[&Extension],
    context: &mut Context,
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    if context.global.sandbox {
        let sandbox = context.sandbox()?;
        let up = context.sandbox_up(&sandbox);
        up.map_err(|error| {
            error
                .downcast::<Failure>()
                .unwrap_or_else(|error| Failure::failed(format!("{error:#}")))
        })?;
    }
    docker::Engine::survey(&context.exec).map_err(|failure| {
        Failure {
            message: format!("bake's own check was not made: {}", failure.message),
            ..failure
        }
        .or_hint("`--no-bake` leaves it out")
    })?;
    let mut plan = Plan::default();
    let builder = Some(context.config.get(config::BUILDER)).filter(|name| !name.is_empty());
    for extension in extensions {
        let check = Bake {
            purpose: format!("check how `{}` would be baked", extension.name),
            files: vec![workspace.bake_file.clone(), extension.metadata_file.clone()],
            variables: context
                .config
                .bake_variables()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
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
        plan.add(Step::run(format!("check {}", extension.name), check.cmd()));
    }
    let report = context.run(&plan, None, true).map_err(|error| {
        error
            .downcast::<Failure>()
            .unwrap_or_else(|error| Failure::failed(format!("{error:#}")))
    })?;
    for (extension, step) in extensions.iter().zip(&report.steps) {
        if let Outcome::Failed(failure) = &step.outcome {
            findings.push(Finding {
                file: extension.metadata_file.clone(),
                line: None,
                severity: Severity::Error,
                message: failure.message.clone(),
            });
        }
    }
    let kind = report.failure(false);
    context
        .verdict(&report, "bake's own check")
        .map_err(|failure| match kind {
            // Bake refuses what is written in the repository: that is for its author to mend.
            Some(Kind::Failed) => Failure {
                kind: Kind::Failed,
                ..failure
            },
            _ => failure,
        })
}
