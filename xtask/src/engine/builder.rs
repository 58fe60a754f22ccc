// SPDX-License-Identifier: Apache-2.0
//! The builder that images are built with: the engine's own, or another one that buildx knows, on this machine or not.

use std::path::PathBuf;

use super::Engine;
use crate::{
    config::{self, Config},
    exec::{CmdFailure, Exec},
    failure::{Failure, Reason, Section},
    image::is_local,
    tool::{
        builder::{self, Driver},
        docker::{self, Info},
    },
};

/// A builder that can build.
pub(crate) struct Builder {
    /// What calls of buildx are told. None: it need not be named.
    name: Option<String>,
    /// None: the engine's own, or nothing is known of it.
    other: Option<builder::Builder>,
}

/// Docker's configuration folder, as the engine's programs have it.
fn configuration(engine: &Engine) -> Option<PathBuf> {
    match &engine.sandbox {
        Some(sandbox) => Some(sandbox.docker_settings()),
        None => docker::own_folder(),
    }
}

impl Builder {
    /// Asks the engine and the builder that the settings name, or else the one that buildx has selected, whether they can
    /// build at all. Where the engine is only looked at, no answer is none.
    pub(crate) fn survey(config: &Config, engine: &Engine) -> Result<Self, Failure> {
        let named = config.builder();
        let unknown = || Self {
            name: named.map(str::to_owned),
            other: None,
        };
        if engine.is_looked_at() && engine.is_stopped() {
            return Ok(unknown());
        }
        // Nobody is asked without a reason: what buildx says of the engine's own builder, the engine has said.
        if named.is_none() && !builder::may_be_selected(configuration(engine)) {
            return if engine.is_looked_at() {
                Ok(unknown())
            } else {
                Self::own(named, engine)
            };
        }
        match Self::ask(named, engine) {
            Err(_) if engine.is_looked_at() => Ok(unknown()),
            asked => asked,
        }
    }

    fn ask(named: Option<&str>, engine: &Engine) -> Result<Self, Failure> {
        let text = engine.exec.read(&builder::inspect_cmd(named), None);
        let text = text.map_err(|failed| not_described(named, engine, failed))?;
        let Some(found) = builder::Builder::parse(&text) else {
            return Err(Failure::unavailable(
                "`docker buildx inspect` names no driver",
            ));
        };
        if let Some(why) = found.refusal() {
            return Err(unusable(&found.name, &why));
        }
        if !found.is_engines_own() {
            return Ok(Self {
                // Named also where it was selected: what buildx has selected may change meanwhile.
                name: Some(named.map_or_else(|| found.name.clone(), str::to_owned)),
                other: Some(found),
            });
        }
        Self::own(named, engine)
    }

    /// The engine's own, where that can build.
    fn own(named: Option<&str>, engine: &Engine) -> Result<Self, Failure> {
        let info = engine.info()?;
        check_plugin(info)?;
        if !info.containerd_store {
            return Err(Failure::unavailable(
                "the engine's own builder cannot attest images or keep an index without the containerd image store",
            )
            .hint("set `\"features\": {\"containerd-snapshotter\": true}` in the engine's daemon.json, or use a builder of its own: \
                   `docker buildx create --use --driver docker-container --driver-opt network=host`")
            .see(Section::Builders));
        }
        Ok(Self {
            name: named.map(str::to_owned),
            other: None,
        })
    }

    /// What `--builder` is to say.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it builds is in the engine's image store, whatever else becomes of it.
    pub(crate) fn is_engines_own(&self) -> bool {
        self.other.is_none()
    }

    /// Its nodes that cannot build, a warning each.
    pub(crate) fn lost_nodes(&self) -> Vec<String> {
        let lost = self.other.iter().flat_map(builder::Builder::lost);
        lost.map(|node| format!("of builder `{}` {node}", self.shown()))
            .collect()
    }

    /// What becomes of images that are neither pushed nor loaded, where the engine does not get them.
    pub(crate) fn keeps(&self) -> Option<String> {
        let driver = &self.other.as_ref()?.driver;
        Some(format!(
            "images stay in the builder (driver `{driver}`): add `--push`, or `--load` for the engine's image store"
        ))
    }

    /// Refuses a registry that is surely another one, or none, where the builder pushes from.
    pub(crate) fn check_registry(&self, config: &Config) -> Result<(), Failure> {
        let registry = config.get(config::REGISTRY);
        let Some(other) = self.other.as_ref().filter(|other| other.has_own_loopback()) else {
            return Ok(());
        };
        if !is_local(registry) {
            return Ok(());
        }
        let (what, how) = match other.driver {
            Driver::Container => (
                "container",
                ", or create the builder on this machine's network: `--driver-opt network=host`",
            ),
            _ => ("pod", ""),
        };
        Err(Failure::unavailable(format!(
            "builder `{}` cannot push to `{registry}`: there that is its own {what}",
            self.shown()
        ))
        .hint(format!(
            "set `registry` to a name by which the builder and this machine both reach it{how}"
        ))
        .see(Section::Builders))
    }

    fn shown(&self) -> &str {
        self.name().unwrap_or_default()
    }
}

fn unusable(name: &str, why: &str) -> Failure {
    Failure::unavailable(format!("builder `{name}` cannot be used: {why}"))
        .hint("`docker buildx ls` lists the builders and what runs of them; a remote one is started where it is")
        .see(Section::Builders)
}

/// Why buildx does not describe a builder: mostly there is no engine to ask, or no buildx.
fn not_described(named: Option<&str>, engine: &Engine, failed: CmdFailure) -> Failure {
    if let Err(why) = engine.info().and_then(check_plugin) {
        return why;
    }
    match (named, &failed.reason) {
        (Some(name), Reason::Status(_)) => {
            unusable(name, failed.cause().unwrap_or("buildx does not know it"))
        }
        _ => Failure::from(failed),
    }
}

fn check_plugin(info: &Info) -> Result<(), Failure> {
    match info.buildx {
        Some(_) => Ok(()),
        None => Err(Failure::unavailable("`docker` has no buildx plugin")
            .hint("install it (package `docker-buildx` or `docker-buildx-plugin`)")
            .see(Section::Begin)),
    }
}
