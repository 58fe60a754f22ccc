// SPDX-License-Identifier: Apache-2.0
//! Every setting: its key, its environment variable, its default and what it is for.

use super::Kind;

/// One setting: its key in `xtask.toml`, its environment variable, its default, what it is for.
pub(crate) struct Setting {
    pub key: &'static str,
    pub env: &'static str,
    pub default: &'static str,
    pub about: &'static str,
    pub(super) kind: Type,
}

/// The numbers that a setting, and the option that stands for it, may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub least: u32,
    pub most: u32,
}

impl Range {
    pub(super) fn takes(self, text: &str) -> bool {
        let number = text.parse::<u32>();
        number.is_ok_and(|number| (self.least..=self.most).contains(&number))
    }

    /// For an option, where 0 ("decide for me", "no limit") is said by leaving it out.
    pub(crate) fn counted(self) -> std::ops::RangeInclusive<i64> {
        self.least.max(1).into()..=self.most.into()
    }
}

/// Nodes of a kind cluster: each is a container with a kubelet.
pub(crate) const NODES: Range = Range { least: 1, most: 9 };
/// Steps at the same time: each is a process.
pub(crate) const AT_ONCE: Range = Range {
    least: 0,
    most: 1_000,
};
/// At most a week.
const SECONDS: Range = Range {
    least: 0,
    most: 604_800,
};
/// Any: 0 never warns.
const GIBIBYTES: Range = Range {
    least: 0,
    most: u32::MAX,
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Empty is allowed where the default is.
    Text(Kind),
    /// A whole number.
    Number(Range),
    OneOf(&'static [&'static str]),
    /// Texts, comma-separated; in `xtask.toml` an array.
    List(Kind),
    /// `name=value`, comma-separated; in `xtask.toml` a table.
    Map(Kind, Kind),
}

macro_rules! settings {
    ($($constant:ident $key:literal $env:literal $default:literal $kind:expr, $about:literal;)*) => {
        $(#[doc = $about] pub(crate) const $constant: &str = $key;)*
        /// All settings, in the order in which `config` shows them.
        pub(crate) const SETTINGS: &[Setting] = &[$(Setting {
            key: $key, env: $env, default: $default, about: $about, kind: $kind,
        }),*];
    };
}

settings! {
    PATHS_EXTENSIONS "paths.extensions" "XTASK_PATHS_EXTENSIONS" "extensions" Type::Text(Kind::Path),
        "the folder with one directory per extension";
    PATHS_BAKE_FILE "paths.bake-file" "XTASK_PATHS_BAKE_FILE" "docker/bake.hcl" Type::Text(Kind::Path),
        "the file that tells buildx how an image is built";
    PATHS_SUITE "paths.suite" "XTASK_PATHS_SUITE" "test" Type::Text(Kind::Path),
        "the folder with the Chainsaw suite that all extensions share";
    REGISTRY "registry" "registry" "localhost:5000" Type::Text(Kind::Registry),
        "where images are pushed; bake reads the same variable";
    ENVIRONMENT "environment" "environment" "testing" Type::OneOf(&["testing", "production"]),
        "`testing` images have `-testing` in their name; bake reads the same variable";
    REVISION "revision" "revision" "" Type::Text(Kind::Line),
        "the commit to write into the images; bake reads the same variable";
    BASE_IMAGE "images.base" "base_image" "ghcr.io/cloudnative-pg/postgresql:{pg}-minimal-{distro}" Type::Text(Kind::ImagePattern),
        "the PostgreSQL image an extension is built for; bake reads the same variable";
    NODE_IMAGE "images.node" "XTASK_IMAGES_NODE"
        "kindest/node:v1.36.1@sha256:3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5" Type::Text(Kind::Image),
        "the image of kind's nodes; its tag is the version of Kubernetes";
    REGISTRY_IMAGE "images.registry" "XTASK_IMAGES_REGISTRY"
        "registry:3.1.1@sha256:1be55279f18a2fe1a74edf2664cac61c1bea305b7b4642dab412e7affdcb3e33" Type::Text(Kind::Image),
        "the image of the local registry";
    PSQL_IMAGE "images.psql" "XTASK_IMAGES_PSQL"
        "alpine/psql:18.4@sha256:0ab0d128bcf0c63c4b022cf34bce59bd77f6d7e52411b3730fa840e2e79415ae" Type::Text(Kind::Image),
        "the image with psql that the Chainsaw suites use; with `--base debian` it is the base image";
    OPERATOR_IMAGE "images.operator" "XTASK_IMAGES_OPERATOR" "" Type::Text(Kind::Image),
        "the operator's image; empty: what its manifest says";
    PUBLISHED "images.published" "XTASK_IMAGES_PUBLISHED" "ghcr.io/cloudnative-pg" Type::Text(Kind::Registry),
        "where extension images are published; what is not built here is taken from there";
    BUILDER "bake.builder" "BUILDX_BUILDER" "" Type::Text(Kind::Builder),
        "the buildx builder; empty: the one that buildx has selected";
    JOBS "bake.jobs" "XTASK_BAKE_JOBS" "0" Type::Number(AT_ONCE),
        "builds and tests at the same time; 0: one per extension, at most eight";
    SBOM "bake.sbom" "XTASK_BAKE_SBOM" "auto" Type::OneOf(&["auto", "always", "never"]),
        "the SBOM attestation; auto: not in the sandbox, which may not reach the scanner's image";
    SMOKE_MOUNT "smoke.mount" "XTASK_SMOKE_MOUNT" "auto" Type::OneOf(&["auto", "image", "copy"]),
        "how smoke puts an extension's files into the server; auto: `image` with Docker 28, else `copy`";
    SMOKE_TIMEOUT "smoke.timeout" "XTASK_SMOKE_TIMEOUT" "180" Type::Number(SECONDS),
        "seconds that one smoke test may take; 0: as long as it likes";
    E2E_NAME "e2e.name" "XTASK_E2E_NAME" "pg-extensions" Type::Text(Kind::Environment),
        "the name of the end-to-end environment: of its network, registry and cluster";
    E2E_NODES "e2e.nodes" "XTASK_E2E_NODES" "1" Type::Number(NODES),
        "nodes of the kind cluster; the first is the control plane";
    E2E_SEED "e2e.seed" "XTASK_E2E_SEED" "" Type::List(Kind::Image),
        "images of the engine that are pushed to the local registry, where the nodes find them under their own names";
    E2E_SUITES "e2e.suites" "XTASK_E2E_SUITES" "0" Type::Number(AT_ONCE),
        "suites at the same time; 0: two, and one more for every two processors";
    MIRRORS "mirrors" "XTASK_MIRRORS" "" Type::Map(Kind::Domain, Kind::Url),
        "registries that the nodes take images from in place of others: `ghcr.io=https://mirror.example`";
    CREDENTIALS_HOST "credentials.host" "REGISTRY_HOST" "" Type::Text(Kind::Domain),
        "a private registry that the nodes log in to; the password comes from the environment variable `REGISTRY_PASSWORD` alone";
    CREDENTIALS_USERNAME "credentials.username" "REGISTRY_USERNAME" "" Type::Text(Kind::Username),
        "the user for the private registry";
    CNPG_RELEASE "cnpg.release" "XTASK_CNPG_RELEASE" "1.30" Type::Text(Kind::Source),
        "the operator's release: `main`, `X.Y`, `X.Y.Z`, or the path or URL of a manifest";
    CNPG_MANIFEST "cnpg.manifest" "XTASK_CNPG_MANIFEST" "" Type::Text(Kind::Source),
        "path or URL of the operator's manifest, `{release}` is replaced; empty: where CloudNativePG publishes it";
    CLUSTER_KUBECONFIG "cluster.kubeconfig" "XTASK_CLUSTER_KUBECONFIG" "" Type::Text(Kind::Path),
        "an existing cluster to use in place of kind: its kubeconfig";
    CLUSTER_CONTEXT "cluster.context" "XTASK_CLUSTER_CONTEXT" "" Type::Text(Kind::Line),
        "the context in that kubeconfig; empty: its current one";
    CLUSTER_REGISTRY "cluster.registry" "XTASK_CLUSTER_REGISTRY" "" Type::Text(Kind::Registry),
        "what an existing cluster calls the registry that images are pushed to; empty: the same";
    SANDBOX_FOLDER "sandbox.folder" "XTASK_SANDBOX_FOLDER" "" Type::Text(Kind::Path),
        "where the sandbox lives; empty: xtask-sandbox in the user's cache folder";
    SANDBOX_BASE "sandbox.base" "XTASK_SANDBOX_BASE" "auto" Type::OneOf(&["auto", "published", "debian"]),
        "base images in the sandbox; auto: the published ones, or Debian's packages where they cannot be had";
    SANDBOX_SUITE "sandbox.suite" "XTASK_SANDBOX_SUITE" "forky" Type::Text(Kind::Suite),
        "the Debian suite of the sandbox and of its base image";
    SANDBOX_MIRROR "sandbox.mirror" "XTASK_SANDBOX_MIRROR" "" Type::Text(Kind::Url),
        "the Debian mirror; empty: the one that this machine's apt uses";
    DISK_WARNING "disk.warning" "XTASK_DISK_WARNING" "5" Type::Number(GIBIBYTES),
        "warn when the engine's disk has less than this many GiB left";
}
