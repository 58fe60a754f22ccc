// SPDX-License-Identifier: Apache-2.0
//! The two programs that speak to a cluster. Where this machine lacks them, a kind cluster's control plane has the one,
//! and a container beside it runs the other: then Docker and kind are all that is needed.

use std::path::{Path, PathBuf};

use super::{Environment, FOLDER, Place, RUN_LABEL, kind};
use crate::{
    engine::Engine,
    failure::Failure,
    plan::{Action, Location, Plan, Step, StepId},
    tool::{
        chainsaw::{Chainsaw, Container},
        docker,
        kind::Client,
        kubectl::{self, ClusterAccess, Kubectl},
    },
};

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

    /// How suites are run, with files that [`Environment::add_chainsaw`] makes.
    pub(crate) fn chainsaw(&self, engine: &Engine) -> Result<Chainsaw, Failure> {
        if self.clients.chainsaw == Start::OnPath || self.cluster().is_none() {
            return Ok(Chainsaw::OnPath);
        }
        let info = engine.info();
        // A plan that is only looked at needs no engine that answers.
        let user = match info {
            Ok(info) => info.own_user(),
            Err(_) if engine.is_looked_at() => docker::user(),
            Err(failure) => return Err(failure),
        };
        let in_folder = |name: &str| PathBuf::from(FOLDER).join(name);
        Ok(Chainsaw::InContainer(Container {
            image: self.chainsaw_image.to_string(),
            network: self.network(),
            kubeconfig: in_folder("kubeconfig-internal"),
            kubectl: in_folder("kubectl"),
            user,
            label: format!("{RUN_LABEL}={}", self.run),
        }))
    }

    /// Adds what a chainsaw in a container needs, once the cluster is there: its image, a kubeconfig for its network,
    /// and the node's kubectl for the scripts of suites.
    pub(crate) fn add_chainsaw(
        &self,
        plan: &mut Plan,
        chainsaw: &Chainsaw,
        cluster: &[StepId],
    ) -> Vec<StepId> {
        let (Chainsaw::InContainer(container), Some(name), Some(node)) =
            (chainsaw, self.cluster(), self.control_plane())
        else {
            return Vec::new();
        };
        let asked = format!("xtask-chainsaw-{}", self.run.short());
        let image = plan.add(container.version("chainsaw image", &asked).quiet());
        let save = Action::Save {
            cmd: kind(&self.network()).kubeconfig(&name, Client::Container),
            path: Location::output(&container.kubeconfig),
        };
        let save = Step::new("kubeconfig for chainsaw", save).after(cluster.iter().copied());
        let saved = plan.add(save.quiet());
        let copy = docker::copy_from(&node, kubectl::IN_NODE, &container.kubectl);
        let copy = Step::run("kubectl for chainsaw", copy).after([saved]);
        vec![image, plan.add(copy.quiet())]
    }
}
