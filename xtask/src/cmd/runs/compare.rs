// SPDX-License-Identifier: Apache-2.0
//! `runs compare`: what is not in one run as it was in another.

use crate::{
    cli::CompareRuns,
    context::Context,
    run::{
        comparison::{Change, Comparison},
        kept,
    },
    ui::{Row, Table, counted},
};

impl Row for Change {
    const HEADINGS: &'static [&'static str] = &["OF", "WHAT", "BEFORE", "NOW"];

    fn cells(&self) -> Vec<String> {
        let what = self.what.word().to_owned();
        vec![self.of.clone(), what, self.before.clone(), self.now.clone()]
    }
}

pub(super) fn run(args: &CompareRuns, context: &mut Context) -> anyhow::Result<()> {
    let before = kept::find(&context.root, &args.before)?.record;
    let after = kept::find(&context.root, &args.after)?.record;
    let compared = Comparison::of(&before, &after);
    let table = Table::of(&compared.changes);
    context.result(args.json, serde_json::to_value(&compared)?, &table);
    let (before, after) = (&before.id, &after.id);
    context
        .ui
        .conclusion(&match (compared.common, compared.changes.len()) {
            (0, _) => format!("{before} and {after} have no image and no step in common"),
            (_, 0) => format!("{after} is as {before} was"),
            (_, count) => format!("{} from {before} to {after}", counted(count, "change")),
        });
    Ok(())
}
