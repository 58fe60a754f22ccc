// SPDX-License-Identifier: Apache-2.0
//! The old Taskfile's grammar (`bake:all PUSH=true`), rewritten into the canonical one before clap
//! sees it. Knows words, not meanings: what a flag does is clap's and the commands' business.

use std::{collections::BTreeSet, ffi::OsString};

use clap::CommandFactory;

use crate::{
    cli::Cli,
    failure::{Failure, did_you_mean, nearest},
    value::without_userinfo,
};

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

/// Switches that change what becomes of the world. Task read them from the environment, too.
const ALSO_IN_THE_ENVIRONMENT: [&str; 2] = ["DRY_RUN", "PUSH"];

/// The options whose next word is their value, whatever it looks like.
fn valued() -> BTreeSet<String> {
    fn collect(command: &clap::Command, options: &mut BTreeSet<String>) {
        for argument in command.get_arguments() {
            if argument.get_action().takes_values() {
                let long = argument.get_long().map(|name| format!("--{name}"));
                let short = argument.get_short().map(|name| format!("-{name}"));
                options.extend(long.into_iter().chain(short));
            }
        }
        for command in command.get_subcommands() {
            collect(command, options);
        }
    }
    let mut options = BTreeSet::new();
    collect(&Cli::command(), &mut options);
    options
}

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
/// nothing of the dialect come back as they are. `environment` is only asked for what Task would have read
/// there: it is refused, as it would silently be something else.
pub fn canonical(
    args: Vec<String>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Vec<String>, Failure> {
    let valued = valued();
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut rest: Vec<String> = Vec::new();
    let mut literal = false;
    let mut value = false;
    for arg in args {
        // What `sandbox exec` runs is not ours to read.
        literal |= arg == "--" || arg == "exec";
        let is_value = std::mem::replace(&mut value, valued.contains(&arg));
        match variable(&arg).filter(|_| !literal && !is_value) {
            Some(variable) => variables.push(variable),
            None => rest.push(arg),
        }
    }
    let asks_about_itself = rest
        .iter()
        .any(|arg| matches!(arg.as_str(), "-h" | "--help" | "-V" | "--version"));
    let is_word = |at: &usize| {
        let value = *at > 0 && valued.contains(&rest[at - 1]);
        !rest[*at].starts_with('-') && !value
    };
    let at = (0..rest.len()).find(is_word);
    let Some(at) = at else {
        // `task` alone builds everything; so does `task DRY_RUN=true`. Flags alone (`--sandbox`) too.
        if asks_about_itself {
            return Ok(rest);
        }
        let mut all = translate(&TASKS[0], variables, environment)?;
        all.extend(rest);
        return Ok(all);
    };
    let word = &rest[at];
    let task = TASKS.iter().find(|task| task.name == word);
    let mut words = match task {
        Some(task) if asks_about_itself => translate(task, variables, &|_| None)?,
        Some(task) => translate(task, variables, environment)?,
        None if word.contains(':') => {
            let meant = did_you_mean(word, TASKS.iter().map(|task| task.name));
            let word = without_userinfo(word);
            return Err(Failure::invalid(format!("unknown task `{word}`{meant}"))
                .hint("`cargo xtask --help` lists the commands"));
        }
        None => match variables.first() {
            None => return Ok(rest),
            Some((name, _)) => {
                let word = without_userinfo(word);
                return Err(Failure::invalid(format!(
                    "`{word}` takes no variables, but got `{name}`"
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
    if last < words.len() && rest.iter().any(|word| word == "--") {
        words.remove(last);
    }
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

fn translate(
    task: &Task,
    variables: Vec<(String, String)>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Vec<String>, Failure> {
    if task.name == "default" || task.name.contains(':') || !variables.is_empty() {
        refuse_environment(task, &variables, environment)?;
    }
    let mut words: Vec<String> = task
        .canonical
        .iter()
        .map(|word| (*word).to_owned())
        .collect();
    let mut last: Vec<String> = Vec::new();
    for (name, value) in variables {
        let Some((known, meaning)) = VARIABLES.iter().find(|(known, _)| *known == name) else {
            return Err(unknown(task, &name));
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
            Meaning::Target => {
                for word in value.split_whitespace() {
                    words.push(option(&name, "--target", word)?);
                }
            }
            Meaning::Last => {
                let parsed = shell_words::split(&value).map_err(|_| {
                    Failure::invalid(format!("the quotes of variable `{name}` do not match"))
                })?;
                last.extend(parsed);
            }
            Meaning::Value(flag) => words.push(option(&name, flag, &value)?),
            Meaning::Switch(flag) => match value.as_str() {
                "true" => words.push((*flag).to_owned()),
                "false" => {}
                _ => {
                    return Err(Failure::invalid(format!(
                        "variable `{name}` must be `true` or `false`"
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

/// A value as one word with its option, so that it can be no option of its own. Values are never repeated in
/// messages: somebody may have written a password into one.
fn option(name: &str, flag: &str, value: &str) -> Result<String, Failure> {
    if value.starts_with('-') {
        return Err(Failure::invalid(format!(
            "variable `{name}` has a word that begins with `-`: options stand beside variables, not in them"
        )));
    }
    Ok(format!("{flag}={value}"))
}

/// Refuses a switch that Task would have taken from the environment, and nobody reads there.
fn refuse_environment(
    task: &Task,
    variables: &[(String, String)],
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(), Failure> {
    let is_meant = |name: &str| {
        let value = environment(name).unwrap_or_default();
        task.variables.contains(&name)
            && !variables.iter().any(|(given, _)| given == name)
            && !value.is_empty()
            && value != "false"
    };
    let Some(name) = ALSO_IN_THE_ENVIRONMENT
        .into_iter()
        .find(|name| is_meant(name))
    else {
        return Ok(());
    };
    let task = if task.name == "default" {
        ""
    } else {
        task.name
    };
    let command = format!("cargo xtask {task} {name}=true").replace("  ", " ");
    Err(Failure::invalid(format!(
        "`{name}` is set in the environment, where it is not read"
    ))
    .hint(format!("write it as an argument, `{command}`, or unset it")))
}

fn unknown(task: &Task, name: &str) -> Failure {
    if ["registry", "environment", "revision", "base_image"].contains(&name) {
        return Failure::invalid(format!(
            "`{name}` is an environment variable, not a variable of a task"
        ))
        .hint(format!(
            "put it in front: `{name}=… cargo xtask {}`",
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
        rewrite_with(line, &[])
    }

    fn rewrite_with(line: &str, environment: &[(&str, &str)]) -> Result<String, String> {
        let args = shell_words::split(line).unwrap();
        let read = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        };
        canonical(args, &read)
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
            ("bake TARGET=pgvector", "bake --target=pgvector"),
            ("bake TARGET=\"a b\"", "bake --target=a --target=b"),
            (
                "bake TARGET=pgvector PUSH=true DRY_RUN=false METADATA_FILE=m.json",
                "bake --target=pgvector --push --metadata-file=m.json",
            ),
            ("TARGET=pgvector bake", "bake --target=pgvector"),
            ("bake TARGET= --all", "bake --all"),
            ("checks:all", "checks --all"),
            (
                "checks TARGET=postgis --json",
                "checks --target=postgis --json",
            ),
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
                "variable `PUSH` must be `true` or `false`",
            ),
            (
                "targets TARGET=x",
                "`targets` takes no variables, but got `TARGET`",
            ),
            (
                "bake registry=x",
                "`registry` is an environment variable, not a variable of a task",
            ),
        ] {
            assert_eq!(rewrite(line), Err(message.to_owned()), "{line}");
        }
    }

    #[test]
    fn no_value_of_a_variable_is_an_option() {
        for (line, name) in [
            ("bake TARGET=\"alpha --push\" DRY_RUN=true", "TARGET"),
            ("bake TARGET=--all", "TARGET"),
            ("smoke TARGET=-j", "TARGET"),
            ("bake:all METADATA_FILE=--push", "METADATA_FILE"),
            ("e2e:test:full DISTRO=--cleanup", "DISTRO"),
            (
                "e2e:export-kubeconfig KUBECONFIG_PATH=--merge",
                "KUBECONFIG_PATH",
            ),
        ] {
            let message = rewrite(line).unwrap_err();
            let start = format!("variable `{name}` has a word that begins with `-`");
            assert!(message.starts_with(&start), "{message}");
        }
    }

    #[test]
    fn a_value_is_never_repeated() {
        for line in [
            "targets registry=user:s3cret@host",
            "bake registry=user:s3cret@host",
            "sandbox https_proxy=http://u:s3cret@p:1",
            "bake https_proxy=http://u:s3cret@p:1",
            "bake PUSH=s3cret",
            "bake TARGET=-s3cret",
            "e2e:test EXTRA_ARGS=\"'s3cret\"",
            "prereqs TARGET=s3cret",
            "https://u:s3cret@p/alpha",
            "https://u:s3cret@p/alpha A=s3cret",
        ] {
            let args = shell_words::split(line).unwrap();
            let failure = canonical(args, &|_| None).unwrap_err().to_string();
            assert!(!failure.contains("s3cret"), "{line}: {failure}");
        }
    }

    #[test]
    fn a_word_behind_an_option_that_has_a_value_is_no_variable_and_no_task() {
        for (line, words) in [
            (
                "--sandbox-folder bake:all bake alpha",
                "bake --sandbox-folder bake:all alpha",
            ),
            (
                "e2e generate-values gamma --upgrade-to A=b",
                "e2e generate-values gamma --upgrade-to A=b",
            ),
            (
                "ci --rounds A=1 --seed B=2 --round C=3",
                "ci --rounds A=1 --seed B=2 --round C=3",
            ),
        ] {
            assert_eq!(rewrite(line).as_deref(), Ok(words));
        }
    }

    #[test]
    fn an_option_has_a_value_in_every_command_or_in_none() {
        fn switches(command: &clap::Command, found: &mut Vec<String>) {
            for argument in command.get_arguments() {
                if !argument.get_action().takes_values() {
                    found.extend(argument.get_long().map(|name| format!("--{name}")));
                    found.extend(argument.get_short().map(|name| format!("-{name}")));
                }
            }
            for command in command.get_subcommands() {
                switches(command, found);
            }
        }
        let mut found = Vec::new();
        switches(&Cli::command(), &mut found);
        let valued = valued();
        assert!(found.contains(&"--push".to_owned()) && valued.contains("-j"));
        let both: Vec<_> = found.iter().filter(|name| valued.contains(*name)).collect();
        assert!(both.is_empty(), "{both:?}");
    }

    #[test]
    fn flags_for_another_program_stand_together_behind_everything_else() {
        for (line, words) in [
            (
                "e2e:test TARGET=a EXTRA_ARGS=--fail-fast -- --parallel 1",
                "e2e test --target=a -- --parallel 1 --fail-fast",
            ),
            (
                "e2e:test TARGET=a EXTRA_ARGS=--fail-fast --json -- --parallel 1",
                "e2e test --target=a --json -- --parallel 1 --fail-fast",
            ),
            (
                "e2e:test TARGET=a EXTRA_ARGS=--fail-fast --json",
                "e2e test --target=a --json -- --fail-fast",
            ),
        ] {
            assert_eq!(rewrite(line).as_deref(), Ok(words));
        }
    }

    #[test]
    fn a_switch_that_task_took_from_the_environment_is_refused_there() {
        let set = [("DRY_RUN", "true"), ("PUSH", "true")];
        for (line, name) in [
            ("", "DRY_RUN"),
            ("bake:all", "DRY_RUN"),
            ("bake TARGET=a", "DRY_RUN"),
            ("bake:all DRY_RUN=true", "PUSH"),
            ("e2e:cleanup", "DRY_RUN"),
        ] {
            let message = format!("`{name}` is set in the environment, where it is not read");
            assert_eq!(rewrite_with(line, &set), Err(message), "{line}");
        }
        for line in [
            "bake a",
            "checks:all",
            "bake:all PUSH=false DRY_RUN=true",
            "bake:all --help",
        ] {
            assert!(rewrite_with(line, &set).is_ok(), "{line}");
        }
        let unset = [("DRY_RUN", "false"), ("PUSH", "")];
        assert_eq!(
            rewrite_with("bake:all", &unset).as_deref(),
            Ok("bake --all")
        );
    }
}
