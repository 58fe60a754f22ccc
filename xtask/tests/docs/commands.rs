// SPDX-License-Identifier: Apache-2.0
//! Every command in the documents parses, and those that only plan run.

use std::collections::BTreeSet;

use xtask::{cli, dialect};

use super::repository::{documents, guide, text, xtask};

/// What `cargo xtask` stands for in the documentation.
const PROGRAM: &[&str] = &["cargo", "xtask"];

/// Of blocks that show how a command is called, and call none.
const USAGE: &str = "usage";

/// The commands of the old tooling's guide that this tool has, with `task` replaced.
const OLD_GUIDE: &[&str] = &[
    "cargo xtask prereqs",
    "cargo xtask checks:all",
    "cargo xtask",
    "cargo xtask bake:all",
    "cargo xtask bake TARGET=pgvector",
    "cargo xtask bake:all PUSH=true",
    "cargo xtask bake TARGET=pgvector PUSH=true",
    "cargo xtask DRY_RUN=true",
    "cargo xtask bake TARGET=pgvector DRY_RUN=true",
];

/// The same in the canonical spelling.
const CANONICAL: &[&str] = &[
    "cargo xtask prereqs",
    "cargo xtask checks --all",
    "cargo xtask bake --all",
    "cargo xtask bake pgvector",
    "cargo xtask bake --all --push",
    "cargo xtask bake pgvector --push",
    "cargo xtask bake --all --dry-run",
    "cargo xtask bake pgvector --dry-run",
];

/// The lines of each fenced block, with the block's language.
pub(super) fn blocks(markdown: &str) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in markdown.lines() {
        let line = line.trim();
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language.to_owned(), Vec::new())),
            (Some(_), Some(_)) => all.extend(open.take()),
            (None, Some((_, lines))) => lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fenced block is not closed");
    all
}

/// A command of the documentation: `registry=x cargo xtask bake --all   # why`.
pub(super) struct Line {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) env: Vec<(String, String)>,
    /// Without `cargo xtask`, and without what follows for the shell.
    pub(super) args: Vec<String>,
}

impl Line {
    pub(super) fn parse(file: &str, line: &str) -> Option<Self> {
        let text = line.split(" #").next().unwrap_or_default().trim();
        let words = shell_words::split(text).ok()?;
        let start = words.iter().position(|word| !word.contains('='))?;
        if words.get(start..start + PROGRAM.len())? != PROGRAM {
            return None;
        }
        let env = words[..start]
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let args = words[start + PROGRAM.len()..]
            .iter()
            .take_while(|word| !matches!(word.as_str(), ">" | "|" | "&&"))
            .cloned()
            .collect();
        Some(Self {
            file: file.to_owned(),
            text: text.to_owned(),
            env,
            args,
        })
    }

    pub(super) fn canonical(&self) -> Vec<String> {
        dialect::canonical(&cli::command(), self.args.clone(), &|_| None)
            .unwrap_or_else(|failure| panic!("{}: `{}`: {failure}", self.file, self.text))
            .words
    }
}

pub(super) fn commands(documents: &[String]) -> Vec<Line> {
    let mut lines = Vec::new();
    for file in documents {
        for (_, block) in blocks(&text(file))
            .into_iter()
            .filter(|(language, _)| language != USAGE)
        {
            lines.extend(block.iter().filter_map(|line| Line::parse(file, line)));
        }
    }
    lines
}

#[test]
fn every_command_parses() {
    let lines = commands(&documents());
    assert!(lines.len() > 200, "only {} commands found", lines.len());
    for line in lines {
        let words = std::iter::once("cargo xtask".to_owned()).chain(line.canonical());
        match cli::command().try_get_matches_from(words) {
            // Help and the version are answers too.
            Err(error) if error.use_stderr() => panic!("{}: `{}`: {error}", line.file, line.text),
            _ => {}
        }
    }
}

#[test]
fn every_command_that_only_plans_runs() {
    let mut run = 0;
    let readme = "README.md".to_owned();
    let documents: Vec<String> = std::iter::once(readme).chain(guide()).collect();
    for line in commands(&documents) {
        let words = line.canonical();
        let has = |flag: &str| words.iter().any(|word| word == flag);
        let mut args = line.args.clone();
        let pure = match words.first().map(String::as_str) {
            // It reads what a bake has written.
            Some("smoke") if has("--metadata-file") => false,
            // In the sandbox even a dry run depends on what is there.
            Some("bake" | "smoke") if !has("--sandbox") => {
                if !has("--dry-run") {
                    args.push("--dry-run".to_owned());
                }
                true
            }
            Some("targets") => !has("--changed-since"),
            Some("checks") => has("--no-bake"),
            Some("config" | "completions") => true,
            _ => false,
        };
        if pure {
            let output = xtask(&args, &line.env);
            assert!(
                output.status.success(),
                "{}: `{}`: {}",
                line.file,
                line.text,
                String::from_utf8_lossy(&output.stderr)
            );
            run += 1;
        }
    }
    assert!(run > 30, "only {run} commands were run");
}

#[test]
fn both_spellings_of_the_old_guide_are_there() {
    let guide: BTreeSet<String> = commands(&["BUILD.md".to_owned()])
        .into_iter()
        .map(|line| line.text)
        .collect();
    for wanted in OLD_GUIDE.iter().chain(CANONICAL) {
        assert!(guide.contains(*wanted), "BUILD.md lacks `{wanted}`");
    }
}

#[test]
fn the_documentation_has_no_placeholders() {
    for file in documents() {
        for (language, block) in blocks(&text(&file)) {
            // A call as its usage shows it is all placeholders.
            if language == USAGE {
                continue;
            }
            for line in block.iter().filter(|line| line.contains("xtask ")) {
                let open = line.find('<').map_or("", |at| &line[at + 1..]);
                assert!(!open.contains('>'), "{file}: `{line}` has a placeholder");
            }
        }
    }
}

/// An acceptance script runs them as they stand there.
#[test]
fn the_quick_start_is_two_commands() {
    let readme = text("README.md");
    let section = readme.split("## Quick start").nth(1).unwrap();
    let (language, lines) = blocks(section).swap_remove(0);
    let parsed: Vec<String> = lines
        .iter()
        .map(|line| Line::parse("README.md", line).unwrap().text)
        .collect();
    assert_eq!(language, "bash");
    assert_eq!(
        parsed,
        ["cargo xtask smoke pgvector --sandbox", "cargo xtask ci"]
    );
}
