// SPDX-License-Identifier: Apache-2.0
//! `bundle` on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Extensions, Filters};

#[derive(Args, Debug)]
pub struct Bundle {
    #[command(subcommand)]
    pub command: BundleCommand,
}

#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Put images, those that they need, their signatures, the servers' images and the operator into a file.
    Export(BundleExport),
    /// Push what is in such a file to a registry, without any other network.
    Import(BundleImport),
}

#[derive(Args, Debug)]
pub struct BundleExport {
    /// The file to write; a bundle that is there is replaced.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    /// The operator's release: `main`, `X.Y`, `X.Y.Z`, or the path or URL of a manifest.
    #[arg(long, value_name = "RELEASE", conflicts_with = "without_operator")]
    pub cnpg_release: Option<String>,
    /// Leave out the operator's image and manifest.
    #[arg(long)]
    pub without_operator: bool,
    /// Leave out the PostgreSQL images.
    #[arg(long)]
    pub without_base: bool,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the images as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct BundleImport {
    /// What `bundle export` has written.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The registry to push to: `registry.example`, `registry.example/mirror`.
    #[arg(long, value_name = "REGISTRY")]
    pub to: String,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the images as JSON.
    #[arg(long)]
    pub json: bool,
}
