// SPDX-License-Identifier: Apache-2.0
//! What `ci` is told: which lanes of the gate are run, or what is measured.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Ci {
    #[command(subcommand)]
    pub command: Option<CiCommand>,
    /// Only these lanes.
    #[arg(long, value_delimiter = ',', value_enum, value_name = "LANE")]
    pub lane: Vec<Lane>,
    /// All lanes but these; with `CI=true` a lane that cannot run is otherwise a failure.
    #[arg(
        long,
        value_delimiter = ',',
        value_enum,
        value_name = "LANE",
        conflicts_with = "lane"
    )]
    pub without: Vec<Lane>,
    /// Lane e2e with all extensions instead of pgvector and pgrouting.
    #[arg(long)]
    pub all_extensions: bool,
    /// Lane kill with so many rounds [default: a short series].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// Lane kill with what follows from this number [default: drawn, and printed].
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Lane kill with this round alone.
    #[arg(long, value_name = "K", requires = "seed", conflicts_with = "rounds")]
    pub round: Option<u64>,
    /// The lanes as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum CiCommand {
    /// Measure how long commands take, beside another way to do the same, in turn on this machine.
    Bench(Bench),
    /// Write the documents that are made of what the program knows of itself.
    Docs(Docs),
}

#[derive(Args, Debug)]
pub struct Docs {
    /// Write nothing: fail where a document is out of date.
    #[arg(long)]
    pub check: bool,
    /// Print the documents as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Bench {
    /// Only these rows of the table in docs/performance.md [default: all that take no cluster and few minutes].
    #[arg(value_name = "NAME")]
    pub rows: Vec<String>,
    /// Run both ways so many times [default: what a row needs for a steady median].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// All that was measured, as JSON.
    #[arg(long)]
    pub json: bool,
    /// The table as Markdown.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lane {
    /// rustfmt.
    Fmt,
    /// clippy, warnings denied.
    Clippy,
    /// Parsing, plans, order, messages.
    Unit,
    /// The binary against fake tools.
    Cli,
    /// Every command of the documents.
    Docs,
    /// Dependencies: licences, sources, duplicates, unused ones, and known vulnerabilities where their list can be downloaded.
    Supply,
    /// Workflows: actionlint and zizmor.
    Workflows,
    /// Reports of runs in a browser, with axe-core: Node, and Chromium or root on Debian.
    Report,
    /// Real builds and real servers: Docker, or root on Linux for the sandbox.
    Engine,
    /// A real cluster with the operator: the same, and images for kind and the operator.
    E2e,
    /// Real commands that are killed at seeded moments, and run again: the same needs as e2e.
    Kill,
}
