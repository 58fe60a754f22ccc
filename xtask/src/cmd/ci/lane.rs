// SPDX-License-Identifier: Apache-2.0
//! The lanes of the gate: their commands, and where they can be run.

use clap::ValueEnum;

use crate::{
    cli::{Ci, Lane},
    context::Context,
    engine,
    exec::Exec,
    failure::Failure,
    plan::Cmd,
    sandbox,
    tool::{self, NeededFor, table},
};

/// Whether a lane's last line is a part of its answer: which of its questions could be asked, its seed and what
/// was found.
pub(super) fn says(lane: Lane) -> bool {
    matches!(
        lane,
        Lane::Supply | Lane::Workflows | Lane::Report | Lane::Kill
    )
}

/// What it is called, on the command line too.
pub(super) fn name(lane: Lane) -> String {
    let value = lane.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Whether this machine can run the lane; `asked` by name, it may take long.
pub(super) fn possible(lane: Lane, asked: bool, context: &Context) -> Result<(), Failure> {
    if lane == Lane::Report {
        tool::require(&context.exec, ["node", "npm"])?;
        return has_browser(context);
    }
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

/// Whether there is a browser, or one may be installed.
fn has_browser(context: &Context) -> Result<(), Failure> {
    let ask = Cmd::new("sh", "ask for a browser").args(["--", ".ci/report", "--ready"]);
    context.exec.read(&ask, None).map(drop).map_err(|_| {
        Failure::unavailable("there is no Chromium on PATH")
            .hint("`apt-get install chromium-headless-shell`; with CI=true lane report does that itself, as root")
    })
}

/// Whether the lab has its programs already, or an archive of them.
fn lab_in_minutes(context: &Context) -> bool {
    let up = context.root.join("test/lab/up");
    let ask = Cmd::new(up, "ask whether the lab is ready").arg("--ready");
    context.exec.read(&ask, None).is_ok()
}

pub(super) fn cmd(lane: Lane) -> Cmd {
    let cargo = |purpose: &str, args: &[&str]| Cmd::new("cargo", purpose).args(args);
    match lane {
        Lane::Fmt => cargo(
            "check the format (`cargo fmt` fixes it)",
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
        Lane::Supply => Cmd::new("sh", "check the dependencies").args(["--", ".ci/supply"]),
        Lane::Workflows => Cmd::new("sh", "check the workflows").args(["--", ".ci/workflows"]),
        Lane::Report => Cmd::new("sh", "look at reports in a browser").args(["--", ".ci/report"]),
        Lane::Engine => serial("run the tests on a real engine", "engine"),
        Lane::E2e => serial("run the tests on a real cluster", "e2e"),
        Lane::Kill => cargo(
            "kill real commands and run them again",
            &["test", "--package", "xtask", "--locked", "--test", "kill"],
        )
        .arg("--"),
    }
}

/// Which rounds lane kill plays, as its arguments.
pub(super) fn series(args: &Ci) -> Vec<String> {
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
