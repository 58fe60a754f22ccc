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

use crate::failure::Failure;

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

/// The first word in a tool's answer that looks like a version.
pub(crate) fn version_in(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || "\",".contains(c));
    let mut versions = words
        .map(|word| word.trim_start_matches('v'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    versions.next().unwrap_or("there").to_owned()
}
