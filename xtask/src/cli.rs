// SPDX-License-Identifier: Apache-2.0
//! The command line, as types. The doc comments are the help.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

mod bundle;
mod catalogs;
mod choice;
mod ci;
mod create;
pub mod e2e;
mod examples;
mod help;
mod init;
mod look;
mod pins;
mod proofs;
mod release;
mod runs;
mod settings;

pub use bundle::{Bundle, BundleCommand, BundleExport, BundleImport};
pub use catalogs::Catalogs;
pub use choice::{Extensions, Filters, MetadataFiles, OneExtension, Running};
pub use ci::{Bench, Ci, CiCommand, Docs, Lane};
pub use create::CreateExtension;
pub use help::command;
pub use init::Init;
pub use look::{FailOn, Inspect, Licences, Scan, Status};
pub use pins::{UpdateOsLibs, Versions};
pub use proofs::{Installcheck, UpgradePaths};
pub use release::{Images, Located, Promote, Sbom, Sign, Signing, Verify};
pub use runs::{CompareRuns, PruneRuns, Report, Runs, RunsCommand};

use crate::value::Platform;
pub use crate::{config::Base, target::Shard, tool::NeededFor};

/// Check, build and test PostgreSQL extension images for CloudNativePG.
///
/// From quick to thorough: `checks` reads, `bake` builds, `smoke` runs each image in a real
/// PostgreSQL, `e2e` in CloudNativePG on a kind cluster. The commands of the old Taskfile work too: `cargo xtask bake:all PUSH=true`.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done; 1 a build, check or test failed; 2 wrong arguments, metadata or configuration; \
                  3 a tool or daemon is missing or unusable; 130 interrupted."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Use the sandbox, a private container engine (Linux, root). It is started when needed.
    #[arg(long, global = true, env = "XTASK_SANDBOX", hide_env_values = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub sandbox: bool,
    /// Base images in the sandbox [default: auto]. The published ones, or made from Debian's packages.
    #[arg(long, global = true, value_enum, value_name = "BASE")]
    pub base: Option<Base>,
    /// The sandbox's folder [default: `xtask-sandbox` in the user's cache folder].
    #[arg(long, global = true, value_name = "PATH")]
    pub sandbox_folder: Option<std::path::PathBuf>,
    /// Give a setting another value for this call: `--set registry=localhost:5001`.
    #[arg(long, global = true, value_name = "SETTING=VALUE")]
    pub set: Vec<String>,
    /// How to report: text for people, or one JSON object per event on standard output.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, hide_possible_values = false)]
    pub format: Format,
    /// Show every line that the tools print.
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check every tool, version and engine feature that is needed.
    Prereqs(Prereqs),
    /// List the extensions and their images: the CI matrix.
    Targets(Targets),
    /// Check metadata, Dockerfiles and the bake file, without building.
    Checks(Checks),
    /// Build images, dependencies first.
    Bake(Bake),
    /// Build images and try each one in a real PostgreSQL.
    Smoke(Smoke),
    /// Run an extension's own regression tests in a server with its image.
    Installcheck(Installcheck),
    /// Update every older version of an image's SQL extensions to the newest, with data.
    UpgradePaths(UpgradePaths),
    /// Show the repository at a glance: pins, builds, proofs, environment, disk.
    Status(Status),
    /// Show what is in an image: files, libraries, SQL extensions, licences.
    Inspect(Inspect),
    /// List packages with their licences, and fail where one is not allowed.
    Licences(Licences),
    /// Look for known faults with scanners: trivy, grype, dockle, debsecan.
    Scan(Scan),
    /// Print what a user of an image applies: a `Cluster` and a `Database`.
    Manifest(Manifest),
    /// Create the directory of a new extension, from its package or its source.
    CreateExtension(CreateExtension),
    /// Write image catalogs: the newest published image of every extension.
    Catalogs(Catalogs),
    /// Images and the operator in one file, for a site without a network.
    Bundle(Bundle),
    /// Bring the lists of system libraries up to date with the archive.
    UpdateOsLibs(UpdateOsLibs),
    /// Show what extensions are pinned to beside the newest versions, and pin these.
    Versions(Versions),
    /// Write what a repository needs to be driven by this program.
    Init(Init),
    /// Test images in CloudNativePG, on a kind cluster or an existing one.
    E2e(e2e::E2e),
    /// Copy tested images to another registry, by digest and with their signatures.
    Promote(Promote),
    /// Sign images that are in a registry.
    Sign(Sign),
    /// Verify the signatures of images that are in a registry.
    Verify(Verify),
    /// Print the bill of materials of an image, as SPDX in JSON.
    Sbom(Sbom),
    /// The private container engine for a machine that has none.
    Sandbox(Sandbox),
    /// Make the report of a run, one page with all that it did, and print its path.
    Report(Report),
    /// List the runs whose logs are still there, compare two of them, and remove old ones.
    Runs(Runs),
    /// Show every setting, its value and where the value comes from.
    Config(Config),
    /// Print a completion script for a shell.
    Completions(Completions),
    /// Write a manual page for every command into a folder.
    Man(Man),
    /// Run the project's own gate: format, lints and every lane of tests.
    Ci(Ci),
}

#[derive(Args, Debug)]
pub struct Prereqs {
    /// Only what these commands need.
    #[arg(
        long = "for",
        value_delimiter = ',',
        value_enum,
        value_name = "COMMAND"
    )]
    pub needed_for: Vec<NeededFor>,
    /// Print the checks as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Targets {
    /// Print JSON: an array of names (with --cnpg of releases), or with --images of objects.
    #[arg(long)]
    pub json: bool,
    /// List extensions that need each other as one: `postgis,pgrouting`.
    #[arg(long, conflicts_with_all = ["images", "cnpg"])]
    pub groups: bool,
    /// List the operator's releases to test with instead of extensions.
    #[arg(long, conflicts_with_all = ["images", "changed_since", "os_libs", "distro", "pg", "shard"])]
    pub cnpg: bool,
    /// List images instead of extensions.
    #[arg(long)]
    pub images: bool,
    /// Only extensions that differ from a commit; a change to a shared file means all.
    #[arg(long, value_name = "REF")]
    pub changed_since: Option<String>,
    /// Only extensions whose images carry libraries of the operating system.
    #[arg(long)]
    pub os_libs: bool,
    #[command(flatten)]
    pub filters: Filters,
}

#[derive(Args, Debug)]
pub struct Checks {
    #[command(flatten)]
    pub extensions: Extensions,
    /// Print the findings as JSON.
    #[arg(long)]
    pub json: bool,
    /// Skip bake's own check, which needs Docker.
    #[arg(long)]
    pub no_bake: bool,
}

/// A platform, which is a part of an argument of bake.
fn platform(text: &str) -> Result<Platform, String> {
    text.parse()
        .map_err(|wanted| format!("it must be {wanted}"))
}

#[derive(Args, Clone, Debug)]
pub struct Bake {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    #[command(flatten)]
    pub running: Running,
    /// Push to the registry.
    #[arg(long)]
    pub push: bool,
    /// Hand the images to the engine, where the builder keeps them to itself.
    #[arg(long, conflicts_with = "push")]
    pub load: bool,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Write bake's metadata of the images (digests) to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub metadata_file: Option<PathBuf>,
    /// Only for these platforms [default: this machine's; all with --push to a registry elsewhere].
    #[arg(long, value_delimiter = ',', value_name = "PLATFORM", value_parser = platform)]
    pub(crate) platform: Vec<Platform>,
    /// The buildx builder.
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Build without the cache.
    #[arg(long)]
    pub no_cache: bool,
    /// Print the images as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Smoke {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    #[command(flatten)]
    pub running: Running,
    /// Test the images in one server, all of them where none is named, in place of one server for each.
    #[arg(long, conflicts_with = "image")]
    pub together: bool,
    /// Test this image (a tag or a digest) instead of building one; for a single extension.
    #[arg(long, value_name = "REFERENCE", conflicts_with = "metadata_files")]
    pub image: Option<String>,
    /// Test existing images, without building.
    #[arg(long, conflicts_with_all = ["image", "metadata_files"])]
    pub no_bake: bool,
    /// Test again what has passed before and is unchanged.
    #[arg(long)]
    pub retest: bool,
    #[command(flatten)]
    pub written: MetadataFiles,
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
pub struct Manifest {
    #[command(flatten)]
    pub extension: OneExtension,
    /// The distro, where it is built for several.
    #[arg(long, value_name = "DISTRO")]
    pub distro: Option<String>,
    /// The PostgreSQL major, where it is built for several.
    #[arg(long, value_name = "MAJOR")]
    pub pg: Option<String>,
    /// Take the images from a `ClusterImageCatalog`: that of `catalogs`, or `--catalog=NAME`.
    #[arg(
        long,
        value_name = "NAME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    pub catalog: Option<String>,
    /// Print the documents as a list in JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Sandbox {
    #[command(subcommand)]
    pub command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Create or repair the sandbox, and start its engine.
    Up,
    /// Show what exists.
    Status {
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run a command inside, in the current folder; the sandbox is started when needed.
    Exec {
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "COMMAND"
        )]
        command: Vec<OsString>,
    },
    /// Stop the sandbox and delete all that belongs to it.
    Down {
        /// Stop the engine but keep the files, so that the next `up` is quick.
        #[arg(long)]
        keep: bool,
    },
    /// The sandbox's first process; `up` starts it.
    #[command(hide = true)]
    Init {
        folder: PathBuf,
        repository: PathBuf,
    },
}

#[derive(Args, Debug)]
pub struct Config {
    /// Print them as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Completions {
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub struct Man {
    /// The folder: pages that are there are written anew, other files stay.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Print the pages as JSON.
    #[arg(long)]
    pub json: bool,
}
