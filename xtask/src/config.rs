// SPDX-License-Identifier: Apache-2.0
//! The settings: defaults, then `xtask.toml`, then the environment, then flags; each value knows where
//! it came from.

use std::{collections::BTreeMap, ffi::OsString, fmt, path::Path};

use serde::Serialize;

use crate::failure::{Failure, did_you_mean};

/// One setting: its key in `xtask.toml`, its environment variable, its default, what it is for.
pub(crate) struct Setting {
    pub key: &'static str,
    pub env: &'static str,
    pub default: &'static str,
    pub about: &'static str,
    kind: Type,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    /// A whole number; 0 means "decide for me".
    Number,
    OneOf(&'static [&'static str]),
    /// Texts, comma-separated; in `xtask.toml` an array.
    List,
    /// `name=value`, comma-separated; in `xtask.toml` a table.
    Map,
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
    PATHS_EXTENSIONS "paths.extensions" "XTASK_PATHS_EXTENSIONS" "extensions" Type::Text,
        "the folder with one directory per extension";
    PATHS_BAKE_FILE "paths.bake-file" "XTASK_PATHS_BAKE_FILE" "docker/bake.hcl" Type::Text,
        "the file that tells buildx how an image is built";
    PATHS_SUITE "paths.suite" "XTASK_PATHS_SUITE" "test" Type::Text,
        "the folder with the Chainsaw suite that all extensions share";
    REGISTRY "registry" "registry" "localhost:5000" Type::Text,
        "where images are pushed; bake reads the same variable";
    ENVIRONMENT "environment" "environment" "testing" Type::OneOf(&["testing", "production"]),
        "`testing` images have `-testing` in their name; bake reads the same variable";
    REVISION "revision" "revision" "" Type::Text,
        "the commit to write into the images; bake reads the same variable";
    BASE_IMAGE "images.base" "base_image" "ghcr.io/cloudnative-pg/postgresql:{pg}-minimal-{distro}" Type::Text,
        "the PostgreSQL image an extension is built for; bake reads the same variable";
    NODE_IMAGE "images.node" "XTASK_IMAGES_NODE"
        "kindest/node:v1.36.1@sha256:3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5" Type::Text,
        "the image of kind's nodes; its tag is the version of Kubernetes";
    REGISTRY_IMAGE "images.registry" "XTASK_IMAGES_REGISTRY"
        "registry:3.1.1@sha256:1be55279f18a2fe1a74edf2664cac61c1bea305b7b4642dab412e7affdcb3e33" Type::Text,
        "the image of the local registry";
    PSQL_IMAGE "images.psql" "XTASK_IMAGES_PSQL"
        "alpine/psql:18.4@sha256:0ab0d128bcf0c63c4b022cf34bce59bd77f6d7e52411b3730fa840e2e79415ae" Type::Text,
        "the image with psql that the Chainsaw suites use; with `--base debian` it is the base image";
    OPERATOR_IMAGE "images.operator" "XTASK_IMAGES_OPERATOR" "" Type::Text,
        "the operator's image; empty: what its manifest says";
    PUBLISHED "images.published" "XTASK_IMAGES_PUBLISHED" "ghcr.io/cloudnative-pg" Type::Text,
        "where extension images are published; what is not built here is taken from there";
    BUILDER "bake.builder" "BUILDX_BUILDER" "" Type::Text,
        "the buildx builder; empty: the one that buildx has selected";
    JOBS "bake.jobs" "XTASK_BAKE_JOBS" "0" Type::Number,
        "builds and tests at the same time; 0: one per extension, at most eight";
    SBOM "bake.sbom" "XTASK_BAKE_SBOM" "auto" Type::OneOf(&["auto", "always", "never"]),
        "the SBOM attestation; auto: not in the sandbox, which may not reach the scanner's image";
    SMOKE_MOUNT "smoke.mount" "XTASK_SMOKE_MOUNT" "auto" Type::OneOf(&["auto", "image", "copy"]),
        "how smoke puts an extension's files into the server; auto: `image` with Docker 28, else `copy`";
    SMOKE_TIMEOUT "smoke.timeout" "XTASK_SMOKE_TIMEOUT" "180" Type::Number,
        "seconds that one smoke test may take";
    E2E_NAME "e2e.name" "XTASK_E2E_NAME" "pg-extensions" Type::Text,
        "the name of the end-to-end environment: of its network, registry and cluster";
    E2E_NODES "e2e.nodes" "XTASK_E2E_NODES" "1" Type::Number,
        "nodes of the kind cluster; the first is the control plane";
    E2E_SEED "e2e.seed" "XTASK_E2E_SEED" "" Type::List,
        "images of the engine that are pushed to the local registry, where the nodes find them under their own names";
    E2E_SUITES "e2e.suites" "XTASK_E2E_SUITES" "0" Type::Number,
        "suites at the same time; 0: two, and one more for every two processors";
    MIRRORS "mirrors" "XTASK_MIRRORS" "" Type::Map,
        "registries that the nodes take images from in place of others: `ghcr.io=https://mirror.example`";
    CREDENTIALS_HOST "credentials.host" "REGISTRY_HOST" "" Type::Text,
        "a private registry that the nodes log in to; the password comes from the environment variable `REGISTRY_PASSWORD` alone";
    CREDENTIALS_USERNAME "credentials.username" "REGISTRY_USERNAME" "" Type::Text,
        "the user for the private registry";
    CNPG_RELEASE "cnpg.release" "XTASK_CNPG_RELEASE" "1.30" Type::Text,
        "the operator's release: `main`, `X.Y`, `X.Y.Z`, or the path or URL of a manifest";
    CNPG_MANIFEST "cnpg.manifest" "XTASK_CNPG_MANIFEST" "" Type::Text,
        "path or URL of the operator's manifest, `{release}` is replaced; empty: where CloudNativePG publishes it";
    CLUSTER_KUBECONFIG "cluster.kubeconfig" "XTASK_CLUSTER_KUBECONFIG" "" Type::Text,
        "an existing cluster to use in place of kind: its kubeconfig";
    CLUSTER_CONTEXT "cluster.context" "XTASK_CLUSTER_CONTEXT" "" Type::Text,
        "the context in that kubeconfig; empty: its current one";
    CLUSTER_REGISTRY "cluster.registry" "XTASK_CLUSTER_REGISTRY" "" Type::Text,
        "what an existing cluster calls the registry that images are pushed to; empty: the same";
    SANDBOX_FOLDER "sandbox.folder" "XTASK_SANDBOX_FOLDER" "" Type::Text,
        "where the sandbox lives; empty: xtask-sandbox in the user's cache folder";
    SANDBOX_BASE "sandbox.base" "XTASK_SANDBOX_BASE" "auto" Type::OneOf(&["auto", "published", "debian"]),
        "base images in the sandbox; auto: the published ones, or Debian's packages where they cannot be had";
    SANDBOX_SUITE "sandbox.suite" "XTASK_SANDBOX_SUITE" "forky" Type::Text,
        "the Debian suite of the sandbox and of its base image";
    SANDBOX_MIRROR "sandbox.mirror" "XTASK_SANDBOX_MIRROR" "" Type::Text,
        "the Debian mirror; empty: the one that this machine's apt uses";
    DISK_WARNING "disk.warning" "XTASK_DISK_WARNING" "5" Type::Number,
        "warn when the engine's disk has less than this many GiB left";
}

/// The bake file of the old tooling, at the root, with the extensions beside it.
pub(crate) const OLD_BAKE_FILE: &str = "docker-bake.hcl";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    /// Found out from the files of the repository.
    Layout(&'static str),
    File(usize),
    Environment(&'static str),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Layout(file) => write!(f, "layout: {file}"),
            Origin::File(line) => write!(f, "xtask.toml:{line}"),
            Origin::Environment(name) => write!(f, "environment variable {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Every setting's value.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    values: BTreeMap<&'static str, (String, Origin)>,
}

/// A setting as `config --json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    pub key: &'static str,
    pub value: String,
    pub origin: String,
    pub env: &'static str,
    pub about: &'static str,
}

impl Config {
    /// Reads `root/xtask.toml` if it is there, then the environment.
    pub(crate) fn load(
        root: &Path,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> anyhow::Result<Self> {
        let path = root.join("xtask.toml");
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Failure::invalid(error.to_string()).into()),
        };
        let mut config = Self {
            values: SETTINGS
                .iter()
                .map(|setting| (setting.key, (setting.default.to_owned(), Origin::Default)))
                .collect(),
        };
        // A repository of the old tooling needs no xtask.toml: its bake file shows what it is.
        let default = SETTINGS
            .iter()
            .find(|setting| setting.key == PATHS_BAKE_FILE);
        let own = default.is_some_and(|setting| root.join(setting.default).exists());
        if !own && root.join(OLD_BAKE_FILE).is_file() {
            for (key, value) in [(PATHS_EXTENSIONS, "."), (PATHS_BAKE_FILE, OLD_BAKE_FILE)] {
                config
                    .values
                    .insert(key, (value.to_owned(), Origin::Layout(OLD_BAKE_FILE)));
            }
        }
        config.read_file(&text)?;
        for setting in SETTINGS {
            if let Some(value) = env(setting.env) {
                let value = value.into_string().map_err(|_| {
                    Failure::invalid(format!(
                        "environment variable `{}` is not UTF-8",
                        setting.env
                    ))
                })?;
                // What a shell leaves behind when a variable is emptied means "not set".
                if !value.is_empty() {
                    config.put(setting, value, Origin::Environment(setting.env))?;
                }
            }
        }
        Ok(config)
    }

    fn read_file(&mut self, text: &str) -> Result<(), Failure> {
        let line_at = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
        let table = toml::de::DeTable::parse(text).map_err(|error| {
            let line = line_at(error.span().map_or(0, |span| span.start));
            Failure::invalid(format!("`xtask.toml` line {line}: {}", error.message()))
        })?;
        let mut pending: Vec<(String, usize, &toml::de::DeValue)> = table
            .get_ref()
            .iter()
            .map(|(key, value)| {
                (
                    key.get_ref().to_string(),
                    line_at(key.span().start),
                    value.get_ref(),
                )
            })
            .collect();
        while let Some((key, line, value)) = pending.pop() {
            let setting = SETTINGS.iter().find(|setting| setting.key == key);
            let kind = setting.map(|setting| setting.kind);
            let text = match value {
                toml::de::DeValue::Table(table) if kind == Some(Type::Map) => joined(
                    &key,
                    line,
                    table.iter().map(|(name, value)| {
                        let value = value.get_ref().as_str()?;
                        Some(format!("{}={value}", name.get_ref()))
                    }),
                )?,
                toml::de::DeValue::Array(items) if kind == Some(Type::List) => joined(
                    &key,
                    line,
                    items
                        .iter()
                        .map(|item| item.get_ref().as_str().map(str::to_owned)),
                )?,
                toml::de::DeValue::Table(table) => {
                    pending.extend(table.iter().map(|(name, value)| {
                        let path = format!("{key}.{}", name.get_ref());
                        (path, line_at(name.span().start), value.get_ref())
                    }));
                    continue;
                }
                toml::de::DeValue::String(text) => text.to_string(),
                toml::de::DeValue::Integer(number) => number.to_string(),
                _ => {
                    return Err(Failure::invalid(format!(
                        "`xtask.toml` line {line}: `{key}` must be a string or a whole number"
                    )));
                }
            };
            let Some(setting) = setting else {
                let meant = did_you_mean(&key, SETTINGS.iter().map(|setting| setting.key));
                return Err(Failure::invalid(format!(
                    "`xtask.toml` line {line}: unknown setting `{key}`{meant}"
                ))
                .hint("`cargo xtask config` lists every setting"));
            };
            self.put(setting, text, Origin::File(line))?;
        }
        Ok(())
    }

    fn put(&mut self, setting: &Setting, value: String, origin: Origin) -> Result<(), Failure> {
        let wrong = |wanted: String| {
            Failure::invalid(format!(
                "setting `{}` is `{value}` ({origin}); it must be {wanted}",
                setting.key
            ))
        };
        match setting.kind {
            Type::Number => {
                value
                    .parse::<u32>()
                    .map_err(|_| wrong("a whole number".into()))?;
            }
            Type::OneOf(allowed) if !allowed.contains(&value.as_str()) => {
                let names: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
                return Err(wrong(format!("one of {}", names.join(", "))));
            }
            Type::Map => {
                for pair in items(&value) {
                    if !pair
                        .split_once('=')
                        .is_some_and(|(name, value)| !name.is_empty() && !value.is_empty())
                    {
                        return Err(wrong("`name=value`, comma-separated".into()));
                    }
                }
            }
            Type::Text | Type::OneOf(_) | Type::List => {}
        }
        self.values.insert(setting.key, (value, origin));
        Ok(())
    }

    /// A flag's value wins over everything. `key` is one of this module's constants.
    pub(crate) fn set_flag(
        &mut self,
        key: &str,
        flag: &'static str,
        value: Option<&str>,
    ) -> Result<(), Failure> {
        match (value, SETTINGS.iter().find(|setting| setting.key == key)) {
            (Some(value), Some(setting)) => self.put(setting, value.to_owned(), Origin::Flag(flag)),
            _ => Ok(()),
        }
    }

    /// The value of a setting; `key` is one of this module's constants.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.values.get(key).map_or("", |(value, _)| value)
    }

    /// A number setting; the value was checked when it was put in.
    pub(crate) fn number(&self, key: &str) -> u32 {
        self.get(key).parse().unwrap_or_default()
    }

    /// The texts of a list setting.
    pub(crate) fn list(&self, key: &str) -> Vec<&str> {
        items(self.get(key)).collect()
    }

    /// The pairs of a map setting; they were checked when they were put in.
    pub(crate) fn map(&self, key: &str) -> Vec<(&str, &str)> {
        items(self.get(key))
            .filter_map(|pair| pair.split_once('='))
            .collect()
    }

    pub(crate) fn is_default(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some((_, Origin::Default)))
    }

    pub(crate) fn origin_is_flag(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some((_, Origin::Flag(_))))
    }

    /// The builder to name; None: the one that buildx has selected.
    pub(crate) fn builder(&self) -> Option<&str> {
        Some(self.get(BUILDER)).filter(|name| !name.is_empty())
    }

    /// What bake reads from its environment, where it differs from bake's own defaults.
    pub(crate) fn bake_variables(&self) -> Vec<(&'static str, &str)> {
        let mut variables = vec![("registry", self.get(REGISTRY))];
        for key in [ENVIRONMENT, REVISION, BASE_IMAGE] {
            if let (false, Some(setting)) = (
                self.is_default(key),
                SETTINGS.iter().find(|setting| setting.key == key),
            ) {
                variables.push((setting.env, self.get(key)));
            }
        }
        variables
    }

    pub(crate) fn shown(&self) -> Vec<Shown> {
        let shown = |setting: &Setting| {
            let (value, origin) = self.values.get(setting.key)?;
            Some(Shown {
                key: setting.key,
                value: value.clone(),
                origin: origin.to_string(),
                env: setting.env,
                about: setting.about,
            })
        };
        SETTINGS.iter().filter_map(shown).collect()
    }
}

/// What is in a comma-separated text.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// A list or a table of `xtask.toml` as one text; an element that is no text is refused.
fn joined(
    key: &str,
    line: usize,
    elements: impl Iterator<Item = Option<String>>,
) -> Result<String, Failure> {
    let texts: Option<Vec<String>> = elements.collect();
    match texts {
        Some(texts) if texts.iter().all(|text| !text.contains(',')) => Ok(texts.join(",")),
        _ => Err(Failure::invalid(format!(
            "`xtask.toml` line {line}: `{key}` holds strings, without commas"
        ))),
    }
}

#[cfg(test)]
mod tests;
