// SPDX-License-Identifier: Apache-2.0
//! Takes away what the environment made, and nothing else.

use std::path::PathBuf;

use super::{
    Environment, FOLDER, LABEL,
    world::{Presence, World},
};
use crate::plan::{Action, Cmd, Location, Plan, Step, StepId};

impl Environment {
    /// The steps that remove what is there and ours. What is not ours is named in a note.
    pub(crate) fn add_cleanup(&self, plan: &mut Plan, world: &World, kind_is_there: bool) {
        let mut before: Vec<StepId> = Vec::new();
        for cluster in &world.clusters {
            let step = if kind_is_there {
                self.delete_cluster(&cluster.name)
            } else {
                // What kind would do.
                let nodes: Vec<&str> = cluster
                    .nodes
                    .iter()
                    .map(|node| node.name.as_str())
                    .collect();
                let remove = docker(
                    "remove the cluster's nodes",
                    &["rm", "--force", "--volumes", "--"],
                )
                .args(nodes);
                Step::run(format!("delete {}", cluster.name), remove)
            };
            before.push(plan.add(step));
        }
        let registry = self.registry();
        let mut volume_after = Vec::new();
        match &world.registry {
            Some(found) if found.labels.get(LABEL) == Some(&self.name) => {
                let remove = docker(
                    "remove the registry",
                    &["rm", "--force", "--volumes", "--", &registry],
                );
                let removed = plan.add(Step::run("registry", remove));
                before.push(removed);
                volume_after.push(removed);
            }
            Some(_) => plan.note(format!(
                "the container `{registry}` was not made by xtask: it stays"
            )),
            None => {}
        }
        match world.volume {
            Presence::Ours => {
                let remove = docker(
                    "remove the registry's volume",
                    &["volume", "rm", "--", &self.volume()],
                );
                plan.add(Step::run("volume", remove).after(volume_after));
            }
            Presence::Foreign => plan.note(format!(
                "the volume `{}` was not made by xtask: it stays",
                self.volume()
            )),
            Presence::Absent => {}
        }
        match world.network {
            Presence::Ours => {
                let remove = docker(
                    "remove the network",
                    &["network", "rm", "--", &self.network()],
                );
                plan.add(Step::run("network", remove).ended(before.clone()));
            }
            Presence::Foreign => plan.note(format!(
                "the network `{}` was not made by xtask: it stays",
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
            plan.add(step.ended(before));
        }
    }

    /// Removes the namespaces that suites and `psql` made in a cluster which is not ours. The operator
    /// serves others by now, perhaps: it stays.
    pub(crate) fn add_cleanup_of_existing(&self, plan: &mut Plan, world: &World) {
        let Some(api) = &world.api else { return };
        if let Some(release) = api
            .operator
            .as_ref()
            .and_then(|found| found.release.as_ref())
        {
            plan.note(format!(
                "the operator ({release}), which setup-env installed, stays"
            ));
        }
        let names: Vec<&str> = api.namespaces.iter().map(|(name, _)| &**name).collect();
        if !names.is_empty() {
            let access = self.access();
            let delete = access.cmd("remove the namespaces of suites and databases");
            let delete = delete
                .args(["delete", "namespace", "--ignore-not-found"])
                .args(names);
            plan.add(Step::run("namespaces", delete));
        }
    }
}

fn docker(purpose: &str, args: &[&str]) -> Cmd {
    Cmd::new("docker", purpose).args(args)
}
