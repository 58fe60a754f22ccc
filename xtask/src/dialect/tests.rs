// SPDX-License-Identifier: Apache-2.0
use clap::CommandFactory;

use super::{
    tasks::{TASKS, VARIABLES},
    *,
};
use crate::cli::Cli;

/// The rows of the guide's table of variables: the variables, what each stands for, and the tasks that take it.
#[test]
fn the_guide_says_which_task_takes_which_variable() {
    let guide = include_str!("../../../BUILD.md");
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
                Meaning::Option(option) => format!("`{option}"),
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
    canonical(&Cli::command(), args, &read)
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
        let failure = canonical(&Cli::command(), args, &|_| None)
            .unwrap_err()
            .to_string();
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

/// The options of all commands that have a value, or those that have none.
fn options(command: &clap::Command, valued: bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for_each_option(command, &mut |name, has_value| {
        if has_value == valued {
            found.insert(name);
        }
    });
    found
}

#[test]
fn an_option_has_a_value_in_every_command_or_in_none() {
    let command = Cli::command();
    let (valued, switches) = (options(&command, true), options(&command, false));
    assert!(switches.contains("--push") && valued.contains("-j"));
    let both: Vec<_> = switches.intersection(&valued).collect();
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
