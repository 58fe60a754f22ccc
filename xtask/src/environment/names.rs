// SPDX-License-Identifier: Apache-2.0
//! What the parts of an environment are called: by its own name, where the settings give them no other.

use sha2::{Digest, Sha256};

use crate::{
    config::{self, Config, Key},
    tool::version,
    value::hex,
};

/// A namespace is a label of DNS.
const LONGEST_LABEL: usize = 63;

/// The name of a namespace for what is called `text`, between `before` and `behind`, which are parts of such a name. Two
/// texts that differ have two names, though a label of DNS knows small letters, digits and `-` alone, and has an end.
pub(crate) fn namespace(before: &str, text: &str, behind: &str) -> String {
    let lower = text.to_lowercase();
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let mut part: String = lower.chars().map(safe).collect();
    let room = LONGEST_LABEL.saturating_sub(before.len() + behind.len());
    // Extension and server stand apart by a blank, which nothing else has.
    let is_said = |c: char| c == ' ' || c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit();
    if part.len() > room || !text.chars().all(is_said) {
        let digest = hex(&Sha256::digest(text)[..4]);
        part.truncate(room.saturating_sub(digest.len() + 1));
        part = format!("{part}-{digest}");
    }
    format!("{before}{part}{behind}")
}

/// The names of an environment and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// Of the environment itself; what it has made is labelled with it.
    pub environment: String,
    pub network: String,
    /// Of the registry's container, by which the nodes find it, and of its volume.
    pub registry: String,
    /// None: the environment's, with the version of Kubernetes.
    cluster: Option<String>,
}

impl Names {
    /// The names that the settings give.
    pub(crate) fn of(config: &Config) -> Self {
        let environment = config.get(config::E2E_NAME).to_owned();
        let given =
            |key: Key<String>| Some(config.get(key).to_owned()).filter(|name| !name.is_empty());
        Self {
            network: given(config::E2E_NETWORK).unwrap_or_else(|| format!("{environment}-e2e")),
            registry: given(config::E2E_REGISTRY)
                .unwrap_or_else(|| format!("registry.{environment}")),
            cluster: given(config::E2E_CLUSTER),
            environment,
        }
    }

    /// The kind cluster with that version of Kubernetes, `v1.36.1`.
    pub(crate) fn cluster(&self, kubernetes: &str) -> String {
        let by_version = || format!("{}-{kubernetes}", self.environment);
        self.cluster.clone().unwrap_or_else(by_version)
    }

    /// Whether a kind cluster of the environment may be called so, whatever its version.
    pub(crate) fn has(&self, cluster: &str) -> bool {
        match &self.cluster {
            Some(name) => name == cluster,
            None => self.version_of(cluster).is_some(),
        }
    }

    /// The version of Kubernetes (`v1.36.1`) in the name of a cluster; None when it is called otherwise.
    pub(crate) fn version_of<'a>(&self, cluster: &'a str) -> Option<&'a str> {
        if self.cluster.is_some() {
            return None;
        }
        let version = cluster.strip_prefix(&self.environment)?.strip_prefix('-')?;
        let number = version.strip_prefix('v')?;
        version::is_version(number).then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_namespaces_differ_where_the_texts_do() {
        let of = |text: &str| namespace("xtask-", text, "-own-0123abcd");
        assert_eq!(
            of("pgvector 18-trixie"),
            "xtask-pgvector-18-trixie-own-0123abcd"
        );
        let long = "x".repeat(59);
        let texts = [
            "pg-ivm 18-trixie",
            "pg_ivm 18-trixie",
            "a-b_c 18-trixie",
            "a_b-c 18-trixie",
            &format!("{long} 18-trixie"),
            &format!("{long} 18-bookworm"),
        ];
        let names: Vec<String> = texts.iter().map(|text| of(text)).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(name.len() <= LONGEST_LABEL && !name.contains('_'), "{name}");
            assert!(!names[..at].contains(name), "{name}");
        }
    }

    #[test]
    fn one_name_is_enough_and_each_part_may_have_its_own() {
        let config = Config::defaults();
        let names = Names::of(&config);
        assert_eq!(names.network, "pg-extensions-e2e");
        assert_eq!(names.registry, "registry.pg-extensions");
        let cluster = names.cluster("v1.36.1");
        assert_eq!(cluster, "pg-extensions-v1.36.1");
        assert!(names.has(&cluster) && !names.has("pg-extensions") && !names.has("mine"));
        assert_eq!(names.version_of(&cluster), Some("v1.36.1"));
        let said = [
            "e2e.network=net_1",
            "e2e.registry=registry.mine",
            "e2e.cluster=mine",
        ];
        let config = config.with_said(&said.map(str::to_owned)).unwrap();
        let names = Names::of(&config);
        assert_eq!(
            (names.network.as_str(), names.registry.as_str()),
            ("net_1", "registry.mine")
        );
        assert_eq!(names.cluster("v1.36.1"), "mine");
        assert!(names.has("mine") && !names.has(&cluster));
        assert_eq!(names.version_of(&cluster), None);
    }
}
