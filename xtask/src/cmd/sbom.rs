// SPDX-License-Identifier: Apache-2.0
//! `sbom`: the bill of materials that is attached to an image, as SPDX in JSON.

use crate::{
    cli,
    context::{Context, images},
    engine::Access,
    exec::Exec,
    failure::Failure,
    image::{
        ImageRef,
        attestation::{self, Attested, SPDX},
    },
    plan::Cmd,
    stage::pushed::{PATIENCE, Pushed},
    tool::{docker, oras},
    ui::{Form, Report, bytes},
    value::Platform,
};

/// Bytes of a bill of materials: those of whole distributions have less.
const LARGEST: u64 = 128 << 20;

pub(super) fn run(args: &cli::Sbom, context: &mut Context) -> anyhow::Result<()> {
    let chosen = images::located(context, &args.images, Access::Share)?;
    let [image] = chosen.images.as_slice() else {
        return Err(several(&chosen.images).into());
    };
    images::require(&chosen.engine)?;
    let exec = &chosen.engine.exec;
    let of = attested(&image.image, args.platform.as_ref(), exec)?;
    let none = || without(&image.image);
    let manifest = read(
        &oras::manifest_cmd(&image.image.by_digest(&of.attestations)),
        exec,
    )?;
    let statement = attestation::statement(&manifest, SPDX).ok_or_else(none)?;
    let blob = image.image.by_digest(&statement.digest);
    if statement.size > LARGEST {
        return Err(too_large(&blob, statement.size).into());
    }
    let statement = read(&oras::blob_cmd(&blob), exec)?;
    let document = attestation::predicate(&statement, SPDX, &of.image).ok_or_else(|| {
        Failure::failed(format!(
            "what is attached to `{}` is no bill of materials of it",
            image.image
        ))
    })?;
    context.ui.result(Form::Json, &document, &Report::default());
    Ok(chosen.read?)
}

fn read(cmd: &Cmd, exec: &dyn Exec) -> Result<String, Failure> {
    exec.read(cmd, Some(PATIENCE)).map_err(Failure::from)
}

fn several(images: &[Pushed]) -> Failure {
    let titles: Vec<&str> = images.iter().map(|image| image.title.as_str()).collect();
    Failure::invalid(format!("one image at a time, not {}", titles.join("; ")))
        .hint("choose one with `--distro` and `--pg`, or name it by its reference")
}

/// The image for the platform that is meant: the one that was named, else this machine's, else the only one.
fn attested(
    image: &ImageRef,
    wanted: Option<&Platform>,
    exec: &dyn Exec,
) -> Result<Attested, Failure> {
    let index = read(&oras::manifest_cmd(image), exec)?;
    let mut all = attestation::attested(&index);
    let here = docker::here().ok();
    let at = match wanted.or(here.as_ref()) {
        Some(platform) => all.iter().position(|one| one.platform == *platform),
        None => None,
    };
    match (at, wanted) {
        (Some(at), _) => Ok(all.swap_remove(at)),
        (None, None) if all.len() == 1 => Ok(all.swap_remove(0)),
        _ if all.is_empty() => Err(without(image)),
        (None, _) => {
            let platforms: Vec<String> = all.iter().map(|one| one.platform.to_string()).collect();
            let has = platforms.join(", ");
            Err(
                Failure::invalid(format!("`{image}` has attestations for {has} alone"))
                    .hint("name one of these with `--platform`"),
            )
        }
    }
}

fn too_large(blob: &ImageRef, size: u64) -> Failure {
    let (size, most) = (bytes(size), bytes(LARGEST));
    Failure::failed(format!(
        "the bill of materials has {size}, and {most} at most are read"
    ))
    .hint(format!(
        "`oras blob fetch --output sbom.json {blob}` saves it"
    ))
}

fn without(image: &ImageRef) -> Failure {
    Failure::failed(format!("nothing says what is in `{image}`: no SBOM is attached")).hint(
        "bake it with one: in the sandbox `XTASK_BAKE_SBOM=always`, elsewhere the bake file's `attest` has `type=sbom`",
    )
}
