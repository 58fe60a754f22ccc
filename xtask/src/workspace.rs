// SPDX-License-Identifier: Apache-2.0
//! The repository that is worked on: its root and its extensions.

mod between;
mod changes;
mod folders;
mod groups;
mod root;
mod selection;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use between::Between;
pub(crate) use changes::Changes;
pub(crate) use folders::{files, folders_of_extensions};
pub(crate) use root::{find_root, root_to_be};
pub(crate) use selection::{Aim, Chosen, Selection, Unread};

use crate::{
    config::{self, Config, Key},
    extension::{self, Extension, Loaded, Open},
    failure::{Failure, Section},
    finding::{Finding, Findings},
    own::source,
    value::Name,
};

/// Why metadata with expressions is not read.
pub(crate) const OPEN: &str = "its metadata holds expressions, which bake alone evaluates";

/// The extensions of one repository. Order: dependencies first, else alphabetical.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    pub root: PathBuf,
    /// Relative to the root.
    pub bake_file: PathBuf,
    extensions_folder: PathBuf,
    extensions: Vec<Arc<Extension>>,
    /// Those of other repositories, by name; why, where one cannot be used.
    external: BTreeMap<String, Result<Arc<Extension>, Finding>>,
    /// Directories that hold a metadata.hcl, usable or not. Others than [`Name`]s are findings only.
    names: BTreeSet<String>,
    /// Directories with a metadata.hcl whose names no extension can have.
    misnamed: BTreeSet<String>,
    /// Those that bake must evaluate first, and why it has not.
    open: Vec<(Open, Failure)>,
    /// Of each file.
    findings: Vec<Finding>,
    /// Of all files together.
    between: Vec<Between>,
    /// What CloudNativePG would not take of extensions that one server gets together.
    refused: Vec<Finding>,
}

impl Workspace {
    /// Reads every `<extensions>/<name>/metadata.hcl`.
    pub(crate) fn load(root: &Path, config: &Config) -> anyhow::Result<Self> {
        let folder = inside(root, config, config::PATHS_EXTENSIONS)?;
        let bake_file = inside(root, config, config::PATHS_BAKE_FILE)?;
        inside(root, config, config::PATHS_SUITE)?;
        let mut workspace = Self {
            root: root.to_owned(),
            bake_file,
            extensions_folder: clean(&folder),
            extensions: Vec::new(),
            external: external(root, config),
            names: BTreeSet::new(),
            misnamed: BTreeSet::new(),
            open: Vec::new(),
            findings: Vec::new(),
            between: Vec::new(),
            refused: Vec::new(),
        };
        let entries = fs_err::read_dir(root.join(&folder)).map_err(|error| {
            Failure::invalid(format!(
                "the folder of the extensions cannot be read: {error}"
            ))
            .hint("set `[paths] extensions` in xtask.toml; `.` is the repository's root")
            .see(Section::Repository)
        })?;
        for entry in entries {
            let path = entry?.path();
            // Whatever it is: reading it says what is wrong with it.
            if fs_err::symlink_metadata(path.join("metadata.hcl")).is_err() {
                continue;
            }
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let shown = clean(&folder).join(&name).join("metadata.hcl");
            let mut findings = Findings::about(&shown);
            if !Name::is(&name) {
                // It would be a word of a shell's completions, an argument, a part of an image's name.
                findings.error(
                    None,
                    format!("the directory's name is not {}", Name::WANTED),
                );
                workspace.findings.append(&mut findings.all);
                workspace.misnamed.insert(name);
                continue;
            }
            match Extension::load(root, &path, &shown, &mut findings) {
                Loaded::Read(extension) => workspace.extensions.push(Arc::from(extension)),
                Loaded::Open(open) => workspace.open.push((open, Failure::unavailable(OPEN))),
                Loaded::Broken => {}
            }
            workspace.findings.append(&mut findings.all);
            workspace.names.insert(name);
        }
        workspace.put_together();
        Ok(workspace)
    }

    /// What all files together show.
    fn put_together(&mut self) {
        self.extensions.sort_by(|a, b| a.name.cmp(&b.name));
        self.cross_check();
        self.sort_dependencies_first();
    }

    /// The metadata that bake must evaluate, and why it has not.
    pub(crate) fn open(&self) -> &[(Open, Failure)] {
        &self.open
    }

    /// Whether its metadata is read, or to be evaluated.
    pub(crate) fn may_be_built(&self, name: &str) -> bool {
        self.get(name).is_some() || self.open.iter().any(|(open, _)| open.name() == name)
    }

    /// Whether bake must evaluate some of the metadata before it can be read.
    pub(crate) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The same repository, with what bake has made of the metadata that was [`Workspace::open`], in its order.
    #[must_use]
    pub(crate) fn evaluated(
        mut self,
        values: impl IntoIterator<Item = Result<serde_json::Value, Failure>>,
    ) -> Self {
        for ((open, _), values) in std::mem::take(&mut self.open).into_iter().zip(values) {
            match values {
                Ok(values) => {
                    let mut findings = Findings::about(&open.metadata_file);
                    let extension = open.evaluated(&values, &mut findings);
                    self.extensions.extend(extension.map(Arc::new));
                    self.findings.append(&mut findings.all);
                }
                Err(why) => self.open.push((open, why)),
            }
        }
        self.put_together();
        self
    }

    /// What is wrong with the metadata, of each file and between files.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        let between = self.between.iter().map(|one| &one.finding);
        self.findings.iter().chain(between)
    }

    /// What is wrong with what the repository says of extensions of other repositories, by their names, where none here
    /// needs them: of those that are needed, [`Workspace::findings`] says it.
    pub(crate) fn unneeded(&self) -> impl Iterator<Item = (&str, &Finding)> {
        let needed = self.extensions.iter();
        let needed: BTreeSet<&String> = needed.flat_map(|one| &one.required_extensions).collect();
        // A person's own file is for other repositories too.
        self.external.iter().filter_map(move |(name, said)| {
            let finding = said.as_ref().err()?;
            let is_here = finding.file == Path::new(extension::FILE);
            (is_here && !needed.contains(name)).then_some((name.as_str(), finding))
        })
    }

    /// What CloudNativePG would not take, as errors: of each extension, and of those that one server gets together.
    pub(crate) fn refused(&self) -> impl Iterator<Item = &Finding> {
        let of_each = self.extensions.iter().flat_map(|one| &one.refused);
        of_each.chain(&self.refused)
    }

    /// All directories with a metadata.hcl, by name, broken ones included.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// An extension's directory as messages show it, relative to the root.
    pub(crate) fn shown(&self, name: &str) -> PathBuf {
        self.extensions_folder.join(name)
    }

    pub(crate) fn extensions(&self) -> &[Arc<Extension>] {
        &self.extensions
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Extension>> {
        self.extensions
            .iter()
            .find(|extension| extension.name == name)
    }

    /// What is meant where an extension is needed: that of another repository before one that is built here.
    fn needed(&self, name: &str) -> Option<&Arc<Extension>> {
        let external = self.external.get(name).and_then(|one| one.as_ref().ok());
        external.or_else(|| self.get(name))
    }

    /// There is nothing to choose from.
    pub(crate) fn without_extensions(&self) -> Failure {
        let failure = Failure::invalid(
            "there are no extensions here: no folder of this repository holds a `metadata.hcl`",
        )
        .detail(format!("repository: {}", self.root.display()));
        let mut folders = folders_of_extensions(&self.root).into_keys();
        match folders.find(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => failure.hint(format!(
                "`{0}` has such folders: set `[paths] extensions = \"{0}\"` in xtask.toml",
                folder.display()
            )),
            None => failure.hint(
                "an extension is a folder with a `metadata.hcl`, which says its name and versions; the setting `paths.extensions` says where these folders are, and `cargo xtask create-extension NAME --from-archive` makes one",
            ),
        }
    }

    /// The extensions that `extension` needs, transitively, in mounting order.
    pub(crate) fn dependencies(&self, extension: &Extension) -> Vec<Arc<Extension>> {
        let mut found: Vec<Arc<Extension>> = Vec::new();
        let mut pending: Vec<&String> = extension.required_extensions.iter().rev().collect();
        while let Some(name) = pending.pop() {
            let seen = found.iter().any(|known| &known.name == name) || name == &extension.name;
            if let (false, Some(dependency)) = (seen, self.needed(name)) {
                pending.extend(dependency.required_extensions.iter().rev());
                found.push(Arc::clone(dependency));
            }
        }
        found
    }

    /// Where an extension stands in the order in which dependencies come first.
    pub(crate) fn position(&self, extension: &Extension) -> Option<usize> {
        self.extensions
            .iter()
            .position(|other| other.name == extension.name)
    }

    /// Dependencies first, and among the rest those first that others wait for.
    fn sort_dependencies_first(&mut self) {
        let needed: BTreeSet<String> = self
            .extensions
            .iter()
            .flat_map(|extension| extension.required_extensions.clone())
            .collect();
        self.extensions
            .sort_by_key(|extension| !needed.contains(&extension.name));
        let mut sorted: Vec<Arc<Extension>> = Vec::new();
        let mut left = std::mem::take(&mut self.extensions);
        while !left.is_empty() {
            let placed = |name: &String| sorted.iter().any(|done| &done.name == name);
            let pending =
                |name: &String| left.iter().any(|other| &other.name == name) && !placed(name);
            // In a circle nobody is ready: take the first, `cross_check` has said it.
            let next = left
                .iter()
                .position(|extension| !extension.required_extensions.iter().any(pending))
                .unwrap_or(0);
            sorted.push(left.remove(next));
        }
        self.extensions = sorted;
    }
}

/// The extensions of other repositories.
fn external(root: &Path, config: &Config) -> BTreeMap<String, Result<Arc<Extension>, Finding>> {
    let said = config.external();
    let read = said.map(|(name, said)| {
        let extension = Extension::external(name, said, root, config);
        (name.to_owned(), extension.map(Arc::new))
    });
    read.collect()
}

/// A path that a setting has named, when it stays in the repository.
fn inside(root: &Path, config: &Config, key: Key<String>) -> Result<PathBuf, Failure> {
    let name = key.name();
    let path = PathBuf::from(config.get(key));
    if path.is_absolute() {
        return Err(Failure::invalid(format!(
            "setting `{name}` is `{}`; it must be relative to the repository's root",
            path.display()
        )));
    }
    source::stays_inside(root, &path)?;
    Ok(path)
}

/// The path without `.`: `./pgvector` and `pgvector` are the same directory.
fn clean(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != std::path::Component::CurDir)
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
