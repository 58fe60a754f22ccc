// SPDX-License-Identifier: Apache-2.0
//! `sign`: signatures for images that are in a registry.

use serde::Serialize;

use crate::{
    cli,
    context::{Context, images},
    engine::Access,
    event::{Outcome, StepReport},
    failure::Failure,
    plan::{AfterFailure, Plan, SIGNING_PASSWORD, StepId},
    stage::{pushed::Pushed, signature},
    tool::cosign::{Key, Signer},
    ui,
    verdict::Verdict,
};

pub(super) fn run(args: &cli::Sign, context: &mut Context) -> anyhow::Result<()> {
    let signer = signer(args, context)?;
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
    context.ui.conclusion(&conclusion(&rows));
    Ok(())
}

/// With what is signed. Refuses what cosign would ask a person for: which key, a browser, a password.
fn signer(args: &cli::Sign, context: &Context) -> Result<Signer, Failure> {
    let Some(key) = &args.key else {
        if args.keyless {
            args.log.without_key()?;
            return Ok(Signer::Keyless);
        }
        return Err(Failure::invalid("with what is to be signed?")
            .hint("`--key FILE`, or `--keyless` where a CI system proves who is signing"));
    };
    let key: Key = key.parse()?;
    let key = key.resolved(|path| context.resolve(path));
    images::check_key(&key)?;
    if key.has_password() && !args.dry_run && std::env::var_os(SIGNING_PASSWORD).is_none() {
        return Err(Failure::invalid(format!(
            "the key's password is not in the environment variable `{SIGNING_PASSWORD}`"
        ))
        .hint(
            "set it, to nothing for a key without one; no argument and no setting takes a password",
        ));
    }
    Ok(Signer::Key(key, args.log.log()))
}

fn conclusion(rows: &[Row]) -> String {
    let unchanged = rows.iter().filter(|row| row.unchanged).count();
    let all = match rows.len() {
        1 => "1 image".to_owned(),
        count => format!("{count} images"),
    };
    match unchanged {
        0 => format!("{all} signed"),
        _ if unchanged == rows.len() => format!("{all} unchanged: signed with this key before"),
        _ => format!("{all} signed, {unchanged} of them before"),
    }
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
        let unchanged = matches!(step.outcome, Outcome::Skipped(_));
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
