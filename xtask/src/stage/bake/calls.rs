// SPDX-License-Identifier: Apache-2.0
//! Which extensions are built in which call of bake: one call for all, where nothing is against it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use super::{
    FOLDER,
    bake_file::BakeFile,
    changes::Changes,
    solve::{Share, Wanted},
};
use crate::{
    config::{self, Config},
    engine::print,
    extension::Extension,
    plan::{Action, Location, Plan, Step, StepId},
    target::Target,
    tool::buildx::Bake,
    value::Digest,
    workspace::Workspace,
};

/// So many extensions are built in one call when nobody has said how many.
const IN_ONE_CALL: usize = 16;

/// The targets of one extension.
pub(super) struct Group<'a> {
    pub extension: &'a Extension,
    pub targets: Vec<&'a Target>,
}

impl Group<'_> {
    /// What was built of it, below the root.
    pub(super) fn metadata(&self) -> PathBuf {
        Path::new(FOLDER).join(format!("{}.json", self.extension.name))
    }

    pub(super) fn share(&self) -> Share {
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
            ends_when_exported: false,
            asked: Vec::new(),
            wanted: Vec::new(),
            is_unchanged: Arc::default(),
        }
    }
}

/// The extensions that are built in one call of bake.
pub(crate) struct Call<'a> {
    /// Nothing, or what tells it from the calls before it.
    pub(super) number: String,
    pub(super) groups: Vec<Group<'a>>,
    bake_file: BakeFile,
}

/// The file that a call builds from, and the step after which it is there.
pub(crate) struct Defined {
    pub path: PathBuf,
    pub step: StepId,
}

/// A file of a call, beside the folder in which extensions give the names.
fn file(name: &str, number: &str) -> PathBuf {
    Path::new(FOLDER).with_file_name(format!("{name}{number}.json"))
}

impl Call<'_> {
    /// A file of this call.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        file(name, &self.number)
    }

    /// Adds the steps that write what it builds from.
    pub(crate) fn define(&self, plan: &mut Plan) -> Defined {
        let folder = Action::Folder(Location::output(FOLDER));
        let folder = Step::new(format!("folder for bake{}", self.number), folder);
        let folder = plan.add(folder.quiet());
        let write = format!("what is built{}", self.number);
        let write = Step::work(write, self.bake_file.clone()).after([folder]);
        Defined {
            path: self.bake_file.path.clone(),
            step: plan.add(write.quiet()),
        }
    }

    /// The names that the image of a target gets.
    pub(super) fn tags(&self, target: &str) -> Vec<String> {
        self.bake_file.tags(target)
    }

    /// What stands for all that a target's definition asks for, but its moment.
    pub(super) fn asked(&self, target: &str) -> Option<&Digest> {
        self.bake_file.asked(target)
    }

    /// What a registry would have of a target.
    pub(super) fn wanted(&self, target: &Target, bake: &Bake) -> Wanted {
        self.bake_file.wanted(target, &bake.set)
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
    changes: &Changes,
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
            call.groups.len() < at_once && call.bake_file.add(&group.targets, moment, &ask)
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
        let path = file("targets", &number);
        let mut bake_file = BakeFile::empty(path, changes.clone());
        // The first one meets no other.
        bake_file.add(&group.targets, moment, &ask);
        calls.push(Call {
            number,
            groups: vec![group],
            bake_file,
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
