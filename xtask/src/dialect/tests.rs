// SPDX-License-Identifier: Apache-2.0

use super::{
    variables::{Meaning, Scope},
    *,
};
use crate::cli;

/// What stands between backticks in a cell.
fn quoted(cell: &str) -> Vec<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// The rows of a table of the guide, by its heading.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let guide = include_str!("../../../docs/taskfile.md");
    let table = guide.split(heading).nth(1).unwrap();
    let rows = table.lines().skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

#[test]
fn the_guide_says_which_task_takes_which_variable() {
    let mut told = Vec::new();
    for cells in rows("| variable | stands for | in |") {
        for variable in quoted(&cells[0]) {
            let (name, _) = variable.split_once('=').unwrap();
            let known = variables::find(name).unwrap();
            let tasks = match cells[2].as_str() {
                "every task" => vec!["every task".to_owned()],
                tasks => quoted(tasks),
            };
            told.extend(tasks.into_iter().map(|task| (name.to_owned(), task)));
            let meaning = match known.meaning {
                Meaning::Option(option) | Meaning::Path(option) => format!("`{option}"),
                Meaning::Target => "name".to_owned(),
                Meaning::Last => "`--`".to_owned(),
                Meaning::Setting(key, _) => format!("`{key}`"),
                Meaning::RegistryHost | Meaning::RegistryPort => "`registry`".to_owned(),
                Meaning::Nothing(_) => panic!("{name} stands for nothing"),
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
    let taskfile = VARIABLES.iter().filter(|variable| {
        let is_option = matches!(variable.meaning, Meaning::Option(_) | Meaning::Nothing(_));
        variable.scope == Scope::Taskfile && !is_option
    });
    known.extend(taskfile.map(|variable| (variable.name.to_owned(), "every task".to_owned())));
    told.sort();
    known.sort();
    assert_eq!(told, known);
}

/// Of all its versions, as far as they were published.
const TASKS_OF_THE_TASKFILE: &str = "default prereqs list-targets checks checks:all bake bake:all update-os-libs \
    update-os-libs:all create create-extension generate-values e2e:create-docker-network e2e:start-container-registry \
    e2e:start-dagger-engine e2e:kind-setup e2e:setup-kind e2e:cnpg-install e2e:install-cnpg e2e:export-kubeconfig \
    e2e:env-setup e2e:setup-env e2e:generate-values e2e:test e2e:test:all e2e:test:full e2e:cleanup";

const VARIABLES_OF_THE_TASKFILE: &str = "GREEN BLUE RED NC E2E_NETWORK DAGGER_ENGINE_NAME REGISTRY_NAME \
    REGISTRY_HOST_NAME REGISTRY_HOST_IP REGISTRY_HOST_PORT REGISTRY_INTERNAL_PORT DAGGER_KIND_SHA KIND_NODE_VERSION \
    K8S_VERSION KIND_CLUSTER_NAME CNPG_RELEASE_DEFAULT TARGETS TARGET PUSH DRY_RUN METADATA_FILE EXTENSION_IMAGE \
    REGISTRY_USERNAME _EXPERIMENTAL_DAGGER_RUNNER_HOST REGISTRY_VERSION DAGGER_ENGINE_VERSION REGISTRY_DIR REGISTRY_HOST \
    DOCKER_SOCKET CNPG_RELEASE KUBECTL_VERSION CNPG_MANIFEST KUBECONFIG_PATH INTERNAL EXTRA_ARGS DISTRO";

#[test]
fn every_task_and_variable_of_the_old_taskfile_is_known() {
    for name in TASKS_OF_THE_TASKFILE.split_whitespace() {
        let renamed = RENAMED.iter().find(|(before, _)| *before == name);
        let name = renamed.map_or(name, |(_, after)| after);
        assert!(tasks::find(name).is_some(), "{name}");
    }
    for name in VARIABLES_OF_THE_TASKFILE.split_whitespace() {
        let variable = variables::find(name).unwrap_or_else(|| panic!("{name}"));
        let mut users = TASKS.iter().map(|task| task.variables);
        let is_used = users.any(|variables| variables.contains(&variable.name));
        assert!(is_used || variable.scope == Scope::Taskfile, "{name}");
    }
}

#[test]
fn the_guide_says_which_variables_stand_for_nothing() {
    let mut told: Vec<String> = rows("| variable | instead |")
        .iter()
        .flat_map(|cells| quoted(&cells[0]))
        .collect();
    let nothing = VARIABLES
        .iter()
        .filter(|one| matches!(one.meaning, Meaning::Nothing(_)));
    let mut known: Vec<String> = nothing.map(|one| one.name.to_owned()).collect();
    told.sort();
    known.sort();
    assert_eq!(told, known);
}

#[test]
fn a_setting_that_a_variable_stands_for_is_one() {
    let config = crate::config::Config::defaults();
    for variable in VARIABLES {
        if let Meaning::Setting(key, pattern) = variable.meaning {
            assert!(
                config.shown().iter().any(|setting| setting.key == key),
                "{key}"
            );
            assert!(pattern.contains("{}"), "{pattern}");
        }
    }
}

fn rewrite(line: &str) -> Result<String, String> {
    rewrite_with(line, &[])
}

fn rewrite_with(line: &str, environment: &[(&str, &str)]) -> Result<String, String> {
    read_with(line, environment)
        .map(|read| read.words.join(" "))
        .map_err(|failure| failure.message)
}

fn read_with(line: &str, environment: &[(&str, &str)]) -> Result<Canonical, Failure> {
    let args = shell_words::split(line).unwrap();
    let read = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.into())
    };
    canonical(&cli::command(), args, &read)
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
        (
            "bake:all PUSH=1 DRY_RUN=True",
            "bake --all --push --dry-run",
        ),
        ("bake:all PUSH=0 DRY_RUN=F", "bake --all"),
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
            "bak TARGET=pgvector",
            "unknown task `bak`; did you mean `bake`?",
        ),
        (
            "tagets TARGET=x",
            "unknown task `tagets`; did you mean `targets`?",
        ),
        ("x TARGET=x", "unknown task `x`"),
        (
            "bake registry=x",
            "`registry` is an environment variable, not a variable of a task",
        ),
        (
            "bake BUILDX_BUILDER=farm",
            "`BUILDX_BUILDER` is an environment variable, not a variable of a task",
        ),
        (
            "e2e:test-full TARGET=x",
            "unknown task `e2e:test-full`; did you mean `e2e:test:full`?",
        ),
        (
            "e2e:tset TARGET=x",
            "unknown task `e2e:tset`; did you mean `e2e:test`?",
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
        let failure = canonical(&cli::command(), args, &|_| None)
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
    let command = cli::command();
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
fn variables_come_from_the_environment_where_no_argument_says_the_same() {
    let set = [
        ("TARGET", "a b"),
        ("PUSH", "true"),
        ("DRY_RUN", "false"),
        ("KUBECONFIG_PATH", "k"),
        ("EXTRA_ARGS", "--x"),
        ("CNPG_RELEASE", "1.29"),
        ("METADATA_FILE", ""),
    ];
    for (line, words, names) in [
        ("", "bake --all --push", "`PUSH`, `DRY_RUN`"),
        (
            "bake",
            "bake --target=a --target=b --push",
            "`TARGET`, `PUSH`, `DRY_RUN`",
        ),
        ("bake c", "bake --push c", "`PUSH`, `DRY_RUN`"),
        ("bake TARGET=c PUSH=", "bake --target=c", "`DRY_RUN`"),
        (
            "bake TARGET= --all DRY_RUN=true PUSH=false",
            "bake --dry-run --all",
            "",
        ),
        (
            "bake --target c --dry-run",
            "bake --push --target c --dry-run",
            "`PUSH`",
        ),
        ("smoke --all --dry-run", "smoke --all --dry-run", ""),
        ("checks", "checks --target=a --target=b", "`TARGET`"),
        (
            "e2e:setup-env --dry-run",
            "e2e setup-env --cnpg-release=1.29 --dry-run",
            "`CNPG_RELEASE`",
        ),
        (
            "e2e:setup-env --cnpg-release=1 --dry-run",
            "e2e setup-env --cnpg-release=1 --dry-run",
            "",
        ),
        (
            "e2e:export-kubeconfig",
            "e2e export-kubeconfig --kubeconfig=k",
            "`KUBECONFIG_PATH`",
        ),
        (
            "e2e:export-kubeconfig ./mine",
            "e2e export-kubeconfig ./mine",
            "",
        ),
        (
            "e2e:test --rerun-failed DRY_RUN= -- --y",
            "e2e test --kubeconfig=k --rerun-failed -- --y --x",
            "`KUBECONFIG_PATH`, `EXTRA_ARGS`",
        ),
        ("bake --help", "bake --help", ""),
        ("targets", "targets", ""),
        ("prereqs", "prereqs", ""),
    ] {
        let read = read_with(line, &set).unwrap();
        assert_eq!(read.words.join(" "), words, "{line}");
        let note = (!names.is_empty()).then(|| format!("from the environment: {names}"));
        assert_eq!(read.notes, Vec::from_iter(note), "{line}");
    }
}

#[test]
fn what_the_taskfile_gave_a_value_does_not_come_from_the_environment() {
    let set = [
        ("REGISTRY_HOST_PORT", "5001"),
        ("K8S_VERSION", "1.35.0"),
        ("DOCKER_SOCKET", "x"),
    ];
    let read = read_with("e2e:setup-env", &set).unwrap();
    assert_eq!(read.words, ["e2e", "setup-env"]);
    let said = read.notes.join("\n");
    for name in ["REGISTRY_HOST_PORT", "K8S_VERSION"] {
        assert!(
            said.contains(&format!("`{name}` in the environment is not read")),
            "{said}"
        );
    }
    assert!(!said.contains("DOCKER_SOCKET"), "{said}");
}

#[test]
fn a_command_by_its_own_name_says_what_it_does_not_read() {
    let set = [("CNPG_RELEASE", "1.29"), ("PUSH", "true"), ("TARGET", "a")];
    for (line, name) in [
        ("e2e setup-env", "`CNPG_RELEASE`"),
        ("e2e test-full a", "`CNPG_RELEASE`"),
        ("e2e test", "`TARGET`"),
    ] {
        let read = read_with(line, &set).unwrap();
        assert_eq!(read.words.join(" "), line);
        assert_eq!(read.notes.len(), 1, "{:?}", read.notes);
        assert!(read.notes[0].starts_with(name), "{:?}", read.notes);
    }
    for line in [
        "e2e setup-env --cnpg-release 1.30",
        "e2e cleanup",
        "e2e test --all",
        "config",
    ] {
        assert_eq!(
            read_with(line, &set).unwrap().notes,
            Vec::<String>::new(),
            "{line}"
        );
    }
}

#[test]
fn a_settings_own_variable_is_left_to_the_settings() {
    let set = [("REGISTRY_HOST", "r.example"), ("REGISTRY_USERNAME", "me")];
    for (line, words) in [
        ("e2e:setup-env", "e2e setup-env"),
        ("e2e setup-env", "e2e setup-env"),
        ("generate-values", "e2e generate-values"),
    ] {
        let read = read_with(line, &set).unwrap();
        assert_eq!(read.words.join(" "), words);
        assert_eq!(read.notes, Vec::<String>::new());
    }
}

#[test]
fn a_wrong_value_of_the_environment_says_where_it_is_from() {
    for (name, value) in [("PUSH", "s3cret"), ("TARGET", "-s3cret")] {
        let failure = read_with("bake", &[(name, value)]).unwrap_err();
        let hint = failure.hint.clone().unwrap();
        assert!(hint.starts_with("it is set in the environment"), "{hint}");
        assert!(!format!("{failure:?}").contains("s3cret"));
    }
}

#[test]
fn the_last_of_two_equal_variables_counts() {
    for (line, words) in [
        ("bake TARGET=a TARGET=b", "bake --target=b"),
        ("bake PUSH=yes TARGET=a PUSH=true", "bake --target=a --push"),
        ("bake TARGET=a PUSH=true PUSH=", "bake --target=a"),
        (
            "bake:all REGISTRY_HOST_IP=a REGISTRY_HOST_NAME=b",
            "bake --all --set=registry=b:5000",
        ),
    ] {
        assert_eq!(rewrite(line).as_deref(), Ok(words));
    }
}

#[test]
fn variables_of_the_taskfile_are_settings_of_every_task() {
    for (line, words) in [
        (
            "prereqs REGISTRY_HOST_PORT=5001",
            "prereqs --set=registry=localhost:5001",
        ),
        (
            "bake TARGET=a PUSH=true REGISTRY_HOST_NAME=r.example REGISTRY_HOST_PORT=443",
            "bake --target=a --push --set=registry=r.example:443",
        ),
        (
            "e2e:setup-env K8S_VERSION=1.35.0 CNPG_RELEASE_DEFAULT=1.29",
            "e2e setup-env --kubernetes=1.35.0 --set=cnpg.release=1.29",
        ),
        (
            "e2e:cleanup KIND_NODE_VERSION=v1.35.0 E2E_NETWORK=n KIND_CLUSTER_NAME=c REGISTRY_NAME=r",
            "e2e cleanup --set=images.node=kindest/node:v1.35.0 --set=e2e.network=n --set=e2e.cluster=c --set=e2e.registry=r",
        ),
        (
            "e2e:setup-env REGISTRY_VERSION=3.0.0 CNPG_MANIFEST=https://x.example/m.yaml",
            "e2e setup-env --set=images.registry=registry:3.0.0 --set=cnpg.manifest=https://x.example/m.yaml",
        ),
        ("e2e:env-setup", "e2e setup-env"),
    ] {
        assert_eq!(rewrite(line).as_deref(), Ok(words));
    }
    for (line, message) in [
        (
            "bake:all REGISTRY_HOST_NAME=ghcr.io/x",
            "variable `REGISTRY_HOST_NAME` stands for the setting `registry`, which must be",
        ),
        (
            "e2e:cleanup KIND_NODE_VERSION='a b'",
            "variable `KIND_NODE_VERSION` stands for the setting `images.node`, which must be an image",
        ),
    ] {
        let said = rewrite(line).unwrap_err();
        assert!(said.starts_with(message), "{said}");
    }
    let message = "variable `REGISTRY_HOST_PORT` must be a port, from 1 to 65535";
    for port in ["0", "x", "65536"] {
        let line = format!("bake:all REGISTRY_HOST_PORT={port}");
        assert_eq!(rewrite(&line), Err(message.to_owned()));
    }
}

#[test]
fn what_means_nothing_any_more_is_taken_and_said() {
    for variable in VARIABLES {
        if let Meaning::Nothing(instead) = variable.meaning {
            let name = variable.name.replace('*', "CLOUD_TOKEN");
            let read = read_with(&format!("prereqs {name}=x"), &[]).unwrap();
            assert_eq!(read.words, ["prereqs"]);
            let note = format!("`{name}` changes nothing: {instead}");
            assert_eq!(read.notes, [note]);
        }
    }
    let read = read_with("prereqs DAGGER_A=1 DAGGER_B=2 DAGGER_A=3", &[]).unwrap();
    assert_eq!(read.notes.len(), 2, "{:?}", read.notes);
    let read = read_with("e2e:cleanup K8S_VERSION=1.35.0", &[]).unwrap();
    assert_eq!(read.words, ["e2e", "cleanup"]);
    assert!(
        read.notes[0].starts_with("`K8S_VERSION` changes nothing here"),
        "{:?}",
        read.notes
    );
}

#[test]
fn what_task_takes_beside_a_task_is_refused_with_what_does_the_same() {
    for (line, message) in [
        (
            "prereqs checks:all",
            "one task at a time: `prereqs` and `checks:all` are two",
        ),
        (
            "prereqs checks",
            "one task at a time: `prereqs` and `checks` are two",
        ),
        (
            "checks TARGET=a bake:all",
            "one task at a time: `checks` and `bake:all` are two",
        ),
        (
            "bake TARGET=a -- --push",
            "task `bake` hands nothing on to another program, and has words behind `--`",
        ),
        (
            "bake:all -- PUSH=true",
            "task `bake:all` hands nothing on to another program, and has words behind `--`",
        ),
        ("BAKE TARGET=a", "unknown task `BAKE`; did you mean `bake`?"),
        (
            "bake PUSH=false --push",
            "variable `PUSH` and `--push` are the same: only one of them can be given",
        ),
        (
            "e2e:setup-env CNPG_RELEASE=main --cnpg-release=1.30",
            "variable `CNPG_RELEASE` and `--cnpg-release` are the same: only one of them can be given",
        ),
        ("-l", "`-l` is an option of Task"),
        ("--dry bake TARGET=a", "`--dry` is an option of Task"),
        ("bake TARGET=a --force", "`--force` is an option of Task"),
    ] {
        assert_eq!(rewrite(line), Err(message.to_owned()), "{line}");
    }
    for (line, words) in [
        ("bake -- checks", "bake -- checks"),
        ("bake checks", "bake checks"),
        ("bake PUSH=true --push", "bake --push"),
        ("e2e:test TARGET=a -- -l", "e2e test --target=a -- -l"),
        ("sandbox exec ls -l", "sandbox exec ls -l"),
        ("bake --builder -l", "bake --builder -l"),
    ] {
        assert_eq!(rewrite(line).as_deref(), Ok(words));
    }
    let hint = read_with("--format text e2e setup-env CNPG_RELEASE=x", &[]);
    let hint = hint.unwrap_err().hint.unwrap();
    assert_eq!(
        hint,
        "its task does: `cargo xtask e2e:setup-env CNPG_RELEASE=…`"
    );
}

#[test]
fn an_option_of_task_is_none_of_ours() {
    let command = cli::command();
    for_each_option(&command, &mut |name, _| {
        let known = OPTIONS_OF_TASK
            .iter()
            .any(|(names, _)| names.contains(&name.as_str()));
        assert!(!known, "{name}");
    });
}

#[test]
fn a_path_below_home_is_one_without_a_shell() {
    let home = [("HOME", "/home/me")];
    for (line, words) in [
        (
            "e2e:export-kubeconfig KUBECONFIG_PATH='~/.kube/config'",
            "--kubeconfig=/home/me/.kube/config",
        ),
        (
            "e2e:export-kubeconfig KUBECONFIG_PATH=a~/b",
            "--kubeconfig=a~/b",
        ),
    ] {
        let rewritten = rewrite_with(line, &home).unwrap();
        assert_eq!(rewritten, format!("e2e export-kubeconfig {words}"));
    }
}

#[test]
fn a_new_extension_has_its_name_by_the_variable_or_as_a_word() {
    for line in ["create-extension NAME=x", "create NAME=x"] {
        assert_eq!(
            rewrite_with(line, &[]).unwrap(),
            "create-extension --name=x"
        );
    }
    // Some systems have a variable of that name for the machine's.
    let machine = [("NAME", "machine")];
    let rewritten = rewrite_with("create-extension x", &machine).unwrap();
    assert_eq!(rewritten, "create-extension x");
}

#[test]
fn arguments_of_chainsaw_are_separated_by_blanks_or_commas() {
    for (value, arguments) in [
        (
            "--skip-delete,--fail-fast",
            &["--skip-delete", "--fail-fast"][..],
        ),
        (
            "--skip-delete --fail-fast",
            &["--skip-delete", "--fail-fast"],
        ),
        (
            "--parallel,4,--fail-fast",
            &["--parallel", "4", "--fail-fast"],
        ),
        (
            "--parallel 4,--fail-fast",
            &["--parallel", "4", "--fail-fast"],
        ),
        ("--selector=a=b,c=d", &["--selector=a=b,c=d"]),
        ("--selector a=b,c=d --x", &["--selector", "a=b,c=d", "--x"]),
        (
            "--selector=a=b,--fail-fast",
            &["--selector=a=b", "--fail-fast"],
        ),
        ("--template='a b',--x", &["--template=a b", "--x"]),
        ("--set-string,k=v", &["--set-string", "k=v"]),
        ("--fail-fast,", &["--fail-fast"]),
        (
            "--skip-delete, --fail-fast",
            &["--skip-delete", "--fail-fast"],
        ),
        ("--parallel=4, --x,,--y", &["--parallel=4", "--x", "--y"]),
        // What is quoted is one argument, whatever is in it.
        ("--selector 'a in (b,-c)'", &["--selector", "a in (b,-c)"]),
        (
            "\"--selector=a=b,-c=d\",--fail-fast",
            &["--selector=a=b,-c=d", "--fail-fast"],
        ),
        ("--template=a\\,-b,--x", &["--template=a,-b", "--x"]),
        ("--x='',--y", &["--x=", "--y"]),
        ("--x '' --y", &["--x", "", "--y"]),
        ("--x\n--y\t--z", &["--x", "--y", "--z"]),
        ("", &[]),
    ] {
        let args = vec!["e2e:test".to_owned(), format!("EXTRA_ARGS={value}")];
        let words = canonical(&cli::command(), args, &|_| None).unwrap().words;
        let last = words.iter().skip_while(|word| *word != "--").skip(1);
        assert_eq!(last.collect::<Vec<_>>(), arguments, "{value}");
    }
}
