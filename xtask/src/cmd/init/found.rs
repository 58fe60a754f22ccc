// SPDX-License-Identifier: Apache-2.0
//! What is in a repository: how it is laid out, and what of the old tooling it has.

mod renovate;
mod workflow;

pub(super) use workflow::Successor;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use regex_lite::Regex;
use serde::Serialize;
use serde_json::Value;

use crate::{
    config::{self, Config},
    dialect::{self, Said},
    environment::names::Names,
    failure::Failure,
    own::source,
    value::Registry,
    workspace, yaml,
};

/// What Task looks for, in its order, see <https://taskfile.dev/docs/guide#supported-file-names>.
const TASKFILES: &[&str] = &[
    "Taskfile.yml",
    "taskfile.yml",
    "Taskfile.yaml",
    "taskfile.yaml",
    "Taskfile.dist.yml",
    "Taskfile.dist.yaml",
];

/// What is there.
#[derive(Debug, Default, Serialize)]
pub(super) struct Found {
    /// An `xtask.toml`, which then says where things are.
    pub settings: bool,
    /// Where the extensions are, below the root; where they will be, when there are none.
    pub extensions_folder: String,
    pub extensions: Vec<String>,
    pub bake_file: String,
    /// The bake file is there, and not only where it will be.
    pub has_bake_file: bool,
    /// Others that look like one.
    pub other_bake_files: Vec<String>,
    pub suite: String,
    pub taskfile: Option<String>,
    /// Its tasks.
    pub tasks: Vec<String>,
    /// What it says otherwise than the settings do.
    pub said: Vec<Said>,
    /// The folder of a Dagger module.
    pub dagger: Option<String>,
    /// Templates for new extensions.
    pub templates: Vec<String>,
    /// Workflows of others, and what takes their place.
    pub workflows: BTreeMap<String, Option<Successor>>,
    pub gitlab: bool,
    /// A configuration of Renovate in another file than the one that is written, which it would not read any more.
    pub renovate: Option<String>,
    /// Where images are pushed to, as far as files say it in words.
    pub registries: BTreeSet<String>,
}

impl Found {
    /// Looks at the files; asks no program. `config`: of this repository, where an `xtask.toml` has made it one.
    pub(super) fn look(root: &Path, config: &Config) -> Result<Self, Failure> {
        let mut found = Self {
            settings: root.join("xtask.toml").is_file(),
            suite: config.get(config::PATHS_SUITE).to_owned(),
            extensions_folder: config.get(config::PATHS_EXTENSIONS).to_owned(),
            bake_file: config.get(config::PATHS_BAKE_FILE).to_owned(),
            ..Self::default()
        };
        found.look_for_extensions(root)?;
        found.look_for_the_taskfile(root)?;
        found.look_for_workflows(root)?;
        let mut templates = entries(&root.join("templates"));
        templates.retain(|path| ends(path, &["tmpl"]));
        found.templates = names(&templates).map(str::to_owned).collect();
        let module = |folder: &PathBuf| folder.join("dagger.json").is_file();
        let modules = std::iter::once(root.join("dagger")).chain(entries(&root.join("dagger")));
        let mut modules = modules.filter(module);
        found.dagger = modules.next().and_then(|folder| below(root, &folder));
        found.renovate = renovate::elsewhere(root)?;
        found.gitlab = root.join(".gitlab-ci.yml").is_file();
        Ok(found)
    }

    /// Nothing that images could be made of: it begins here.
    pub(super) fn is_empty(&self) -> bool {
        self.extensions.is_empty() && !self.has_bake_file
    }

    fn look_for_extensions(&mut self, root: &Path) -> Result<(), Failure> {
        let mut by_folder = workspace::folders_of_extensions(root);
        let mut bake_files = bake_files(root)?;
        // Where most are; of two the one that is found first.
        let most = by_folder.iter().rev().max_by_key(|(_, names)| names.len());
        if self.settings {
            let folder = Path::new(&self.extensions_folder);
            let folder = folder.strip_prefix(".").unwrap_or(folder);
            self.extensions = by_folder.remove(folder).unwrap_or_default();
        } else if let Some((folder, names)) = most {
            let folder = folder.to_string_lossy();
            let is_root = folder.is_empty();
            self.extensions_folder = if is_root {
                ".".to_owned()
            } else {
                folder.into_owned()
            };
            self.extensions.clone_from(names);
        }
        let usual = [self.bake_file.as_str(), config::OLD_BAKE_FILE];
        let chosen = usual
            .iter()
            .find(|usual| bake_files.iter().any(|file| file == *usual));
        let chosen = chosen.map(|usual| (*usual).to_owned());
        let chosen = chosen.or_else(|| bake_files.first().cloned().filter(|_| !self.settings));
        self.has_bake_file = chosen.is_some();
        self.bake_file = chosen.unwrap_or_else(|| self.bake_file.clone());
        bake_files.retain(|file| *file != self.bake_file);
        self.other_bake_files = bake_files;
        if self.has_bake_file {
            let text = source::read(root, &root.join(&self.bake_file))?.unwrap_or_default();
            self.registries.extend(registry_of(&text));
        }
        Ok(())
    }

    fn look_for_the_taskfile(&mut self, root: &Path) -> Result<(), Failure> {
        let mut files = TASKFILES.iter().filter(|name| root.join(name).is_file());
        let Some(name) = files.next() else {
            return Ok(());
        };
        self.taskfile = Some((*name).to_owned());
        let text = source::read(root, &root.join(name))?.unwrap_or_default();
        let Some(Value::Object(file)) = yaml::from_text(&text) else {
            return Ok(());
        };
        let object = |key: &str| file.get(key).and_then(Value::as_object);
        let tasks = object("tasks").into_iter().flatten();
        self.tasks = tasks.map(|(name, _)| name.clone()).collect();
        let variables = object("vars").into_iter().flatten();
        let literal = |(name, value): (&String, &Value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            // What Task evaluates has no value here.
            (!text.contains("{{")).then(|| (name.clone(), text))
        };
        let variables: Vec<(String, String)> = variables.filter_map(literal).collect();
        self.said = dialect::settings(&variables);
        self.said.retain(|said| !is_said_anyway(said));
        Ok(())
    }

    fn look_for_workflows(&mut self, root: &Path) -> Result<(), Failure> {
        let literal = Regex::new(r#"(?m)^\s*registry:\s*["']?([A-Za-z0-9.:/_-]+)"#);
        for path in entries(&root.join(".github/workflows")) {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if !path.is_file() || !ends(&path, &["yml", "yaml"]) {
                continue;
            }
            let text = source::read(root, &path)?.unwrap_or_default();
            if let Ok(literal) = &literal {
                let said = literal.captures_iter(&text);
                let said = said.map(|said| said[1].trim_end_matches('/').to_owned());
                self.registries
                    .extend(said.filter(|name| Registry::is(name)));
            }
            // Ours, from an earlier call.
            if text.contains("cargo xtask") {
                continue;
            }
            let becomes = workflow::becomes(&text);
            self.workflows.insert(name.to_owned(), becomes);
        }
        Ok(())
    }
}

/// Whether it is so without being said.
fn is_said_anyway(said: &Said) -> bool {
    let defaults = Config::defaults();
    let names = Names::of(&defaults);
    match said.key {
        "e2e.network" => said.value == names.network,
        "e2e.registry" => said.value == names.registry,
        key => {
            let mut shown = defaults.shown().into_iter();
            shown.any(|setting| setting.key == key && setting.value == said.value)
        }
    }
}

/// The bake files, by their paths below the root, those nearest to it first.
fn bake_files(root: &Path) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for path in workspace::files(root) {
        let name = path.file_name().unwrap_or_default();
        if !ends(&path, &["hcl"]) || name == "metadata.hcl" {
            continue;
        }
        let text = source::read(root, &root.join(&path))?.unwrap_or_default();
        let mut lines = text.lines();
        if lines.any(|line| line.starts_with("target \"")) {
            found.extend(path.to_str().map(str::to_owned));
        }
    }
    found.sort_by_key(|file| file.matches('/').count());
    Ok(found)
}

/// The default of the variable `registry` in a bake file.
fn registry_of(text: &str) -> Option<String> {
    let variable = r#"variable\s+"registry"\s*\{[^}]*?default\s*=\s*"([^"$]+)""#;
    let said = Regex::new(variable).ok()?.captures(text)?;
    Some(said[1].to_owned()).filter(|name| Registry::is(name))
}

/// What is in a folder, in the order of names; nothing where it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn names(paths: &[PathBuf]) -> impl Iterator<Item = &str> {
    paths.iter().filter_map(|path| path.file_name()?.to_str())
}

fn ends(path: &Path, endings: &[&str]) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    end.is_some_and(|end| endings.contains(&end))
}

/// A path below the root, as text.
fn below(root: &Path, path: &Path) -> Option<String> {
    Some(path.strip_prefix(root).ok()?.to_str()?.to_owned())
}
