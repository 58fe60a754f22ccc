// SPDX-License-Identifier: Apache-2.0
//! The files that `init` writes, and how those that are there already differ from them.

mod starter;

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::Found;
use crate::{config, failure::Failure, own::source};

/// The workflows are this repository's own: all that differs is how a job gets the program.
const WORKFLOWS: &[(&str, &str, &str)] = &[
    (
        ".github/workflows/images.yml",
        include_str!("../../../../.github/workflows/images.yml"),
        "finds what has changed, and has it published",
    ),
    (
        ".github/workflows/extension.yml",
        include_str!("../../../../.github/workflows/extension.yml"),
        "builds, tests and publishes an extension",
    ),
    (
        ".github/workflows/catalogs.yml",
        include_str!("../../../../.github/workflows/catalogs.yml"),
        "keeps the catalogs of images up to date",
    ),
    (
        ".github/workflows/os-libs.yml",
        include_str!("../../../../.github/workflows/os-libs.yml"),
        "keeps the lists of system libraries up to date",
    ),
];

const RENOVATE: &str = include_str!("../../../../renovate.json");

/// What it names of this repository alone.
const OURS: &[&str] = &[
    "xtask/tests/**",
    "fuzz/**",
    "xtask/src/config/settings.rs",
    "docs/gitlab-ci.yml",
    ".ci/*",
];

/// What says how a job gets the program.
pub(super) const ACTION: &str = ".github/actions/xtask/action.yml";

const ABOUT_SETTINGS: &str = "# Settings of this repository. Every key, its default and its environment variable: `cargo xtask config`.\n";

/// A file, by its path below the root.
pub(super) struct Wanted {
    pub path: PathBuf,
    pub text: String,
    pub about: &'static str,
}

/// What is in its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    New,
    /// The same.
    Same,
    /// Another file: with so many lines that this one lacks, and without so many of its.
    Differs {
        more: usize,
        fewer: usize,
    },
    /// No file that could be read.
    Other,
}

impl Wanted {
    pub(super) fn new(path: &str, text: &str, about: &'static str) -> Self {
        Self {
            path: PathBuf::from(path),
            text: text.to_owned(),
            about,
        }
    }

    /// Fails where something else has the name of a folder that it is to be in.
    fn check_folders(&self, root: &Path) -> Result<(), Failure> {
        for folder in self.path.ancestors().skip(1) {
            if let Ok(found) = root.join(folder).symlink_metadata()
                && !found.is_dir()
                && !folder.as_os_str().is_empty()
            {
                let kind = if found.is_symlink() {
                    "a link"
                } else {
                    "no folder"
                };
                return Err(Failure::invalid(format!(
                    "`{}` is {kind}: `{}` is to be written below it",
                    folder.display(),
                    self.path.display()
                ))
                .hint("nothing was written; move it away, or make it a folder"));
            }
        }
        Ok(())
    }

    /// Looks at its place. A link counts as something that is there.
    pub(super) fn state(&self, root: &Path) -> Result<State, Failure> {
        let place = root.join(&self.path);
        self.check_folders(root)?;
        let found = match place.symlink_metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::New),
            Err(error) => {
                let path = self.path.display();
                return Err(Failure::failed(format!(
                    "`{path}` cannot be looked at: {error}"
                )));
            }
        };
        if !found.is_file() {
            return Ok(State::Other);
        }
        let there = source::read(root, &place)?.unwrap_or_default();
        if there == self.text {
            return Ok(State::Same);
        }
        let lacking = |of: &str, text: &str| {
            let known: Vec<&str> = of.lines().collect();
            text.lines().filter(|line| !known.contains(line)).count()
        };
        Ok(State::Differs {
            more: lacking(&self.text, &there),
            fewer: lacking(&there, &self.text),
        })
    }
}

impl State {
    pub(super) fn word(&self) -> &'static str {
        match self {
            State::New => "written",
            State::Same => "unchanged",
            State::Differs { .. } | State::Other => "kept",
        }
    }

    pub(super) fn about(&self, file: &Wanted) -> String {
        match self {
            State::New | State::Same => file.about.to_owned(),
            State::Differs { more, fewer } => {
                format!("yours; of its lines ours lacks {more}, of ours it lacks {fewer}")
            }
            State::Other => "yours; it is no plain file".to_owned(),
        }
    }
}

/// All but the note.
pub(super) fn files(found: &Found, source: &str, revision: &str) -> Vec<Wanted> {
    let settings = settings(found);
    let mut files = vec![
        Wanted::new("xtask.toml", &settings, "the settings of this repository"),
        Wanted::new(
            ACTION,
            &action(source, revision),
            "installs the program in a workflow",
        ),
    ];
    let workflows = WORKFLOWS.iter();
    files.extend(workflows.map(|(path, text, about)| Wanted::new(path, text, about)));
    // Of several configurations Renovate reads the first alone: ours would be that.
    if found.renovate.is_none() {
        let about = "keeps pins up to date, with Renovate";
        files.push(Wanted::new("renovate.json", &without_ours(RENOVATE), about));
    }
    if found.is_empty() {
        let starter = starter::FILES.iter();
        files.extend(starter.map(|(path, text, about)| Wanted::new(path, text, about)));
    }
    files
}

/// The configuration of Renovate without what other repositories do not have.
fn without_ours(text: &str) -> String {
    let mut text = text.to_owned();
    for path in OURS {
        let quoted = format!("\"{path}\"");
        while let Some(at) = text.find(&quoted) {
            let (before, behind) = (&text[..at], &text[at + quoted.len()..]);
            text = if let Some(next) = behind.strip_prefix(',') {
                format!("{before}{}", next.trim_start())
            } else {
                let before = before.trim_end();
                format!("{}{behind}", before.strip_suffix(',').unwrap_or(before))
            };
        }
    }
    text
}

/// How a job gets the program, in a repository that does not have its source.
fn action(source: &str, revision: &str) -> String {
    let fields = [("{repository}", source), ("{revision}", revision)];
    include_str!("action.yml")
        .lines()
        .map(|line| {
            // One field a line: what stands for it is not looked at again.
            let mut fields = fields.iter();
            let field = fields.find(|(name, _)| line.contains(name));
            let line = field.map_or_else(
                || line.to_owned(),
                |(name, value)| line.replace(name, value),
            );
            line + "\n"
        })
        .collect()
}

/// `xtask.toml`: where things are, and what the Taskfile said otherwise than this program would.
fn settings(found: &Found) -> String {
    let paths = [
        (config::PATHS_EXTENSIONS.name(), &found.extensions_folder),
        (config::PATHS_BAKE_FILE.name(), &found.bake_file),
        (config::PATHS_SUITE.name(), &found.suite),
    ];
    let paths = paths.map(|(key, value)| (key, value, None));
    let said = found.said.iter();
    let said = said.map(|said| (said.key, &said.value, Some(said.variable)));
    let file = found.taskfile.as_deref().unwrap_or_default();
    // Keys without a table stand before all tables, which is where the empty name is in their order.
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    for (key, value, variable) in paths.into_iter().chain(said) {
        let (table, key) = key.split_once('.').unwrap_or(("", key));
        let lines = tables.entry(table).or_default();
        if let Some(variable) = variable {
            *lines += &format!("# {file}: {variable}\n");
        }
        *lines += &format!("{key} = {}\n", quoted(value));
    }
    let mut text = ABOUT_SETTINGS.to_owned();
    for (table, lines) in tables {
        if !table.is_empty() {
            text += &format!("\n[{table}]\n");
        }
        text += &lines;
    }
    text
}

/// A text in TOML, whose basic strings are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
