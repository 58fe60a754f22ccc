// SPDX-License-Identifier: Apache-2.0
//! Where the tests run: on a kind cluster of our own, or on a cluster that is there.

use std::str::FromStr;

use crate::{
    config::{self, Config},
    failure::Failure,
    image::ImageRef,
    tool::{kubectl::ClusterAccess, version::is_version},
};

/// Where the tests run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Kind {
        node_image: ImageRef,
        /// `v1.36.1`.
        kubernetes: String,
        nodes: u32,
    },
    Existing(ClusterAccess),
}

/// A version of Kubernetes, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KubernetesVersion {
    /// As the tags of node images are: `v1.36.1`.
    tag: String,
}

impl FromStr for KubernetesVersion {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let version = text.trim_start_matches('v');
        if !is_version(version) || version.matches('.').count() != 2 {
            return Err(
                Failure::invalid(format!("`{version}` is not a version of Kubernetes"))
                    .hint("write it in full, as the tags of `kindest/node` are: `1.36.1`"),
            );
        }
        Ok(Self {
            tag: format!("v{version}"),
        })
    }
}

impl Place {
    /// Our own kind cluster, as the settings want it, of the version that is named where one is.
    pub(crate) fn kind(
        config: &Config,
        version: Option<&KubernetesVersion>,
    ) -> Result<Self, Failure> {
        let mut node_image: ImageRef = config.get(config::NODE_IMAGE).parse()?;
        // Of the version that the setting names, the digest is known.
        let other = version.filter(|version| node_image.tag.as_ref() != Some(&version.tag));
        if let Some(KubernetesVersion { tag }) = other {
            node_image = ImageRef {
                tag: Some(tag.clone()),
                digest: None,
                ..node_image
            };
        }
        let tag = node_image.tag.clone();
        let kubernetes = tag
            .filter(|tag| tag.starts_with('v') && is_version(&tag[1..]))
            .ok_or_else(|| {
                Failure::invalid(format!(
                    "the node image `{node_image}` does not say its version of Kubernetes"
                ))
                .hint("its tag must be the version, as in `kindest/node:v1.36.1`")
            })?;
        Ok(Place::Kind {
            node_image,
            kubernetes,
            nodes: config.get(config::E2E_NODES),
        })
    }
}
