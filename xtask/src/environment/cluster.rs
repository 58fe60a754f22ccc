// SPDX-License-Identifier: Apache-2.0
//! The kind cluster: made, started again, or made anew when it is not what is wanted.

use std::{path::PathBuf, time::Duration};

use serde_json::json;

use super::{
    Environment, FOLDER, Place, kind,
    registry::Registry,
    world::{Api, KindCluster, World},
};
use crate::{
    plan::{Action, Cmd, Plan, Probe, Step, StepId},
    tool::kind::{config, nodes},
};

/// What is to be done about the cluster that is there.
enum Verdict {
    Keep,
    Start,
    /// Why it is made anew.
    Replace(String),
    Make,
}

impl Environment {
    /// The cluster, its nodes' registries, and the `ConfigMap` that tells tools of the local registry.
    pub(crate) fn add_cluster(
        &self,
        plan: &mut Plan,
        world: &World,
        registry: &Registry,
    ) -> Vec<StepId> {
        let Place::Kind {
            node_image,
            kubernetes,
            nodes: count,
        } = &self.place
        else {
            return Vec::new();
        };
        let name = self.cluster().unwrap_or_default();
        let wanted = nodes(&name, *count);
        let mut before = registry.network.clone();
        // Two clusters at once are for nobody's memory, and every command means *the* cluster.
        for other in world.clusters.iter().filter(|other| other.name != name) {
            plan.note(format!("`{}` makes way for `{name}`", other.name));
            before.push(plan.add(self.delete_cluster(&other.name)));
        }
        let ready = match verdict(
            world.cluster(&name),
            world.api.as_ref(),
            &wanted,
            kubernetes,
        ) {
            Verdict::Keep => Vec::new(),
            Verdict::Start => self.start(plan, &name, &wanted, &before),
            Verdict::Replace(why) => {
                plan.note(format!("the cluster `{name}` is made anew: {why}"));
                before.push(plan.add(self.delete_cluster(&name)));
                self.create(
                    plan,
                    &name,
                    node_image,
                    &config(*count, kubernetes),
                    &before,
                )
            }
            Verdict::Make => self.create(
                plan,
                &name,
                node_image,
                &config(*count, kubernetes),
                &before,
            ),
        };
        let mut all = self.add_nodes(plan, &wanted, &ready);
        if self.port.is_some() {
            let publish = self.access().apply(
                "publish the local registry's names in the cluster",
                &self.hosting(),
            );
            let step = Step::run("local-registry-hosting", publish).after(ready.iter().copied());
            all.push(plan.add(step.quiet()));
        }
        all.extend(ready);
        all
    }

    fn create(
        &self,
        plan: &mut Plan,
        name: &str,
        image: &str,
        config: &str,
        before: &[StepId],
    ) -> Vec<StepId> {
        let network = self.network();
        // A folder of its own: a kind that was killed leaves a lock beside its kubeconfig.
        let folder = PathBuf::from(FOLDER).join("kind");
        let clear = plan
            .add(Step::new("clear kind's folder", Action::RemoveFolder(folder.clone())).quiet());
        let clear = plan.add(
            Step::new("kind's folder", Action::Folder(folder.clone()))
                .after([clear])
                .quiet(),
        );
        let path = folder.join("config.yaml");
        let write = Action::Write {
            path: path.clone(),
            contents: config.to_owned(),
        };
        let written = plan.add(
            Step::new("write kind's configuration", write)
                .after([clear])
                .quiet(),
        );
        let create = kind(&network).create(name, image, &path, &folder.join("kubeconfig"));
        let create = Step::run(format!("kind cluster {name}"), create)
            .after(before.iter().copied().chain([written]))
            .timeout(Duration::from_secs(600))
            .undo(kind(&network).delete(name, &folder.join("kubeconfig")))
            .kept()
            .evidence(vec![(
                "control-plane.log".into(),
                Cmd::new("docker", "read the node's log").args([
                    "logs",
                    "--tail",
                    "200",
                    &format!("{name}-control-plane"),
                ]),
            )]);
        let created = plan.add(create);
        vec![self.save_kubeconfig(plan, name, created)]
    }

    fn start(
        &self,
        plan: &mut Plan,
        name: &str,
        wanted: &[String],
        before: &[StepId],
    ) -> Vec<StepId> {
        let start = Cmd::new("docker", format!("start the nodes of `{name}`"))
            .arg("start")
            .args(wanted);
        let started =
            plan.add(Step::run(format!("start {name}"), start).after(before.iter().copied()));
        let saved = self.save_kubeconfig(plan, name, started);
        let access = self.access();
        let answers = access.cmd("ask the cluster whether it is ready").args([
            "get",
            "--raw",
            "/readyz",
            "--request-timeout",
            "5s",
        ]);
        let wait = Action::WaitFor {
            probe: Probe::Succeeds(answers),
            every: Duration::from_millis(500),
            patience: Duration::from_secs(120),
            log: None,
        };
        let answers = plan.add(Step::new("cluster answers", wait).after([saved]));
        let ready = access.cmd("wait for the nodes").args([
            "wait",
            "--for=condition=Ready",
            "node",
            "--all",
            "--timeout",
            "2m",
        ]);
        vec![plan.add(Step::run("nodes ready", ready).after([answers]))]
    }

    fn save_kubeconfig(&self, plan: &mut Plan, name: &str, after: StepId) -> StepId {
        let save = Action::Save {
            cmd: kind(&self.network()).kubeconfig(name, false),
            path: self.access().kubeconfig,
        };
        plan.add(Step::new("kubeconfig", save).after([after]).quiet())
    }

    pub(crate) fn delete_cluster(&self, name: &str) -> Step {
        let kubeconfig = PathBuf::from(FOLDER).join("kind/kubeconfig");
        Step::run(
            format!("delete {name}"),
            kind(&self.network()).delete(name, &kubeconfig),
        )
    }

    /// See <https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry>.
    fn hosting(&self) -> serde_json::Value {
        let hosting = json!({
            "host": self.naming.host,
            "hostFromContainerRuntime": self.naming.cluster,
            "hostFromClusterNetwork": self.naming.cluster,
        });
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "local-registry-hosting", "namespace": "kube-public"},
            "data": {"localRegistryHosting.v1": crate::ui::pretty(&hosting)},
        })
    }
}

fn verdict(
    found: Option<&KindCluster>,
    api: Option<&Api>,
    wanted: &[String],
    kubernetes: &str,
) -> Verdict {
    let Some(found) = found else {
        return Verdict::Make;
    };
    let mut names: Vec<&str> = found.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut expected: Vec<&str> = wanted.iter().map(String::as_str).collect();
    names.sort_unstable();
    expected.sort_unstable();
    if names != expected {
        return Verdict::Replace(format!(
            "it has {} of {} nodes",
            names.len(),
            expected.len()
        ));
    }
    if found.nodes.iter().any(|node| !node.running) {
        // One that was never started has been left half-made.
        return match found.nodes.iter().find(|node| node.state == "created") {
            Some(node) => Verdict::Replace(format!("`{}` was never started", node.name)),
            None => Verdict::Start,
        };
    }
    let Some(api) = api else {
        return Verdict::Replace("it does not answer".into());
    };
    if let Some(node) = api.nodes.iter().find(|node| node.kubelet != kubernetes) {
        return Verdict::Replace(format!("`{}` runs Kubernetes {}", node.name, node.kubelet));
    }
    if api.nodes.len() != wanted.len() || !api.storage_class {
        return Verdict::Replace("it is half made".into());
    }
    match api.nodes.iter().find(|node| !node.ready) {
        Some(node) => Verdict::Replace(format!("`{}` is not ready", node.name)),
        None => Verdict::Keep,
    }
}
