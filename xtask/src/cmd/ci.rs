// SPDX-License-Identifier: Apache-2.0
//! `ci`: the project's own gate. Runs every lane that this machine can run and says which it cannot.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    cli::{Ci, Lane},
    context::Context,
    event::Outcome,
    exec::Exec,
    failure::Failure,
    plan::{Cmd, Plan, Step},
    sandbox,
    tool::{self, docker},
    ui::{Table, Ui, seconds},
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
    let mut rows = Vec::new();
    let mut failed: Vec<&str> = Vec::new();
    let started = Instant::now();
    for lane in LANES {
        let wanted = if args.lane.is_empty() {
            !args.without.contains(&lane)
        } else {
            args.lane.contains(&lane)
        };
        if !wanted {
            continue;
        }
        let name = name(lane);
        if let Err(why) = possible(lane, args.lane.contains(&lane), context) {
            if strict || args.lane.contains(&lane) {
                context
                    .ui
                    .warning(&format!("lane {name} cannot run: {}", why.message));
                failed.push(name);
            } else {
                context
                    .ui
                    .warning(&format!("lane {name} left out: {}", why.message));
            }
            rows.push(vec![
                name.to_owned(),
                if failed.contains(&name) {
                    "failed"
                } else {
                    "left out"
                }
                .to_owned(),
                String::new(),
                why.message,
            ]);
            continue;
        }
        let mut plan = Plan::default();
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
        let mut step = Step::run(format!("lane {name}"), cmd).timeout(limit);
        if says(lane) {
            step = step.says();
        }
        plan.add(step);
        let report = context.run(&plan, Some(1), false)?;
        let step = &report.steps[0];
        let passed = matches!(step.outcome, Outcome::Done(_));
        if context.exec.interrupted() {
            return Err(Failure::interrupted().into());
        }
        if !passed {
            failed.push(name);
        }
        let result = if passed { "passed" } else { "failed" };
        rows.push(vec![
            name.to_owned(),
            result.to_owned(),
            seconds(step.elapsed),
            step.last_line
                .clone()
                .filter(|_| !passed || says(lane))
                .unwrap_or_default(),
        ]);
    }
    let passed = rows.iter().filter(|row| row[1] == "passed").count();
    let table = Table {
        headings: vec!["LANE", "RESULT", "TIME", ""],
        rows,
    };
    context.ui.result(false, &serde_json::Value::Null, &table);
    context
        .ui
        .data(&format!("{passed} passed, {} failed\n", failed.len()));
    if !failed.is_empty() {
        return Err(Failure::failed(format!("lanes failed: {}", failed.join(", "))).into());
    }
    context.ui.conclusion(&format!(
        "all lanes passed in {}",
        seconds(started.elapsed())
    ));
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
    if !context.global.sandbox && docker::Engine::survey(&context.exec).is_ok() {
        if needs_cluster {
            for (program, ..) in tool::E2E {
                if context.exec.finds(program).is_none() {
                    return Err(tool::missing(program));
                }
            }
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
