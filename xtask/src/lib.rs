// SPDX-License-Identifier: Apache-2.0
//! Checks, builds and proves PostgreSQL extension images for CloudNativePG.
//!
//! Data flows one way: arguments -> `dialect` -> `cli` -> `config` + `workspace` -> `target` -> a `plan`
//! made by a command -> `run` -> events -> `ui` -> exit code. ARCHITECTURE.md has the map.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests make and read files of their own"
    )
)]

pub mod cli;
mod cmd;
mod config;
mod context;
mod diagnosis;
pub mod dialect;
mod dockerfile;
mod engine;
mod environment;
mod event;
mod exec;
mod extension;
mod failure;
mod finding;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hcl;
mod image;
mod json;
mod mount;
mod own;
mod plan;
mod printable;
mod run;
mod sandbox;
mod stage;
mod symptom;
mod target;
mod template;
mod tool;
mod ui;
mod value;
mod verdict;
mod workspace;
mod yaml;

use std::{ffi::OsString, process::ExitCode};

use clap::FromArgMatches as _;

use crate::{
    cli::{Cli, Format},
    context::Context,
    exec::Exec as _,
    failure::{Failure, FailureRecord},
    ui::Ui,
};

/// Runs the command that `args` (without the program's name) ask for, and says how it ended.
pub fn run(args: Vec<OsString>) -> ExitCode {
    ui::trace();
    let json = args
        .windows(2)
        .any(|pair| pair[0] == "--format" && pair[1] == "json")
        || args.iter().any(|arg| arg == "--format=json");
    let format = if json { Format::Json } else { Format::Text };
    let given = args.clone();
    let failed = |failure: FailureRecord| {
        Ui::new(format, false).failure(&failure);
        ExitCode::from(failure.kind.exit_code())
    };
    match parse(args) {
        Ok(parsed) => match Context::new(&parsed.cli, &parsed.command, &given) {
            Ok(context) => {
                for note in parsed.notes {
                    context.ui.note(&note);
                }
                command(parsed.cli.command, context)
            }
            Err(error) => Err(FailureRecord::of_error(&error)),
        }
        .unwrap_or_else(failed),
        Err(Refused::Clap(error)) => {
            // Help and the version come this way too: clap knows which stream and status each has.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            let text = unfit(&given)
                .or_else(|| (json && error.use_stderr()).then(|| error.render().to_string()));
            if let Some(text) = text {
                Ui::new(format, false).refusal(&text, code);
                return ExitCode::from(code);
            }
            match error.print() {
                Ok(()) => ExitCode::from(code),
                Err(_) => ExitCode::from(2),
            }
        }
        Err(Refused::Dialect(failure)) => failed(FailureRecord::from(&failure)),
    }
}

/// Runs a command to its end, which its record says too.
fn command(command: cli::Command, mut context: Context) -> Result<ExitCode, FailureRecord> {
    let ended = cmd::run(command, &mut context).map_err(|error| {
        // A question to a tool that was cut off is no fault of the tool.
        if context.exec.interrupted() {
            FailureRecord::from(&Failure::interrupted())
        } else {
            FailureRecord::of_error(&error)
        }
    });
    let code = match &ended {
        Ok(code) if context.ui.complete() => *code,
        Ok(_) => 1,
        Err(failure) => failure.kind.exit_code(),
    };
    context.end(code, ended.as_ref().err());
    ended.map(|_| ExitCode::from(code))
}

/// What clap says of arguments that nobody should see as they are, for a terminal's sake or a login's: it is
/// asked again, with arguments that are fit. None: they were.
fn unfit(args: &[OsString]) -> Option<String> {
    let fit: Vec<OsString> = args
        .iter()
        .map(|arg| value::without_logins(&printable::printable(&arg.to_string_lossy())).into())
        .collect();
    if fit == args {
        return None;
    }
    match parse(fit) {
        Err(Refused::Clap(error)) => Some(error.render().to_string()),
        Err(Refused::Dialect(failure)) => Some(ui::words(&(&failure).into())),
        Ok(_) => None,
    }
}

enum Refused {
    Dialect(Failure),
    Clap(clap::Error),
}

/// What the arguments ask for.
struct Parsed {
    cli: Cli,
    /// The command without its arguments: `e2e test-full`.
    command: String,
    /// What is to be said of how they were read.
    notes: Vec<String>,
}

fn parse(args: Vec<OsString>) -> Result<Parsed, Refused> {
    refuse_password(&args).map_err(Refused::Dialect)?;
    // The dialect is made of words; an argument that is not UTF-8 can only be a path, for clap.
    let words: Result<Vec<String>, _> = args.iter().cloned().map(OsString::into_string).collect();
    let mut command = cli::command();
    let (args, notes) = match words {
        Ok(words) => {
            let read = dialect::canonical(&command, words, &|name| std::env::var_os(name));
            let read = read.map_err(Refused::Dialect)?;
            (
                read.words.into_iter().map(OsString::from).collect(),
                read.notes,
            )
        }
        Err(_) => (args, Vec::new()),
    };
    let args = std::iter::once(OsString::from("cargo xtask")).chain(args);
    let mut matches = command
        .try_get_matches_from_mut(args)
        .map_err(Refused::Clap)?;
    let named = named(&matches);
    let cli = Cli::from_arg_matches_mut(&mut matches);
    let cli = cli.map_err(|error| Refused::Clap(error.format(&mut command)))?;
    Ok(Parsed {
        cli,
        command: named,
        notes,
    })
}

/// The words of the command that was found.
fn named(matches: &clap::ArgMatches) -> String {
    let mut words = Vec::new();
    let mut next = matches.subcommand();
    while let Some((word, inner)) = next {
        words.push(word);
        next = inner.subcommand();
    }
    words.join(" ")
}

/// Refuses a password among the arguments, whatever the command, and without repeating it: what is there
/// everybody on this machine can read.
fn refuse_password(args: &[OsString]) -> Result<(), Failure> {
    let is_password = |arg: &OsString| {
        let text = arg.to_string_lossy();
        let name = text.split_once('=').map(|(name, _)| name.to_uppercase());
        name.is_some_and(|name| failure::nearest(&name, [plan::PASSWORD]).is_some())
    };
    if !args.iter().any(is_password) {
        return Ok(());
    }
    let message =
        "`REGISTRY_PASSWORD` must not be an argument, which everybody on this machine can read";
    Err(Failure::invalid(message).hint(
        "put it into the environment: `read -rs REGISTRY_PASSWORD; export REGISTRY_PASSWORD`",
    ))
}
