// SPDX-License-Identifier: Apache-2.0
//! A small repository, fake tools on PATH, and what a call of xtask gave.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

pub(crate) use crate::ended::Ended;
use crate::{hangup, locks};

/// The script that stands for docker.
const DOCKER: &str = include_str!("docker.sh");

pub(crate) struct Fixture {
    folder: tempfile::TempDir,
}

/// metadata.hcl of an extension; `more` replaces fields of the same name.
pub(crate) fn metadata(name: &str, more: &[(&str, &str)]) -> String {
    let quoted = format!("\"{name}\"");
    let mut fields = vec![
        ("name", quoted.as_str()),
        ("sql_name", quoted.as_str()),
        ("image_name", quoted.as_str()),
        ("licenses", "[\"MIT\"]"),
        ("shared_preload_libraries", "[]"),
        ("postgresql_parameters", "{}"),
        ("extension_control_path", "[]"),
        ("dynamic_library_path", "[]"),
        ("ld_library_path", "[]"),
        ("bin_path", "[]"),
        ("env", "{}"),
        ("auto_update_os_libs", "false"),
        ("required_extensions", "[]"),
        ("create_extension", "true"),
        (
            "versions",
            "{\n    trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\", sql = \"1.2\" } }\n    bookworm = { \"18\" = { package = \"1.2-1.pgdg12+1\", sql = \"1.2\" } }\n  }",
        ),
    ];
    for (name, value) in more {
        fields
            .iter_mut()
            .find(|(field, _)| field == name)
            .unwrap()
            .1 = value;
    }
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("  {name} = {value}\n"))
        .collect();
    format!("metadata = {{\n{}}}\n", lines.concat())
}

/// Asks until the answer is yes; panics after half a minute.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if done() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}

const DOCKERFILE: &str = "ARG BASE\nFROM $BASE AS builder\nRUN apt-get download \"postgresql-18-x=${EXT_VERSION}\"\nFROM scratch\nCOPY --from=builder /licenses /licenses/\nUSER 65532:65532\n";

/// A run that was killed leaves its lock, and nobody comes to this repository again to remove it.
impl Drop for Fixture {
    fn drop(&mut self) {
        for lock in locks::naming(self.folder.path()) {
            let _gone_already = fs::remove_file(lock);
        }
    }
}

impl Fixture {
    /// A repository with `alpha`, `beta` (which needs alpha) and `gamma`.
    pub(crate) fn new() -> Self {
        let fixture = Self::empty();
        fixture.extension(
            "alpha",
            &metadata(
                "alpha",
                &[
                    ("ld_library_path", "[\"system\"]"),
                    ("env", "{ \"ALPHA_DATA\" = \"$${image_root}/share/a\" }"),
                ],
            ),
        );
        fixture.extension(
            "beta",
            &metadata(
                "beta",
                &[
                    ("required_extensions", "[\"alpha\"]"),
                    ("shared_preload_libraries", "[\"beta\"]"),
                ],
            ),
        );
        fixture.extension("gamma", &metadata("gamma", &[]));
        fixture
    }

    /// A repository without extensions.
    pub(crate) fn empty() -> Self {
        hangup::is_heard();
        let fixture = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for folder in ["repository/docker", "repository/extensions", "bin", "fake"] {
            fs::create_dir_all(fixture.folder.path().join(folder)).unwrap();
        }
        fixture.write("xtask.toml", "");
        fixture.write("docker/bake.hcl", "// The fake docker does not read it.\n");
        fixture.program("docker", DOCKER);
        fixture
    }

    pub(crate) fn extension(&self, name: &str, metadata: &str) {
        let folder = format!("extensions/{name}");
        self.write(&format!("{folder}/metadata.hcl"), metadata);
        self.write(&format!("{folder}/Dockerfile"), DOCKERFILE);
        self.write(&format!("{folder}/README.md"), "# It\n");
        self.write(&format!("{folder}/smoke.sql"), "SELECT 1;\n");
        let digest = |distro: &str| {
            format!(
                "\"{name}-1_2-18-{distro}\":{{\"containerimage.digest\":\"sha256:{}\"}}",
                "ab".repeat(32)
            )
        };
        self.answer(
            &format!("metadata.{name}"),
            &format!(
                "{{{},{},\"buildx.build.warnings\":[]}}",
                digest("trixie"),
                digest("bookworm")
            ),
        );
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    pub(crate) fn fake(&self, name: &str) -> PathBuf {
        self.folder.path().join("fake").join(name)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.root().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What the fake says when it is asked.
    pub(crate) fn answer(&self, name: &str, text: &str) {
        fs::write(self.fake(name), text).unwrap();
    }

    /// Puts a program of these lines on PATH.
    pub(crate) fn program(&self, name: &str, lines: &str) {
        let path = self.bin().join(name);
        fs::write(&path, lines).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts a real program on PATH.
    pub(crate) fn link(&self, program: &str) {
        let path = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|folder| folder.join(program))
            .find(|path| path.is_file());
        symlink(path.unwrap(), self.bin().join(program)).unwrap();
    }

    pub(crate) fn without_docker(&self) {
        fs::remove_file(self.bin().join("docker")).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(args)
            .current_dir(self.root())
            .env_clear()
            .env("PATH", self.bin())
            .env("HOME", self.folder.path())
            .env("FAKE", self.folder.path().join("fake"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Ended {
        self.xtask_with(args, &[])
    }

    pub(crate) fn xtask_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ended {
        Ended::from(
            &self
                .command(args)
                .envs(env.iter().copied())
                .output()
                .unwrap(),
        )
    }

    /// The fake's log without what every command asks (`docker info`, sizes).
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.fake("log")).unwrap_or_default();
        text.lines()
            .filter(|line| !line.contains(" [info]") && !line.contains("{{.Size}}"))
            .map(str::to_owned)
            .collect()
    }

    /// The calls of one kind: `[buildx] [bake]`, say.
    pub(crate) fn calls_of(&self, words: &str) -> Vec<String> {
        self.calls()
            .into_iter()
            .filter(|line| line.contains(words))
            .collect()
    }

    pub(crate) fn order(&self) -> Vec<String> {
        let text = fs::read_to_string(self.fake("order")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.root().join(path).exists()
    }
}
