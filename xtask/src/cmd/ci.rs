// SPDX-License-Identifier: Apache-2.0
//! `ci`: the project's own gate. Runs every lane that this machine can run and says which it cannot.

mod bench;
mod docs;
mod lane;

use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    cli::{Ci, CiCommand, Lane},
    context::Context,
    exec::Exec,
    failure::Failure,
    plan::{Plan, Step},
    run::record::LeftOut,
    ui::{Row, Ui, seconds},
    verdict::Verdict,
};

pub(super) fn run(args: &Ci, context: &mut Context) -> anyhow::Result<()> {
    if !context.root.join("xtask/Cargo.toml").exists() {
        return Err(Failure::invalid(
            "`ci` is the gate of xtask's own repository, and this is another one",
        )
        .into());
    }
    match &args.command {
        Some(CiCommand::Bench(args)) => return bench::run(args, context),
        Some(CiCommand::Docs(args)) => return docs::run(args, context),
        None => {}
    }
    let strict = std::env::var("CI").is_ok_and(|value| value == "true");
    if strict {
        // A log on a machine that is thrown away is of no use: show everything as it comes.
        context.ui = Ui::new(context.global.format, true);
    }
    let started = Instant::now();
    let mut rows = Vec::new();
    for &lane in Lane::value_variants() {
        let wanted = if args.lane.is_empty() {
            !args.without.contains(&lane)
        } else {
            args.lane.contains(&lane)
        };
        if !wanted {
            continue;
        }
        let asked = args.lane.contains(&lane);
        let possible = lane::possible(lane, asked, context);
        rows.push(if context.exec.interrupted() {
            leave_out(lane, LeftOut::Interrupted, args, context)?
        } else {
            match &possible {
                Ok(()) => play(lane, args, context)?,
                Err(why) if strict || asked => {
                    leave_out(lane, LeftOut::Refused(why), args, context)?
                }
                Err(why) => leave_out(lane, LeftOut::Impossible(why), args, context)?,
            }
        });
    }
    if rows.is_empty() {
        return Err(Failure::invalid("`--without` names every lane: nothing would be run").into());
    }
    conclude(&rows, args.json, started, context)
}

/// How a lane has ended.
#[derive(Serialize)]
struct Played {
    lane: String,
    result: Verdict,
    seconds: f64,
    /// What it said last, or why it was not run.
    said: String,
}

impl Row for Played {
    const HEADINGS: &'static [&'static str] = &["LANE", "RESULT", "TIME", ""];

    fn cells(&self) -> Vec<String> {
        vec![
            self.lane.clone(),
            self.result.word().to_owned(),
            seconds(Duration::from_secs_f64(self.seconds)),
            self.said.clone(),
        ]
    }
}

/// Says that a lane is not run, and why.
fn leave_out(
    lane: Lane,
    why: LeftOut<'_>,
    args: &Ci,
    context: &mut Context,
) -> anyhow::Result<Played> {
    let name = lane::name(lane);
    let said = match why {
        LeftOut::Interrupted => "interrupted",
        LeftOut::Impossible(why) => {
            let text = format!("lane {name} is not run: {}", why.message);
            context.ui.warning(&text);
            &why.message
        }
        LeftOut::Refused(why) => {
            let text = format!("lane {name} cannot run: {}", why.message);
            context.ui.warning(&text);
            &why.message
        }
    };
    context.left_out(&step(lane, args), why)?;
    Ok(Played {
        lane: name,
        result: why.verdict(),
        seconds: 0.0,
        said: said.to_owned(),
    })
}

/// The step that runs a lane.
fn step(lane: Lane, args: &Ci) -> Step {
    let mut cmd = lane::cmd(lane);
    let mut limit = Duration::from_secs(3600);
    if lane == Lane::E2e && args.all_extensions {
        cmd = cmd.env("XTASK_CI_ALL", "1");
    }
    if lane == Lane::Kill {
        cmd = cmd.args(lane::series(args));
        // A round that finds something waits for minutes before it says so.
        limit = limit.max(Duration::from_secs(60) * args.rounds.unwrap_or_default());
    }
    let step = Step::run(format!("lane {}", lane::name(lane)), cmd);
    let step = step.timeout(limit).proof("lane");
    if lane::says(lane) {
        step.reports_last_line()
    } else {
        step
    }
}

fn play(lane: Lane, args: &Ci, context: &mut Context) -> anyhow::Result<Played> {
    let mut plan = Plan::default();
    plan.add(step(lane, args));
    let report = context.run(&context.exec.clone(), &plan)?;
    let step = &report.steps[0];
    let verdict = step.outcome.verdict();
    let said = step.last_line.clone();
    Ok(Played {
        lane: lane::name(lane),
        result: verdict,
        seconds: step.elapsed.as_secs_f64(),
        said: said
            .filter(|_| verdict != Verdict::Passed || lane::says(lane))
            .unwrap_or_default(),
    })
}

fn conclude(
    rows: &[Played],
    json: bool,
    started: Instant,
    context: &mut Context,
) -> anyhow::Result<()> {
    context.rows(json, rows)?;
    if context.exec.interrupted() {
        return Err(Failure::interrupted().into());
    }
    let of = |verdict: Verdict| rows.iter().filter(move |row| row.result == verdict);
    let failed: Vec<&str> = of(Verdict::Failed).map(|row| row.lane.as_str()).collect();
    if !failed.is_empty() {
        return Err(Failure::failed(format!("lanes failed: {}", failed.join(", "))).into());
    }
    let time = seconds(started.elapsed());
    let left: Vec<&str> = of(Verdict::NotRun).map(|row| row.lane.as_str()).collect();
    context.ui.conclusion(&if left.is_empty() {
        format!("all lanes passed in {time}")
    } else {
        let passed = of(Verdict::Passed).count();
        format!(
            "{passed} lanes passed in {time}, not run: {}",
            left.join(", ")
        )
    });
    Ok(())
}
