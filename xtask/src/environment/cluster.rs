// SPDX-License-Identifier: Apache-2.0
//! The kind cluster: created, started again, or deleted and created again when it is not what is wanted.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;

use super::{
    Environment, FOLDER, Place, RUN_LABEL, decision::Decision, kind, registry::Steps,
    survey::Survey,
};
use crate::{
    failure::Failure,
    image::ImageRef,
    own::RunId,
    plan::{Action, Cmd, Evidence, Kind, Location, Owned, Plan, Probe, Question, Step, StepId},
    tool::{
        docker,
        kind::{CLUSTER_LABEL, Client, config, nodes},
    },
};

/// How long nodes that were just started may take until the cluster answers and they are ready.
const START: Duration = Duration::from_secs(120);
/// How long a cluster that runs may take to come to itself, after the engine was restarted, say.
const RECOVERY: Duration = Duration::from_secs(45);

impl Environment {
    /// The cluster, its nodes' registries, and the `ConfigMap` that tells tools of the local registry.
    pub(crate) fn add_cluster(
        &self,
        plan: &mut Plan,
        survey: &Survey,
        registry: &Steps,
    ) -> Result<Vec<StepId>, Failure> {
        let Place::Kind {
            node_image,
            kubernetes,
            nodes: count,
        } = &self.place
        else {
            return Ok(Vec::new());
        };
        let name = self.cluster().unwrap_or_default();
        if survey.taken {
            return Err(taken(&name));
        }
        let wanted = nodes(&name, *count);
        // The engine assigns addresses in the order in which containers start, and a control plane does not survive
        // a change of its own: so the registry always starts before the nodes.
        let mut before = registry.network.clone();
        before.extend(&registry.container);
        // One cluster at a time: two need too much memory, and no command says which of two it means.
        for other in survey.clusters.iter().filter(|other| other.name != name) {
            plan.note(format!(
                "cluster `{}` is deleted: `{name}` replaces it",
                other.name
            ));
            before.push(plan.add(self.delete_cluster(&other.name)));
        }
        let create = |plan: &mut Plan, before: &[StepId]| {
            let config = config(*count, kubernetes, &mark(&self.run));
            self.create(plan, &name, node_image, &config, before)
        };
        let ready = match self.decide(survey) {
            Decision::Keep => Vec::new(),
            Decision::Start => self.start(plan, &name, &wanted, &before),
            Decision::Wait(why) if !survey.restarted => {
                self.wait_for_recovery(plan, &name, &why, &before)
            }
            Decision::Wait(why) | Decision::Replace(why) => {
                plan.note(format!(
                    "cluster `{name}` is deleted and created again: {why}"
                ));
                before.push(plan.add(self.delete_cluster(&name)));
                create(plan, &before)
            }
            Decision::Make => create(plan, &before),
        };
        let mut all = self.add_nodes(plan, survey, &wanted, &ready);
        all.extend(self.add_hosting(plan, &ready));
        all.extend(ready);
        Ok(all)
    }

    /// Publishes the local registry's names in the cluster, where there is one.
    fn add_hosting(&self, plan: &mut Plan, ready: &[StepId]) -> Option<StepId> {
        self.port?;
        let purpose = "publish the local registry's names in the cluster";
        let publish = self.access().apply(purpose, &self.hosting());
        let step = Step::run("local-registry-hosting", publish);
        Some(plan.add(step.after(ready.iter().copied()).quiet()))
    }

    /// The steps that start a stopped cluster again, or wait for one that does not answer; what it has to say is known
    /// only afterwards.
    pub(crate) fn restart(&self, survey: &Survey) -> Result<Option<Plan>, Failure> {
        let (Place::Kind { nodes: count, .. }, Some(name)) = (&self.place, self.cluster()) else {
            return Ok(None);
        };
        let mut plan = Plan::default();
        match self.decide(survey) {
            Decision::Start => {
                let registry = self.add_registry(&mut plan, survey)?;
                self.start(&mut plan, &name, &nodes(&name, *count), &registry.container);
            }
            Decision::Wait(why) => {
                self.wait_for_recovery(&mut plan, &name, &why, &[]);
            }
            Decision::Keep | Decision::Replace(_) | Decision::Make => return Ok(None),
        }
        Ok(Some(plan))
    }

    fn create(
        &self,
        plan: &mut Plan,
        name: &str,
        image: &ImageRef,
        config: &str,
        before: &[StepId],
    ) -> Vec<StepId> {
        let network = self.network();
        // A folder of its own: a kind that was killed leaves a lock beside its kubeconfig.
        let folder = PathBuf::from(FOLDER).join("kind");
        let (path, written) = write_configuration(plan, &folder, config);
        let mut create =
            kind(&network).create(name, &image.to_string(), &path, &folder.join("kubeconfig"));
        // Kind hands the proxies to its nodes, as docker does with those of its own configuration; what the nodes are called
        // and where they are on the network kind adds itself.
        for (variable, value) in self.proxies.past(&self.registry()) {
            create = create.env(variable, value);
        }
        let create = Step::run(format!("kind cluster {name}"), create)
            .after(before.iter().copied().chain([written]))
            .timeout(Duration::from_secs(600))
            .undo(nodes_of(name, None).mount(mark(&self.run)))
            .kept()
            .evidence(Evidence::new(
                vec![Question::new(
                    "control-plane.log",
                    Cmd::new("docker", "read the node's log").args([
                        "logs",
                        "--tail",
                        "200",
                        "--",
                        &format!("{name}-control-plane"),
                    ]),
                )],
                docker::OnEngine,
            ));
        let created = plan.add(create);
        // What kind has just written is what it would say when asked.
        let keep = Action::Rename {
            from: Location::output(folder.join("kubeconfig")),
            to: Location::Output(self.access().kubeconfig),
        };
        vec![plan.add(Step::new("kubeconfig", keep).after([created]).quiet())]
    }

    fn start(
        &self,
        plan: &mut Plan,
        name: &str,
        wanted: &[String],
        before: &[StepId],
    ) -> Vec<StepId> {
        let start = Cmd::new("docker", format!("start the nodes of `{name}`"))
            .args(["start", "--"])
            .args(wanted);
        let started = Step::run(format!("start {name}"), start).after(before.iter().copied());
        let started = plan.add(started);
        self.recover(plan, name, &[started], START)
    }

    fn wait_for_recovery(
        &self,
        plan: &mut Plan,
        name: &str,
        why: &str,
        before: &[StepId],
    ) -> Vec<StepId> {
        plan.note(format!(
            "waiting up to {}s for cluster `{name}`: {why}",
            RECOVERY.as_secs()
        ));
        self.recover(plan, name, before, RECOVERY)
    }

    /// Waits until the cluster answers and its nodes are ready.
    fn recover(
        &self,
        plan: &mut Plan,
        name: &str,
        before: &[StepId],
        patience: Duration,
    ) -> Vec<StepId> {
        let saved = self.save_kubeconfig(plan, name, before);
        let access = self.access();
        let wait = Action::WaitFor {
            what: "the cluster's API",
            probe: Probe::Succeeds(access.readiness()),
            every: Duration::from_millis(500),
            patience,
            log: None,
        };
        let answers = plan.add(Step::new("cluster answers", wait).after([saved]));
        let ready = access.cmd("wait for the nodes").args([
            "wait",
            "--for=condition=Ready",
            "node",
            "--all",
            "--timeout",
            &format!("{}s", patience.as_secs()),
        ]);
        vec![plan.add(Step::run("nodes ready", ready).after([answers]))]
    }

    fn save_kubeconfig(&self, plan: &mut Plan, name: &str, after: &[StepId]) -> StepId {
        let save = Action::Save {
            cmd: kind(&self.network()).kubeconfig(name, Client::Machine),
            path: Location::Output(self.access().kubeconfig),
        };
        let step = Step::new("kubeconfig", save).after(after.iter().copied());
        plan.add(step.quiet())
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
            "data": {"localRegistryHosting.v1": crate::json::pretty(&hosting)},
        })
    }
}

/// Where the nodes that a run has made have a mount: kind gives them no label of ours, but what it is told
/// to mount. With it, a node of somebody else who was faster is told from ours, whatever kind says.
fn mark(run: &RunId) -> String {
    format!("/{RUN_LABEL}/{run}")
}

/// The containers of a kind cluster, on whatever network or on this one alone. Kind gives its nodes no
/// label but the cluster's name; what is on our labelled network, we made.
pub(super) fn nodes_of(cluster: &str, network: Option<&str>) -> Owned {
    let label = format!("{CLUSTER_LABEL}={cluster}");
    let owned = Owned::new(Kind::Container, label, "remove the cluster's nodes");
    match network {
        Some(network) => owned.network(network),
        None => owned,
    }
}

fn taken(name: &str) -> Failure {
    Failure::invalid(format!("a kind cluster `{name}` exists, but not on this environment's network: xtask did not create it"))
        .hint(format!("delete it (`kind delete cluster --name {name}`), or choose another name for the environment: `[e2e] name` in xtask.toml"))
}

/// Adds the steps that write kind's configuration into an empty folder. Gives the file and the step after which it is there.
fn write_configuration(plan: &mut Plan, folder: &Path, config: &str) -> (PathBuf, StepId) {
    let place = || Location::output(folder);
    let clear = Step::new("empty kind's folder", Action::RemoveFolder(place()));
    let clear = plan.add(clear.quiet());
    let make = Step::new("kind's folder", Action::Folder(place()));
    let empty = plan.add(make.after([clear]).quiet());
    let path = folder.join("config.yaml");
    let write = Action::Write {
        path: Location::output(&path),
        contents: config.to_owned(),
    };
    let write = Step::new("write kind's configuration", write);
    let written = plan.add(write.after([empty]).quiet());
    (path, written)
}
