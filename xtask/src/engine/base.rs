// SPDX-License-Identifier: Apache-2.0
//! Which base images extensions are built on: the published ones, or, where those cannot be pulled, ones that
//! are made here from Debian's packages.

use std::{
    net::{TcpStream, ToSocketAddrs},
    path::Path,
    time::Duration,
};

use super::{Engine, Opener, print};
use crate::{
    config::{self, Base, Config},
    exec::{Exec, Real},
    failure::Failure,
    image::ImageRef,
    own::{file, source},
    plan::Plan,
    sandbox::{
        Sandbox, archive, base, entries,
        mmdebstrap::Mmdebstrap,
        up::{self, Caller, Ready},
    },
    target,
    tool::{docker, imagetools},
    value::{Major, Server},
    workspace::Workspace,
};

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
    let Some(base) = first_base(opener, engine, workspace)? else {
        return Ok(true);
    };
    let ask = imagetools::manifest_cmd(&base);
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

/// The base image of the first target that bake says; an extension that it refuses is no reason to say none.
fn first_base(
    opener: &dyn Opener,
    engine: &Engine,
    workspace: &Workspace,
) -> Result<Option<ImageRef>, Failure> {
    for extension in workspace.extensions() {
        let matrix = print::matrix(opener, engine, workspace, std::slice::from_ref(extension))?;
        let targets = matrix.of(extension).unwrap_or_default();
        if let Some(target) = targets.first() {
            return Ok(Some(target.base.clone()));
        }
    }
    Ok(None)
}

/// How long it is remembered whether the published base images can be pulled.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The base image for a major, by the name that a published one would have.
pub(super) fn name(config: &Config, sandbox: &Sandbox, major: &Major) -> Result<ImageRef, Failure> {
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
