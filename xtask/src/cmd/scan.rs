// SPDX-License-Identifier: Apache-2.0
//! `scan`: lets the scanners that the settings name look at images.

use serde::Serialize;

use crate::{
    cli,
    config::{SCAN_TRACKER, SCAN_WITH, Scanner},
    context::Context,
    engine::Access,
    failure::Failure,
    plan::{AfterFailure, Location, Plan},
    run::Report,
    stage::{
        scan::{FOLDER, Scan, Scanned},
        subject::Subjects,
    },
    target::Filter,
    tool::scan_report::{Counts, Level},
    ui,
    verdict::Verdict,
    workspace::Selection,
};

pub(super) fn run(args: &cli::Scan, context: &mut Context) -> anyhow::Result<()> {
    let scanners = scanners(context)?;
    let filter = Filter::from(&args.filters);
    let selection = Selection::from(&args.extensions);
    let access = Access::Work.or_look(args.dry_run);
    let subjects = Subjects::open(context, &selection, &filter, access)?;
    let output = match &args.output {
        Some(folder) => Location::Named(context.resolve(folder)),
        None => Location::output(FOLDER),
    };
    let tracker = tracker(context.config.get(SCAN_TRACKER), context)?;
    let mut plan = Plan {
        // What one scanner cannot do another may.
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
    let scanned = subjects.all.iter().enumerate().map(|(number, subject)| {
        let scan = Scan {
            subject,
            scanners: &scanners,
            tracker: tracker.as_deref(),
            output: &output,
        };
        scan.add(&mut plan, &context.run_id, number)
    });
    let scanned: Vec<Vec<Scanned>> = scanned.collect();
    if subjects.engine.is_looked_at() {
        context.print(&subjects.engine, &plan);
        return Ok(());
    }
    let report = context.run(&subjects.engine.exec, &plan)?;
    let mut rows = Vec::new();
    for (subject, scanned) in subjects.all.iter().zip(&scanned) {
        rows.extend(
            scanned
                .iter()
                .map(|one| Row::of(&subject.title, one, &report)),
        );
    }
    context.rows(args.json, &rows)?;
    context.verdict(&report, "scan")?;
    check(&rows, args.fail_on)?;
    context.ui.conclusion(&format!(
        "{}; reports are in `{}`",
        all(&rows),
        output.display()
    ));
    Ok(())
}

/// Those that were chosen, each once.
fn scanners(context: &Context) -> Result<Vec<Scanner>, Failure> {
    let named = context.config.get(SCAN_WITH).iter();
    let mut scanners: Vec<Scanner> = named.filter_map(|name| Scanner::named(name)).collect();
    scanners.sort();
    scanners.dedup();
    if scanners.is_empty() {
        return Err(Failure::invalid("no scanner is chosen").hint(
            "name some with `--with`, or in xtask.toml (`[scan]`, `with = [\"trivy\"]`): trivy, grype, dockle, debsecan",
        ));
    }
    Ok(scanners)
}

/// The address of debsecan's data; a folder has one too.
fn tracker(text: &str, context: &Context) -> Result<Option<String>, Failure> {
    if text.is_empty() || text.contains("://") {
        return Ok(Some(text.to_owned()).filter(|text| !text.is_empty()));
    }
    let folder = context.root.join(text);
    let shown = folder.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+~".contains(c);
    if shown.chars().all(is_plain) {
        return Ok(Some(format!("file://{shown}")));
    }
    Err(Failure::invalid(format!(
        "`{shown}` cannot be debsecan's source: its path must be of letters, digits and `/._-+~`"
    )))
}

/// A scanner's look at an image.
#[derive(Serialize)]
struct Row {
    result: &'static str,
    image: String,
    scanner: &'static str,
    #[serde(flatten)]
    counts: Option<Counts>,
    report: String,
}

impl Row {
    fn of(image: &str, scanned: &Scanned, report: &Report) -> Self {
        Self {
            // That it was scanned says nothing of what was found.
            result: match report.step(scanned.step).outcome.verdict() {
                Verdict::Passed => "scanned",
                other => other.word(),
            },
            image: image.to_owned(),
            scanner: scanned.scanner.program(),
            counts: scanned.counts(),
            report: scanned.report.display().to_string(),
        }
    }
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &[
        "RESULT", "IMAGE", "SCANNER", "ERRORS", "WARNINGS", "NOTES", "REPORT",
    ];

    fn cells(&self) -> Vec<String> {
        let count = |of: fn(Counts) -> usize| {
            let count = self.counts.map(of);
            count.map_or_else(|| "-".to_owned(), |count| count.to_string())
        };
        vec![
            self.result.to_owned(),
            self.image.clone(),
            self.scanner.to_owned(),
            count(|counts| counts.errors),
            count(|counts| counts.warnings),
            count(|counts| counts.notes),
            self.report.clone(),
        ]
    }
}

fn all(rows: &[Row]) -> Counts {
    let mut all = Counts::default();
    for counts in rows.iter().filter_map(|row| row.counts) {
        all.errors += counts.errors;
        all.warnings += counts.warnings;
        all.notes += counts.notes;
    }
    all
}

/// Fails where something is as bad as the user says that it must not be.
fn check(rows: &[Row], fail_on: Option<cli::FailOn>) -> Result<(), Failure> {
    let Some(least) = fail_on else { return Ok(()) };
    let (level, name) = match least {
        cli::FailOn::Error => (Level::Error, "error"),
        cli::FailOn::Warning => (Level::Warning, "warning"),
        cli::FailOn::Note => (Level::Note, "note"),
    };
    let count = all(rows).from(level);
    if count == 0 {
        return Ok(());
    }
    let mut failure = Failure::failed(format!(
        "what scanners have found is at least as bad as `--fail-on {name}` allows: {count} in all"
    ));
    for row in rows {
        let count = row.counts.map_or(0, |counts| counts.from(level));
        if count > 0 {
            let (image, report) = (&row.image, &row.report);
            failure = failure.detail(format!("{image}: {count} ({report})"));
        }
    }
    Err(failure)
}
