// SPDX-License-Identifier: Apache-2.0
//! An environment as far as one of its parts: for those who want a registry alone, or a cluster without an operator.

use clap::ValueEnum;

use super::{Environment, Place, registry::Steps, survey::Survey};
use crate::{
    failure::Failure,
    plan::{Plan, StepId},
};

/// The parts of an environment on a kind cluster, each after those that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// The network.
    Network,
    /// The local registry.
    Registry,
    /// The kind cluster, whose nodes know the registry.
    Cluster,
    /// `CloudNativePG`'s operator: all of it.
    Operator,
}

impl Part {
    /// Whether there are nodes by then, which pull images.
    pub(crate) fn has_nodes(self) -> bool {
        self >= Self::Cluster
    }
}

impl Environment {
    /// Adds the steps up to a part that comes before the operator. Refuses an existing cluster, which has none of them.
    pub(crate) fn add_until(
        &self,
        part: Part,
        plan: &mut Plan,
        survey: &Survey,
    ) -> Result<(), Failure> {
        if let Place::Existing(_) = self.place {
            return Err(Failure::invalid(
                "`--until` is for the kind cluster, and an existing one is to be used",
            )
            .hint("leave out the kubeconfig, or `--until`"));
        }
        match part {
            Part::Network => drop(self.add_network(plan, survey)?),
            Part::Registry => drop(self.add_registry(plan, survey)?),
            Part::Cluster | Part::Operator => {
                let registry = self.add_registry(plan, survey)?;
                self.add_cluster_with_seeds(plan, survey, &registry)?;
            }
        }
        Ok(())
    }

    /// The cluster, and in its registry the images that its nodes are to find there.
    pub(super) fn add_cluster_with_seeds(
        &self,
        plan: &mut Plan,
        survey: &Survey,
        registry: &Steps,
    ) -> Result<Vec<StepId>, Failure> {
        let seeded = self.add_seeds(plan, registry);
        let mut ready = self.add_cluster(plan, survey, registry)?;
        ready.extend(seeded);
        Ok(ready)
    }
}
