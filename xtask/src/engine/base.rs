// SPDX-License-Identifier: Apache-2.0
//! Which base images extensions are built on: the published ones, or, where those cannot be pulled, ones that
//! are made here from Debian's packages, and then extensions pinned to what Debian's archive has.

use std::{
    net::{TcpStream, ToSocketAddrs},
    path::Path,
    sync::Arc,
    time::Duration,
};

use super::{Engine, Opener};
use crate::{
    config::{self, Base, Config},
    exec::{Exec, Real},
    failure::Failure,
    image::ImageRef,
    own::{file, source},
    plan::{Cmd, Plan},
    sandbox::{
        Sandbox,
        archive::{self, Archive, Repinned},
        base, entries,
        mmdebstrap::Mmdebstrap,
        up::{self, Caller, Ready},
    },
    target::{self, Filter, Targets},
    tool::{apt, docker, imagetools},
    value::{Major, Server},
    workspace::Workspace,
};

/// What is built, and on what.
pub(crate) struct Sources {
    /// The extensions as they will be built.
    pub workspace: Workspace,
    /// Metadata files to write before a bake; empty with published base images.
    pub repinned: Vec<Repinned>,
    /// Base images that were made here, which no registry has.
    pub bases: Vec<ImageRef>,
    /// On the sandbox's engine, whose network may be closed.
    pub in_sandbox: bool,
}

impl Sources {
    /// Decides which base images the workspace is built on, makes those that are missing, and pins the
    /// extensions to suit them. For an engine that is only looked at nothing is made.
    pub(crate) fn prepare(
        opener: &mut dyn Opener,
        engine: &Engine,
        workspace: Workspace,
    ) -> anyhow::Result<Self> {
        let made = made(opener, engine, &workspace)?;
        let mut sources = Self {
            workspace,
            repinned: Vec::new(),
            bases: Vec::new(),
            in_sandbox: engine.sandbox.is_some(),
        };
        if let (Some(sandbox), Some(bases)) = (&engine.sandbox, made) {
            sources.bases = bases;
            sources.repin(opener, engine, sandbox)?;
        }
        Ok(sources)
    }

    /// Pins the extensions to the versions that Debian's archive has; without one they are left out.
    fn repin(
        &mut self,
        opener: &mut dyn Opener,
        engine: &Engine,
        sandbox: &Sandbox,
    ) -> anyhow::Result<()> {
        let archive = versions(engine, sandbox, &self.workspace)?;
        for extension in self.workspace.extensions() {
            match archive::repin(opener.root(), extension, &archive, &sandbox.suite)? {
                Some(copy) => self.repinned.push(copy),
                None => opener.note(&format!(
                    "Debian {} has no package for `{}`: left out",
                    sandbox.suite, extension.name
                )),
            }
        }
        let extensions = self.repinned.iter().map(|copy| Arc::clone(&copy.extension));
        self.workspace = self.workspace.with_extensions(extensions.collect());
        Ok(())
    }
}

/// The base images that are made here from Debian's packages, one for each major of the extensions. They are
/// there afterwards, unless the engine is only looked at. None: the published ones are used.
pub(crate) fn made(
    opener: &mut dyn Opener,
    engine: &Engine,
    workspace: &Workspace,
) -> anyhow::Result<Option<Vec<ImageRef>>> {
    let Some(sandbox) = &engine.sandbox else {
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
    let targets = Targets::resolve(
        workspace.extensions(),
        &Filter::default(),
        workspace,
        opener.config(),
    )?;
    let Some(target) = targets.chosen().next() else {
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

/// The versions that Debian's archive has now; for an engine that is only looked at those that it had last time.
fn versions(engine: &Engine, sandbox: &Sandbox, workspace: &Workspace) -> anyhow::Result<Archive> {
    if engine.is_looked_at() {
        let text = source::read_own(&sandbox.folder, Path::new(entries::ARCHIVE))?;
        let text = text.ok_or_else(|| {
            Failure::unavailable("the archive's versions are not known yet")
                .hint("run `cargo xtask sandbox up --base debian` first: a dry run starts nothing")
        })?;
        return Ok(serde_json::from_str(&text)?);
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
    let archive = apt::parse_versions(&inside(apt::versions_cmd(&packages))?);
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
