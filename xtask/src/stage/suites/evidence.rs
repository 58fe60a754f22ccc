// SPDX-License-Identifier: Apache-2.0
//! What to ask about a suite: while it runs, whether it waits in vain; when it has failed, what went wrong.

use std::time::Duration;

use super::Runner;
use crate::{
    diagnosis::Objects,
    environment,
    plan::{Cmd, Evidence, Question, Retry},
    tool::{assertion, chainsaw::InSuite},
};

/// A suite one of whose assertions the cluster's API has not answered may pass when it is run again.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// What none of its assertions may take less than, when they are found wrong; None: not known.
    pub shortest: Option<Duration>,
}

impl Retry for Unanswered {
    fn why(&self, printed: &str) -> Option<String> {
        assertion::unanswered(printed, self.shortest)
    }
}

impl Runner {
    /// Where it shows that a suite waits in vain: a database that cannot start never says so itself.
    pub(crate) fn watch(&self, namespace: &str) -> Objects {
        Objects {
            list: self
                .access
                .cmd("list what the suite created")
                .args(["--namespace", namespace, "get"])
                .args(["clusters.postgresql.cnpg.io,databases.postgresql.cnpg.io,pods"])
                .args(["--output", "json", "--request-timeout", "10s"]),
            log: self
                .access
                .cmd("ask a failed pod why")
                .args(["--namespace", namespace, "logs"])
                .args(["--all-containers", "--tail", "60"]),
        }
    }

    /// What a person would ask about a namespace in which something went wrong.
    pub(crate) fn evidence(&self, namespace: &str) -> Evidence {
        let ask = |file: &str, args: &[&str]| {
            let cmd = self
                .access
                .cmd("ask the cluster about the suite")
                .args(["--namespace", namespace])
                .args(args);
            Question::new(file, cmd)
        };
        let logs = |file: &str, label: &str| {
            let all = ["--all-containers", "--prefix", "--ignore-errors"];
            let bounds = ["--tail", "300", "--max-log-requests", "20"];
            let args = [&["logs", "--selector", label][..], &all, &bounds].concat();
            ask(file, &args)
        };
        let mut all = vec![
            ask(
                "objects.yaml",
                &[
                    "get",
                    "clusters.postgresql.cnpg.io,databases.postgresql.cnpg.io,jobs,pods",
                    "--output",
                    "yaml",
                ],
            ),
            ask("pods.txt", &["describe", "pods"]),
            ask(
                "events.txt",
                &["get", "events", "--sort-by", ".lastTimestamp"],
            ),
            logs("instances.log", "cnpg.io/cluster"),
            logs("jobs.log", "batch.kubernetes.io/job-name"),
        ];
        all.extend(environment::operator::questions(
            &self.access,
            Some(namespace),
        ));
        if let Some(node) = &self.node {
            let journal = ["journalctl", "--unit", "kubelet", "--no-pager"];
            let read = Cmd::new("docker", "read kubelet's log").args(["exec", "--", node]);
            let read = read.args(journal).args(["--lines", "1000"]);
            all.push(Question::new("kubelet.log", read).about(namespace));
        }
        Evidence::new(all, InSuite)
    }
}
