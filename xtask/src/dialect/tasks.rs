// SPDX-License-Identifier: Apache-2.0
//! The old Taskfile's tasks and variables, and what they stand for.

/// A task of the old Taskfile.
pub(super) struct Task {
    pub name: &'static str,
    pub canonical: &'static [&'static str],
    pub variables: &'static [&'static str],
}

pub(super) const TASKS: &[Task] = &[
    Task {
        name: "default",
        canonical: &["bake", "--all"],
        variables: BAKE_ALL,
    },
    Task {
        name: "prereqs",
        canonical: &["prereqs"],
        variables: &[],
    },
    Task {
        name: "checks",
        canonical: &["checks"],
        variables: &["TARGET"],
    },
    Task {
        name: "checks:all",
        canonical: &["checks", "--all"],
        variables: &[],
    },
    Task {
        name: "bake",
        canonical: &["bake"],
        variables: &["TARGET", "PUSH", "DRY_RUN", "METADATA_FILE"],
    },
    Task {
        name: "bake:all",
        canonical: &["bake", "--all"],
        variables: BAKE_ALL,
    },
    Task {
        name: "smoke",
        canonical: &["smoke"],
        variables: &["TARGET", "DRY_RUN"],
    },
    Task {
        name: "smoke:all",
        canonical: &["smoke", "--all"],
        variables: &["DRY_RUN"],
    },
    Task {
        name: "e2e:setup-env",
        canonical: &["e2e", "setup-env"],
        variables: &[
            "CNPG_RELEASE",
            "REGISTRY_HOST",
            "REGISTRY_USERNAME",
            "DRY_RUN",
        ],
    },
    Task {
        name: "e2e:export-kubeconfig",
        canonical: &["e2e", "export-kubeconfig"],
        variables: &["KUBECONFIG_PATH", "INTERNAL"],
    },
    Task {
        name: "e2e:generate-values",
        canonical: &["e2e", "generate-values"],
        variables: &["TARGET", "EXTENSION_IMAGE"],
    },
    Task {
        name: "e2e:test",
        canonical: &["e2e", "test"],
        variables: &["TARGET", "KUBECONFIG_PATH", "EXTRA_ARGS", "DRY_RUN"],
    },
    Task {
        name: "e2e:test:all",
        canonical: &["e2e", "test", "--all"],
        variables: &["KUBECONFIG_PATH", "EXTRA_ARGS", "DRY_RUN"],
    },
    Task {
        name: "e2e:test:full",
        canonical: &["e2e", "test-full"],
        variables: FULL,
    },
    Task {
        name: "e2e:test:full:all",
        canonical: &["e2e", "test-full", "--all"],
        variables: FULL_ALL,
    },
    Task {
        name: "e2e:status",
        canonical: &["e2e", "status"],
        variables: &[],
    },
    Task {
        name: "e2e:cleanup",
        canonical: &["e2e", "cleanup"],
        variables: &["DRY_RUN"],
    },
];

const FULL: &[&str] = &[
    "TARGET",
    "DISTRO",
    "CNPG_RELEASE",
    "REGISTRY_HOST",
    "REGISTRY_USERNAME",
    "EXTRA_ARGS",
    "DRY_RUN",
];

/// The same without `TARGET`.
const FULL_ALL: &[&str] = FULL.split_at(1).1;

const BAKE_ALL: &[&str] = &["PUSH", "DRY_RUN", "METADATA_FILE"];

/// What a variable stands for.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// Extensions, by their names.
    Target,
    /// The option of this name: with the variable's value, or for `true` where it has none.
    Option(&'static str),
    /// Words for another program, after `--`.
    Last,
}

/// Every variable, and what it stands for.
pub(super) const VARIABLES: &[(&str, Meaning)] = &[
    ("TARGET", Meaning::Target),
    ("PUSH", Meaning::Option("--push")),
    ("DRY_RUN", Meaning::Option("--dry-run")),
    ("METADATA_FILE", Meaning::Option("--metadata-file")),
    ("EXTENSION_IMAGE", Meaning::Option("--extension-image")),
    ("KUBECONFIG_PATH", Meaning::Option("--kubeconfig")),
    ("INTERNAL", Meaning::Option("--internal")),
    ("DISTRO", Meaning::Option("--distro")),
    ("CNPG_RELEASE", Meaning::Option("--cnpg-release")),
    ("REGISTRY_HOST", Meaning::Option("--registry-host")),
    ("REGISTRY_USERNAME", Meaning::Option("--registry-username")),
    ("EXTRA_ARGS", Meaning::Last),
];
