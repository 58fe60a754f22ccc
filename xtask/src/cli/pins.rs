// SPDX-License-Identifier: Apache-2.0
//! Commands that bring up to date what metadata and lists say of packages.

use clap::Args;

use super::{Extensions, Filters, Running};

#[derive(Args, Debug)]
pub struct UpdateOsLibs {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    #[command(flatten)]
    pub running: Running,
    /// Write nothing: fail when a list is out of date, and show the difference.
    #[arg(long)]
    pub check: bool,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the lists as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Versions {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    /// Write what is newest into `versions` of metadata.hcl.
    #[arg(long)]
    pub update: bool,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print what has changed, or would change, as Markdown for the text of a pull request; nothing where all is newest.
    #[arg(long, conflicts_with_all = ["json", "dry_run"])]
    pub pr_body: bool,
    /// Print the pins as JSON.
    #[arg(long)]
    pub json: bool,
}
