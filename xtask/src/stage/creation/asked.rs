// SPDX-License-Identifier: Apache-2.0
//! In which base images is asked for a new extension, and for which servers each answer counts.

use std::collections::BTreeMap;

use super::{Known, Request};
use crate::{
    engine::{Engine, Opener, base},
    image::ImageRef,
    stage::package::{Answer, Package},
    value::{Server, Suite},
    workspace::Workspace,
};

/// A question in a base image.
pub(crate) struct Asked {
    /// What its archive is for.
    pub server: Server,
    pub answer: Answer,
}

/// The base image that stands for each server, with the server that it is for.
pub(crate) struct Bases(BTreeMap<Server, (Server, ImageRef)>);

impl Bases {
    pub(crate) fn of(
        opener: &mut dyn Opener,
        engine: &Engine,
        workspace: &Workspace,
        request: &Request,
    ) -> anyhow::Result<Self> {
        let bases = base::for_servers(opener, engine, workspace, &request.servers)?;
        Ok(Self(bases))
    }

    /// Asks once in each: `add` plans the question, and says where its answer will be.
    pub(crate) fn ask(&self, mut add: impl FnMut(&Server, &ImageRef) -> Answer) -> Vec<Asked> {
        let once: BTreeMap<&Server, &ImageRef> = self
            .0
            .values()
            .map(|(server, base)| (server, base))
            .collect();
        let asked = once.into_iter().map(|(server, base)| Asked {
            server: server.clone(),
            answer: add(server, base),
        });
        asked.collect()
    }

    /// An answer, for each of the servers that are asked for which it counts for.
    pub(crate) fn known<'a>(
        &self,
        request: &Request,
        asked: &Asked,
        package: &'a Package,
    ) -> Vec<Known<'a>> {
        let stands_for = |wanted: &&Server| {
            let base = self.0.get(*wanted);
            base.is_some_and(|(server, _)| *server == asked.server)
        };
        let wanted = request.servers.iter().filter(stands_for);
        let known = wanted.map(|wanted| Known {
            server: wanted.clone(),
            package,
            of: (asked.server != *wanted).then(|| asked.server.distro.clone()),
        });
        known.collect()
    }
}

/// Says for each server that another distro has answered in its place.
pub(crate) fn say_stand_ins(
    opener: &dyn Opener,
    known: &[Known<'_>],
    what: impl Fn(&Suite) -> String,
) {
    for one in known {
        if let Some(suite) = &one.of {
            opener.note(&format!("{}: {}", one.server, what(suite)));
        }
    }
}

/// What extensions of the repository create, as `name=package`: a trial needs what it requires of them.
pub(crate) fn others(workspace: &Workspace, server: &Server) -> Vec<String> {
    let mut all = Vec::new();
    for extension in workspace
        .extensions()
        .iter()
        .filter(|one| one.create_extension)
    {
        let packages = extension.package_names(&server.major);
        let names = extension.sql_extensions.iter().map(|one| &one.name);
        for name in std::iter::once(&extension.sql_name).chain(names) {
            all.extend(packages.iter().map(|package| format!("{name}={package}")));
        }
    }
    all
}
