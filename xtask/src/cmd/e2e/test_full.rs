// SPDX-License-Identifier: Apache-2.0
//! `e2e test-full`: environment, bake and push, values, suites, as one graph. The cluster comes up while
//! images are baked.

use std::{path::PathBuf, sync::Arc};

use super::{
    results,
    setup_env::{conclude, survey},
    suite::{self, Runner, Subject, Suites},
};
use crate::{
    cli::e2e::TestFull,
    cmd::bake,
    config::{self, Config},
    context::{Context, choice},
    engine::{Access, Engine, base::Sources},
    environment::{self, Environment, FOLDER, Place, Ready, release::Release, survey::Survey},
    failure::Failure,
    image::{Image, Naming},
    plan::{Action, Location, Plan, Step, StepId},
    stage::values::{Needed, Told, Values},
    target::{Filter, Target, Targets},
    tool::docker,
};

pub(super) fn run(args: &TestFull, context: &mut Context) -> anyhow::Result<()> {
    let place = choice::to_make(context, &args.environment)?;
    context
        .config
        .set_flag(config::BUILDER, "--builder", args.builder.as_deref())?;
    let names = args.selection.names();
    let workspace = context.workspace()?;
    workspace.select(&names, args.selection.all)?;
    let releases = releases(context, &args.cnpg_release)?;
    let oldest = releases[0].clone();
    let wanted = choice::environment(context, place, oldest)?;
    let engine = Engine::open(context, Access::Work.or_look(args.dry_run))?;
    let sources = Sources::prepare(context, &engine, workspace)?;
    let extensions = bake::select(&sources, &names, args.selection.all)?;
    let filter = Filter::from(&args.filters);
    let targets = bake::targets(&extensions, &filter, &sources, &context.config)?;
    if targets.is_empty() {
        context.ui.conclusion(bake::NONE_IN_SHARE);
        return Ok(());
    }
    let wanted = wanted
        .of_checkout(&context.root)?
        .with_seeds(&sources.bases);
    let with = |release| Environment {
        release,
        ..wanted.clone()
    };
    let environments: Vec<Environment> = releases.into_iter().map(with).collect();
    let first = environments[0].clone();
    let _cluster = first.lock(context, &engine)?;
    let survey = survey(context, &engine, &first, args.dry_run)?;
    let mut plan = Plan::default();
    plan.limits
        .push((suite::POOL, suite::limit(context, args.running.jobs)));
    let ready = first.add(&mut plan, &survey, &first.read_manifest()?)?;
    let platform = platform(&survey);
    let tested = bake_and_value(
        &mut plan,
        context,
        &sources,
        &targets,
        &first,
        &ready.registry,
        &platform,
    )?;
    let runner = Runner::new(context, &first, &args.suites, args.dry_run)?;
    let subjects = add_releases(&mut plan, &runner, &environments, &ready, &survey, &tested)?;
    if args.dry_run {
        bake::print(context, &engine, &plan);
        return Ok(());
    }
    prepare(&context.config, &engine)?;
    // Suites of one image say nothing of another's: keep going.
    let report = context.run(
        &engine.exec,
        &plan,
        Some(super::test::jobs(&subjects)),
        true,
    )?;
    let subjects = named(subjects, &tested, &first.naming);
    let passed = results::show(context, &subjects, &report, args.json)?;
    context.verdict(&report, "the tests")?;
    context
        .ui
        .conclusion(&format!("{passed} of {} passed", subjects.len()));
    match first.place {
        Place::Kind { .. } if args.cleanup => super::cleanup::remove(context, &engine, &first)?,
        // Its suites have removed what they made.
        Place::Existing(_) if args.cleanup => context.ui.note("the existing cluster stays"),
        // The operator is that of the last release.
        _ => conclude(context, environments.last().unwrap_or(&first)),
    }
    Ok(())
}

/// The releases to test with, oldest first, so that the operator is only ever upgraded.
fn releases(context: &Context, given: &[String]) -> Result<Vec<Release>, Failure> {
    if given.is_empty() {
        return Ok(vec![choice::release(context, None)?]);
    }
    let mut releases: Vec<Release> = Vec::new();
    for text in given {
        let release = choice::named_release(context, text)?;
        if !releases.contains(&release) {
            releases.push(release);
        }
    }
    releases.sort_by_key(Release::rank);
    let pattern = context.config.get(config::CNPG_MANIFEST);
    if releases.len() > 1 && !pattern.is_empty() && !pattern.contains("{release}") {
        return Err(Failure::invalid(format!(
            "setting `cnpg.manifest` is `{pattern}`, which is the same for every release"
        ))
        .hint("put `{release}` where the release stands in its name, or name one release"));
    }
    Ok(releases)
}

/// The nodes' platform; of a cluster that is still to come this machine's.
pub(super) fn platform(survey: &Survey) -> String {
    let known = survey.api.as_ref().and_then(|api| api.platform());
    known.map_or_else(
        || docker::platform_of(std::env::consts::ARCH),
        str::to_owned,
    )
}

/// What must be there beside the engine before a run is worth its time.
pub(super) fn prepare(config: &Config, engine: &Engine) -> Result<(), Failure> {
    // Whether images stay in the builder does not matter: they are pushed.
    bake::survey(config, engine)?;
    Ok(())
}

/// A target that is tested, with the step that writes its values.
pub(super) struct ToTest {
    pub target: Target,
    pub image: Image,
    pub values: PathBuf,
    pub step: StepId,
}

/// Bakes and pushes the targets and what they need, and writes the values of each that was chosen.
pub(super) fn bake_and_value(
    plan: &mut Plan,
    context: &Context,
    sources: &Sources,
    targets: &Targets,
    environment: &Environment,
    registry: &[StepId],
    platform: &str,
) -> anyhow::Result<Vec<ToTest>> {
    // For the nodes' platform alone, unless the registry is for others too.
    let platforms: Vec<String> = match environment.port {
        Some(_) => vec![platform.to_owned()],
        None => Vec::new(),
    };
    let baked = bake::plan(
        plan,
        &bake::Request {
            config: &context.config,
            bake_file: &sources.workspace.bake_file,
            targets: &targets.with_needs()?.collect::<Vec<_>>(),
            filtered: targets.is_filtered(),
            repinned: &sources.repinned,
            push: true,
            platforms: &platforms,
            no_cache: false,
            sandbox: sources.in_sandbox,
            metadata_file: None,
            after: registry,
        },
    );
    let folder = PathBuf::from(FOLDER).join("values");
    let place = plan.add(
        Step::new(
            "folder for values",
            Action::Folder(Location::output(&folder)),
        )
        .quiet(),
    );
    let mut tested = Vec::new();
    for target in targets.chosen() {
        let of_this = std::iter::once(target).chain(targets.needs(target));
        let steps = of_this.filter_map(|target| Some(bake::step_of(target, &baked)?.step));
        let after: Vec<StepId> = std::iter::once(place).chain(steps).collect();
        let output = folder.join(format!("{}.yaml", target.name));
        let image = bake::image(target, &baked);
        // What was built in the same run, by digest.
        let needed = targets.needs(target).map(|needed| Needed {
            extension: Arc::clone(&needed.extension),
            images: vec![bake::image(needed, &baked)],
        });
        let values = Values {
            told: Told::of(&context.config, context.global.sandbox, &environment.place),
            extension: Arc::clone(&target.extension),
            image: image.clone(),
            newer: None,
            needed: needed.collect(),
            naming: environment.naming.clone(),
            psql_image: psql_image(context, sources),
            platform: platform.to_owned(),
            output: Location::output(&output),
        };
        let step = Step::work(format!("values {}", target.name), values);
        let step = plan.add(step.after(after).quiet());
        tested.push(ToTest {
            target: target.clone(),
            image,
            values: output,
            step,
        });
    }
    Ok(tested)
}

/// The image with psql; a base image that was made here has it too.
pub(super) fn psql_image(context: &Context, sources: &Sources) -> Option<String> {
    let own = sources.bases.is_empty() || !context.config.is_default(config::PSQL_IMAGE);
    own.then(|| context.config.get(config::PSQL_IMAGE).to_owned())
}

/// The suites of every image with every release, one release after the other on the one cluster.
fn add_releases(
    plan: &mut Plan,
    runner: &Runner,
    environments: &[Environment],
    ready: &Ready,
    survey: &Survey,
    tested: &[ToTest],
) -> Result<Vec<(Subject, Suites)>, Failure> {
    let mut leftovers = suite::add_leftovers(plan, &environments[0], survey);
    leftovers.push(runner.add_folder(plan));
    let mut before: Vec<StepId> = ready
        .operator
        .iter()
        .chain(&ready.cluster)
        .chain(&leftovers)
        .copied()
        .collect();
    let mut subjects: Vec<(Subject, Suites)> = Vec::new();
    let several = environments.len() > 1;
    for (at, environment) in environments.iter().enumerate() {
        if at > 0 {
            if let (Place::Existing(_), true) = (&environment.place, several) {
                return Err(Failure::invalid(
                    "on an existing cluster, one release at a time: its operator is not ours to change",
                ));
            }
            let ended: Vec<StepId> = subjects
                .iter()
                .flat_map(|(_, suites)| suites.steps())
                .collect();
            before = vec![next_release(plan, environment, &ended, &ready.cluster)?];
        }
        for one in tested {
            let mut name = one.target.title();
            if several {
                name += &format!(" {}", environment.release);
            }
            let subject = Subject {
                extension: Arc::clone(&one.target.extension),
                name,
                image: one.image.reference().to_string(),
                release: environment.release.to_string(),
                values: one.values.clone(),
            };
            let after: Vec<StepId> = before.iter().copied().chain([one.step]).collect();
            let suites = runner.add(plan, &subject, &after);
            subjects.push((subject, suites));
        }
    }
    Ok(subjects)
}

/// The operator's next release, when the suites with the one before have ended and their databases are
/// gone: it would restart them.
fn next_release(
    plan: &mut Plan,
    environment: &Environment,
    ended: &[StepId],
    cluster: &[StepId],
) -> Result<StepId, Failure> {
    let gone = environment
        .access()
        .cmd("wait until the earlier suites' namespaces are gone")
        .args([
            "delete",
            "namespace",
            "--selector",
            &format!("{}=suite", environment::LABEL),
            "--ignore-not-found",
            "--timeout",
            "3m",
        ]);
    let gone = Step::run(format!("room for operator {}", environment.release), gone)
        .after(cluster.iter().copied())
        .after_end_of(ended.iter().copied());
    let gone = plan.add(gone);
    let manifest = environment.read_manifest()?;
    Ok(environment.add_release(plan, &manifest, true, &[gone]))
}

/// The subjects with the digests that are known now.
fn named(
    subjects: Vec<(Subject, Suites)>,
    tested: &[ToTest],
    naming: &Naming,
) -> Vec<(Subject, Suites)> {
    subjects
        .into_iter()
        .map(|(mut subject, suites)| {
            let one = tested.iter().find(|one| one.values == subject.values);
            if let Some(Ok(tagged)) = one.map(|one| one.image.tagged()) {
                subject.image = naming.in_cluster(&tagged).to_string();
            }
            (subject, suites)
        })
        .collect()
}
