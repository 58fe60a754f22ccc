// SPDX-License-Identifier: Apache-2.0
//! What `init` is told: where workflows get the program from.

use clap::Args;

use crate::{tool::git, value::Url};

#[derive(Args, Debug)]
pub struct Init {
    /// The commit of the program that workflows install [default: the newest of the source now].
    #[arg(long, value_name = "COMMIT", value_parser = commit)]
    pub revision: Option<String>,
    /// The repository that they install it from.
    #[arg(long, value_name = "URL", default_value = env!("CARGO_PKG_REPOSITORY"), value_parser = url)]
    pub source: String,
    /// Print the commands instead of running them.
    #[arg(long)]
    pub dry_run: bool,
    /// Print what was found and what was written as JSON.
    #[arg(long)]
    pub json: bool,
}

fn commit(text: &str) -> Result<String, String> {
    let wanted = "it must be a commit's 40 hexadecimal digits: `git rev-parse HEAD` prints them";
    git::is_commit(text)
        .then(|| text.to_owned())
        .ok_or_else(|| wanted.to_owned())
}

/// An address that stands between quotes in YAML.
fn url(text: &str) -> Result<String, String> {
    text.parse::<Url>()
        .map_err(|wanted| format!("it must be {wanted}"))?;
    // A workflow's expressions are evaluated wherever they stand.
    if text.contains(['$', '{', '}', '\\']) {
        return Err("it must be an address without `$`, `{` and `}`".to_owned());
    }
    Ok(text.to_owned())
}
