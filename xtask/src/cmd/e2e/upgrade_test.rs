// SPDX-License-Identifier: Apache-2.0
//! `e2e upgrade-test`: a database with an older image gets a newer one, and the extension follows.

use std::{path::PathBuf, sync::Arc};

use super::{
    generate_values, one, results,
    setup_env::{conclude, survey},
    suite::{self, Runner, Subject, Suite, Suites},
    test_full::{bake_and_value, platform, prepare, psql_image},
};
use crate::{
    cli::e2e::UpgradeTest,
    cmd::bake,
    context::{Context, choice},
    engine::{Access, Engine, base::Sources},
    environment::{Environment, FOLDER},
    extension::Extension,
    failure::Failure,
    image::{Image, ImageRef},
    plan::{Location, Plan, Step, StepId},
    stage::values::{Needed, Told, Values},
    target::{Filter, Targets},
    tool::imagetools::Described,
};

/// Where the suite is, below the shared one.
const SUITE: &str = "upgrade";
const SUITE_FILE: &str = "upgrade-test";

pub(super) fn run(args: &UpgradeTest, context: &mut Context) -> anyhow::Result<()> {
    let name = one(&args.targets, &args.more)?.to_owned();
    let from: ImageRef = args.from.parse()?;
    let to = args.to.as_deref().map(str::parse::<ImageRef>).transpose()?;
    let place = choice::to_make(context, &args.environment)?;
    let release = choice::release(context, args.cnpg_release.as_deref())?;
    let workspace = context.workspace()?;
    let extension = workspace
        .select(std::slice::from_ref(&name), false)?
        .remove(0);
    let environment = choice::environment(context, place, release)?;
    let engine = Engine::open(context, Access::Work.or_look(args.dry_run))?;
    let sources = Sources::prepare(context, &engine, workspace)?;
    let environment = environment
        .of_checkout(&context.root)?
        .with_seeds(&sources.bases);
    let _cluster = environment.lock(context, &engine)?;
    let survey = survey(context, &engine, &environment, args.dry_run)?;
    let mut plan = Plan::default();
    plan.limits.push((suite::POOL, 1));
    let ready = environment.add(&mut plan, &survey, &environment.read_manifest()?)?;
    let from = environment.naming.on_host(&from);
    // Which images belong together is what the older one says; its registry may be the one that is still
    // to come, and then the newer one says it.
    let targets = replacing(&name, &from, context, &engine, &sources)?;
    let platform = platform(&survey);
    let (newer, mut after) = if let Some(to) = to {
        let to = environment.naming.on_host(&to);
        (Image::Given(to), Vec::new())
    } else {
        let made = bake_and_value(
            &mut plan,
            context,
            &sources,
            &targets,
            &environment,
            &ready.registry,
            &platform,
        )?;
        (made[0].image.clone(), vec![made[0].step])
    };
    after.extend(&ready.registry);
    let values = PathBuf::from(FOLDER)
        .join("values")
        .join(format!("{name}-upgrade.yaml"));
    let request = Values {
        told: Told::of(&context.config, context.global.sandbox, &environment.place),
        image: Image::Given(from.clone()),
        newer: Some(newer.clone()),
        needed: needed(&targets, &extension, context, &sources)?,
        naming: environment.naming.clone(),
        psql_image: psql_image(context, &sources),
        platform,
        output: Location::output(&values),
        extension: Arc::clone(&extension),
    };
    let written = Step::work(format!("values {name}"), request);
    let written = plan.add(written.after(after).quiet());
    let subject = Subject {
        extension,
        name,
        image: newer.reference().to_string(),
        release: environment.release.to_string(),
        values,
    };
    let runner = Runner::new(context, &environment, &args.suites, args.dry_run)?;
    let mut before: Vec<StepId> = ready
        .operator
        .iter()
        .chain(&ready.cluster)
        .copied()
        .collect();
    before.extend(suite::add_leftovers(&mut plan, &environment, &survey));
    before.extend([runner.add_folder(&mut plan), written]);
    let folder = runner.shared.folder.join(SUITE);
    let suite = Suite::read(&runner.root, folder, Some(SUITE_FILE));
    let tested = runner.add_suite(&mut plan, &subject, SUITE, &suite, &before);
    if args.dry_run {
        bake::print(context, &engine, &plan);
        return Ok(());
    }
    prepare(&context.config, &engine)?;
    let report = context.run(&engine.exec, &plan, None, false)?;
    let subjects = vec![(
        subject,
        Suites {
            shared: tested,
            own: None,
        },
    )];
    results::show(context, &subjects, &report, args.json)?;
    context.verdict(&report, "the upgrade test")?;
    conclude_upgrade(context, &environment, &from, &newer);
    Ok(())
}

fn conclude_upgrade(
    context: &mut Context,
    environment: &Environment,
    from: &ImageRef,
    newer: &Image,
) {
    context.ui.conclusion(&format!(
        "`{from}` was replaced by `{}`, and the data stayed",
        newer.reference()
    ));
    conclude(context, environment);
}

/// The image that replaces the older one: for its server, where it can be asked.
fn replacing(
    name: &str,
    from: &ImageRef,
    context: &Context,
    engine: &Engine,
    sources: &Sources,
) -> anyhow::Result<Targets> {
    let extensions = bake::select(sources, &[name.to_owned()], false)?;
    let filter = match Described::read(from, &engine.exec) {
        Ok(older) => {
            let server = older.server()?;
            Filter::only(&server.distro, &server.major)
        }
        Err(_) => Filter::default(),
    };
    let targets = Targets::resolve(&extensions, &filter, &sources.workspace, &context.config)?;
    match targets.only() {
        Ok(_) => Ok(targets),
        Err(several) => Err(Failure::invalid(format!(
            "`{from}` cannot be asked for its server, so which of {several} images replaces it is not known"
        ))
        .hint("push it where this machine can read it")
        .into()),
    }
}

fn needed(
    targets: &Targets,
    extension: &Extension,
    context: &Context,
    sources: &Sources,
) -> Result<Vec<Needed>, Failure> {
    let Some(target) = targets.chosen().next() else {
        return Ok(Vec::new());
    };
    generate_values::needs(
        extension,
        &target.server,
        &sources.workspace,
        &context.config,
    )
}
