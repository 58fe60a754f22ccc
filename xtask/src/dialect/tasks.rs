// SPDX-License-Identifier: Apache-2.0
//! The old Taskfile's tasks, and the commands that they stand for.

/// A task of the old Taskfile, or one of ours in its way of writing.
pub(super) struct Task {
    pub name: &'static str,
    pub canonical: &'static [&'static str],
    /// Those that it uses; the first is what a word without a name stands for, where the command takes one.
    pub variables: &'static [&'static str],
    /// What is to be said of it.
    pub note: Option<&'static str>,
}

impl Task {
    const fn noting(self, note: &'static str) -> Self {
        Self {
            note: Some(note),
            ..self
        }
    }
}

const fn task(
    name: &'static str,
    canonical: &'static [&'static str],
    variables: &'static [&'static str],
) -> Task {
    Task {
        name,
        canonical,
        variables,
        note: None,
    }
}

/// Every task; the first is the one that is called without a name.
pub(super) const TASKS: &[Task] = &[
    task("default", &["bake", "--all"], BAKE_ALL),
    task("prereqs", &["prereqs"], &[]),
    task("list-targets", &["targets", "--json"], &[]),
    task("checks", &["checks"], &["TARGET"]),
    task("checks:all", &["checks", "--all"], &[]),
    task("bake", &["bake"], BAKE),
    task("bake:all", &["bake", "--all"], BAKE_ALL),
    task("smoke", &["smoke"], &["TARGET", "DRY_RUN"]),
    task("smoke:all", &["smoke", "--all"], &["DRY_RUN"]),
    task(
        "update-os-libs",
        &["update-os-libs"],
        &["TARGET", "DRY_RUN"],
    ),
    task(
        "update-os-libs:all",
        &["update-os-libs", "--all"],
        &["DRY_RUN"],
    ),
    task(
        "create-extension",
        &["create-extension"],
        &["NAME", "DRY_RUN"],
    ),
    task("e2e:setup-env", &["e2e", "setup-env"], SETUP),
    task(
        "e2e:export-kubeconfig",
        &["e2e", "export-kubeconfig"],
        &["KUBECONFIG_PATH", "INTERNAL"],
    ),
    task("e2e:generate-values", &["e2e", "generate-values"], VALUES),
    task("e2e:test", &["e2e", "test"], TEST),
    task("e2e:test:all", &["e2e", "test", "--all"], TEST_ALL),
    task("e2e:test:full", &["e2e", "test-full"], FULL),
    task(
        "e2e:test:full:all",
        &["e2e", "test-full", "--all"],
        FULL_ALL,
    ),
    task("e2e:status", &["e2e", "status"], &[]),
    task("e2e:cleanup", &["e2e", "cleanup"], &["DRY_RUN"]),
    // Parts of others, which Task called only by itself but for the first.
    task("generate-values", &["e2e", "generate-values"], VALUES),
    task(
        "e2e:create-docker-network",
        &["e2e", "setup-env", "--until", "network"],
        &["DRY_RUN"],
    ),
    task(
        "e2e:start-container-registry",
        &["e2e", "setup-env", "--until", "registry"],
        &["DRY_RUN"],
    ),
    task(
        "e2e:start-dagger-engine",
        &["e2e", "setup-env", "--until", "network"],
        &["DRY_RUN"],
    )
    .noting("there is no Dagger engine to start: only the network that it was on is made"),
    task(
        "e2e:setup-kind",
        &["e2e", "setup-env", "--until", "cluster"],
        without_first(SETUP),
    ),
    task("e2e:install-cnpg", &["e2e", "setup-env"], SETUP),
];

const BAKE: &[&str] = &["TARGET", "PUSH", "DRY_RUN", "METADATA_FILE"];
const BAKE_ALL: &[&str] = without_first(BAKE);
const VALUES: &[&str] = &["TARGET", "EXTENSION_IMAGE", "REGISTRY_USERNAME"];
const SETUP: &[&str] = &[
    "CNPG_RELEASE",
    "REGISTRY_HOST",
    "REGISTRY_USERNAME",
    "K8S_VERSION",
    "DRY_RUN",
];
const TEST: &[&str] = &["TARGET", "KUBECONFIG_PATH", "EXTRA_ARGS", "DRY_RUN"];
const TEST_ALL: &[&str] = without_first(TEST);
const FULL: &[&str] = &[
    "TARGET",
    "DISTRO",
    "CNPG_RELEASE",
    "REGISTRY_HOST",
    "REGISTRY_USERNAME",
    "K8S_VERSION",
    "EXTRA_ARGS",
    "DRY_RUN",
];
const FULL_ALL: &[&str] = without_first(FULL);

/// The variables of a task for all extensions, by those of the one for one; of a task for a part, by those for all.
const fn without_first(variables: &'static [&'static str]) -> &'static [&'static str] {
    variables.split_at(1).1
}

/// Names that were others for a while: before, after.
pub(super) const RENAMED: &[(&str, &str)] = &[
    ("create", "create-extension"),
    ("e2e:kind-setup", "e2e:setup-kind"),
    ("e2e:cnpg-install", "e2e:install-cnpg"),
    ("e2e:env-setup", "e2e:setup-env"),
];

/// Options of Task that are none of ours, and what does the same.
pub(super) const OPTIONS_OF_TASK: &[(&[&str], &str)] = &[
    (
        &["--list", "--list-all", "-l", "-a", "--summary"],
        "`cargo xtask --help` lists the commands, docs/taskfile.md the tasks",
    ),
    (&["--dry", "-n"], "`--dry-run` prints the commands instead"),
    (
        &["--force", "-f"],
        "every command looks at what is there; `bake --no-cache` builds all layers again",
    ),
    (
        &["--parallel", "-p", "--concurrency", "-C"],
        "`--jobs` says how many builds run at the same time",
    ),
    (
        &["--silent", "-s", "--yes", "-y"],
        "leave it out: nothing is asked, and a line is printed for each step",
    ),
    (
        &["--taskfile", "-t", "--dir", "-d"],
        "go into the repository: the commands work from each of its folders",
    ),
];

/// The task of that name.
pub(super) fn find(name: &str) -> Option<&'static Task> {
    TASKS.iter().find(|task| task.name == name)
}
