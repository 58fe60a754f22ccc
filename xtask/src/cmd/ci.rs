// SPDX-License-Identifier: Apache-2.0
//! `ci`: the project's own gate. Runs every lane that this machine can run and says which it cannot.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    cli::{Ci, Lane},
    context::Context,
    engine,
    exec::Exec,
    failure::Failure,
    plan::{Cmd, Plan, Step},
    sandbox,
    tool::{self, NeededFor, table},
    ui::{Row, Ui, seconds},
    verdict::Verdict,
};

const LANES: [Lane; 9] = [
    Lane::Fmt,
    Lane::Clippy,
    Lane::Unit,
    Lane::Cli,
    Lane::Docs,
    Lane::Supply,
    Lane::Engine,
    Lane::E2e,
    Lane::Kill,
];

pub(super) fn run(args: &Ci, context: &mut Context) -> anyhow::Result<()> {
    if !context.root.join("xtask/Cargo.toml").exists() {
        return Err(Failure::invalid(
            "`ci` is the gate of xtask's own repository, and this is another one",
        )
        .into());
    }
    let strict = std::env::var("CI").is_ok_and(|value| value == "true");
    if strict {
        // A log on a machine that is thrown away is of no use: show everything as it comes.
        context.ui = Ui::new(context.global.format, true);
    }
    let started = Instant::now();
    let mut rows = Vec::new();
    for lane in LANES {
        let wanted = if args.lane.is_empty() {
            !args.without.contains(&lane)
        } else {
            args.lane.contains(&lane)
        };
        if !wanted {
            continue;
        }
        let asked = args.lane.contains(&lane);
        rows.push(match possible(lane, asked, context) {
            _ if context.exec.interrupted() => Played::not_run(lane, "interrupted"),
            Ok(()) => play(lane, args, context)?,
            Err(why) if strict || asked => {
                let text = format!("lane {} cannot run: {}", name(lane), why.message);
                context.ui.warning(&text);
                Played {
                    result: Verdict::Failed,
                    ..Played::not_run(lane, &why.message)
                }
            }
            Err(why) => {
                let text = format!("lane {} is not run: {}", name(lane), why.message);
                context.ui.warning(&text);
                Played::not_run(lane, &why.message)
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
    lane: Lane,
    result: Verdict,
    seconds: f64,
    /// What it said last, or why it was not run.
    said: String,
}

impl Played {
    fn not_run(lane: Lane, why: &str) -> Self {
        Self {
            lane,
            result: Verdict::NotRun,
            seconds: 0.0,
            said: why.to_owned(),
        }
    }
}

impl Row for Played {
    const HEADINGS: &'static [&'static str] = &["LANE", "RESULT", "TIME", ""];

    fn cells(&self) -> Vec<String> {
        vec![
            name(self.lane).to_owned(),
            self.result.word().to_owned(),
            seconds(Duration::from_secs_f64(self.seconds)),
            self.said.clone(),
        ]
    }
}

fn play(lane: Lane, args: &Ci, context: &mut Context) -> anyhow::Result<Played> {
    let mut cmd = cmd(lane);
    let mut limit = Duration::from_secs(3600);
    if lane == Lane::E2e && args.all_extensions {
        cmd = cmd.env("XTASK_CI_ALL", "1");
    }
    if lane == Lane::Kill {
        cmd = cmd.args(series(args));
        // A round that finds something waits for minutes before it says so.
        limit = limit.max(Duration::from_secs(60) * args.rounds.unwrap_or_default());
    }
    let mut step = Step::run(format!("lane {}", name(lane)), cmd)
        .timeout(limit)
        .proof("lane");
    if says(lane) {
        step = step.reports_last_line();
    }
    let mut plan = Plan::default();
    plan.add(step);
    let report = context.run(&context.exec.clone(), &plan, None, false)?;
    let step = &report.steps[0];
    let verdict = Verdict::of(&step.outcome);
    let said = step.last_line.clone();
    Ok(Played {
        lane,
        result: verdict,
        seconds: step.elapsed.as_secs_f64(),
        said: said
            .filter(|_| verdict != Verdict::Passed || says(lane))
            .unwrap_or_default(),
    })
}

fn conclude(
    rows: &[Played],
    json: bool,
    started: Instant,
    context: &mut Context,
) -> anyhow::Result<()> {
    context.rows(json, rows);
    if context.exec.interrupted() {
        return Err(Failure::interrupted().into());
    }
    let of = |verdict: Verdict| rows.iter().filter(move |row| row.result == verdict);
    let failed: Vec<&str> = of(Verdict::Failed).map(|row| name(row.lane)).collect();
    if !failed.is_empty() {
        return Err(Failure::failed(format!("lanes failed: {}", failed.join(", "))).into());
    }
    let time = seconds(started.elapsed());
    let left: Vec<&str> = of(Verdict::NotRun).map(|row| name(row.lane)).collect();
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

/// Whether a lane's last line is a part of its answer: which of its questions could be asked, its seed and what
/// was found.
fn says(lane: Lane) -> bool {
    matches!(lane, Lane::Supply | Lane::Kill)
}

fn name(lane: Lane) -> &'static str {
    match lane {
        Lane::Fmt => "fmt",
        Lane::Clippy => "clippy",
        Lane::Unit => "unit",
        Lane::Cli => "cli",
        Lane::Docs => "docs",
        Lane::Supply => "supply",
        Lane::Engine => "engine",
        Lane::E2e => "e2e",
        Lane::Kill => "kill",
    }
}

/// Whether this machine can run the lane; `asked` by name, it may take long.
fn possible(lane: Lane, asked: bool, context: &Context) -> Result<(), Failure> {
    let (Lane::Engine | Lane::E2e | Lane::Kill) = lane else {
        return Ok(());
    };
    let needs_cluster = lane != Lane::Engine;
    if !context.global.sandbox && engine::ask(&context.exec).is_ok() {
        if needs_cluster {
            let tools = table::only_for(NeededFor::E2e);
            tool::require(&context.exec, tools.map(|tool| tool.name))?;
        }
        return Ok(());
    }
    sandbox::up::refuse()?;
    if needs_cluster && !asked && !lab_in_minutes(context) {
        return Err(Failure::unavailable(
            "the programs of a node image would be compiled, which takes half an hour",
        )
        .hint(format!("`--lane {}` does it all the same", name(lane))));
    }
    Ok(())
}

/// Whether the lab has its programs already, or an archive of them.
fn lab_in_minutes(context: &Context) -> bool {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let lab = set("XTASK_LAB").or_else(|| cache.map(|cache| cache.join("xtask-lab")));
    let archive = set("XTASK_LAB_PROGRAMS")
        .unwrap_or_else(|| context.root.join("../shared/lab/programs.tar.zst"));
    archive.exists() || lab.is_some_and(|lab| lab.join("programs/chainsaw").exists())
}

fn cmd(lane: Lane) -> Cmd {
    let cargo = |purpose: &str, args: &[&str]| Cmd::new("cargo", purpose).args(args);
    match lane {
        Lane::Fmt => cargo(
            "check the format (`cargo fmt` mends it)",
            &["fmt", "--all", "--check"],
        ),
        Lane::Clippy => cargo(
            "lint",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                // They are left out of "all": they do not run by themselves.
                "--test",
                "engine",
                "--test",
                "e2e",
                "--test",
                "kill",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
        ),
        Lane::Unit => cargo(
            "run the unit tests",
            &["test", "--workspace", "--locked", "--lib", "--bins"],
        ),
        Lane::Cli => cargo(
            "run the tests against fake tools",
            &["test", "--package", "xtask", "--locked", "--test", "cli"],
        ),
        Lane::Docs => cargo(
            "run the tests of the documentation",
            &["test", "--package", "xtask", "--locked", "--test", "docs"],
        ),
        Lane::Supply => Cmd::new("sh", "look at the dependencies").args(["--", ".ci/supply"]),
        Lane::Engine => serial("run the tests on a real engine", "engine"),
        Lane::E2e => serial("run the tests on a real cluster", "e2e"),
        Lane::Kill => cargo(
            "disturb real commands",
            &["test", "--package", "xtask", "--locked", "--test", "kill"],
        )
        .arg("--"),
    }
}

/// Which rounds lane kill plays, as its arguments.
fn series(args: &Ci) -> Vec<String> {
    let options = [
        ("--rounds", args.rounds.map(u64::from)),
        ("--seed", args.seed),
        ("--round", args.round),
    ];
    let given = options
        .into_iter()
        .filter_map(|(name, value)| Some([name.to_owned(), value?.to_string()]));
    given.flatten().collect()
}

/// One test after the other: they share one engine and look at all that is in it.
fn serial(purpose: &str, test: &str) -> Cmd {
    Cmd::new("cargo", purpose)
        .args(["test", "--package", "xtask", "--locked", "--test", test])
        .args(["--", "--test-threads", "1"])
}
