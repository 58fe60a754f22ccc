// SPDX-License-Identifier: Apache-2.0
//! Keeps the engine's disk bounded: of the timestamped tags that bakes leave behind, only the newest stays.

use std::fmt;

use super::{Cmd, shell};

/// The timestamped tags of one target, of which only the newest is worth its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// `registry/name`, without a tag.
    pub repository: String,
    /// What stands before the twelve digits of the time: `0.8.6-`.
    pub prefix: String,
    /// What stands behind them: `-18-trixie`.
    pub suffix: String,
}

impl Rotation {
    /// Whether `tag` is one of these.
    pub(crate) fn covers(&self, tag: &str) -> bool {
        tag.strip_prefix(&self.prefix)
            .and_then(|rest| rest.strip_suffix(&self.suffix))
            .is_some_and(|time| time.len() == 12 && time.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The references to drop, given the repository's tags: all that are covered but the newest.
    pub(crate) fn superseded<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut own: Vec<&str> = tags.into_iter().filter(|tag| self.covers(tag)).collect();
        own.sort_unstable();
        own.dedup();
        own.pop();
        own.iter()
            .map(|tag| format!("{}:{tag}", self.repository))
            .collect()
    }

    /// Lists the repository's tags, one a line.
    pub(crate) fn list(&self) -> Cmd {
        Cmd::new("docker", format!("list the images of {}", self.repository))
            .args(["image", "ls", "--format", "{{.Tag}}", "--"])
            .arg(&self.repository)
    }

    pub(crate) fn remove(references: &[String]) -> Cmd {
        Cmd::new("docker", "drop superseded images")
            .args(["image", "rm", "--"])
            .args(references)
    }
}

/// Prints as a pipe that removes the same images in one call, without a pattern that a value could break.
impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} | LC_ALL=C sort -u | (set --; newest=; while IFS= read -r tag; do case $tag in {}{}{}) \
             [ -z \"$newest\" ] || set -- \"$@\" {}:\"$newest\"; newest=$tag ;; esac; done; \
             [ $# -eq 0 ] || docker image rm -- \"$@\")",
            self.list(),
            shell::word(&self.prefix),
            "[0-9]".repeat(12),
            shell::word(&self.suffix),
            shell::word(&self.repository)
        )
    }
}
