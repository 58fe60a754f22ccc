// SPDX-License-Identifier: Apache-2.0
//! What is built, and on what: the extensions as bake prints them, on published base images or on Debian's packages.

use std::sync::Arc;

use super::{
    Engine, Opener,
    base::{Made, made, name},
    docker_configuration, print,
};
use crate::{
    config::Config,
    extension::{Extension, Origin},
    failure::Failure,
    image::ImageRef,
    sandbox::{
        Sandbox,
        archive::{Archive, server},
    },
    target::{self, Definition, Filter, Instead, Matrix},
    tool::proxy,
    value::{Major, PackageName, Server},
    workspace::{Aim, Selection, Unread, Workspace},
};

/// What is built, and on what.
pub(crate) struct Sources {
    /// The extensions that can be built.
    pub workspace: Workspace,
    /// What is built of those that were chosen, and of what they need.
    pub matrix: Matrix,
    /// Base images that were made here, which no registry has.
    pub bases: Vec<ImageRef>,
    /// What was chosen and asked for, and what Debian's archive has nothing for.
    pub unavailable: Vec<Unavailable>,
    /// On the sandbox's engine, whose network may be closed.
    pub in_sandbox: bool,
    /// What docker tells a build of proxies holds a login.
    pub tells_login: bool,
}

/// An image that cannot be built, as Debian's archive lacks something of it.
#[derive(Clone, Debug)]
pub(crate) struct Unavailable {
    /// The extension's directory.
    pub name: String,
    pub server: Server,
    pub why: String,
}

impl Unavailable {
    /// As people tell images apart: `pgvector 19-forky`.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.name, self.server)
    }
}

/// Of when an answer of Debian's archive may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Of now, for what is built.
    Now,
    /// Of when it was last asked: that is what was built. It is asked where nothing is remembered.
    Remembered,
}

impl Freshness {
    /// For a command that builds, or is about what was built before.
    pub(crate) fn for_what_is_built(now: bool) -> Self {
        if now { Self::Now } else { Self::Remembered }
    }
}

impl Sources {
    /// Decides which base images the workspace is built on, and makes those that are missing for what `filter` asks for. For an
    /// engine that is only looked at nothing is made. Then says what is built of the `chosen` extensions.
    pub(crate) fn prepare(
        opener: &mut dyn Opener,
        engine: &Engine,
        workspace: Workspace,
        chosen: &[Arc<Extension>],
        filter: &Filter,
        freshness: Freshness,
    ) -> anyhow::Result<Self> {
        let made = made(opener, engine, &workspace, chosen, filter, freshness)?;
        let mut sources = Self {
            workspace,
            matrix: Matrix::default(),
            bases: Vec::new(),
            unavailable: Vec::new(),
            in_sandbox: engine.sandbox.is_some(),
            tells_login: proxy::has_login(&docker_configuration(engine.sandbox.as_ref())),
        };
        if let (Some(sandbox), Some(made)) = (&engine.sandbox, made) {
            let Made { images, archive } = made;
            sources.bases = images.into_values().collect();
            let rebasing = Rebasing {
                archive: &archive,
                sandbox,
                filter,
                config: opener.config(),
            };
            rebasing.add(opener, engine, &mut sources, chosen)?;
            for one in &sources.unavailable {
                opener.note(&format!("`{}` is not available: {}", one.title(), one.why));
            }
        } else {
            sources.matrix = print::matrix(opener, engine, &sources.workspace, chosen)?;
        }
        Ok(sources)
    }

    /// Leaves out of what was chosen those of which bake does not say what it builds, and, for servers, those that need such a
    /// one, when all are meant and others are left; a named one fails with what bake has said.
    pub(crate) fn leave_out_unread(
        &self,
        selection: &Selection,
        aim: Aim,
        extensions: &mut Vec<Arc<Extension>>,
        unread: &mut Vec<Unread>,
    ) -> Result<(), Failure> {
        let (left, refused) = target::said(extensions, aim, &self.workspace, &self.matrix);
        if let (Selection::Named(_), Some(first)) = (selection, refused.first()) {
            return Err(first.why.clone());
        }
        unread.extend(refused);
        if left.is_empty()
            && let Some(first) = unread.first()
        {
            return Err(first.why.clone());
        }
        *extensions = left;
        Ok(())
    }
}

/// The targets of bake on what Debian's archive has.
struct Rebasing<'a> {
    archive: &'a Archive,
    sandbox: &'a Sandbox,
    filter: &'a Filter,
    config: &'a Config,
}

impl Rebasing<'_> {
    /// Adds what can be built of the chosen extensions and of all that they need, and says what cannot.
    fn add(
        &self,
        opener: &dyn Opener,
        engine: &Engine,
        sources: &mut Sources,
        chosen: &[Arc<Extension>],
    ) -> anyhow::Result<()> {
        let workspace = &sources.workspace;
        for (extension, definitions) in print::definitions(opener, engine, workspace, chosen)? {
            let majors = self.filter.majors_of(&extension);
            let rebased = definitions.and_then(|definitions| {
                definitions.rebased(&majors, |definition, server, major| {
                    self.instead(&extension, definition, server, major)
                })
            });
            sources.matrix.add(&extension, rebased, self.config);
        }
        for extension in chosen {
            let Ok(targets) = sources.matrix.of(extension) else {
                continue;
            };
            for major in self.filter.majors_of(extension) {
                if !targets.iter().any(|target| target.server.major == major) {
                    sources.unavailable.push(Unavailable {
                        name: extension.name.clone(),
                        why: self.lacks(extension, &major),
                        server: self.server(major),
                    });
                }
            }
        }
        print::add_external(&mut sources.matrix, workspace, chosen);
        Ok(())
    }

    fn server(&self, major: Major) -> Server {
        Server {
            distro: self.sandbox.suite.clone(),
            major,
        }
    }

    /// What a target for a major is built from that is like the one for a server, when the archive has its package.
    fn instead(
        &self,
        extension: &Extension,
        definition: Definition<'_>,
        like: &Server,
        major: &Major,
    ) -> Result<Option<Instead>, Failure> {
        let Some(pin) = extension.pin(like) else {
            return Ok(None);
        };
        let pinned = definition.package().unwrap_or(&pin.package);
        let found = match &pin.origin {
            // Its source is the same, whatever it is built on.
            Origin::Elsewhere => self
                .archive
                .suite(major)
                .map(|_| (pinned, pin.sql.as_deref())),
            Origin::Archive(_) | Origin::Unsaid => self.packaged(extension, like, major),
        };
        let Some((version, sql_version)) = found else {
            return Ok(None);
        };
        Ok(Some(Instead {
            server: self.server(major.clone()),
            base: name(self.config, self.sandbox, self.archive, major)?,
            package: version.to_owned(),
            pinned: pinned.to_owned(),
            sql_version: sql_version
                .filter(|_| extension.create_extension)
                .map(str::to_owned),
        }))
    }

    /// The version of the extension's package for a major, and that for SQL where it is known. None: the archive has none.
    fn packaged(
        &self,
        extension: &Extension,
        like: &Server,
        major: &Major,
    ) -> Option<(&str, Option<&str>)> {
        let package = extension.package_name(like, major)?;
        let version = self.archive.version(&package, major)?;
        if self.is_of_another(extension, &package, major) {
            return None;
        }
        let sql_name = &extension.sql_name;
        Some((
            version,
            self.archive.sql_version(&package, version, sql_name),
        ))
    }

    /// Whether a package of the archive holds other extensions than the one that its metadata means.
    fn is_of_another(&self, extension: &Extension, package: &PackageName, major: &Major) -> bool {
        let version = self.archive.version(package, major);
        extension.create_extension
            && version.is_some_and(|version| {
                self.archive
                    .is_of_another(package, version, &extension.sql_name)
            })
    }

    /// What there would have to be for an image of an extension.
    fn lacks(&self, extension: &Extension, major: &Major) -> String {
        let Some(suite) = self.archive.suite(major) else {
            let unasked = &self.archive.unasked;
            let suites = self.sandbox.suites().map(|suite| &**suite);
            let asked = suites.filter(|suite| unasked.iter().all(|other| other != suite));
            let asked: Vec<&str> = asked.collect();
            let (server, asked) = (server(major), asked.join(" or "));
            let lacks = format!("there is no `{server}` in Debian {asked}");
            return match unasked.join(" and ") {
                unasked if unasked.is_empty() => lacks,
                unasked => format!("{lacks}, and {unasked} cannot be asked"),
            };
        };
        let like = extension.servers_like(major);
        let mut pins = like.iter().filter_map(|server| extension.pin(server));
        let is_elsewhere = pins.any(|pin| pin.origin == Origin::Elsewhere);
        let mut names = like
            .iter()
            .filter_map(|like| extension.package_name(like, major));
        match names.next() {
            None if !is_elsewhere => format!(
                "how its package for PostgreSQL {major} is called follows from no `packages` and no `depName` of its metadata"
            ),
            Some(package) if self.archive.version(&package, major).is_none() => {
                format!("there is no `{package}` in Debian {suite}")
            }
            Some(package) if self.is_of_another(extension, &package, major) => format!(
                "`{package}`, which its metadata names, holds no `{}`",
                extension.sql_name
            ),
            Some(_) | None => format!(
                "bake has no target for PostgreSQL {major}, and those that it has do not say their major in an argument (`PG_MAJOR`) and in each tag"
            ),
        }
    }
}
