// SPDX-License-Identifier: Apache-2.0
//! Git: which files of a repository differ from a commit, and what the newest one of another repository is.

use std::path::Path;

use crate::plan::Cmd;

/// What Git says where there is none.
pub(crate) const NO_REPOSITORY: &str = "not a git repository";

fn git(root: &Path, purpose: &str) -> Cmd {
    Cmd::new("git", purpose).arg("-C").arg(root)
}

/// Prints the commit that `reference` names; ends with 1, in silence, where it names none.
pub(crate) fn commit_cmd(root: &Path, reference: &str) -> Cmd {
    git(root, "find the commit")
        .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
        .arg(format!("{reference}^{{commit}}"))
}

/// Prints the newest commit that `commit` and the one that is checked out both come from; ends with 1, in silence, where
/// there is none.
pub(crate) fn ancestor_cmd(root: &Path, commit: &str) -> Cmd {
    git(root, "find the common ancestor")
        .args(["merge-base", "--end-of-options"])
        .args([commit, "HEAD"])
}

/// Prints the files below `root` that the working tree has otherwise than the commit, relative to `root`, for [`names`].
/// Of a file that was moved both places; of a submodule its folder alone.
pub(crate) fn changed_cmd(root: &Path, commit: &str) -> Cmd {
    git(root, "list what differs").args([
        "diff",
        "-z",
        "--no-renames",
        "--ignore-submodules=none",
        "--name-only",
        "--relative",
        commit,
    ])
}

/// Prints the files below `root` that Git does not know yet, relative to `root`, for [`names`]. Of a repository within it,
/// which is not a submodule yet, the folder with a slash at its end.
pub(crate) fn untracked_cmd(root: &Path) -> Cmd {
    git(root, "list new files").args(["ls-files", "-z", "--others", "--exclude-standard"])
}

/// Prints the newest commit of another repository's default branch. Nobody is asked for a password.
pub(crate) fn newest_cmd(source: &str) -> Cmd {
    Cmd::new("git", format!("ask `{source}` for its newest commit"))
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["ls-remote", "--exit-code", "--", source, "HEAD"])
}

/// Whether a text is a whole commit: what is shorter may be another one tomorrow.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The names in a list, whatever is in them.
pub(crate) fn names(list: &str) -> impl Iterator<Item = String> {
    let names = list.split_terminator('\0');
    names.map(|name| name.strip_suffix('/').unwrap_or(name).to_owned())
}
