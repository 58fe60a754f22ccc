// SPDX-License-Identifier: Apache-2.0
//! `verify`: whether images in a registry are signed by whom they are to be.

use serde::Serialize;

use crate::{
    cli,
    context::{Context, images},
    engine::Access,
    event::StepReport,
    failure::Failure,
    plan::{AfterFailure, Plan},
    stage::{
        pushed::Pushed,
        signature::{self, Verified},
    },
    tool::cosign::{Key, Pattern, Trusted},
    ui,
    verdict::{self, Verdict},
};

pub(super) fn run(args: &cli::Verify, context: &mut Context) -> anyhow::Result<()> {
    let trusted = trusted(args, context)?;
    let access = Access::Share.or_look(args.dry_run);
    let chosen = images::located(context, &args.images, access)?;
    let mut plan = Plan {
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
    let mut steps = Vec::new();
    for image in &chosen.images {
        let (step, verified) = signature::verify(&image.title, &image.image, &trusted);
        steps.push((plan.add(step), verified));
    }
    let engine = &chosen.engine;
    if engine.is_looked_at() {
        context.print(engine, &plan);
        return Ok(chosen.read?);
    }
    let report = context.run(&engine.exec, &plan)?;
    let rows = chosen.images.iter().zip(&steps);
    let rows: Vec<Row> = rows
        .map(|(image, (step, verified))| Row::of(image, report.step(*step), verified))
        .collect();
    context.rows(args.json, &rows)?;
    context.verdict(&report, "verification")?;
    chosen.read?;
    let passed = verdict::passed(rows.iter().map(|row| row.result));
    context.ui.conclusion(&passed);
    Ok(())
}

/// Whose signature is wanted.
fn trusted(args: &cli::Verify, context: &Context) -> Result<Trusted, Failure> {
    if let Some(key) = &args.key {
        let key: Key = key.parse()?;
        let key = key.resolved(|path| context.resolve(path));
        images::check_key(&key, context)?;
        return Ok(Trusted::Key(key, args.log.log()));
    }
    let like = args.certificate_identity_regexp.clone().map(Pattern::Like);
    let identity = args
        .certificate_identity
        .clone()
        .map(Pattern::Exactly)
        .or(like);
    match (identity, args.certificate_oidc_issuer.clone()) {
        (Some(identity), Some(issuer)) => {
            args.log.without_key()?;
            Ok(Trusted::Identity { identity, issuer })
        }
        _ => Err(Failure::invalid("whose signature is wanted?").hint(
            "`--key FILE` with the public key, or `--certificate-identity` with `--certificate-oidc-issuer`",
        )),
    }
}

/// What was seen of an image.
#[derive(Serialize)]
struct Row {
    result: Verdict,
    title: String,
    image: String,
    /// How many have passed.
    signatures: usize,
}

impl Row {
    fn of(image: &Pushed, step: &StepReport, verified: &Verified) -> Self {
        Self {
            result: step.outcome.verdict(),
            title: image.title.clone(),
            image: image.image.to_string(),
            signatures: verified.count().unwrap_or_default(),
        }
    }
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &["RESULT", "SIGNATURES", "IMAGE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.result.word().to_owned(),
            self.signatures.to_string(),
            self.image.clone(),
        ]
    }
}
