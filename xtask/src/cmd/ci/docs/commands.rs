// SPDX-License-Identifier: Apache-2.0
//! The reference of commands and options, made of the command line as it is parsed.

use clap::{Arg, Command};

use super::{MADE, cell, code, sentence};
use crate::cli;

/// Tables of options have these columns.
const COLUMNS: &str = "| option | means |\n|---|---|\n";

pub(super) fn document() -> String {
    let mut command = cli::command();
    command.build();
    let mut text = format!(
        "{MADE}\n# Commands and options\n\n\
         Every command is `cargo xtask` with one of the words below, and takes the options that [all take](#what-every-command-takes). \
         `-h` behind a command says the same in short, `--help` in full. [BUILD.md](../../BUILD.md) is the guide, \
         [settings.md](settings.md) has the settings behind many options.\n"
    );
    text += "\n## What every command takes\n\n";
    let global = command.get_arguments().filter(|arg| arg.is_global_set());
    text += &options(global);
    for sub in shown(&command) {
        section(sub, &format!("cargo xtask {}", sub.get_name()), &mut text);
    }
    text
}

/// The commands below one that people see.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

fn section(command: &Command, path: &str, text: &mut String) {
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.map_or_else(String::new, |about| sentence(&about.to_string()));
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    *text += &format!("\n## {path}\n\n{about}\n\n```usage\n{usage}\n```\n");
    let named = command.get_arguments().filter(|arg| arg.is_positional());
    let named: Vec<&Arg> = named.filter(|arg| !arg.is_hide_set()).collect();
    if !named.is_empty() {
        *text += "\n| argument | means |\n|---|---|\n";
        for arg in named {
            *text += &row(&arg.to_string(), arg);
        }
    }
    let own = |arg: &&Arg| !arg.is_positional() && !arg.is_global_set() && !arg.is_hide_set();
    let mut headings: Vec<&str> = Vec::new();
    for arg in command.get_arguments().filter(own) {
        let heading = arg.get_help_heading().unwrap_or_default();
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        *text += &format!("\n{heading}:\n\n");
        let here = command.get_arguments().filter(own);
        *text += &options(here.filter(|arg| arg.get_help_heading() == Some(heading)));
    }
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string();
        let lines = examples.lines().skip(1).map(str::trim);
        let lines: Vec<&str> = lines.collect();
        *text += &format!("\n```bash\n{}\n```\n", lines.join("\n"));
    }
    for sub in shown(command) {
        section(sub, &format!("{path} {}", sub.get_name()), text);
    }
}

/// A table of options, the common ones first.
fn options<'a>(options: impl Iterator<Item = &'a Arg>) -> String {
    let mut options: Vec<&Arg> = options.collect();
    options.sort_by_key(|arg| arg.get_display_order());
    let rows = options.iter().map(|arg| {
        let short = arg.get_short().map(|short| format!("-{short}, "));
        let long = arg.get_long().unwrap_or_default();
        let value = match (arg.get_value_names(), arg.get_action().takes_values()) {
            (Some(names), true) => format!(" <{}>", names.join("> <")),
            _ => String::new(),
        };
        row(
            &format!("{}--{long}{value}", short.unwrap_or_default()),
            arg,
        )
    });
    COLUMNS.to_owned() + &rows.collect::<String>()
}

fn row(name: &str, arg: &Arg) -> String {
    let help = arg.get_long_help().or_else(|| arg.get_help());
    let mut means = help.map_or_else(String::new, |help| sentence(&help.to_string()));
    let values = arg.get_possible_values();
    let values = values.iter().filter(|value| !value.is_hide_set());
    let values: Vec<String> = values.map(|value| code(value.get_name())).collect();
    if !values.is_empty() && arg.get_action().takes_values() {
        means += &format!(" One of {}.", values.join(", "));
    }
    if let Some(variable) = arg.get_env() {
        means += &format!(
            " In the environment: {}.",
            code(&variable.to_string_lossy())
        );
    }
    format!("| {} | {} |\n", cell(&code(name)), cell(&means))
}
