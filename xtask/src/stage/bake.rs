// SPDX-License-Identifier: Apache-2.0
//! Bakes as steps: all extensions in one call of bake, each of them a step of its own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use crate::{
    config::{self, Config, Sbom},
    engine::{Engine, base::Sources, print},
    exec::Exec,
    extension::Extension,
    failure::{Failure, Reason},
    image::{Image, Merge},
    plan::{Action, Joint, Location, Part, Plan, Step, StepId},
    target::Target,
    tool::buildx::{self, Bake},
    workspace::Workspace,
};

mod definitions;
mod platforms;
mod solve;

use definitions::Definitions;
pub(crate) use platforms::Wanted;
use solve::{Share, Solve};

/// Where bake's own files of a run are, below the root: what it builds from, and what it says that it has built.
const FOLDER: &str = "target/xtask/bake";

/// So many extensions are built in one call when nobody has said how many.
const IN_ONE_CALL: usize = 16;

/// What to bake and how, resolved.
pub(crate) struct Request<'a> {
    pub config: &'a Config,
    pub sources: &'a Sources,
    pub targets: &'a [&'a Target],
    pub push: bool,
    pub platforms: &'a Wanted,
    pub no_cache: bool,
    /// Relative to the root where it lies inside.
    pub metadata_file: Option<PathBuf>,
    /// Steps that come before: a registry that must be there to push to.
    pub after: &'a [StepId],
}

/// A target that is baked, and the step that does it.
pub(crate) struct Baked {
    target: String,
    extension: String,
    pub step: StepId,
    pub metadata: PathBuf,
}

impl Baked {
    /// The bake of this plan that makes a target, if one does.
    pub(crate) fn of<'a>(target: &Target, baked: &'a [Self]) -> Option<&'a Self> {
        baked
            .iter()
            .find(|done| done.target == target.name && done.extension == target.extension.name)
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

/// Adds the steps that bake the request's targets.
pub(crate) fn add(plan: &mut Plan, request: &Request<'_>) -> Vec<Baked> {
    let (config, workspace) = (request.config, &request.sources.workspace);
    let calls = calls(request.targets, workspace, config);
    let bake = Bake {
        builder: config.builder().map(str::to_owned),
        set: overrides(plan, request),
        push: request.push,
        no_cache: request.no_cache,
        progress: Some("rawjson"),
        ..Bake::default()
    };
    let mut baked = Vec::new();
    let (mut files, mut earlier) = (Vec::new(), Vec::new());
    for call in calls {
        let defined = call.define(plan);
        let mut bake = bake.clone();
        bake.files.push(defined.path);
        let metadata = match &call.groups[..] {
            [one] => one.metadata(),
            _ => Path::new(FOLDER).join(format!("metadata{}.json", call.number)),
        };
        let solve: Arc<dyn Joint> = Arc::new(Solve {
            bake,
            shares: call.groups.iter().map(Group::share).collect(),
            metadata: metadata.clone(),
        });
        files.push(metadata);
        let mut steps = Vec::new();
        for (place, group) in call.groups.iter().enumerate() {
            let part = Action::Part(Part {
                joint: Arc::clone(&solve),
                place,
            });
            let step = Step::new(format!("bake {}", group.extension.name), part)
                .after([defined.step])
                .after(request.after.iter().copied())
                .after_end_of(earlier.iter().copied());
            let step = plan.add(step);
            steps.push(step);
            baked.extend(group.targets.iter().map(|target| Baked {
                target: target.name.clone(),
                extension: group.extension.name.clone(),
                step,
                metadata: group.metadata(),
            }));
        }
        earlier = steps;
    }
    add_what_follows(plan, request, &baked, files);
    baked
}

/// Adds what is done once images are built: superseded ones are dropped, and the user's metadata file is written.
fn add_what_follows(plan: &mut Plan, request: &Request<'_>, baked: &[Baked], files: Vec<PathBuf>) {
    for target in request.targets {
        if let (Some(done), Some(stamped)) = (Baked::of(target, baked), &target.stamped) {
            let name = format!("tidy {}", target.name);
            plan.add(Step::work(name, stamped.clone()).after([done.step]).quiet());
        }
    }
    if let Some(into) = &request.metadata_file {
        let mut from: Vec<PathBuf> = baked.iter().map(|done| done.metadata.clone()).collect();
        from.dedup();
        let merge = Merge {
            from,
            printed: files,
            into: Location::Named(into.clone()),
        };
        let after = baked.iter().map(|done| done.step);
        plan.add(Step::work("metadata file", merge).after(after).quiet());
    }
}

/// The targets of one extension.
struct Group<'a> {
    extension: &'a Extension,
    targets: Vec<&'a Target>,
}

impl Group<'_> {
    /// What was built of it, below the root.
    fn metadata(&self) -> PathBuf {
        Path::new(FOLDER).join(format!("{}.json", self.extension.name))
    }

    fn share(&self) -> Share {
        let servers = self.targets.iter().map(|target| &target.server);
        let servers = servers.map(|server| format!("pg {}, {}", server.major, server.distro));
        let servers: Vec<String> = servers.collect();
        Share {
            purpose: format!("bake `{}` ({})", self.extension.name, servers.join("; ")),
            targets: self
                .targets
                .iter()
                .map(|target| target.name.clone())
                .collect(),
            metadata: self.metadata(),
        }
    }
}

/// The extensions that are built in one call of bake.
pub(crate) struct Call<'a> {
    /// Nothing, or what tells it from the calls before it.
    number: String,
    groups: Vec<Group<'a>>,
    definitions: Definitions,
}

/// The file that a call builds from, and the step after which it is there.
pub(crate) struct Defined {
    pub path: PathBuf,
    pub step: StepId,
}

impl Call<'_> {
    /// Adds the steps that write what it builds from.
    pub(crate) fn define(&self, plan: &mut Plan) -> Defined {
        let folder = Action::Folder(Location::output(FOLDER));
        let folder = Step::new(format!("folder for bake{}", self.number), folder);
        let folder = plan.add(folder.quiet());
        let write = format!("what is built{}", self.number);
        let write = Step::work(write, self.definitions.clone()).after([folder]);
        Defined {
            path: self.definitions.path.clone(),
            step: plan.add(write.quiet()),
        }
    }

    /// Its extensions, each with the names of its targets.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = (&Extension, Vec<String>)> {
        let groups = self.groups.iter();
        groups.map(|group| (group.extension, group.share().targets))
    }
}

/// The calls that build these targets: one, unless there are too many extensions for that or two of them have different
/// targets of one name.
pub(crate) fn calls<'a>(
    targets: &[&'a Target],
    workspace: &Workspace,
    config: &Config,
) -> Vec<Call<'a>> {
    let moment = SystemTime::now();
    let at_once = match config.get(config::JOBS) {
        0 => IN_ONE_CALL,
        jobs => jobs as usize,
    };
    let mut calls: Vec<Call<'a>> = Vec::new();
    for group in by_extension(targets) {
        let ask = print::question(workspace, group.extension, config);
        let has_taken = |call: &mut Call<'_>| {
            call.groups.len() < at_once && call.definitions.add(&group.targets, moment, &ask)
        };
        if let Some(call) = calls
            .iter_mut()
            .find_map(|call| has_taken(call).then_some(call))
        {
            call.groups.push(group);
            continue;
        }
        let number = match calls.len() {
            0 => String::new(),
            before => format!(".{}", before + 1),
        };
        let path = Path::new(FOLDER).join(format!("targets{number}.json"));
        let mut definitions = Definitions::empty(path);
        // The first one meets no other.
        definitions.add(&group.targets, moment, &ask);
        calls.push(Call {
            number,
            groups: vec![group],
            definitions,
        });
    }
    calls
}

/// The targets of each extension, in the order in which the extensions first appear.
fn by_extension<'a>(targets: &[&'a Target]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for target in targets {
        let extension = &*target.extension;
        let known = groups
            .iter_mut()
            .find(|group| group.extension.name == extension.name);
        match known {
            Some(group) => group.targets.push(target),
            None => groups.push(Group {
                extension,
                targets: vec![target],
            }),
        }
    }
    groups
}

/// What `--set` says, and as notes why.
fn overrides(plan: &mut Plan, request: &Request<'_>) -> Vec<String> {
    let mut set = request.platforms.overrides(request.targets, plan);
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
