// SPDX-License-Identifier: Apache-2.0
//! Images that nodes are given while the operator starts, so that no pod waits for them. They are pulled as a pod would pull them;
//! what cannot be is left to the pods, which say why.

use std::fmt;

use super::{Environment, Place, nodes::on_node};
use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::{ClusterRef, ImageRef},
    plan::{Cmd, Console, Performed, Plan, Step, StepId, Work},
    tool::kind,
};

/// Pulls an image on a node.
#[derive(Debug)]
struct Prefetch {
    node: String,
    image: ClusterRef,
}

impl Prefetch {
    /// Fact: what containerd has in the namespace `k8s.io` the kubelet finds, and hosts.toml files are read from this folder.
    fn cmd(&self) -> Cmd {
        let purpose = format!("pull `{}` on `{}`", self.image, self.node);
        let pull = ["ctr", "--namespace", "k8s.io", "images", "pull"];
        on_node(&self.node, purpose, &pull)
            .args(["--hosts-dir", "/etc/containerd/certs.d", "--"])
            .arg(self.image.to_string())
    }
}

impl fmt::Display for Prefetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} || echo 'left to the pods' >&2", self.cmd())
    }
}

impl Work for Prefetch {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        // It draws a picture of its progress, which is nothing to read.
        match exec.run(&self.cmd(), Supervision::default(), &mut |_| {}) {
            Ok(()) => Ok(Performed::Done(None)),
            Err(failed) if !exec.interrupted() => {
                let why = failed.cause().unwrap_or("docker did not say why");
                Ok(Performed::Skipped(format!("left to the pods: {why}")))
            }
            Err(failed) => Err(failed.into()),
        }
    }
}

impl Environment {
    /// Lets the nodes of a kind cluster have images, once these steps have ended. Nothing waits for it.
    pub(crate) fn add_prefetch(&self, plan: &mut Plan, images: &[&ImageRef], after: &[StepId]) {
        let Place::Kind { nodes, .. } = &self.place else {
            return;
        };
        let nodes = kind::nodes(&self.cluster().unwrap_or_default(), *nodes);
        for image in images {
            for node in &nodes {
                let prefetch = Prefetch {
                    node: node.clone(),
                    image: self.naming.in_cluster(image),
                };
                let step = Step::work(format!("pull {} on {node}", prefetch.image), prefetch);
                plan.add(step.after(after.iter().copied()).quiet());
            }
        }
    }
}
