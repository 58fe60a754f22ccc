// SPDX-License-Identifier: Apache-2.0
//! The folder that is PATH: fakes, real programs that a test lets in, and rules that come before what a fake does.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

/// What every fake begins with.
const BEGIN: &str = include_str!("fakes/begin.sh");

pub(crate) struct Tools {
    path: PathBuf,
    /// What the fakes know, and the rules.
    fakes: PathBuf,
}

impl Tools {
    pub(super) fn in_folders(path: PathBuf, fakes: PathBuf) -> Self {
        Self { path, fakes }
    }

    /// What is PATH to a call.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a program of these lines on PATH.
    pub(crate) fn program(&self, name: &str, lines: &str) {
        let path = self.path.join(name);
        fs::write(&path, lines).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts a fake on PATH, which logs its calls and then runs these lines.
    pub(crate) fn fake(&self, name: &str, lines: &str) {
        self.program(name, &format!("{BEGIN}{lines}"));
    }

    /// Puts a real program on PATH.
    pub(crate) fn real(&self, program: &str) {
        let path = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|folder| folder.join(program))
            .find(|path| path.is_file());
        symlink(path.unwrap(), self.path.join(program)).unwrap();
    }

    pub(crate) fn without(&self, program: &str) {
        fs::remove_file(self.path.join(program)).unwrap();
    }

    /// Lines that the fakes run, when a call begins so, before they do what they are asked; `*` stands for anything.
    /// `$program` and `$*` are the call, `$here` is the folder of [`super::World::state`].
    pub(crate) fn rule(&self, start: &str, lines: &str) {
        let path = self.fakes.join("rules.sh");
        let before = fs::read_to_string(&path).unwrap_or_default();
        let pattern = format!("'{}'*", start.replace('*', "'*'"));
        let rule = format!("{before}case \"$program $*\" in\n{pattern}) {lines} ;;\nesac\n");
        fs::write(path, rule).unwrap();
    }

    /// Lets the calls that begin so print `text` and fail.
    pub(crate) fn fails(&self, start: &str, status: i32, text: &str) {
        let said = self.said(text);
        let said = said.display();
        self.rule(start, &format!("cat {said} >&2; exit {status}"));
    }

    /// Lets the n-th of them fail.
    pub(crate) fn fails_at(&self, n: usize, start: &str, status: i32, text: &str) {
        let said = self.said(text);
        let counted = said.with_extension("counted");
        let (said, counted) = (said.display(), counted.display());
        self.rule(
            start,
            &format!(
                "echo call >> {counted}; [ \"$(wc -l < {counted})\" -ne {n} ] || {{ cat {said} >&2; exit {status}; }}"
            ),
        );
    }

    /// Lets them wait until another call, which begins with `other`, has begun.
    pub(crate) fn waits(&self, start: &str, other: &str) {
        let met = self.said("").with_extension("met");
        let met = met.display();
        self.rule(other, &format!(": > {met}"));
        self.rule(
            start,
            &format!(
                "tries=0; while [ ! -e {met} ]; do tries=$((tries + 1)); [ $tries -lt 1000 ] || fail \"waited for {other} in vain\" 66; sleep 0.01; done"
            ),
        );
    }

    pub(crate) fn no_rules(&self) {
        fs::remove_file(self.fakes.join("rules.sh")).unwrap();
    }

    fn said(&self, text: &str) -> PathBuf {
        let count = fs::read_dir(&self.fakes).unwrap().count();
        let path = self.fakes.join(format!("said-{count}"));
        fs::write(&path, text).unwrap();
        path
    }
}
