// SPDX-License-Identifier: Apache-2.0
//! `runs prune`: the end of old runs' folders. What goes on keeps its own, and so does the run that `--rerun-failed` reads.

use std::time::SystemTime;

use serde::Serialize;

use crate::{
    cli::PruneRuns,
    context::Context,
    failure::Failure,
    own::{self, Doing, KEPT, Keep, RUNS, Removed},
    stage::results,
    ui::{Row, bytes, counted},
};

/// A folder that has gone, or would.
#[derive(Serialize)]
struct Pruned {
    folder: String,
    bytes: u64,
    removed: bool,
}

impl Row for Pruned {
    const HEADINGS: &'static [&'static str] = &["FOLDER", "SIZE"];

    fn cells(&self) -> Vec<String> {
        vec![self.folder.clone(), bytes(self.bytes)]
    }
}

pub(super) fn run(args: &PruneRuns, context: &mut Context) -> anyhow::Result<()> {
    let keep = match args.older_than {
        Some(age) => Keep::Since(SystemTime::now().checked_sub(age).ok_or_else(|| {
            Failure::invalid("`--older-than` is longer ago than there has been time")
        })?),
        None => Keep::Newest(args.newest.unwrap_or(KEPT)),
    };
    let doing = if args.dry_run {
        Doing::Look
    } else {
        Doing::Removal
    };
    let tests = results::last_run(&context.root);
    let (gone, failed) = own::prune_below(&context.root, keep, tests.as_deref(), doing)?;
    let rows: Vec<Pruned> = gone.iter().map(|one| pruned(one, doing)).collect();
    context.rows(args.json, &rows)?;
    for error in &failed {
        context.ui.warning(&format!("{error:#}"));
    }
    if !failed.is_empty() {
        let count = counted(failed.len(), "run");
        return Err(Failure::failed(format!("{count} could not be removed")).into());
    }
    let (count, size) = (
        counted(gone.len(), "run"),
        gone.iter().map(|one| one.bytes).sum(),
    );
    let size = bytes(size);
    context.ui.conclusion(&match (gone.len(), doing) {
        (0, _) => format!("there is nothing to remove in `{RUNS}`"),
        (_, Doing::Look) => format!("{count} would be removed, {size}"),
        (_, Doing::Removal) => format!("{count} removed, {size}"),
    });
    Ok(())
}

fn pruned(one: &Removed, doing: Doing) -> Pruned {
    Pruned {
        folder: format!("{RUNS}/{}", one.name),
        bytes: one.bytes,
        removed: doing == Doing::Removal,
    }
}
