// SPDX-License-Identifier: Apache-2.0
//! What an engine knows of an image that somebody has named.

use crate::{
    engine::Engine,
    exec::Exec,
    failure::{Failure, Reason},
    image::ImageRef,
    tool::docker,
};

/// Asks the engine, which pulls the image when it does not have it. `otherwise`: what helps where it cannot.
pub(crate) fn survey(
    engine: &Engine,
    image: &ImageRef,
    otherwise: &str,
) -> anyhow::Result<docker::Image> {
    engine.info()?;
    let read = || engine.exec.read(&docker::image_cmd(image), None);
    let text = match read() {
        Ok(text) => text,
        // What was cut off says nothing of the image.
        Err(failed) if matches!(failed.reason, Reason::Status(_)) && !engine.exec.interrupted() => {
            let pulled = engine.exec.read(&docker::pull_cmd(image), None);
            pulled.map_err(|failed| {
                let cause = failed
                    .cause()
                    .unwrap_or("docker did not say why")
                    .to_owned();
                Failure::failed(format!("image `{image}` cannot be pulled: {cause}"))
                    .hint(otherwise)
            })?;
            read().map_err(Failure::from)?
        }
        Err(failed) => return Err(Failure::from(failed).into()),
    };
    let described = docker::Image::parse(&text);
    Ok(described.map_err(|error| {
        Failure::failed(format!(
            "what `docker` says of image `{image}` is no JSON: {error}"
        ))
    })?)
}
