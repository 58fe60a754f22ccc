// SPDX-License-Identifier: Apache-2.0
//! The arguments of `create-extension`.

use clap::{ArgGroup, Args};

/// What a new extension is to be.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("source").args(["from_source", "pgrx"])))]
pub struct CreateExtension {
    /// The name of its directory: lower-case letters, digits, `-` and `_`.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// The same, as an option.
    #[arg(long = "name", value_name = "NAME")]
    pub more: Vec<String>,
    /// Its Debian package, with `{pg}` for PostgreSQL's major [default: `postgresql-{pg}-NAME`].
    #[arg(long, value_name = "PACKAGE", conflicts_with = "source")]
    pub package: Option<String>,
    /// For these distros (Debian suites, like `trixie`) [default: those of most extensions here].
    #[arg(long, value_delimiter = ',', value_name = "DISTRO")]
    pub distro: Vec<String>,
    /// For these PostgreSQL majors [default: those of most extensions here].
    #[arg(long, value_delimiter = ',', value_name = "MAJOR")]
    pub pg: Vec<String>,
    /// It is a module alone: nothing is created in SQL.
    #[arg(long)]
    pub no_create: bool,
    /// Ask the archive, in the base images, what the package holds and needs, and fill it in.
    #[arg(long, conflicts_with = "source")]
    pub from_archive: bool,
    /// Debian does not package it: compile the archive at this address with PostgreSQL's makefiles (PGXS), and fill in what comes of
    /// that.
    #[arg(long, value_name = "URL")]
    pub from_source: Option<String>,
    /// The same for an extension in Rust, with cargo-pgrx: a crate of the registry with its version, `NAME@1.0.0`, or the address of
    /// an archive.
    #[arg(long, value_name = "CRATE")]
    pub pgrx: Option<String>,
    /// The checksum of that archive, `sha256:…` [default: that of what is there now].
    #[arg(long, value_name = "SHA256", requires = "source")]
    pub checksum: Option<String>,
    /// Debian packages that it is compiled with, like `libcurl4-openssl-dev`.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "PACKAGE",
        requires = "source"
    )]
    pub build_depends: Vec<String>,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print what was made as JSON.
    #[arg(long)]
    pub json: bool,
}
