// SPDX-License-Identifier: Apache-2.0
//! What is built, and on what: the extensions as bake prints them, on published base images or on Debian's packages.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::{
    Engine, Opener,
    base::{made, name},
    print,
};
use crate::{
    config::Config,
    exec::Exec,
    extension::Extension,
    failure::Failure,
    image::ImageRef,
    own::{file, source},
    plan::Cmd,
    sandbox::{
        Sandbox,
        archive::{self, Archive},
        entries,
    },
    target::{self, Definition, Instead, Matrix},
    tool::apt,
    value::Server,
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
    /// On the sandbox's engine, whose network may be closed.
    pub in_sandbox: bool,
    /// Those of the chosen extensions of which Debian's archive has no package, where images are made of its.
    absent: BTreeSet<String>,
}

impl Sources {
    /// Decides which base images the workspace is built on, and makes those that are missing. For an engine that is only
    /// looked at nothing is made. Then says what is built of the `chosen` extensions.
    pub(crate) fn prepare(
        opener: &mut dyn Opener,
        engine: &Engine,
        workspace: Workspace,
        chosen: &[Arc<Extension>],
    ) -> anyhow::Result<Self> {
        let made = made(opener, engine, &workspace)?;
        let mut sources = Self {
            workspace,
            matrix: Matrix::default(),
            bases: Vec::new(),
            in_sandbox: engine.sandbox.is_some(),
            absent: BTreeSet::new(),
        };
        if let (Some(sandbox), Some(bases)) = (&engine.sandbox, made) {
            sources.bases = bases;
            sources.rebase(opener, engine, sandbox, chosen)?;
        } else {
            sources.matrix = print::matrix(opener, engine, &sources.workspace, chosen)?;
        }
        Ok(sources)
    }

    /// Whether there is a package to make its images of.
    pub(crate) fn has_package(&self, extension: &Extension) -> bool {
        !self.absent.contains(&extension.name)
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

    /// Builds the extensions of the versions that Debian's archive has; without one they are left out.
    fn rebase(
        &mut self,
        opener: &mut dyn Opener,
        engine: &Engine,
        sandbox: &Sandbox,
        chosen: &[Arc<Extension>],
    ) -> anyhow::Result<()> {
        let archive = archive(opener, engine, sandbox, &self.workspace, chosen)?;
        let (chosen, absent): (Vec<_>, Vec<_>) = chosen.iter().cloned().partition(|extension| {
            let mut pins = extension.versions.values();
            pins.any(|pin| archive.version(pin).is_some())
        });
        for extension in absent {
            opener.note(&format!(
                "Debian {} has no package for `{}`: left out",
                sandbox.suite, extension.name
            ));
            self.absent.insert(extension.name.clone());
        }
        let config = opener.config();
        let rebase = Rebase {
            archive: &archive,
            sandbox,
            config,
        };
        for (extension, definitions) in
            print::definitions(opener, engine, &self.workspace, &chosen)?
        {
            let rebased = definitions.and_then(|definitions| {
                definitions
                    .rebased(|definition, server| rebase.instead(&extension, definition, server))
            });
            self.matrix.add(&extension, rebased, config);
        }
        print::add_external(&mut self.matrix, &self.workspace, &chosen);
        Ok(())
    }
}

/// What extensions are built from in place of what bake says.
struct Rebase<'a> {
    archive: &'a Archive,
    sandbox: &'a Sandbox,
    config: &'a Config,
}

impl Rebase<'_> {
    /// What a target for a server is built from, when the archive has its package.
    fn instead(
        &self,
        extension: &Extension,
        definition: Definition<'_>,
        server: &Server,
    ) -> Result<Option<Instead>, Failure> {
        let pin = extension.pin(server);
        let found = pin.and_then(|pin| Some((pin, self.archive.version(pin)?)));
        let Some((pin, (package, version))) = found else {
            return Ok(None);
        };
        let sql_version = self
            .archive
            .sql_version(package, version, &extension.sql_name);
        Ok(Some(Instead {
            suite: self.sandbox.suite.clone(),
            base: name(self.config, self.sandbox, &server.major)?,
            package: version.to_owned(),
            pinned: definition.package().unwrap_or(&pin.package).to_owned(),
            sql_version: sql_version
                .filter(|_| extension.create_extension)
                .map(str::to_owned),
        }))
    }
}

/// What Debian's archive has of the workspace's extensions now; for an engine that is only looked at what it had the last
/// time, which must be known of those that were `chosen` and of all that they need.
fn archive(
    opener: &dyn Opener,
    engine: &Engine,
    sandbox: &Sandbox,
    workspace: &Workspace,
    chosen: &[Arc<Extension>],
) -> anyhow::Result<Archive> {
    let kept = source::read_own(&sandbox.folder, Path::new(entries::ARCHIVE))?;
    let mut archive = Archive::remembered(kept.as_deref(), &sandbox.suite);
    if engine.is_looked_at() {
        let unknown = archive.unknown(&print::with_needs(workspace, chosen));
        return match unknown.first() {
            None => Ok(archive),
            Some(name) => Err(Failure::unavailable(format!(
                "which version Debian {} has of `{name}` is not known yet",
                sandbox.suite
            ))
            .hint("run `cargo xtask sandbox up --base debian` first: a dry run starts nothing")
            .into()),
        };
    }
    let inside = |cmd: Cmd| {
        let asked = engine.exec.read(&sandbox.inside(cmd), None);
        asked.map_err(Failure::from)
    };
    let extensions = workspace.extensions();
    inside(Cmd::new("apt-get", "read Debian's package index").args([
        "-q",
        "update",
        "--error-on=any",
    ]))?;
    let asked = archive::packages(extensions);
    let found = apt::parse_versions(&inside(apt::versions_cmd(&asked))?);
    archive.take_versions(&asked, &found);
    let unread = archive.unread(extensions);
    let printed = if unread.is_empty() {
        String::new()
    } else {
        inside(archive::controls_cmd(&unread))?
    };
    archive.read_controls(&unread, &printed);
    for package in archive.unread(extensions) {
        opener.warn(&format!(
            "`{package}` cannot be downloaded from Debian's archive: the version for SQL is not known"
        ));
    }
    file::write_atomically(
        &sandbox.location(sandbox.folder.join(entries::ARCHIVE)),
        &serde_json::to_string(&archive)?,
    )?;
    Ok(archive)
}
