// SPDX-License-Identifier: Apache-2.0
//! The commit of the program that workflows install. Never a branch: what runs with a repository's rights must not change by itself.

use std::{path::Path, time::Duration};

use super::ACTION;
use crate::{cli, exec::Exec, failure::Failure, own::source, tool::git};

/// How long the source may take to say what its newest commit is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The commit, and whether it was asked for just now.
pub(super) struct Revision {
    pub commit: String,
    pub is_asked: bool,
}

impl Revision {
    /// The one that was named; else the one that workflows install already; else the newest of the source, which is asked.
    pub(super) fn choose(args: &cli::Init, root: &Path, exec: &dyn Exec) -> Result<Self, Failure> {
        let known = |commit: String| Self {
            commit,
            is_asked: false,
        };
        if let Some(commit) = &args.revision {
            return Ok(known(commit.clone()));
        }
        // What cannot be read is kept as it is, and the table of files says so.
        let path = Path::new(ACTION);
        if root.join(path).symlink_metadata().is_ok() {
            let text = source::read(root, path).ok().flatten();
            let words = text.as_deref().unwrap_or_default().split(['"', ' ', '\n']);
            let commit = words.into_iter().find(|word| git::is_commit(word));
            return Ok(known(commit.unwrap_or_default().to_owned()));
        }
        let asked = git::newest_cmd(&args.source);
        let source = &args.source;
        let hint = format!(
            "name it: `--revision COMMIT`, with what `git ls-remote {source} HEAD` prints where there is a network"
        );
        let printed = exec
            .read(&asked, Some(PATIENCE))
            .map_err(|failed| Failure::from(failed).or_unavailable().hint(hint.clone()))?;
        let commit = printed.split_whitespace().next().unwrap_or_default();
        if !git::is_commit(commit) {
            return Err(Failure::failed(format!(
                "`{source}` does not say what its newest commit is"
            ))
            .detail(printed.trim().to_owned())
            .hint(hint));
        }
        Ok(Self {
            commit: commit.to_owned(),
            is_asked: true,
        })
    }
}
