// SPDX-License-Identifier: Apache-2.0
//! The command line of what is done with images once they are pushed.

use std::path::PathBuf;

use clap::Args;

use super::{Extensions, Filters, MetadataFiles, platform};
use crate::{
    failure::Failure,
    tool::cosign::Log,
    value::{Platform, Registry},
};

/// A place for images, which is a part of references.
pub(super) fn registry(text: &str) -> Result<Registry, String> {
    text.parse()
        .map_err(|wanted| format!("it must be {wanted}"))
}

/// Which images, that are in a registry: of extensions by their names, any other by its reference.
#[derive(Args, Clone, Debug, Default)]
pub struct Images {
    #[command(flatten)]
    pub extensions: Extensions,
    #[command(flatten)]
    pub filters: Filters,
    #[command(flatten)]
    pub written: MetadataFiles,
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

/// Which images, where they are now.
#[derive(Args, Clone, Debug, Default)]
pub struct Located {
    #[command(flatten)]
    pub images: Images,
    /// The images as `promote --to` has copied them to this registry.
    #[arg(long, value_name = "REGISTRY", value_parser = registry)]
    pub(crate) promoted_to: Option<Registry>,
}

/// Whether the public transparency log has a part in it.
#[derive(Args, Clone, Debug, Default)]
pub struct TransparencyLog {
    /// Without the public transparency log: nothing is published there or wanted from there. Only with a key.
    #[arg(long)]
    pub no_transparency_log: bool,
}

impl TransparencyLog {
    /// Refuses to leave it out where a certificate is proven by nothing else.
    pub(crate) fn without_key(&self) -> Result<(), Failure> {
        if !self.no_transparency_log {
            return Ok(());
        }
        Err(Failure::invalid("`--no-transparency-log` is for keys: that a certificate was valid when it signed, only the log proves")
            .hint("add `--key`, or leave it out"))
    }

    pub(crate) fn log(&self) -> Log {
        if self.no_transparency_log {
            Log::None
        } else {
            Log::Public
        }
    }
}

/// With what is signed.
#[derive(Args, Clone, Debug, Default)]
pub struct Signing {
    /// The key: a file, `env://VARIABLE`, or the URI of a key service (`awskms://…`). Its password comes from `COSIGN_PASSWORD`.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Without a key: with a certificate for the identity that the CI system proves.
    #[arg(long, conflicts_with = "key")]
    pub keyless: bool,
    #[command(flatten)]
    pub log: TransparencyLog,
}

#[derive(Args, Debug)]
pub struct Sign {
    #[command(flatten)]
    pub images: Located,
    #[command(flatten)]
    pub signing: Signing,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print what became of the images as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Verify {
    #[command(flatten)]
    pub images: Located,
    /// The public key: a file, `env://VARIABLE`, or the URI of a key service.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Without a key: who must have signed, as the certificate says it.
    #[arg(long, value_name = "IDENTITY", conflicts_with = "key")]
    pub certificate_identity: Option<String>,
    /// The same as a regular expression of Go's.
    #[arg(long, value_name = "PATTERN", conflicts_with_all = ["key", "certificate_identity"])]
    pub certificate_identity_regexp: Option<String>,
    /// Who must have proven that identity: `https://token.actions.githubusercontent.com`.
    #[arg(long, value_name = "URL", conflicts_with = "key")]
    pub certificate_oidc_issuer: Option<String>,
    #[command(flatten)]
    pub log: TransparencyLog,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print what was seen of the images as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Sbom {
    #[command(flatten)]
    pub images: Located,
    /// The image for this platform [default: this machine's, or the only one].
    #[arg(long, value_name = "PLATFORM", value_parser = platform)]
    pub(crate) platform: Option<Platform>,
}
