// SPDX-License-Identifier: Apache-2.0
//! The sections of the documents that say more about a failure than a hint can: the one place that knows where they are.

/// A section of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// What has to be there before anything runs.
    Begin,
    /// Builders, and what they must be able to do.
    Builders,
    /// What each field of `metadata.hcl` is.
    Metadata,
    /// Where images are pushed to.
    Push,
    /// What takes the disk's space.
    Disk,
    /// The private engine.
    Sandbox,
    /// PostgreSQL images, published or made.
    BaseImages,
    /// Tests on a cluster.
    Cluster,
    /// Registries that want a login of the cluster's nodes.
    PrivateRegistry,
    /// Machines that reach little.
    ClosedNetwork,
    Proxy,
    /// Promotion to another registry.
    Promote,
    Signatures,
    /// Extensions that are compiled.
    Source,
    Settings,
    /// A repository that is to be driven by this program.
    Repository,
}

impl Section {
    #[cfg(test)]
    const ALL: [Self; 16] = [
        Self::Begin,
        Self::Builders,
        Self::Metadata,
        Self::Push,
        Self::Disk,
        Self::Sandbox,
        Self::BaseImages,
        Self::Cluster,
        Self::PrivateRegistry,
        Self::ClosedNetwork,
        Self::Proxy,
        Self::Promote,
        Self::Signatures,
        Self::Source,
        Self::Settings,
        Self::Repository,
    ];

    /// The document, below the root of the program's own repository, and the heading in it.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Begin => "BUILD.md#before-you-start",
            Self::Builders => "docs/bake.md#builders-and-the-cache",
            Self::Metadata => "docs/smoke.md#the-test-in-a-real-server",
            Self::Push => "docs/bake.md#push-all-images",
            Self::Disk => "docs/bake.md#disk",
            Self::Sandbox => "docs/sandbox.md#the-sandbox",
            Self::BaseImages => "docs/sandbox.md#base-images",
            Self::Cluster => "docs/cluster-tests.md#tests-on-a-cluster",
            Self::PrivateRegistry => "docs/cluster-tests.md#a-private-registry",
            Self::ClosedNetwork => "docs/cluster-tests.md#a-closed-network",
            Self::Proxy => "docs/cluster-tests.md#behind-a-proxy",
            Self::Promote => "docs/release.md#promote",
            Self::Signatures => "docs/release.md#sign-and-verify",
            Self::Source => "docs/extensions.md#what-debian-does-not-package",
            Self::Settings => "docs/configuration.md#configuration",
            Self::Repository => "docs/repository.md#another-repository",
        }
    }

    /// Where anybody can read it, also in another repository.
    pub(crate) fn address(self) -> String {
        format!(
            "{}/blob/main/{}",
            env!("CARGO_PKG_REPOSITORY"),
            self.place()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What a heading is called in a link.
    fn anchor(heading: &str) -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    }

    #[test]
    fn every_section_that_is_named_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for section in Section::ALL {
            let (file, heading) = section.place().split_once('#').unwrap();
            let text = std::fs::read_to_string(root.join(file)).unwrap();
            let mut headings = text.lines().filter(|line| line.starts_with('#'));
            let there = headings.any(|line| anchor(line) == heading);
            assert!(there, "{file} has no heading for `{heading}`");
        }
    }
}
