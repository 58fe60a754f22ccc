// SPDX-License-Identifier: Apache-2.0
//! The floors of the program: a file imports from its own floor and from lower ones, a command from no other.

use std::{collections::BTreeSet, path::Path};

use super::repository::{files, text};

/// The floors from low to high, with the modules on each: files and folders of `xtask/src`.
const FLOORS: &[(&str, &[&str])] = &[
    (
        "text",
        &[
            "value",
            "failure",
            "symptom",
            "finding",
            "hcl",
            "template",
            "yaml",
            "json",
            "printable",
            "verdict",
        ],
    ),
    ("files", &["own"]),
    ("facts", &["config", "extension", "dockerfile", "workspace"]),
    ("plan", &["plan", "exec"]),
    ("tools", &["tool"]),
    ("model", &["image", "target", "mount"]),
    ("run", &["run", "event", "diagnosis"]),
    ("engine", &["engine", "sandbox", "environment"]),
    ("stage", &["stage"]),
    ("cli", &["cli", "dialect"]),
    ("ui", &["ui"]),
    ("context", &["context"]),
    ("command", &["cmd"]),
    ("top", &["fuzzing", "lib", "main", "bin"]),
];

/// A module's path as its parts: `cmd`, `e2e`, `test`.
type Module = Vec<String>;

/// The module that a file below `xtask/src` is.
fn module(file: &Path) -> Module {
    let parts = file.with_extension("");
    let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| part != "mod").collect()
}

/// A path in the code, `crate::a::b` or `super::c`, from the root of the crate on.
fn absolute(path: &str, within: &[String]) -> Module {
    let mut found: Module = Vec::new();
    for part in path.split("::").map(str::trim) {
        match part {
            "crate" => found.clear(),
            "self" if found.is_empty() => found = within.to_vec(),
            "super" if found.is_empty() => found = within[..within.len() - 1].to_vec(),
            "super" => drop(found.pop()),
            name => found.push(name.split_whitespace().next().unwrap_or_default().into()),
        }
    }
    found
}

/// The paths that a tree of imports stands for: `a::{b, c::{d, e}}` is three.
fn paths(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else {
        return vec![tree.trim().to_owned()];
    };
    let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (at, character) in inner.char_indices().chain([(inner.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let branch = inner[from..at].trim();
                if !branch.is_empty() {
                    found.extend(
                        paths(branch)
                            .iter()
                            .map(|path| format!("{}{path}", prefix.trim())),
                    );
                }
                from = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// What a source names of this crate, outside of comments and of its unit tests.
fn named(source: &str, within: &[String]) -> BTreeSet<Module> {
    let code = source.split("#[cfg(test)]\nmod tests {").next();
    let code: Vec<&str> = code
        .unwrap_or_default()
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = code.join("\n");
    let mut found = BTreeSet::new();
    let mut rest = code.as_str();
    let mut imported = false;
    while let Some(at) = [rest.find("crate::"), rest.find("super::")]
        .into_iter()
        .flatten()
        .min()
    {
        imported |= rest[..at].ends_with("use ");
        rest = &rest[at..];
        let end = if imported {
            rest.find(';')
        } else {
            rest.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c))
        };
        let (tree, after) = rest.split_at(end.unwrap_or(rest.len()));
        found.extend(paths(tree).iter().map(|path| absolute(path, within)));
        (rest, imported) = (after, false);
    }
    found
}

/// The sources without unit tests, below `xtask/src`, with their modules and what they name.
fn sources() -> Vec<(String, Module, BTreeSet<Module>)> {
    let mut all = Vec::new();
    for path in files("xtask/src") {
        let file = path.strip_prefix("xtask/src").unwrap();
        let tests = file
            .iter()
            .any(|part| part == "tests" || part == "tests.rs");
        if tests || path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let module = module(file);
        let named = named(&text(&path.to_string_lossy()), &module);
        all.push((file.to_string_lossy().into_owned(), module, named));
    }
    all
}

#[test]
fn every_module_stands_on_one_floor() {
    for (file, module, _) in sources() {
        let floors = FLOORS
            .iter()
            .filter(|(_, all)| all.contains(&module[0].as_str()));
        assert_eq!(floors.count(), 1, "the floor of {file}");
    }
    let there: BTreeSet<String> = sources()
        .into_iter()
        .map(|(_, module, _)| module[0].clone())
        .collect();
    let named = FLOORS.iter().flat_map(|(_, all)| *all);
    for name in named {
        assert!(there.contains(*name), "`{name}` is no module");
    }
}

#[test]
fn no_file_imports_from_a_higher_floor() {
    let floor = |name: &str| FLOORS.iter().position(|(_, all)| all.contains(&name));
    let mut found = BTreeSet::new();
    for (file, module, named) in sources() {
        for other in named.iter().filter_map(|path| path.first()) {
            if floor(other) > floor(&module[0]) {
                found.insert((file.clone(), other.clone()));
            }
        }
    }
    assert!(found.is_empty(), "imports from a higher floor: {found:#?}");
}

#[test]
fn no_command_imports_another() {
    let all = sources();
    let commands: Vec<&Module> = all.iter().map(|(_, module, _)| module).collect();
    let mut found = BTreeSet::new();
    for (file, module, named) in &all {
        for path in named
            .iter()
            .filter(|path| module[0] == "cmd" && path[0] == "cmd")
        {
            let other = commands.iter().filter(|other| path.starts_with(other));
            let other = other.max_by_key(|other| other.len()).unwrap();
            // What a file holds of its own, and what holds it, are no other commands.
            if !other.starts_with(module) && !module.starts_with(other) {
                found.insert((file.clone(), other[1..].join("/")));
            }
        }
    }
    assert!(found.is_empty(), "a command imports another: {found:#?}");
}

#[test]
fn a_tree_of_imports_is_the_paths_in_it() {
    let within = ["cmd", "e2e", "test"].map(str::to_owned);
    let source = "use crate::{\n    own::{file, lock},\n    plan::Plan, // no\n};\nuse super::{super::bake, suite};\nfn f() { crate::run::go() }\n#[cfg(test)]\nmod tests {\n use super::*;\n}";
    let found: Vec<String> = named(source, &within)
        .iter()
        .map(|path| path.join("::"))
        .collect();
    assert_eq!(
        found,
        [
            "cmd::bake",
            "cmd::e2e::suite",
            "own::file",
            "own::lock",
            "plan::Plan",
            "run::go"
        ]
    );
}
