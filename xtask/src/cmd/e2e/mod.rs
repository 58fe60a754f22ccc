// SPDX-License-Identifier: Apache-2.0
//! `e2e`: images in CloudNativePG, on a kind cluster or an existing one.

mod cleanup;
mod export_kubeconfig;
mod generate_values;
mod psql;
mod results;
mod setup_env;
mod status;
mod suite;
mod test;
mod test_full;
mod upgrade_test;

use crate::{cli::e2e::E2eCommand, context::Context, failure::Failure};

pub(super) fn run(command: E2eCommand, context: &mut Context) -> anyhow::Result<u8> {
    match command {
        E2eCommand::SetupEnv(args) => setup_env::run(&args, context)?,
        E2eCommand::ExportKubeconfig(args) => export_kubeconfig::run(&args, context)?,
        E2eCommand::GenerateValues(args) => generate_values::run(&args, context)?,
        E2eCommand::Test(args) => test::run(&args, context)?,
        E2eCommand::TestFull(args) => test_full::run(&args, context)?,
        E2eCommand::UpgradeTest(args) => upgrade_test::run(&args, context)?,
        E2eCommand::Status(args) => return status::run(&args, context),
        E2eCommand::Psql(args) => return psql::run(&args, context),
        E2eCommand::Cleanup(args) => cleanup::run(&args, context)?,
    }
    Ok(0)
}

/// The one extension that was named.
fn one<'a>(targets: &'a [String], more: &'a [String]) -> Result<&'a str, Failure> {
    let mut names = targets.iter().chain(more);
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.trim_end_matches('/')),
        (None, _) => {
            Err(Failure::invalid("which extension?")
                .hint("name one: `cargo xtask targets` lists them"))
        }
        _ => Err(Failure::invalid("one extension at a time")),
    }
}
