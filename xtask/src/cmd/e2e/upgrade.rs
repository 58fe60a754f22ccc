// SPDX-License-Identifier: Apache-2.0
//! `e2e upgrade-test`: a database with an older image gets a newer one, and the extension follows.

use std::sync::Arc;

use crate::{
    cli::e2e::UpgradeTest,
    config::AtOnce,
    context::{Context, choice},
    engine::{Access, builder::Builder},
    environment::{Environment, Ready},
    failure::Failure,
    image::{Image, ImageRef},
    plan::{Location, Plan, Step, StepId},
    stage::{
        begin::Begun,
        environment::{conclude, platform, survey},
        results,
        suites::{self, Options, Runner, Subject, Suite, SuiteSteps},
        tested::{Build, needs, psql_image, values_folder},
        values::{Told, Values},
    },
    target::{Filter, Targets},
    tool::imagetools::Described,
    workspace::{Aim, Selection},
};

/// Where the suite is, below the shared one.
const SUITE: &str = "upgrade";
const SUITE_FILE: &str = "upgrade-test";

pub(super) fn run(args: &UpgradeTest, context: &mut Context) -> anyhow::Result<()> {
    let selection = Selection::one(args.extension.name()?);
    let from: ImageRef = args.from.parse()?;
    let to = args.to.as_deref().map(str::parse::<ImageRef>).transpose()?;
    let place = choice::to_make(context, &args.environment)?;
    let release = choice::release(context, args.cnpg_release.as_deref())?;
    let environment = choice::environment_to_make(context, place, release)?;
    let begun = Begun::open(
        context,
        &selection,
        Aim::Servers,
        &Filter::default(),
        Access::Work.or_look(args.dry_run),
    )?;
    let builder = Builder::survey(&context.config, &begun.engine)?;
    builder.check_registry(&context.config)?;
    let environment = environment.of_checkout(&context.root)?;
    let environment = environment.with_seeds(&begun.sources.bases);
    let _cluster = environment.lock(context, &begun.engine)?;
    let survey = survey(context, &begun.engine, &environment)?;
    let from = environment.naming.on_host(&from);
    let upgrade = Upgrade {
        targets: replacing(&from, &begun, context)?,
        from,
        to: to.map(|to| environment.naming.on_host(&to)),
        builder,
        platform: platform(&survey),
        told: Told::of(&context.config, context.global.sandbox, &environment.place),
    };
    let mut plan = Plan::default();
    plan.limits.push((suites::POOL, AtOnce::ONE));
    let ready = environment.add(&mut plan, &survey, &environment.read_manifest()?)?;
    let (subject, newer, written) =
        upgrade.add(&mut plan, context, &begun, &environment, &ready)?;
    let options = Options::from(&args.suites);
    let runner = Runner::open(context, &begun.engine, &environment, options)?;
    let mut before: Vec<StepId> = ready.operator.clone();
    before.extend(&ready.cluster);
    before.extend(suites::add_leftovers(&mut plan, &environment, &survey));
    before.extend(runner.add_needs(&mut plan, &ready.cluster));
    before.push(written);
    let folder = runner.shared.folder.join(SUITE);
    let suite = Suite::read(&runner.root, folder, Some(SUITE_FILE));
    let shared = runner.add_suite(&mut plan, &subject, SUITE, &suite, &before);
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(());
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    let suites = [(subject, SuiteSteps { shared, own: None })];
    context.tested(args.json, &results::of(&runner, &suites, &report))?;
    context.verdict(&report, "the upgrade test")?;
    context.ui.conclusion(&format!(
        "`{}` was replaced by `{}`, and the data stayed",
        upgrade.from,
        newer.reference()
    ));
    conclude(context, &environment);
    Ok(())
}

/// What is replaced by what.
struct Upgrade {
    from: ImageRef,
    /// The one image that replaces it.
    targets: Targets,
    /// Under another name. None: what is baked now.
    to: Option<ImageRef>,
    builder: Builder,
    platform: String,
    told: Told,
}

impl Upgrade {
    /// Adds the steps that make the newer image, where none is named, and write the values of both. Gives what is
    /// tested, the newer image, and the step that writes the values.
    fn add(
        &self,
        plan: &mut Plan,
        context: &Context,
        begun: &Begun,
        environment: &Environment,
        ready: &Ready,
    ) -> anyhow::Result<(Subject, Image, StepId)> {
        let (config, sources) = (&context.config, &begun.sources);
        let Ok(target) = self.targets.only() else {
            return Err(Failure::failed("there is not one image that replaces it").into());
        };
        let (newer, mut after) = if let Some(to) = &self.to {
            (Image::Given(to.clone()), Vec::new())
        } else {
            let build = Build {
                written: None,
                config,
                sources,
                builder: &self.builder,
                environment,
                platform: &self.platform,
                told: &self.told,
                registry: &ready.registry,
            };
            let made = build.add(plan, &self.targets)?;
            (made[0].image.clone(), vec![made[0].step])
        };
        after.extend(&ready.registry);
        let (extension, name) = (&target.extension, &target.extension.name);
        let output = values_folder().join(format!("{name}-upgrade.yaml"));
        let values = Values {
            told: self.told.clone(),
            image: Image::Given(self.from.clone()),
            newer: Some(newer.clone()),
            needed: needs(extension, &target.server, sources, config)?,
            naming: environment.naming.clone(),
            psql_image: psql_image(config, sources),
            platform: self.platform.clone(),
            builder: self.builder.name().map(str::to_owned),
            output: Location::output(&output),
            extension: Arc::clone(extension),
        };
        let subject = Subject {
            extension: Arc::clone(extension),
            name: name.clone(),
            image: Some(Image::Given(newer.reference().clone())),
            server: None,
            release: environment.release.to_string(),
            values: output,
        };
        let written = Step::work(format!("values {name}"), values);
        let written = plan.add(written.after(after).quiet());
        Ok((subject, newer, written))
    }
}

/// The image that replaces the older one: for its server, where it can be asked. Its registry may be the one that is
/// still to come; then there must be one image only.
fn replacing(from: &ImageRef, begun: &Begun, context: &Context) -> anyhow::Result<Targets> {
    let filter = match Described::read(from, &begun.engine.exec) {
        Ok(older) => {
            let server = older.server()?;
            Filter::only(&server.distro, &server.major)
        }
        Err(_) => Filter::default(),
    };
    let targets = begun.targets(&filter, context)?;
    match targets.only() {
        Ok(_) => Ok(targets),
        Err(several) => Err(Failure::invalid(format!(
            "`{from}` cannot be asked for its server, so which of {several} images replaces it is not known"
        ))
        .hint("push it where this machine can read it")
        .into()),
    }
}
