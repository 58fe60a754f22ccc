// SPDX-License-Identifier: Apache-2.0
//! `checks`: metadata, Dockerfiles and files that must be there, then bake's own check; all findings at once.

mod bake;

use std::path::Path;

use crate::{
    cli,
    context::Context,
    dockerfile::{self, Shared},
    engine::print,
    failure::Failure,
    finding::{Finding, Findings, Severity},
    own::source,
    stage::smoke,
    ui::Table,
    value::PackageName,
    workspace::{Selection, Workspace},
};

pub(super) fn run(args: &cli::Checks, context: &mut Context) -> anyhow::Result<()> {
    let mut workspace = context.workspace()?;
    // Broken ones are checked too.
    let chosen = Selection::from(&args.extensions);
    workspace.check(&chosen)?;
    let names: Vec<String> = workspace
        .names()
        .filter(|name| chosen.has(name))
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        return Err(workspace.without_extensions().into());
    }
    let shared = Shared::beside(&workspace.root, &workspace.bake_file);
    let (mut engine, mut verdict) = (None, Ok(()));
    if !args.no_bake && names.iter().any(|name| workspace.may_be_built(name)) {
        match bake::open_engine(context) {
            Ok(opened) => engine = Some(opened),
            Err(error) => verdict = Err(error),
        }
    }
    if let Some(engine) = &engine {
        workspace = print::evaluated(context, engine, workspace)?;
    }
    let mut findings = read(&workspace, &shared, &chosen, &names);
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    if let Some(engine) = &engine {
        verdict = bake::check(workspace, engine, &shared, &chosen, context, &mut findings);
    }
    for finding in &findings {
        context.ui.finding(finding, args.json);
    }
    // People have read them already, as lines.
    let none = Table {
        headings: Vec::new(),
        rows: Vec::new(),
    };
    context.result(args.json, serde_json::to_value(&findings)?, &none);
    if errors > 0 {
        let found = counted(errors, "error");
        return Err(Failure::invalid(format!("checks found {found}")).into());
    }
    verdict?;
    let found = match findings.len() {
        0 => "no findings".to_owned(),
        warnings => counted(warnings, "warning"),
    };
    let checked = counted(names.len(), "extension");
    context
        .ui
        .conclusion(&format!("{checked} checked: {found}"));
    Ok(())
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What reading alone shows, in the order of files and lines.
fn read(
    workspace: &Workspace,
    shared: &Shared,
    chosen: &Selection,
    names: &[String],
) -> Vec<Finding> {
    let about = |finding: &&Finding| {
        let folder = finding.file.parent().and_then(Path::file_name);
        folder.is_some_and(|name| chosen.has(&name.to_string_lossy()))
    };
    let open = workspace.open().iter();
    let open: Vec<Finding> = open.map(|(open, why)| bake::unread(open, why)).collect();
    let findings = workspace.findings().chain(workspace.refused()).chain(&open);
    let mut findings: Vec<Finding> = findings.filter(about).cloned().collect();
    let mut extensions = names.iter().filter_map(|name| workspace.get(name));
    if let Some(dockerfile) = extensions.find_map(|extension| shared.dockerfile_of(extension)) {
        findings.extend(about_file(workspace, dockerfile, |text, findings| {
            dockerfile::check_shared(text.unwrap_or_default(), findings);
        }));
    }
    for name in names {
        findings.extend(own_dockerfile(workspace, shared, name));
        findings.extend(prose(workspace, name));
    }
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    findings
}

/// What `check` finds in a file of the repository; it gets None where there is none.
fn about_file(
    workspace: &Workspace,
    file: &Path,
    check: impl FnOnce(Option<&str>, &mut Findings),
) -> Vec<Finding> {
    let mut findings = Findings::about(file);
    match source::read(&workspace.root, file) {
        Ok(text) => check(text.as_deref(), &mut findings),
        Err(failure) => findings.error(None, failure.message),
    }
    findings.all
}

/// The Dockerfile beside metadata.hcl, which is there exactly where bake reads it.
fn own_dockerfile(workspace: &Workspace, shared: &Shared, name: &str) -> Vec<Finding> {
    let extension = workspace.get(name);
    let other = extension.and_then(|extension| shared.dockerfile_of(extension));
    let pins = extension.iter().flat_map(|one| one.versions.values());
    let named: Vec<PackageName> = pins.filter_map(|pin| pin.package_name.clone()).collect();
    let file = workspace.shown(name).join("Dockerfile");
    about_file(workspace, &file, |text, findings| match (text, other) {
        (Some(text), None) => dockerfile::check(text, &named, findings),
        (Some(_), Some(other)) => findings.error(
            None,
            format!(
                "is not read: `packages` in metadata.hcl means `{}`; keep one of the two",
                other.display()
            ),
        ),
        (None, Some(_)) => {}
        // Metadata that cannot be read does not say which it is.
        (None, None) if extension.is_none() && shared.dockerfile.is_some() => {}
        (None, None) => findings.error(None, "missing: there is nothing to build"),
    })
}

/// What people read, and the proof that `smoke` runs.
fn prose(workspace: &Workspace, name: &str) -> Vec<Finding> {
    let folder = workspace.shown(name);
    let mut all = about_file(
        workspace,
        &folder.join("README.md"),
        |text, findings| match text.map(str::trim) {
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
    all.extend(about_file(
        workspace,
        &folder.join("smoke.sql"),
        |text, findings| {
            let lacking = match text.map(str::trim) {
                None => "missing",
                Some("") => "empty",
                Some(text) if !smoke::has_statement(text) => "holds no statement",
                Some(_) => return,
            };
            let message =
                format!("{lacking}: `smoke` will create or load the extension, but not use it");
            findings.warning(None, message);
        },
    ));
    all
}
