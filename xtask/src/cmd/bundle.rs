// SPDX-License-Identifier: Apache-2.0
//! `bundle`: images and the operator in one file, for a site without a way to their registries.

mod export;
mod import;

use serde::Serialize;

use crate::{cli, context::Context, ui};

pub(super) fn run(args: cli::BundleCommand, context: &mut Context) -> anyhow::Result<()> {
    match args {
        cli::BundleCommand::Export(args) => export::run(&args, context),
        cli::BundleCommand::Import(args) => import::run(&args, context),
    }
}

/// An image of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Row {
    /// As it is called where it comes from.
    image: String,
    digest: String,
    /// Where it was pushed. None: it was not.
    pushed: Option<String>,
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &["IMAGE", "DIGEST", "PUSHED"];

    fn cells(&self) -> Vec<String> {
        let digest = self.digest.get(..19).unwrap_or(&self.digest);
        let pushed = self.pushed.as_deref().unwrap_or("-");
        vec![self.image.clone(), digest.to_owned(), pushed.to_owned()]
    }
}

/// A size as people say it.
fn shown(size: u64) -> String {
    format!("{} MB", size.div_ceil(1_000_000))
}
