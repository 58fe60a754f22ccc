// SPDX-License-Identifier: Apache-2.0
//! A checkout whose commands are disturbed: a clone under git, with a folder for temporary files of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{processes::MARK, task::Task};
use crate::lab::Lab;

/// The environment's name, beside those of a developer and of the e2e lane.
const NAME: &str = "xtask-kill";

pub(crate) struct Checkout {
    pub(crate) lab: Lab,
    /// The sandbox that is made and stopped in rounds of its own; None where there is no sandbox.
    spare: Option<PathBuf>,
}

impl Checkout {
    pub(crate) fn new(spare: Option<PathBuf>) -> Self {
        let checkout = Self {
            lab: Lab::new(),
            spare,
        };
        fs::write(checkout.path().join(".gitignore"), "target/\n").unwrap();
        fs::create_dir_all(checkout.temporary()).unwrap();
        for args in ["init --quiet", "add .", "commit --quiet --message all"] {
            let git = Command::new("git")
                .args([
                    "-c",
                    "user.name=nobody",
                    "-c",
                    "user.email=nobody@example.org",
                ])
                .args(args.split(' '))
                .current_dir(checkout.path())
                .status();
            assert!(git.unwrap().success(), "git {args}");
        }
        checkout
    }

    pub(crate) fn path(&self) -> &Path {
        self.lab.repository.path()
    }

    /// Where programs put temporary files: whatever stays there is left behind.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.path().join("target/temporary")
    }

    /// A call of xtask for a round, which `mark` names.
    pub(crate) fn command(&self, args: &[&str], of_spare: bool, mark: &str) -> Command {
        let mut command = self.lab.command(args);
        command
            .env("XTASK_E2E_NAME", NAME)
            .env("TMPDIR", self.temporary())
            .env(MARK, mark);
        if let (Some(folder), true) = (&self.spare, of_spare) {
            command
                .env("XTASK_SANDBOX_FOLDER", folder)
                // Base images are made in the other one: here they would double the time.
                .env("XTASK_SANDBOX_BASE", "published");
        }
        command
    }

    pub(crate) fn task(&self, task: Task, mark: &str) -> Command {
        self.command(task.args(), task.is_of_spare_sandbox(), mark)
    }
}
