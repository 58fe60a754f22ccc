// SPDX-License-Identifier: Apache-2.0
//! The targets that a command is about, and those that they need.

use std::sync::Arc;

use super::{Filter, Matrix, Target, Unmatched};
use crate::{
    extension::Extension,
    failure::Failure,
    value::{ImageRef, Server},
    verdict::Verdict,
    workspace::{Aim, Unread, Workspace},
};

/// The targets that a command is about, and those that they need.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    /// What is needed stands before what needs it.
    all: Vec<Needing>,
    /// Places in `all`, in the order of the choice.
    chosen: Vec<usize>,
    /// They are a share of what was chosen, in which there need not be any.
    is_share: bool,
    unmatched: Vec<Unmatched>,
}

#[derive(Clone, Debug)]
struct Needing {
    target: Target,
    /// Places in `all` of what the target needs, direct or not, in mounting order.
    needs: Vec<usize>,
    /// The extensions among them that are not built for this server.
    missing: Vec<String>,
}

impl Targets {
    /// The images of `extensions` that `filter` takes, with what they need of `workspace` for the same
    /// server. Refused when the filter fits none of them, and when there is nothing to build at all; a share
    /// may be empty.
    pub(crate) fn resolve(
        extensions: &[Arc<Extension>],
        filter: &Filter,
        workspace: &Workspace,
        matrix: &Matrix,
    ) -> Result<Self, Failure> {
        let chosen = chosen(extensions, filter, matrix)?;
        let all = extensions.iter().filter_map(|one| matrix.of(one).ok());
        let servers = all.flatten().map(|target| &target.server);
        Ok(Self {
            is_share: filter.shard.is_some(),
            unmatched: filter.unmatched(&servers),
            ..Self::with_needs_of(chosen, workspace, matrix)
        })
    }

    fn with_needs_of(chosen: Vec<Target>, workspace: &Workspace, matrix: &Matrix) -> Self {
        let mut targets = Self::default();
        for target in chosen {
            let mut dependencies = workspace.dependencies(&target.extension);
            dependencies.sort_by_key(|dependency| workspace.position(dependency));
            for dependency in &dependencies {
                // Where bake refuses it there is none, and [`said`] gives the reason to those who want it.
                let needed = for_server(dependency, &target.server, matrix);
                if let Some(needed) = needed.ok().flatten() {
                    targets.place(needed.clone());
                }
            }
            let place = targets.place(target);
            targets.chosen.push(place);
        }
        for place in 0..targets.all.len() {
            let Target {
                extension, server, ..
            } = &targets.all[place].target;
            let (mut needs, mut missing) = (Vec::new(), Vec::new());
            for dependency in workspace.dependencies(extension) {
                match targets.find_for(&dependency, server) {
                    Some(place) => needs.push(place),
                    None => missing.push(dependency.name.clone()),
                }
            }
            targets.all[place].needs = needs;
            targets.all[place].missing = missing;
        }
        targets
    }

    fn find(&self, target: &Target) -> Option<usize> {
        let is_it = |Needing { target: other, .. }: &Needing| {
            target.name == other.name && target.extension.name == other.extension.name
        };
        self.all.iter().position(is_it)
    }

    /// The first image of an extension for a server.
    fn find_for(&self, extension: &Extension, server: &Server) -> Option<usize> {
        let is_it = |Needing { target, .. }: &Needing| {
            target.extension.name == extension.name
                && target.is_built() == extension.external.is_none()
                && target.server == *server
        };
        self.all.iter().position(is_it)
    }

    /// Where a target stands, which is added when it is new.
    fn place(&mut self, target: Target) -> usize {
        self.find(&target).unwrap_or_else(|| {
            self.all.push(Needing {
                target,
                needs: Vec::new(),
                missing: Vec::new(),
            });
            self.all.len() - 1
        })
    }

    /// The images that the command is about, those that are needed first.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = &Target> {
        self.chosen.iter().map(|place| &self.all[*place].target)
    }

    /// The base images that these are tried in, each once.
    pub(crate) fn bases(&self) -> Vec<&ImageRef> {
        let mut bases: Vec<&ImageRef> = Vec::new();
        for target in self.chosen() {
            if !bases.contains(&&target.base) {
                bases.push(&target.base);
            }
        }
        bases
    }

    /// Leaves out of the choice what there is a reason for, and gives the reasons. `reason` gets a target and what it
    /// needs.
    pub(crate) fn leave_out(
        &mut self,
        reason: impl Fn(&Target, &[&Target]) -> Option<String>,
    ) -> Vec<String> {
        let (mut left, mut reasons) = (Vec::new(), Vec::new());
        for place in &self.chosen {
            let Needing { target, needs, .. } = &self.all[*place];
            let needs = needs.iter().map(|place| &self.all[*place].target);
            match reason(target, &needs.collect::<Vec<_>>()) {
                Some(reason) => reasons.push(reason),
                None => left.push(*place),
            }
        }
        self.chosen = left;
        reasons
    }

    /// Leaves out of the choice the images that need one which is not built for the same server, and gives why, an image
    /// a line. Refused when nothing is left.
    pub(crate) fn leave_out_incomplete(&mut self) -> Result<Vec<String>, Failure> {
        let (mut left, mut reasons) = (Vec::new(), Vec::new());
        for place in &self.chosen {
            let Needing {
                target, missing, ..
            } = &self.all[*place];
            match missing.first() {
                Some(missing) => reasons.push((target.title(), not_built(target, missing))),
                None => left.push(*place),
            }
        }
        if let (true, Some((_, why))) = (left.is_empty(), reasons.first()) {
            return Err(why.clone());
        }
        self.chosen = left;
        let reasons = reasons.into_iter();
        Ok(reasons
            .map(|(title, why)| format!("`{title}` is left out: {}", why.message))
            .collect())
    }

    /// What the filter names that no image is built for.
    pub(crate) fn unmatched(&self) -> &[Unmatched] {
        &self.unmatched
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// Whether there is nothing where there must be something: a share alone may be empty.
    pub(crate) fn lack_all(&self) -> bool {
        self.chosen.is_empty() && !self.is_share
    }

    /// The only image that the command is about; else how many there are.
    pub(crate) fn only(&self) -> Result<&Target, usize> {
        match self.chosen[..] {
            [place] => Ok(&self.all[place].target),
            _ => Err(self.chosen.len()),
        }
    }

    /// The chosen images and before them all that they need and that is built here. Refused when one of these is not built for the
    /// server of the image that needs it.
    pub(crate) fn with_needs(&self) -> Result<impl Iterator<Item = &Target>, Failure> {
        let mut wanted = vec![false; self.all.len()];
        for place in &self.chosen {
            let Needing {
                target,
                needs,
                missing,
            } = &self.all[*place];
            if let Some(missing) = missing.first() {
                return Err(not_built(target, missing));
            }
            for place in needs.iter().chain([place]) {
                wanted[*place] = true;
            }
        }
        let all = self.all.iter().zip(wanted);
        let all = all.filter(|(_, wanted)| *wanted);
        Ok(all
            .map(|(needing, _)| &needing.target)
            .filter(|target| target.is_built()))
    }

    /// What a target needs, for the same server, direct or not, in the order in which it is mounted behind it.
    pub(crate) fn needs(&self, target: &Target) -> impl Iterator<Item = &Target> {
        let place = self.find(target);
        let places = place.into_iter().flat_map(|place| &self.all[place].needs);
        places.map(|place| &self.all[*place].target)
    }
}

/// Those of the extensions of which bake says what it builds, for servers also of all that they need; and the others.
pub(crate) fn said(
    extensions: &[Arc<Extension>],
    aim: Aim,
    workspace: &Workspace,
    matrix: &Matrix,
) -> (Vec<Arc<Extension>>, Vec<Unread>) {
    let (mut said, mut unread) = (Vec::new(), Vec::new());
    for extension in extensions {
        let needed = match aim {
            Aim::Images => Vec::new(),
            Aim::Servers => workspace.dependencies(extension),
        };
        let all = std::iter::once(extension).chain(&needed);
        let mut refused = all.filter_map(|one| matrix.of(one).err());
        match refused.next() {
            None => said.push(Arc::clone(extension)),
            Some(why) => unread.push(Unread {
                name: extension.name.clone(),
                why,
                verdict: Verdict::NotRead,
            }),
        }
    }
    (said, unread)
}

/// What an extension needs for a server, direct or not, in mounting order, whether or not it is built for that
/// server itself.
pub(crate) fn needs_of(
    extension: &Extension,
    server: &Server,
    workspace: &Workspace,
    matrix: &Matrix,
) -> Result<Vec<Target>, Failure> {
    let needed = workspace.dependencies(extension).into_iter();
    let needed = needed.map(|dependency| {
        let target = for_server(&dependency, server, matrix)?;
        target
            .cloned()
            .ok_or_else(|| not_built_for(server, &extension.name, &dependency.name))
    });
    needed.collect()
}

/// The first image of an extension for a server, if it is built for that.
fn for_server<'a>(
    extension: &Extension,
    server: &Server,
    matrix: &'a Matrix,
) -> Result<Option<&'a Target>, Failure> {
    let targets = matrix.of(extension)?;
    Ok(targets.iter().find(|target| target.server == *server))
}

fn not_built(target: &Target, needed: &str) -> Failure {
    not_built_for(&target.server, &target.extension.name, needed)
}

fn not_built_for(server: &Server, extension: &str, needed: &str) -> Failure {
    Failure::invalid(format!(
        "`{extension}` needs `{needed}`, which is not built for {} and PostgreSQL {}",
        server.distro, server.major
    ))
}

/// Every image of the extensions that `filter` takes.
pub(super) fn chosen(
    extensions: &[Arc<Extension>],
    filter: &Filter,
    matrix: &Matrix,
) -> Result<Vec<Target>, Failure> {
    let mut all: Vec<Target> = Vec::new();
    for extension in extensions {
        let of_it = matrix.of(extension)?.iter();
        all.extend(of_it.filter(|target| filter.is_among(target)).cloned());
    }
    let fitting = all.iter().filter(|target| filter.takes(&target.server));
    let taken: Vec<Target> = fitting.cloned().collect();
    if !all.is_empty() && taken.is_empty() {
        return Err(none_fits(filter, &all));
    }
    Ok(match filter.shard {
        None => taken,
        Some(shard) => shard.of(taken),
    })
}

fn none_fits(filter: &Filter, all: &[Target]) -> Failure {
    let known = |name: &dyn Fn(&Target) -> String| {
        let mut names: Vec<String> = all.iter().map(name).collect();
        names.sort();
        names.dedup();
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    Failure::invalid(format!("{}: no image matches", filter.flags())).hint(format!(
        "the metadata names the distros {} and the majors {}",
        known(&|target| target.server.distro.to_string()),
        known(&|target| target.server.major.to_string())
    ))
}
