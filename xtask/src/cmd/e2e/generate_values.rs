// SPDX-License-Identifier: Apache-2.0
//! `e2e generate-values`: what the suites read, from an image's annotations.

use std::path::PathBuf;

use super::{
    choose_cluster, one,
    test_full::{platform, psql_image},
};
use crate::{
    cli::e2e::GenerateValues,
    config,
    context::Context,
    environment::{
        Place,
        world::{Api, World},
    },
    extension::Extension,
    failure::Failure,
    image::{Built, ImageRef},
    matrix::{self, Build, Filter},
    own::file,
    plan::{
        Action, Location, Needed, Plan, Step, Values,
        values::{BASE_MAJOR, BASE_OS, annotation},
    },
    tool::imagetools::Described,
};

/// What is taken when nothing is said.
const DISTRO: &str = "trixie";
const MAJOR: &str = "18";

pub(super) fn run(args: &GenerateValues, context: &mut Context) -> anyhow::Result<()> {
    let name = one(&args.targets, &args.more)?.to_owned();
    choose_cluster(context, &args.cluster)?;
    let workspace = context.workspace()?;
    let extension = workspace
        .select(std::slice::from_ref(&name), false)?
        .remove(0);
    let given = args
        .extension_image
        .as_deref()
        .filter(|text| !text.is_empty());
    let given = given.map(str::parse::<ImageRef>).transpose()?;
    let newer = args.upgrade_to.as_deref().filter(|text| !text.is_empty());
    let newer = newer.map(str::parse::<ImageRef>).transpose()?;
    let environment = super::environment(context)?;
    let engaged = context.engage(workspace, false)?;
    context.engine()?;
    let image = if let Some(image) = given {
        environment.naming.on_host(&image.to_string())
    } else {
        let distro = args.distro.as_deref().unwrap_or(DISTRO);
        let major = args.pg.as_deref().unwrap_or(MAJOR);
        let build = build(&extension, distro, major, context)?;
        published(&build, context)
    };
    let described = Described::read(&image, &context.exec)?;
    let naming = environment.naming.clone();
    let mut needed = Vec::new();
    let dependencies = engaged.workspace.dependencies(&extension);
    if !dependencies.is_empty() {
        let distro = annotation(&described.annotations, BASE_OS, &image)?;
        let major = annotation(&described.annotations, BASE_MAJOR, &image)?;
        for dependency in dependencies {
            needed.push(needs(dependency, distro, major, context)?);
        }
    }
    let output = match &args.output {
        Some(path) => {
            let path = context.resolve(path);
            file::can_be_written(&path)?;
            Location::Named(path)
        }
        None => Location::Repository(engaged.workspace.shown(&name).join("values.yaml")),
    };
    let world = match &environment.place {
        Place::Existing(access) => World {
            api: Some(Api::survey(access, &context.exec)?),
            ..Default::default()
        },
        Place::Kind { .. } => World::default(),
    };
    let values = Values {
        extension,
        image: Built::given(image),
        newer: newer.map(|image| Built::given(environment.naming.on_host(&image.to_string()))),
        needed,
        naming,
        psql_image: psql_image(context, &engaged),
        platform: platform(&world),
        output: output.clone(),
    };
    let mut plan = Plan::default();
    plan.add(Step::new(format!("values {name}"), Action::Values(Box::new(values))).quiet());
    let report = context.run(&plan, None, false)?;
    context.verdict(&report, "generating the values")?;
    context
        .ui
        .conclusion(&format!("wrote {}", shown(context, &output)));
    Ok(())
}

fn shown(context: &Context, path: &std::path::Path) -> String {
    let absolute: PathBuf = context.root.join(path);
    absolute.strip_prefix(&context.here).map_or_else(
        |_| absolute.display().to_string(),
        |path| path.display().to_string(),
    )
}

fn build(
    extension: &Extension,
    distro: &str,
    major: &str,
    context: &Context,
) -> Result<Build, Failure> {
    let found = matrix::builds(
        std::slice::from_ref(extension),
        &Filter::only(distro, major),
        &context.config,
    )?;
    found.into_iter().next().ok_or_else(|| {
        Failure::invalid(format!(
            "`{}` has no version for {distro} and PostgreSQL {major}",
            extension.name
        ))
    })
}

/// The published image of a build.
fn published(build: &Build, context: &Context) -> String {
    format!(
        "{}/{}:{}-{}-{}",
        context.config.get(config::PUBLISHED),
        build.extension.image_name,
        build.version,
        build.pg_major,
        build.distro
    )
}

/// What is needed, for the same distribution and major as the image that needs it; a local image wins
/// over the published one.
pub(super) fn needs(
    dependency: Extension,
    distro: &str,
    major: &str,
    context: &Context,
) -> Result<Needed, Failure> {
    let build = build(&dependency, distro, major, context)?;
    Ok(Needed {
        images: vec![
            Built::given(build.tag()),
            Built::given(published(&build, context)),
        ],
        extension: dependency,
    })
}
