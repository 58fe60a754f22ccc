// SPDX-License-Identifier: Apache-2.0
//! Keeps the engine's disk bounded: of the timestamped tags that bakes leave behind, only the newest stays.

use std::fmt;

use super::Stamped;
use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    plan::{Cmd, Console, Performed, Work, shell},
};

/// Drops the timestamped tags of one target, of which only the newest is worth its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rotation(pub Stamped);

impl Rotation {
    /// The references to drop, given the repository's tags: all that are covered but the newest.
    pub(crate) fn superseded<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut own = self.0.of(tags);
        own.pop();
        own.iter()
            .map(|tag| format!("{}:{tag}", self.0.repository))
            .collect()
    }

    /// Lists the repository's tags, one a line.
    fn list(&self) -> Cmd {
        Cmd::new(
            "docker",
            format!("list the images of {}", self.0.repository),
        )
        .args(["image", "ls", "--format", "{{.Tag}}", "--"])
        .arg(&self.0.repository)
    }

    fn remove(references: &[String]) -> Cmd {
        Cmd::new("docker", "remove superseded images")
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
            shell::word(&self.0.prefix),
            "[0-9]".repeat(self.0.digits),
            shell::word(&self.0.suffix),
            shell::word(&self.0.repository)
        )
    }
}

impl Work for Rotation {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        // As steps are run, not as questions are asked: an interruption ends them whenever it comes.
        let mut tags: Vec<String> = Vec::new();
        exec.run(&self.list(), Supervision::default(), &mut |line| {
            tags.push(line.trim().to_owned());
        })?;
        let superseded = self.superseded(tags.iter().map(String::as_str));
        if superseded.is_empty() {
            return Ok(Performed::Skipped("nothing superseded".into()));
        }
        match exec.run(
            &Self::remove(&superseded),
            Supervision::default(),
            &mut |_| {},
        ) {
            Ok(()) => {}
            // Two bakes of the same target drop the same images: the other one was faster.
            Err(failed) if failed.mentions("No such image") => {}
            // A container uses one, say: the next bake finds it again, and the new image is there.
            Err(failed) if !exec.interrupted() => {
                let why = failed
                    .cause()
                    .unwrap_or("docker did not say why")
                    .to_owned();
                (console.warning)(format!(
                    "a superseded image of {} was not removed: {why}",
                    self.0.repository
                ));
                return Ok(Performed::Done(None));
            }
            Err(failed) => return Err(failed.into()),
        }
        Ok(Performed::Done(Some(format!(
            "{} dropped",
            superseded.len()
        ))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation() -> Rotation {
        Rotation(Stamped {
            repository: "localhost:5000/pgvector-testing".into(),
            prefix: "0.8.6-".into(),
            digits: 12,
            suffix: "-18-trixie".into(),
        })
    }

    #[test]
    fn a_rotation_keeps_the_newest_and_all_that_is_not_its_own() {
        let tags = [
            "0.8.6-18-trixie",
            "0.8.6-202611220101-18-trixie",
            "0.8.6-202611220300-18-trixie",
            "0.8.6-202611220200-18-trixie",
            "0.8.6-202611220200-18-bookworm",
            "0.8.5-202611220200-18-trixie",
            "10.8.6-202611220200-18-trixie",
            "0.8.6-20261122020x-18-trixie",
        ];
        assert_eq!(
            rotation().superseded(tags),
            [
                "localhost:5000/pgvector-testing:0.8.6-202611220101-18-trixie",
                "localhost:5000/pgvector-testing:0.8.6-202611220200-18-trixie",
            ]
        );
        assert!(
            rotation()
                .superseded(["0.8.6-202611220101-18-trixie"])
                .is_empty()
        );
    }
}
