// SPDX-License-Identifier: Apache-2.0
//! `checks`: metadata, Dockerfiles and files that must be there, then bake's own check; all findings at once.

mod bake;
mod readme;

use std::{collections::BTreeMap, path::Path};

use self::readme::Readme;
use crate::{
    cli,
    context::Context,
    dockerfile::{self, Shared},
    engine::{Access, Engine, print, sources::Sources},
    extension::Extension,
    failure::Failure,
    finding::{Finding, Findings, Severity},
    own::source,
    stage::{
        left_open::{self, Open},
        smoke,
    },
    target::Recipe,
    ui::{Table, counted},
    value::PackageName,
    workspace::{Selection, Workspace},
};

/// Of a Dockerfile that is not beside the metadata, where that may be right.
const NOT_ASKED: &str = "missing: bake was not asked which file it builds by; there is nothing to build by in this folder";

pub(super) fn run(args: &cli::Checks, context: &mut Context) -> anyhow::Result<()> {
    let mut workspace = context.workspace()?;
    // Broken ones are checked too.
    let chosen = Selection::from(&args.extensions);
    workspace.check(&chosen)?;
    let names = workspace.names().filter(|name| chosen.has(name));
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.is_empty() {
        return Err(workspace.without_extensions().into());
    }
    let shared = Shared::beside(&workspace.root, &workspace.bake_file);
    let (mut engine, mut verdict) = (None, Ok(()));
    let mut without = None;
    if !args.no_bake && names.iter().any(|name| workspace.may_be_built(name)) {
        match bake::open_engine(context) {
            Ok(opened) => engine = Some(opened),
            Err(error) => {
                verdict = Err(error);
                // What bake builds, it says without an engine too.
                without = Engine::open(context, Access::Look).ok();
            }
        }
    }
    let mut sources = None;
    if let Some(asked) = engine.as_ref().or(without.as_ref()) {
        workspace = print::evaluated(context, asked, workspace)?;
        match bake::sources(&workspace, asked, &chosen, context) {
            Ok(said) => sources = said,
            Err(error) => verdict = verdict.and(Err(error)),
        }
    }
    let read = Read {
        workspace: &workspace,
        shared: &shared,
        sources: sources.as_ref(),
    };
    let mut findings = read.all(&chosen, &names);
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    let errors = findings.iter().filter(is_error).count();
    if let (Some(engine), Some(sources)) = (&engine, &sources) {
        verdict = bake::check(sources, engine, &shared, &chosen, context, &mut findings);
    }
    say(&findings, args.json, context)?;
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

/// As lines for people, and as JSON.
fn say(findings: &[Finding], json: bool, context: &mut Context) -> anyhow::Result<()> {
    for finding in findings {
        context.ui.finding(finding, json);
    }
    // People have read them by now.
    let none = Table {
        headings: Vec::new(),
        rows: Vec::new(),
    };
    context.result(json, serde_json::to_value(findings)?, &none);
    Ok(())
}

/// What reading alone shows.
struct Read<'a> {
    workspace: &'a Workspace,
    shared: &'a Shared,
    /// None: bake was not asked what it builds.
    sources: Option<&'a Sources>,
}

impl Read<'_> {
    /// All of it, in the order of files and lines.
    fn all(&self, chosen: &Selection, names: &[String]) -> Vec<Finding> {
        let workspace = self.workspace;
        let about = |finding: &&Finding| {
            let folder = finding.file.parent().and_then(Path::file_name);
            folder.is_some_and(|name| chosen.has(&name.to_string_lossy()))
        };
        let open = workspace.open().iter();
        let open: Vec<Finding> = open
            .map(|(open, why)| bake::unread(open, why, self.shared))
            .collect();
        let findings = workspace.findings().chain(workspace.refused());
        let findings = findings.chain(&open);
        let mut findings: Vec<Finding> = findings.filter(about).cloned().collect();
        let unneeded = workspace.unneeded().filter(|(name, _)| chosen.has(name));
        findings.extend(unneeded.map(|(_, finding)| finding.clone()));
        let mut extensions = names.iter().filter_map(|name| workspace.get(name));
        let shared = extensions.find_map(|extension| self.shared.dockerfile_of(extension));
        if let Some(dockerfile) = shared {
            findings.extend(self.about_file(dockerfile, |text, findings| {
                dockerfile::check_shared(text.unwrap_or_default(), findings);
            }));
        }
        for name in names {
            findings.extend(self.own_dockerfiles(name));
            findings.extend(self.prose(name));
        }
        findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        // Several extensions may be built by one Dockerfile.
        findings.dedup();
        findings
    }

    /// What `check` finds in a file of the repository; it gets None where there is none.
    fn about_file(
        &self,
        file: &Path,
        check: impl FnOnce(Option<&str>, &mut Findings),
    ) -> Vec<Finding> {
        let mut findings = Findings::about(file);
        match source::read(&self.workspace.root, file) {
            Ok(text) => check(text.as_deref(), &mut findings),
            Err(failure) => findings.error(None, failure.message),
        }
        findings.all
    }

    /// The Dockerfiles that are an extension's own.
    fn own_dockerfiles(&self, name: &str) -> Vec<Finding> {
        let beside = self.workspace.shown(name).join("Dockerfile");
        let extension = self.workspace.get(name);
        let shared = extension.and_then(|extension| self.shared.dockerfile_of(extension));
        if let Some(shared) = shared {
            return self.about_file(&beside, |text, findings| {
                if text.is_some() {
                    findings.error(
                        None,
                        format!(
                            "is not read: `packages` in metadata.hcl means `{}`; keep one of the two",
                            shared.display()
                        ),
                    );
                }
            });
        }
        let pins = extension.iter().flat_map(|one| one.versions.values());
        let named: Vec<PackageName> = pins.filter_map(|pin| pin.package_name().cloned()).collect();
        let recipes = extension.and_then(|extension| self.recipes(extension));
        // Metadata that cannot be read does not say which it is.
        let may_lack = extension.is_none() && self.shared.dockerfile.is_some();
        // The default layout has it there, whatever bake would say.
        let is_known = recipes.is_some() || self.shared.dockerfile.is_some();
        let recipes = recipes.unwrap_or_else(|| BTreeMap::from([(Recipe::File(beside), vec![])]));
        let of_recipe = |(recipe, versions): (&Recipe, &Vec<String>)| match recipe {
            Recipe::Remote => Vec::new(),
            Recipe::Inline(text) => {
                let mut findings = Findings::about(&self.workspace.bake_file);
                dockerfile::check(text, &named, versions, &mut findings);
                // Its lines are not the bake file's.
                findings.all.iter_mut().for_each(|one| one.line = None);
                findings.all
            }
            Recipe::File(file) => self.about_file(file, |text, findings| match text {
                Some(text) => dockerfile::check(text, &named, versions, findings),
                None if may_lack => {}
                None if is_known => findings.error(None, "missing: there is nothing to build"),
                None => findings.warning(None, NOT_ASKED),
            }),
        };
        recipes.iter().flat_map(of_recipe).collect()
    }

    /// What bake builds an extension by, with what stands for the package's version in it. None: it was not asked, or does
    /// not say it.
    fn recipes(&self, extension: &Extension) -> Option<BTreeMap<Recipe, Vec<String>>> {
        let mut recipes: BTreeMap<Recipe, Vec<String>> = BTreeMap::new();
        for target in self.sources?.matrix.of(extension).ok()? {
            let versions = recipes.entry(target.recipe()?).or_default();
            versions.extend(target.versions_in_recipe());
        }
        (!recipes.is_empty()).then_some(recipes)
    }

    /// What people read, and the proof that `smoke` runs.
    fn prose(&self, name: &str) -> Vec<Finding> {
        let folder = self.workspace.shown(name);
        let mut all = self.about_file(&folder.join("README.md"), |text, findings| {
            match text.map(str::trim) {
                None => findings.warning(
                    None,
                    "missing: users want to know what is in the image and how to use it",
                ),
                Some("") => findings.warning(None, "empty"),
                Some(_) => {
                    let open = text.map(left_open::anywhere).unwrap_or_default();
                    warn_of_open(open, findings);
                }
            }
            if let (Some(text), Some(extension)) = (text, self.workspace.get(name)) {
                let needed = self.workspace.dependencies(extension);
                let readme = Readme {
                    extension,
                    needed: &needed,
                };
                readme.check(text, findings);
            }
        });
        all.extend(
            self.about_file(&folder.join("metadata.hcl"), |text, findings| {
                let open = text.map(left_open::in_comments).unwrap_or_default();
                warn_of_open(open, findings);
            }),
        );
        all.extend(
            self.about_file(&folder.join("smoke.sql"), |text, findings| {
                let open = text.map(left_open::in_comments).unwrap_or_default();
                warn_of_open(open, findings);
                let lacking = match text.map(str::trim) {
                    None => "missing",
                    Some("") => "empty",
                    Some(text) if !smoke::has_statement(text) => "holds no statement",
                    Some(_) => return,
                };
                let message =
                    format!("{lacking}: `smoke` will create or load the extension, but not use it");
                findings.warning(None, message);
            }),
        );
        all
    }
}

/// What a person was left to decide is no fault, but is not to be forgotten.
fn warn_of_open(open: Vec<Open>, findings: &mut Findings) {
    for one in open {
        findings.warning(Some(one.line), format!("is left open: {}", one.what));
    }
}
