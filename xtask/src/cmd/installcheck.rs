// SPDX-License-Identifier: Apache-2.0
//! `installcheck`: an extension's own regression tests, run in a server with its image.

use std::time::Duration;

use serde::Serialize;

use crate::{
    cli,
    context::Context,
    engine::Access,
    event::StepReport,
    failure::Failure,
    stage::smoke::{Check, Prepared, Tests, Transport, Wanted},
    target::{Filter, Target},
    ui::{self, seconds},
    value::{Digest, Url},
    verdict::{self, Verdict},
    workspace::Selection,
};

pub(super) fn run(args: &cli::Installcheck, context: &mut Context) -> anyhow::Result<()> {
    let selection = Selection::from(&args.extensions);
    let source = source(args)?;
    if source.is_some() && !selection.is_one() {
        return Err(Failure::invalid("`--source` has the tests of one extension: name it").into());
    }
    let wanted = Wanted {
        filter: Filter::from(&args.filters),
        access: Access::Work.or_look(args.dry_run),
        after_failure: args.running.after_failure(&selection),
        bakes: !args.no_bake,
        retests: true,
        given: None,
        written: None,
        selection,
    };
    let Prepared {
        begun,
        targets,
        runner,
        mut plan,
        tests,
    } = Prepared::open(context, wanted)?;
    if runner.transport != Transport::Mount {
        return Err(Failure::unavailable(
            "images are mounted for regression tests with Docker 28 and newer alone",
        )
        .into());
    }
    let mut added = Vec::new();
    for (target, test) in targets.chosen().zip(&tests) {
        let tests = source.clone().or_else(|| package(target));
        let step = tests.map(|tests| runner.add_installcheck(&mut plan, test, &tests));
        added.push((target, step));
    }
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    let mut rows = Vec::new();
    for (target, step) in added {
        let Some((step, checks)) = step else {
            let why = "it is of no Debian package: `--source` takes an archive with its tests";
            rows.push(Row::without(target, Verdict::NotRun, why));
            continue;
        };
        rows.extend(
            checks
                .get()
                .iter()
                .map(|check| Row::of(target, check.clone())),
        );
        match checks.lacking() {
            Some(why) => rows.push(Row::without(target, Verdict::NotAvailable, why)),
            None if checks.get().is_empty() => rows.push(Row::ended(target, report.step(step))),
            None => {}
        }
    }
    let value = serde_json::to_value(&rows)?;
    context.result(args.json, value, &table(&rows));
    context.verdict(&report, "installcheck")?;
    begun.check_read()?;
    context
        .ui
        .conclusion(&verdict::passed(rows.iter().map(|row| row.check.result)));
    Ok(())
}

/// The archive that is named, if one is.
fn source(args: &cli::Installcheck) -> Result<Option<Tests>, Failure> {
    let (Some(address), Some(checksum)) = (&args.source, &args.checksum) else {
        return Ok(None);
    };
    let address: Url = address
        .parse()
        .map_err(|wanted| Failure::invalid(format!("`--source {address}`: it must be {wanted}")))?;
    let digits = checksum.strip_prefix("sha256:").unwrap_or(checksum);
    let digest: Digest = format!("sha256:{digits}").parse().map_err(|wanted| {
        Failure::invalid(format!("`--checksum {checksum}`: it must be {wanted}"))
    })?;
    let checksum = digest.trim_start_matches("sha256:").to_owned();
    let address = address.to_string();
    Ok(Some(Tests::Source { address, checksum }))
}

/// The Debian package that an image is made of, with its version. None: it is made of none.
fn package(target: &Target) -> Option<Tests> {
    let (extension, major) = (&target.extension, &target.server.major);
    let own = extension.packages.first();
    let own = own.map(|name| name.package(major).to_string());
    // Another distro's is called the same.
    let mut pins = extension.versions.iter();
    let name = own.or_else(|| {
        let of_major = pins.find(|(server, _)| server.major == *major);
        let name = of_major.and_then(|(_, pin)| pin.package_name());
        name.map(ToString::to_string)
    })?;
    let version = target.package.as_ref()?;
    Some(Tests::Package(format!("{name}={version}")))
}

/// A regression test of an extension.
#[derive(Serialize)]
struct Row {
    name: String,
    distro: String,
    pg_major: String,
    #[serde(flatten)]
    check: Check,
    /// Why none was run.
    reason: Option<String>,
}

impl Row {
    fn of(target: &Target, check: Check) -> Self {
        Self {
            name: target.extension.name.clone(),
            distro: target.server.distro.to_string(),
            pg_major: target.server.major.to_string(),
            check,
            reason: None,
        }
    }

    fn without(target: &Target, result: Verdict, why: &str) -> Self {
        let check = Check {
            test: String::new(),
            result,
            known: None,
            difference: Vec::new(),
            seconds: 0.0,
        };
        let reason = Some(why.to_owned());
        Self {
            reason,
            ..Self::of(target, check)
        }
    }

    /// Of a step that has told of no test.
    fn ended(target: &Target, step: &StepReport) -> Self {
        Self::without(target, step.outcome.verdict(), "no test has run")
    }
}

/// As people get it: what has passed in one row for each image.
fn table(rows: &[Row]) -> ui::Table {
    let is_plain = |row: &Row| {
        row.check.result == Verdict::Passed && row.check.known.is_none() && row.reason.is_none()
    };
    let mut cells: Vec<Vec<String>> = Vec::new();
    let mut rows = rows.iter().peekable();
    while let Some(row) = rows.next() {
        let title = format!("{} {}-{}", row.name, row.pg_major, row.distro);
        let (mut names, mut time) = (vec![row.check.test.as_str()], row.check.seconds);
        let is_another = |other: &&Row| {
            is_plain(row)
                && is_plain(other)
                && other.name == row.name
                && other.distro == row.distro
                && other.pg_major == row.pg_major
        };
        while let Some(other) = rows.next_if(is_another) {
            names.push(&other.check.test);
            time += other.check.seconds;
        }
        let why = row.reason.as_ref().or(row.check.known.as_ref());
        let tests = match names.len() {
            1 => row.check.test.clone(),
            count => format!("{count}: {}", names.join(", ")),
        };
        let about = why.cloned().or_else(|| {
            let lines = row.check.difference.iter();
            let mut lines = lines.filter(|line| {
                line.starts_with(['-', '+']) && !line.starts_with("---") && !line.starts_with("+++")
            });
            lines.next().cloned()
        });
        cells.push(vec![
            row.check.result.word().to_owned(),
            title,
            tests,
            seconds(Duration::from_secs_f64(time)),
            about.unwrap_or_default(),
        ]);
    }
    ui::Table {
        headings: vec!["RESULT", "EXTENSION", "TESTS", "TIME", "ABOUT"],
        rows: cells,
    }
}
