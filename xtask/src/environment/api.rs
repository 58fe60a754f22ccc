// SPDX-License-Identifier: Apache-2.0
//! What a cluster says of itself: questions to its API that change nothing.

use std::time::Duration;

use serde_json::Value;

use super::{DEPLOYMENT, LABEL, OWNER_LABEL, RELEASE, STAMP};
use crate::{
    exec::{CmdFailure, Exec, Reason},
    failure::Failure,
    tool::{
        self,
        kubectl::{self, ClusterAccess},
    },
};

/// How long a cluster may take to answer before it counts as one that does not.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

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

impl Api {
    /// Asks a cluster whose nodes run. That it does not answer says something of it; that there is no
    /// program to ask with does not.
    pub(super) fn of_running(
        access: &ClusterAccess,
        exec: &dyn Exec,
    ) -> Result<Option<Self>, Failure> {
        match Self::ask(access, exec) {
            Ok(api) => Ok(Some(api)),
            Err(failed) if failed.is_missing() => Err(tool::missing(&failed.program)),
            Err(_) => Ok(None),
        }
    }

    /// What tells a cluster from others, however it is reached: the identity of a namespace that every
    /// cluster has and nobody makes anew.
    pub(crate) fn identity(access: &ClusterAccess, exec: &dyn Exec) -> Result<String, Failure> {
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
    pub(crate) fn survey(access: &ClusterAccess, exec: &dyn Exec) -> Result<Self, Failure> {
        there(access)?;
        Self::ask(access, exec).map_err(|failed| unreachable(access, &failed))
    }

    fn ask(access: &ClusterAccess, exec: &dyn Exec) -> Result<Self, CmdFailure> {
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

fn there(access: &ClusterAccess) -> Result<(), Failure> {
    if access.kubeconfig.is_file() {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "the kubeconfig `{}` does not exist",
        access.kubeconfig.display()
    ))
    .hint("`cargo xtask e2e setup-env` creates a cluster; `--kubeconfig FILE` uses another one"))
}

fn unreachable(access: &ClusterAccess, failed: &CmdFailure) -> Failure {
    let context = access
        .context
        .as_ref()
        .map_or_else(String::new, |name| format!(", context `{name}`"));
    let message = format!(
        "the cluster of `{}`{context} cannot be used",
        access.kubeconfig.display()
    );
    let failure = match failed.reason {
        Reason::NotFound => return tool::missing(&failed.program),
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
        "is the cluster up? `cargo xtask e2e status` shows what exists, `e2e setup-env` repairs it",
    )
}
