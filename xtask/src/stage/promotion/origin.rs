// SPDX-License-Identifier: Apache-2.0
//! Where an image comes from that goes to a registry, and how that is asked about the image.

use std::fmt;

use crate::{
    exec::Exec,
    failure::Failure,
    image::ImageRef,
    plan::{Cmd, Location},
    stage::pushed::PATIENCE,
    tool::oras,
    value::Digest,
};

/// Where the one is that is copied.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// By its digest.
    Registry(ImageRef),
    /// A folder in OCI's layout.
    Layout(Location),
}

impl Origin {
    /// Reads a manifest of the image.
    pub(crate) fn manifest(&self, digest: &Digest, exec: &dyn Exec) -> Result<String, Failure> {
        let cmd = match self {
            Self::Registry(image) => oras::manifest_cmd(&image.by_digest(digest)),
            Self::Layout(folder) => oras::manifest_in_layout_cmd(folder, digest),
        };
        self.read(&cmd, digest, exec)
    }

    fn read(&self, cmd: &Cmd, digest: &Digest, exec: &dyn Exec) -> Result<String, Failure> {
        let read = exec.read(cmd, Some(PATIENCE));
        read.map_err(|failed| {
            if oras::is_absent(&failed) {
                lost(&format!("{self}@{digest}"))
            } else {
                failed.into()
            }
        })
    }

    /// Asks what refers to one of its manifests; [`oras::parse_referrers`] reads the answer.
    pub(super) fn discover(&self, digest: &Digest, exec: &dyn Exec) -> Result<String, Failure> {
        let cmd = match self {
            Self::Registry(image) => oras::discover_cmd(&image.by_digest(digest)),
            Self::Layout(folder) => oras::discover_in_layout_cmd(folder, digest),
        };
        self.read(&cmd, digest, exec)
    }
}

/// That a part of an image is not where the image is.
pub(super) fn lost(part: &str) -> Failure {
    Failure::failed(format!("`{part}`, a part of the image, is not there")).hint(
        "the registry has lost it, and a copy takes for whole what has a manifest: delete the image there, and run the command again",
    )
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(image) => f.write_str(&image.repository),
            Self::Layout(folder) => write!(f, "{}", folder.display()),
        }
    }
}
