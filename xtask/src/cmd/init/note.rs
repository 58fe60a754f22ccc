// SPDX-License-Identifier: Apache-2.0
//! The note on one page that `init` leaves: what was found, what was written, and what comes next.

use super::{Found, State, Successor, Wanted};
use crate::dialect;

pub(super) const FILE: &str = "MIGRATION.md";

/// Where the tables are that have every task, variable and function.
const GUIDE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/migration.md");

/// The note on these files. `wanted` and `states` go together.
pub(super) fn of(found: &Found, wanted: &[Wanted], states: &[State]) -> Wanted {
    let parts = [
        head(),
        what_was_found(found),
        what_was_written(wanted, states),
        what_comes_next(found),
        tasks(found),
        what_can_go(found),
    ];
    let text = parts.into_iter().filter(|part| !part.is_empty());
    let text = text.collect::<Vec<_>>().join("\n");
    Wanted::new(FILE, &text, "what was found, and what comes next")
}

fn head() -> String {
    format!(
        "# Moving to `cargo xtask`\n\nWritten by `cargo xtask init` {}, by what it found here. Delete it when nothing in it is left to do.\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// A section with a line for each item; nothing where there is none.
fn section(heading: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items = items.iter().map(|item| format!("- {item}"));
    format!("## {heading}\n\n{}", lines(items))
}

/// Each with an end of line.
fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::new(), |text, line| text + &line + "\n")
}

/// Names from files, which are no Markdown.
fn code(text: &str) -> String {
    format!("`{}`", text.replace(['`', '\n', '\r', '|'], " "))
}

fn codes<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    texts
        .into_iter()
        .map(|text| code(text))
        .collect::<Vec<_>>()
        .join(", ")
}

fn what_was_found(found: &Found) -> String {
    let items = [images_found(found), tools_found(found)].concat();
    section("Found", &items)
}

/// Extensions, and what builds them.
fn images_found(found: &Found) -> Vec<String> {
    let mut items = Vec::new();
    if found.is_empty() {
        items.push("neither extensions nor a bake file: the repository begins here".to_owned());
    } else {
        items.push(match &found.extensions[..] {
            [] => format!("no extension in {} yet", code(&found.extensions_folder)),
            names => format!(
                "extensions in {}: {}",
                code(&found.extensions_folder),
                codes(names)
            ),
        });
        items.push(if found.has_bake_file {
            format!(
                "the bake file {}, which stays as it is",
                code(&found.bake_file)
            )
        } else {
            let file = code(&found.bake_file);
            format!(
                "**no bake file**: {file} is to say how images are built, see `paths.bake-file`"
            )
        });
    }
    if !found.other_bake_files.is_empty() {
        items.push(format!(
            "and what looks like others: {}",
            codes(&found.other_bake_files)
        ));
    }
    if !found.templates.is_empty() {
        items.push(format!(
            "templates for new extensions: {}",
            codes(&found.templates)
        ));
    }
    items
}

/// What was used on them until now.
fn tools_found(found: &Found) -> Vec<String> {
    let mut items = Vec::new();
    items.extend(
        found
            .taskfile
            .iter()
            .map(|file| format!("{} with the tasks below", code(file))),
    );
    for said in &found.said {
        items.push(format!(
            "`{}` there, which is the setting `{}` in xtask.toml now",
            said.variable, said.key
        ));
    }
    items.extend(
        found
            .dagger
            .iter()
            .map(|folder| format!("a Dagger module in {}", code(folder))),
    );
    if !found.registries.is_empty() {
        items.push(format!("registries: {}", codes(&found.registries)));
    }
    items.extend(found.renovate.iter().map(|file| {
        format!(
            "Renovate's configuration in {}, which is kept: what finds the versions in metadata.hcl is in renovate.json beside {GUIDE}",
            code(file)
        )
    }));
    if found.gitlab {
        items.push(format!(
            "`.gitlab-ci.yml`, which is not looked at: docs/gitlab-ci.yml beside {GUIDE} has the same pipeline for GitLab"
        ));
    }
    items
}

fn what_was_written(wanted: &[Wanted], states: &[State]) -> String {
    let items = wanted.iter().zip(states).map(|(file, state)| {
        let path = code(&file.path.display().to_string());
        match state {
            State::New => format!("{path}: {}", file.about),
            State::Same => format!("{path} was there already, as it would have been written"),
            _ => format!("{path} was there and is **kept**: {}", state.about(file)),
        }
    });
    section("Written", &items.collect::<Vec<_>>())
}

fn what_comes_next(found: &Found) -> String {
    let mut steps = vec![format!(
        "Get the program: `cargo install --locked --git {} xtask`",
        env!("CARGO_PKG_REPOSITORY")
    )];
    if found.extensions.is_empty() {
        steps.push(
            "Make an extension: `cargo xtask create-extension NAME --from-archive`".to_owned(),
        );
    }
    steps.push("Look: `cargo xtask targets`, `cargo xtask checks --all --no-bake`".to_owned());
    steps.push(
        "Try: `cargo xtask smoke --all`; on a machine without Docker with `--sandbox`".to_owned(),
    );
    steps.push(where_images_go(found));
    if !found.workflows.values().all(Option::is_none) {
        steps.push("Look at the workflows below, and delete or disable what pushes before the new ones are on the main branch: both would push".to_owned());
    }
    let steps = (1..).zip(steps).map(|(at, step)| format!("{at}. {step}"));
    format!("## Next\n\n{}", lines(steps))
}

/// The registry that the workflows push to, and how another one is named.
fn where_images_go(found: &Found) -> String {
    let elsewhere = |name: &&String| !name.starts_with("localhost") && !name.starts_with("ghcr.io");
    let names = found.registries.iter().filter(elsewhere);
    let names: Vec<String> = names
        .map(|name| {
            let (host, _) = name.split_once('/').unwrap_or((name, ""));
            format!("{} with the host {}", code(name), code(host))
        })
        .collect();
    let other = if names.is_empty() {
        "another registry".to_owned()
    } else {
        names.join(" or ")
    };
    format!(
        "images.yml pushes to `ghcr.io/` and the repository's owner. For {other} set the variables `REGISTRY` and `REGISTRY_HOST`, and the secrets `REGISTRY_USERNAME` and `REGISTRY_PASSWORD`"
    )
}

/// What the tasks that were found are called now.
fn tasks(found: &Found) -> String {
    if found.tasks.is_empty() {
        return String::new();
    }
    let row = |name: &String| {
        let now = dialect::command_of(name);
        let now = now.map_or("none of ours: keep it".to_owned(), |now| {
            code(&format!("cargo xtask {now}"))
        });
        format!("| {} | {now} |", code(&format!("task {name}")))
    };
    let rows = lines(found.tasks.iter().map(row));
    format!(
        "## Tasks\n\nVariables go on working, too: `cargo xtask bake TARGET=… PUSH=true`. All of them, and what is different, is in\n<{GUIDE}>.\n\n| before | now |\n|---|---|\n{rows}"
    )
}

fn what_can_go(found: &Found) -> String {
    let mut items = Vec::new();
    let is_foreign = |name: &String| dialect::command_of(name).is_none();
    let but = if found.tasks.iter().any(is_foreign) {
        ", but for what is none of ours in it"
    } else {
        ""
    };
    items.extend(found.taskfile.iter().map(|file| code(file) + but));
    items.extend(found.dagger.iter().map(|folder| code(folder)));
    for (file, becomes) in &found.workflows {
        let file = code(&format!(".github/workflows/{file}"));
        items.extend(becomes.map(|successor| match successor {
            Successor::File(ours) => format!("{file}, which seems to do what `{ours}` does"),
            Successor::Nothing => {
                format!("{file}, which seems to be about the Dagger module alone")
            }
        }));
    }
    section("To delete when all of it works", &items)
}
