// SPDX-License-Identifier: Apache-2.0
//! Whether the engine, and the builder that is chosen, can build at all.

use crate::{
    config::Config,
    engine::Engine,
    exec::Exec,
    failure::{Failure, Reason},
    tool::buildx,
};

/// Asks the engine whether it can do this at all. Gives a warning to show, if there is one.
pub(crate) fn check_engine(config: &Config, engine: &Engine) -> Result<Option<String>, Failure> {
    let info = engine.info()?;
    if info.buildx.is_none() {
        return Err(Failure::unavailable("`docker` has no buildx plugin")
            .hint("install it (package `docker-buildx` or `docker-buildx-plugin`)"));
    }
    let builder = config.builder();
    if builder.is_none() && info.containerd_store {
        return Ok(None);
    }
    let text = engine
        .exec
        .read(&buildx::inspect_cmd(builder), None)
        .map_err(|failed| match (builder, &failed.reason) {
            (Some(name), Reason::Status(_)) => Failure::unavailable(format!(
                "builder `{name}` cannot be used: {}",
                failed.cause().unwrap_or("buildx does not know it")
            ))
            .hint("`docker buildx ls` lists the builders"),
            _ => Failure::from(failed),
        })?;
    match buildx::parse_driver(&text) {
        Some("docker") if !info.containerd_store => Err(Failure::unavailable(
            "the engine's own builder cannot attest images or keep an index without the containerd image store",
        )
        .hint("set `\"features\": {\"containerd-snapshotter\": true}` in the engine's daemon.json, or use a builder of its own: \
               `docker buildx create --use --driver docker-container --driver-opt network=host`")),
        Some("docker") | None => Ok(None),
        Some(driver) => Ok(Some(format!("images stay in the builder (driver `{driver}`) unless they are pushed: add `--push`"))),
    }
}
