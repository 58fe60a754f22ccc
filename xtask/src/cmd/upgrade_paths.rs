// SPDX-License-Identifier: Apache-2.0
//! `upgrade-paths`: every older version of an image's SQL extensions, with data, updated to that of the image.

use std::{str::FromStr as _, time::Duration};

use serde::Serialize;

use crate::{
    cli,
    context::Context,
    engine::Access,
    event::StepReport,
    failure::Failure,
    image::ImageRef,
    plan::Plan,
    stage::smoke::{Prepared, Pulled, SmokeTest, Transport, Upgrade, Wanted},
    target::{Filter, Target},
    ui::{Table, seconds},
    verdict::{self, Verdict},
    workspace::Selection,
};

pub(super) fn run(args: &cli::UpgradePaths, context: &mut Context) -> anyhow::Result<()> {
    let selection = Selection::from(&args.extensions);
    let older = args.from.iter().map(|text| ImageRef::from_str(text));
    let older: Vec<ImageRef> = older.collect::<Result<_, _>>()?;
    if !older.is_empty() && !selection.is_one() {
        return Err(Failure::invalid(
            "`--from` names older images of one extension: name the one that it is",
        )
        .into());
    }
    let prepared = Prepared::open(
        context,
        Wanted {
            filter: Filter::from(&args.filters),
            access: Access::Work.or_look(args.dry_run),
            after_failure: args.running.after_failure(&selection),
            bakes: !args.no_bake,
            retests: true,
            given: None,
            written: None,
            selection,
        },
    )?;
    let Prepared {
        begun,
        targets,
        runner,
        mut plan,
        mut tests,
    } = prepared;
    if runner.transport != Transport::Mount {
        return Err(Failure::unavailable(
            "older images are mounted beside the newest one with Docker 28 and newer alone",
        )
        .into());
    }
    one_server(&older, targets.chosen().count())?;
    pull(&mut plan, &older, targets.chosen().next(), &mut tests);
    let is_created = |(target, _): &(&Target, &SmokeTest)| target.extension.create_extension;
    let (created, modules): (Vec<_>, Vec<_>) = targets.chosen().zip(&tests).partition(is_created);
    let added = created
        .iter()
        .map(|(_, test)| runner.add_upgrades(&mut plan, test, &older));
    let added: Vec<_> = added.collect();
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    let mut rows = Vec::new();
    for ((target, _), (step, upgrades)) in created.iter().zip(&added) {
        let step = report.step(*step);
        rows.extend(
            upgrades
                .get()
                .iter()
                .map(|one| Row::of(target, one.clone())),
        );
        if upgrades.get().is_empty() {
            rows.push(Row::without(target, step));
        }
    }
    rows.extend(modules.iter().map(|(target, _)| Row::of_module(target)));
    context.result(args.json, serde_json::to_value(&rows)?, &table(&rows));
    context.verdict(&report, "upgrade-paths")?;
    begun.check_read()?;
    context.ui.conclusion(&conclusion(&rows));
    Ok(())
}

/// An older image is one for one distro and major.
fn one_server(older: &[ImageRef], targets: usize) -> Result<(), Failure> {
    if older.is_empty() || targets == 1 {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "`--from` names older images of one of {targets} images"
    ))
    .hint("choose it with `--distro trixie --pg 18`"))
}

/// Lets the tests wait until the older images are there.
fn pull(plan: &mut Plan, older: &[ImageRef], target: Option<&Target>, tests: &mut [SmokeTest]) {
    let Some(target) = target else { return };
    let images = older.iter().map(|image| (target, image.clone()));
    let pulled = Pulled::add(plan, images);
    for test in tests {
        for image in older {
            test.wait_for_image(&pulled, image);
        }
    }
}

/// An older version of an image's extension.
#[derive(Serialize)]
struct Row {
    name: String,
    distro: String,
    pg_major: String,
    #[serde(flatten)]
    upgrade: Upgrade,
}

impl Row {
    fn of(target: &Target, upgrade: Upgrade) -> Self {
        Self {
            name: target.extension.name.clone(),
            distro: target.server.distro.to_string(),
            pg_major: target.server.major.to_string(),
            upgrade,
        }
    }

    fn about(target: &Target, result: Verdict, proof: String, seconds: f64) -> Self {
        let upgrade = Upgrade {
            sql_extension: target.extension.sql_name.clone(),
            from: String::new(),
            to: target.sql_version.clone().unwrap_or_default(),
            image: None,
            path: None,
            result,
            proof,
            data: None,
            lacks: Vec::new(),
            seconds,
        };
        Self::of(target, upgrade)
    }

    /// No older version was tried.
    fn without(target: &Target, step: &StepReport) -> Self {
        let (result, proof) = match step.outcome.verdict() {
            Verdict::Passed | Verdict::Skipped => (
                Verdict::NotRun,
                "no older version is known of it: `--from` takes an older image",
            ),
            other => (other, "the older versions are not known"),
        };
        Self::about(target, result, proof.to_owned(), step.elapsed.as_secs_f64())
    }

    fn of_module(target: &Target) -> Self {
        let why = "it is loaded, not created: it has no versions in a database";
        Self::about(target, Verdict::NotRun, why.to_owned(), 0.0)
    }
}

/// Columns of the table.
const FROM: usize = 2;
const BY: usize = 4;

/// As people get it: those that no script makes in one row for each extension.
fn table(rows: &[Row]) -> Table {
    let mut cells: Vec<Vec<String>> = Vec::new();
    let mut rows = rows.iter().peekable();
    while let Some(row) = rows.next() {
        let (mut last, mut count) = (row, 1);
        while let Some(other) = rows.next_if(|other| row.is_as_unmade_as(other)) {
            (last, count) = (other, count + 1);
        }
        let mut line = row.cells();
        if count > 1 {
            line[FROM] = format!("{} … {} ({count})", row.upgrade.from, last.upgrade.from);
            line[BY] = String::new();
        }
        cells.push(line);
    }
    Table {
        headings: vec![
            "RESULT",
            "EXTENSION",
            "FROM",
            "TO",
            "BY",
            "DATA",
            "TIME",
            "PROOF",
        ],
        rows: cells,
    }
}

impl Row {
    /// Of both no script makes the older version.
    fn is_as_unmade_as(&self, other: &Self) -> bool {
        let (one, two) = (&self.upgrade, &other.upgrade);
        let is_same = one.sql_extension == two.sql_extension && one.proof == two.proof;
        is_same && self.server() == other.server() && one.result == Verdict::NotRun
    }

    fn server(&self) -> (&str, &str) {
        (&self.distro, &self.pg_major)
    }

    fn cells(&self) -> Vec<String> {
        let one = &self.upgrade;
        let scripts = one.path.as_ref();
        let scripts = scripts.map(|path| match path.matches("--").count() {
            1 => "a script".to_owned(),
            count => format!("{count} scripts"),
        });
        vec![
            one.result.word().to_owned(),
            format!("{} {}-{}", one.sql_extension, self.pg_major, self.distro),
            one.from.clone(),
            one.to.clone(),
            one.image.clone().or(scripts).unwrap_or_default(),
            one.data.clone().unwrap_or_default(),
            seconds(Duration::from_secs_f64(one.seconds)),
            one.proof.clone(),
        ]
    }
}

fn conclusion(rows: &[Row]) -> String {
    let all = rows.iter().map(|row| row.upgrade.result);
    let (tried, not_run): (Vec<Verdict>, Vec<Verdict>) =
        all.partition(|result| *result != Verdict::NotRun);
    let passed = verdict::passed(tried);
    match not_run.len() {
        0 => passed,
        count => format!("{passed}, {count} not run"),
    }
}
