// SPDX-License-Identifier: Apache-2.0
//! `runs`: what was done before, as far as its folders are still there.

mod compare;
mod prune;

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::{
    cli::{Runs, RunsCommand},
    context::Context,
    own,
    run::{
        kept::KeptRun,
        standing::{Counts, Standing},
    },
    ui::{Row, seconds},
};

pub(super) fn run(args: &Runs, context: &mut Context) -> anyhow::Result<()> {
    match &args.command {
        Some(RunsCommand::Compare(args)) => compare::run(args, context),
        Some(RunsCommand::Prune(args)) => prune::run(args, context),
        None => list(args, context),
    }
}

/// A run.
#[derive(Serialize)]
struct Listed {
    id: String,
    started: String,
    /// None: a record of an earlier version.
    command: Option<String>,
    arguments: Vec<String>,
    result: Standing,
    seconds: Option<f64>,
    steps: Counts,
    /// Below the root.
    folder: String,
}

impl Listed {
    fn of(run: &KeptRun) -> Self {
        Self {
            id: run.record.id.clone(),
            started: run.record.started.clone(),
            command: run.record.command.clone(),
            arguments: run.record.arguments.clone(),
            result: run.standing(),
            seconds: run.record.seconds,
            steps: Counts::of(&run.record.steps),
            folder: run.folder().display().to_string(),
        }
    }
}

impl Row for Listed {
    const HEADINGS: &'static [&'static str] =
        &["RUN", "RESULT", "BEGAN", "TIME", "COMMAND", "STEPS"];

    fn cells(&self) -> Vec<String> {
        let took = self
            .seconds
            .and_then(|took| Duration::try_from_secs_f64(took).ok());
        vec![
            self.id.chars().take(8).collect(),
            self.result.word().to_owned(),
            ago(&self.started),
            took.map_or_else(|| "-".to_owned(), seconds),
            self.arguments.join(" "),
            self.steps.words(),
        ]
    }
}

/// `3h ago`, of a time in a record.
fn ago(started: &str) -> String {
    let then = humantime::parse_rfc3339(started).ok();
    let age = then.and_then(|then| SystemTime::now().duration_since(then).ok());
    let Some(age) = age.map(|age| age.as_secs()) else {
        return started.to_owned();
    };
    match age {
        0..60 => format!("{age}s ago"),
        60..3_600 => format!("{}m ago", age / 60),
        3_600..86_400 => format!("{}h ago", age / 3_600),
        _ => format!("{}d ago", age / 86_400),
    }
}

/// The newest first. One that cannot be read is said, and nothing else of it.
fn list(args: &Runs, context: &mut Context) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for found in own::found(&context.root).into_iter().rev() {
        match KeptRun::read(&context.root, found) {
            Ok(run) => rows.push(Listed::of(&run)),
            Err(failure) => context.ui.warning(&failure.to_string()),
        }
    }
    // Folders have seconds in their names, records more.
    rows.sort_by(|one: &Listed, other| other.started.cmp(&one.started));
    context.rows(args.json, &rows)?;
    if !args.json {
        context.ui.conclusion(match rows.len() {
            0 => "there are no runs yet: commands that build or test leave one each",
            _ => "`cargo xtask report RUN` shows one on a page",
        });
    }
    Ok(())
}
