// SPDX-License-Identifier: Apache-2.0
//! The guides have every command, option, setting and extension.

use std::collections::BTreeSet;

use serde_json::Value;
use xtask::cli;

use super::repository::{documents, guide, stdout, text};

fn extensions() -> BTreeSet<String> {
    let list = stdout(&["targets", "--json"]);
    serde_json::from_str(&list).unwrap()
}

#[test]
fn the_guide_has_every_command_and_option() {
    fn walk(command: &clap::Command, path: &str, guide: &str) {
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let Some(long) = arg
                .get_long()
                .filter(|name| !["help", "version"].contains(name))
            else {
                continue;
            };
            let option = format!("--{long}");
            assert!(guide.contains(&option), "the guide lacks `{path} {option}`");
        }
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name());
            assert!(guide.contains(&path), "the guide lacks `{path}`");
            walk(sub, &path, guide);
        }
    }
    let all: Vec<String> = guide().iter().map(|file| text(file)).collect();
    assert!(all.len() > 10, "only {} documents", all.len());
    walk(&cli::command(), "cargo xtask", &all.concat());
    // That is made of the same command line; what was left out when it was made would be missed here.
    walk(
        &cli::command(),
        "cargo xtask",
        &text("docs/reference/commands.md"),
    );
}

/// What is read from top to bottom has to stay so.
#[test]
fn the_guide_is_short_and_names_every_document() {
    let text = text("BUILD.md");
    assert!(text.len() <= 20_000, "BUILD.md has {} bytes", text.len());
    let readme = super::repository::text("README.md");
    for file in documents() {
        if file.starts_with("docs/") && !file.contains("/pictures/") {
            let link = format!("]({file})");
            let named = text.contains(&link) || readme.contains(&link);
            assert!(named, "neither BUILD.md nor README.md names {file}");
        }
    }
}

#[test]
fn the_guide_has_every_setting() {
    let guide = text("docs/reference/settings.md");
    let settings: Vec<Value> = serde_json::from_str(&stdout(&["config", "--json"])).unwrap();
    assert!(!settings.is_empty());
    for setting in settings {
        let column = |name: &str| setting[name].as_str().unwrap().to_owned();
        let row = format!("| `{}` | `{}` |", column("key"), column("env"));
        assert!(
            guide.contains(&row),
            "docs/reference/settings.md lacks `{row}`"
        );
    }
}

#[test]
fn the_readme_and_the_completions_have_every_extension() {
    let readme = text("README.md");
    let script = stdout(&["completions", "bash"]);
    let extensions = extensions();
    assert!(extensions.contains("pgvector"));
    for name in extensions {
        let row = format!("| [{name}](extensions/{name}/README.md) |");
        assert!(readme.contains(&row), "README.md's table lacks {name}");
        assert!(script.contains(&name), "the bash completion lacks {name}");
    }
}
