// SPDX-License-Identifier: Apache-2.0
//! The old Taskfile's grammar (`bake:all PUSH=true`), rewritten into the canonical one before clap
//! sees it. Knows words, not meanings: what a flag does is clap's and the commands' business.

use crate::failure::{Failure, did_you_mean, nearest};

/// A task of the old Taskfile.
struct Task {
    name: &'static str,
    canonical: &'static [&'static str],
    variables: &'static [&'static str],
}

const TASKS: &[Task] = &[
    Task {
        name: "default",
        canonical: &["bake", "--all"],
        variables: BAKE_ALL,
    },
    Task {
        name: "prereqs",
        canonical: &["prereqs"],
        variables: &[],
    },
    Task {
        name: "checks",
        canonical: &["checks"],
        variables: &["TARGET"],
    },
    Task {
        name: "checks:all",
        canonical: &["checks", "--all"],
        variables: &[],
    },
    Task {
        name: "bake",
        canonical: &["bake"],
        variables: &["TARGET", "PUSH", "DRY_RUN", "METADATA_FILE"],
    },
    Task {
        name: "bake:all",
        canonical: &["bake", "--all"],
        variables: BAKE_ALL,
    },
    Task {
        name: "smoke",
        canonical: &["smoke"],
        variables: &["TARGET", "DRY_RUN"],
    },
    Task {
        name: "smoke:all",
        canonical: &["smoke", "--all"],
        variables: &["DRY_RUN"],
    },
    Task {
        name: "e2e:setup-env",
        canonical: &["e2e", "setup-env"],
        variables: &[
            "CNPG_RELEASE",
            "REGISTRY_HOST",
            "REGISTRY_USERNAME",
            "DRY_RUN",
        ],
    },
    Task {
        name: "e2e:export-kubeconfig",
        canonical: &["e2e", "export-kubeconfig"],
        variables: &["KUBECONFIG_PATH", "INTERNAL"],
    },
    Task {
        name: "e2e:generate-values",
        canonical: &["e2e", "generate-values"],
        variables: &["TARGET", "EXTENSION_IMAGE"],
    },
    Task {
        name: "e2e:test",
        canonical: &["e2e", "test"],
        variables: &["TARGET", "KUBECONFIG_PATH", "EXTRA_ARGS", "DRY_RUN"],
    },
    Task {
        name: "e2e:test:all",
        canonical: &["e2e", "test", "--all"],
        variables: &["KUBECONFIG_PATH", "EXTRA_ARGS", "DRY_RUN"],
    },
    Task {
        name: "e2e:test:full",
        canonical: &["e2e", "test-full"],
        variables: FULL,
    },
    Task {
        name: "e2e:test:full:all",
        canonical: &["e2e", "test-full", "--all"],
        variables: FULL_ALL,
    },
    Task {
        name: "e2e:status",
        canonical: &["e2e", "status"],
        variables: &[],
    },
    Task {
        name: "e2e:cleanup",
        canonical: &["e2e", "cleanup"],
        variables: &["DRY_RUN"],
    },
];

const FULL: &[&str] = &[
    "TARGET",
    "DISTRO",
    "CNPG_RELEASE",
    "REGISTRY_HOST",
    "REGISTRY_USERNAME",
    "EXTRA_ARGS",
    "DRY_RUN",
];

/// The same without `TARGET`.
const FULL_ALL: &[&str] = FULL.split_at(1).1;

const BAKE_ALL: &[&str] = &["PUSH", "DRY_RUN", "METADATA_FILE"];

/// Every variable, and the option it stands for. None: a positional argument.
const VARIABLES: &[(&str, Meaning)] = &[
    ("TARGET", Meaning::Target),
    ("PUSH", Meaning::Switch("--push")),
    ("DRY_RUN", Meaning::Switch("--dry-run")),
    ("METADATA_FILE", Meaning::Value("--metadata-file")),
    ("EXTENSION_IMAGE", Meaning::Value("--extension-image")),
    ("KUBECONFIG_PATH", Meaning::Value("--kubeconfig")),
    ("INTERNAL", Meaning::Switch("--internal")),
    ("DISTRO", Meaning::Value("--distro")),
    ("CNPG_RELEASE", Meaning::Value("--cnpg-release")),
    ("REGISTRY_HOST", Meaning::Value("--registry-host")),
    ("REGISTRY_USERNAME", Meaning::Value("--registry-username")),
    ("EXTRA_ARGS", Meaning::Last),
];

/// The options whose next word is their value, whatever it looks like.
const VALUED: &[&str] = &[
    "--base",
    "--builder",
    "--changed-since",
    "--cnpg-release",
    "--context",
    "--distro",
    "--extension-image",
    "--for",
    "--format",
    "--from",
    "--image",
    "--jobs",
    "-j",
    "--kubeconfig",
    "--kubernetes",
    "--lane",
    "--metadata-file",
    "--mirror",
    "--nodes",
    "--output",
    "--pg",
    "--platform",
    "--registry-host",
    "--registry-port",
    "--registry-username",
    "--shard",
    "--target",
    "--to",
    "--values",
    "--without",
];

#[derive(Clone, Copy)]
enum Meaning {
    Target,
    /// `true` or `false`.
    Switch(&'static str),
    Value(&'static str),
    /// Words for another program, after `--`.
    Last,
}

/// The canonical arguments for `args`, which come without the program's name. Arguments that use
/// nothing of the dialect come back as they are.
pub fn canonical(args: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut rest: Vec<String> = Vec::new();
    let mut literal = false;
    let mut value = false;
    for arg in args {
        // What `sandbox exec` runs is not ours to read.
        literal |= arg == "--" || arg == "exec";
        let is_value = std::mem::replace(&mut value, VALUED.contains(&arg.as_str()));
        match variable(&arg).filter(|_| !literal && !is_value) {
            Some(variable) => variables.push(variable),
            None => rest.push(arg),
        }
    }
    let asks_about_itself = rest
        .iter()
        .any(|arg| matches!(arg.as_str(), "-h" | "--help" | "-V" | "--version"));
    let is_word = |at: &usize| {
        let value = *at > 0 && VALUED.contains(&rest[at - 1].as_str());
        !rest[*at].starts_with('-') && !value
    };
    let at = (0..rest.len()).find(is_word);
    let Some(at) = at else {
        // `task` alone builds everything; so does `task DRY_RUN=true`. Flags alone (`--sandbox`) too.
        if asks_about_itself {
            return Ok(rest);
        }
        let mut all = translate(&TASKS[0], variables)?;
        all.extend(rest);
        return Ok(all);
    };
    let word = &rest[at];
    let task = TASKS.iter().find(|task| task.name == word);
    let mut words = match task {
        Some(task) => translate(task, variables)?,
        None if word.contains(':') => {
            let meant = did_you_mean(word, TASKS.iter().map(|task| task.name));
            return Err(Failure::invalid(format!("unknown task `{word}`{meant}"))
                .hint("`cargo xtask --help` lists the commands"));
        }
        None => match variables.first() {
            None => return Ok(rest),
            Some((name, value)) => {
                return Err(Failure::invalid(format!(
                    "`{word}` takes no variables, but got `{name}={value}`"
                ))
                .hint(format!("`cargo xtask {word} --help` lists its options")));
            }
        },
    };
    rest.remove(at);
    // What is for another program stays behind everything else.
    let last = words
        .iter()
        .position(|word| word == "--")
        .unwrap_or(words.len());
    words.splice(last..last, rest);
    Ok(words)
}

/// `NAME=value`, as Task takes it.
fn variable(arg: &str) -> Option<(String, String)> {
    let (name, value) = arg.split_once('=')?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    named.then(|| (name.to_owned(), value.to_owned()))
}

fn translate(task: &Task, variables: Vec<(String, String)>) -> Result<Vec<String>, Failure> {
    let mut words: Vec<String> = task
        .canonical
        .iter()
        .map(|word| (*word).to_owned())
        .collect();
    let mut last: Vec<String> = Vec::new();
    for (name, value) in variables {
        let Some((known, meaning)) = VARIABLES.iter().find(|(known, _)| *known == name) else {
            return Err(unknown(task, &name, &value));
        };
        if !task.variables.contains(known) {
            return Err(Failure::invalid(format!(
                "task `{}` does not use the variable `{name}`",
                task.name
            ))
            .hint(allowed(task)));
        }
        match meaning {
            // Task takes an empty variable as not set.
            _ if value.is_empty() => {}
            Meaning::Target => words.extend(value.split_whitespace().map(str::to_owned)),
            Meaning::Last => {
                let parsed = shell_words::split(&value).map_err(|_| {
                    Failure::invalid(format!(
                        "variable `{name}` is `{value}`; its quotes do not match"
                    ))
                })?;
                last.extend(parsed);
            }
            Meaning::Value(flag) => words.extend([(*flag).to_owned(), value]),
            Meaning::Switch(flag) => match value.as_str() {
                "true" => words.push((*flag).to_owned()),
                "false" => {}
                _ => {
                    return Err(Failure::invalid(format!(
                        "variable `{name}` is `{value}`; it must be `true` or `false`"
                    )));
                }
            },
        }
    }
    if !last.is_empty() {
        words.push("--".to_owned());
        words.extend(last);
    }
    Ok(words)
}

fn unknown(task: &Task, name: &str, value: &str) -> Failure {
    if ["registry", "environment", "revision", "base_image"].contains(&name) {
        return Failure::invalid(format!(
            "`{name}` is an environment variable, not a variable of a task"
        ))
        .hint(format!(
            "put it in front: `{name}={} cargo xtask {}`",
            shell_words::quote(value),
            task.name
        ));
    }
    let known = VARIABLES.iter().map(|(known, _)| *known);
    let meant = match nearest(&name.to_uppercase(), known) {
        Some(known) => format!("; did you mean `{known}`?"),
        None => String::new(),
    };
    Failure::invalid(format!("unknown variable `{name}`{meant}")).hint(allowed(task))
}

fn allowed(task: &Task) -> String {
    if task.variables.is_empty() {
        return format!("task `{}` uses no variables", task.name);
    }
    let names: Vec<String> = task
        .variables
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    format!("task `{}` uses {}", task.name, names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the guide's table of variables: the variables, what each stands for, and the tasks that take it.
    #[test]
    fn the_guide_says_which_task_takes_which_variable() {
        let guide = include_str!("../../BUILD.md");
        let table = guide
            .split("| variable | stands for | in |")
            .nth(1)
            .unwrap();
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut told = Vec::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let quoted = |cell: &str| -> Vec<String> {
                cell.split('`')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_owned)
                    .collect()
            };
            for variable in quoted(cells[0]) {
                let (name, _) = variable.split_once('=').unwrap();
                told.extend(
                    quoted(cells[2])
                        .into_iter()
                        .map(|task| (name.to_owned(), task)),
                );
                let meaning = match &VARIABLES
                    .iter()
                    .find(|(known, _)| *known == name)
                    .unwrap()
                    .1
                {
                    Meaning::Switch(option) | Meaning::Value(option) => format!("`{option}"),
                    Meaning::Target => "name".to_owned(),
                    Meaning::Last => "`--`".to_owned(),
                };
                assert!(cells[1].contains(&meaning), "{name}: {}", cells[1]);
            }
        }
        let mut known: Vec<(String, String)> = TASKS
            .iter()
            // It is the one without a name.
            .filter(|task| task.name != "default")
            .flat_map(|task| {
                task.variables
                    .iter()
                    .map(|name| ((*name).to_owned(), task.name.to_owned()))
            })
            .collect();
        told.sort();
        known.sort();
        assert_eq!(told, known);
    }

    fn rewrite(line: &str) -> Result<String, String> {
        let args = shell_words::split(line).unwrap();
        canonical(args)
            .map(|words| words.join(" "))
            .map_err(|failure| failure.message)
    }

    #[test]
    fn tasks_and_variables_become_commands_and_options() {
        for (line, words) in [
            ("", "bake --all"),
            ("DRY_RUN=true", "bake --all --dry-run"),
            ("--sandbox", "bake --all --sandbox"),
            ("bake:all PUSH=true", "bake --all --push"),
            ("bake TARGET=pgvector", "bake pgvector"),
            (
                "bake TARGET=pgvector PUSH=true DRY_RUN=false METADATA_FILE=m.json",
                "bake pgvector --push --metadata-file m.json",
            ),
            ("TARGET=pgvector bake", "bake pgvector"),
            ("bake TARGET= --all", "bake --all"),
            ("checks:all", "checks --all"),
            ("checks TARGET=postgis --json", "checks postgis --json"),
            ("prereqs", "prereqs"),
        ] {
            assert_eq!(rewrite(line).as_deref(), Ok(words), "{line}");
        }
    }

    #[test]
    fn the_canonical_grammar_passes_through() {
        for line in [
            "bake pgvector --push",
            "--help",
            "sandbox exec -- env A=b",
            "-V",
            "smoke --all",
        ] {
            assert_eq!(rewrite(line).as_deref(), Ok(line));
        }
    }

    #[test]
    fn mistakes_name_the_nearest_known_word() {
        for (line, message) in [
            (
                "bake:al",
                "unknown task `bake:al`; did you mean `bake:all`?",
            ),
            (
                "bake TARGT=x",
                "unknown variable `TARGT`; did you mean `TARGET`?",
            ),
            (
                "bake target=x",
                "unknown variable `target`; did you mean `TARGET`?",
            ),
            (
                "prereqs PUSH=true",
                "task `prereqs` does not use the variable `PUSH`",
            ),
            (
                "bake TARGET=x PUSH=yes",
                "variable `PUSH` is `yes`; it must be `true` or `false`",
            ),
            (
                "targets TARGET=x",
                "`targets` takes no variables, but got `TARGET=x`",
            ),
            (
                "bake registry=x",
                "`registry` is an environment variable, not a variable of a task",
            ),
        ] {
            assert_eq!(rewrite(line), Err(message.to_owned()), "{line}");
        }
    }
}
