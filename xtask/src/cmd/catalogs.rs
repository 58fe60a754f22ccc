// SPDX-License-Identifier: Apache-2.0
//! `catalogs`: for each distro a `ClusterImageCatalog` with the newest published image of every extension.

mod find;
mod row;
mod source;
mod write;

use std::{collections::BTreeMap, path::PathBuf};

use self::{
    find::{Answer, Find, Found},
    row::{Row, State},
    source::Source,
    write::{Rows, Slot, Write},
};
use crate::{
    cli,
    config::{PUBLISHED, REGISTRY},
    context::{Context, signer},
    engine::{Access, sources::Freshness},
    failure::Failure,
    image::Stamped,
    plan::{Action, AfterFailure, Location, Plan, Step, StepId},
    stage::{
        begin::Begun,
        catalog,
        signed_file::{self, SignFile},
    },
    target::{Filter, Target},
    tool::cosign::Signer,
    workspace::{Aim, Selection},
};

pub(super) fn run(args: &cli::Catalogs, context: &mut Context) -> anyhow::Result<()> {
    let signer = signer(args, context)?;
    let filter = Filter {
        distros: args.distro.clone(),
        ..Filter::default()
    };
    let begun = Begun::open_as_of(
        context,
        &Selection::All,
        Aim::Images,
        &filter,
        (Access::Work.or_look(args.dry_run), Freshness::Remembered),
    )?;
    let targets = begun.targets(&filter, context)?;
    let chosen: Vec<&Target> = targets.chosen().filter(|one| one.is_built()).collect();
    let output = context.resolve(&args.output);
    let origin = source::Origin {
        from: args.from.as_deref(),
        output: &output,
        here: &context.here,
    };
    let sources = origin.sources(&chosen, &begun.engine.exec, &context.ui)?;
    let request = Request {
        args,
        context,
        output: &output,
        signer,
    };
    let (plan, rows) = request.plan(sources, &chosen)?;
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    let rows: Vec<Row> = rows.iter().flat_map(Rows::found).collect();
    context.rows(args.json, &rows)?;
    context.verdict(&report, "making the catalogs")?;
    begun.check_read()?;
    if rows.iter().all(|row| row.state == State::Missing) {
        return Err(nothing_found(context).into());
    }
    context.ui.conclusion(&conclusion(&rows));
    Ok(())
}

/// What the steps are made of.
struct Request<'a> {
    args: &'a cli::Catalogs,
    context: &'a Context,
    output: &'a PathBuf,
    /// None: nothing is signed.
    signer: Option<Signer>,
}

impl Request<'_> {
    /// Looks for each image, and then writes each catalog: none, where an image could not be looked for.
    fn plan(&self, sources: Vec<Source>, chosen: &[&Target]) -> anyhow::Result<(Plan, Vec<Rows>)> {
        let mut plan = Plan {
            // All that is wrong is said at once.
            after_failure: AfterFailure::KeepGoing,
            ..Plan::default()
        };
        let mut writes = Vec::new();
        let mut finds = Vec::new();
        for source in sources {
            let (slots, steps) = self.add_finds(&mut plan, &source, chosen)?;
            finds.extend(steps);
            writes.push((source, slots));
        }
        let folder = Action::Folder(Location::Named(self.output.clone()));
        let folder = plan.add(
            Step::new("folder for catalogs", folder)
                .after(finds)
                .quiet(),
        );
        let mut all = Vec::new();
        for (source, slots) in writes {
            let rows = Rows::default();
            let distro = source.base.distro.clone();
            let sign = self.sign(&source)?;
            let write = Write {
                signature: self
                    .signer
                    .is_none()
                    .then(|| signed_file::beside(&source.file)),
                command: self.command(&distro),
                source,
                slots,
                rows: rows.clone(),
            };
            let write = Step::work(format!("catalog {distro}"), write).after([folder]);
            let write = plan.add(write);
            if let Some(sign) = sign {
                let sign = Step::work(format!("sign catalog {distro}"), sign);
                plan.add(sign.after([write]));
            }
            all.push(rows);
        }
        Ok((plan, all))
    }

    /// A step for each image that a catalog may have.
    fn add_finds(
        &self,
        plan: &mut Plan,
        source: &Source,
        chosen: &[&Target],
    ) -> anyhow::Result<(Vec<Slot>, Vec<StepId>)> {
        let (mut slots, mut steps): (Vec<Slot>, Vec<StepId>) = (Vec::new(), Vec::new());
        let mut serverless: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for target in chosen {
            let major = target.server.major.number().map(u64::from);
            let Some(major) = major.filter(|_| source.base.distro == target.server.distro) else {
                continue;
            };
            if !source.has(major) {
                serverless.entry(major).or_default().push(target.title());
                continue;
            }
            let is_there = |slot: &Slot| slot.major == major && slot.is_of(&target.extension);
            if slots.iter().any(is_there) {
                self.context.ui.warning(&format!(
                    "`{}` is left out: a catalog has one image of an extension for each server",
                    target.title()
                ));
                continue;
            }
            let answer = Answer::default();
            let old = source.entry(major, &target.extension.name);
            let find = Find {
                stamped: self.stamped(target)?,
                current: old.as_ref().and_then(catalog::reference),
                builder: self.context.config.builder().map(str::to_owned),
                folder: Location::output(format!(
                    "target/xtask/catalogs/{}-{}-{}",
                    self.context.run_id.short(),
                    target.extension.name,
                    target.server
                )),
                strict: self.args.strict,
                answer: answer.clone(),
            };
            let find = Step::work(format!("find {}", target.title()), find);
            steps.push(plan.add(find.quiet()));
            slots.push(Slot {
                major,
                target: (*target).clone(),
                old,
                answer,
            });
        }
        for (major, titles) in serverless {
            let titles: Vec<String> = titles.iter().map(|title| format!("`{title}`")).collect();
            self.context.ui.warning(&format!(
                "the catalog to start from has no server of PostgreSQL {major} for `{}`: {} {} left out",
                source.base.distro,
                titles.join(", "),
                if titles.len() == 1 { "is" } else { "are" }
            ));
        }
        Ok((slots, steps))
    }

    /// The tags to look for: where images are pushed, if that was said, and else where they are published.
    fn stamped(&self, target: &Target) -> Result<Stamped, Failure> {
        let stamped = target.stamped.clone().ok_or_else(|| {
            Failure::invalid(format!(
                "bake gives `{}` no tag with the moment of the bake: its images cannot be told apart",
                target.title()
            ))
            .hint("add one in the bake file, with `formatdate(\"YYYYMMDDhhmm\", timestamp())` in it")
        })?;
        if !self.context.config.is_default(REGISTRY) {
            return Ok(stamped);
        }
        let repository = target.published(&self.context.config)?.repository;
        Ok(Stamped {
            repository,
            ..stamped
        })
    }

    /// The signature of a catalog. Refused where something else is in its place.
    fn sign(&self, source: &Source) -> Result<Option<SignFile>, Failure> {
        let sign = self
            .signer
            .as_ref()
            .map(|signer| SignFile::beside(&source.file, signer));
        sign.transpose()
    }

    /// What does the same for one distro.
    fn command(&self, distro: &str) -> Vec<String> {
        let mut command = vec!["--output".to_owned(), self.output.display().to_string()];
        if let Some(from) = &self.args.from {
            command.extend(["--from".to_owned(), from.clone()]);
        }
        command.extend(["--distro".to_owned(), distro.to_owned()]);
        if self.args.strict {
            command.push("--strict".to_owned());
        }
        command
    }
}

/// None: nothing is to be signed.
fn signer(args: &cli::Catalogs, context: &Context) -> Result<Option<Signer>, Failure> {
    let said = &args.signing;
    if args.sign {
        return signer::of(context, said, args.dry_run).map(Some);
    }
    if said.key.is_some() || said.keyless || said.log.no_transparency_log {
        return Err(Failure::invalid("nothing is to be signed")
            .hint("add `--sign`, or leave `--key`, `--keyless` and `--no-transparency-log` out"));
    }
    Ok(None)
}

fn nothing_found(context: &Context) -> Failure {
    let failure = Failure::failed("no image of any extension was found");
    if context.config.is_default(REGISTRY) {
        let published = context.config.get(PUBLISHED);
        return failure.hint(format!(
            "they were looked for in `{published}` (`images.published`); with `--set registry=…` and `--set environment=…` \
             where `bake --push` has put them"
        ));
    }
    failure.hint("`registry` and `environment` say where they are: `cargo xtask bake --all --push` puts them there")
}

fn conclusion(rows: &[Row]) -> String {
    let states = [
        State::New,
        State::Updated,
        State::Kept,
        State::Older,
        State::Unchanged,
        State::Missing,
    ];
    let counted = states.iter().filter_map(|state| {
        let count = rows.iter().filter(|row| row.state == *state).count();
        (count > 0).then(|| format!("{count} {}", state.words()))
    });
    let counted: Vec<String> = counted.collect();
    format!("of {} images {}", rows.len(), counted.join(", "))
}
