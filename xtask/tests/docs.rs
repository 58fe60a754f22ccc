// SPDX-License-Identifier: Apache-2.0
//! The documentation says what the program does: its commands parse and plan, its lists are complete.
//! And what ARCHITECTURE.md claims of the sources holds, as far as a search through text can tell.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "what panics here fails its test, and its files are the project's own"
)]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use clap::{CommandFactory, Parser};
use serde_json::Value;
use walkdir::WalkDir;
use xtask::{cli::Cli, dialect};

/// What `cargo xtask` stands for in the documentation.
const PROGRAM: &[&str] = &["cargo", "xtask"];

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

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

fn text(path: &str) -> String {
    fs_err::read_to_string(root().join(path)).unwrap()
}

/// Every file of the repository, relative to its root: what is built and git's own business left out.
fn files(below: &str) -> Vec<PathBuf> {
    let left_out = ["target", ".git"];
    WalkDir::new(root().join(below))
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !left_out.iter().any(|name| entry.file_name() == *name))
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(root()).unwrap().to_owned())
        .collect()
}

/// The lines of each fenced block, with the block's language.
fn blocks(markdown: &str) -> Vec<(String, Vec<String>)> {
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
struct Line {
    file: &'static str,
    text: String,
    env: Vec<(String, String)>,
    /// Without `cargo xtask`, and without what follows for the shell.
    args: Vec<String>,
}

impl Line {
    fn parse(file: &'static str, line: &str) -> Option<Self> {
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
            file,
            text: text.to_owned(),
            env,
            args,
        })
    }

    fn canonical(&self) -> Vec<String> {
        dialect::canonical(self.args.clone(), &|_| None)
            .unwrap_or_else(|failure| panic!("{}: `{}`: {failure}", self.file, self.text))
    }
}

fn commands(documents: &[&'static str]) -> Vec<Line> {
    let mut lines = Vec::new();
    for file in documents {
        for (_, block) in blocks(&text(file)) {
            lines.extend(block.iter().filter_map(|line| Line::parse(file, line)));
        }
    }
    lines
}

/// Runs the real binary in the repository, without this machine's settings.
#[expect(
    clippy::disallowed_methods,
    reason = "this is a test of the binary, not part of it"
)]
fn xtask(args: &[String], env: &[(String, String)]) -> Output {
    let kept = std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME");
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(args)
        .current_dir(root())
        .env_clear()
        .envs(kept)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap()
}

fn stdout(args: &[&str]) -> String {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let output = xtask(&args, &[]);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn extensions() -> BTreeSet<String> {
    let list = stdout(&["targets", "--json"]);
    serde_json::from_str(&list).unwrap()
}

#[test]
fn every_command_parses() {
    let lines = commands(&[
        "README.md",
        "BUILD.md",
        "CONTRIBUTING.md",
        "docs/reliability.md",
    ]);
    assert!(lines.len() > 50, "only {} commands found", lines.len());
    for line in lines {
        let words = std::iter::once("cargo xtask".to_owned()).chain(line.canonical());
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("{}: `{}`: {error}", line.file, line.text);
        }
    }
}

#[test]
fn every_command_that_only_plans_runs() {
    let mut run = 0;
    for line in commands(&["README.md", "BUILD.md"]) {
        let words = line.canonical();
        let has = |flag: &str| words.iter().any(|word| word == flag);
        let mut args = line.args.clone();
        let pure = match words.first().map(String::as_str) {
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
    let guide: BTreeSet<String> = commands(&["BUILD.md"])
        .into_iter()
        .map(|line| line.text)
        .collect();
    for wanted in OLD_GUIDE.iter().chain(CANONICAL) {
        assert!(guide.contains(*wanted), "BUILD.md lacks `{wanted}`");
    }
}

#[test]
fn the_documentation_has_no_placeholders() {
    for file in ["README.md", "BUILD.md", "CONTRIBUTING.md"] {
        for (_, block) in blocks(&text(file)) {
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

#[test]
fn the_guide_has_every_command_and_option() {
    fn walk(command: &clap::Command, path: &str, guide: &str) {
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let Some(long) = arg.get_long().filter(|name| *name != "help") else {
                continue;
            };
            let option = format!("--{long}");
            assert!(guide.contains(&option), "BUILD.md lacks `{path} {option}`");
        }
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name());
            assert!(guide.contains(&path), "BUILD.md lacks `{path}`");
            walk(sub, &path, guide);
        }
    }
    walk(&Cli::command(), "cargo xtask", &text("BUILD.md"));
}

#[test]
fn the_guide_has_every_setting() {
    let guide = text("BUILD.md");
    let settings: Vec<Value> = serde_json::from_str(&stdout(&["config", "--json"])).unwrap();
    assert!(!settings.is_empty());
    for setting in settings {
        let column = |name: &str| setting[name].as_str().unwrap().to_owned();
        let row = format!("| `{}` | `{}` |", column("key"), column("env"));
        assert!(
            guide.contains(&row),
            "BUILD.md's table of settings lacks `{row}`"
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

#[test]
fn links_within_the_repository_lead_somewhere() {
    let anchor = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    };
    for file in [
        "README.md",
        "BUILD.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/security.md",
        "docs/reliability.md",
    ] {
        let folder = root().join(file).parent().unwrap().to_owned();
        let markdown = text(file);
        let anchors: BTreeSet<String> = markdown
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(anchor)
            .collect();
        for part in markdown.split("](").skip(1) {
            let link = part.split(')').next().unwrap_or_default();
            if let Some(wanted) = link.strip_prefix('#') {
                assert!(
                    anchors.contains(wanted),
                    "{file}: no heading for `#{wanted}`"
                );
            } else if !link.contains("://") {
                assert!(
                    folder.join(link).exists(),
                    "{file}: `{link}` does not exist"
                );
            }
        }
    }
}

/// Each row of its tables has a promise, where it is proven, and by what.
#[test]
fn every_promise_names_tests_that_exist() {
    let is_name = |word: &&str| {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.contains('_') && word.chars().all(letter)
    };
    let rust = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs");
    let sources: String = files("xtask")
        .iter()
        .filter(|path| rust(path))
        .map(|path| text(&path.to_string_lossy()))
        .collect();
    let mut named = 0;
    for row in text("docs/reliability.md")
        .lines()
        .filter(|line| line.starts_with("| "))
    {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if cells[0] == "promise" {
            continue;
        }
        let proof: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(!proof.is_empty(), "`{}` has no proof", cells[0]);
        for name in proof.into_iter().filter(is_name) {
            named += 1;
            let test = format!("#[test]\nfn {name}() {{");
            let there = sources.replace("    ", "").contains(&test);
            assert!(there, "docs/reliability.md: there is no test `{name}`");
        }
    }
    assert!(named > 20, "only {named} tests are named");
}

#[test]
fn the_changelog_knows_this_version() {
    let changelog = text("CHANGELOG.md");
    let version = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(changelog.contains("## [Unreleased]") || changelog.contains(&version));
}

/// Files of unit tests go without saying.
#[test]
fn the_code_map_has_every_file() {
    let architecture = text("ARCHITECTURE.md");
    let section = architecture.split("## Code map").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mapped: BTreeSet<String> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    let there: BTreeSet<String> = files("xtask/src")
        .iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| path.strip_prefix("xtask/src").unwrap())
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let missing: Vec<_> = there.difference(&mapped).collect();
    let gone: Vec<_> = mapped.difference(&there).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "ARCHITECTURE.md's code map lacks {missing:?} and has {gone:?}, which do not exist"
    );
}

#[test]
fn there_are_not_too_many_dependencies() {
    let packages = text("Cargo.lock").matches("[[package]]").count();
    assert!(packages <= 130, "Cargo.lock holds {packages} packages");
}

/// Its lock file is not that of the workspace, which `--locked` would hold.
#[test]
fn the_lock_file_of_the_fuzz_targets_knows_every_dependency() {
    let lock: toml::Table = text("fuzz/Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let own = packages
        .iter()
        .find(|package| package["name"].as_str() == Some("xtask"));
    let known: BTreeSet<&str> = own.unwrap()["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str()?.split(' ').next())
        .collect();
    let manifest: toml::Table = text("xtask/Cargo.toml").parse().unwrap();
    let wanted = manifest["dependencies"].as_table().unwrap();
    let wanted: BTreeSet<&str> = wanted.keys().map(String::as_str).collect();
    assert_eq!(
        known, wanted,
        "`cargo update --manifest-path fuzz/Cargo.toml --workspace` mends it"
    );
}

/// The lines of each step of a workflow.
fn steps(workflow: &str) -> Vec<Vec<&str>> {
    let mut steps: Vec<Vec<&str>> = vec![Vec::new()];
    for line in workflow.lines() {
        let text = line.trim_start();
        if text.starts_with("- ") || line.ends_with(':') && !line.starts_with("      ") {
            steps.push(Vec::new());
        }
        if !text.starts_with('#') {
            steps.last_mut().unwrap().push(text);
        }
    }
    steps
}

#[test]
fn workflows_pin_what_they_use_and_keep_no_credentials() {
    let mut used = 0;
    for path in files(".github/workflows") {
        let workflow = text(&path.to_string_lossy());
        let name = path.display();
        assert!(
            workflow.contains("\npermissions:\n  contents: read\n\n"),
            "{name}"
        );
        assert_eq!(workflow.matches("permissions:").count(), 1, "{name}");
        for step in steps(&workflow) {
            let named = step
                .iter()
                .find_map(|line| line.trim_start_matches("- ").strip_prefix("uses: "));
            let Some(action) = named.filter(|action| !action.starts_with("./")) else {
                continue;
            };
            used += 1;
            let (reference, version) = action.split_once(" # v").unwrap_or((action, ""));
            let commit = reference.split_once('@').map_or("", |(_, commit)| commit);
            let pinned = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(
                pinned && !version.is_empty(),
                "{name}: `{action}`: no commit with its version"
            );
            if reference.starts_with("actions/checkout@") {
                let keeps = !step.contains(&"persist-credentials: false");
                assert!(!keeps, "{name}: `{action}` keeps credentials");
            }
        }
    }
    assert!(used >= 5, "only {used} actions found");
}

#[test]
fn workflows_run_no_text_of_others_and_take_the_lock_file_as_it_is() {
    assert!(text(".cargo/config.toml").contains("xtask = \"run --locked "));
    let mut calls = 0;
    for path in files(".github/workflows").into_iter().chain(files(".ci")) {
        let source = text(&path.to_string_lossy());
        for step in steps(&source) {
            let run = step
                .iter()
                .position(|line| line.trim_start_matches("- ").starts_with("run:"));
            let Some(run) = run.or((!path.starts_with(".github")).then_some(0)) else {
                continue;
            };
            // What comes behind `env:` are values of variables, which a shell does not read as its text.
            for line in step[run..]
                .iter()
                .take_while(|line| !line.starts_with("env:"))
            {
                assert!(!line.contains("${{"), "{}: `{line}`", path.display());
                for call in line.split("cargo ").skip(1) {
                    calls += 1;
                    let locked = call.starts_with("xtask ") || call.contains("--locked");
                    assert!(locked, "{}: `{line}`", path.display());
                }
            }
        }
    }
    assert!(calls >= 5, "only {calls} calls of cargo found");
}

#[test]
fn every_source_has_its_licence() {
    let mut seen = 0;
    for path in files(".") {
        let name = path.file_name().unwrap().to_string_lossy();
        let extension = path.extension().and_then(|end| end.to_str());
        let source = matches!(extension, Some("rs" | "hcl" | "sql" | "sh" | "pl"));
        if source || name == "Dockerfile" || path.starts_with(".ci") {
            seen += 1;
            let text = text(&path.to_string_lossy());
            let head: Vec<&str> = text.lines().take(3).collect();
            assert!(
                head.join("\n")
                    .contains("SPDX-License-Identifier: Apache-2.0"),
                "{} does not start with an SPDX line",
                path.display()
            );
        }
    }
    assert!(seen > 50, "only {seen} sources found");
}

/// The mirror is the machine's or a setting, never ours to choose.
#[test]
fn no_file_names_an_archive_of_packages() {
    let hosts = [
        ["deb.debian", ".org"],
        ["ftp.debian", ".org"],
        ["security.debian", ".org"],
        ["snapshot.debian", ".org"],
        ["apt.postgresql", ".org"],
        ["archive.ubuntu", ".com"],
    ]
    .map(|parts| parts.concat());
    for path in files(".") {
        let bytes = fs_err::read(root().join(&path)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for host in &hosts {
            assert!(!text.contains(host), "{} names {host}", path.display());
        }
    }
}

/// The lines of the sources that hold one of `needles`, outside `allowed`.
fn found(below: &str, needles: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(below) {
        if allowed.iter().any(|file| path == Path::new(file)) || path.ends_with("tests.rs") {
            continue;
        }
        for (at, line) in text(&path.to_string_lossy()).lines().enumerate() {
            let code = line.trim_start();
            if !code.starts_with("//") && needles.iter().any(|needle| code.contains(needle)) {
                found.push(format!("{}:{}: {code}", path.display(), at + 1));
            }
        }
    }
    found
}

#[test]
fn only_exec_starts_processes_and_only_ui_prints() {
    let nothing: [String; 0] = [];
    let spawning = ["process::Command", "Command::new"];
    assert_eq!(
        found(
            "xtask/src",
            &spawning,
            &["xtask/src/exec.rs", "xtask/src/exec/child.rs"]
        ),
        nothing
    );
    let printing = ["println!", "print!(", "io::stdout", "io::stderr"];
    let ui = ["xtask/src/ui.rs", "xtask/src/ui/trace.rs"];
    assert_eq!(found("xtask/src", &printing, &ui), nothing);
}

#[test]
fn each_layer_knows_only_those_below() {
    let nothing: [String; 0] = [];
    let touching = ["exec::", "fs_err", "std::fs", "tempfile"];
    assert_eq!(found("xtask/src/plan.rs", &touching, &[]), nothing);
    assert_eq!(found("xtask/src/plan", &touching, &[]), nothing);
    let extensions = [
        "extension::",
        "workspace::",
        "matrix::",
        "context::",
        "cmd::",
    ];
    assert_eq!(found("xtask/src/tool", &extensions, &[]), nothing);
    let docker = ["tool::", "docker", "exec::", "plan::"];
    assert_eq!(found("xtask/src/extension.rs", &docker, &[]), nothing);
    assert_eq!(found("xtask/src/extension", &docker, &[]), nothing);
}
