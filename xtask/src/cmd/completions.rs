// SPDX-License-Identifier: Apache-2.0
//! `completions`: a script for a shell, which knows the names of the extensions.

use std::path::Path;

use clap::{
    Command,
    builder::{PossibleValue, PossibleValuesParser},
};

use crate::{
    cli::{self, Completions},
    context::Context,
    failure::Failure,
};

pub(super) fn run(args: &Completions, context: &mut Context) -> anyhow::Result<()> {
    let workspace = context.workspace()?;
    let names: Vec<String> = workspace.names().map(str::to_owned).collect();
    let mut command = cli::command();
    for sub in ["checks", "bake", "smoke"] {
        command = command.mut_subcommand(sub, |sub| offering(sub, &names));
    }
    command = command.mut_subcommand("e2e", |e2e| {
        e2e.mut_subcommands(|sub| offering(sub, &names))
    });
    // Shells complete the program that is typed first; `cargo xtask` is two words, so the scripts are
    // for the binary's own name, to be used as `alias xtask='cargo xtask'` or with target/debug on PATH.
    command = command.name("xtask").bin_name("xtask");
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "xtask", &mut script);
    let text = String::from_utf8(script).map_err(|_| {
        Failure::failed(format!(
            "the script for {} is not UTF-8",
            Path::new("xtask").display()
        ))
    })?;
    context.ui.data(&text);
    Ok(())
}

/// A command whose extensions, where it takes any, are offered by name.
fn offering(command: Command, names: &[String]) -> Command {
    command.mut_args(|arg| {
        if matches!(arg.get_id().as_str(), "targets" | "more") {
            arg.value_parser(PossibleValuesParser::new(
                names.iter().map(PossibleValue::new),
            ))
        } else {
            arg
        }
    })
}
