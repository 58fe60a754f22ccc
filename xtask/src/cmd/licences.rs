// SPDX-License-Identifier: Apache-2.0
//! `licences`: under which licences the packages of images are, and whether the repository allows these.

use serde::Serialize;

use crate::{
    cli,
    config::{LICENCES_ALLOWED, LICENCES_CLARIFIED},
    context::Context,
    engine::Access,
    failure::Failure,
    plan::Plan,
    stage::{
        licences::{Package, Rule, packages},
        look::Looking,
        subject::Subjects,
    },
    target::Filter,
    ui::{self, Form, Report},
    value::Licence,
    workspace::Selection,
};

/// Packages that a failure names at most; the table has all.
const NAMED: usize = 20;
/// Licences of a package that it names.
const PARTS: usize = 5;

pub(super) fn run(args: &cli::Licences, context: &mut Context) -> anyhow::Result<()> {
    let filter = Filter::from(&args.filters);
    let selection = Selection::from(&args.extensions);
    let access = Access::Work.or_look(args.dry_run);
    let subjects = Subjects::open(context, &selection, &filter, access)?;
    let mut plan = Plan::default();
    let found = Looking::new(&mut plan, &context.run_id).images(&subjects.all);
    if subjects.engine.is_looked_at() {
        context.print(&subjects.engine, &plan);
        return Ok(());
    }
    let report = context.run(&subjects.engine.exec, &plan)?;
    context.verdict(&report, "looking for licences")?;
    let rule = Rule::of(
        context.config.get(LICENCES_ALLOWED),
        context.config.get(LICENCES_CLARIFIED),
    );
    let mut rows = Vec::new();
    for (subject, found) in subjects.all.iter().zip(&found) {
        let Some(image) = found.get() else { continue };
        let packages = packages(subject, image, &rule);
        rows.extend(
            packages
                .into_iter()
                .map(|package| Row::of(&subject.title, package, &rule)),
        );
    }
    rows.sort_by_key(|row| row.allowed != Some(false));
    let form = Form::of(args.json, args.markdown);
    context.report(
        form,
        serde_json::to_value(&rows)?,
        &Report::default().rows("", &rows),
    );
    check(&rows)?;
    context.ui.conclusion(&conclusion(&rows, &rule));
    Ok(())
}

/// A package of an image.
#[derive(Serialize)]
struct Row {
    image: String,
    #[serde(flatten)]
    package: Package,
    /// None: the repository has no rule.
    allowed: Option<bool>,
    /// What of its licence is not allowed; of an unknown one that is not known.
    refused: Vec<String>,
}

impl Row {
    fn of(image: &str, package: Package, rule: &Rule) -> Self {
        let refused = rule.refused(package.licence.as_ref());
        Self {
            image: image.to_owned(),
            allowed: refused.as_ref().map(Vec::is_empty),
            refused: refused.unwrap_or_default(),
            package,
        }
    }
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &["RESULT", "IMAGE", "PACKAGE", "VERSION", "LICENCE"];

    fn cells(&self) -> Vec<String> {
        let result = match self.allowed {
            None => "no rule",
            Some(true) => "allowed",
            Some(false) => "not allowed",
        };
        let licence = self.package.licence.as_ref();
        vec![
            result.to_owned(),
            self.image.clone(),
            self.package.name.clone(),
            self.package.version.clone().unwrap_or_else(|| "-".into()),
            licence.map_or_else(|| "unknown".into(), Licence::to_string),
        ]
    }
}

/// Fails where something is not allowed.
fn check(rows: &[Row]) -> Result<(), Failure> {
    let refused: Vec<&Row> = rows
        .iter()
        .filter(|row| row.allowed == Some(false))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let what = match refused.len() {
        1 => "1 package has a licence that is not allowed".to_owned(),
        many => format!("{many} packages have licences that are not allowed"),
    };
    let mut failure = Failure::failed(what);
    for row in refused.iter().take(NAMED) {
        let Package { name, from, .. } = &row.package;
        let more = row.refused.len().saturating_sub(PARTS);
        let mut refused = row.refused[..row.refused.len() - more].join(", ");
        if more > 0 {
            refused += &format!(" and {more} more");
        }
        failure = failure.detail(format!("{}: {name}: {refused} ({from})", row.image));
    }
    if refused.len() > NAMED {
        failure = failure.detail(format!("and {} more", refused.len() - NAMED));
    }
    Err(failure.hint(
        "leave the package out; or, after reading its licence, name it in `licences.allowed` of xtask.toml, or in `licences.clarified` what is under an unknown one",
    ))
}

fn conclusion(rows: &[Row], rule: &Rule) -> String {
    let unknown = rows.iter().filter(|row| row.package.licence.is_none());
    let packages = match rows.len() {
        1 => "1 package".to_owned(),
        many => format!("{many} packages"),
    };
    if rule.is_one() {
        return format!("{packages}, all under licences that are allowed");
    }
    match unknown.count() {
        0 => packages,
        unknown => format!("{packages}; of {unknown} the licence is unknown"),
    }
}
