// SPDX-License-Identifier: Apache-2.0
//! `e2e generate-values`: what the suites read, from an image's annotations.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cli::e2e::GenerateValues,
    config::Config,
    context::{Context, choice},
    engine::{
        Access, Engine,
        sources::{Freshness, Sources},
    },
    environment::{Credentials, Place, api::Api, survey::Survey},
    exec::Real,
    extension::Extension,
    failure::Failure,
    image::{Image, ImageRef},
    own::file,
    plan::{DOCKER_LOGINS, Location, PASSWORD, Plan, Step},
    stage::{
        begin,
        environment::platform,
        tested::{needs, psql_image},
        values::{Told, Values},
    },
    target::{Filter, Targets},
    tool::imagetools::Described,
    workspace::{Aim, Selection},
};

/// What is taken when nothing is said.
const DISTRO: &str = "trixie";
const MAJOR: &str = "18";

pub(super) fn run(args: &GenerateValues, context: &mut Context) -> anyhow::Result<()> {
    let name = args.extension.name()?.to_owned();
    let place = choice::place(context, &args.cluster)?;
    let workspace = begin::workspace(context)?;
    let extension = workspace
        .select(&Selection::one(&name), Aim::Servers)?
        .remove(0);
    let given = named(args.extension_image.as_deref())?;
    let newer = named(args.upgrade_to.as_deref())?;
    let environment = choice::environment(context, place, choice::release(context, None)?)?;
    let engine = Engine::open(context, Access::Work)?;
    let filter = Filter {
        majors: args.pg.iter().cloned().collect(),
        ..Filter::default()
    };
    let sources = Sources::prepare(
        context,
        &engine,
        workspace,
        std::slice::from_ref(&extension),
        &filter,
        Freshness::Remembered,
    )?;
    engine.info()?;
    let image = match given {
        Some(image) => environment.naming.on_host(&image),
        None => published(args, &extension, &sources, &context.config)?,
    };
    let exec = reading(context, &engine, &image)?;
    let described = Described::read(&image, &exec)?;
    let naming = environment.naming.clone();
    let needed = if extension.required_extensions.is_empty() {
        Vec::new()
    } else {
        let server = described.server()?;
        needs(&extension, &server, &sources, &context.config)?
    };
    let output = output(args, context, &sources.workspace.shown(&name))?;
    let survey = existing(&environment.place, &engine)?;
    let values = Values {
        told: Told::of(&context.config, context.global.sandbox, &environment.place),
        extension,
        image: Image::Given(image),
        newer: newer.map(|image| Image::Given(environment.naming.on_host(&image))),
        needed,
        naming,
        psql_image: psql_image(&context.config, &sources),
        platform: platform(&survey),
        builder: context.config.builder().map(str::to_owned),
        output: output.clone(),
    };
    let mut plan = Plan::default();
    plan.add(Step::work(format!("values {name}"), values).quiet());
    let report = context.run(&exec, &plan)?;
    context.verdict(&report, "generating the values")?;
    context
        .ui
        .conclusion(&format!("wrote {}", shown(context, &output)));
    Ok(())
}

/// An image that a flag names; empty is none.
fn named(text: Option<&str>) -> Result<Option<ImageRef>, Failure> {
    let text = text.filter(|text| !text.is_empty());
    text.map(str::parse).transpose()
}

/// What is there of an existing cluster; of one of our own nothing need be known.
fn existing(place: &Place, engine: &Engine) -> Result<Survey, Failure> {
    Ok(match place {
        Place::Existing(access) => Survey {
            api: Some(Api::survey(access, &engine.exec)?),
            ..Default::default()
        },
        Place::Kind { .. } => Survey::default(),
    })
}

/// What starts docker: with the login that was given for reading the image, or with docker's own.
fn reading(context: &Context, engine: &Engine, image: &ImageRef) -> Result<Real, Failure> {
    let exec = engine.exec.clone();
    let set = |name: &str| std::env::var(name).ok();
    let login = Credentials::for_reading(&context.config, image, set(PASSWORD))?;
    Ok(match login {
        Some(login) => exec.with_docker_login(login.beside(set(DOCKER_LOGINS).as_deref())),
        None => exec,
    })
}

/// The published image for the server that the flags name.
fn published(
    args: &GenerateValues,
    extension: &Arc<Extension>,
    sources: &Sources,
    config: &Config,
) -> Result<ImageRef, Failure> {
    let distro = args.distro.as_deref().unwrap_or(DISTRO);
    let major = args.pg.as_deref().unwrap_or(MAJOR);
    let filter = Filter::only(distro, major);
    let extensions = std::slice::from_ref(extension);
    let targets = Targets::resolve(extensions, &filter, &sources.workspace, &sources.matrix)?;
    let target = targets.chosen().next().ok_or_else(|| {
        Failure::invalid(format!(
            "`{}` has no version for {distro} and PostgreSQL {major}",
            extension.name
        ))
    })?;
    target.published(config)
}

/// Where the values go: to the named file, or into the extension's folder.
fn output(args: &GenerateValues, context: &Context, folder: &Path) -> anyhow::Result<Location> {
    let Some(path) = &args.output else {
        return Ok(Location::Repository(folder.join("values.yaml")));
    };
    let path = context.resolve(path);
    file::can_be_written(&path)?;
    Ok(Location::Named(path))
}

fn shown(context: &Context, path: &Path) -> String {
    let absolute: PathBuf = context.root.join(path);
    absolute.strip_prefix(&context.here).map_or_else(
        |_| absolute.display().to_string(),
        |path| path.display().to_string(),
    )
}
