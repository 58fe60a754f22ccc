// SPDX-License-Identifier: Apache-2.0
//! `e2e`: images in CloudNativePG, on a kind cluster or an existing one.

mod cleanup;
mod export_kubeconfig;
mod generate_values;
mod psql;
mod results;
mod setup_env;
mod status;
mod suite;
mod test;
mod test_full;
mod upgrade_test;

use std::{path::Path, time::Duration};

use serde_json::Value;

use crate::{
    cli::e2e::{Cluster, E2eCommand},
    config,
    context::Context,
    environment::{
        Environment, FOLDER, Place, kind, network_of,
        release::Release,
        version_of,
        world::{Api, World},
    },
    exec::Exec,
    failure::Failure,
    own::source,
    plan::PASSWORD,
    sandbox::{Sandbox, State},
    tool::{docker, kubectl},
    turn::Turn,
};

pub(super) fn run(command: E2eCommand, context: &mut Context) -> anyhow::Result<u8> {
    match command {
        E2eCommand::SetupEnv(args) => setup_env::run(&args, context)?,
        E2eCommand::ExportKubeconfig(args) => export_kubeconfig::run(&args, context)?,
        E2eCommand::GenerateValues(args) => generate_values::run(&args, context)?,
        E2eCommand::Test(args) => test::run(&args, context)?,
        E2eCommand::TestFull(args) => test_full::run(&args, context)?,
        E2eCommand::UpgradeTest(args) => upgrade_test::run(&args, context)?,
        E2eCommand::Status(args) => return status::run(&args, context),
        E2eCommand::Psql(args) => return psql::run(&args, context),
        E2eCommand::Cleanup(args) => cleanup::run(&args, context)?,
    }
    Ok(0)
}

/// Takes the flags that say which cluster into the settings. A kubeconfig of our own kind cluster means
/// just that cluster: an internal address in it is for other containers, and we reach it anyway.
fn choose_cluster(context: &mut Context, args: &Cluster) -> anyhow::Result<()> {
    let kubeconfig = args
        .kubeconfig
        .as_deref()
        .filter(|path| !path.as_os_str().is_empty());
    if let Some(path) = kubeconfig {
        let path = context.resolve(path);
        if !is_own(context, &path, args.context.as_deref())? {
            let text = path.to_string_lossy().into_owned();
            context
                .config
                .set_flag(config::CLUSTER_KUBECONFIG, "--kubeconfig", Some(&text))?;
            context.config.set_flag(
                config::CLUSTER_CONTEXT,
                "--context",
                args.context.as_deref(),
            )?;
        }
        return Ok(());
    }
    Ok(context.config.set_flag(
        config::CLUSTER_CONTEXT,
        "--context",
        args.context.as_deref(),
    )?)
}

/// Whether a kubeconfig's context is that of our own kind cluster.
fn is_own(context: &mut Context, path: &Path, name: Option<&str>) -> anyhow::Result<bool> {
    if !path.is_file() {
        return Err(
            Failure::invalid(format!("the kubeconfig `{}` is not there", path.display()))
                .hint("`cargo xtask e2e export-kubeconfig PATH` writes one for the kind cluster")
                .into(),
        );
    }
    let view = context.exec.read(&kubectl::view_cmd(path), None);
    let text = view.map_err(|failed| {
        if failed.is_missing() {
            return crate::tool::missing("kubectl");
        }
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
            "`{}` opens another `{cluster}` than the one that this machine's kind has: that other one is meant",
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

/// Takes the flags that say what the environment is to be into the settings.
fn choose_environment(
    context: &mut Context,
    args: &crate::cli::e2e::Environment,
) -> anyhow::Result<()> {
    choose_cluster(context, &args.cluster)?;
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
        let image: crate::image::ImageRef = config.get(config::NODE_IMAGE).parse()?;
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
        for (name, url) in config.map(config::MIRRORS) {
            if !args
                .mirror
                .iter()
                .any(|pair| pair.split('=').next() == Some(name))
            {
                pairs.push(format!("{name}={url}"));
            }
        }
        config.set_flag(config::MIRRORS, "--mirror", Some(&pairs.join(",")))?;
    }
    Ok(())
}

/// A release from the command line; a path is meant from where the user stands.
fn choose_release(context: &mut Context, release: Option<&str>) -> anyhow::Result<()> {
    let Some(text) = release.filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    let release: Release = text.parse()?;
    let text = match &release {
        Release::Manifest(source) if crate::environment::release::is_path(source) => context
            .resolve(Path::new(source))
            .to_string_lossy()
            .into_owned(),
        _ => release.to_string(),
    };
    Ok(context
        .config
        .set_flag(config::CNPG_RELEASE, "--cnpg-release", Some(&text))?)
}

fn environment(context: &Context) -> Result<Environment, Failure> {
    let password = std::env::var(PASSWORD).ok();
    let environment = Environment::new(&context.config, password, &context.run_id)?;
    crate::environment::registry::check_seeds(&environment.seeds)?;
    environment.of_checkout(&context.root)
}

/// An engine and a cluster that can be used, and the turns on them: on the engine first, always.
struct InUse {
    sandbox: Option<Sandbox>,
    _engine: Vec<Turn>,
    _cluster: Option<Turn>,
}

/// Waits for the engine, where the environment is one of its containers, or for the existing cluster.
fn enter(context: &mut Context, environment: &Environment, dry_run: bool) -> anyhow::Result<InUse> {
    let needed = matches!(environment.place, Place::Kind { .. });
    let entered = context.enter(dry_run, needed)?;
    let cluster = cluster_turn(context, environment, dry_run)?;
    Ok(InUse {
        sandbox: entered.sandbox,
        _engine: entered.turns,
        _cluster: cluster,
    })
}

/// The turn on the cluster. A kind cluster has one too, beside the engine's: others may reach it by a kubeconfig
/// alone.
fn cluster_turn(
    context: &mut Context,
    environment: &Environment,
    dry_run: bool,
) -> anyhow::Result<Option<Turn>> {
    if dry_run {
        return Ok(None);
    }
    environment.note_owner(&context.root)?;
    let access = environment.access();
    let identity = match (&environment.place, Api::identity(&access, &context.exec)) {
        (Place::Existing(_), identity) => identity?,
        (Place::Kind { .. }, Ok(identity)) => identity,
        // It is not there yet, or does not answer anybody.
        (Place::Kind { .. }, Err(_)) => return Ok(None),
    };
    context.cluster_turn(&access, &identity).map(Some)
}

/// The environment as it is: with the cluster that is there, whatever its version, and its access.
fn existing(context: &mut Context) -> anyhow::Result<(Environment, World)> {
    let mut environment = environment(context)?;
    if let Place::Kind { .. } = environment.place {
        context.engine()?;
    }
    let mut world = World::survey(&environment, &context.exec, true)?;
    let wanted = environment.cluster();
    if let (Some(wanted), Place::Kind { kubernetes, .. }, [only]) =
        (wanted, &mut environment.place, world.clusters.as_slice())
        && only.name != wanted
    {
        let version = version_of(&environment.name, &only.name);
        version.unwrap_or_default().clone_into(kubernetes);
        world = World::survey(&environment, &context.exec, true)?;
    }
    Ok((environment, world))
}

/// The one extension that was named.
fn one<'a>(targets: &'a [String], more: &'a [String]) -> Result<&'a str, Failure> {
    let mut names = targets.iter().chain(more);
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.trim_end_matches('/')),
        (None, _) => {
            Err(Failure::invalid("which extension?")
                .hint("name one: `cargo xtask targets` lists them"))
        }
        _ => Err(Failure::invalid("one extension at a time")),
    }
}
