// SPDX-License-Identifier: Apache-2.0
//! What is asked for: the extension's name, its package, and the servers that it is to be built for.

use std::collections::BTreeMap;

use crate::{
    cli,
    failure::Failure,
    stage::creation::{Builder, MadeOf, Request, Source},
    value::{
        Crate, Digest, Major, Name, PackagePattern, Server, SourceUrl, Suite, without_userinfo,
    },
    workspace::Workspace,
};

/// What extensions are built for where the repository has none to follow.
const DISTROS: [&str; 2] = ["trixie", "bookworm"];
const MAJOR: &str = "18";

/// The first major whose servers find extensions in an image volume, see
/// <https://www.postgresql.org/docs/18/runtime-config-client.html#GUC-EXTENSION-CONTROL-PATH>.
const LEAST: u16 = 18;

/// Refuses what is no name, no package and no server.
pub(super) fn of(args: &cli::CreateExtension, workspace: &Workspace) -> Result<Request, Failure> {
    let name = name(args)?;
    let made_of = match (&args.from_source, &args.pgrx) {
        (Some(url), _) => {
            let url = source_url("--from-source", url)?;
            MadeOf::Source(source(args, url, Builder::Pgxs)?)
        }
        (None, Some(text)) => MadeOf::Source(source(args, crate_url(text)?, Builder::Pgrx)?),
        (None, None) => MadeOf::Package {
            name: package(args, &name)?,
            is_named: args.package.is_some(),
        },
    };
    let servers = servers(args, workspace)?;
    Ok(Request {
        name,
        made_of,
        servers,
        no_create: args.no_create,
    })
}

fn once<'a, T: PartialEq>(all: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut found: Vec<&T> = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn name(args: &cli::CreateExtension) -> Result<Name, Failure> {
    let mut names = args.names.iter().chain(&args.more);
    let name = match (names.next(), names.next()) {
        (Some(name), None) => name,
        (None, _) => {
            return Err(Failure::invalid("what is the extension to be called?")
                .hint("`cargo xtask create-extension NAME`"));
        }
        _ => return Err(Failure::invalid("one extension at a time")),
    };
    name.parse().map_err(|wanted| {
        Failure::invalid(format!("`{name}` cannot be a name: it must be {wanted}"))
    })
}

/// The old tooling wrote `%version%` for the major.
fn package(args: &cli::CreateExtension, name: &Name) -> Result<PackagePattern, Failure> {
    let usual = || format!("postgresql-{{pg}}-{}", name.replace('_', "-"));
    let said = args.package.clone().unwrap_or_else(usual);
    let text = said.replace("%version%", "{pg}");
    text.parse()
        .map_err(|wanted| Failure::invalid(format!("`--package` is `{said}`; it must be {wanted}")))
}

fn source_url(flag: &str, url: &str) -> Result<SourceUrl, Failure> {
    url.parse().map_err(|wanted| {
        Failure::invalid(format!(
            "`{flag}` is `{}`; it must be {wanted}",
            without_userinfo(url)
        ))
    })
}

/// Where a crate is, that the registry has or that somebody has put elsewhere.
fn crate_url(text: &str) -> Result<SourceUrl, Failure> {
    if text.contains("://") {
        return source_url("--pgrx", text);
    }
    let of_registry = text.parse::<Crate>().ok();
    of_registry.and_then(|one| one.url()).ok_or_else(|| {
        let failure = Failure::invalid(format!(
            "`--pgrx` is `{text}`; it must be {}, or {}",
            Crate::WANTED,
            SourceUrl::WANTED
        ));
        if text.contains('@') {
            return failure;
        }
        failure.hint(format!(
            "`cargo info {text}` says which versions there are: `--pgrx {text}@VERSION`"
        ))
    })
}

fn source(
    args: &cli::CreateExtension,
    url: SourceUrl,
    builder: Builder,
) -> Result<Source, Failure> {
    let checksum = match &args.checksum {
        None => None,
        Some(text) => Some(text.parse::<Digest>().map_err(|wanted| {
            Failure::invalid(format!("`--checksum` is `{text}`; it must be {wanted}"))
        })?),
    };
    if checksum.is_none() && !url.is_safe() {
        return Err(Failure::invalid(format!(
            "without TLS anybody on the way can change what is at `{url}`"
        ))
        .hint("write `https://`, or say what is meant with `--checksum sha256:…`"));
    }
    Ok(Source {
        url,
        checksum,
        builder,
        licence: None,
        build_depends: parsed("--build-depends", &args.build_depends)?,
    })
}

fn servers(args: &cli::CreateExtension, workspace: &Workspace) -> Result<Vec<Server>, Failure> {
    let distros: Vec<Suite> = parsed("--distro", &args.distro)?;
    let majors: Vec<Major> = parsed("--pg", &args.pg)?;
    let is_older = |major: &&Major| major.number().is_some_and(|number| number < LEAST);
    if let Some(old) = majors.iter().find(is_older) {
        return Err(Failure::invalid(format!(
            "`--pg` has `{old}`: PostgreSQL takes extensions from an image volume from {LEAST} on"
        )));
    }
    let usual = usual(workspace)?;
    let (distros, majors) = match (distros.is_empty(), majors.is_empty()) {
        (true, true) => return Ok(usual),
        (false, false) => (distros, majors),
        (true, false) => (once_of(&usual, |server| &server.distro), majors),
        (false, true) => (distros, once_of(&usual, |server| &server.major)),
    };
    let all = distros.iter().flat_map(|distro| {
        majors.iter().map(|major| Server {
            distro: distro.clone(),
            major: major.clone(),
        })
    });
    let all: Vec<Server> = all.collect();
    Ok(once(all.iter()).into_iter().cloned().collect())
}

/// The distros that nothing here is built for, where anything is: maybe they are typing errors.
pub(super) fn new_distros<'a>(request: &'a Request, workspace: &Workspace) -> Vec<&'a Suite> {
    let all = workspace.extensions();
    let is_known = |distro: &Suite| {
        let mut servers = all.iter().flat_map(|one| one.versions.keys());
        DISTROS.contains(&&**distro) || servers.any(|server| server.distro == *distro)
    };
    let distros = once(request.servers.iter().map(|server| &server.distro));
    distros
        .into_iter()
        .filter(|distro| !is_known(distro))
        .collect()
}

fn once_of<T: Clone + PartialEq>(servers: &[Server], of: impl Fn(&Server) -> &T) -> Vec<T> {
    once(servers.iter().map(of)).into_iter().cloned().collect()
}

fn parsed<T: std::str::FromStr<Err = &'static str>>(
    flag: &str,
    texts: &[String],
) -> Result<Vec<T>, Failure> {
    let parse = |text: &String| {
        text.parse().map_err(|wanted| {
            Failure::invalid(format!("`{flag}` has `{text}`; it must be {wanted}"))
        })
    };
    texts.iter().map(parse).collect()
}

/// The servers that most of the repository's extensions are built for.
fn usual(workspace: &Workspace) -> Result<Vec<Server>, Failure> {
    let all = workspace.extensions();
    let mut counts: BTreeMap<&Server, usize> = BTreeMap::new();
    for server in all.iter().flat_map(|one| one.versions.keys()) {
        *counts.entry(server).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .filter(|(_, count)| count * 2 > all.len());
    let most: Vec<Server> = most.map(|(server, _)| server.clone()).collect();
    if !most.is_empty() {
        return Ok(most);
    }
    let server = |distro: &str| {
        let (Ok(distro), Ok(major)) = (distro.parse(), MAJOR.parse()) else {
            return Err(Failure::invalid(format!(
                "`{distro}` and `{MAJOR}` are no server"
            )));
        };
        Ok(Server { distro, major })
    };
    DISTROS.into_iter().map(server).collect()
}
