// SPDX-License-Identifier: Apache-2.0
//! `e2e`: images in CloudNativePG, on a kind cluster or an existing one. The way to its commands.

mod cleanup;
mod export_kubeconfig;
mod generate_values;
mod psql;
mod setup_env;
mod status;
mod test;
mod test_full;
mod upgrade;

use crate::{cli::e2e::E2eCommand, context::Context};

pub(super) fn run(command: E2eCommand, context: &mut Context) -> anyhow::Result<u8> {
    match command {
        E2eCommand::SetupEnv(args) => setup_env::run(&args, context)?,
        E2eCommand::ExportKubeconfig(args) => export_kubeconfig::run(&args, context)?,
        E2eCommand::GenerateValues(args) => generate_values::run(&args, context)?,
        E2eCommand::Test(args) => test::run(&args, context)?,
        E2eCommand::TestFull(args) => test_full::run(&args, context)?,
        E2eCommand::UpgradeTest(args) => upgrade::run(&args, context)?,
        E2eCommand::Status(args) => return status::run(&args, context),
        E2eCommand::Psql(args) => return psql::run(&args, context),
        E2eCommand::Cleanup(args) => cleanup::run(&args, context)?,
    }
    Ok(0)
}
