// SPDX-License-Identifier: Apache-2.0
//! The command line of `e2e`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub use crate::environment::Part;
use crate::{config, stage::suites};

use super::{Extensions, Filters, MetadataFiles, OneExtension, Running};

#[derive(Args, Debug)]
pub struct E2e {
    #[command(subcommand)]
    pub command: E2eCommand,
}

#[derive(Debug, Subcommand)]
pub enum E2eCommand {
    /// Create or repair the environment: network, registry, kind cluster, operator.
    SetupEnv(SetupEnv),
    /// Write a kubeconfig for the cluster; without a path, one for this repository's own use.
    ExportKubeconfig(ExportKubeconfig),
    /// Write the values that the Chainsaw suites read, from an image's annotations.
    GenerateValues(GenerateValues),
    /// Run the shared suite and the extension's own, with existing values.
    Test(Test),
    /// Do it all: set up the environment, bake and push, generate values, run the suites.
    TestFull(TestFull),
    /// Replace an image by a newer one under a running database, and update the extension.
    UpgradeTest(UpgradeTest),
    /// Show what exists, in which version, and what differs from what is wanted.
    Status(Status),
    /// Open psql on a database with the extension, or run a statement after `--`.
    Psql(Psql),
    /// Remove everything that the other commands of `e2e` have made, and nothing else.
    Cleanup(Cleanup),
}

/// Which cluster.
#[derive(Args, Clone, Debug, Default)]
pub struct Cluster {
    /// Use an existing cluster instead of kind: its kubeconfig.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context in the kubeconfig [default: its current one].
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// What the environment is to be.
#[derive(Args, Clone, Debug, Default)]
pub struct Environment {
    #[command(flatten)]
    pub cluster: Cluster,
    /// The version of Kubernetes, `1.36.1` [default: that of the node image].
    #[arg(long, value_name = "VERSION")]
    pub kubernetes: Option<String>,
    /// The local registry's port on this machine [default: that of the setting `registry`].
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub registry_port: Option<u16>,
    /// Nodes of the kind cluster.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(config::NODES.counted()))]
    pub nodes: Option<u32>,
    /// Nodes pull images of this registry from another one: `ghcr.io=https://mirror.example`.
    #[arg(long, value_delimiter = ',', value_name = "HOST=URL")]
    pub mirror: Vec<String>,
    /// A private registry that the nodes log in to; its password comes from `REGISTRY_PASSWORD`.
    #[arg(long, value_name = "HOST")]
    pub registry_host: Option<String>,
    /// The user for the private registry.
    #[arg(long, value_name = "NAME")]
    pub registry_username: Option<String>,
}

#[derive(Args, Debug)]
pub struct SetupEnv {
    #[command(flatten)]
    pub environment: Environment,
    /// The operator's release: `main`, `X.Y`, `X.Y.Z`, or the path or URL of a manifest.
    #[arg(long, value_name = "RELEASE")]
    pub cnpg_release: Option<String>,
    /// Only as far as this part, with those before it [default: all].
    #[arg(long, value_enum, value_name = "PART", conflicts_with = "kubeconfig")]
    pub until: Option<Part>,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args, Debug)]
pub struct ExportKubeconfig {
    /// Where to write it; a file that holds other clusters needs `--merge`.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// The same, as an option.
    #[arg(long, value_name = "PATH", conflicts_with = "path")]
    pub kubeconfig: Option<PathBuf>,
    /// With the address for clients in containers on the environment's network.
    #[arg(long)]
    pub internal: bool,
    /// Add the cluster to an existing file, and keep what it holds.
    #[arg(long)]
    pub merge: bool,
}

#[derive(Args, Debug)]
pub struct GenerateValues {
    #[command(flatten)]
    pub extension: OneExtension,
    /// The extension's image [default: the published one].
    #[arg(long, value_name = "REFERENCE")]
    pub extension_image: Option<String>,
    /// The user to read images as, where docker has no login of its own; the password comes from `REGISTRY_PASSWORD`.
    #[arg(long, value_name = "NAME")]
    pub registry_username: Option<String>,
    /// And what changes when this newer image replaces it, for the upgrade suite.
    #[arg(long, value_name = "REFERENCE", requires = "extension_image")]
    pub upgrade_to: Option<String>,
    /// Without an image: of this distro.
    #[arg(long, value_name = "DISTRO", conflicts_with = "extension_image")]
    pub distro: Option<String>,
    /// Without an image: for this PostgreSQL major.
    #[arg(long, value_name = "MAJOR", conflicts_with = "extension_image")]
    pub pg: Option<String>,
    /// Where to write them [default: values.yaml in the extension's directory].
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub cluster: Cluster,
}

/// How suites are run.
#[derive(Args, Clone, Debug, Default)]
pub struct SuiteOptions {
    /// Keep what the suites made in the cluster.
    #[arg(long)]
    pub skip_delete: bool,
    /// Further arguments for `chainsaw test`.
    #[arg(last = true, value_name = "CHAINSAW FLAGS")]
    pub flags: Vec<String>,
}

impl From<&SuiteOptions> for suites::Options {
    fn from(args: &SuiteOptions) -> Self {
        let options = Self::of_chainsaw(&args.flags);
        if args.skip_delete {
            options.skip_delete()
        } else {
            options
        }
    }
}

#[derive(Args, Debug)]
pub struct Test {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub cluster: Cluster,
    #[command(flatten)]
    pub running: Running,
    #[command(flatten)]
    pub suites: SuiteOptions,
    /// Only what failed the last time.
    #[arg(long, conflicts_with_all = ["targets", "more", "all"])]
    pub rerun_failed: bool,
    /// The values to use, for a single extension [default: values.yaml in its directory].
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the results as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct TestFull {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    #[command(flatten)]
    pub environment: Environment,
    /// Releases of the operator, one after the other: `1.29,1.30,main`.
    #[arg(long, value_delimiter = ',', value_name = "RELEASE")]
    pub cnpg_release: Vec<String>,
    #[command(flatten)]
    pub running: Running,
    #[command(flatten)]
    pub suites: SuiteOptions,
    #[command(flatten)]
    pub written: MetadataFiles,
    /// The buildx builder.
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Remove the environment at the end, when all has passed.
    #[arg(long, conflicts_with = "keep")]
    pub cleanup: bool,
    /// Keep values and reports of what has passed as well.
    #[arg(long)]
    pub keep: bool,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the results as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct UpgradeTest {
    #[command(flatten)]
    pub extension: OneExtension,
    /// The older image.
    #[arg(long, value_name = "REFERENCE")]
    pub from: String,
    /// The newer image [default: it is built].
    #[arg(long, value_name = "REFERENCE")]
    pub to: Option<String>,
    #[command(flatten)]
    pub environment: Environment,
    /// The operator's release.
    #[arg(long, value_name = "RELEASE")]
    pub cnpg_release: Option<String>,
    #[command(flatten)]
    pub suites: SuiteOptions,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Status {
    #[command(flatten)]
    pub cluster: Cluster,
    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Psql {
    #[command(flatten)]
    pub extension: OneExtension,
    #[command(flatten)]
    pub cluster: Cluster,
    /// A statement, or several; without one psql is opened.
    #[arg(last = true, value_name = "STATEMENT")]
    pub statements: Vec<String>,
    /// Delete the database instead of opening it.
    #[arg(long)]
    pub delete: bool,
}

#[derive(Args, Debug)]
pub struct Cleanup {
    #[command(flatten)]
    pub cluster: Cluster,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
}
