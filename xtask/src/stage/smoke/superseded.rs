// SPDX-License-Identifier: Apache-2.0
//! Images with data directories that another one has taken the place of: of a base image that has changed, or made by another
//! recipe. What somebody else has made of one, or named, stays.

use std::{collections::BTreeSet, fmt};

use super::kept::{LABEL, MESSAGE, REPOSITORY};
use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::ImageRef,
    plan::{Cmd, Console, shell},
};

/// The images for a base image that have another name than this one, or have lost it.
pub(super) struct Superseded<'a> {
    pub base: &'a ImageRef,
    pub name: &'a str,
}

impl Superseded<'_> {
    /// Lists the images for this base image, and what was made of them.
    fn list(&self) -> Cmd {
        Cmd::new("docker", "list data directories")
            .args(["image", "ls", "--quiet", "--no-trunc", "--filter"])
            .arg(format!("label={LABEL}={}", self.base))
    }

    /// Prints the identities of those that we have made ourselves, each with its names.
    fn look() -> Cmd {
        let ours = format!(
            "{{{{if eq .Comment {MESSAGE:?}}}}}{{{{.Id}}}}{{{{range .RepoTags}}}} {{{{.}}}}{{{{end}}}}{{{{end}}}}"
        );
        Cmd::new("docker", "look at data directories")
            .args(["image", "inspect", "--format", &ours, "--"])
    }

    fn removal() -> Cmd {
        Cmd::new("docker", "remove superseded data directories").args(["image", "rm", "--"])
    }

    /// The identity in a line of [`Superseded::look`], if the image is to go.
    fn superseded<'a>(&self, line: &'a str) -> Option<&'a str> {
        let mut words = line.split_whitespace();
        let identity = words.next().filter(|word| !word.starts_with('-'))?;
        let is_old = |name: &str| {
            let of = name.split_once(':');
            name != self.name && of.is_some_and(|(repository, _)| repository == REPOSITORY)
        };
        words.all(is_old).then_some(identity)
    }

    /// Removes them. One that a container is made of stays, which is said.
    pub(super) fn remove(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<(), Failure> {
        // As steps are run, not as questions are asked: an interruption ends them whenever it comes.
        let lines = |cmd: &Cmd| {
            let mut lines = BTreeSet::new();
            let how = Supervision::default();
            exec.run(cmd, how, &mut |line| {
                lines.insert(line.trim().to_owned());
            })?;
            lines.remove("");
            Ok::<_, Failure>(lines)
        };
        let all = lines(&self.list())?;
        if all.is_empty() {
            return Ok(());
        }
        let ours = lines(&Self::look().args(&all))?;
        for identity in ours.iter().filter_map(|line| self.superseded(line)) {
            let removed = exec.run(
                &Self::removal().arg(identity),
                Supervision::default(),
                &mut |_| {},
            );
            match removed {
                Ok(()) => {}
                // Another run was faster.
                Err(failed) if failed.mentions("No such image") => {}
                Err(failed) if !exec.interrupted() => {
                    let why = failed.cause().unwrap_or("docker did not say why");
                    (console.warning)(format!(
                        "a superseded data directory of `{}` was not removed: {why}",
                        self.base
                    ));
                }
                Err(failed) => return Err(failed.into()),
            }
        }
        Ok(())
    }
}

/// Prints as a pipe that removes the same images.
impl fmt::Display for Superseded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let old = format!(
            "{{old = NF; for (i = 2; i <= NF; i++) if ($i == \"{}\" || index($i, \"{REPOSITORY}:\") != 1) old = 0; if (old) print $1}}",
            self.name
        );
        write!(
            f,
            "{} | LC_ALL=C sort -u | xargs -r {} | awk {} | xargs -r -n 1 {}",
            self.list(),
            Self::look(),
            shell::word(old),
            Self::removal()
        )
    }
}
