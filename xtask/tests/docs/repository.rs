// SPDX-License-Identifier: Apache-2.0
//! The files of this repository, and the binary run in it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use walkdir::WalkDir;

pub(super) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

pub(super) fn text(path: &str) -> String {
    fs_err::read_to_string(root().join(path)).unwrap()
}

/// Every file of the repository, relative to its root: what is built and git's own business left out.
pub(super) fn files(below: &str) -> Vec<PathBuf> {
    let left_out = ["target", ".git"];
    WalkDir::new(root().join(below))
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !left_out.iter().any(|name| entry.file_name() == *name))
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(root()).unwrap().to_owned())
        .collect()
}

/// The guide: BUILD.md, and the documents in the table on its top that people have written.
pub(super) fn guide() -> Vec<String> {
    let build = "BUILD.md".to_owned();
    let text = text(&build);
    let table = text.split("| document | about |").nth(1).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let named = rows.map(|row| {
        let name = row.split(['[', ']']).nth(1);
        name.unwrap().to_owned()
    });
    let made = |name: &String| name.starts_with("docs/reference/");
    std::iter::once(build)
        .chain(named.filter(|name| !made(name)))
        .collect()
}

/// Every document of the project.
pub(super) fn documents() -> Vec<String> {
    let files = files("");
    let documents = files
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "md"));
    documents
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}

/// Runs the real binary in the repository, without this machine's settings.
#[expect(
    clippy::disallowed_methods,
    reason = "this is a test of the binary, not part of it"
)]
pub(super) fn xtask(args: &[String], env: &[(String, String)]) -> Output {
    let kept = std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME");
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(args)
        .current_dir(root())
        .env_clear()
        .envs(kept)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap()
}

pub(super) fn stdout(args: &[&str]) -> String {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let output = xtask(&args, &[]);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
