// SPDX-License-Identifier: Apache-2.0
//! `chainsaw`: declarative tests on a cluster.

use std::path::{Path, PathBuf};

use super::kubectl::Access;
use crate::plan::Cmd;

/// One run of `chainsaw test`.
#[derive(Clone, Debug)]
pub(crate) struct Test<'a> {
    pub purpose: String,
    pub suite: &'a Path,
    pub values: &'a Path,
    pub namespace: &'a str,
    pub access: &'a Access,
    /// What KUBECONFIG must name, absolute: suites' scripts run in their own folder.
    pub root: &'a Path,
    /// The folder and name of the report; chainsaw adds the ending.
    pub report: (PathBuf, String),
    /// Another file than `chainsaw-test.yaml`, without its ending.
    pub file: Option<&'static str>,
    pub flags: &'a [String],
}

impl Test<'_> {
    /// Chainsaw leaves what it made, so that there is something to look at after a failure; the
    /// namespace is removed by whoever made it.
    pub(crate) fn cmd(&self) -> Cmd {
        let (name, value) = self.access.kubeconfig_env(self.root);
        let (folder, report) = &self.report;
        let mut cmd = Cmd::new("chainsaw", &self.purpose)
            .env(name, value)
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
}
