// SPDX-License-Identifier: Apache-2.0
//! The end-to-end environment: a network, a registry and a kind cluster with the operator, all of them
//! containers of the engine; or an existing cluster with a registry that it can reach.
//!
//! [`Environment`] is what is wanted, from the settings. [`Survey`] is what is there, from
//! questions to the engine and the cluster. The other files turn the difference into steps.

pub(crate) mod api;
pub(crate) mod cleanup;
pub(crate) mod clients;
pub(crate) mod cluster;
mod decision;
pub(crate) mod in_use;
mod login;
pub(crate) mod names;
pub(crate) mod nodes;
pub(crate) mod operator;
mod part;
mod place;
mod prefetch;
pub(crate) mod registry;
pub(crate) mod release;
mod seed;
pub(crate) mod support;
pub(crate) mod survey;

use std::path::Path;

use serde_json::json;

use self::{
    clients::Clients,
    nodes::Host,
    release::{Manifest, Release},
    seed::Seed,
    survey::Survey,
};
use crate::{
    config::{self, Config},
    failure::Failure,
    image::{ImageRef, Naming},
    own::{RunId, checkout},
    plan::{Cmd, Plan, StepId},
    tool::{kind::Kind, proxy::Proxies},
};

pub use self::part::Part;
pub(crate) use self::{
    login::Credentials,
    names::{Names, namespace},
    place::{KubernetesVersion, Place},
};
pub(crate) use crate::tool::docker::{LABEL, RUN_LABEL};

/// On every namespace, with what tells one checkout from others that share the cluster.
pub(crate) const OWNER_LABEL: &str = "io.cloudnativepg.xtask.owner";
/// The label with its own name, which every namespace has.
pub(crate) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Where the environment's own files are, relative to the root.
pub(crate) const FOLDER: &str = "target/xtask/e2e";

/// The operator's deployment.
const DEPLOYMENT: &str = "cnpg-controller-manager";
/// On the deployment, once it is available: which manifest it is from.
const STAMP: &str = "io.cloudnativepg.xtask.manifest";
const RELEASE: &str = "io.cloudnativepg.xtask.release";

/// The registry's port inside its container, and so in the cluster.
const INNER_PORT: u16 = 5000;

/// What the environment is to be.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub names: Names,
    /// Who makes it, as far as it is made now.
    pub run: RunId,
    /// Whose namespaces on a shared cluster are ours: those of this checkout.
    pub owner: RunId,
    pub place: Place,
    /// The local registry's port on this machine. None: images are pushed to a registry elsewhere.
    pub port: Option<u16>,
    pub naming: Naming,
    pub registry_image: ImageRef,
    /// For a chainsaw that is not on PATH.
    pub chainsaw_image: ImageRef,
    /// Of which nodes are made, or would be: it has a kubectl.
    pub node_image: ImageRef,
    pub clients: Clients,
    pub proxies: Proxies,
    /// Of the engine, to push to the local registry.
    pub seeds: Vec<Seed>,
    pub mirrors: Vec<Host>,
    pub credentials: Option<Credentials>,
    pub release: Release,
    pub manifest: String,
    pub operator_image: Option<ImageRef>,
}

/// The steps after which the parts of the environment are ready.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ready {
    /// Images can be pushed.
    pub registry: Vec<StepId>,
    /// Pods run and find their images.
    pub cluster: Vec<StepId>,
    pub operator: Vec<StepId>,
}

impl Environment {
    /// What is wanted at that place, with that release of the operator; the rest the settings say. `credentials` are for
    /// nodes that are made.
    pub(crate) fn new(
        config: &Config,
        place: Place,
        release: Release,
        credentials: Option<Credentials>,
        run: &RunId,
    ) -> Result<Self, Failure> {
        let names = Names::of(config);
        let registry = config.get(config::REGISTRY);
        let mut host = registry.split('/').next().unwrap_or_default().to_owned();
        let local = matches!(place, Place::Kind { .. }) && crate::image::is_local(registry);
        let port = match local.then(|| port_of(&host)) {
            None => None,
            Some(Some(port)) => Some(port),
            Some(None) => {
                return Err(
                    Failure::invalid(format!("the registry `{host}` has no port"))
                        .hint("write it as `localhost:5000`, or use `--registry-port`"),
                );
            }
        };
        let cluster = match (&place, port, config.get(config::CLUSTER_REGISTRY)) {
            (Place::Kind { .. }, Some(_), _) => format!("{}:{INNER_PORT}", names.registry),
            (Place::Existing(_), _, given) if !given.is_empty() => {
                // With a path of its own it stands for the registry with its path.
                if given.contains('/') {
                    registry.clone_into(&mut host);
                }
                given.to_owned()
            }
            _ => host.clone(),
        };
        let operator_image =
            Some(config.get(config::OPERATOR_IMAGE)).filter(|image| !image.is_empty());
        let operator_image = operator_image.map(str::parse).transpose()?;
        let seeds = config.get(config::E2E_SEED).iter();
        let seeds = seeds.map(|image| Seed::parse(image));
        Ok(Self {
            place,
            port,
            naming: Naming { host, cluster },
            registry_image: config.get(config::REGISTRY_IMAGE).parse()?,
            chainsaw_image: config.get(config::CHAINSAW_IMAGE).parse()?,
            node_image: config.get(config::NODE_IMAGE).parse()?,
            clients: Clients::default(),
            proxies: Proxies::default(),
            seeds: seeds.collect::<Result<_, _>>()?,
            mirrors: mirrors(config),
            credentials,
            release,
            manifest: config.get(config::CNPG_MANIFEST).to_owned(),
            operator_image,
            run: run.clone(),
            owner: run.clone(),
            names,
        })
    }

    /// The same environment, of this checkout: by what an earlier run has noted, if one has.
    pub(crate) fn of_checkout(mut self, root: &Path) -> Result<Self, Failure> {
        if let Some(owner) = checkout::owner(root)? {
            self.owner = owner;
        }
        Ok(self)
    }

    /// The same environment, whose registry is given these images of the engine too.
    pub(crate) fn with_seeds(mut self, images: &[ImageRef]) -> Self {
        for seed in images.iter().cloned().map(Seed::of) {
            if !self.seeds.contains(&seed) {
                self.seeds.push(seed);
            }
        }
        self
    }

    /// Notes what tells this checkout from others, where no run has yet.
    pub(crate) fn note_owner(&self, root: &Path) -> anyhow::Result<()> {
        checkout::note(root, &self.owner)
    }

    /// Makes a namespace that says what it is for and whose it is. One that is there already is somebody
    /// else's.
    pub(crate) fn make_namespace(&self, name: &str, role: &str) -> Cmd {
        let labels = json!({LABEL: role, RUN_LABEL: self.run.to_string(), OWNER_LABEL: self.owner.to_string()});
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        self.access()
            .create(format!("make the namespace `{name}`"), &object)
    }

    pub(crate) fn network(&self) -> String {
        self.names.network.clone()
    }

    pub(crate) fn registry(&self) -> String {
        self.names.registry.clone()
    }

    pub(crate) fn volume(&self) -> String {
        self.names.registry.clone()
    }

    /// The label and its value, as docker's `--label` and `--filter label=` take it.
    pub(crate) fn label(&self) -> String {
        format!("{LABEL}={}", self.names.environment)
    }

    /// The kind cluster's name; None on an existing cluster.
    pub(crate) fn cluster(&self) -> Option<String> {
        match &self.place {
            Place::Kind { kubernetes, .. } => Some(self.names.cluster(kubernetes)),
            Place::Existing(_) => None,
        }
    }

    /// The container that is the kind cluster's control plane.
    pub(crate) fn control_plane(&self) -> Option<String> {
        self.cluster().map(|name| format!("{name}-control-plane"))
    }

    /// Adds the steps that make the environment what it is to be.
    pub(crate) fn add(
        &self,
        plan: &mut Plan,
        survey: &Survey,
        manifest: &Manifest,
    ) -> Result<Ready, Failure> {
        if let Place::Kind { kubernetes, .. } = &self.place {
            for remark in support::remarks(&self.release, kubernetes, &support::today()) {
                plan.note(remark);
            }
        }
        let registry = self.add_registry(plan, survey)?;
        if let (Place::Existing(_), Some(credentials)) = (&self.place, &self.credentials) {
            plan.note(format!(
                "the nodes of an existing cluster are not ours to log in to `{}`: it must have a pull secret",
                credentials.host
            ));
        }
        let before = self.add_cluster_with_seeds(plan, survey, &registry)?;
        let operator = self.add_operator(plan, survey, manifest, &before)?;
        Ok(Ready {
            registry: registry.answers,
            cluster: before,
            operator,
        })
    }
}

/// Kind, on the environment's network.
pub(crate) fn kind(network: &str) -> Kind<'_> {
    Kind { network }
}

fn port_of(host: &str) -> Option<u16> {
    host.rsplit_once(':')?.1.parse().ok()
}

fn mirrors(config: &Config) -> Vec<Host> {
    let host = |(name, url): &(String, String)| Host {
        name: name.clone(),
        url: url.trim_end_matches('/').to_owned(),
        fallback: None,
    };
    config.get(config::MIRRORS).iter().map(host).collect()
}
