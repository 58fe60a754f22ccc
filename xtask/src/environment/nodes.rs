// SPDX-License-Identifier: Apache-2.0
//! Where the nodes of a kind cluster find images.

use super::{Environment, survey::Survey};
use crate::plan::{Cmd, Plan, Step, StepId};

const SCRIPT: &str = include_str!("wire-node.sh");

/// A registry that nodes reach by way of another one: containerd's hosts.toml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// `ghcr.io`, `localhost:5000`.
    pub name: String,
    /// Asked first.
    pub url: String,
    /// Asked when the first has not got it.
    pub fallback: Option<String>,
}

pub(super) fn on_node(node: &str, purpose: String, args: &[&str]) -> Cmd {
    Cmd::new("docker", purpose)
        .args(["exec", "--interactive", "--", node])
        .args(args)
}

impl Environment {
    /// Writes each node's hosts.toml files and its login. Every node, every time: a node that was made
    /// anew has neither.
    pub(crate) fn add_nodes(
        &self,
        plan: &mut Plan,
        survey: &Survey,
        nodes: &[String],
        after: &[StepId],
    ) -> Vec<StepId> {
        let mut ready = Vec::new();
        for node in nodes {
            let mut wire = on_node(
                node,
                format!("configure the registries of `{node}`"),
                &["sh", "-s", "--"],
            );
            for host in self.hosts() {
                let fallback = host.fallback.unwrap_or_else(|| host.url.clone());
                wire = wire.args([host.name, host.url, fallback]);
            }
            let step = Step::run(format!("registries on {node}"), wire.stdin(SCRIPT));
            ready.push(plan.add(step.after(after.iter().copied()).reports_last_line()));
        }
        if let Some(credentials) = &self.credentials {
            ready.extend(self.add_logins(plan, survey, nodes, credentials, after));
        }
        ready
    }
}
