// SPDX-License-Identifier: Apache-2.0
//! What becomes of the suites that the fake chainsaw is told to run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::tools::Tools;

const CHAINSAW: &str = include_str!("fakes/chainsaw.sh");

pub(crate) struct Chainsaw {
    folder: PathBuf,
}

impl Chainsaw {
    pub(super) fn in_fakes(fakes: &Path) -> Self {
        let folder = fakes.join("chainsaw");
        fs::create_dir(&folder).unwrap();
        // For the containers of the fake docker.
        fs::write(fakes.join("chainsaw.sh"), CHAINSAW).unwrap();
        Self { folder }
    }

    pub(super) fn put_on_path(tools: &Tools) {
        tools.fake("chainsaw", CHAINSAW);
    }

    /// Lets the suites whose report is called so, `shared-suite-of-alpha` say, print this and fail.
    pub(crate) fn fails(&self, report: &str, said: &str) {
        fs::write(self.folder.join(format!("fails.{report}")), said).unwrap();
    }

    /// Lets them pass again.
    pub(crate) fn passes(&self, report: &str) {
        fs::remove_file(self.folder.join(format!("fails.{report}"))).unwrap();
    }

    /// How long each suite takes, in seconds.
    pub(crate) fn takes(&self, seconds: &str) {
        fs::write(self.folder.join("seconds"), format!("{seconds}\n")).unwrap();
    }

    /// The values that the suite with this report was given.
    pub(crate) fn values_of(&self, report: &str) -> String {
        fs::read_to_string(self.folder.join("values").join(report)).unwrap()
    }

    /// How many were running whenever one began.
    pub(crate) fn at_once(&self) -> Vec<usize> {
        let text = fs::read_to_string(self.folder.join("counts")).unwrap();
        text.lines()
            .map(|line| line.trim().parse().unwrap())
            .collect()
    }
}
