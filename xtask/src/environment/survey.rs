// SPDX-License-Identifier: Apache-2.0
//! What is there of the environment: questions that change nothing.

use std::{collections::BTreeSet, net::TcpListener, time::Duration};

use super::{
    Environment,
    api::{Api, PATIENCE},
    kind,
};
use crate::{
    exec::{Exec, Reason},
    failure::Failure,
    own::file,
    plan::{Cmd, Kind, Location, Owned},
    tool::{
        self,
        docker::{self, Container},
        kind::{CLUSTER_LABEL, Client},
    },
};

/// How long a question to the engine may take.
const ENGINE: Duration = Duration::from_secs(60);

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
pub(crate) struct Survey {
    pub network: Presence,
    pub volume: Presence,
    pub registry: Option<Registry>,
    /// Something else listens at the registry's port.
    pub port_taken: bool,
    pub clusters: Vec<KindCluster>,
    /// The wanted cluster's name is taken by one that is not on our network.
    pub taken: bool,
    /// The wanted cluster's nodes run, but have not got as far as a kubeconfig.
    pub unfinished: bool,
    /// The wanted cluster has been started again, or waited for.
    pub restarted: bool,
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

impl Survey {
    /// What there is where no engine can be asked: nothing, but what this machine itself shows.
    pub(crate) fn without_engine(environment: &Environment) -> Self {
        Self {
            port_taken: environment.port.is_some_and(is_taken),
            ..Self::default()
        }
    }

    /// Asks the engine alone: `api` stays empty.
    pub(crate) fn of_engine(environment: &Environment, exec: &dyn Exec) -> anyhow::Result<Self> {
        let engine = Questions { environment, exec };
        let networks = engine.ask(&docker::networks_cmd())?;
        let volumes = engine.ask(&docker::volumes_cmd())?;
        let mut survey = Self {
            network: engine.presence(Kind::Network, &networks, &environment.network())?,
            volume: engine.presence(Kind::Volume, &volumes, &environment.volume())?,
            ..Self::default()
        };
        let containers = docker::parse_containers(&engine.ask(&docker::containers_cmd())?);
        let mut names = clusters_of(environment, &containers);
        names.extend(environment.cluster());
        for name in names {
            let mut nodes = engine.nodes(&name, Some(&environment.network()))?;
            // Without our network's label nothing on it is ours.
            if survey.network == Presence::Foreign {
                nodes.clear();
            }
            if Some(&name) == environment.cluster().as_ref() {
                let all = engine.nodes(&name, None)?;
                survey.taken = all
                    .iter()
                    .any(|one| nodes.iter().all(|node| node.name != one.name));
            }
            if !nodes.is_empty() {
                nodes.sort_by(|a, b| a.name.cmp(&b.name));
                survey.clusters.push(KindCluster { name, nodes });
            }
        }
        survey.registry = engine.registry(containers)?;
        survey.port_taken = environment
            .port
            .is_some_and(|port| !survey.publishes(port) && is_taken(port));
        Ok(survey)
    }

    /// Asks the engine and the cluster, by the kubeconfig that an earlier run has kept.
    pub(crate) fn of(environment: &Environment, exec: &dyn Exec) -> anyhow::Result<Self> {
        Self::with_kubeconfig(environment, exec, &|_| Ok(()))
    }

    /// The same, once the kubeconfig that kind has for a running cluster is kept in our own file: the cluster may be
    /// another than it was.
    pub(crate) fn refreshed(environment: &Environment, exec: &dyn Exec) -> anyhow::Result<Self> {
        let file = Location::output(&environment.access().kubeconfig);
        Self::with_kubeconfig(environment, exec, &|text| file::write_private(&file, text))
    }

    /// `keep` is given what kind says.
    fn with_kubeconfig(
        environment: &Environment,
        exec: &dyn Exec,
        keep: &dyn Fn(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let Some(wanted) = environment.cluster() else {
            return Ok(Self {
                api: Some(Api::survey(&environment.access(), exec)?),
                ..Self::default()
            });
        };
        let mut survey = Self::of_engine(environment, exec)?;
        let running = survey
            .cluster(&wanted)
            .is_some_and(|cluster| cluster.nodes.iter().all(|node| node.running));
        if running {
            let access = environment.access();
            let get = kind(&environment.network()).kubeconfig(&wanted, Client::Machine);
            match exec.read(&get, Some(PATIENCE)) {
                Ok(text) => keep(&text)?,
                // Without kind, the kubeconfig of an earlier run will do.
                Err(failed) if failed.is_missing() && !access.kubeconfig.is_file() => {
                    return Err(tool::missing("kind").into());
                }
                Err(failed) => survey.unfinished = matches!(failed.reason, Reason::Status(_)),
            }
            survey.api = Api::of_running(&access, exec)?;
        }
        Ok(survey)
    }

    pub(crate) fn cluster(&self, name: &str) -> Option<&KindCluster> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }

    /// Whether it is our registry's container that listens at the port.
    fn publishes(&self, port: u16) -> bool {
        let registry = self.registry.as_ref();
        registry.is_some_and(|found| {
            found.container.running && published(&found.container) == Some(port)
        })
    }
}

/// Questions to an engine about one environment.
struct Questions<'a> {
    environment: &'a Environment,
    exec: &'a dyn Exec,
}

impl Questions<'_> {
    fn ask(&self, cmd: &Cmd) -> Result<String, Failure> {
        self.exec.read(cmd, Some(ENGINE)).map_err(Failure::from)
    }

    /// Whether what has this name carries the label.
    fn carries(&self, kind: Kind, label: &str, name: &str) -> Result<bool, Failure> {
        let owned = Owned::new(kind, label, format!("ask who created `{name}`")).name(name);
        Ok(!owned.listed(&self.ask(&owned.list())?).is_empty())
    }

    /// Whose a network or a volume is, if it is among `all`.
    fn presence(&self, kind: Kind, all: &str, name: &str) -> Result<Presence, Failure> {
        if !docker::is_named(all, name) {
            return Ok(Presence::Absent);
        }
        let ours = self.carries(kind, &self.environment.label(), name)?;
        Ok(if ours {
            Presence::Ours
        } else {
            Presence::Foreign
        })
    }

    /// The containers of a kind cluster, on whatever network or on this one alone.
    fn nodes(&self, cluster: &str, network: Option<&str>) -> Result<Vec<Container>, Failure> {
        let label = format!("{CLUSTER_LABEL}={cluster}");
        let list = docker::labelled_containers_cmd(&label, network);
        Ok(docker::parse_containers(&self.ask(&list)?))
    }

    fn registry(&self, containers: Vec<Container>) -> Result<Option<Registry>, Failure> {
        let environment = self.environment;
        let is_registry = |found: &Container| found.name == environment.registry();
        let Some(container) = containers.into_iter().find(is_registry) else {
            return Ok(None);
        };
        let carries = |label: &str| self.carries(Kind::Container, label, &container.name);
        let ours = carries(&environment.label())?;
        let as_wanted = match environment.port {
            Some(port) if ours => carries(&environment.spec(port))?,
            _ => false,
        };
        Ok(Some(Registry {
            container,
            ours,
            as_wanted,
        }))
    }
}

/// Whether something on this machine listens at a port.
fn is_taken(port: u16) -> bool {
    // Another error says nothing: for ports below 1024, say, docker has more rights than we have.
    TcpListener::bind(("127.0.0.1", port))
        .is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

/// The port at which a running container's inner port is published.
fn published(container: &Container) -> Option<u16> {
    let (outside, _) = container.ports.split_once("->")?;
    outside.rsplit_once(':')?.1.parse().ok()
}

/// What clusters of this environment there may be, by the names of containers, which kind begins with that
/// of the cluster. Whether they are clusters, their labels say.
fn clusters_of(environment: &Environment, containers: &[Container]) -> BTreeSet<String> {
    let start = format!("{}-", environment.names.environment);
    let name = |container: &Container| {
        let version = container.name.strip_prefix(&start)?.split('-').next()?;
        let name = format!("{start}{version}");
        environment.names.has(&name).then_some(name)
    };
    containers.iter().filter_map(name).collect()
}
