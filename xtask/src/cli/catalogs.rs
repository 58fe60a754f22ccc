// SPDX-License-Identifier: Apache-2.0
//! `catalogs` on the command line.

use std::path::PathBuf;

use clap::Args;

use super::Signing;

#[derive(Args, Debug)]
pub struct Catalogs {
    /// The folder of the catalogs: those that are there are brought up to date.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Take the servers' images, and all else, from these catalogs: a folder, or a URL in which `{distro}` is replaced.
    #[arg(long, value_name = "DIR|URL")]
    pub from: Option<String>,
    /// Only for these distros (Debian suites, like `trixie`).
    #[arg(long, value_delimiter = ',', value_name = "DISTRO")]
    pub distro: Vec<String>,
    /// Fail, and write nothing, where an extension has no image.
    #[arg(long)]
    pub strict: bool,
    /// Sign each catalog, in a file beside it (`….yaml.sigstore.json`); with `--key` or `--keyless`.
    #[arg(long)]
    pub sign: bool,
    #[command(flatten)]
    pub signing: Signing,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print what is in the catalogs as JSON.
    #[arg(long)]
    pub json: bool,
}
