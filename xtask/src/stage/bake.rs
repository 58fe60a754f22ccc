// SPDX-License-Identifier: Apache-2.0
//! Bakes as steps: all extensions in one call of bake, each of them a step of its own.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use self::{
    base::Base,
    calls::{Call, Group},
    solve::{Place, Share, Solve},
    tidy::Tidy,
};
use crate::{
    config::{self, Config, Sbom},
    engine::{builder::Builder, sources::Sources},
    image::{Image, Merge, Rotation},
    plan::{Action, Joint, Location, Part, Plan, Step, StepId},
    target::Target,
    tool::buildx::{self, Bake},
};

mod bake_file;
mod base;
mod calls;
mod changes;
mod output;
mod platforms;
mod solve;
mod tidy;

pub(crate) use self::{
    calls::calls, changes::Changes, platforms::Wanted, solve::noted_configurations,
};

/// Where bake says what it has built of each extension, below the root: files with the extensions' names.
const FOLDER: &str = "target/xtask/bake";

/// What to bake and how, resolved.
pub(crate) struct Request<'a> {
    pub config: &'a Config,
    pub sources: &'a Sources,
    pub targets: &'a [&'a Target],
    pub builder: &'a Builder,
    pub to: Destination,
    pub platforms: &'a Wanted,
    pub no_cache: bool,
    /// Relative to the root where it lies inside.
    pub metadata_file: Option<PathBuf>,
    /// Steps that come before: a registry that must be there to push to.
    pub after: &'a [StepId],
}

/// Where images go once they are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// They stay where the builder has them: that of the engine's own is the engine's image store.
    Builder,
    /// The engine's image store.
    Engine,
    /// The registry.
    Registry,
}

impl Request<'_> {
    /// Images are handed to the engine by a builder that is not its own.
    fn loads(&self) -> bool {
        self.to == Destination::Engine && !self.builder.is_engines_own()
    }

    fn changes(&self) -> Changes {
        let mut changes = Changes::of(self.config);
        changes.outputs.loaded = self.loads();
        changes.bases = Base::lacking(self);
        changes
    }

    /// Where images go to, as far as it can be asked what is there.
    fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        if self.reaches_engine() {
            places.push(Place::Engine);
        }
        if self.to == Destination::Registry {
            places.push(Place::Registry);
        }
        places
    }

    /// The engine has them afterwards.
    fn reaches_engine(&self) -> bool {
        self.to == Destination::Engine || self.builder.is_engines_own()
    }
}

/// A target that is baked, and the step that does it.
pub(crate) struct Baked {
    target: String,
    extension: String,
    /// The names that its image gets.
    pub tags: Vec<String>,
    pub step: StepId,
    pub metadata: PathBuf,
    /// Set once it is known that its image is the one that is there.
    is_unchanged: Arc<AtomicBool>,
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
    let changes = request.changes();
    let calls = calls(request.targets, workspace, config, &changes);
    request.platforms.note(request.targets, plan);
    let bake = Bake {
        builder: request.builder.name().map(str::to_owned),
        variables: buildx::may_read(request.config),
        set: attestations(plan, request),
        push: request.to == Destination::Registry,
        no_cache: request.no_cache,
        progress: Some("rawjson"),
        ..Bake::default()
    };
    let bases = changes.bases.iter().map(|base| base.write(plan));
    let bases: Vec<StepId> = bases.collect();
    let mut baked = Vec::new();
    let (mut files, mut earlier) = (Vec::new(), Vec::new());
    for call in calls {
        let defined = call.define(plan);
        let work = solve(&call, request, &bake, defined.path);
        files.push(work.metadata.clone());
        let shares = work.shares.iter();
        let unchanged: Vec<_> = shares
            .map(|share| Arc::clone(&share.is_unchanged))
            .collect();
        let work: Arc<dyn Joint> = Arc::new(work);
        let mut steps = Vec::new();
        for (place, group) in call.groups.iter().enumerate() {
            let part = Action::Part(Part {
                joint: Arc::clone(&work),
                place,
            });
            let step = Step::new(format!("bake {}", group.extension.name), part)
                .after([defined.step])
                .after(request.after.iter().chain(&bases).copied())
                .after_end_of(earlier.iter().copied());
            let step = plan.add(step);
            steps.push(step);
            baked.extend(group.targets.iter().map(|target| Baked {
                target: target.name.clone(),
                extension: group.extension.name.clone(),
                tags: call.tags(&target.name),
                step,
                metadata: group.metadata(),
                is_unchanged: Arc::clone(&unchanged[place]),
            }));
        }
        earlier = steps;
    }
    add_what_follows(plan, request, &baked, files);
    baked
}

/// The work of a call, which builds from the `definitions`; `bake` is what all calls have in common.
fn solve(call: &Call<'_>, request: &Request<'_>, bake: &Bake, definitions: PathBuf) -> Solve {
    let targets = call.groups.iter().flat_map(|group| &group.targets);
    let targets: Vec<&Target> = targets.copied().collect();
    let platforms = request.platforms.overrides(&targets).into_iter();
    let shares = call
        .groups
        .iter()
        .map(|group| share(call, group, request, bake));
    Solve {
        bake: Bake {
            files: vec![definitions],
            set: platforms.chain(bake.set.iter().cloned()).collect(),
            ..bake.clone()
        },
        shares: shares.collect(),
        places: request.places(),
        metadata: match &call.groups[..] {
            [one] => one.metadata(),
            _ => call.file("metadata"),
        },
    }
}

/// Adds what is done once images are built: superseded ones are dropped, and the user's metadata file is written.
fn add_what_follows(plan: &mut Plan, request: &Request<'_>, baked: &[Baked], files: Vec<PathBuf>) {
    // What the engine does not get is not dropped there.
    for target in request.targets.iter().filter(|_| request.reaches_engine()) {
        if let (Some(done), Some(stamped)) = (Baked::of(target, baked), &target.stamped) {
            let name = format!("tidy {}", target.name);
            let tidy = Tidy {
                rotation: Rotation(stamped.clone()),
                is_unchanged: Arc::clone(&done.is_unchanged),
            };
            plan.add(Step::work(name, tidy).after([done.step]).quiet());
        }
    }
    if let Some(into) = &request.metadata_file {
        let mut from: Vec<PathBuf> = baked.iter().map(|done| done.metadata.clone()).collect();
        from.dedup();
        let merge = Merge {
            from,
            calls: files,
            into: Location::Named(into.clone()),
        };
        let after = baked.iter().map(|done| done.step);
        plan.add(Step::work("metadata file", merge).after(after).quiet());
    }
}

/// A part of the work that bakes a group.
fn share(call: &Call<'_>, group: &Group<'_>, request: &Request<'_>, bake: &Bake) -> Share {
    let is_one = |target: &&Target| {
        let all = target.definitions.as_ref();
        request.platforms.of_target(target).len() == 1
            && all.is_some_and(|all| all.exports_once(&target.name))
    };
    Share {
        // Of several platforms each may be exported by a node of its own, before the index is made of them; what is handed
        // over is there some time after it was exported; and a file of the user's is to hold all that bake says at its end.
        ends_when_exported: request.metadata_file.is_none()
            && !request.loads()
            && group.targets.iter().all(is_one),
        asked: group
            .targets
            .iter()
            .filter_map(|target| call.asked(&target.name).cloned())
            .collect(),
        wanted: match request.to {
            Destination::Registry => {
                let wanted = |target: &&Target| call.wanted(target, bake);
                group.targets.iter().map(wanted).collect()
            }
            // No registry is asked.
            Destination::Builder | Destination::Engine => Vec::new(),
        },
        ..group.share()
    }
}

/// What `--set` says of attestations, and as a note why.
fn attestations(plan: &mut Plan, request: &Request<'_>) -> Vec<String> {
    let mut set = Vec::new();
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
    // Fact: buildx gives a build its proxies as arguments, and `max` names those.
    let attests_all = |target: &&Target| {
        let all = target.definitions.as_ref();
        all.is_some_and(|all| all.attests_all(&target.name))
    };
    if request.sources.tells_login && request.targets.iter().any(attests_all) {
        set.push("*.attest=type=provenance,mode=min".to_owned());
        plan.note(
            "provenance without the arguments of builds: among them is a proxy with its login, which docker's configuration names",
        );
    }
    set
}
