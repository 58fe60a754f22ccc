// SPDX-License-Identifier: Apache-2.0
//! Questions to Debian's archive, asked in the base image of a target: there its packages are installed when it is built,
//! with the sources that the base image has.

use crate::{
    image::ImageRef,
    own::RunId,
    plan::{Cmd, Kind, Owned},
    target::Target,
    tool::docker::RUN_LABEL,
    value::Platform,
};

/// A script that asks, in a container of its own.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    /// What the container's name begins with behind `xtask-`, and what the script is called in its messages.
    pub kind: &'static str,
    /// What it is about, as the rest of the container's name.
    pub about: String,
    /// What it is asked for, for people.
    pub purpose: String,
    /// Run by `sh` as root. What it prints is the answer.
    pub script: &'a str,
}

impl Question<'_> {
    /// The command for a target; the script's arguments are to be added to it.
    pub(crate) fn cmd(&self, run: &RunId, target: &Target) -> Cmd {
        self.cmd_in(run, &target.base, target.platforms.first())
    }

    /// The same in a base image, on a platform; None: the engine's own.
    pub(crate) fn cmd_in(&self, run: &RunId, base: &ImageRef, platform: Option<&Platform>) -> Cmd {
        let cmd = Cmd::new("docker", &self.purpose)
            .args(["run", "--rm", "--user", "0", "--entrypoint", "sh"])
            .args(["--name", &self.container(run), "--label", &label(run)]);
        let cmd = match platform {
            Some(platform) => cmd.args(["--platform", &platform.to_string()]),
            None => cmd,
        };
        cmd.arg("--")
            .arg(base.to_string())
            .args(["-c", self.script, self.kind])
    }

    /// Removes the container of a command that was ended.
    pub(crate) fn removal(&self, run: &RunId) -> Owned {
        let owned = Owned::new(Kind::Container, label(run), "remove the container");
        owned.name(self.container(run))
    }

    fn container(&self, run: &RunId) -> String {
        format!("xtask-{}-{}-{}", self.kind, run.short(), self.about)
    }
}

fn label(run: &RunId) -> String {
    format!("{RUN_LABEL}={run}")
}
