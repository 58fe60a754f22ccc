// SPDX-License-Identifier: Apache-2.0
//! `smoke`: each image in a real PostgreSQL, mounted and configured the way CNPG does it.

mod server;

pub(super) use server::has_statement;

use std::{str::FromStr, time::Duration};

use serde::Serialize;
use serde_json::Value;

use self::server::{Mount, Test};
use super::bake::{self, Baked};
use crate::{
    cli,
    config::{self, SmokeMount},
    context::Context,
    engine::{Access, Engine, base::Sources},
    event::StepReport,
    exec::{Exec, Reason},
    failure::Failure,
    image::{
        Annotations, Image, ImageRef,
        annotations::{BASE_MAJOR, BASE_OS, SQL_VERSION},
    },
    plan::{Plan, StepId},
    target::{Filter, Target, Targets},
    tool::docker,
    ui::{self, seconds},
    value::SqlVersion,
    verdict::Verdict,
};

pub(super) fn run(args: &cli::Smoke, context: &mut Context) -> anyhow::Result<()> {
    context
        .config
        .set_flag(config::BUILDER, "--builder", args.builder.as_deref())?;
    let names = args.selection.names();
    let workspace = context.workspace()?;
    workspace.select(&names, args.selection.all)?;
    let given = args.image.as_deref().map(ImageRef::from_str).transpose()?;
    if given.is_some() && names.len() != 1 {
        return Err(Failure::invalid(
            "`--image` tests one image: name the one extension that is in it",
        )
        .into());
    }
    let engine = Engine::open(context, Access::Work.or_look(args.dry_run))?;
    let sources = Sources::prepare(context, &engine, workspace)?;
    let mut filter = Filter::from(&args.filters);
    let given = match given {
        Some(image) => Some(Given::survey(
            image,
            &mut filter,
            args.dry_run,
            context,
            &engine,
        )?),
        None => None,
    };
    let extensions = bake::select(&sources, &names, args.selection.all)?;
    let targets = bake::targets(&extensions, &filter, &sources, &context.config)?;
    // A given image is there already; only what it needs is built.
    let stands_for = match &given {
        Some(_) => Some(stands_for(&targets)?),
        None => None,
    };
    let needed = targets.with_needs()?;
    let to_bake: Vec<&Target> = needed
        .filter(|target| !args.no_bake && stands_for != Some(*target))
        .collect();
    let mut steps = Plan::default();
    let baked = bake_first(
        &mut steps,
        &to_bake,
        targets.is_filtered(),
        &sources,
        context,
    );
    let chosen: Vec<&Target> = targets.chosen().collect();
    let mut tests = Vec::new();
    for target in &chosen {
        let mut test = server::test(target, &targets, &sources, &baked)?;
        if let Some(given) = &given {
            given.stand_in(&mut test);
        }
        if test.proof.is_none() {
            context.ui.warning(&format!(
                "`{}` has no smoke.sql that does anything: it is {}",
                target.extension.name,
                test.silent()
            ));
        }
        tests.push(test);
    }
    let mount = mount(context, &engine, args.dry_run)?;
    let limit = Duration::from_secs(u64::from(context.config.get(config::SMOKE_TIMEOUT)));
    let ids: Vec<StepId> = tests
        .iter()
        .map(|test| server::add(&mut steps, test, &baked, mount, &context.run_id, limit))
        .collect();
    if args.dry_run {
        bake::print(context, &engine, &steps);
        return Ok(());
    }
    if let Some(warning) = bake::survey(&context.config, &engine)? {
        context.ui.warning(&warning);
    }
    let report = context.run(
        &engine.exec,
        &steps,
        args.running.jobs,
        args.running.keep_going,
    )?;
    let steps = ids.iter().map(|id| report.step(*id));
    let rows = chosen.iter().zip(&tests).zip(steps);
    let rows: Vec<Row> = rows
        .map(|((target, test), step)| row(target, test, step))
        .collect();
    let passed = rows.iter().filter(|row| row.result == Verdict::Passed);
    let passed = passed.count();
    context.rows(args.json, &rows);
    context.verdict(&report, "smoke")?;
    context.ui.conclusion(&match tests.len() {
        0 => bake::NONE_IN_SHARE.to_owned(),
        all => format!("{passed} of {all} passed"),
    });
    Ok(())
}

/// The one image in whose place a given one is tested.
fn stands_for(targets: &Targets) -> Result<&Target, Failure> {
    targets.only().map_err(|several| {
        Failure::invalid(format!(
            "`--image` does not say which of {several} images it stands for: it has no labels of ours"
        ))
        .hint("name the distro and the major: `--distro trixie --pg 18`")
    })
}

/// An image that the user names, in place of one that is built.
struct Given {
    image: ImageRef,
    /// From its labels.
    sql_version: Option<String>,
}

impl Given {
    /// Reads the image's labels (pulling it when it is not there) and narrows `filter` to what they say.
    fn survey(
        image: ImageRef,
        filter: &mut Filter,
        dry_run: bool,
        context: &Context,
        engine: &Engine,
    ) -> anyhow::Result<Self> {
        if dry_run {
            return Ok(Self {
                image,
                sql_version: None,
            });
        }
        let labels = labels(engine, &image)?;
        let label = |name: &str| labels.get(name).map(str::to_owned);
        for (values, name) in [
            (&mut filter.distros, BASE_OS),
            (&mut filter.majors, BASE_MAJOR),
        ] {
            let said = label(name);
            if values.is_empty() {
                values.extend(said);
            } else if let Some(said) = said.filter(|said| !values.contains(said)) {
                context.ui.warning(&format!(
                    "image `{image}` says that it is for `{said}` (`{name}`), and is tested as one for `{}`",
                    values.join(",")
                ));
            }
        }
        let sql_version = label(SQL_VERSION);
        if let Some(found) = sql_version.as_ref().filter(|text| !SqlVersion::is(text)) {
            return Err(Failure::invalid(format!(
                "image `{image}` says that its SQL version is `{found}`; it must be {}",
                SqlVersion::WANTED
            ))
            .into());
        }
        Ok(Self { image, sql_version })
    }

    fn stand_in(&self, test: &mut Test) {
        let source = &mut test.mounts.own_mut().source;
        source.image = Image::Given(self.image.clone());
        source.sql_version = self.sql_version.clone().or(source.sql_version.take());
    }
}

fn bake_first(
    plan: &mut Plan,
    targets: &[&Target],
    filtered: bool,
    sources: &Sources,
    context: &Context,
) -> Vec<Baked> {
    if targets.is_empty() {
        return Vec::new();
    }
    bake::plan(
        plan,
        &bake::Request {
            config: &context.config,
            bake_file: &sources.workspace.bake_file,
            targets,
            filtered,
            repinned: &sources.repinned,
            push: false,
            platforms: &[],
            no_cache: false,
            sandbox: sources.in_sandbox,
            metadata_file: None,
            after: &[],
        },
    )
}

/// How a test of an image has ended.
#[derive(Serialize)]
struct Row {
    name: String,
    distro: String,
    pg_major: String,
    image: String,
    version: String,
    result: Verdict,
    proof: String,
    seconds: f64,
    #[serde(skip)]
    title: String,
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &["RESULT", "EXTENSION", "VERSION", "TIME", "PROOF"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.result.word().to_owned(),
            self.title.clone(),
            self.version.clone(),
            seconds(Duration::from_secs_f64(self.seconds)),
            self.proof.clone(),
        ]
    }
}

fn row(target: &Target, test: &Test, step: &StepReport) -> Row {
    // What a failed test said last is no proof.
    let proof = step.last_line.clone().filter(|_| step.succeeded());
    let source = &test.mounts.own().source;
    let version = source.sql_version.as_ref().unwrap_or(&target.version);
    Row {
        name: target.extension.name.clone(),
        distro: target.server.distro.to_string(),
        pg_major: target.server.major.to_string(),
        image: source.image.reference().to_string(),
        version: version.clone(),
        result: Verdict::of(&step.outcome),
        proof: proof.unwrap_or_default(),
        seconds: step.elapsed.as_secs_f64(),
        title: test.name.clone(),
    }
}

fn mount(context: &Context, engine: &Engine, dry_run: bool) -> anyhow::Result<Mount> {
    Ok(match context.config.get(config::SMOKE_MOUNT) {
        SmokeMount::Image => Mount::Image,
        SmokeMount::Auto if dry_run || engine.info()?.major() >= 28 => Mount::Image,
        SmokeMount::Auto | SmokeMount::Copy => Mount::Copy,
    })
}

/// The labels of the image to test, pulled when the engine does not have it.
fn labels(engine: &Engine, image: &ImageRef) -> anyhow::Result<Annotations> {
    engine.info()?;
    let text = match engine.exec.read(&docker::labels_cmd(image), None) {
        Ok(text) => text,
        Err(failed) if matches!(failed.reason, Reason::Status(_)) => {
            engine
                .exec
                .read(&docker::pull_cmd(image), None)
                .map_err(|failed| {
                    let cause = failed.cause().unwrap_or("it cannot be pulled").to_owned();
                    Failure::failed(format!("image `{image}` cannot be had: {cause}"))
                        .hint("`docker image ls` lists what the engine has")
                })?;
            engine
                .exec
                .read(&docker::labels_cmd(image), None)
                .map_err(Failure::from)?
        }
        Err(failed) => return Err(Failure::from(failed).into()),
    };
    let labels: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::failed(format!(
            "`docker` gives labels of image `{image}` that are no JSON: {error}"
        ))
    })?;
    Ok(Annotations::of(&labels))
}
