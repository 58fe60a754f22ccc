// SPDX-License-Identifier: Apache-2.0
//! Which images in a registry are meant: those of targets, those of a metadata file, or those of targets that a file speaks of.

use std::path::Path;

use super::Context;
use crate::{
    cli,
    engine::{Access, Engine},
    failure::Failure,
    image::Metadata,
    stage::{begin::Begun, pushed::Pushed},
    target::{Filter, Target, Targets},
    tool::{self, oras},
    workspace::{Aim, Selection},
};

/// The images, and where the programs are that know of them.
pub(crate) struct Chosen {
    pub engine: Engine,
    pub images: Vec<Pushed>,
    /// Whether all extensions could be read that were to be.
    pub read: Result<(), Failure>,
}

/// The images that the arguments mean; at least one. Registries are asked for what no file says.
pub(crate) fn choose(
    context: &mut Context,
    args: &cli::Images,
    access: Access,
) -> anyhow::Result<Chosen> {
    let selection = Selection::from(&args.extensions);
    let are_named = selection == Selection::All || !selection.names().is_empty();
    let file = args.metadata_file.as_deref();
    let file = file.map(|file| context.resolve(file));
    let metadata = file.as_deref().map(Metadata::read_named).transpose()?;
    let written = file.as_deref().zip(metadata.as_ref());
    match written {
        Some((file, metadata)) if !are_named => {
            let images = all_of(metadata, file, &Filter::from(&args.filters))?;
            Ok(Chosen {
                engine: Engine::open(context, access)?,
                images,
                read: Ok(()),
            })
        }
        written => of_targets(context, args, &selection, written, access),
    }
}

/// All that a file speaks of.
fn all_of(metadata: &Metadata, file: &Path, filter: &Filter) -> Result<Vec<Pushed>, Failure> {
    if *filter != Filter::default() {
        return Err(Failure::invalid(
            "`--distro`, `--pg` and `--shard` narrow what targets are taken",
        )
        .hint("name the targets too, or `--all`"));
    }
    let mut images = Vec::new();
    for target in metadata.targets() {
        images.extend(Pushed::written(target, metadata, target, file)?);
    }
    if images.is_empty() {
        let file = file.display();
        return Err(
            Failure::invalid(format!("`{file}` has no digest of any image")).hint(
                "give the file that `cargo xtask bake --push --metadata-file FILE` has written",
            ),
        );
    }
    Ok(images)
}

/// The images of targets: by the digests that a file has of them, or else that their registry has.
fn of_targets(
    context: &mut Context,
    args: &cli::Images,
    selection: &Selection,
    written: Option<(&Path, &Metadata)>,
    access: Access,
) -> anyhow::Result<Chosen> {
    let filter = Filter::from(&args.filters);
    let begun = Begun::open(context, selection, Aim::Images, &filter, access)?;
    let targets = begun.targets(&filter, context)?;
    let images = match written {
        Some((file, metadata)) => of_file(context, &targets, metadata, file)?,
        None => of_registry(&begun.engine, &targets)?,
    };
    Ok(Chosen {
        read: begun.check_read(),
        engine: begun.engine,
        images,
    })
}

/// Says which targets the file does not speak of; refused when that is all of them.
fn of_file(
    context: &Context,
    targets: &Targets,
    metadata: &Metadata,
    file: &Path,
) -> Result<Vec<Pushed>, Failure> {
    let mut images = Vec::new();
    let mut absent = Vec::new();
    for target in targets.chosen() {
        match Pushed::written(&target.title(), metadata, &target.name, file)? {
            Some(image) => images.push(image),
            None => absent.push(format!(
                "`{}` is left out: `{}` has no digest of `{}`",
                target.title(),
                file.display(),
                target.name
            )),
        }
    }
    if images.is_empty() {
        let file = file.display();
        let failure = Failure::invalid(format!("`{file}` has none of these images"));
        return Err(absent.into_iter().fold(failure, Failure::detail).hint(
            "give the file that `cargo xtask bake --push --metadata-file FILE` has written of the same extensions, with the same bake variables",
        ));
    }
    for text in &absent {
        context.ui.warning(text);
    }
    Ok(images)
}

fn of_registry(engine: &Engine, targets: &Targets) -> Result<Vec<Pushed>, Failure> {
    if engine.is_stopped() {
        return Err(Failure::unavailable(
            "which digests the images have cannot be asked: the sandbox does not run",
        )
        .hint("`cargo xtask sandbox up` starts it; or name what bake has written: `--metadata-file FILE`"));
    }
    tool::require(&engine.exec, [oras::PROGRAM])?;
    let of = |target: &Target| Pushed::of_target(target, &engine.exec);
    targets.chosen().map(of).collect()
}
