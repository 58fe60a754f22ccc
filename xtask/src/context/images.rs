// SPDX-License-Identifier: Apache-2.0
//! Which images in a registry are meant: those of targets, of a metadata file, of targets that a file speaks of, or any by their
//! references; and with which key they are signed.

use super::Context;
use crate::{
    cli,
    engine::{Access, Engine, sources::Freshness},
    failure::Failure,
    image::ImageRef,
    stage::{begin::Begun, pushed::Pushed, subject::is_reference, written::Written},
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
    let are_named = !selection.is_none();
    let written = context.written(&args.written)?;
    let filter = Filter::from(&args.filters);
    let mut chosen = match &written {
        None if !are_named && !named.is_empty() => {
            of_no_target(context, Vec::new(), &filter, access)?
        }
        Some(written) if !are_named => {
            of_no_target(context, written.all_pushed()?, &filter, access)?
        }
        written => of_targets(context, &selection, &filter, written.as_ref(), access)?,
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
    filter.check_unused()?;
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

/// The images of targets: by the digests that a file has of them, or else that their registry has.
fn of_targets(
    context: &mut Context,
    selection: &Selection,
    filter: &Filter,
    written: Option<&Written>,
    access: Access,
) -> anyhow::Result<Chosen> {
    let begun = Begun::open_as_of(
        context,
        selection,
        Aim::Images,
        filter,
        (access, Freshness::Remembered),
    )?;
    let targets = begun.targets(filter, context)?;
    let images = match written {
        Some(written) => {
            let (images, left_out) = written.pushed(&targets)?;
            for text in &left_out {
                context.ui.warning(text);
            }
            images
        }
        None => of_registry(&begun.engine, &targets)?,
    };
    Ok(Chosen {
        read: begun.check_read(),
        engine: begun.engine,
        images,
    })
}

fn of_registry(engine: &Engine, targets: &Targets) -> Result<Vec<Pushed>, Failure> {
    require(engine)?;
    let of = |target: &Target| Pushed::of_target(target, &engine.exec);
    targets.chosen().map(of).collect()
}
