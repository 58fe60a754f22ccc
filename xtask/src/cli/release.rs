// SPDX-License-Identifier: Apache-2.0
//! The command line of what is done with images once they are pushed.

use std::path::PathBuf;

use clap::Args;

use super::{Extensions, Filters};
use crate::value::Registry;

/// A place for images, which is a part of references.
pub(super) fn registry(text: &str) -> Result<Registry, String> {
    text.parse()
        .map_err(|wanted| format!("it must be {wanted}"))
}

/// Which images, that are in a registry.
#[derive(Args, Clone, Debug, Default)]
pub struct Images {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    /// The images that `bake --push --metadata-file` has written to this file, by digest; with targets, only theirs.
    #[arg(long, value_name = "FILE")]
    pub metadata_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Promote {
    #[command(flatten)]
    pub images: Images,
    /// The registry that they are in [default: the setting `registry`].
    #[arg(long, value_name = "REGISTRY", value_parser = registry)]
    pub(crate) from: Option<Registry>,
    /// The registry to copy them to: `ghcr.io/owner`.
    #[arg(long, value_name = "REGISTRY", value_parser = registry)]
    pub(crate) to: Registry,
    /// Look for results of `e2e` in this folder [default: those of this checkout].
    #[arg(long, value_name = "DIR", conflicts_with = "untested")]
    pub results: Option<PathBuf>,
    /// Promote what has not passed `e2e` too, and say so.
    #[arg(long)]
    pub untested: bool,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print what became of the images as JSON.
    #[arg(long)]
    pub json: bool,
}
