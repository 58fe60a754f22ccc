// SPDX-License-Identifier: Apache-2.0
//! Where the nodes of a kind cluster find images, and how they log in.

use base64::Engine as _;
use serde_json::json;

use super::{Credentials, Environment, world::World};
use crate::plan::{Cmd, Plan, Probe, Secret, Step, StepId};

const SCRIPT: &str = include_str!("wire-node.sh");

/// Where kubelet looks for logins. Read anew for a pull, but kept for minutes once it was read.
const LOGINS: &str = "/var/lib/kubelet/config.json";
/// A copy of the login that kubelet has read.
const READ: &str = "/var/lib/kubelet/config.json.read";

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

fn on_node(node: &str, purpose: String, args: &[&str]) -> Cmd {
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
        world: &World,
        nodes: &[String],
        after: &[StepId],
    ) -> Vec<StepId> {
        let mut ready = Vec::new();
        for node in nodes {
            let mut wire = on_node(
                node,
                format!("tell `{node}` where images are"),
                &["sh", "-s", "--"],
            );
            for host in self.hosts() {
                let fallback = host.fallback.unwrap_or_else(|| host.url.clone());
                wire = wire.args([host.name, host.url, fallback]);
            }
            let step = Step::run(format!("registries on {node}"), wire.stdin(SCRIPT));
            ready.push(plan.add(step.after(after.iter().copied()).says()));
        }
        if let Some(credentials) = &self.credentials {
            ready.extend(self.add_logins(plan, world, nodes, credentials, after));
        }
        ready
    }

    /// Gives each node the login, and lets kubelet read it. A kubelet that was restarted counts pods as
    /// unready until it has probed them; an operator in that state would refuse databases, so it gets a
    /// pod that is proven from the start.
    fn add_logins(
        &self,
        plan: &mut Plan,
        world: &World,
        nodes: &[String],
        credentials: &Credentials,
        after: &[StepId],
    ) -> Vec<StepId> {
        let mut settled: Vec<StepId> = nodes
            .iter()
            .map(|node| login(plan, node, credentials, after))
            .collect();
        // Of a cluster that was woken, the operator is restarted anyway.
        let has_operator =
            !world.woken && self.kept(world).is_some_and(|api| api.operator.is_some());
        if let (true, Some(first)) = (has_operator, nodes.first()) {
            let needless = (is_read(first), "kubelet went on");
            settled = vec![self.add_restart(plan, &settled, Some(needless))];
        }
        let note = |node: &String| {
            let copy = on_node(
                node,
                format!("note that kubelet on `{node}` has the login"),
                &["cp", "--preserve=mode", LOGINS, READ],
            );
            let step = Step::run(format!("login on {node} read"), copy);
            plan.add(step.after(settled.iter().copied()).quiet())
        };
        nodes.iter().map(note).collect()
    }
}

fn is_read(node: &str) -> Probe {
    Probe::Succeeds(on_node(
        node,
        format!("ask whether kubelet on `{node}` has the login"),
        &["cmp", "--quiet", LOGINS, READ],
    ))
}

fn login(plan: &mut Plan, node: &str, credentials: &Credentials, after: &[StepId]) -> StepId {
    let config = credentials.kubelet_config();
    let same = on_node(
        node,
        format!("compare the login on `{node}`"),
        &["cmp", "--quiet", "/dev/stdin", LOGINS],
    );
    let same = Probe::Succeeds(same.secret_stdin(config.clone()));
    let write = on_node(
        node,
        format!("write the login to `{node}`"),
        &["install", "--mode=600", "/dev/stdin", LOGINS],
    );
    let written = plan.add(
        Step::run(format!("login on {node}"), write.secret_stdin(config))
            .after(after.iter().copied())
            .skip_if(same, "it is there"),
    );
    let restart = on_node(
        node,
        format!("let kubelet on `{node}` read the login"),
        &["systemctl", "restart", "kubelet"],
    );
    plan.add(
        Step::run(format!("restart kubelet on {node}"), restart)
            .after([written])
            .skip_if(is_read(node), "it has read it")
            .quiet(),
    )
}

impl Credentials {
    /// Kubelet's config.json, in the format of docker's.
    fn kubelet_config(&self) -> Secret {
        let pair = format!("{}:{}", self.username, self.password.reveal());
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        Secret::new(json!({"auths": {self.host.as_str(): {"auth": pair}}}).to_string())
    }
}
