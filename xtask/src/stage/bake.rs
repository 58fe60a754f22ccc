// SPDX-License-Identifier: Apache-2.0
//! Bakes as steps: one `docker buildx bake` per extension, side by side, dependencies first.

use std::path::{Path, PathBuf};

use crate::{
    config::{self, Config, Sbom},
    engine::{Engine, base::Sources},
    exec::Exec,
    extension::Extension,
    failure::{Failure, Reason},
    image::{self, Image, Merge, Promised},
    plan::{Action, Location, Plan, Step, StepId},
    target::{PLATFORMS, Target},
    tool::{
        buildx::{self, Bake},
        docker,
    },
};

/// Where bake says what it has built, below the root.
const FOLDER: &str = "target/xtask/bake";

/// What to bake and how, resolved.
pub(crate) struct Request<'a> {
    pub config: &'a Config,
    pub sources: &'a Sources,
    /// In the order in which they should start.
    pub targets: &'a [&'a Target],
    /// They were chosen by a filter: bake is told their names.
    pub filtered: bool,
    pub push: bool,
    /// Empty: this machine's platform, or all where images are pushed to a registry that is not local.
    pub platforms: &'a [String],
    pub no_cache: bool,
    /// Relative to the root where it lies inside.
    pub metadata_file: Option<PathBuf>,
    /// Steps that come before: a registry that must be there to push to.
    pub after: &'a [StepId],
}

/// The step that bakes one extension.
pub(crate) struct Baked {
    extension: String,
    pub step: StepId,
    pub metadata: PathBuf,
}

impl Baked {
    /// The bake of this plan that makes a target, if one does.
    pub(crate) fn of<'a>(target: &Target, baked: &'a [Self]) -> Option<&'a Self> {
        baked
            .iter()
            .find(|done| done.extension == target.extension.name)
    }

    /// The image of a target for later steps: what a bake of this plan makes, or else what is there already.
    pub(crate) fn image(target: &Target, baked: &[Self]) -> Image {
        match Self::of(target, baked) {
            Some(done) => Image::Baked {
                tag: target.tag.clone(),
                metadata: done.metadata.clone(),
                target: target.name.clone(),
            },
            None => Image::Given(target.tag.clone()),
        }
    }
}

/// Adds the steps that bake the request's targets, one bake per extension.
pub(crate) fn add(plan: &mut Plan, request: &Request<'_>) -> Vec<Baked> {
    let folder = Action::Folder(Location::output(FOLDER));
    let place = plan.add(Step::new("folder for bake's metadata", folder).quiet());
    let groups = by_extension(request.targets);
    // What is left out must not be built: then those that are wanted are named.
    let is_whole = |(extension, targets): &(&Extension, Vec<&Target>)| {
        targets.len() == extension.versions.len()
    };
    let all = AllBakes {
        request,
        place,
        set: overrides(plan, request),
        named: request.filtered || !groups.iter().all(is_whole),
    };
    let mut baked: Vec<Baked> = Vec::new();
    for (extension, targets) in groups {
        let needed = &extension.required_extensions;
        let before = baked.iter().filter(|done| needed.contains(&done.extension));
        let before: Vec<StepId> = before.map(|done| done.step).collect();
        baked.push(all.add(plan, extension, &targets, &before));
    }
    if let Some(into) = &request.metadata_file {
        let after: Vec<StepId> = baked.iter().map(|done| done.step).collect();
        let merge = Merge {
            from: baked.iter().map(|done| done.metadata.clone()).collect(),
            into: Location::Named(into.clone()),
        };
        plan.add(Step::work("metadata file", merge).after(after).quiet());
    }
    baked
}

/// What all bakes of a plan have in common.
struct AllBakes<'a> {
    request: &'a Request<'a>,
    /// The folder for bake's metadata.
    place: StepId,
    /// What is set in place of the bake file's own values.
    set: Vec<String>,
    /// Bake is told which targets are meant.
    named: bool,
}

impl AllBakes<'_> {
    /// Adds the bake of one extension, behind what it needs.
    fn add(
        &self,
        plan: &mut Plan,
        extension: &Extension,
        targets: &[&Target],
        needed: &[StepId],
    ) -> Baked {
        let (request, name) = (self.request, &extension.name);
        let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
        let metadata = Path::new(FOLDER).join(format!("{name}.json"));
        let bake = Bake {
            purpose: format!("bake `{name}` ({})", servers(targets)),
            files: vec![
                request.sources.workspace.bake_file.clone(),
                extension.metadata_file.clone(),
            ],
            targets: if self.named {
                names.clone()
            } else {
                Vec::new()
            },
            variables: variables(request.config),
            builder: request.config.builder().map(str::to_owned),
            metadata_file: Some(metadata.clone()),
            set: self.set.clone(),
            push: request.push,
            no_cache: request.no_cache,
            check: false,
        };
        let mut after = vec![self.place];
        after.extend(request.after);
        after.extend(write_metadata(plan, request.sources, name));
        after.extend(needed);
        // What an earlier run was told is nothing that this one has built.
        let old = Action::RemoveFile(Location::output(&metadata));
        let old = Step::new(format!("old metadata {name}"), old).after([self.place]);
        after.push(plan.add(old.quiet()));
        let promised = Promised {
            names,
            metadata: metadata.clone(),
            pushed: request.push,
        };
        let step = Step::run(format!("bake {name}"), bake.cmd()).after(after);
        let step = plan.add(step.ensures(promised));
        for target in targets {
            let name = format!("tidy {}", target.name);
            plan.add(Step::work(name, target.rotation()).after([step]).quiet());
        }
        Baked {
            extension: name.clone(),
            step,
            metadata,
        }
    }
}

/// The bake file's variables that the settings say.
pub(crate) fn variables(config: &Config) -> Vec<(String, String)> {
    let pairs = config.bake_variables().into_iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Adds the step that writes the metadata file of an extension that is pinned to the archive's versions.
pub(crate) fn write_metadata(plan: &mut Plan, sources: &Sources, name: &str) -> Option<StepId> {
    let mut copies = sources.repinned.iter();
    let copy = copies.find(|copy| copy.extension.name == name)?;
    let folder = Action::Folder(Location::Output(
        copy.file.parent().map(Path::to_owned).unwrap_or_default(),
    ));
    let folder = plan.add(Step::new(format!("metadata {name}"), folder).quiet());
    let write = Action::Write {
        path: Location::output(&copy.file),
        contents: copy.contents.clone(),
    };
    let write = Step::new(format!("write metadata {name}"), write).after([folder]);
    Some(plan.add(write.quiet()))
}

/// The targets of each extension, in the order in which the extensions first appear.
fn by_extension<'a>(targets: &[&'a Target]) -> Vec<(&'a Extension, Vec<&'a Target>)> {
    let mut groups: Vec<(&Extension, Vec<&Target>)> = Vec::new();
    for target in targets {
        let extension = &*target.extension;
        let known = groups.iter_mut().find(|(of, _)| of.name == extension.name);
        match known {
            Some((_, group)) => group.push(target),
            None => groups.push((extension, vec![target])),
        }
    }
    groups
}

fn servers(targets: &[&Target]) -> String {
    let servers = targets.iter().map(|target| &target.server);
    servers
        .map(|server| format!("pg {}, {}", server.major, server.distro))
        .collect::<Vec<_>>()
        .join("; ")
}

/// What `--set` says, and as notes why.
fn overrides(plan: &mut Plan, request: &Request<'_>) -> Vec<String> {
    let mut set = Vec::new();
    let (platforms, all) = platforms(request);
    if all {
        plan.note(format!(
            "for {}: pushed to a registry that is not local",
            platforms.join(" and ")
        ));
    } else {
        set.push(format!("*.platform={}", platforms.join(",")));
        if request.platforms.is_empty() {
            plan.note(format!(
                "for {} only, this machine's platform; `--platform` names others",
                platforms.join(",")
            ));
        }
    }
    // The SBOM scanner is an image of its own, which a closed network does not have.
    let without = match request.config.get(config::SBOM) {
        Sbom::Always => false,
        Sbom::Never => true,
        Sbom::Auto => request.sources.in_sandbox,
    };
    if without {
        set.push("*.attest=type=sbom,disabled=true".to_owned());
        if request.config.is_default(config::SBOM) {
            plan.note(
                "without SBOM attestations in the sandbox; `XTASK_BAKE_SBOM=always` adds them",
            );
        }
    }
    set
}

/// The platforms that images are built for, and whether they are those of the bake file.
pub(crate) fn platforms(request: &Request<'_>) -> (Vec<String>, bool) {
    if !request.platforms.is_empty() {
        return (request.platforms.to_vec(), false);
    }
    if request.push && !image::is_local(request.config.get(config::REGISTRY)) {
        return (PLATFORMS.map(str::to_owned).to_vec(), true);
    }
    (vec![docker::platform_of(std::env::consts::ARCH)], false)
}

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
