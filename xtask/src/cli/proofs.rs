// SPDX-License-Identifier: Apache-2.0
//! Commands that prove more of images than that they work.

use clap::Args;

use super::{Extensions, Filters, Running};

#[derive(Args, Debug)]
pub struct UpgradePaths {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    #[command(flatten)]
    pub running: Running,
    /// Also from the versions of an older image, with its own library; for a single extension.
    #[arg(long, value_name = "REFERENCE", value_delimiter = ',')]
    pub from: Vec<String>,
    /// Try existing images, without building.
    #[arg(long)]
    pub no_bake: bool,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// The buildx builder.
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Print the results as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Installcheck {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    #[command(flatten)]
    pub running: Running,
    /// The tests are in this archive, not in the source of the Debian package; for a single extension.
    #[arg(long, value_name = "URL", requires = "checksum")]
    pub source: Option<String>,
    /// The archive's SHA-256: `sha256:` and 64 digits, or the digits alone.
    #[arg(long, value_name = "SHA256", requires = "source")]
    pub checksum: Option<String>,
    /// Try existing images, without building.
    #[arg(long)]
    pub no_bake: bool,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// The buildx builder.
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Print the results as JSON.
    #[arg(long)]
    pub json: bool,
}
