// SPDX-License-Identifier: Apache-2.0
//! Which base images extensions are built on: the published ones, or, where those cannot be pulled, ones that
//! are made here from Debian's packages.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use super::{Engine, Opener, archive, print, sources::Freshness};
use crate::{
    config::{self, Config},
    exec::{Exec, Real},
    extension::Extension,
    failure::Failure,
    image::ImageRef,
    own::{file, source},
    plan::Plan,
    sandbox::{
        Sandbox,
        archive::{Archive, asked},
        base::{Base, origin},
        entries,
        mmdebstrap::Mmdebstrap,
        up::{self, Caller},
    },
    target::{self, Filter},
    tool::{docker, imagetools},
    value::{Major, Server},
    workspace::Workspace,
};

/// Base images that are made here from Debian's packages.
pub(crate) struct Made {
    /// One for each major that is asked for and that the archive does not lack.
    pub images: BTreeMap<Major, ImageRef>,
    pub archive: Archive,
}

/// The base images that are made here from Debian's packages, for the majors that `filter` asks for, and what the archive has of
/// the `chosen` extensions. The images are there afterwards, unless the engine is only looked at. None: the published ones are used.
pub(crate) fn made(
    opener: &mut dyn Opener,
    engine: &Engine,
    workspace: &Workspace,
    chosen: &[Arc<Extension>],
    filter: &Filter,
    freshness: Freshness,
) -> anyhow::Result<Option<Made>> {
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
    if !is_debian(opener, engine, sandbox, workspace, filter)? {
        return Ok(None);
    }
    let asking = archive::Asking {
        opener,
        engine,
        sandbox,
    };
    let archive = asking.answer(workspace, chosen, filter, freshness)?;
    let (mut images, mut bases) = (BTreeMap::new(), Vec::new());
    let majors = asked(workspace.extensions(), filter).into_keys();
    for major in majors.filter(|major| !archive.lacks(major)) {
        let reference = name(opener.config(), sandbox, &archive, &major)?;
        images.insert(major.clone(), reference.clone());
        if let Some(suite) = archive.suite(&major) {
            bases.push(Base {
                major,
                suite,
                reference,
            });
        }
    }
    if !engine.is_looked_at() {
        make_missing(opener, &engine.exec, sandbox, &bases)?;
    }
    Ok(Some(Made { images, archive }))
}

/// For each server the one whose base image stands for it here, and that image: its own where the published ones are used, or
/// else that of the sandbox's suite for the same major. A server without one is left out, which is said.
pub(crate) fn for_servers(
    opener: &mut dyn Opener,
    engine: &Engine,
    workspace: &Workspace,
    servers: &[Server],
) -> anyhow::Result<BTreeMap<Server, (Server, ImageRef)>> {
    let majors = servers.iter().map(|server| server.major.to_string());
    let filter = Filter {
        majors: majors.collect(),
        ..Filter::default()
    };
    let made = made(opener, engine, workspace, &[], &filter, Freshness::Now)?;
    let mut bases = BTreeMap::new();
    for server in servers {
        let base = match (&made, &engine.sandbox) {
            (Some(made), Some(sandbox)) => made.images.get(&server.major).map(|image| {
                let distro = sandbox.suite.clone();
                let major = server.major.clone();
                (Server { distro, major }, image.clone())
            }),
            _ => Some((server.clone(), target::base_of(server, opener.config())?)),
        };
        match base {
            Some(base) => {
                bases.insert(server.clone(), base);
            }
            None => opener.warn(&format!(
                "{server} is left out: Debian's archive has no PostgreSQL {}",
                server.major
            )),
        }
    }
    Ok(bases)
}

fn is_debian(
    opener: &mut dyn Opener,
    engine: &Engine,
    sandbox: &Sandbox,
    workspace: &Workspace,
    filter: &Filter,
) -> anyhow::Result<bool> {
    match opener.config().get(config::SANDBOX_BASE) {
        config::Base::Debian => return Ok(true),
        config::Base::Published => return Ok(false),
        // There is nothing to ask with.
        config::Base::Auto if engine.is_looked_at() && engine.is_stopped() => return Ok(false),
        config::Base::Auto => {}
    }
    let debian = !has_published(opener, engine, sandbox, workspace, filter)?;
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
    filter: &Filter,
) -> anyhow::Result<bool> {
    let file = sandbox.folder.join(entries::WHICH_BASE);
    let fresh = fs_err::metadata(&file)
        .and_then(|file| file.modified())
        .is_ok_and(|at| at.elapsed().is_ok_and(|age| age < REMEMBERED));
    if fresh {
        let said = source::read_own(&sandbox.folder, Path::new(entries::WHICH_BASE))?;
        return Ok(said.unwrap_or_default().trim() != "debian");
    }
    let base = match first_base(opener, engine, workspace)? {
        Some(base) => Some(base),
        // In a repository that begins, the one that its first extension will be built with.
        None => published(opener.config(), sandbox, filter)?,
    };
    let Some(base) = base else {
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

/// The published base image of the first major that is asked for. None: none is.
fn published(
    config: &Config,
    sandbox: &Sandbox,
    filter: &Filter,
) -> Result<Option<ImageRef>, Failure> {
    let majors = filter.majors.iter();
    let mut servers = majors.filter_map(|major| Server::parse(&sandbox.suite, major));
    let server = servers.next();
    server
        .map(|server| target::base_of(&server, config))
        .transpose()
}

/// How long it is remembered whether the published base images can be pulled.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The base image for a major, by the name that a published one would have. Where the server is of another suite the repository
/// says so: what names major and distro is the tag.
pub(super) fn name(
    config: &Config,
    sandbox: &Sandbox,
    archive: &Archive,
    major: &Major,
) -> Result<ImageRef, Failure> {
    let server = Server {
        distro: sandbox.suite.clone(),
        major: major.clone(),
    };
    let mut base = target::base_of(&server, config)?;
    if let Some(server_of) = archive.suite(major) {
        base.repository += &origin(&sandbox.suite, &server_of);
    }
    Ok(base)
}

/// Makes those of the base images that the engine does not have.
fn make_missing(
    opener: &mut dyn Opener,
    exec: &Real,
    sandbox: &Sandbox,
    bases: &[Base],
) -> anyhow::Result<()> {
    let is_missing = |base: &&Base| {
        let ask = docker::has_image_cmd(&base.reference);
        exec.read(&ask, None).is_err()
    };
    let missing: Vec<&Base> = bases.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let tools = Mmdebstrap::survey(sandbox, exec)?;
    let mut plan = Plan::default();
    let ready = up::add(&mut plan, sandbox, &tools, &Caller::of(opener.root())?);
    // The sandbox is up. That it still is needs no line.
    for step in &mut plan.steps {
        step.quiet = true;
    }
    for base in missing {
        base.add(&mut plan, sandbox, &tools, &ready);
    }
    opener.carry_out(exec, &plan, "making the base image")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::archive::{Asked, server};

    #[test]
    fn what_is_made_again_once_another_suite_has_the_server_has_another_name() {
        let sandbox = Sandbox {
            folder: "/x".into(),
            suite: "forky".parse().unwrap(),
            others: vec!["experimental".parse().unwrap()],
            mirror: None,
        };
        let major: Major = "19".parse().unwrap();
        let named = |suite: &str| {
            let found = BTreeMap::from([(server(&major), "19.1-1".to_owned())]);
            let mut archive = Archive::default();
            let asked = Asked::from([(major.clone(), Vec::new())]);
            archive.take(&suite.parse().unwrap(), &asked, &found);
            let said = ["images.base=localhost:1/pg:{pg}-minimal-{distro}".to_owned()];
            let config = Config::defaults().with_said(&said).unwrap();
            name(&config, &sandbox, &archive, &major)
                .unwrap()
                .to_string()
        };
        for (suite, wanted) in [
            ("forky", "localhost:1/pg:19-minimal-forky"),
            (
                "experimental",
                "localhost:1/pg-from-experimental:19-minimal-forky",
            ),
            ("sid", "localhost:1/pg-from-sid:19-minimal-forky"),
        ] {
            assert_eq!(named(suite), wanted);
        }
    }
}
