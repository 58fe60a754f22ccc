// SPDX-License-Identifier: Apache-2.0
//! `chainsaw`: declarative tests on a cluster.

use std::path::{Path, PathBuf};

use super::{
    docker::Mount,
    kubectl::{self, ClusterAccess, InCluster},
    version::Least,
};
use crate::{
    plan::{Cmd, Diagnose, Kind, Owned, Said, Step},
    symptom,
};

/// The one whose assertions and messages are known here.
pub(crate) const LEAST: Least = Least::of(&[0, 2, 14]);

/// Where chainsaw is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chainsaw {
    /// The one on PATH.
    OnPath,
    InContainer(Container),
}

/// The container of a call: it sees the repository at its own path, and writes nothing but the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    pub image: String,
    /// From which the cluster is reached.
    pub network: String,
    /// For programs on that network; from the root on, as the next two.
    pub kubeconfig: PathBuf,
    /// What it sees beside the repository, at the same paths.
    pub files: Vec<PathBuf>,
    /// For the scripts of suites, which the image has none for.
    pub kubectl: PathBuf,
    /// The variables that say which proxies are asked for the cluster, as `docker run --env` takes them.
    pub proxies: Vec<String>,
    /// Who in the container is this user: `1000:1000`.
    pub user: String,
    /// The run's, `name=value`.
    pub label: String,
}

impl Container {
    /// Asks the image's chainsaw for its version in a container of this name: the engine then has the image, and it
    /// runs here.
    pub(crate) fn version(&self, step: impl Into<String>, name: &str) -> Step {
        let ask = self.run("ask the image for its chainsaw", name).args([
            "--network",
            "none",
            "--",
            &self.image,
            "version",
        ]);
        Step::run(step, ask).undo(self.remove(name))
    }

    fn run(&self, purpose: &str, name: &str) -> Cmd {
        Cmd::new("docker", purpose)
            .args(["run", "--rm", "--name", name])
            .args(["--label", &self.label])
            .args(["--user", &self.user])
    }

    fn remove(&self, name: &str) -> Owned {
        Owned::new(Kind::Container, &self.label, "remove chainsaw's container").name(name)
    }
}

/// One call of `chainsaw test`.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub chainsaw: &'a Chainsaw,
    pub purpose: String,
    pub suite: &'a Path,
    pub values: &'a Path,
    pub namespace: &'a str,
    /// What its container is called, if there is one; no other call of the run has that name.
    pub container: &'a str,
    pub access: &'a ClusterAccess,
    /// What KUBECONFIG must name, absolute: suites' scripts run in their own folder.
    pub root: &'a Path,
    /// The folder and name of the report; chainsaw adds the ending.
    pub report: (PathBuf, String),
    /// Another file than `chainsaw-test.yaml`, without its ending.
    pub file: Option<&'static str>,
    pub flags: &'a [String],
}

impl Call<'_> {
    /// The call as a step, whose undo removes its container when there is one.
    pub(crate) fn step(&self, name: impl Into<String>) -> Step {
        let step = Step::run(name, self.cmd());
        match self.chainsaw {
            Chainsaw::OnPath => step,
            Chainsaw::InContainer(container) => step.undo(container.remove(self.container)),
        }
    }

    /// Chainsaw leaves what it made, so that there is something to look at after a failure; the
    /// namespace is removed by whoever made it.
    fn cmd(&self) -> Cmd {
        let (folder, report) = &self.report;
        let mut cmd = self
            .start()
            .arg("test")
            .arg(self.suite)
            .arg("--values")
            .arg(self.values)
            .args(["--namespace", self.namespace, "--skip-delete", "--no-color"])
            .args([
                "--report-format",
                "JUNIT-OPERATION",
                "--report-name",
                report,
                "--report-path",
            ])
            .arg(folder);
        if let Some(context) = &self.access.context {
            cmd = cmd.args(["--kube-context", context]);
        }
        if let Some(file) = self.file {
            cmd = cmd.args(["--test-file", file]);
        }
        cmd.args(self.flags)
    }

    /// The program, without its arguments.
    fn start(&self) -> Cmd {
        let container = match self.chainsaw {
            Chainsaw::InContainer(container) => container,
            Chainsaw::OnPath => {
                let (name, value) = self.access.kubeconfig_env(self.root);
                return Cmd::new("chainsaw", &self.purpose).env(name, value);
            }
        };
        let kubeconfig = self.root.join(&container.kubeconfig);
        let reports = self.root.join(&self.report.0);
        let kubectl = self.root.join(&container.kubectl);
        let mut mounts = vec![
            Mount::read_only(self.root, self.root),
            Mount::writable(&reports, &reports),
            Mount::read_only(&kubectl, Path::new(kubectl::IN_NODE)),
        ];
        let files = container.files.iter().map(|file| self.root.join(file));
        mounts.extend(files.map(|file| Mount::read_only(&file, &file)));
        container
            .run(&self.purpose, self.container)
            .args(["--network", &container.network])
            .arg("--env")
            .arg(format!("KUBECONFIG={}", kubeconfig.display()))
            .args(container.proxies.iter().flat_map(|one| ["--env", one]))
            .args(mounts.iter().flat_map(Mount::option))
            .arg("--workdir")
            .arg(self.root)
            .args(["--", &container.image])
    }
}

/// Whether a line is one of chainsaw's own: `| 22:25:42 | …`. Before it stands `sink.go:56: ` where nothing has
/// read the backspaces that chainsaw prints to erase it.
pub(super) fn is_its_own(line: &str) -> bool {
    let cell = line
        .strip_prefix("| ")
        .and_then(|rest| rest.split_once(" |"));
    let is_time = |time: &str| {
        time.split(':').count() == 3 && time.bytes().all(|c| c == b':' || c.is_ascii_digit())
    };
    line.starts_with("sink.go:") || cell.is_some_and(|(time, _)| is_time(time))
}

/// Finds the cause of a suite's failure: in what chainsaw calls errors first, then wherever the cluster has spoken.
#[derive(Debug)]
pub(crate) struct InSuite;

impl Diagnose for InSuite {
    fn cause(&self, said: &Said) -> Option<String> {
        symptom::cause_in_cluster(&[errors(&said.log).join("\n")]).or_else(|| InCluster.cause(said))
    }
}

/// What chainsaw calls errors in its output: the texts below `=== ERROR`. What it quotes of logs and events
/// is not among them.
fn errors(output: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut inside = false;
    for line in output.lines() {
        let text = line.trim();
        if text == "=== ERROR" {
            inside = true;
            all.push(String::new());
        } else if text.starts_with("=== ") || is_its_own(text) || text.starts_with("--- FAIL") {
            inside = false;
        } else if let (true, Some(last)) = (inside, all.last_mut()) {
            if !last.is_empty() {
                last.push('\n');
            }
            last.push_str(text);
        }
    }
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::errors;

    #[test]
    fn only_what_chainsaw_calls_errors_is_taken() {
        // As version 0.2.14 prints it.
        let output = r#"=== RUN   chainsaw/shared
    | 22:08:59 | shared | a | CREATE | OK    | postgresql.cnpg.io/v1/Cluster @ x/denied
        === ERROR
        Cluster.postgresql.cnpg.io "denied" is invalid: spec
    sink.go:56: | 22:09:06 | shared | a | ASSERT | ERROR | v1/ConfigMap @ x/nothere
        === ERROR
        actual resource not found
        and more
    | 22:09:06 | shared | a | CMD | LOG |
        === STDOUT
        ERROR: an old line of a log
--- FAIL: chainsaw (0.04s)"#;
        assert_eq!(
            errors(output),
            [
                "Cluster.postgresql.cnpg.io \"denied\" is invalid: spec",
                "actual resource not found\nand more"
            ]
        );
    }
}
