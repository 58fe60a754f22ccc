// SPDX-License-Identifier: Apache-2.0
//! The old Taskfile's variables, and what they stand for.
//!
//! Whether the environment counts is Task's own rule, see <https://taskfile.dev/docs/guide#variables>: what a
//! Taskfile itself gives a value goes before the environment, and only arguments go before that.

/// A variable of the old Taskfile.
pub(super) struct Variable {
    /// With `*` at its end: all that begin so.
    pub name: &'static str,
    pub scope: Scope,
    pub meaning: Meaning,
}

/// Where a variable counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// In the tasks that name it; where no argument gives it, the environment may.
    Task,
    /// In every task, as the Taskfile gave it a value of its own; only arguments go before that.
    Taskfile,
}

/// What a variable stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Extensions, by their names.
    Target,
    /// The option of this name: with the variable's value, or for `true` where it has none.
    Option(&'static str),
    /// The option of this name, with a path: the old tooling left `~` to a shell, whatever had called it.
    Path(&'static str),
    /// Words for another program, after `--`.
    Last,
    /// A setting, by its key, and its value, in which `{}` stands for the variable's.
    Setting(&'static str, &'static str),
    /// The host in the setting `registry`.
    RegistryHost,
    /// The port in the setting `registry`.
    RegistryPort,
    /// Nothing any more, and what is so instead.
    Nothing(&'static str),
}

impl Meaning {
    /// What says the same to a command by its own name.
    pub(super) fn on_a_command(self) -> String {
        match self {
            Meaning::Target => "the name itself".to_owned(),
            Meaning::Option(flag) | Meaning::Path(flag) => format!("`{flag}`"),
            Meaning::Last => "what follows `--`".to_owned(),
            Meaning::Setting(key, _) => format!("`--set {key}=…`"),
            Meaning::RegistryHost | Meaning::RegistryPort => "`--set registry=…`".to_owned(),
            Meaning::Nothing(_) => "nothing".to_owned(),
        }
    }
}

const fn of_tasks(name: &'static str, meaning: Meaning) -> Variable {
    Variable {
        name,
        scope: Scope::Task,
        meaning,
    }
}

const fn of_taskfile(name: &'static str, meaning: Meaning) -> Variable {
    Variable {
        name,
        scope: Scope::Taskfile,
        meaning,
    }
}

const NO_DAGGER: Meaning = Meaning::Nothing("docker, kind and kubectl do what Dagger did");
const NO_COLOURS: Meaning =
    Meaning::Nothing("a terminal gets colours; `NO_COLOR=1` turns them off");

/// Every variable, and what it stands for.
pub(super) const VARIABLES: &[Variable] = &[
    of_tasks("TARGET", Meaning::Target),
    of_tasks("NAME", Meaning::Option("--name")),
    of_tasks("PUSH", Meaning::Option("--push")),
    of_tasks("DRY_RUN", Meaning::Option("--dry-run")),
    of_tasks("METADATA_FILE", Meaning::Option("--metadata-file")),
    of_tasks("EXTENSION_IMAGE", Meaning::Option("--extension-image")),
    of_tasks("KUBECONFIG_PATH", Meaning::Path("--kubeconfig")),
    of_tasks("INTERNAL", Meaning::Option("--internal")),
    of_tasks("DISTRO", Meaning::Option("--distro")),
    of_tasks("CNPG_RELEASE", Meaning::Option("--cnpg-release")),
    of_tasks("REGISTRY_HOST", Meaning::Option("--registry-host")),
    of_tasks("REGISTRY_USERNAME", Meaning::Option("--registry-username")),
    of_tasks("EXTRA_ARGS", Meaning::Last),
    of_taskfile("REGISTRY_HOST_NAME", Meaning::RegistryHost),
    of_taskfile("REGISTRY_HOST_PORT", Meaning::RegistryPort),
    of_taskfile("REGISTRY_NAME", Meaning::Setting("e2e.registry", "{}")),
    of_taskfile(
        "REGISTRY_VERSION",
        Meaning::Setting("images.registry", "registry:{}"),
    ),
    of_taskfile("E2E_NETWORK", Meaning::Setting("e2e.network", "{}")),
    of_taskfile("KIND_CLUSTER_NAME", Meaning::Setting("e2e.cluster", "{}")),
    of_taskfile(
        "KIND_NODE_VERSION",
        Meaning::Setting("images.node", "kindest/node:{}"),
    ),
    of_taskfile("K8S_VERSION", Meaning::Option("--kubernetes")),
    of_taskfile(
        "CNPG_RELEASE_DEFAULT",
        Meaning::Setting("cnpg.release", "{}"),
    ),
    of_taskfile("CNPG_MANIFEST", Meaning::Setting("cnpg.manifest", "{}")),
    of_taskfile(
        "REGISTRY_INTERNAL_PORT",
        Meaning::Nothing("on the network the registry listens at port 5000"),
    ),
    of_taskfile(
        "REGISTRY_DIR",
        Meaning::Nothing("it follows from the registry's name"),
    ),
    of_taskfile(
        "DOCKER_SOCKET",
        Meaning::Nothing("docker's own context and `DOCKER_HOST` say where the engine is"),
    ),
    of_taskfile(
        "KUBECTL_VERSION",
        Meaning::Nothing("kubectl is the one on PATH, or the node's"),
    ),
    of_taskfile("DAGGER_*", NO_DAGGER),
    of_taskfile("_EXPERIMENTAL_DAGGER_RUNNER_HOST", NO_DAGGER),
    of_taskfile(
        "TARGETS",
        Meaning::Nothing("the extensions are those that have a `metadata.hcl`"),
    ),
    of_taskfile("GREEN", NO_COLOURS),
    of_taskfile("BLUE", NO_COLOURS),
    of_taskfile("RED", NO_COLOURS),
    of_taskfile("NC", NO_COLOURS),
];

/// Names that were others for a while: before, after.
pub(super) const RENAMED: &[(&str, &str)] = &[("REGISTRY_HOST_IP", "REGISTRY_HOST_NAME")];

/// The name that a variable has now.
pub(super) fn renamed(name: &str) -> &str {
    let renamed = RENAMED.iter().find(|(before, _)| *before == name);
    renamed.map_or(name, |(_, after)| after)
}

/// The variable of that name.
pub(super) fn find(name: &str) -> Option<&'static Variable> {
    let name = renamed(name);
    VARIABLES.iter().find(|variable| {
        let start = variable.name.strip_suffix('*');
        start.map_or(variable.name == name, |start| name.starts_with(start))
    })
}
