// SPDX-License-Identifier: Apache-2.0
//! `init`: writes what a repository needs to be driven by this program, by what is in it. What is there already stays as it is.

mod found;
mod note;
mod revision;
mod written;

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::{
    cli,
    context::Context,
    failure::Failure,
    plan::{Action, Location, Plan, Step},
    ui::{Row, Table},
};

use found::{Found, Successor};
use revision::Revision;
use written::{ACTION, State, Wanted};

pub(super) fn run(args: &cli::Init, context: &mut Context) -> anyhow::Result<()> {
    if context.root.join("xtask/Cargo.toml").exists() {
        return Err(Failure::invalid(
            "this repository has the source of `cargo xtask`, and with it all that `init` would write",
        )
        .hint("`init` is for repositories without it")
        .into());
    }
    let found = Found::look(&context.root, &context.config)?;
    let revision = Revision::choose(args, &context.root, &context.exec)?;
    let mut wanted = written::files(&found, &args.source, &revision.commit);
    let states = wanted.iter().map(|file| file.state(&context.root));
    let mut states = states.collect::<Result<Vec<State>, Failure>>()?;
    let note = note::of(&found, &wanted, &states);
    states.push(note.state(&context.root)?);
    wanted.push(note);
    let plan = plan(&wanted, &states);
    if args.dry_run {
        context.print_local(&plan);
        return Ok(());
    }
    if plan.steps.is_empty() {
        show(&wanted, &states, &found, args.json, context)?;
        let said = "nothing to write: all of it is there";
        context.ui.conclusion(said);
        return Ok(());
    }
    let exec = context.exec.clone();
    let report = context.run(&exec, &plan)?;
    context.verdict(&report, "the files")?;
    show(&wanted, &states, &found, args.json, context)?;
    let is_new =
        |path: &str| new(&wanted, &states).any(|file| file.path.as_path() == Path::new(path));
    if revision.is_asked {
        context.ui.note(&format!(
            "workflows install the program of commit {}, the newest of `{}` now",
            revision.commit, args.source
        ));
    }
    let file = note::FILE;
    context.ui.conclusion(&if is_new(file) {
        format!("{file} says what comes next")
    } else {
        format!("{file} was there and is kept: what comes next is not said in it")
    });
    Ok(())
}

/// Writes what is not there; what was written is said at the end.
fn plan(wanted: &[Wanted], states: &[State]) -> Plan {
    let mut plan = Plan::default();
    for file in new(wanted, states) {
        let path = Location::Repository(file.path.clone());
        let folder = file
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map(|folder| {
            let folder = Location::Repository(folder.to_owned());
            let name = format!("folder of {}", file.path.display());
            plan.add(Step::new(name, Action::Folder(folder)).quiet())
        });
        let contents = file.text.clone();
        let write = Action::WriteNew { path, contents };
        let step = Step::new(format!("write {}", file.path.display()), write);
        plan.add(step.after(folder).quiet());
    }
    plan
}

/// The files that are not there.
fn new<'a>(wanted: &'a [Wanted], states: &'a [State]) -> impl Iterator<Item = &'a Wanted> {
    let files = wanted.iter().zip(states);
    let new = files.filter(|(_, state)| **state == State::New);
    new.map(|(file, _)| file)
}

/// What has become of a file.
#[derive(Serialize)]
struct Written {
    file: String,
    result: &'static str,
    /// What it is for, or how what is there differs.
    about: String,
}

impl Row for Written {
    const HEADINGS: &'static [&'static str] = &["RESULT", "FILE", "ABOUT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.result.to_owned(),
            self.file.clone(),
            self.about.clone(),
        ]
    }
}

fn show(
    wanted: &[Wanted],
    states: &[State],
    found: &Found,
    json: bool,
    context: &mut Context,
) -> anyhow::Result<()> {
    let rows = wanted.iter().zip(states).map(|(file, state)| Written {
        file: file.path.display().to_string(),
        result: state.word(),
        about: state.about(file),
    });
    let rows: Vec<Written> = rows.collect();
    let value = json!({ "found": found, "files": serde_json::to_value(&rows)? });
    context.result(json, value, &Table::of(&rows));
    Ok(())
}
