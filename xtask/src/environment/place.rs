// SPDX-License-Identifier: Apache-2.0
//! Where the tests run: on a kind cluster of our own, or on a cluster that is there.

use std::path::PathBuf;

use crate::{
    config::{self, Config},
    failure::Failure,
    image::ImageRef,
    tool::{docker, kubectl::ClusterAccess},
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

impl Place {
    /// The cluster of a kubeconfig, in its current context when none is named; without a kubeconfig our own.
    pub(crate) fn choose(
        config: &Config,
        kubeconfig: &str,
        context: &str,
    ) -> Result<Self, Failure> {
        let context = Some(context).filter(|name| !name.is_empty());
        if !kubeconfig.is_empty() {
            return Ok(Place::Existing(ClusterAccess {
                kubeconfig: PathBuf::from(kubeconfig),
                context: context.map(str::to_owned),
            }));
        }
        if let Some(context) = context {
            return Err(
                Failure::invalid(format!("context `{context}` needs a kubeconfig"))
                    .hint("add `--kubeconfig FILE`"),
            );
        }
        Self::kind(config)
    }

    /// Our own kind cluster, as the settings want it.
    pub(crate) fn kind(config: &Config) -> Result<Self, Failure> {
        let node_image: ImageRef = config.get(config::NODE_IMAGE).parse()?;
        let tag = node_image.tag.clone();
        let kubernetes = tag
            .filter(|tag| tag.starts_with('v') && docker::is_version(&tag[1..]))
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
