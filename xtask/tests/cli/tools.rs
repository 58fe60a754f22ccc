// SPDX-License-Identifier: Apache-2.0
//! What some tests put on PATH beside or in front of the fake docker.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::fixture::{Ended, Fixture};

impl Fixture {
    pub(crate) fn programs(&self) -> PathBuf {
        self.root().with_file_name("bin")
    }

    /// Puts lines before those of the fake docker; `$here` is the folder of its files. The log has
    /// the call already.
    pub(crate) fn docker_first(&self, lines: &str) {
        let path = self.programs().join("docker");
        let script = fs::read_to_string(&path).unwrap();
        let (head, rest) = script.split_once("\ncase ").unwrap();
        fs::write(&path, format!("{head}\n{lines}\ncase {rest}")).unwrap();
    }

    /// Lets the n-th call of docker that matches `pattern` (of `case`) print `text` and fail with 17.
    pub(crate) fn docker_fails_at(&self, n: usize, pattern: &str, text: &str) {
        self.answer("said", text);
        self.docker_first(&format!(
            "case \"$*\" in {pattern}) echo call >> \"$here/counted\"\n\
             [ \"$(/usr/bin/wc -l < \"$here/counted\")\" -ne {n} ] || {{ /bin/cat \"$here/said\" >&2; exit 17; }} ;; esac"
        ));
    }

    /// Runs lines in a real shell, with the fakes and a few real tools on PATH.
    pub(crate) fn shell(&self, lines: &str, tools: &[&str]) -> Ended {
        for tool in tools {
            self.link(tool);
        }
        Ended::from(
            &Command::new("/bin/sh")
                .args(["-c", lines])
                .current_dir(self.root())
                .env_clear()
                .env("PATH", self.programs())
                .env("FAKE", self.fake("").as_path())
                .output()
                .unwrap(),
        )
    }

    /// Everything below the fixture's folder but the binaries and the fake's own files.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, all: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    walk(&path, all);
                }
                all.push(path);
            }
        }
        let mut all = Vec::new();
        walk(self.root().parent().unwrap(), &mut all);
        all.retain(|path| !path.starts_with(self.programs()) && !path.starts_with(self.fake("")));
        all.sort();
        all
    }
}
