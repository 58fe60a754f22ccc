// SPDX-License-Identifier: Apache-2.0
//! Which cluster and which release of the operator are meant: by flags first, then by settings.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::Context;
use crate::{
    cli::e2e as cli,
    config::{self, Key},
    engine::docker_configuration,
    environment::{
        Credentials, Environment, FOLDER, KubernetesVersion, Names, Place, clients::Clients, kind,
        release::Release,
    },
    exec::Exec,
    failure::Failure,
    own::source,
    plan::PASSWORD,
    sandbox::{self, State},
    tool::{
        kind::Client,
        kubeconfig,
        kubectl::{self, ClusterAccess, Kubectl},
        proxy::Proxies,
    },
};

/// The cluster that is meant.
pub(crate) fn place(context: &Context, args: &cli::Cluster) -> anyhow::Result<Place> {
    of(context, existing(context, args)?, None)
}

/// The cluster that the flags name: a kubeconfig in the settings is of somebody else's, which must be named to be
/// touched.
pub(crate) fn named_place(context: &Context, args: &cli::Cluster) -> anyhow::Result<Place> {
    let existing = existing_or(context, args, String::new(), String::new())?;
    of(context, existing, None)
}

/// The cluster that is meant, and is made of the version that the flags name where it is a kind cluster.
pub(crate) fn to_make(context: &Context, args: &cli::Environment) -> anyhow::Result<Place> {
    let version = args.kubernetes.as_deref().map(str::parse).transpose()?;
    of(context, existing(context, &args.cluster)?, version.as_ref())
}

/// The existing cluster, or a kind cluster of our own.
fn of(
    context: &Context,
    existing: Option<ClusterAccess>,
    version: Option<&KubernetesVersion>,
) -> anyhow::Result<Place> {
    Ok(match existing {
        Some(access) => Place::Existing(access),
        None => Place::kind(&context.config, version)?,
    })
}

/// The existing cluster that flags or settings name. None: a kind cluster of our own is meant.
fn existing(context: &Context, args: &cli::Cluster) -> anyhow::Result<Option<ClusterAccess>> {
    let set = |key: Key<String>| context.config.get(key).to_owned();
    let (kubeconfig, name) = (
        set(config::CLUSTER_KUBECONFIG),
        set(config::CLUSTER_CONTEXT),
    );
    existing_or(context, args, kubeconfig, name)
}

/// The existing cluster that the flags name; what they leave out is this kubeconfig and this context in it. A
/// kubeconfig of our own kind cluster means just that cluster: an internal address in it is for other containers, and
/// we reach it anyway.
fn existing_or(
    context: &Context,
    args: &cli::Cluster,
    mut kubeconfig: String,
    mut name: String,
) -> anyhow::Result<Option<ClusterAccess>> {
    let given = args
        .kubeconfig
        .as_deref()
        .filter(|path| !path.as_os_str().is_empty());
    if let Some(path) = given {
        let path = context.resolve(path);
        if is_own(context, &path, args.context.as_deref())? {
            return Ok(None);
        }
        kubeconfig = path.to_string_lossy().into_owned();
        let (key, flag) = (config::CLUSTER_KUBECONFIG, "--kubeconfig");
        context.config.check_flag(key, flag, &kubeconfig)?;
    }
    if let Some(given) = &args.context {
        let (key, flag) = (config::CLUSTER_CONTEXT, "--context");
        context.config.check_flag(key, flag, given)?;
        name.clone_from(given);
    }
    let name = Some(name).filter(|name| !name.is_empty());
    if !kubeconfig.is_empty() {
        return Ok(Some(ClusterAccess {
            kubeconfig: PathBuf::from(kubeconfig),
            context: name,
            kubectl: Kubectl::OnPath,
        }));
    }
    match name {
        None => Ok(None),
        Some(name) => Err(
            Failure::invalid(format!("context `{name}` needs a kubeconfig"))
                .hint("add `--kubeconfig FILE`")
                .into(),
        ),
    }
}

/// The release that is meant.
pub(crate) fn release(context: &Context, given: Option<&str>) -> Result<Release, Failure> {
    match given.filter(|text| !text.is_empty()) {
        Some(text) => named_release(context, text),
        None => Release::preset(&context.config),
    }
}

/// The release that a flag names; a path is meant from where the user stands.
pub(crate) fn named_release(context: &Context, text: &str) -> Result<Release, Failure> {
    let release = match text.parse()? {
        Release::Manifest(source) if kubectl::is_path(&source) => {
            let path = context.resolve(Path::new(&source));
            Release::Manifest(path.to_string_lossy().into_owned())
        }
        release => release,
    };
    let (key, flag) = (config::CNPG_RELEASE, "--cnpg-release");
    context.config.check_flag(key, flag, &release.to_string())?;
    Ok(release)
}

/// What an environment is that is there already: whether a login would be whole does not matter.
pub(crate) fn environment(
    context: &Context,
    place: Place,
    release: Release,
) -> Result<Environment, Failure> {
    let environment = Environment::new(&context.config, place, release, None, &context.run_id)?;
    let environment = Environment {
        clients: clients(context),
        proxies: proxies(context),
        ..environment
    };
    environment.of_checkout(&context.root)
}

/// Where the programs are started that speak to a cluster: what a sandbox brings along is there once it is up.
fn clients(context: &Context) -> Clients {
    Clients::found(|program| {
        let in_sandbox = context.global.sandbox && sandbox::PROGRAMS.contains(&program);
        in_sandbox || context.exec.finds(program).is_some()
    })
}

/// What programs are told of proxies.
fn proxies(context: &Context) -> Proxies {
    let sandbox = context.sandbox().ok().filter(|_| context.global.sandbox);
    let variable = |name: &str| std::env::var(name).ok();
    Proxies::of(variable, &docker_configuration(sandbox.as_ref()))
}

/// What an environment is to be that is made or repaired.
pub(crate) fn environment_to_make(
    context: &Context,
    place: Place,
    release: Release,
) -> Result<Environment, Failure> {
    let password = std::env::var(PASSWORD).ok();
    let credentials = Credentials::of(&context.config, password)?;
    Ok(Environment {
        credentials,
        ..environment(context, place, release)?
    })
}

/// Whether a kubeconfig's context is that of our own kind cluster.
fn is_own(context: &Context, path: &Path, name: Option<&str>) -> anyhow::Result<bool> {
    if !path.is_file() {
        return Err(Failure::invalid(format!(
            "the kubeconfig `{}` does not exist",
            path.display()
        ))
        .hint("`cargo xtask e2e export-kubeconfig PATH` writes one for the kind cluster")
        .into());
    }
    let text = source::read_named(path)?.unwrap_or_default();
    let file = kubeconfig::read_config(&text).ok_or_else(|| {
        Failure::invalid(format!("`{}` is not a kubeconfig", path.display()))
            .hint("`cargo xtask e2e export-kubeconfig PATH` writes one for the kind cluster")
    })?;
    let current = name
        .or(file["current-context"].as_str())
        .unwrap_or_default();
    let names = Names::of(&context.config);
    let Some(cluster) = current
        .strip_prefix("kind-")
        .filter(|cluster| names.has(cluster))
    else {
        return Ok(false);
    };
    // Somebody else's cluster may be called the same.
    let given = kubeconfig::authority(&text, Some(current));
    let own = given.is_some() && given == own_authority(context, &names.network, cluster)?;
    if !own {
        context.ui.note(&format!(
            "`{}` is for a cluster `{cluster}` that is not the one on this machine: the one of the kubeconfig is used",
            path.display()
        ));
    }
    Ok(own)
}

/// The certificate authority of a kind cluster of ours, as kind says it; where there is no kind to ask, as it
/// was when we last asked.
fn own_authority(
    context: &Context,
    network: &str,
    cluster: &str,
) -> anyhow::Result<Option<String>> {
    let mut exec = context.exec.clone();
    if context.global.sandbox {
        let sandbox = context.sandbox()?;
        if matches!(sandbox.state(), State::Running(_)) {
            exec = exec.with_programs(&sandbox.bin())?;
        }
    }
    let ask = kind(network).kubeconfig(cluster, Client::Machine);
    let text = match exec.read(&ask, Some(Duration::from_secs(20))) {
        Ok(text) => text,
        Err(failed) if failed.is_missing() => {
            let kept = Path::new(FOLDER).join("kubeconfig");
            source::read(&context.root, &kept)?.unwrap_or_default()
        }
        Err(_) => return Ok(None),
    };
    let name = format!("kind-{cluster}");
    Ok(kubeconfig::authority(&text, Some(&name)))
}
