// SPDX-License-Identifier: Apache-2.0
//! Which cluster and which release of the operator are meant: by flags first, then by settings.

use std::{path::Path, time::Duration};

use serde_json::Value;

use super::Context;
use crate::{
    cli::e2e as cli,
    config::{self, Key},
    environment::{
        Environment, FOLDER, Place, kind, network_of,
        release::{self, Release},
        version_of,
    },
    exec::Exec,
    failure::Failure,
    image::ImageRef,
    own::source,
    plan::PASSWORD,
    sandbox::State,
    tool::{self, docker, kubectl},
};

/// The cluster that is meant. A kubeconfig of our own kind cluster means just that cluster: an internal address in it
/// is for other containers, and we reach it anyway.
pub(crate) fn place(context: &mut Context, args: &cli::Cluster) -> anyhow::Result<Place> {
    let set = |key: Key<String>| context.config.get(key).to_owned();
    let (kubeconfig, name) = (
        set(config::CLUSTER_KUBECONFIG),
        set(config::CLUSTER_CONTEXT),
    );
    place_or(context, args, kubeconfig, name)
}

/// The cluster that the flags name: a kubeconfig in the settings is of somebody else's, which must be named to be
/// touched.
pub(crate) fn named_place(context: &mut Context, args: &cli::Cluster) -> anyhow::Result<Place> {
    place_or(context, args, String::new(), String::new())
}

/// The cluster that the flags name; what they leave out is this kubeconfig and this context in it.
fn place_or(
    context: &mut Context,
    args: &cli::Cluster,
    mut kubeconfig: String,
    mut name: String,
) -> anyhow::Result<Place> {
    let given = args
        .kubeconfig
        .as_deref()
        .filter(|path| !path.as_os_str().is_empty());
    if let Some(path) = given {
        let path = context.resolve(path);
        if is_own(context, &path, args.context.as_deref())? {
            return Ok(Place::kind(&context.config)?);
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
    Ok(Place::choose(&context.config, &kubeconfig, &name)?)
}

/// The cluster that is meant, with the flags that say what the environment is to be over their settings.
pub(crate) fn to_make(context: &mut Context, args: &cli::Environment) -> anyhow::Result<Place> {
    let config = &mut context.config;
    if let Some(version) = &args.kubernetes {
        let version = version.trim_start_matches('v');
        if !docker::is_version(version) || version.matches('.').count() != 2 {
            return Err(
                Failure::invalid(format!("`{version}` is not a version of Kubernetes"))
                    .hint("write it in full, as the tags of `kindest/node` are: `1.36.1`")
                    .into(),
            );
        }
        let image: ImageRef = config.get(config::NODE_IMAGE).parse()?;
        // Of the version that the setting names, its digest is known.
        if image.tag.as_deref() != Some(&format!("v{version}")) {
            let image = format!("{}:v{version}", image.repository);
            config.set_flag(config::NODE_IMAGE, "--kubernetes", Some(&image))?;
        }
    }
    let text = |number: Option<u32>| number.map(|number| number.to_string());
    let registry = args.registry_port.map(|port| format!("localhost:{port}"));
    config.set_flag(config::REGISTRY, "--registry-port", registry.as_deref())?;
    config.set_flag(config::E2E_NODES, "--nodes", text(args.nodes).as_deref())?;
    config.set_flag(
        config::CREDENTIALS_HOST,
        "--registry-host",
        args.registry_host.as_deref(),
    )?;
    config.set_flag(
        config::CREDENTIALS_USERNAME,
        "--registry-username",
        args.registry_username.as_deref(),
    )?;
    if !args.mirror.is_empty() {
        let mut pairs: Vec<String> = args.mirror.clone();
        for (name, url) in config.get(config::MIRRORS) {
            if !args
                .mirror
                .iter()
                .any(|pair| pair.split('=').next() == Some(name.as_str()))
            {
                pairs.push(format!("{name}={url}"));
            }
        }
        config.set_flag(config::MIRRORS, "--mirror", Some(&pairs.join(",")))?;
    }
    // By now the settings say which nodes a cluster of our own has.
    place(context, &args.cluster)
}

/// The release that is meant.
pub(crate) fn release(context: &Context, given: Option<&str>) -> Result<Release, Failure> {
    match given.filter(|text| !text.is_empty()) {
        Some(text) => named_release(context, text),
        None => context.config.get(config::CNPG_RELEASE).parse(),
    }
}

/// The release that a flag names; a path is meant from where the user stands.
pub(crate) fn named_release(context: &Context, text: &str) -> Result<Release, Failure> {
    let release = match text.parse()? {
        Release::Manifest(source) if release::is_path(&source) => {
            let path = context.resolve(Path::new(&source));
            Release::Manifest(path.to_string_lossy().into_owned())
        }
        release => release,
    };
    let (key, flag) = (config::CNPG_RELEASE, "--cnpg-release");
    context.config.check_flag(key, flag, &release.to_string())?;
    Ok(release)
}

/// What the environment is to be.
pub(crate) fn environment(
    context: &Context,
    place: Place,
    release: Release,
) -> Result<Environment, Failure> {
    let password = std::env::var(PASSWORD).ok();
    let environment = Environment::new(&context.config, place, release, password, &context.run_id)?;
    environment.of_checkout(&context.root)
}

/// Whether a kubeconfig's context is that of our own kind cluster.
fn is_own(context: &mut Context, path: &Path, name: Option<&str>) -> anyhow::Result<bool> {
    if !path.is_file() {
        return Err(Failure::invalid(format!(
            "the kubeconfig `{}` does not exist",
            path.display()
        ))
        .hint("`cargo xtask e2e export-kubeconfig PATH` writes one for the kind cluster")
        .into());
    }
    tool::require(&context.exec, ["kubectl"])?;
    let view = context.exec.read(&kubectl::view_cmd(path), None);
    let text = view.map_err(|failed| {
        Failure::invalid(format!("`{}` is not a kubeconfig", path.display()))
            .detail(
                failed
                    .cause()
                    .unwrap_or("kubectl does not say why")
                    .to_owned(),
            )
            .hint("`cargo xtask e2e export-kubeconfig PATH` writes one for the kind cluster")
    })?;
    let view: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::failed(format!(
            "`kubectl` shows the kubeconfig `{}` as what is no JSON: {error}",
            path.display()
        ))
    })?;
    let current = name
        .or(view["current-context"].as_str())
        .unwrap_or_default();
    let name = context.config.get(config::E2E_NAME).to_owned();
    let Some(cluster) = current
        .strip_prefix("kind-")
        .filter(|cluster| version_of(&name, cluster).is_some())
    else {
        return Ok(false);
    };
    // Somebody else's cluster may be called the same.
    let text = source::read_named(path)?.unwrap_or_default();
    let given = kubectl::authority(&text, Some(current));
    let own = given.is_some() && given == own_authority(context, &name, cluster)?;
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
    environment: &str,
    cluster: &str,
) -> anyhow::Result<Option<String>> {
    let mut exec = context.exec.clone();
    if context.global.sandbox {
        let sandbox = context.sandbox()?;
        if matches!(sandbox.state(), State::Running(_)) {
            exec = exec.with_programs(&sandbox.bin())?;
        }
    }
    let network = network_of(environment);
    let ask = kind(&network).kubeconfig(cluster, false);
    let text = match exec.read(&ask, Some(Duration::from_secs(20))) {
        Ok(text) => text,
        Err(failed) if failed.is_missing() => {
            let kept = Path::new(FOLDER).join("kubeconfig");
            source::read(&context.root, &kept)?.unwrap_or_default()
        }
        Err(_) => return Ok(None),
    };
    let name = format!("kind-{cluster}");
    Ok(kubectl::authority(&text, Some(&name)))
}
