// SPDX-License-Identifier: Apache-2.0
//! The two programs that speak to a cluster. Where this machine lacks them, a kind cluster's control plane has the one,
//! and a container runs the other: then Docker and kind are all that is needed. A container has its kubectl, which suites'
//! scripts call, from that node too; for an existing cluster, of which no node is ours, from the image of one.

use std::path::{Path, PathBuf};

use super::{Environment, FOLDER, Place, RUN_LABEL, kind};
use crate::{
    engine::Engine,
    failure::Failure,
    image::{Image, Opened},
    own::source,
    plan::{Action, Location, Plan, Step, StepId},
    tool::{
        self,
        chainsaw::{Chainsaw, Container},
        docker,
        kind::Client,
        kubeconfig,
        kubectl::{self, ClusterAccess, Kubectl},
        proxy,
    },
};

/// The network of the engine's machine: from it a container reaches what this machine's own kubectl reaches, a cluster at
/// 127.0.0.1 too.
const OF_MACHINE: &str = "host";

/// Where a program is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Start {
    /// It is on PATH.
    #[default]
    OnPath,
    InContainer,
}

/// Where each of the two is started on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clients {
    kubectl: Start,
    chainsaw: Start,
}

impl Clients {
    /// `is_there` says whether a program is on PATH.
    pub(crate) fn found(is_there: impl Fn(&str) -> bool) -> Self {
        let start = |program| {
            if is_there(program) {
                Start::OnPath
            } else {
                Start::InContainer
            }
        };
        Self {
            kubectl: start("kubectl"),
            chainsaw: start("chainsaw"),
        }
    }
}

impl Environment {
    /// How the cluster is reached. Of an existing one no node is ours to run programs in.
    pub(crate) fn access(&self) -> ClusterAccess {
        match &self.place {
            Place::Kind { .. } => ClusterAccess {
                kubeconfig: Path::new(FOLDER).join("kubeconfig"),
                context: None,
                kubectl: match (self.clients.kubectl, self.control_plane()) {
                    (Start::InContainer, Some(node)) => Kubectl::InNode(node),
                    _ => Kubectl::OnPath,
                },
            },
            Place::Existing(access) => access.clone(),
        }
    }

    /// How suites are run, with files that [`Environment::add_chainsaw`] makes; `root` is the repository's.
    pub(crate) fn chainsaw(&self, engine: &Engine, root: &Path) -> Result<Chainsaw, Failure> {
        if self.clients.chainsaw == Start::OnPath {
            return Ok(Chainsaw::OnPath);
        }
        let of_machine = match &self.place {
            Place::Kind { .. } => None,
            Place::Existing(access) => Some(access),
        };
        let user = match engine.info() {
            Ok(info) => info.own_user(),
            // A plan that is only looked at needs no engine that answers.
            Err(_) if engine.is_looked_at() => docker::user(),
            // On an existing cluster nothing else is wanted of it.
            Err(failure) if of_machine.is_some() => {
                let why = format!("no container can run it either: {}", failure.message);
                return Err(tool::missing("chainsaw").detail(why));
            }
            Err(failure) => return Err(failure),
        };
        let in_folder = |name: &str| PathBuf::from(FOLDER).join(name);
        let (network, kubeconfig, files, proxies) = match of_machine {
            None => (
                self.network(),
                in_folder("kubeconfig-internal"),
                Vec::new(),
                proxy::none(),
            ),
            Some(access) => (
                OF_MACHINE.to_owned(),
                access.kubeconfig.clone(),
                files_of(access, root)?,
                self.proxies.as_here(),
            ),
        };
        Ok(Chainsaw::InContainer(Container {
            image: self.chainsaw_image.to_string(),
            network,
            kubeconfig,
            files,
            kubectl: in_folder("kubectl"),
            proxies,
            user,
            label: self.run_label(),
        }))
    }

    fn run_label(&self) -> String {
        format!("{RUN_LABEL}={}", self.run)
    }

    /// Adds what a chainsaw in a container needs, once the cluster is there: its image, a kubeconfig for its network,
    /// and a kubectl for the scripts of suites.
    pub(crate) fn add_chainsaw(
        &self,
        plan: &mut Plan,
        chainsaw: &Chainsaw,
        cluster: &[StepId],
    ) -> Vec<StepId> {
        let Chainsaw::InContainer(container) = chainsaw else {
            return Vec::new();
        };
        let asked = format!("xtask-chainsaw-{}", self.run.short());
        let image = plan.add(container.version("chainsaw image", &asked).quiet());
        let rest = match (self.cluster(), self.control_plane()) {
            (Some(name), Some(node)) => self.add_of_kind(plan, container, (&name, &node), cluster),
            _ => self.add_kubectl(plan, container),
        };
        vec![image, rest]
    }

    /// Adds the kubeconfig and the kubectl of a kind cluster's node.
    fn add_of_kind(
        &self,
        plan: &mut Plan,
        container: &Container,
        (cluster, node): (&str, &str),
        ready: &[StepId],
    ) -> StepId {
        let save = Action::Save {
            cmd: kind(&self.network()).kubeconfig(cluster, Client::Container),
            path: Location::output(&container.kubeconfig),
        };
        let save = Step::new("kubeconfig for chainsaw", save).after(ready.iter().copied());
        let saved = plan.add(save.quiet());
        let copy = docker::copy_from(node, kubectl::IN_NODE, &container.kubectl);
        plan.add(
            Step::run("kubectl for chainsaw", copy)
                .after([saved])
                .quiet(),
        )
    }

    /// Adds the kubectl of the node image: this machine's own may be a program for another system, or none by itself.
    fn add_kubectl(&self, plan: &mut Plan, container: &Container) -> StepId {
        let name = format!("xtask-kubectl-{}", self.run.short());
        let opened = Opened {
            name: &name,
            label: &container.label,
            of: "node image",
        };
        let folder = Action::Folder(Location::output(FOLDER));
        let folder = plan.add(Step::new("folder for kubectl", folder).quiet());
        let open = opened.open("open node image", &Image::Given(self.node_image.clone()));
        let open = plan.add(open.after([folder]).quiet());
        let copy = docker::copy_from(&name, kubectl::IN_NODE, &container.kubectl);
        let copy = Step::run("kubectl for chainsaw", copy).after([open]);
        let copied = plan.add(copy.quiet());
        let close = opened.close("close node image").after([copied]);
        plan.add(close.quiet())
    }
}

/// The files that a program in a container needs for an existing cluster, at their own absolute paths.
fn files_of(access: &ClusterAccess, root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let path = root.join(&access.kubeconfig);
    let text = source::read_named(&path)?.unwrap_or_default();
    kubeconfig::files(&path, &text, access.context.as_deref())
        .map_err(|why| tool::missing("chainsaw").detail(why.message))
}
