// SPDX-License-Identifier: Apache-2.0
//! Commands that say what is in images.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Extensions, Filters};

#[derive(Args, Debug)]
pub struct Inspect {
    /// An extension, whose image was baked before; or an image by its reference, pulled when the engine does not have it.
    #[arg(value_name = "TARGET|REFERENCE")]
    pub image: String,
    /// Show how it differs from another one, an older one mostly.
    #[arg(long, value_name = "TARGET|REFERENCE")]
    pub against: Option<String>,
    #[command(flatten)]
    pub filters: Filters,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print all of it as JSON.
    #[arg(long)]
    pub json: bool,
    /// Print it as Markdown.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

#[derive(Args, Debug)]
pub struct Licences {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the packages as JSON.
    #[arg(long)]
    pub json: bool,
    /// Print them as Markdown.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

#[derive(Args, Debug)]
pub struct Scan {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    /// The scanners [default: the setting `scan.with`].
    #[arg(long, value_delimiter = ',', value_name = "SCANNER")]
    pub with: Vec<String>,
    /// Where the reports go, SARIF where the scanner writes it [default: target/xtask/scan].
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Fail when something is found that is at least as bad [default: what is found is no failure].
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the results as JSON.
    #[arg(long)]
    pub json: bool,
}

/// How bad a finding is, as SARIF says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
    Note,
}

#[derive(Args, Debug)]
pub struct Status {
    /// Do not ask the archive what is newest.
    #[arg(long)]
    pub offline: bool,
    /// Print all of it as JSON.
    #[arg(long)]
    pub json: bool,
}
