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
    all_of: &'static [&'static str],
    kind: Kind,
    hint: &'static str,
}

const NO_MANIFEST: &str = "the operator's manifest cannot be fetched: the setting `cnpg.manifest` names another place, a path or a URL";

const TAKEN: &str = "somebody else has made a cluster of that name on this engine meanwhile, and it stays: use it with `cargo xtask e2e setup-env`, or choose another name for the environment, `[e2e] name` in xtask.toml";

/// Texts that these tools were seen to print, or that are in the command; the first match counts.
const SYMPTOMS: &[Symptom] = &[
    Symptom {
        all_of: &["Cannot connect to the Docker daemon"],
        kind: Kind::Unavailable,
        hint: "start Docker, or add `--sandbox` to use a private engine (Linux, root)",
    },
    Symptom {
        all_of: &["permission denied", "docker.sock"],
        kind: Kind::Unavailable,
        hint: "add yourself to the group `docker`, or run this as root",
    },
    Symptom {
        all_of: &["unknown command: docker buildx"],
        kind: Kind::Unavailable,
        hint: "install Docker's buildx plugin (package `docker-buildx` or `docker-buildx-plugin`)",
    },
    Symptom {
        all_of: &["no space left on device"],
        kind: Kind::Failed,
        hint: "free some disk: `docker system df` shows what takes it, `docker buildx prune` drops build cache",
    },
    Symptom {
        all_of: &["No space left on device"],
        kind: Kind::Failed,
        hint: "free some disk: `docker system df` shows what takes it, `docker buildx prune` drops build cache",
    },
    Symptom {
        all_of: &["create cluster", "already in use by container"],
        kind: Kind::Unavailable,
        hint: TAKEN,
    },
    Symptom {
        all_of: &["create cluster", "Conflict. The container name"],
        kind: Kind::Unavailable,
        hint: TAKEN,
    },
    Symptom {
        all_of: &["node(s) already exist for a cluster with the name"],
        kind: Kind::Unavailable,
        hint: TAKEN,
    },
    Symptom {
        all_of: &["failed to create cluster", "failed to pull image"],
        kind: Kind::Unavailable,
        hint: "the node image cannot be pulled from here: the setting `images.node` names another, and `test/lab` makes one",
    },
    Symptom {
        all_of: &["docker: Error response from daemon: failed to resolve reference"],
        kind: Kind::Unavailable,
        hint: "the image cannot be pulled from here: the settings `images.registry`, `images.node` and their like name others",
    },
    Symptom {
        all_of: &["port is already allocated"],
        kind: Kind::Unavailable,
        hint: "another container has that port; for the local registry, `--registry-port` chooses another",
    },
    Symptom {
        all_of: &["address already in use"],
        kind: Kind::Unavailable,
        hint: "another program has that port; for the local registry, `--registry-port` chooses another",
    },
    Symptom {
        all_of: &["unable to read URL", "404"],
        kind: Kind::Invalid,
        hint: "there is no such release of the operator: `--cnpg-release` takes `1.30`, `1.30.0`, `main`, a path or a URL",
    },
    Symptom {
        all_of: &["unable to read URL"],
        kind: Kind::Unavailable,
        hint: NO_MANIFEST,
    },
    Symptom {
        all_of: &[
            "The connection to the server",
            "was refused",
            "--filename http",
        ],
        kind: Kind::Unavailable,
        hint: NO_MANIFEST,
    },
    Symptom {
        all_of: &["Unable to connect to the server", "--filename http"],
        kind: Kind::Unavailable,
        hint: NO_MANIFEST,
    },
    Symptom {
        all_of: &["failed to push", "connection refused"],
        kind: Kind::Unavailable,
        hint: "nothing answers at the registry; start it, or name another with the environment variable `registry`",
    },
    Symptom {
        all_of: &["failed to do request", "connection refused"],
        kind: Kind::Unavailable,
        hint: "nothing answers at the registry; start it, or name another with the environment variable `registry`",
    },
    Symptom {
        all_of: &["failed to do request", "no such host"],
        kind: Kind::Unavailable,
        hint: "the registry's name is not known here; where base images cannot be had, `--sandbox --base debian` makes them from Debian's packages",
    },
    Symptom {
        all_of: &["Temporary failure resolving"],
        kind: Kind::Unavailable,
        hint: "names are not resolved where the packages are fetched: look at the network and at the resolver that `/etc/resolv.conf` names",
    },
    Symptom {
        all_of: &["failed to resolve source metadata"],
        kind: Kind::Unavailable,
        hint: "the base image cannot be had; `--sandbox --base debian` makes it from Debian's packages",
    },
    Symptom {
        all_of: &["E: Version '", "was not found"],
        kind: Kind::Failed,
        hint: "the archive no longer has the pinned version: update `package` in metadata.hcl",
    },
    Symptom {
        all_of: &["E: Unable to locate package"],
        kind: Kind::Failed,
        hint: "the archive of this distro has no such package: compare its name with the Dockerfile's",
    },
    Symptom {
        all_of: &["failed to find target"],
        kind: Kind::Invalid,
        hint: "the bake file names its targets differently; run `docker buildx bake --print` with the same files",
    },
];

/// What is known to help against a failure, and whose fault it is.
pub(crate) fn hint(failed: &CmdFailure) -> Option<(Kind, String)> {
    SYMPTOMS
        .iter()
        .find(|symptom| {
            let found = |text: &&str| failed.mentions(text) || failed.command.contains(text);
            symptom.all_of.iter().all(found)
        })
        .map(|symptom| (symptom.kind, symptom.hint.to_owned()))
        .or_else(|| {
            // In the sandbox a tool is a process of the engine's, and ends with it.
            matches!(failed.reason, Reason::Signal(9)).then(|| {
                let hint = "it was killed: the engine ended, or memory ran out; with `--sandbox` the same command starts the engine again";
                (Kind::Unavailable, hint.to_owned())
            })
        })
}

/// The first word in a tool's answer that looks like a version.
pub(crate) fn version_in(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || "\",".contains(c));
    let mut versions = words
        .map(|word| word.trim_start_matches('v'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    versions.next().unwrap_or("there").to_owned()
}
