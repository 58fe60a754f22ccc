// SPDX-License-Identifier: Apache-2.0
//! Things of the engine that are ours: told by a label, never by a name alone.

use std::fmt;

use super::Cmd;

/// What an engine holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Container,
    Network,
    Volume,
}

/// Containers, networks or volumes to remove: those that carry every label and, when it is given, have
/// exactly this name or are on this network or have a mount in this place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owned {
    pub kind: Kind,
    /// `name=value`, or `name` alone, whatever its value; at least one.
    pub labels: Vec<String>,
    pub name: Option<String>,
    pub network: Option<String>,
    /// Where something is mounted in the container.
    pub mount: Option<String>,
    /// As a verb phrase: `remove the registry`.
    pub purpose: String,
}

impl Owned {
    pub(crate) fn new(kind: Kind, label: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self {
            kind,
            labels: vec![label.into()],
            name: None,
            network: None,
            mount: None,
            purpose: purpose.into(),
        }
    }

    /// Those of them that carry this label too.
    #[must_use]
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.labels.push(label.into());
        self
    }

    #[must_use]
    pub(crate) fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    #[must_use]
    pub(crate) fn network(mut self, name: impl Into<String>) -> Self {
        self.network = Some(name.into());
        self
    }

    #[must_use]
    pub(crate) fn mount(mut self, place: impl Into<String>) -> Self {
        self.mount = Some(place.into());
        self
    }

    /// Lists what is meant, one a line.
    pub(crate) fn list(&self) -> Cmd {
        let words: &[&str] = match self.kind {
            Kind::Container => &["ps", "--all", "--quiet", "--no-trunc"],
            Kind::Network => &["network", "ls", "--quiet", "--no-trunc"],
            Kind::Volume => &["volume", "ls", "--quiet"],
        };
        let mut list = Cmd::new("docker", format!("{}: look for it", self.purpose)).args(words);
        for label in &self.labels {
            list = list.args(["--filter", &format!("label={label}")]);
        }
        if let Some(name) = &self.name {
            let exact = format!("name=^{}$", name.replace('.', "[.]"));
            list = list.args(["--filter", &exact]);
        }
        if let Some(network) = &self.network {
            list = list.args(["--filter", &format!("network={network}")]);
        }
        if let Some(mount) = &self.mount {
            list = list.args(["--filter", &format!("volume={mount}")]);
        }
        list
    }

    /// What stands in the answer to [`Owned::list`]: an identity is one word, and a volume's is its name.
    pub(crate) fn listed(&self, text: &str) -> Vec<String> {
        let is_word = |line: &&str| {
            let byte = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            !line.is_empty() && !line.starts_with('-') && line.bytes().all(byte)
        };
        let is_meant = |line: &&str| {
            self.kind != Kind::Volume || self.name.as_deref().is_none_or(|name| name == *line)
        };
        let lines = text.lines().map(str::trim);
        lines
            .filter(is_word)
            .filter(is_meant)
            .map(str::to_owned)
            .collect()
    }

    /// Removes what [`Owned::list`] has listed.
    pub(crate) fn remove(&self, listed: &[String]) -> Cmd {
        self.removal().args(listed)
    }

    fn removal(&self) -> Cmd {
        let words: &[&str] = match self.kind {
            Kind::Container => &["rm", "--force", "--volumes", "--"],
            Kind::Network => &["network", "rm", "--"],
            Kind::Volume => &["volume", "rm", "--"],
        };
        Cmd::new("docker", &self.purpose).args(words)
    }
}

impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | xargs -r {}", self.list(), self.removal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_both_labels_is_meant_and_only_a_word_is_an_identity() {
        let owned = Owned::new(Kind::Container, "a=1", "remove it").label("b");
        let list = "docker ps --all --quiet --no-trunc --filter label=a=1 --filter label=b";
        let removal = "docker rm --force --volumes --";
        assert_eq!(owned.to_string(), format!("{list} | xargs -r {removal}"));
        let listed = owned.listed("0123abcdef\n\n-f\n0123 abcd\n ff00 \n");
        assert_eq!(listed, ["0123abcdef", "ff00"]);
    }
}
