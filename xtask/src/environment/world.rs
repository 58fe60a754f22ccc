// SPDX-License-Identifier: Apache-2.0
//! What is there of the environment: questions that change nothing.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::{DEPLOYMENT, Environment, LABEL, OWNER_LABEL, RELEASE, STAMP, kind};
use crate::{
    exec::{CmdFailure, Exec, Reason},
    failure::Failure,
    own::file,
    plan::{Cmd, Kind, Location, Owned},
    tool::{
        self,
        docker::{self, Container},
        kind::CLUSTER_LABEL,
        kubectl::{self, Access},
    },
};

/// How long a cluster may take to answer before it counts as one that does not.
const PATIENCE: Duration = Duration::from_secs(15);

/// A thing of the engine that we may or may not have made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Presence {
    #[default]
    Absent,
    Ours,
    /// It has the name, but not our label.
    Foreign,
}

/// What is there. The default is nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub network: Presence,
    pub volume: Presence,
    pub registry: Option<Registry>,
    pub clusters: Vec<KindCluster>,
    /// The wanted cluster's name is taken by one that is not on our network.
    pub taken: bool,
    /// The wanted cluster's nodes run, but have not got as far as a kubeconfig.
    pub unfinished: bool,
    /// The wanted cluster has been given time to come to itself.
    pub woken: bool,
    /// Of the wanted cluster; None: it does not answer.
    pub api: Option<Api>,
}

/// A container with the registry's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registry {
    pub container: Container,
    /// It carries our label.
    pub ours: bool,
    /// It was made for the same port and of the same image.
    pub as_wanted: bool,
}

/// A kind cluster on our network, by its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KindCluster {
    pub name: String,
    pub nodes: Vec<Container>,
}

/// What a cluster says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Api {
    pub nodes: Vec<Node>,
    /// Kind makes it after everything but the workers.
    pub storage_class: bool,
    pub operator: Option<Operator>,
    /// Databases of the operator, by `namespace/name`.
    pub databases: Vec<String>,
    /// Namespaces that a run of this program made.
    pub namespaces: Vec<Namespace>,
    /// The names of all others.
    pub foreign: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    pub name: String,
    /// `suite` or `psql`.
    pub role: String,
    /// Which checkout made it.
    pub owner: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub name: String,
    pub ready: bool,
    /// `v1.36.1`.
    pub kubelet: String,
    pub platform: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub image: String,
    /// What we applied; None: somebody else did, or it never became available.
    pub stamp: Option<String>,
    pub release: Option<String>,
    pub available: bool,
}

impl World {
    /// Asks the engine alone: `api` stays empty.
    pub(crate) fn of_engine(environment: &Environment, exec: &dyn Exec) -> anyhow::Result<Self> {
        let mut world = Self::default();
        let ask = |cmd: &Cmd| {
            exec.read(cmd, Some(Duration::from_secs(60)))
                .map_err(Failure::from)
        };
        let carries = |kind, label: &str, name: &str| {
            let owned = Owned::new(kind, label, format!("whose `{name}` is")).name(name);
            Ok::<_, Failure>(!owned.listed(&ask(&owned.list())?).is_empty())
        };
        let presence = |kind, all: &str, name: &str| {
            if !docker::is_named(all, name) {
                return Ok(Presence::Absent);
            }
            let ours = carries(kind, &environment.label(), name)?;
            Ok::<_, Failure>(if ours {
                Presence::Ours
            } else {
                Presence::Foreign
            })
        };
        let (networks, volumes) = (ask(&docker::networks_cmd())?, ask(&docker::volumes_cmd())?);
        world.network = presence(Kind::Network, &networks, &environment.network())?;
        world.volume = presence(Kind::Volume, &volumes, &environment.volume())?;
        let containers = docker::parse_containers(&ask(&docker::containers_cmd())?);
        let mut names = clusters_of(environment, &containers);
        names.extend(environment.cluster());
        for name in names {
            let label = format!("{CLUSTER_LABEL}={name}");
            let network = environment.network();
            let list = |network| docker::labelled_containers_cmd(&label, network);
            let mut nodes = docker::parse_containers(&ask(&list(Some(&network)))?);
            // Without our network's label nothing on it is ours.
            if world.network == Presence::Foreign {
                nodes.clear();
            }
            if Some(&name) == environment.cluster().as_ref() {
                let all = docker::parse_containers(&ask(&list(None))?);
                world.taken = all
                    .iter()
                    .any(|one| nodes.iter().all(|node| node.name != one.name));
            }
            if !nodes.is_empty() {
                nodes.sort_by(|a, b| a.name.cmp(&b.name));
                world.clusters.push(KindCluster { name, nodes });
            }
        }
        let is_registry = |found: &Container| found.name == environment.registry();
        if let Some(container) = containers.into_iter().find(is_registry) {
            let ours = carries(Kind::Container, &environment.label(), &container.name)?;
            let as_wanted = match environment.port {
                Some(port) if ours => {
                    carries(Kind::Container, &environment.spec(port), &container.name)?
                }
                _ => false,
            };
            world.registry = Some(Registry {
                container,
                ours,
                as_wanted,
            });
        }
        Ok(world)
    }

    /// Asks the engine and the cluster. With `keep`, the kubeconfig of a running kind cluster is kept in
    /// our own file.
    pub(crate) fn survey(
        environment: &Environment,
        exec: &dyn Exec,
        keep: bool,
    ) -> anyhow::Result<Self> {
        let Some(wanted) = environment.cluster() else {
            return Ok(Self {
                api: Some(Api::survey(&environment.access(), exec)?),
                ..Self::default()
            });
        };
        let mut world = Self::of_engine(environment, exec)?;
        let running = world
            .cluster(&wanted)
            .is_some_and(|cluster| cluster.nodes.iter().all(|node| node.running));
        if running {
            let access = environment.access();
            let get = kind(&environment.network()).kubeconfig(&wanted, false);
            match exec.read(&get, Some(PATIENCE)) {
                Ok(text) if keep => {
                    file::write_private(&Location::output(&access.kubeconfig), &text)?;
                }
                // Without kind, the kubeconfig of an earlier run will do.
                Err(failed) if failed.is_missing() && !access.kubeconfig.is_file() => {
                    return Err(tool::missing("kind").into());
                }
                Err(failed) => world.unfinished = matches!(failed.reason, Reason::Status(_)),
                Ok(_) => {}
            }
            world.api = Api::of_running(&access, exec)?;
        }
        Ok(world)
    }

    pub(crate) fn cluster(&self, name: &str) -> Option<&KindCluster> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }
}

impl Api {
    /// Asks a cluster whose nodes run. That it does not answer says something of it; that there is no
    /// kubectl to ask with does not.
    fn of_running(access: &Access, exec: &dyn Exec) -> Result<Option<Self>, Failure> {
        match Self::ask(access, exec) {
            Ok(api) => Ok(Some(api)),
            Err(failed) if failed.is_missing() => Err(tool::missing("kubectl")),
            Err(_) => Ok(None),
        }
    }

    /// What tells a cluster from others, however it is reached: the identity of a namespace that every
    /// cluster has and nobody makes anew.
    pub(crate) fn identity(access: &Access, exec: &dyn Exec) -> Result<String, Failure> {
        there(access)?;
        let ask = access.cmd("ask which cluster it is").args([
            "get",
            "namespace",
            "kube-system",
            "--output",
            "jsonpath={.metadata.uid}",
            "--request-timeout",
            "10s",
        ]);
        exec.read(&ask, Some(PATIENCE))
            .map_err(|failed| unreachable(access, &failed))
    }

    /// Asks a cluster; one that does not answer is a failure that says so.
    pub(crate) fn survey(access: &Access, exec: &dyn Exec) -> Result<Self, Failure> {
        there(access)?;
        Self::ask(access, exec).map_err(|failed| unreachable(access, &failed))
    }
    fn ask(access: &Access, exec: &dyn Exec) -> Result<Self, CmdFailure> {
        let kinds = "nodes,storageclasses,namespaces,deployments.apps";
        let list = access.list("ask the cluster what it has", kinds);
        let text = exec.read(&list, Some(PATIENCE))?;
        let mut api = Self::default();
        for object in kubectl::items(&text) {
            api.take(&object);
        }
        if api.operator.is_some() {
            let list = access.list("ask for databases", "clusters.postgresql.cnpg.io");
            let text = exec.read(&list, Some(PATIENCE)).unwrap_or_default();
            let name = |object: &Value| {
                let name = |pointer| object.pointer(pointer).and_then(Value::as_str);
                Some(format!(
                    "{}/{}",
                    name("/metadata/namespace")?,
                    name("/metadata/name")?
                ))
            };
            api.databases = kubectl::items(&text).iter().filter_map(name).collect();
        }
        Ok(api)
    }

    fn take(&mut self, object: &Value) {
        let text = |pointer: &str| {
            let text = object.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let annotation = |name: &str| {
            let found = object
                .pointer("/metadata/annotations")
                .and_then(|all| all.get(name));
            let text = found.and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        match text("/kind").as_str() {
            "Node" => self.nodes.push(Node {
                name: text("/metadata/name"),
                ready: kubectl::condition(object, "Ready"),
                kubelet: text("/status/nodeInfo/kubeletVersion"),
                platform: format!(
                    "{}/{}",
                    text("/status/nodeInfo/operatingSystem"),
                    text("/status/nodeInfo/architecture")
                ),
            }),
            "StorageClass" => self.storage_class = true,
            "Namespace" => {
                let label = |name: &str| {
                    let labels = object.pointer("/metadata/labels");
                    let text = labels.and_then(|labels| labels.get(name)?.as_str());
                    text.map(str::to_owned)
                };
                let name = text("/metadata/name");
                match label(LABEL) {
                    Some(role) => self.namespaces.push(Namespace {
                        name,
                        role,
                        owner: label(OWNER_LABEL),
                    }),
                    None => self.foreign.push(name),
                }
            }
            "Deployment" if text("/metadata/name") == DEPLOYMENT => {
                self.operator = Some(Operator {
                    image: text("/spec/template/spec/containers/0/image"),
                    stamp: annotation(STAMP),
                    release: annotation(RELEASE),
                    available: kubectl::condition(object, "Available"),
                });
            }
            _ => {}
        }
    }

    /// Whether a namespace of that name is there and none of this role, or of another checkout when it
    /// matters which.
    pub(crate) fn is_foreign(&self, name: &str, role: &str, owner: Option<&str>) -> bool {
        let ours = |found: &Namespace| {
            found.role == role && (owner.is_none() || found.owner.as_deref() == owner)
        };
        self.foreign.iter().any(|found| found == name)
            || self
                .namespaces
                .iter()
                .any(|found| found.name == name && !ours(found))
    }

    /// The platform of the nodes, of which all must have the same.
    pub(crate) fn platform(&self) -> Option<&str> {
        self.nodes.first().map(|node| node.platform.as_str())
    }
}

fn there(access: &Access) -> Result<(), Failure> {
    if access.kubeconfig.is_file() {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "the kubeconfig `{}` is not there",
        access.kubeconfig.display()
    ))
    .hint("`cargo xtask e2e setup-env` makes a cluster; `--kubeconfig FILE` uses another one"))
}

fn unreachable(access: &Access, failed: &CmdFailure) -> Failure {
    let context = access
        .context
        .as_ref()
        .map_or_else(String::new, |name| format!(", context `{name}`"));
    let message = format!(
        "the cluster of `{}`{context} cannot be used",
        access.kubeconfig.display()
    );
    let failure = match failed.reason {
        Reason::NotFound => return tool::missing("kubectl"),
        _ => Failure::unavailable(message)
            .detail(failed.cause().unwrap_or("it does not answer").to_owned()),
    };
    if failed.mentions("Unauthorized")
        || failed.mentions("provide credentials")
        || failed.mentions("Forbidden")
    {
        return failure.hint("its credentials are not accepted: get a new kubeconfig");
    }
    if failed.mentions("context was not found") || failed.mentions("does not exist") {
        return failure.hint("`kubectl config get-contexts` lists the contexts of a kubeconfig");
    }
    failure.hint(
        "is the cluster up? `cargo xtask e2e status` says what is there, `e2e setup-env` mends it",
    )
}

/// What clusters of this environment there may be, by the names of containers, which kind begins with that
/// of the cluster. Whether they are clusters, their labels say.
fn clusters_of(environment: &Environment, containers: &[Container]) -> BTreeSet<String> {
    let start = format!("{}-", environment.name);
    let name = |container: &Container| {
        let version = container.name.strip_prefix(&start)?.split('-').next()?;
        let name = format!("{start}{version}");
        environment.version_of(&name)?;
        Some(name)
    };
    containers.iter().filter_map(name).collect()
}
