// SPDX-License-Identifier: Apache-2.0
//! Takes away what the environment made, and nothing else.

use std::path::PathBuf;

use super::{
    Environment, FOLDER, OWNER_LABEL,
    survey::{Presence, Survey},
};
use crate::{
    plan::{Action, Kind, Location, Owned, Plan, Step, StepId},
    tool::kubectl::Removal,
};

impl Environment {
    /// The steps that remove what is there and ours. What is not ours is named in a note.
    pub(crate) fn add_cleanup(&self, plan: &mut Plan, survey: &Survey, kind_is_there: bool) {
        let mut before: Vec<StepId> = Vec::new();
        for cluster in &survey.clusters {
            let step = if kind_is_there {
                self.delete_cluster(&cluster.name)
            } else {
                // What kind would do.
                let nodes = super::cluster::nodes_of(&cluster.name, Some(&self.network()));
                Step::new(format!("delete {}", cluster.name), Action::Remove(nodes))
            };
            before.push(plan.add(step));
        }
        let registry = self.registry();
        let ours = |kind, purpose: &str| Owned::new(kind, self.label(), purpose);
        let mut volume_after = Vec::new();
        match &survey.registry {
            Some(found) if found.ours => {
                let remove = ours(Kind::Container, "remove the registry").name(&registry);
                let removed = plan.add(Step::new("registry", Action::Remove(remove)));
                before.push(removed);
                volume_after.push(removed);
            }
            Some(_) => plan.note(format!(
                "the container `{registry}` was not created by xtask: it is kept"
            )),
            None => {}
        }
        match survey.volume {
            Presence::Ours => {
                let remove = ours(Kind::Volume, "remove the registry's volume").name(self.volume());
                plan.add(Step::new("volume", Action::Remove(remove)).after(volume_after));
            }
            Presence::Foreign => plan.note(format!(
                "the volume `{}` was not created by xtask: it is kept",
                self.volume()
            )),
            Presence::Absent => {}
        }
        match survey.network {
            Presence::Ours => {
                let remove = ours(Kind::Network, "remove the network").name(self.network());
                plan.add(Step::new("network", Action::Remove(remove)).after_end_of(before.clone()));
            }
            Presence::Foreign => plan.note(format!(
                "the network `{}` was not created by xtask: it is kept",
                self.network()
            )),
            Presence::Absent => {}
        }
        let folder = PathBuf::from(FOLDER);
        if folder.exists() {
            // Kind makes its kubeconfig's folder again, if only for a lock.
            let step = Step::new(
                format!("files in {FOLDER}"),
                Action::RemoveFolder(Location::Output(folder)),
            );
            plan.add(step.after_end_of(before));
        }
    }

    /// Removes the namespaces that suites and `psql` of this checkout made in a cluster which is not ours,
    /// and which others may use the same way. The operator
    /// serves others by now, perhaps: it stays.
    pub(crate) fn add_cleanup_of_existing(&self, plan: &mut Plan, survey: &Survey) {
        let Some(api) = &survey.api else { return };
        if let Some(release) = api
            .operator
            .as_ref()
            .and_then(|found| found.release.as_ref())
        {
            plan.note(format!(
                "the operator ({release}), which `setup-env` installed, is kept"
            ));
        }
        let owner = self.owner.to_string();
        let (own, others): (Vec<_>, Vec<_>) = api
            .namespaces
            .iter()
            .partition(|found| found.owner.as_ref() == Some(&owner));
        for other in &others {
            plan.note(format!(
                "the namespace `{}` was created by another checkout: it is kept",
                other.name
            ));
        }
        if !own.is_empty() {
            let purpose = "remove the namespaces of suites and databases";
            let delete = self.access().remove_namespaces(
                purpose,
                &[(OWNER_LABEL, &owner)],
                Removal::Awaited,
            );
            plan.add(Step::run("namespaces", delete));
        }
    }
}
