// SPDX-License-Identifier: Apache-2.0
//! Which extensions a change concerns, by the files that differ: the settings say which are shared by all of them, and
//! which are in no image.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::Workspace;
use crate::{
    config::{self, Config},
    failure::Failure,
};

/// `*` stays within a folder, as it does for Git.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Files that differ, relative to the root, as far as they concern an image. Of a repository within the root there is its
/// folder alone.
#[derive(Debug)]
pub(crate) struct Changes {
    files: Vec<String>,
    /// One of them concerns every image.
    is_shared: bool,
}

impl Changes {
    /// What the settings leave of `files`.
    pub(crate) fn of(
        mut files: Vec<String>,
        root: &Path,
        config: &Config,
    ) -> Result<Self, Failure> {
        let ignored = patterns(config.get(config::IGNORED_FILES), config)?;
        let shared = patterns(config.get(config::SHARED_FILES), config)?;
        files.retain(|file| !matches(&ignored, file));
        // What differs in a repository within this one is not known.
        let begins = |file: &str| {
            let inside = format!("{file}/");
            shared.iter().any(|glob| glob.as_str().starts_with(&inside))
        };
        let is_shared = files
            .iter()
            .any(|file| matches(&shared, file) || (begins(file) && root.join(file).is_dir()));
        Ok(Self { files, is_shared })
    }

    /// Whether the images of the extension of that name are to be built again: for a shared file, one of its own, or one
    /// of an extension that it needs.
    pub(crate) fn concern(&self, name: &str, workspace: &Workspace) -> bool {
        let own = workspace.get(name);
        let needed = own.map(|one| workspace.dependencies(one));
        let needed = needed.iter().flatten().chain(own);
        // By name: what cannot be read may be needed too.
        let names = needed.flat_map(|one| &one.required_extensions);
        let here = names.filter(|name| !workspace.external.contains_key(*name));
        let mut folders = here.map(String::as_str).chain([name]);
        self.is_shared
            || folders.any(|name| {
                let folder = workspace.root.join(workspace.shown(name));
                let places = places(&folder, &workspace.root);
                places.iter().any(|place| self.touch(place))
            })
    }

    /// Whether something in a place differs, or a repository that holds it.
    fn touch(&self, place: &Path) -> bool {
        let mut files = self.files.iter().map(Path::new);
        files.any(|file| file.starts_with(place) || place.starts_with(file))
    }
}

/// Where the files of a folder are, relative to the root: there, and where links lead to which it is or which it holds.
fn places(folder: &Path, root: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    let links = entries
        .map(|entry| entry.path())
        .chain([folder.to_owned()])
        .filter(|path| path.is_symlink());
    let (real, root_of_real) = (links.map(fs_err::canonicalize), fs_err::canonicalize(root));
    let root_of_real = root_of_real.unwrap_or_else(|_| root.to_owned());
    let below = |path: &Path, root: &Path| path.strip_prefix(root).ok().map(Path::to_owned);
    real.flatten()
        .filter_map(|path| below(&path, &root_of_real))
        .chain(below(folder, root))
        .collect()
}

/// The globs, with the files and folders of the settings in place of their keys.
fn patterns(globs: &[String], config: &Config) -> Result<Vec<Pattern>, Failure> {
    let bake_file = plain(config.get(config::PATHS_BAKE_FILE));
    let beside = bake_file.rsplit_once('/');
    // At the root, beside it is everything: only the file itself is meant.
    let bake_folder = beside.map_or(&*bake_file, |(folder, _)| folder);
    let suite = plain(config.get(config::PATHS_SUITE));
    let places = [bake_file.as_str(), bake_folder, &suite];
    let filled = globs.iter().map(|glob| {
        let keys = config::PLACES.iter().zip(places);
        keys.fold(glob.clone(), |glob, (key, place)| {
            glob.replace(key, &Pattern::escape(place))
        })
    });
    let pattern = |glob: String| {
        Pattern::new(&glob)
            .map_err(|error| Failure::invalid(format!("`{glob}` is not a glob: {error}")))
    };
    filled.map(pattern).collect()
}

/// A path below the root as Git names it, `test` for `./test/`.
fn plain(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.collect::<Vec<_>>().join("/")
}

fn matches(patterns: &[Pattern], file: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| pattern.matches_with(file, OPTIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_shared(file: &str, said: &[&str]) -> bool {
        let said: Vec<String> = said.iter().map(|text| (*text).to_owned()).collect();
        let config = Config::defaults().with_said(&said).unwrap();
        Changes::of(vec![file.to_owned()], Path::new("/nowhere"), &config)
            .unwrap()
            .is_shared
    }

    #[test]
    fn what_all_images_are_made_with_is_shared() {
        for file in [
            "docker/bake.hcl",
            "docker/Dockerfile",
            "xtask.toml",
            "test/cluster.yaml",
            "test/upgrade/a/b.yaml",
            "xtask/src/main.rs",
            "xtask/.hidden",
            "Cargo.lock",
            ".cargo/config.toml",
            "Taskfile.yml",
            "dagger/maintenance/main.go",
            ".github/workflows/bake_targets.yml",
        ] {
            assert!(is_shared(file, &[]), "{file}");
        }
    }

    #[test]
    fn what_is_in_no_image_is_not() {
        for file in [
            "README.md",
            "docs/decisions.md",
            "docs/x.txt",
            "test/README.md",
            "xtask/README.md",
            "CODEOWNERS",
            "renovate.json",
            "templates/Dockerfile.tmpl",
            ".github/workflows/update-catalogs.yml",
            ".github/pull_request_template.md",
            "tests/x",
            "docker-bake.hcl",
            "a/docker/bake.hcl",
        ] {
            assert!(!is_shared(file, &[]), "{file}");
        }
    }

    #[test]
    fn the_settings_say_where_files_are() {
        let old = ["paths.bake-file=docker-bake.hcl", "paths.suite=./e2e/"];
        assert!(is_shared("docker-bake.hcl", &old) && is_shared("e2e/cluster.yaml", &old));
        for file in ["docker/bake.hcl", "test/cluster.yaml", "Dockerfile", "x/y"] {
            assert!(!is_shared(file, &old), "{file}");
        }
        let own = [
            "targets.shared=base/*,{suite}/a?",
            "targets.ignored=base/*.txt",
        ];
        for (file, expected) in [
            ("base/x", true),
            ("base/x.md", true),
            ("base/x.txt", false),
            ("base/x/y", false),
            ("test/ab", true),
            ("docker/bake.hcl", false),
        ] {
            assert_eq!(is_shared(file, &own), expected, "{file}");
        }
        assert!(is_shared("a[1].hcl", &["paths.bake-file=a[1].hcl"]));
    }
}
