// SPDX-License-Identifier: Apache-2.0
//! What can be seen in any file of the repository, and who may start processes, print and import.

use std::path::Path;

use super::repository::{files, root, text};

#[test]
fn every_source_has_its_licence() {
    let mut seen = 0;
    for path in files(".") {
        let name = path.file_name().unwrap().to_string_lossy();
        let extension = path.extension().and_then(|end| end.to_str());
        let source = matches!(extension, Some("rs" | "hcl" | "sql" | "sh" | "pl"));
        if source || name == "Dockerfile" || path.starts_with(".ci") {
            seen += 1;
            let text = text(&path.to_string_lossy());
            let head: Vec<&str> = text.lines().take(3).collect();
            assert!(
                head.join("\n")
                    .contains("SPDX-License-Identifier: Apache-2.0"),
                "{} does not start with an SPDX line",
                path.display()
            );
        }
    }
    assert!(seen > 50, "only {seen} sources found");
}

/// The mirror is the machine's or a setting, never ours to choose.
#[test]
fn no_file_names_an_archive_of_packages() {
    let hosts = [
        ["deb.debian", ".org"],
        ["ftp.debian", ".org"],
        ["security.debian", ".org"],
        ["snapshot.debian", ".org"],
        ["apt.postgresql", ".org"],
        ["archive.ubuntu", ".com"],
    ]
    .map(|parts| parts.concat());
    for path in files(".") {
        let bytes = fs_err::read(root().join(&path)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for host in &hosts {
            assert!(!text.contains(host), "{} names {host}", path.display());
        }
    }
}

/// The lines of the sources that hold one of `needles`, outside of unit tests and of `allowed`.
fn found(below: &str, needles: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(below) {
        if allowed.iter().any(|file| path == Path::new(file)) || path.ends_with("tests.rs") {
            continue;
        }
        let text = text(&path.to_string_lossy());
        let code = text.split("#[cfg(test)]\nmod tests {").next();
        for (at, line) in code.unwrap_or_default().lines().enumerate() {
            let code = line.trim_start();
            if !code.starts_with("//") && needles.iter().any(|needle| code.contains(needle)) {
                found.push(format!("{}:{}: {code}", path.display(), at + 1));
            }
        }
    }
    found
}

#[test]
fn only_exec_starts_processes_and_only_ui_prints() {
    let nothing: [String; 0] = [];
    let spawning = ["process::Command", "Command::new"];
    assert_eq!(
        found(
            "xtask/src",
            &spawning,
            &["xtask/src/exec/start.rs", "xtask/src/exec/child.rs"]
        ),
        nothing
    );
    let printing = ["println!", "print!(", "io::stdout", "io::stderr"];
    let ui = ["xtask/src/ui/screen.rs", "xtask/src/ui/trace.rs"];
    assert_eq!(found("xtask/src", &printing, &ui), nothing);
}

#[test]
fn only_the_command_line_goes_over_the_settings() {
    let nothing: [String; 0] = [];
    let allowed = [
        "xtask/src/cli/settings.rs",
        "xtask/src/config.rs",
        "xtask/src/config/file.rs",
        // What a file can say and what a flag can say is the same.
        "xtask/src/fuzzing/files.rs",
    ];
    let changing = ["with_flag(", "with_said(", ".put(", "context.config ="];
    assert_eq!(found("xtask/src", &changing, &allowed), nothing);
}

#[test]
fn each_layer_knows_only_those_below() {
    let nothing: [String; 0] = [];
    let touching = ["exec::", "fs_err", "std::fs", "tempfile"];
    // The trait by which work is given the means when it is performed, and nothing else.
    let mut plan = found("xtask/src/plan", &touching, &[]);
    plan.retain(|line| !line.ends_with("use crate::{exec::Exec, failure::Failure};"));
    assert_eq!(plan, nothing);
    let extensions = [
        "extension::",
        "workspace::",
        "target::",
        "context::",
        "cmd::",
    ];
    assert_eq!(found("xtask/src/tool", &extensions, &[]), nothing);
    let docker = ["tool::", "docker", "exec::", "plan::"];
    assert_eq!(found("xtask/src/extension.rs", &docker, &[]), nothing);
    assert_eq!(found("xtask/src/extension", &docker, &[]), nothing);
}
