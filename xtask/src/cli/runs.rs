// SPDX-License-Identifier: Apache-2.0
//! The command line of what was done before: runs and their reports.

use std::time::Duration;

use clap::{Args, Subcommand};

#[derive(Args, Debug)]
pub struct Report {
    /// The run: `latest`, or how its id begins.
    #[arg(value_name = "RUN", default_value = "latest")]
    pub run: String,
    /// Show it in the desktop's browser.
    #[arg(long)]
    pub open: bool,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Runs {
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// Print them as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Show what is not in one run as it was in another: results, versions, digests, sizes, times.
    Compare(CompareRuns),
    /// Remove the folders of old runs, with their logs and reports.
    Prune(PruneRuns),
}

#[derive(Args, Debug)]
pub struct CompareRuns {
    /// The run before: how its id begins.
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// The run after it: `latest`, or how its id begins.
    #[arg(value_name = "AFTER", default_value = "latest")]
    pub after: String,
    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct PruneRuns {
    /// Keep so many, the newest ones [default: as many as a new run leaves].
    #[arg(long, value_name = "N", conflicts_with = "older_than")]
    pub newest: Option<usize>,
    /// Remove those that began longer ago: `7days`, `12h`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub older_than: Option<Duration>,
    /// Print what would be removed.
    #[arg(long)]
    pub dry_run: bool,
    /// Print them as JSON.
    #[arg(long)]
    pub json: bool,
}
