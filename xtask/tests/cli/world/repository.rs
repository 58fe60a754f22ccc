// SPDX-License-Identifier: Apache-2.0
//! The files of the repository in which xtask runs, and what else it has left in its home.

use std::{
    fs,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

use super::printed::{BAKE_FILE, printed};
use crate::support::locks;

pub(crate) struct Repository {
    folder: tempfile::TempDir,
}

/// A run that was killed leaves its lock, and nobody comes to this repository again to remove it.
impl Drop for Repository {
    fn drop(&mut self) {
        for lock in locks::naming(self.folder.path()) {
            let _gone_already = fs::remove_file(lock);
        }
    }
}

impl Repository {
    /// With a bake file and an empty `xtask.toml`. Beside it are `bin` and `fakes`.
    pub(super) fn new() -> Self {
        let repository = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for name in ["repository/extensions", "bin", "fakes"] {
            fs::create_dir_all(repository.home().join(name)).unwrap();
        }
        repository.write("xtask.toml", "");
        repository.write("docker/bake.hcl", BAKE_FILE);
        repository
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.home().join("repository")
    }

    /// The folder that is HOME, which holds the repository.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.root().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.ends_with("metadata.hcl") {
            self.print(path.parent().unwrap(), text);
        }
        fs::write(path, text).unwrap();
    }

    /// Lets the fake docker know what bake would print of an extension.
    fn print(&self, folder: &Path, metadata: &str) {
        let answers = self.home().join("fakes/docker/printed");
        fs::create_dir_all(&answers).unwrap();
        let answer = answers.join(folder.file_name().unwrap());
        match printed(metadata) {
            Some(text) => fs::write(answer, text).unwrap(),
            None => drop(fs::remove_file(answer)),
        }
    }

    #[track_caller]
    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    pub(crate) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.root().join(path).exists()
    }

    /// All that is in the home but the programs and what belongs to the fakes.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let own = ["bin", "fakes"].map(|name| self.home().join(name));
        let all = WalkDir::new(self.home()).min_depth(1).sort_by_file_name();
        let all = all.into_iter().map(|entry| entry.unwrap().into_path());
        all.filter(|path| !own.iter().any(|own| path.starts_with(own)))
            .collect()
    }

    /// The same without what is kept of bake's answers, and the folders that they are in.
    pub(crate) fn files_but_answers(&self) -> Vec<PathBuf> {
        let kept = self.root().join("target/xtask/print");
        let ignored = self.root().join("target/xtask/.gitignore");
        let mut files = self.files();
        files
            .retain(|path| !path.starts_with(&kept) && !kept.starts_with(path) && *path != ignored);
        files
    }

    /// All text below a folder of the repository, whatever the files are called.
    pub(crate) fn texts(&self, folder: impl AsRef<Path>) -> Vec<(PathBuf, String)> {
        let folder = self.root().join(folder);
        let mut files = self.files();
        files.retain(|path| path.starts_with(&folder) && path.is_file());
        let with_text = |path: PathBuf| {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            (path, text)
        };
        files.into_iter().map(with_text).collect()
    }

    /// Values of an image of an extension, as `generate-values` would write them.
    pub(crate) fn put_values(&self, name: &str) {
        let digest = format!("sha256:{}", "cd".repeat(32));
        self.write(
            &format!("extensions/{name}/values.yaml"),
            &format!(
                "name: '{name}'\nextensions:\n- name: '{name}'\n  image:\n    reference: 'registry.pg-extensions:5000/{name}-testing:1.2-18-trixie@{digest}'\n"
            ),
        );
    }
}
