// SPDX-License-Identifier: Apache-2.0
//! The commands, one file each: arguments and workspace in, a plan out, and what to say at the end.

mod bake;
mod bundle;
mod catalogs;
mod checks;
mod ci;
mod completions;
mod config;
mod create_extension;
mod e2e;
mod init;
mod inspect;
mod installcheck;
mod licences;
mod man;
mod manifest;
mod prereqs;
mod promote;
mod report;
mod runs;
mod sandbox;
mod sbom;
mod scan;
mod sign;
mod smoke;
mod status;
mod targets;
mod update_os_libs;
mod upgrade_paths;
mod verify;
mod versions;

use crate::{cli::Command, context::Context};

/// Runs a command. Gives the exit code of one that has not failed.
pub(crate) fn run(command: Command, context: &mut Context) -> anyhow::Result<u8> {
    match command {
        Command::Prereqs(args) => prereqs::run(&args, context)?,
        Command::Targets(args) => targets::run(&args, context)?,
        Command::Checks(args) => checks::run(&args, context)?,
        Command::Bake(args) => bake::run(&args, context)?,
        Command::Smoke(args) => smoke::run(&args, context)?,
        Command::Installcheck(args) => installcheck::run(&args, context)?,
        Command::UpgradePaths(args) => upgrade_paths::run(&args, context)?,
        Command::Status(args) => status::run(&args, context)?,
        Command::Inspect(args) => inspect::run(&args, context)?,
        Command::Bundle(args) => bundle::run(args.command, context)?,
        Command::Catalogs(args) => catalogs::run(&args, context)?,
        Command::Licences(args) => licences::run(&args, context)?,
        Command::Scan(args) => scan::run(&args, context)?,
        Command::Manifest(args) => manifest::run(&args, context)?,
        Command::CreateExtension(args) => create_extension::run(&args, context)?,
        Command::UpdateOsLibs(args) => update_os_libs::run(&args, context)?,
        Command::Versions(args) => versions::run(&args, context)?,
        Command::Init(args) => init::run(&args, context)?,
        Command::E2e(args) => return e2e::run(args.command, context),
        Command::Promote(args) => promote::run(&args, context)?,
        Command::Sign(args) => sign::run(&args, context)?,
        Command::Verify(args) => verify::run(&args, context)?,
        Command::Sbom(args) => sbom::run(&args, context)?,
        Command::Sandbox(args) => return sandbox::run(args.command, context),
        Command::Report(args) => report::run(&args, context)?,
        Command::Runs(args) => runs::run(&args, context)?,
        Command::Config(args) => config::run(&args, context)?,
        Command::Completions(args) => completions::run(&args, context)?,
        Command::Man(args) => man::run(&args, context)?,
        Command::Ci(args) => ci::run(&args, context)?,
    }
    Ok(0)
}
