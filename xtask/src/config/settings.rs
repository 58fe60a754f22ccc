// SPDX-License-Identifier: Apache-2.0
//! Every setting: its key, its environment variable, its default and what it is for.

use super::{
    Base, Entry, Kind, OciArtifact, Origin, Purpose, Sbom, SmokeMount,
    value::{List, Map, Number, OneOf, Rule, Text},
};

/// A setting whose value is a `T`.
pub(crate) struct Key<T: 'static> {
    pub(super) setting: &'static Setting,
    pub(super) entry: fn(&Values) -> &Entry<T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    /// As it stands in `xtask.toml`.
    pub(crate) fn name(self) -> &'static str {
        self.setting.key
    }
}

/// What is known of a setting, whatever its value is.
pub(crate) struct Setting {
    /// In `xtask.toml`.
    pub key: &'static str,
    /// Its environment variable.
    pub env: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// How it is written in a settings file.
    pub(super) shape: Shape,
    /// Puts in what a text means. The error is what it must be.
    pub(super) put: fn(&mut Values, &str, &Origin) -> Result<(), String>,
    /// Its text, and where that came from.
    pub(super) said: fn(&Values) -> (&str, &Origin),
}

/// How a setting is written in a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Single,
    Array,
    Table,
}

/// A setting of which nobody has said anything.
fn unsaid<R: Rule>(rule: &R) -> Entry<R::Value> {
    Entry {
        text: rule.text(),
        value: rule.default(),
        origin: Origin::Default,
    }
}

const fn shape_of<R: Rule>(_: &R) -> Shape {
    R::SHAPE
}

/// The numbers that a setting, and the option that stands for it, may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub least: u32,
    pub most: u32,
}

impl Range {
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
pub(super) const SECONDS: Range = Range {
    least: 0,
    most: 604_800,
};
/// Any: 0 never warns.
pub(super) const GIBIBYTES: Range = Range {
    least: 0,
    most: u32::MAX,
};

macro_rules! settings {
    ($($constant:ident: $value:ty = $rule:expr, $key:literal $env:literal $about:literal;)*) => {
        /// Every setting's value.
        #[derive(Clone, Debug)]
        #[expect(non_snake_case, reason = "a value is called as its key")]
        pub(super) struct Values {
            $($constant: Entry<$value>,)*
        }

        impl Values {
            /// As they are when nobody has said anything.
            pub(super) fn defaults() -> Self {
                Self {
                    $($constant: unsaid(&$rule),)*
                }
            }
        }

        $(#[doc = $about]
        pub(crate) const $constant: Key<$value> = Key {
            setting: &Setting {
                key: $key,
                env: $env,
                about: $about,
                shape: shape_of(&$rule),
                put: |values, text, origin| {
                    values.$constant = Entry {
                        value: $rule.parse(text)?,
                        text: text.to_owned(),
                        origin: origin.clone(),
                    };
                    Ok(())
                },
                said: |values| (&values.$constant.text, &values.$constant.origin),
            },
            entry: |values| &values.$constant,
        };)*

        /// All settings, in the order in which `config` shows them.
        pub(crate) const SETTINGS: &[&Setting] = &[$($constant.setting),*];
    };
}

settings! {
    PATHS_EXTENSIONS: String = Text("extensions", Kind::Path), "paths.extensions" "XTASK_PATHS_EXTENSIONS"
        "the folder with one directory per extension; `.` is the root";
    PATHS_BAKE_FILE: String = Text("docker/bake.hcl", Kind::Path), "paths.bake-file" "XTASK_PATHS_BAKE_FILE"
        "the file that tells buildx how an image is built";
    PATHS_SUITE: String = Text("test", Kind::Path), "paths.suite" "XTASK_PATHS_SUITE"
        "the folder with the Chainsaw suite that all extensions share";
    SHARED_FILES: Vec<String> = List(
        "{bake-file},{bake-folder}/**,xtask.toml,{suite}/**,xtask/**,Cargo.toml,Cargo.lock,.cargo/**,rust-toolchain.toml,Taskfile.yml,dagger/maintenance/**,.github/workflows/bake_targets.yml",
        Kind::Glob,
    ), "targets.shared" "XTASK_TARGETS_SHARED"
        "files that concern every image, for `targets --changed-since`: globs below the root; `{bake-file}`, `{bake-folder}` and `{suite}` stand for what the paths say";
    IGNORED_FILES: Vec<String> = List("**/*.md", Kind::Glob), "targets.ignored" "XTASK_TARGETS_IGNORED"
        "files that are in no image, wherever they are, for `targets --changed-since`: globs below the root";
    REGISTRY: String = Text("localhost:5000", Kind::Registry), "registry" "registry"
        "where images are pushed; bake reads the same variable";
    ENVIRONMENT: Purpose = OneOf(Purpose::Testing), "environment" "environment"
        "`testing` or `production`; testing images have `-testing` in their name; bake reads the same variable";
    REVISION: String = Text("", Kind::Line), "revision" "revision"
        "the commit to write into the images; bake reads the same variable";
    BASE_IMAGE: String = Text(
        "ghcr.io/cloudnative-pg/postgresql:{pg}-minimal-{distro}",
        Kind::ImagePattern,
    ), "images.base" "base_image"
        "the PostgreSQL image an extension is built for; bake reads the same variable";
    NODE_IMAGE: String = Text(
        // renovate: datasource=docker depName=kindest/node
        "kindest/node:v1.36.1@sha256:3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5",
        Kind::Image,
    ), "images.node" "XTASK_IMAGES_NODE"
        "the image of kind's nodes; its tag is the version of Kubernetes";
    REGISTRY_IMAGE: String = Text(
        // renovate: datasource=docker depName=registry
        "registry:3.1.1@sha256:1be55279f18a2fe1a74edf2664cac61c1bea305b7b4642dab412e7affdcb3e33",
        Kind::Image,
    ), "images.registry" "XTASK_IMAGES_REGISTRY"
        "the image of the local registry";
    CHAINSAW_IMAGE: String = Text(
        // renovate: datasource=docker depName=ghcr.io/kyverno/chainsaw
        "ghcr.io/kyverno/chainsaw:v0.2.14@sha256:c703e4d4ce7b89c5121fe957ab89b6e2d33f91fd15f8274a9f79ca1b2ba8ecef",
        Kind::Image,
    ), "images.chainsaw" "XTASK_IMAGES_CHAINSAW"
        "the image that runs Chainsaw where it is not on PATH";
    PSQL_IMAGE: String = Text(
        // renovate: datasource=docker depName=alpine/psql
        "alpine/psql:18.4@sha256:0ab0d128bcf0c63c4b022cf34bce59bd77f6d7e52411b3730fa840e2e79415ae",
        Kind::Image,
    ), "images.psql" "XTASK_IMAGES_PSQL"
        "the image with psql that the Chainsaw suites use; with `--base debian` it is the base image";
    OPERATOR_IMAGE: String = Text("", Kind::Image), "images.operator" "XTASK_IMAGES_OPERATOR"
        "the operator's image; empty: what its manifest says";
    PUBLISHED: String = Text("ghcr.io/cloudnative-pg", Kind::Registry), "images.published" "XTASK_IMAGES_PUBLISHED"
        "where extension images are published; what is not built here is pulled from there";
    BUILDER: String = Text("", Kind::Builder), "bake.builder" "BUILDX_BUILDER"
        "the buildx builder; empty: the one that buildx has selected";
    JOBS: u32 = Number(0, AT_ONCE), "bake.jobs" "XTASK_BAKE_JOBS"
        "extensions in one call of bake, and steps at the same time; 0: sixteen, and eight";
    SBOM: Sbom = OneOf(Sbom::Auto), "bake.sbom" "XTASK_BAKE_SBOM"
        "the SBOM attestation: `always`, `never`, or `auto`: not in the sandbox, which may not reach the scanner's image";
    OCI_ARTIFACT: OciArtifact = OneOf(OciArtifact::Auto), "bake.oci-artifact" "XTASK_BAKE_OCI_ARTIFACT"
        "attestations as OCI artifacts, which some registries refuse: `always`, `never`, or `auto`: as the bake file says";
    CERTIFICATES: String = Text("", Kind::Path), "bake.certificates" "XTASK_BAKE_CERTIFICATES"
        "a file of certificate authorities (PEM) that builds get as the secret `certificates`, where a proxy that looks into TLS stands before the crates registry; empty: they trust those of the base image; not in `xtask.toml`";
    SMOKE_MOUNT: SmokeMount = OneOf(SmokeMount::Auto), "smoke.mount" "XTASK_SMOKE_MOUNT"
        "how smoke puts an extension's files into the server: `image`, `copy`, or `auto`: `image` with Docker 28, else `copy`";
    SMOKE_TIMEOUT: u32 = Number(180, SECONDS), "smoke.timeout" "XTASK_SMOKE_TIMEOUT"
        "seconds that one smoke test may take; 0: no limit";
    E2E_NAME: String = Text("pg-extensions", Kind::Environment), "e2e.name" "XTASK_E2E_NAME"
        "the name of the end-to-end environment, and of its parts where they have no other";
    E2E_NETWORK: String = Text("", Kind::Network), "e2e.network" "XTASK_E2E_NETWORK"
        "the name of the environment's network; empty: its own with `-e2e`";
    E2E_REGISTRY: String = Text("", Kind::Host), "e2e.registry" "XTASK_E2E_REGISTRY"
        "the name of the local registry, by which the nodes find it; empty: `registry.` and the environment's";
    E2E_CLUSTER: String = Text("", Kind::Cluster), "e2e.cluster" "XTASK_E2E_CLUSTER"
        "the name of the kind cluster; empty: the environment's with the version of Kubernetes";
    E2E_NODES: u32 = Number(1, NODES), "e2e.nodes" "XTASK_E2E_NODES"
        "nodes of the kind cluster; the first is the control plane";
    E2E_SEED: Vec<String> = List("", Kind::Image), "e2e.seed" "XTASK_E2E_SEED"
        "images of the engine that are pushed to the local registry, where the nodes find them under their own names";
    E2E_SUITES: u32 = Number(0, AT_ONCE), "e2e.suites" "XTASK_E2E_SUITES"
        "suites at the same time; 0: two, and three more for every processor, as far as there is half a GiB of memory for each";
    MIRRORS: Vec<(String, String)> = Map(Kind::Domain, Kind::Url), "mirrors" "XTASK_MIRRORS"
        "registries that the nodes pull images from instead of others: `ghcr.io=https://mirror.example`";
    CREDENTIALS_HOST: String = Text("", Kind::Domain), "credentials.host" "REGISTRY_HOST"
        "a private registry that the nodes log in to; the password comes from the environment variable `REGISTRY_PASSWORD` alone";
    CREDENTIALS_USERNAME: String = Text("", Kind::Username), "credentials.username" "REGISTRY_USERNAME"
        "the user for the private registry";
    // renovate: datasource=github-tags depName=cloudnative-pg/cloudnative-pg versioning=semver-coerced extractVersion=^v(?<version>\d+\.\d+)\.\d+$
    CNPG_RELEASE: String = Text("1.30", Kind::Source), "cnpg.release" "XTASK_CNPG_RELEASE"
        "the operator's release: `main`, `X.Y`, `X.Y.Z`, or the path or URL of a manifest";
    CNPG_RELEASES: Vec<String> = List("", Kind::Source), "cnpg.releases" "XTASK_CNPG_RELEASES"
        "the operator's releases that CI tests with, for `targets --cnpg`; empty: that of `cnpg.release`, the one before it, and `main`";
    CNPG_MANIFEST: String = Text("", Kind::Source), "cnpg.manifest" "XTASK_CNPG_MANIFEST"
        "path or URL of the operator's manifest, `{release}` is replaced; empty: where CloudNativePG publishes it";
    CLUSTER_KUBECONFIG: String = Text("", Kind::Path), "cluster.kubeconfig" "XTASK_CLUSTER_KUBECONFIG"
        "an existing cluster to use instead of kind: its kubeconfig";
    CLUSTER_CONTEXT: String = Text("", Kind::Line), "cluster.context" "XTASK_CLUSTER_CONTEXT"
        "the context in that kubeconfig; empty: its current one";
    CLUSTER_REGISTRY: String = Text("", Kind::Registry), "cluster.registry" "XTASK_CLUSTER_REGISTRY"
        "what an existing cluster calls the registry that images are pushed to; empty: the same";
    SANDBOX_FOLDER: String = Text("", Kind::Path), "sandbox.folder" "XTASK_SANDBOX_FOLDER"
        "the sandbox's folder, an absolute path; empty: xtask-sandbox in the user's cache folder; not in `xtask.toml`";
    SANDBOX_BASE: Base = OneOf(Base::Auto), "sandbox.base" "XTASK_SANDBOX_BASE"
        "base images in the sandbox: `published`, `debian`, or `auto`: the published ones, or Debian's packages where those cannot be pulled";
    SANDBOX_SUITES: Vec<String> = List("forky,experimental", Kind::Suite), "sandbox.suites" "XTASK_SANDBOX_SUITES"
        "Debian suites: the first is that of the sandbox and its base images, the others are asked for a PostgreSQL that it lacks; `sandbox.suite`, its former name, means the same";
    SANDBOX_MIRROR: String = Text("", Kind::Url), "sandbox.mirror" "XTASK_SANDBOX_MIRROR"
        "the Debian mirror; empty: the one that apt on this machine uses";
    SANDBOX_INDEX_AGE: u32 = Number(0, SECONDS), "sandbox.index-age" "XTASK_SANDBOX_INDEX_AGE"
        "for so many seconds the sandbox's copy of Debian's index is taken for the archive's; 0: the archive is asked whenever something is built";
    LICENCES_ALLOWED: Vec<String> = List("", Kind::Licence), "licences.allowed" "XTASK_LICENCES_ALLOWED"
        "licences that packages of images may have, by their SPDX names, for `licences`; empty: any";
    LICENCES_CLARIFIED: Vec<(String, String)> = Map(Kind::Package, Kind::Licences), "licences.clarified" "XTASK_LICENCES_CLARIFIED"
        "the licences of packages whose copyright files do not say them for machines, or say more than concerns the image: `package=expression`";
    SCAN_WITH: Vec<String> = List("", Kind::Scanner), "scan.with" "XTASK_SCAN_WITH"
        "what looks for known faults in images, for `scan`: trivy, grype, dockle, debsecan";
    SCAN_TRACKER: String = Text("", Kind::Source), "scan.tracker" "XTASK_SCAN_TRACKER"
        "where debsecan has its data from, the URL of a folder or a path below the root; empty: Debian's security tracker";
    DISK_WARNING: u32 = Number(5, GIBIBYTES), "disk.warning" "XTASK_DISK_WARNING"
        "warn when the engine's disk has less than this many GiB left";
}

/// What a setting was called before.
pub(super) struct Former {
    pub key: &'static str,
    pub env: &'static str,
    pub setting: &'static Setting,
}

/// All that settings were called before. It goes on meaning the same.
pub(super) const FORMER: &[Former] = &[Former {
    key: "sandbox.suite",
    env: "XTASK_SANDBOX_SUITE",
    setting: SANDBOX_SUITES.setting,
}];

/// The setting of that key, which it may have had before.
pub(super) fn setting_of(key: &str) -> Option<&'static Setting> {
    let former = || FORMER.iter().find(|former| former.key == key);
    let setting = SETTINGS.iter().copied().find(|setting| setting.key == key);
    setting.or_else(|| former().map(|former| former.setting))
}
