// SPDX-License-Identifier: Apache-2.0
//! Which base images extensions are built on: the published ones, or, where those cannot be pulled, ones that
//! are made here from Debian's packages, and then extensions pinned to what Debian's archive has.

use std::{
    net::{TcpStream, ToSocketAddrs},
    path::Path,
    sync::Arc,
    time::Duration,
};

use super::{Engine, Opener, print};
use crate::{
    config::{self, Base, Config},
    exec::{Exec, Real},
    extension::Extension,
    failure::Failure,
    image::ImageRef,
    own::{file, source},
    plan::{Cmd, Plan},
    sandbox::{
        Sandbox,
        archive::{self, Archive},
        base, entries,
        mmdebstrap::Mmdebstrap,
        up::{self, Caller, Ready},
    },
    target::{self, Definition, Instead, Matrix},
    tool::{apt, docker, imagetools},
    value::{Major, Server},
    verdict::Verdict,
    workspace::{Selection, Unread, Workspace},
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
        };
        if let (Some(sandbox), Some(bases)) = (&engine.sandbox, made) {
            sources.bases = bases;
            sources.rebase(opener, engine, sandbox, chosen)?;
        } else {
            sources.matrix = print::matrix(opener, engine, &sources.workspace, chosen)?;
        }
        Ok(sources)
    }

    /// Leaves out of what was chosen those of which bake does not say what it builds, and those that need such a one, when
    /// all are meant and others are left; a named one fails with what bake has said.
    pub(crate) fn leave_out_unread(
        &self,
        selection: &Selection,
        extensions: &mut Vec<Arc<Extension>>,
        unread: &mut Vec<Unread>,
    ) -> Result<(), Failure> {
        let mut left = Vec::new();
        for extension in extensions.iter() {
            let needed = self.workspace.dependencies(extension);
            let all = std::iter::once(extension).chain(&needed);
            let refused = all.filter_map(|one| self.matrix.of(one).err());
            match refused.into_iter().next() {
                None => left.push(Arc::clone(extension)),
                Some(why) if matches!(selection, Selection::Named(_)) => return Err(why),
                Some(why) => unread.push(Unread {
                    name: extension.name.clone(),
                    why,
                    verdict: Verdict::NotRead,
                }),
            }
        }
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
        let archive = archive(engine, sandbox, &self.workspace)?;
        let has = |extension: &Extension| {
            let mut pins = extension.versions.values();
            pins.any(|pin| archive.version(pin).is_some())
        };
        let (found, missing): (Vec<Arc<Extension>>, Vec<Arc<Extension>>) = self
            .workspace
            .extensions()
            .iter()
            .cloned()
            .partition(|extension| has(extension));
        for extension in missing {
            opener.note(&format!(
                "Debian {} has no package for `{}`: left out",
                sandbox.suite, extension.name
            ));
        }
        self.workspace = self.workspace.with_extensions(found);
        let chosen = chosen.iter().filter(|extension| has(extension)).cloned();
        let chosen: Vec<Arc<Extension>> = chosen.collect();
        let config = opener.config();
        for (extension, printed) in print::printed(opener, engine, &self.workspace, &chosen)? {
            let rebased = printed.and_then(|printed| {
                printed.rebased(|definition, server| {
                    instead(&extension, &archive, sandbox, config, definition, server)
                })
            });
            self.matrix.add(&extension, rebased, config);
        }
        Ok(())
    }
}

/// What a target for a server is built from, when the archive has its package.
fn instead(
    extension: &Extension,
    archive: &Archive,
    sandbox: &Sandbox,
    config: &Config,
    definition: Definition<'_>,
    server: &Server,
) -> Result<Option<Instead>, Failure> {
    let pin = extension.pin(server);
    let Some((pin, (name, version))) = pin.and_then(|pin| Some((pin, archive.version(pin)?)))
    else {
        return Ok(None);
    };
    let sql_version = archive.sql_version(name, version, &extension.sql_name);
    Ok(Some(Instead {
        suite: sandbox.suite.clone(),
        base: self::name(config, sandbox, &server.major)?,
        package: version.to_owned(),
        pinned: definition.package().unwrap_or(&pin.package).to_owned(),
        sql_version: sql_version
            .filter(|_| extension.create_extension)
            .map(str::to_owned),
    }))
}

/// The base images that are made here from Debian's packages, one for each major of the extensions. They are
/// there afterwards, unless the engine is only looked at. None: the published ones are used.
pub(crate) fn made(
    opener: &mut dyn Opener,
    engine: &Engine,
    workspace: &Workspace,
) -> anyhow::Result<Option<Vec<ImageRef>>> {
    let Some(sandbox) = &engine.sandbox else {
        if opener.config().get(config::SANDBOX_BASE) == config::Base::Debian {
            return Err(
                Failure::invalid("`--base debian` makes its base image in the sandbox")
                    .hint("add `--sandbox`")
                    .into(),
            );
        }
        return Ok(None);
    };
    if !is_debian(opener, engine, sandbox, workspace)? {
        return Ok(None);
    }
    let majors = archive::majors(workspace.extensions());
    let names = majors
        .iter()
        .map(|major| name(opener.config(), sandbox, major));
    let names: Vec<ImageRef> = names.collect::<Result<_, _>>()?;
    if !engine.is_looked_at() {
        make_missing(opener, &engine.exec, sandbox, workspace, &names)?;
    }
    Ok(Some(names))
}

fn is_debian(
    opener: &mut dyn Opener,
    engine: &Engine,
    sandbox: &Sandbox,
    workspace: &Workspace,
) -> anyhow::Result<bool> {
    match opener.config().get(config::SANDBOX_BASE) {
        Base::Debian => return Ok(true),
        Base::Published => return Ok(false),
        // There is nothing to ask with.
        Base::Auto if engine.is_looked_at() && engine.is_stopped() => return Ok(false),
        Base::Auto => {}
    }
    let debian = !has_published(opener, engine, sandbox, workspace)?;
    if debian {
        opener.note(&format!(
            "the published base images cannot be pulled from here: images are built for Debian {} and its packages (`--base debian`)",
            sandbox.suite
        ));
    }
    Ok(debian)
}

/// Whether the published base images can be pulled from here. Asked of the registry, and remembered for an hour.
fn has_published(
    opener: &dyn Opener,
    engine: &Engine,
    sandbox: &Sandbox,
    workspace: &Workspace,
) -> anyhow::Result<bool> {
    let file = sandbox.folder.join(entries::WHICH_BASE);
    let fresh = fs_err::metadata(&file)
        .and_then(|file| file.modified())
        .is_ok_and(|at| at.elapsed().is_ok_and(|age| age < REMEMBERED));
    if fresh {
        let said = source::read_own(&sandbox.folder, Path::new(entries::WHICH_BASE))?;
        return Ok(said.unwrap_or_default().trim() != "debian");
    }
    let Some(extension) = workspace.extensions().first() else {
        return Ok(true);
    };
    let matrix = print::matrix(opener, engine, workspace, std::slice::from_ref(extension))?;
    let Some(target) = matrix.of(extension)?.first() else {
        return Ok(true);
    };
    let ask = imagetools::manifest_cmd(&target.base);
    let published = engine
        .exec
        .read(&ask, Some(Duration::from_secs(20)))
        .is_ok();
    if !engine.is_looked_at() {
        let said = if published { "published\n" } else { "debian\n" };
        file::write_atomically(&sandbox.location(&file), said)?;
    }
    Ok(published)
}

/// How long it is remembered whether the published base images can be pulled.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// What Debian's archive has now; for an engine that is only looked at what it had the last time.
fn archive(engine: &Engine, sandbox: &Sandbox, workspace: &Workspace) -> anyhow::Result<Archive> {
    let kept = source::read_own(&sandbox.folder, Path::new(entries::ARCHIVE))?;
    let kept = kept.and_then(|text| serde_json::from_str::<Archive>(&text).ok());
    if engine.is_looked_at() {
        return Ok(kept.ok_or_else(|| {
            Failure::unavailable("the archive's versions are not known yet")
                .hint("run `cargo xtask sandbox up --base debian` first: a dry run starts nothing")
        })?);
    }
    let inside = |cmd: Cmd| {
        let program = cmd.program.clone();
        let mut entered = Cmd::new(sandbox.bin().join("enter"), cmd.purpose.clone()).arg(program);
        entered.args.extend(cmd.args);
        engine.exec.read(&entered, None).map_err(Failure::from)
    };
    inside(Cmd::new("apt-get", "read Debian's package index").args([
        "-q",
        "update",
        "--error-on=any",
    ]))?;
    let packages = archive::packages(workspace.extensions());
    let mut archive = Archive {
        versions: apt::parse_versions(&inside(apt::versions_cmd(&packages))?),
        controls: kept.unwrap_or_default().controls,
    };
    let unread = archive.unread(workspace.extensions());
    let printed = if unread.is_empty() {
        String::new()
    } else {
        inside(archive::controls_cmd(&unread))?
    };
    archive.read_controls(&unread, &printed);
    file::write_atomically(
        &sandbox.location(sandbox.folder.join(entries::ARCHIVE)),
        &serde_json::to_string(&archive)?,
    )?;
    Ok(archive)
}

/// The base image for a major, by the name that a published one would have.
fn name(config: &Config, sandbox: &Sandbox, major: &Major) -> Result<ImageRef, Failure> {
    let server = Server {
        distro: sandbox.suite.clone(),
        major: major.clone(),
    };
    target::base_of(&server, config)
}

/// Makes those of the base images that the engine does not have.
fn make_missing(
    opener: &mut dyn Opener,
    exec: &Real,
    sandbox: &Sandbox,
    workspace: &Workspace,
    names: &[ImageRef],
) -> anyhow::Result<()> {
    let is_missing = |name: &ImageRef| exec.read(&docker::has_image_cmd(name), None).is_err();
    if !names.iter().any(is_missing) {
        return Ok(());
    }
    let tools = Mmdebstrap::survey(sandbox, exec)?;
    let mut plan = Plan::default();
    let ready = up::add(&mut plan, sandbox, &tools, &Caller::of(opener.root())?);
    add(
        &mut plan,
        opener.config(),
        sandbox,
        &tools,
        workspace,
        &ready,
    )?;
    opener.carry_out(exec, &plan, "making the base image")
}

/// Adds the steps that make the base images of all majors.
pub(super) fn add(
    plan: &mut Plan,
    config: &Config,
    sandbox: &Sandbox,
    tools: &Mmdebstrap,
    workspace: &Workspace,
    ready: &Ready,
) -> Result<(), Failure> {
    for major in archive::majors(workspace.extensions()) {
        let reference = name(config, sandbox, &major)?;
        base::add(plan, sandbox, tools, &major, &reference, ready);
    }
    Ok(())
}

/// Whether the registry of an image can be connected to at all. Without an engine this is all that can
/// be asked; a yes may still turn out to be a no.
pub(super) fn registry_answers(image: &str) -> bool {
    let host = image.split('/').next().unwrap_or_default();
    let address = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:443")
    };
    let patience = Duration::from_secs(3);
    address.to_socket_addrs().is_ok_and(|mut addresses| {
        addresses.any(|address| TcpStream::connect_timeout(&address, patience).is_ok())
    })
}
