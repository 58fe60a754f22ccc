// SPDX-License-Identifier: Apache-2.0
//! SQL extensions of an image: which versions their scripts make, which of these can be updated to which, and by what names
//! the scripts load modules. The rules are those of `get_ext_ver_list` in `src/backend/commands/extension.c` of PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    controls::Control,
    updates::{Graph, Update},
};

/// Versions of an extension of which it is said which reaches which; of more the graph alone is told.
const MOST_VERSIONS: usize = 500;
/// Names of modules that are kept of a script.
const MOST_NAMES: usize = 100;

/// What stands for the server's own folder of modules in a script.
const LIBRARY_FOLDER: &str = "'$libdir/";
/// What stands for `module_pathname` of the control file.
const MODULE: &str = "MODULE_PATHNAME";

/// A module that scripts load by a name with `$libdir/` in front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    /// Behind `$libdir/`.
    pub name: String,
    /// The first script that does, and the line.
    pub script: String,
    pub line: usize,
    /// In how many scripts.
    pub scripts: usize,
    /// Where one says `LOAD`, which takes no other folder than the server's own.
    pub loaded: bool,
}

/// An SQL extension, as its control file and its scripts say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct SqlExtension {
    pub name: String,
    /// Its folder from the image's root on.
    pub folder: String,
    pub default_version: Option<String>,
    pub module_pathname: Option<String>,
    pub requires: Vec<String>,
    pub trusted: bool,
    /// The versions that a script makes from nothing.
    pub installs: Vec<String>,
    pub updates: Vec<Update>,
    /// From each version to all that it can be updated to. None: there are too many.
    pub reaches: Option<BTreeMap<String, Vec<String>>>,
    /// The versions that cannot be updated to the default one.
    pub stranded: Vec<String>,
    /// Whether `CREATE EXTENSION` can make the default version, from nothing or by updates.
    pub default_is_made: bool,
    /// Whether a script has `MODULE_PATHNAME` in it.
    pub uses_module_pathname: bool,
    pub named: Vec<Named>,
}

/// What the text of a script has to say of modules.
#[derive(Clone, Debug, Default)]
struct Script {
    uses_module_pathname: bool,
    /// Names behind `$libdir/` with their first line, and whether it is for `LOAD`.
    named: BTreeMap<String, (usize, bool)>,
}

/// The files of SQL extensions, while an image is read.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    /// By folder and name without the end.
    controls: BTreeMap<(String, String), Control>,
    scripts: BTreeMap<(String, String), Script>,
}

impl Scripts {
    pub(super) fn control(&mut self, folder: &str, name: &str, text: &str) {
        let key = (folder.to_owned(), name.to_owned());
        self.controls.insert(key, Control::parse(text));
    }

    pub(super) fn script(&mut self, folder: &str, name: &str, text: &str) {
        let key = (folder.to_owned(), name.to_owned());
        self.scripts.insert(key, Script::parse(text));
    }

    /// All extensions, by their folders and names. A control file of one version is none of its own.
    pub(super) fn extensions(&self) -> Vec<SqlExtension> {
        let own = self.controls.iter();
        let own = own.filter(|((_, name), _)| !name.contains("--"));
        own.map(|((folder, name), control)| self.extension(folder, name, control))
            .collect()
    }

    fn extension(&self, folder: &str, name: &str, control: &Control) -> SqlExtension {
        let mut found = SqlExtension {
            name: name.to_owned(),
            folder: folder.to_owned(),
            default_version: control.default_version.clone(),
            module_pathname: control.module_pathname.clone(),
            requires: control.requires.clone().unwrap_or_default(),
            trusted: control.trusted,
            ..SqlExtension::default()
        };
        let scripts_folder = scripts_folder(folder, control);
        let begin = format!("{name}--");
        let first = (scripts_folder.clone(), begin.clone());
        let own = self.scripts.range(first..);
        let own = own.take_while(|((folder, script), _)| {
            *folder == scripts_folder && script.starts_with(&begin)
        });
        let mut named: BTreeMap<String, Named> = BTreeMap::new();
        for ((_, script), says) in own {
            let versions = &script[begin.len()..];
            match versions.split_once("--") {
                None => found.installs.push(versions.to_owned()),
                Some((_, to)) if to.contains("--") => continue,
                Some((from, to)) => found.updates.push(Update {
                    from: from.to_owned(),
                    to: to.to_owned(),
                }),
            }
            found.uses_module_pathname |= says.uses_module_pathname;
            says.add_to(&mut named, script);
        }
        found.named = named.into_values().collect();
        found.follow_updates();
        found
    }
}

/// Where the scripts of a control file are. An absolute folder is one of the server's machine, not of the image.
fn scripts_folder(folder: &str, control: &Control) -> String {
    match control.directory.as_deref() {
        None => folder.to_owned(),
        Some(directory) if directory.starts_with('/') => directory.to_owned(),
        Some(directory) => {
            let share = folder.rsplit_once('/').map_or("", |(share, _)| share);
            format!("{share}/{directory}")
        }
    }
}

impl SqlExtension {
    /// All versions that a script makes or starts from.
    pub(crate) fn versions(&self) -> BTreeSet<&str> {
        let ends = self.updates.iter().flat_map(|one| [&*one.from, &*one.to]);
        self.installs
            .iter()
            .map(String::as_str)
            .chain(ends)
            .collect()
    }

    /// Finds out which version reaches which.
    fn follow_updates(&mut self) {
        let graph = Graph::of(&self.updates);
        if self.versions().len() <= MOST_VERSIONS {
            let from_each = self.versions().into_iter().map(|version| {
                let reached = Graph::reached(&graph.forward, version).into_iter();
                let others = reached.filter(|other| *other != version);
                (version.to_owned(), others.map(str::to_owned).collect())
            });
            self.reaches = Some(from_each.collect());
        }
        let Some(default) = self.default_version.as_deref() else {
            return;
        };
        let reaching = Graph::reached(&graph.backward, default);
        let is_stranded = |version: &&str| *version != default && !reaching.contains(version);
        let stranded = self.versions().into_iter().filter(is_stranded);
        let stranded = stranded.map(str::to_owned).collect();
        let mut installs = self.installs.iter();
        let default_is_made =
            installs.any(|version| version == default || reaching.contains(version.as_str()));
        self.stranded = stranded;
        self.default_is_made = default_is_made;
    }
}

impl Script {
    fn parse(text: &str) -> Self {
        let mut found = Self {
            uses_module_pathname: text.contains(MODULE),
            ..Self::default()
        };
        if !text.contains(LIBRARY_FOLDER) {
            return found;
        }
        for (at, line) in text.lines().enumerate() {
            let code = line.split("--").next().unwrap_or_default();
            for (place, _) in code.match_indices(LIBRARY_FOLDER) {
                let name = &code[place + LIBRARY_FOLDER.len()..];
                let Some(end) = name.find('\'') else { continue };
                let before = code[..place].trim_end().trim_end_matches('\'');
                let is_load = before.trim_end().to_uppercase().ends_with("LOAD");
                if found.named.len() < MOST_NAMES {
                    let name = name[..end].trim_end_matches(".so").to_owned();
                    let entry = found.named.entry(name).or_insert((at + 1, false));
                    entry.1 |= is_load;
                }
            }
        }
        found
    }

    fn add_to(&self, all: &mut BTreeMap<String, Named>, script: &str) {
        for (name, (line, loaded)) in &self.named {
            let entry = all.entry(name.clone()).or_insert_with(|| Named {
                name: name.clone(),
                script: format!("{script}.sql"),
                line: *line,
                scripts: 0,
                loaded: false,
            });
            entry.scripts += 1;
            entry.loaded |= loaded;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "/share/extension";

    fn extension(control: &str, scripts: &[(&str, &str)]) -> SqlExtension {
        let mut all = Scripts::default();
        all.control(FOLDER, "a", control);
        all.control(FOLDER, "a--1.0", "requires = 'x'");
        for (name, text) in scripts {
            all.script(FOLDER, name, text);
        }
        let mut extensions = all.extensions();
        assert_eq!(extensions.len(), 1, "{extensions:?}");
        extensions.remove(0)
    }

    #[test]
    fn which_version_reaches_which_is_told_by_the_scripts() {
        let scripts = [
            "a--1.0",
            "a--1.0--1.1",
            "a--1.1--2.0",
            "a--0.9--1.0",
            "a--3.0",
            "a--x--y--z",
            "ab--1.0",
        ];
        let scripts = scripts.map(|name| (name, ""));
        let found = extension("default_version = '2.0'", &scripts);
        assert_eq!(found.installs, ["1.0", "3.0"]);
        assert_eq!(found.updates.len(), 3);
        assert!(found.default_is_made, "1.0, and updates");
        assert_eq!(found.stranded, ["3.0"]);
        let reaches = found.reaches.unwrap();
        assert_eq!(reaches["0.9"], ["1.0", "1.1", "2.0"]);
        assert!(reaches["2.0"].is_empty() && reaches["3.0"].is_empty());
    }

    #[test]
    fn a_default_version_that_nothing_makes_is_seen() {
        let updates = [("a--1.0--2.0", ""), ("a--2.0--1.0", "")];
        let found = extension("default_version = '2.0'", &updates);
        assert!(!found.default_is_made);
        assert_eq!(found.stranded, Vec::<String>::new());
        assert!(!extension("", &[("a--1.0", "")]).default_is_made);
        assert!(extension("default_version = 1", &[("a--1", "")]).default_is_made);
    }

    #[test]
    fn scripts_may_be_in_a_folder_that_the_control_file_names() {
        let mut all = Scripts::default();
        let control = "default_version = '1'\ndirectory = 'contrib/a'";
        all.control(FOLDER, "a", control);
        all.script("/share/contrib/a", "a--1", "");
        assert!(all.extensions()[0].default_is_made);
    }

    #[test]
    fn names_with_the_servers_own_folder_are_found_with_their_lines() {
        let sql = "-- '$libdir/comment'\nLOAD '$libdir/a.so';\nCREATE FUNCTION f() AS '$libdir/sub/b', 'f';\nAS 'MODULE_PATHNAME'";
        let scripts = [("a--1", sql), ("a--1--2", "AS '$libdir/sub/b'")];
        let found = extension("", &scripts);
        assert!(found.uses_module_pathname);
        let named = |name: &str, line, scripts, loaded| Named {
            name: name.into(),
            script: "a--1.sql".into(),
            line,
            scripts,
            loaded,
        };
        let wanted = [named("a", 2, 1, true), named("sub/b", 3, 2, false)];
        assert_eq!(found.named, wanted);
    }

    #[test]
    fn of_too_many_versions_the_graph_alone_is_told() {
        let names: Vec<String> = (0..1000).map(|at| format!("a--{at}--{}", at + 1)).collect();
        let scripts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        let found = extension("default_version = '1000'", &scripts);
        assert_eq!(found.reaches, None);
        assert_eq!((found.updates.len(), found.stranded.len()), (1000, 0));
    }
}
