// SPDX-License-Identifier: Apache-2.0
//! `smoke --together`: the images of a set in one server, for each distro and major.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    context::Context,
    failure::Failure,
    plan::{AfterFailure, Plan, StepId},
    run,
    stage::{
        clashes::Clash,
        smoke::{Compared, Complaint, Prepared, Proof, Ran, Runner, SmokeTest, Transport},
    },
    target::Target,
    ui::{Form, Report, Row, counted, seconds},
    value::Server,
    verdict::{self, Verdict},
};

/// A server with several images.
struct Together {
    server: Server,
    all: SmokeTest,
    /// What compares the images, and what starts the server.
    steps: [StepId; 2],
    compared: Compared,
    ran: Ran,
}

/// What has come of one.
#[derive(Serialize)]
struct Seen<'a> {
    distro: String,
    pg_major: String,
    extensions: Vec<&'a str>,
    shared_preload_libraries: Vec<&'a str>,
    result: Verdict,
    /// None: the images were not all read.
    clashes: Option<&'a [Clash]>,
    complaints: &'a [Complaint],
    proofs: &'a [Proof],
    seconds: f64,
    #[serde(skip)]
    title: &'a str,
}

/// Adds a server for each distro and major. Refused where images cannot be mounted, or an extension has two images for one server.
fn add(
    plan: &mut Plan,
    runner: &Runner,
    tests: Vec<(&Target, SmokeTest)>,
) -> Result<Vec<Together>, Failure> {
    if runner.transport != Transport::Mount {
        return Err(Failure::unavailable(
            "images are mounted together with Docker 28 and newer alone",
        )
        .hint("`smoke` without `--together` tries each image with any engine"));
    }
    let mut groups: BTreeMap<Server, Vec<SmokeTest>> = BTreeMap::new();
    for (target, test) in tests {
        if target.has_twin {
            return Err(Failure::invalid(format!(
                "`{}` has several images for {}, and one server mounts one of them",
                target.extension.name, target.server
            ))
            .hint("name the other extensions"));
        }
        groups.entry(target.server.clone()).or_default().push(test);
    }
    let (mut servers, mut opened) = (Vec::new(), 0);
    for (server, tests) in groups {
        let Some(all) = SmokeTest::together(&tests, &format!("{server} together")) else {
            continue;
        };
        let (comparison, compared) = runner.add_comparison(plan, &all, &mut opened);
        let (start, ran) = runner.add_together(plan, &all, &tests);
        servers.push(Together {
            server,
            all,
            steps: [comparison, start],
            compared,
            ran,
        });
    }
    Ok(servers)
}

impl Together {
    fn seen<'a>(&'a self, report: &run::Report) -> Seen<'a> {
        let mounts = &self.all.mounts;
        let ran = self.ran.get();
        let steps = self.steps.map(|step| report.step(step));
        Seen {
            distro: self.server.distro.to_string(),
            pg_major: self.server.major.to_string(),
            extensions: mounts
                .iter()
                .map(|one| one.extension.name.as_str())
                .collect(),
            shared_preload_libraries: mounts.preload(),
            result: Verdict::of_all(steps.iter().map(|step| step.outcome.verdict())),
            clashes: self.compared.get(),
            complaints: ran.map(|ran| ran.complaints.as_slice()).unwrap_or_default(),
            proofs: ran.map(|ran| ran.proofs.as_slice()).unwrap_or_default(),
            seconds: steps.iter().map(|step| step.elapsed.as_secs_f64()).sum(),
            title: &self.all.name,
        }
    }
}

impl Seen<'_> {
    fn conclusion(&self) -> String {
        let order = match self.shared_preload_libraries.as_slice() {
            [] => "nothing is preloaded".to_owned(),
            list => format!("shared_preload_libraries = {}", list.join(", ")),
        };
        let passed = verdict::passed(self.proofs.iter().map(|proof| proof.result));
        let images = counted(self.extensions.len(), "image");
        format!("{}: {images} in one server, {passed}; {order}", self.title)
    }
}

impl Row for Proof {
    const HEADINGS: &'static [&'static str] = &["RESULT", "EXTENSION", "VERSION", "TIME", "PROOF"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.result.word().to_owned(),
            self.name.clone(),
            self.version.clone(),
            seconds(Duration::from_secs_f64(self.seconds)),
            self.proof.clone(),
        ]
    }
}

/// Starts the servers, and shows what has come of them.
pub(super) fn prove(prepared: Prepared, context: &mut Context, json: bool) -> anyhow::Result<()> {
    let Prepared {
        begun,
        targets,
        runner,
        mut plan,
        tests,
    } = prepared;
    // What the files say of each other is worth knowing whatever the server says.
    plan.after_failure = AfterFailure::KeepGoing;
    let tests = targets.chosen().zip(tests).collect();
    let servers = add(&mut plan, &runner, tests)?;
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    show(context, json, &servers, &report)?;
    Ok(begun.check_read()?)
}

/// Shows what has come of the servers, and fails where one has.
fn show(
    context: &mut Context,
    json: bool,
    servers: &[Together],
    run: &run::Report,
) -> anyhow::Result<()> {
    let all: Vec<Seen<'_>> = servers.iter().map(|server| server.seen(run)).collect();
    let report = all.iter().fold(Report::default(), |report, seen| {
        report.rows(if all.len() > 1 { seen.title } else { "" }, seen.proofs)
    });
    context.report(Form::of(json, false), serde_json::to_value(&all)?, &report);
    context.verdict(run, "smoke")?;
    for seen in &all {
        context.ui.conclusion(&seen.conclusion());
    }
    Ok(())
}
