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

/// Whether a line is one of chainsaw's own: `| 22:25:42 | …`. Before it stands `sink.go:56: ` where nothing has
/// read the backspaces that chainsaw prints to erase it.
fn is_its_own(line: &str) -> bool {
    let cell = line
        .strip_prefix("| ")
        .and_then(|rest| rest.split_once(" |"));
    let is_time = |time: &str| {
        time.split(':').count() == 3 && time.bytes().all(|c| c == b':' || c.is_ascii_digit())
    };
    line.starts_with("sink.go:") || cell.is_some_and(|(time, _)| is_time(time))
}

/// What chainsaw calls errors in its output: the texts below `=== ERROR`. What it quotes of logs and events
/// is not among them.
pub(crate) fn errors(output: &str) -> Vec<String> {
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

/// What a cluster's API says when it could not answer; `NotFound` is an answer.
const UNANSWERED: &[&str] = &[
    "connection refused",
    "connection reset by peer",
    "client connection lost",
    "unexpected EOF",
    "TLS handshake timeout",
    "i/o timeout",
    "etcdserver: ",
    "Internal error occurred",
    "too many requests",
    "Too many requests",
    "the server was unable to return a response",
    "the server is currently unable to handle the request",
];

/// The error of an assertion that was not made, because the API did not answer it. None: nothing failed so,
/// or something was asserted and found wrong.
pub(crate) fn api_error(output: &str) -> Option<String> {
    let mut lines = output.lines().map(str::trim);
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        let mut cells = line.split('|').map(str::trim);
        let failed = cells.any(|cell| matches!(cell, "ASSERT" | "ERROR" | "INTERNAL"))
            && cells.next() == Some("ERROR");
        if failed && is_its_own(line) && lines.next() == Some("=== ERROR") {
            all.push(lines.next().unwrap_or_default());
        }
    }
    let unanswered = |text: &&str| UNANSWERED.iter().any(|part| text.contains(part));
    // An assertion that was found wrong begins with a line of dashes.
    all.iter().all(unanswered).then_some(())?;
    all.last().map(|text| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{api_error, errors};

    #[test]
    fn only_an_assertion_without_an_answer_is_an_api_error() {
        let failed = |operation: &str, text: &str| {
            format!(
                "    | 22:09:06 | shared | a | {operation:<8} | ERROR | v1/Pod @ x/y\n        === ERROR\n        {text}\n    | 22:09:06 | shared | a | TRY | END |\n"
            )
        };
        let refused =
            "Get \"https://127.0.0.1:1/api\": dial tcp 127.0.0.1:1: connect: connection refused";
        assert_eq!(
            api_error(&failed("ASSERT", refused)).as_deref(),
            Some(refused)
        );
        assert!(api_error(&failed("INTERNAL", refused)).is_some());
        assert!(api_error(&failed("ASSERT", "etcdserver: request timed out")).is_some());
        for (operation, text) in [
            ("ASSERT", "actual resource not found"),
            (
                "ASSERT",
                "----------\n        v1/Pod/x\n        status.message: \"connection refused\"",
            ),
            ("SCRIPT", "psql: connection refused"),
        ] {
            assert_eq!(
                api_error(&failed(operation, text)),
                None,
                "{operation} {text}"
            );
        }
        let both = failed("ASSERT", "actual resource not found") + &failed("ASSERT", refused);
        assert_eq!(api_error(&both), None);
        assert_eq!(api_error("ERROR: connection refused"), None);
    }

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
