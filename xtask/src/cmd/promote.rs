// SPDX-License-Identifier: Apache-2.0
//! `promote`: images that have passed their tests go to where users find them, as they are.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    cli,
    context::{
        Context,
        images::{self, Chosen},
    },
    engine::Access,
    event::Outcome,
    failure::{Failure, Section},
    image::ImageRef,
    plan::{AfterFailure, Plan},
    run::Report,
    stage::{
        promotion::{Promotion, Steps},
        proofs::{Proof, Proofs},
        pushed::Pushed,
    },
    ui,
    value::Registry,
    verdict::Verdict,
};

pub(super) fn run(args: &cli::Promote, context: &mut Context) -> anyhow::Result<()> {
    let proofs = proofs(args, context)?;
    let access = Access::Share.or_look(args.dry_run);
    let chosen = images::choose(context, &args.images, access)?;
    let promotions = promotions(args, &chosen)?;
    let tested = gate(proofs.as_ref(), &chosen.images)?;
    for image in chosen.images.iter().filter(|_| proofs.is_none()) {
        context.ui.warning(&format!(
            "`{}` (`{}`) is promoted without a result of `e2e`, as `--untested` says",
            image.title, image.image
        ));
    }
    let mut plan = Plan {
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
    let steps: Vec<Steps> = promotions.iter().map(|one| one.add(&mut plan)).collect();
    let engine = &chosen.engine;
    if engine.is_looked_at() {
        context.print(engine, &plan);
        return Ok(chosen.read?);
    }
    let report = context.run(&engine.exec, &plan)?;
    let all = promotions.iter().zip(&steps).zip(&tested);
    let rows: Vec<Row> = all
        .map(|((promotion, steps), tested)| Row::of(promotion, steps, tested, &report))
        .collect();
    context.rows(args.json, &rows)?;
    context.verdict(&report, "the promotion")?;
    chosen.read?;
    let unchanged = rows.iter().map(|row| row.unchanged);
    let conclusion = ui::images("promoted", unchanged, "all of it was there");
    context.ui.conclusion(&conclusion);
    Ok(())
}

/// Where results are looked for. None: nobody asks for any.
fn proofs(args: &cli::Promote, context: &Context) -> Result<Option<Proofs>, Failure> {
    match &args.results {
        _ if args.untested => Ok(None),
        Some(folder) => Proofs::in_folder(context.resolve(folder)).map(Some),
        None => Ok(Some(Proofs::Own)),
    }
}

/// Refuses an image that is elsewhere, or goes where it is already, and two that would have one name.
fn promotions(args: &cli::Promote, chosen: &Chosen) -> Result<Vec<Promotion>, Failure> {
    let mut names: BTreeMap<String, &Pushed> = BTreeMap::new();
    let mut promotions = Vec::new();
    for image in &chosen.images {
        let repository = &image.image.repository;
        if let Some(from) = args.from.as_ref().filter(|from| !is_in(repository, from)) {
            return Err(Failure::invalid(format!(
                "`{}` is `{repository}`, which is not in `--from {from}`",
                image.title
            ))
            .hint("name the registry that bake has pushed to, or leave `--from` out"));
        }
        let to = ImageRef {
            repository: image.promoted_to(&args.to)?,
            ..image.image.clone()
        };
        if to.repository == *repository {
            let title = &image.title;
            return Err(
                Failure::invalid(format!("`{title}` is in `{repository}` already"))
                    .hint("`--to` names another registry"),
            );
        }
        for tag in &image.tags {
            let name = to.by_tag(tag).to_string();
            if let Some(other) = names.insert(name.clone(), image)
                && other.image.digest != image.image.digest
            {
                let (one, other) = (&image.title, &other.title);
                return Err(Failure::invalid(format!(
                    "`{one}` and `{other}` would both be `{name}`"
                )));
            }
        }
        promotions.push(Promotion {
            title: image.title.clone(),
            from: image.image.clone(),
            to,
            tags: image.tags.clone(),
        });
    }
    Ok(promotions)
}

fn is_in(repository: &str, registry: &Registry) -> bool {
    let path = repository.strip_prefix(&**registry);
    path.is_some_and(|path| path.starts_with('/'))
}

/// The releases of the operator with which each image has passed. Refuses all when one has not, before anything is copied.
fn gate(proofs: Option<&Proofs>, images: &[Pushed]) -> Result<Vec<Vec<String>>, Failure> {
    let Some(proofs) = proofs else {
        return Ok(vec![Vec::new(); images.len()]);
    };
    let (mut passed, mut refused) = (Vec::new(), Vec::new());
    for image in images {
        let found = match &image.image.digest {
            Some(digest) => proofs.of(digest)?,
            None => Vec::new(),
        };
        refused.extend(
            why_not(&found).map(|why| format!("`{}` ({}) {why}", image.title, image.image)),
        );
        passed.push(found.into_iter().map(|proof| proof.cnpg_release).collect());
    }
    if refused.is_empty() {
        return Ok(passed);
    }
    let count = refused.len();
    let failure = Failure::failed(format!(
        "{count} of {} images have not passed `e2e`: nothing is promoted",
        images.len()
    ));
    Err(refused.into_iter().fold(failure, Failure::detail).hint(
        "test them (`cargo xtask e2e test-full …`), name the folder of a run's results with `--results DIR`, or add `--untested`",
    )
    .see(Section::Promote))
}

/// Why an image of which this was found is not promoted. None: it has passed, and never failed.
fn why_not(found: &[Proof]) -> Option<String> {
    if found.is_empty() {
        return Some("was not tested by this digest".to_owned());
    }
    let failed = found.iter().find(|proof| proof.result != Verdict::Passed)?;
    let (release, run) = (&failed.cnpg_release, &failed.run);
    Some(format!(
        "has failed with CloudNativePG {release} (run {run})"
    ))
}

/// What became of an image.
#[derive(Serialize)]
struct Row {
    result: Verdict,
    /// All of it was there.
    unchanged: bool,
    title: String,
    from: String,
    image: String,
    tags: Vec<String>,
    digest: String,
    /// The releases of the operator with which it has passed; empty where nobody asked.
    tested_with: Vec<String>,
}

impl Row {
    fn of(promotion: &Promotion, steps: &Steps, tested: &[String], report: &Report) -> Self {
        let outcomes = || steps.all().into_iter().map(|id| &report.step(id).outcome);
        let is_unchanged = |id| matches!(report.step(id).outcome, Outcome::Unchanged(_));
        let unchanged = is_unchanged(steps.copy) && is_unchanged(steps.tag);
        // What was there is as good as what was copied.
        let verdicts = outcomes().map(|outcome| match outcome {
            Outcome::Unchanged(_) => Verdict::Passed,
            other => other.verdict(),
        });
        Self {
            result: Verdict::of_all(verdicts),
            unchanged,
            title: promotion.title.clone(),
            from: promotion.from.to_string(),
            image: promotion.to.to_string(),
            tags: promotion.tags.clone(),
            digest: promotion
                .to
                .digest
                .as_deref()
                .unwrap_or_default()
                .to_owned(),
            tested_with: tested.to_vec(),
        }
    }
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &["RESULT", "IMAGE", "DIGEST", "TAGS", "E2E"];

    fn cells(&self) -> Vec<String> {
        let result = match self.result {
            Verdict::Passed if self.unchanged => "unchanged",
            Verdict::Passed => "promoted",
            other => other.word(),
        };
        let repository = self.image.split('@').next().unwrap_or_default();
        vec![
            result.to_owned(),
            repository.to_owned(),
            self.digest.chars().take(19).collect(),
            self.tags.join(" "),
            if self.tested_with.is_empty() {
                "untested".to_owned()
            } else {
                self.tested_with.join(" ")
            },
        ]
    }
}
