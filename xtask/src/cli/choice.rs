// SPDX-License-Identifier: Apache-2.0
//! Arguments that several commands have: of which extensions, of which of their images, and how.

use std::{path::PathBuf, str::FromStr as _};

use clap::Args;

use crate::{
    config,
    failure::Failure,
    plan::AfterFailure,
    target::{Filter, Shard},
    workspace::Selection,
};

/// Which extensions.
#[derive(Args, Clone, Debug, Default)]
pub struct Extensions {
    /// Extensions, by directory name.
    #[arg(value_name = "TARGET", value_delimiter = ',')]
    pub targets: Vec<String>,
    /// The same, as an option.
    #[arg(long = "target", value_name = "TARGET", value_delimiter = ',')]
    pub more: Vec<String>,
    /// All extensions.
    #[arg(long, conflicts_with_all = ["targets", "more"])]
    pub all: bool,
}

/// Each name once.
impl From<&Extensions> for Selection {
    fn from(args: &Extensions) -> Self {
        if args.all {
            return Self::All;
        }
        let mut names: Vec<String> = Vec::new();
        for name in args.targets.iter().chain(&args.more) {
            let name = directory(name);
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Self::Named(names)
    }
}

/// What was built before.
#[derive(Args, Clone, Debug, Default)]
pub struct MetadataFiles {
    /// The images that `bake --push --metadata-file` has written down. By digest and without building; several files with commas or
    /// the option again; with targets only theirs.
    #[arg(long = "metadata-file", value_name = "FILE", value_delimiter = ',')]
    pub metadata_files: Vec<PathBuf>,
}

impl MetadataFiles {
    /// The extensions that are named, or else those that the files speak of.
    pub(crate) fn selection(&self, extensions: &Extensions) -> Selection {
        let named = Selection::from(extensions);
        if named.is_none() && !self.metadata_files.is_empty() {
            return Selection::Written;
        }
        named
    }
}

/// The one extension.
#[derive(Args, Clone, Debug, Default)]
pub struct OneExtension {
    /// The extension, by directory name.
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// The same, as an option.
    #[arg(long = "target", value_name = "TARGET")]
    pub more: Vec<String>,
}

impl OneExtension {
    /// The one that was named. Refuses none, and several.
    pub(crate) fn name(&self) -> Result<&str, Failure> {
        let mut names = self.targets.iter().chain(&self.more);
        match (names.next(), names.next()) {
            (Some(name), None) => Ok(directory(name)),
            (None, _) => Err(Failure::invalid("which extension?")
                .hint("name one: `cargo xtask targets` lists them")),
            _ => Err(Failure::invalid("one extension at a time")),
        }
    }
}

/// Shells complete directories with their slash.
fn directory(name: &str) -> &str {
    name.trim_end_matches('/')
}

/// Which images of the extensions.
#[derive(Args, Clone, Debug, Default)]
pub struct Filters {
    /// Only for these distros (Debian suites, like `trixie`).
    #[arg(long, value_delimiter = ',', value_name = "DISTRO")]
    pub distro: Vec<String>,
    /// Only for these PostgreSQL majors. With `--base debian` also others than `metadata.hcl` names, where the archive has them.
    #[arg(long, value_delimiter = ',', value_name = "MAJOR")]
    pub pg: Vec<String>,
    /// Only the i-th of n shares of the images: what one machine of several builds and tests.
    #[arg(long, value_name = "I/N", value_parser = Shard::from_str)]
    pub shard: Option<Shard>,
}

impl From<&Filters> for Filter {
    fn from(args: &Filters) -> Self {
        Self {
            distros: args.distro.clone(),
            majors: args.pg.clone(),
            shard: args.shard,
            ..Self::default()
        }
    }
}

/// How to run.
#[derive(Args, Clone, Debug, Default)]
pub struct Running {
    /// How many builds or tests at the same time [default: one per extension, at most eight].
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(config::AT_ONCE.counted()))]
    pub jobs: Option<u32>,
    /// After a failure, still do what does not depend on it. With `--all` that is always so.
    #[arg(long)]
    pub keep_going: bool,
}

impl Running {
    /// Where none was named, one that fails stops no other.
    pub(crate) fn after_failure(&self, selection: &Selection) -> AfterFailure {
        if self.keep_going || !selection.is_named() {
            AfterFailure::KeepGoing
        } else {
            AfterFailure::Stop
        }
    }
}
