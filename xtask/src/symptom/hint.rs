// SPDX-License-Identifier: Apache-2.0
//! What the tools that we drive were seen to say when they fail, whose fault that is, and what helps.
//!
//! The first match counts: the cause stands before what follows from it.

use super::{Advice, Symptom};
use crate::failure::{Kind, Section};

/// What a tool says in words of its own.
const fn says(pattern: &'static str, kind: Kind, hint: &'static str) -> Symptom<Advice> {
    Symptom {
        pattern,
        means: Advice {
            command: "",
            passed_on: false,
            kind,
            hint,
            section: None,
        },
    }
}

/// What also counts where a tool only passes on what a build, a container or a suite has printed.
const fn passed_on(pattern: &'static str, kind: Kind, hint: &'static str) -> Symptom<Advice> {
    let mut symptom = says(pattern, kind, hint);
    symptom.means.passed_on = true;
    symptom
}

impl Symptom<Advice> {
    /// The same, of a command that holds this text.
    const fn of(mut self, command: &'static str) -> Self {
        self.means.command = command;
        self
    }

    /// The same, with the section of the documents that says more.
    const fn see(mut self, section: Section) -> Self {
        self.means.section = Some(section);
        self
    }
}

const NO_MANIFEST: &str = "the operator's manifest cannot be downloaded: the setting `cnpg.manifest` names another place, a path or a URL";

pub(super) const TAKEN: &str = "somebody else has created a cluster of that name on this engine, and it is kept: use it with `cargo xtask e2e setup-env`, or choose another name for the environment, `[e2e] name` in xtask.toml";

/// Of an engine that does not answer.
pub(crate) const NO_DAEMON: &str = "start Docker, or add `--sandbox` to use a private engine (Linux, root); where the engine is another one, `docker context ls` lists those that docker knows";

/// Of an engine that asks a registry by HTTPS alone.
pub(crate) const HTTP_ONLY: &str = "the registry speaks HTTP, and the engine asks it by HTTPS: add its address to `insecure-registries` in the engine's daemon.json, for one of this machine `127.0.0.0/8`: Docker 29.10 and newer take no loopback address for granted once that list is set";

/// Of CloudNativePG's placeholder, where HCL takes it for an expression.
pub(crate) const PLACEHOLDER: &str =
    "write `$${image_root}` in metadata.hcl: HCL takes `${…}` for its own, and `$${…}` is the text";

/// Of what SIGKILL has ended.
pub(super) const KILLED: &str = "it was killed: the engine stopped, or memory ran out; with `--sandbox` the same command starts the engine again";

/// What a command holds that names a builder.
const OTHER_BUILDER: &str = " --builder ";

/// Of the programs that speak to registries themselves: the registry that does not answer.
const NO_ANSWER: &str =
    r#""https?://([^/"]+)/.*(?:connection refused|no such host|i/o timeout|no route to host)"#;
const NOBODY_ANSWERS: &str = "nothing answers at `$1`; start the registry, or name another";
/// Of the same: who may not read or write there.
const NO_LOGIN: &str = r"unauthorized|UNAUTHORIZED|DENIED|requested access to the resource is denied|40[13] (?:Unauthorized|Forbidden)";
const LOG_IN: &str =
    "log in to the registry with `docker login`, as somebody who may do this there";

pub(super) const TABLE: &[Symptom<Advice>] = &[
    says(
        r"getting (signing config|trusted root) from TUF",
        Kind::Unavailable,
        "sigstore's services do not answer, which have the public transparency log: with a key, `--no-transparency-log` does without them",
    )
    .of("cosign ")
    .see(Section::Signatures),
    says(NO_ANSWER, Kind::Unavailable, NOBODY_ANSWERS).of("oras ").see(Section::Promote),
    says(NO_ANSWER, Kind::Unavailable, NOBODY_ANSWERS).of("cosign ").see(Section::Promote),
    says(NO_LOGIN, Kind::Unavailable, LOG_IN).of("oras ").see(Section::Promote),
    says(NO_LOGIN, Kind::Unavailable, LOG_IN).of("cosign ").see(Section::Promote),
    says(
        r"encrypted: decryption failed",
        Kind::Invalid,
        "the environment variable `COSIGN_PASSWORD` has another password than the key",
    )
    .of("cosign ")
    .see(Section::Signatures),
    says(
        r"unknown Public key PEM file type: .*PRIVATE KEY",
        Kind::Invalid,
        "verify with the public half of the key, `….pub`: `cosign public-key --key …` prints it",
    )
    .of("cosign ")
    .see(Section::Signatures),
    says(
        r"no signatures found",
        Kind::Failed,
        "nobody has signed this image, or another one has its name now: `cargo xtask sign` signs what you have tested",
    )
    .of("cosign ")
    .see(Section::Signatures),
    says(
        r"accepted signatures do not match threshold|invalid signature when validating",
        Kind::Failed,
        "it is signed, but not with this key",
    )
    .of("cosign ")
    .see(Section::Signatures),
    says(
        r"This value does not have any indices",
        Kind::Failed,
        "the bake file reads a part of what is a plain text in metadata.hcl: it may want a version as `{ package = \"…\", sql = \"…\" }`, where older metadata has the package's version alone",
    )
    .of("bake"),
    says(
        r#"There is no variable named "image_root""#,
        Kind::Invalid,
        PLACEHOLDER,
    )
    .of("bake"),
    says(
        r"proxyconnect",
        Kind::Unavailable,
        "the proxy cannot be reached, and the registry was not even asked: check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment of the engine and of this command",
    )
    .see(Section::Proxy),
    says(
        r#"context "([^"]+)": context not found"#,
        Kind::Unavailable,
        "docker has no context `$1`: `docker context use default` chooses the usual engine, where `DOCKER_CONTEXT` does not say another; `docker context ls` lists them",
    )
    .see(Section::Begin),
    says(
        r"Cannot connect to the Docker daemon",
        Kind::Unavailable,
        NO_DAEMON,
    )
    .see(Section::Begin),
    says(
        r"permission denied.*docker\.sock|docker\.sock.*permission denied",
        Kind::Unavailable,
        "add yourself to the group `docker`, or run this as root",
    )
    .see(Section::Begin),
    says(
        r"detected dubious ownership in repository at",
        Kind::Unavailable,
        "Git takes no repository of another user's: `git config --global --add safe.directory \"$PWD\"` at its root",
    ),
    says(
        r"unknown command: docker buildx",
        Kind::Unavailable,
        "install Docker's buildx plugin (package `docker-buildx` or `docker-buildx-plugin`)",
    )
    .see(Section::Begin),
    passed_on(
        r"[Nn]o space left on device",
        Kind::Failed,
        "free some disk space: `docker system df` shows what uses it, `docker buildx prune` removes build cache",
    )
    .see(Section::Disk),
    says(
        r"already in use by container|Conflict\. The container name",
        Kind::Unavailable,
        TAKEN,
    )
    .of("create cluster")
    .see(Section::Cluster),
    says(
        r"node\(s\) already exist for a cluster with the name",
        Kind::Unavailable,
        TAKEN,
    )
    .see(Section::Cluster),
    says(
        r"failed to create cluster.*failed to pull image",
        Kind::Unavailable,
        "the node image cannot be pulled from here: the setting `images.node` names another, and `test/lab` makes one",
    )
    .see(Section::ClosedNetwork),
    says(
        r"docker: Error response from daemon: failed to resolve reference",
        Kind::Unavailable,
        "the image cannot be pulled from here: the settings `images.registry`, `images.node` and their like name others",
    )
    .see(Section::ClosedNetwork),
    says(
        r"port is already allocated",
        Kind::Unavailable,
        "another container uses that port; for the local registry, `--registry-port` chooses another",
    ),
    says(
        r"address already in use",
        Kind::Unavailable,
        "another program uses that port; for the local registry, `--registry-port` chooses another",
    ),
    says(
        r"unable to read URL.*404",
        Kind::Invalid,
        "there is no such release of the operator: `--cnpg-release` takes `1.30`, `1.30.0`, `main`, a path or a URL",
    )
    .see(Section::Cluster),
    says(r"unable to read URL", Kind::Unavailable, NO_MANIFEST).see(Section::ClosedNetwork),
    says(
        r"The connection to the server.*was refused|Unable to connect to the server",
        Kind::Unavailable,
        NO_MANIFEST,
    )
    .of("--filename http"),
    says(
        r"failed to resolve source metadata",
        Kind::Unavailable,
        "the base image cannot be pulled; `--sandbox --base debian` builds it from Debian's packages",
    )
    .see(Section::BaseImages),
    says(
        r"additional privileges requested",
        Kind::Invalid,
        "the bake file reads what lies outside of the repository, or by way of a link out of it: if that is meant, BUILDX_BAKE_ENTITLEMENTS_FS=0 in the environment lets bake do so",
    ),
    says(
        r"blob unknown to registry",
        Kind::Failed,
        "the registry refuses attestations as OCI artifacts, which name an image that it does not have yet: set `oci-artifact = \"never\"` below `[bake]` in xtask.toml, or XTASK_BAKE_OCI_ARTIFACT=never",
    ),
    says(
        r#"https://([^/"\s]+)/.*server gave HTTP response to HTTPS client"#,
        Kind::Unavailable,
        "the registry speaks HTTP, and the builder asks it by HTTPS: `[registry.\"$1\"]` with `http = true` below it belongs into the buildkitd.toml of the builder's nodes (`docker buildx create --buildkitd-config FILE`, where buildx starts them)",
    )
    .of(OTHER_BUILDER),
    says(
        r#"https://([^/"\s]+)/.*certificate signed by unknown authority"#,
        Kind::Unavailable,
        "the builder does not know who has signed the registry's certificate: `[registry.\"$1\"]` with `ca = [\"FILE\"]` below it belongs into the buildkitd.toml of the builder's nodes",
    )
    .of(OTHER_BUILDER),
    says(
        r"failed to (?:push|do request).*(?:connection refused|no such host|i/o timeout|no route to host)",
        Kind::Unavailable,
        "the registry is not reached from where the builder runs, which has other names and another `localhost` than this machine: set `registry` to a name by which both reach it",
    )
    .of(OTHER_BUILDER),
    says(
        r"ERROR: context deadline exceeded$",
        Kind::Unavailable,
        "a node of the builder that one of the platforms needs does not answer: `docker buildx ls` lists the nodes and what runs of them",
    )
    .of(OTHER_BUILDER)
    .see(Section::Builders),
    says(
        r"server gave HTTP response to HTTPS client",
        Kind::Unavailable,
        HTTP_ONLY,
    )
    .see(Section::Push),
    says(
        r"failed to push ([^\s/]+)/.*(?:[Uu]nauthorized|UNAUTHORIZED|denied|DENIED|insufficient_scope|authorization failed|403 Forbidden)",
        Kind::Unavailable,
        "the registry lets nobody push there without a login that may: `docker login $1`, with an account that may write to the repository",
    )
    .see(Section::Push),
    says(
        r"failed to (?:push|do request).*connection refused",
        Kind::Unavailable,
        "nothing answers at the registry; start it, or name another with the environment variable `registry`",
    )
    .see(Section::Push),
    says(
        r"failed to do request.*no such host",
        Kind::Unavailable,
        "the registry's name does not resolve here: check the resolver, or name another registry with the environment variable `registry`",
    )
    .see(Section::Push),
    passed_on(
        r#"extension "[^"]+" is not available"#,
        Kind::Failed,
        "no control file of that name is in the mounted images or in the base image: compare `sql_name` and `sql_extensions` in metadata.hcl with what `cargo xtask inspect IMAGE` lists, and name the directory that holds what is needed in `required_extensions`",
    )
    .of("xtask-smoke-"),
    passed_on(
        r"Temporary failure resolving",
        Kind::Unavailable,
        "names do not resolve where the packages are downloaded: check the network and the resolver that `/etc/resolv.conf` names; behind a proxy, name it in `proxies` of docker's `config.json`, as a build's steps know none of the environment's, or start the sandbox with it (`HTTP_PROXY`)",
    )
    .see(Section::Proxy),
    passed_on(
        r"(?:Could not|Unable to) connect to ([^\s:]+:\w+)",
        Kind::Unavailable,
        "nothing answers at `$1`, a mirror of packages or the proxy before it: check its address; 127.0.0.1 of this machine is not that of a container, and in the sandbox this machine's own address is 169.254.1.3",
    )
    .see(Section::Proxy),
    passed_on(
        r"libraries that the image asks for and nothing provides",
        Kind::Failed,
        "write `ld_library_path = [\"system\"]` into metadata.hcl: then `docker/Dockerfile` takes them from their packages; a Dockerfile of the extension's own has to copy them to `/system`",
    )
    .see(Section::Metadata),
    passed_on(
        r"E: Version '.*was not found",
        Kind::Failed,
        "the archive no longer has the pinned version: update `package` in metadata.hcl",
    ),
    passed_on(
        r"SSL peer certificate or SSH remote key was not OK|error: failed to get `[^`]+` as a dependency of package",
        Kind::Unavailable,
        "cargo cannot read the registry of crates, its log says why; where a proxy that looks into TLS stands before that, the setting `bake.certificates` names a file of authorities to trust, like `/etc/ssl/certs/ca-certificates.crt`",
    )
    .see(Section::Source),
    passed_on(
        r"digest mismatch (sha256:[0-9a-f]{64}): sha256:",
        Kind::Failed,
        "what is at that address has the checksum $1: where another version is meant, or its makers say the same, write that; else it is not what was meant",
    )
    .see(Section::Source),
    passed_on(
        r"fatal error: (\S+): No such file or directory",
        Kind::Failed,
        "no package that it is compiled with has `$1`: `create-extension --build-depends` names Debian packages (`-dev`), a Dockerfile of the extension's own installs them",
    )
    .see(Section::Source),
    passed_on(
        r"No targets specified and no makefile found|No rule to make target",
        Kind::Failed,
        "`--from-source` is for sources that PostgreSQL's makefiles build (PGXS), with a Makefile at their top: https://www.postgresql.org/docs/current/extend-pgxs.html",
    )
    .of("target/xtask/compiled/")
    .see(Section::Source),
    passed_on(
        r"E: Unable to locate package",
        Kind::Failed,
        "the archive has no such package for this distro: compare its name with `packages` in metadata.hcl or with the Dockerfile's",
    ),
    says(
        r"authorization failed|may require authorization|unauthorized: |401 Unauthorized|403 Forbidden",
        Kind::Unavailable,
        "log in to the registry with `docker login`, or give `generate-values` a user with `--registry-username` and the password in REGISTRY_PASSWORD",
    )
    .of("imagetools inspect")
    .see(Section::PrivateRegistry),
    // Without a layer BuildKit attests nothing, and without an attestation there is no index to annotate.
    says(
        r"index annotations not supported for single platform export",
        Kind::Invalid,
        "the image is empty: its Dockerfile copies nothing into the last stage, and what is empty has no attestation, thus no index (the image of another repository is said in xtask.toml, `[external.NAME]`); where it is not, `attest` is missing in the bake file",
    ),
    says(
        r"failed to find target",
        Kind::Invalid,
        "the bake file names its targets differently; run `docker buildx bake --print` with the same files",
    ),
];
