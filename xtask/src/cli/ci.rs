// SPDX-License-Identifier: Apache-2.0
//! What `ci` is told: which lanes of the gate are run.

use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
pub struct Ci {
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
    /// Every command of README and BUILD.
    Docs,
    /// Dependencies: licences, sources, duplicates, unused ones, and known vulnerabilities where their list can be downloaded.
    Supply,
    /// Workflows: actionlint and zizmor.
    Workflows,
    /// Real builds and real servers: Docker, or root on Linux for the sandbox.
    Engine,
    /// A real cluster with the operator: the same, and images for kind and the operator.
    E2e,
    /// Real commands that are killed at seeded moments, and run again: the same needs as e2e.
    Kill,
}
