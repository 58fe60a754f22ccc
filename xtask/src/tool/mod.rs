// SPDX-License-Identifier: Apache-2.0
//! The tools that we drive, one file each: arguments out, output parsed. Nothing here starts a process,
//! and nothing here knows of extensions.

pub(crate) mod apt;
pub(crate) mod assertion;
pub(crate) mod buildx;
pub(crate) mod chainsaw;
pub(crate) mod docker;
pub(crate) mod imagetools;
pub(crate) mod kind;
pub(crate) mod kubectl;

use crate::{
    exec::{CmdFailure, Reason},
    failure::{Failure, Kind},
};

/// The tools of `e2e`, the arguments that print their version, and how they are had.
pub(crate) const E2E: &[(&str, &[&str], &str)] = &[
    (
        "kind",
        &["version", "--quiet"],
        "install kind 0.32 or newer, or add `--sandbox` to use a private engine that has it (Linux, root)",
    ),
    (
        "kubectl",
        &["version", "--client", "--output", "json"],
        "install kubectl, or add `--sandbox` to use a private engine that has it (Linux, root)",
    ),
    (
        "chainsaw",
        &["version"],
        "install Chainsaw 0.2.14 or newer: https://kyverno.github.io/chainsaw",
    ),
];

/// A tool of `e2e` that is not there, with what to do about it.
pub(crate) fn missing(program: &str) -> Failure {
    let failure = Failure::unavailable(format!("`{program}` is not installed or not on PATH"));
    match E2E.iter().find(|(name, ..)| *name == program) {
        Some((_, _, install)) => failure.hint(*install),
        None => failure.hint("run `cargo xtask prereqs` to see all that is missing"),
    }
}

/// A symptom in a tool's output, whose fault it is, and what helps.
struct Symptom {
    /// What stands on one line.
    all_of: &'static [&'static str],
    /// What the command itself must hold; empty: any will do.
    command: &'static str,
    /// Whether it counts where a tool only passes on what a build, a container or a suite has printed.
    passed_on: bool,
    kind: Kind,
    hint: &'static str,
}

/// What most have in common: whatever the command, the tool says it itself.
const OWN: Symptom = Symptom {
    all_of: &[],
    command: "",
    passed_on: false,
    kind: Kind::Failed,
    hint: "",
};

const NO_MANIFEST: &str = "the operator's manifest cannot be fetched: the setting `cnpg.manifest` names another place, a path or a URL";

const TAKEN: &str = "somebody else has made a cluster of that name on this engine meanwhile, and it stays: use it with `cargo xtask e2e setup-env`, or choose another name for the environment, `[e2e] name` in xtask.toml";

/// Texts that these tools were seen to print; the first match counts: the cause stands before what follows from it.
const SYMPTOMS: &[Symptom] = &[
    Symptom {
        all_of: &["proxyconnect"],
        kind: Kind::Unavailable,
        hint: "the proxy cannot be reached, and the registry was not even asked: look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment of the engine and of this command",
        ..OWN
    },
    Symptom {
        all_of: &["Cannot connect to the Docker daemon"],
        kind: Kind::Unavailable,
        hint: "start Docker, or add `--sandbox` to use a private engine (Linux, root)",
        ..OWN
    },
    Symptom {
        all_of: &["permission denied", "docker.sock"],
        kind: Kind::Unavailable,
        hint: "add yourself to the group `docker`, or run this as root",
        ..OWN
    },
    Symptom {
        all_of: &["unknown command: docker buildx"],
        kind: Kind::Unavailable,
        hint: "install Docker's buildx plugin (package `docker-buildx` or `docker-buildx-plugin`)",
        ..OWN
    },
    Symptom {
        all_of: &["no space left on device"],
        passed_on: true,
        kind: Kind::Failed,
        hint: "free some disk: `docker system df` shows what takes it, `docker buildx prune` drops build cache",
        ..OWN
    },
    Symptom {
        all_of: &["No space left on device"],
        passed_on: true,
        kind: Kind::Failed,
        hint: "free some disk: `docker system df` shows what takes it, `docker buildx prune` drops build cache",
        ..OWN
    },
    Symptom {
        all_of: &["already in use by container"],
        command: "create cluster",
        kind: Kind::Unavailable,
        hint: TAKEN,
        ..OWN
    },
    Symptom {
        all_of: &["Conflict. The container name"],
        command: "create cluster",
        kind: Kind::Unavailable,
        hint: TAKEN,
        ..OWN
    },
    Symptom {
        all_of: &["node(s) already exist for a cluster with the name"],
        kind: Kind::Unavailable,
        hint: TAKEN,
        ..OWN
    },
    Symptom {
        all_of: &["failed to create cluster", "failed to pull image"],
        kind: Kind::Unavailable,
        hint: "the node image cannot be pulled from here: the setting `images.node` names another, and `test/lab` makes one",
        ..OWN
    },
    Symptom {
        all_of: &["docker: Error response from daemon: failed to resolve reference"],
        kind: Kind::Unavailable,
        hint: "the image cannot be pulled from here: the settings `images.registry`, `images.node` and their like name others",
        ..OWN
    },
    Symptom {
        all_of: &["port is already allocated"],
        kind: Kind::Unavailable,
        hint: "another container has that port; for the local registry, `--registry-port` chooses another",
        ..OWN
    },
    Symptom {
        all_of: &["address already in use"],
        kind: Kind::Unavailable,
        hint: "another program has that port; for the local registry, `--registry-port` chooses another",
        ..OWN
    },
    Symptom {
        all_of: &["unable to read URL", "404"],
        kind: Kind::Invalid,
        hint: "there is no such release of the operator: `--cnpg-release` takes `1.30`, `1.30.0`, `main`, a path or a URL",
        ..OWN
    },
    Symptom {
        all_of: &["unable to read URL"],
        kind: Kind::Unavailable,
        hint: NO_MANIFEST,
        ..OWN
    },
    Symptom {
        all_of: &["The connection to the server", "was refused"],
        command: "--filename http",
        kind: Kind::Unavailable,
        hint: NO_MANIFEST,
        ..OWN
    },
    Symptom {
        all_of: &["Unable to connect to the server"],
        command: "--filename http",
        kind: Kind::Unavailable,
        hint: NO_MANIFEST,
        ..OWN
    },
    Symptom {
        all_of: &["failed to resolve source metadata"],
        kind: Kind::Unavailable,
        hint: "the base image cannot be had; `--sandbox --base debian` makes it from Debian's packages",
        ..OWN
    },
    Symptom {
        all_of: &["failed to push", "connection refused"],
        kind: Kind::Unavailable,
        hint: "nothing answers at the registry; start it, or name another with the environment variable `registry`",
        ..OWN
    },
    Symptom {
        all_of: &["failed to do request", "connection refused"],
        kind: Kind::Unavailable,
        hint: "nothing answers at the registry; start it, or name another with the environment variable `registry`",
        ..OWN
    },
    Symptom {
        all_of: &["failed to do request", "no such host"],
        kind: Kind::Unavailable,
        hint: "the registry's name is not known here; look at the resolver, or name another registry with the environment variable `registry`",
        ..OWN
    },
    Symptom {
        all_of: &["Temporary failure resolving"],
        passed_on: true,
        kind: Kind::Unavailable,
        hint: "names are not resolved where the packages are fetched: look at the network and at the resolver that `/etc/resolv.conf` names",
        ..OWN
    },
    Symptom {
        all_of: &["E: Version '", "was not found"],
        passed_on: true,
        kind: Kind::Failed,
        hint: "the archive no longer has the pinned version: update `package` in metadata.hcl",
        ..OWN
    },
    Symptom {
        all_of: &["E: Unable to locate package"],
        passed_on: true,
        kind: Kind::Failed,
        hint: "the archive of this distro has no such package: compare its name with the Dockerfile's",
        ..OWN
    },
    Symptom {
        all_of: &["failed to find target"],
        kind: Kind::Invalid,
        hint: "the bake file names its targets differently; run `docker buildx bake --print` with the same files",
        ..OWN
    },
];

/// What is known to help against a failure, and whose fault it is.
pub(crate) fn hint(failed: &CmdFailure) -> Option<(Kind, String)> {
    SYMPTOMS
        .iter()
        .find(|symptom| symptom.is_of(failed))
        .map(|symptom| (symptom.kind, symptom.hint.to_owned()))
        .or_else(|| {
            // In the sandbox a tool is a process of the engine's, and ends with it.
            matches!(failed.reason, Reason::Signal(9)).then(|| {
                let hint = "it was killed: the engine ended, or memory ran out; with `--sandbox` the same command starts the engine again";
                (Kind::Unavailable, hint.to_owned())
            })
        })
}

impl Symptom {
    fn is_of(&self, failed: &CmdFailure) -> bool {
        let found = |line: &str| self.all_of.iter().all(|text| line.contains(text));
        failed.command.contains(self.command)
            && failed
                .kept()
                .any(|line| found(line) && (self.passed_on || found(own_words(failed, line))))
    }
}

/// What of a line is the tool's own: nothing of what a build, a container or a suite has printed, or of a
/// Dockerfile that is shown.
///
/// `BuildKit` prints the output of a step as `#9 0.123 text`, once more without the `#9` when the step has failed,
/// then some lines of the Dockerfile as `  12 | >>> RUN text`, and at last the step's command in quotes.
/// `docker run` ends with 125 when it is Docker that has failed.
fn own_words<'a>(failed: &CmdFailure, line: &'a str) -> &'a str {
    let container =
        failed.command.contains("docker run ") && !matches!(failed.reason, Reason::Status(125));
    if container || failed.program == "chainsaw" {
        return "";
    }
    let digits = |text: &'a str| {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < text.len()).then_some(rest)
    };
    let text = line.trim_start();
    let numbered = text.strip_prefix('#').and_then(digits);
    let text = numbered.map_or(text, str::trim_start);
    let seconds = |text| digits(text)?.strip_prefix('.').and_then(digits);
    let printed = seconds(text).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let shown = digits(text).is_some_and(|rest| rest.trim_start().starts_with("| "));
    let step = text.starts_with("> [") || (numbered.is_some() && text.starts_with('['));
    if printed || shown || step {
        return "";
    }
    let command = text
        .find("process \"")
        .filter(|_| text.contains("did not complete successfully"));
    command.map_or(text, |at| &text[..at])
}

/// The first word in a tool's answer that looks like a version.
pub(crate) fn version_in(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || "\",".contains(c));
    let mut versions = words
        .map(|word| word.trim_start_matches('v'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    versions.next().unwrap_or("there").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(command: &str, reason: Reason, lines: &[&str]) -> CmdFailure {
        CmdFailure {
            purpose: "try".into(),
            command: command.into(),
            program: command.split(' ').next().unwrap_or_default().into(),
            reason,
            elapsed: std::time::Duration::ZERO,
            tail: lines.iter().map(|line| (*line).to_owned()).collect(),
            first_error: None,
            lines: lines.len(),
            log: None,
        }
    }

    fn bake(lines: &[&str]) -> Option<(Kind, String)> {
        hint(&failed("docker buildx bake", Reason::Status(1), lines))
    }

    #[test]
    fn the_cause_is_named_and_not_what_follows_from_it() {
        for (line, said) in [
            (
                r#"ERROR: failed to push x:5000/a:1: failed to do request: Head "https://x/v2/": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused"#,
                "the proxy cannot be reached",
            ),
            (
                r#"ERROR: failed to do request: Head "https://ghcr.io/v2/": proxyconnect tcp: dial tcp: lookup proxy.corp on 127.0.0.1:53: no such host"#,
                "the proxy cannot be reached",
            ),
            (
                r#"ERROR: failed to solve: ghcr.io/a:1: failed to resolve source metadata for ghcr.io/a:1: failed to do request: Head "https://ghcr.io/v2/": dial tcp 1.2.3.4:443: connect: connection refused"#,
                "the base image cannot be had",
            ),
            (
                r#"ERROR: failed to push localhost:5000/a:1: failed to do request: Head "http://localhost:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused"#,
                "nothing answers at the registry",
            ),
            (
                r#"ERROR: failed to do request: Head "https://nosuch/v2/": dial tcp: lookup nosuch: no such host"#,
                "the registry's name is not known here",
            ),
            (
                "ERROR: permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
                "add yourself to the group",
            ),
        ] {
            let (kind, hint) = bake(&[line]).unwrap();
            assert!(hint.starts_with(said), "{line}\n{hint}");
            assert_eq!(kind, Kind::Unavailable, "{line}");
        }
    }

    #[test]
    fn parts_on_different_lines_are_no_symptom() {
        assert_eq!(bake(&["permission denied: /x", "see docker.sock"]), None);
        assert_eq!(bake(&["failed to push", "connection refused"]), None);
        let taken = "docker: Error response from daemon: Conflict. The container name \"/a\" is already in use by container \"b\"";
        let kind = failed("kind create cluster", Reason::Status(1), &[taken]);
        assert_eq!(hint(&kind).unwrap().1, TAKEN);
        assert_eq!(bake(&[taken]), None);
    }

    #[test]
    fn what_a_build_a_container_or_a_suite_prints_is_not_what_the_tool_says() {
        let daemon =
            "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?";
        for line in [
            format!("#9 0.123 {daemon}"),
            format!("#12 103.4 FAIL: {daemon}"),
            format!("0.123 {daemon}"),
            format!("  12 | >>> RUN echo '{daemon}'"),
            format!(" > [build 3/5] RUN echo '{daemon}':"),
            format!("#9 [build 3/5] RUN echo '{daemon}'"),
            format!(
                "ERROR: failed to solve: process \"/bin/sh -c echo '{daemon}'\" did not complete successfully: exit code: 1"
            ),
        ] {
            assert_eq!(bake(&[&line]), None, "{line}");
        }
        for own in [format!("ERROR: {daemon}"), format!("#9 ERROR: {daemon}")] {
            assert_eq!(bake(&[&own]).unwrap().0, Kind::Unavailable, "{own}");
        }
        let run = |code| {
            hint(&failed(
                "docker run --rm x",
                Reason::Status(code),
                &[daemon],
            ))
        };
        assert_eq!(run(1), None);
        assert_eq!(run(125).unwrap().0, Kind::Unavailable);
        assert_eq!(
            hint(&failed("chainsaw test", Reason::Status(1), &[daemon])),
            None
        );
    }

    #[test]
    fn a_full_disk_and_what_apt_says_count_in_a_build_too() {
        for (line, said) in [
            ("#9 1.2 tar: x: No space left on device", "free some disk"),
            ("#9 1.2 write /x: no space left on device", "free some disk"),
            (
                "#9 1.2 E: Version '1-1' for 'a' was not found",
                "the archive no longer has",
            ),
            (
                "1.2 E: Unable to locate package a",
                "the archive of this distro",
            ),
            (
                "#9 1.2   Temporary failure resolving 'archive.example'",
                "names are not resolved",
            ),
        ] {
            let (_, hint) = bake(&[line]).unwrap();
            assert!(hint.starts_with(said), "{line}\n{hint}");
        }
    }
}
