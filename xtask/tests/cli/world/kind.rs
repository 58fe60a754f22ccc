// SPDX-License-Identifier: Apache-2.0
//! The fake kind, and the cluster that it makes when nothing else is said.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{image::architecture, tools::Tools};

const KIND: &str = include_str!("fakes/kind.sh");

pub(crate) const CLUSTER: &str = "pg-extensions-v1.36.1";
pub(crate) const CONTROL_PLANE: &str = "pg-extensions-v1.36.1-control-plane";

pub(crate) struct Kind {
    folder: PathBuf,
}

impl Kind {
    pub(super) fn in_fakes(fakes: &Path) -> Self {
        let folder = fakes.join("kind");
        fs::create_dir(&folder).unwrap();
        let kind = Self { folder };
        kind.version("0.32.0\n");
        fs::write(
            kind.folder.join("architecture"),
            format!("{}\n", architecture()),
        )
        .unwrap();
        kind
    }

    pub(super) fn put_on_path(tools: &Tools) {
        tools.fake("kind", KIND);
    }

    pub(crate) fn version(&self, version: &str) {
        fs::write(self.folder.join("version"), version).unwrap();
    }
}
