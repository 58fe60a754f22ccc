// SPDX-License-Identifier: Apache-2.0
//! `sign`: signatures for images that are in a registry.

use serde::Serialize;

use crate::{
    cli,
    context::{Context, images, signer},
    engine::Access,
    event::{Outcome, StepReport},
    plan::{AfterFailure, Plan, StepId},
    stage::{pushed::Pushed, signature},
    ui,
    verdict::Verdict,
};

pub(super) fn run(args: &cli::Sign, context: &mut Context) -> anyhow::Result<()> {
    let signer = signer::of(context, &args.signing, args.dry_run)?;
    let access = Access::Share.or_look(args.dry_run);
    let chosen = images::located(context, &args.images, access)?;
    let mut plan = Plan {
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
    let mut add = |image: &Pushed| plan.add(signature::sign(&image.title, &image.image, &signer));
    let steps: Vec<StepId> = chosen.images.iter().map(&mut add).collect();
    let engine = &chosen.engine;
    if engine.is_looked_at() {
        context.print(engine, &plan);
        return Ok(chosen.read?);
    }
    let report = context.run(&engine.exec, &plan)?;
    let rows = chosen.images.iter().zip(&steps);
    let rows: Vec<Row> = rows
        .map(|(image, step)| Row::of(image, report.step(*step)))
        .collect();
    context.rows(args.json, &rows)?;
    context.verdict(&report, "signing")?;
    chosen.read?;
    let unchanged = rows.iter().map(|row| row.unchanged);
    let conclusion = ui::images("signed", unchanged, "signed with this key before");
    context.ui.conclusion(&conclusion);
    Ok(())
}

/// What became of an image.
#[derive(Serialize)]
struct Row {
    result: Verdict,
    /// It had a signature of this key.
    unchanged: bool,
    title: String,
    image: String,
}

impl Row {
    fn of(image: &Pushed, step: &StepReport) -> Self {
        let unchanged = matches!(step.outcome, Outcome::Unchanged(_));
        Self {
            result: if unchanged {
                Verdict::Passed
            } else {
                step.outcome.verdict()
            },
            unchanged,
            title: image.title.clone(),
            image: image.image.to_string(),
        }
    }
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &["RESULT", "IMAGE"];

    fn cells(&self) -> Vec<String> {
        let result = match self.result {
            Verdict::Passed if self.unchanged => "unchanged",
            Verdict::Passed => "signed",
            other => other.word(),
        };
        vec![result.to_owned(), self.image.clone()]
    }
}
