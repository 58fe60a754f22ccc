// SPDX-License-Identifier: Apache-2.0
//! Which images in a registry are meant: those of targets, of a metadata file, of targets that a file speaks of, or any by their
//! references; and with which key they are signed.

use std::path::Path;

use super::Context;
use crate::{
    cli,
    engine::{Access, Engine},
    failure::Failure,
    image::{ImageRef, Metadata},
    stage::{begin::Begun, pushed::Pushed, subject::is_reference},
    target::{Filter, Target, Targets},
    tool::{self, cosign::Key, oras},
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
    let (named, selection) = apart(&Selection::from(&args.extensions))?;
    let are_named = selection == Selection::All || !selection.names().is_empty();
    let file = args.metadata_file.as_deref();
    let file = file.map(|file| context.resolve(file));
    let metadata = file.as_deref().map(Metadata::read_named).transpose()?;
    let written = file.as_deref().zip(metadata.as_ref());
    let filter = Filter::from(&args.filters);
    let mut chosen = match written {
        None if !are_named && !named.is_empty() => {
            of_no_target(context, Vec::new(), &filter, access)?
        }
        Some((file, metadata)) if !are_named => {
            of_no_target(context, all_of(metadata, file)?, &filter, access)?
        }
        written => of_targets(context, &selection, &filter, written, access)?,
    };
    if named.iter().any(|image| image.digest.is_none()) {
        require(&chosen.engine)?;
    }
    for image in &named {
        chosen
            .images
            .push(Pushed::named(image, &chosen.engine.exec)?);
    }
    Ok(chosen)
}

/// The same, where they are now.
pub(crate) fn located(
    context: &mut Context,
    args: &cli::Located,
    access: Access,
) -> anyhow::Result<Chosen> {
    let mut chosen = choose(context, &args.images, access)?;
    if let Some(registry) = &args.promoted_to {
        let images = chosen.images.into_iter();
        let images = images.map(|image| image.promoted(registry));
        chosen.images = images.collect::<Result<_, Failure>>()?;
    }
    Ok(chosen)
}

/// Images by their references, and the names of extensions.
fn apart(selection: &Selection) -> Result<(Vec<ImageRef>, Selection), Failure> {
    let Selection::Named(names) = selection else {
        return Ok((Vec::new(), Selection::All));
    };
    let (images, names): (Vec<String>, Vec<String>) =
        names.iter().cloned().partition(|name| is_reference(name));
    let images: Result<Vec<ImageRef>, Failure> = images.iter().map(|name| name.parse()).collect();
    Ok((images?, Selection::Named(names)))
}

/// Images of which it does not matter what bake builds.
fn of_no_target(
    context: &mut Context,
    images: Vec<Pushed>,
    filter: &Filter,
    access: Access,
) -> anyhow::Result<Chosen> {
    if *filter != Filter::default() {
        return Err(Failure::invalid(
            "`--distro`, `--pg` and `--shard` narrow what targets are taken",
        )
        .hint("name the targets too, or `--all`")
        .into());
    }
    Ok(Chosen {
        engine: Engine::open(context, access)?,
        images,
        read: Ok(()),
    })
}

/// Refuses to ask registries where nothing can ask them.
pub(crate) fn require(engine: &Engine) -> Result<(), Failure> {
    if engine.is_stopped() {
        return Err(Failure::unavailable(
            "which digests the images have cannot be asked: the sandbox does not run",
        )
        .hint("`cargo xtask sandbox up` starts it; or name what bake has written: `--metadata-file FILE`"));
    }
    tool::require(&engine.exec, [oras::PROGRAM])
}

/// Refuses a key that is not there.
pub(crate) fn check_key(key: &Key, context: &Context) -> Result<(), Failure> {
    if let Key::Variable(name) = key {
        context.exec.withhold(name);
    }
    match key {
        Key::File(path) if !path.is_file() => Err(Failure::invalid(format!(
            "the key `{}` is no file",
            path.display()
        ))
        .hint("`cosign generate-key-pair` makes one; a key is also `env://VARIABLE`, or of a key service")),
        Key::Variable(name) if std::env::var_os(name).is_none() => Err(Failure::invalid(format!(
            "the environment has no variable `{name}`, which is to hold the key"
        ))
        .hint("it holds the file's text")),
        _ => Ok(()),
    }
}

/// All that a file speaks of.
fn all_of(metadata: &Metadata, file: &Path) -> Result<Vec<Pushed>, Failure> {
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
    selection: &Selection,
    filter: &Filter,
    written: Option<(&Path, &Metadata)>,
    access: Access,
) -> anyhow::Result<Chosen> {
    let begun = Begun::open(context, selection, Aim::Images, filter, access)?;
    let targets = begun.targets(filter, context)?;
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
        match Pushed::of_written_target(target, metadata, file)? {
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
    require(engine)?;
    let of = |target: &Target| Pushed::of_target(target, &engine.exec);
    targets.chosen().map(of).collect()
}
