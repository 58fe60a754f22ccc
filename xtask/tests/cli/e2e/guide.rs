// SPDX-License-Identifier: Apache-2.0
//! The old guide's way through an end-to-end test, each line as it stands there with `task` replaced.

use super::{
    image::{annotations, index},
    lab::{CLUSTER, Lab},
};

impl Lab {
    /// A line of the guide, as a shell would split it.
    #[track_caller]
    fn task(&self, line: &str) -> crate::ended::Ended {
        let words = shell_words::split(line).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words[0], "task", "{line}");
        self.told(&words[1..], &[])
    }

    /// With pgvector as the guide has it.
    fn guide() -> Self {
        let lab = Self::empty();
        lab.put_built(
            "pgvector",
            &[("trixie", "18")],
            &[("sql_name", "\"vector\"")],
        );
        lab.write(
            "extensions/pgvector/test/chainsaw-test.yaml",
            "# Its own.\n",
        );
        lab
    }
}

#[test]
fn in_one_command() {
    let lab = Lab::guide();
    lab.task("task e2e:test:full TARGET=\"pgvector\"")
        .success()
        .says("1 of 1 passed");
    assert_eq!(lab.made_of("chainsaw ").len(), 2);
}

#[test]
fn step_by_step() {
    let lab = Lab::guide();
    lab.task("task e2e:setup-env").success();
    lab.task("task e2e:export-kubeconfig KUBECONFIG_PATH=./kubeconfig")
        .success();
    let shell = "export KUBECONFIG=$PWD/kubeconfig\nkubectl --kubeconfig \"$KUBECONFIG\" get --raw /readyz --request-timeout 5s";
    lab.shell(shell, &[]).success();
    lab.task("task e2e:export-kubeconfig KUBECONFIG_PATH=./kubeconfig INTERNAL=true")
        .success();
    lab.task("task bake TARGET=\"pgvector\" PUSH=true")
        .success();
    let local = format!("localhost:{}/pgvector-testing:1.2-18-trixie", lab.port);
    lab.task(&format!(
        "task e2e:generate-values TARGET=\"pgvector\" EXTENSION_IMAGE=\"{local}\""
    ))
    .success();
    lab.task(&format!(
        "task e2e:generate-values TARGET=pgvector EXTENSION_IMAGE=\"{local}\""
    ))
    .success();
    assert!(lab.exists("extensions/pgvector/values.yaml"));
    lab.task("task e2e:export-kubeconfig KUBECONFIG_PATH=./kubeconfig INTERNAL=true")
        .success();
    lab.task("task e2e:test TARGET=\"pgvector\" KUBECONFIG_PATH=\"./kubeconfig\"")
        .success()
        .says("1 of 1 passed");
    // The internal address is for other containers: from here the cluster is reached all the same.
    for test in lab.made_of("chainsaw ") {
        let text = std::fs::read_to_string(&test.kubeconfig).unwrap();
        assert!(text.contains("https://127.0.0.1:"), "{text}");
    }
    lab.task("task e2e:cleanup").success();
    assert!(lab.inventory().is_empty());
    assert!(lab.exists("kubeconfig"), "the user's own file stays");
}

#[test]
fn the_image_of_the_guides_example() {
    let lab = Lab::guide();
    lab.write("xtask.toml", "");
    lab.put_image(
        "localhost:5000/pgvector-testing:0.8.1-18-trixie",
        &index(&annotations("trixie", "18", "0.8.1")),
    );
    lab.task("task e2e:generate-values TARGET=pgvector EXTENSION_IMAGE=\"localhost:5000/pgvector-testing:0.8.1-18-trixie\"")
        .success();
    let text = lab.read("extensions/pgvector/values.yaml");
    assert!(
        text.contains("'registry.pg-extensions:5000/pgvector-testing:0.8.1-18-trixie@sha256:"),
        "{text}"
    );
}

#[test]
fn all_at_once() {
    let lab = Lab::guide();
    lab.task("task e2e:test:full:all").success();
    lab.put_values("pgvector");
    lab.task("task e2e:test:all KUBECONFIG_PATH=").success();
    lab.task("task e2e:status").success();
}

#[test]
fn several_in_one_variable() {
    let lab = Lab::built();
    lab.task("task e2e:test:full TARGET=\"alpha gamma\" DISTRO=trixie")
        .success()
        .says("3 of 3 passed");
}

#[test]
fn dry_runs_of_its_lines_do_nothing() {
    for line in [
        "task e2e:test:full TARGET=\"pgvector\" DRY_RUN=true",
        "task e2e:test:full:all DRY_RUN=true",
        "task e2e:setup-env DRY_RUN=true",
        "task e2e:setup-env CNPG_RELEASE=main REGISTRY_HOST= REGISTRY_USERNAME= DRY_RUN=true",
        "task e2e:test TARGET=\"pgvector\" DRY_RUN=true",
        "task e2e:test:all DRY_RUN=true EXTRA_ARGS=\"--fail-fast\"",
        "task bake TARGET=\"pgvector\" PUSH=true DRY_RUN=true",
    ] {
        let lab = Lab::guide();
        lab.put_values("pgvector");
        let before = lab.files();
        let ended = lab.task(line).success();
        assert!(!ended.stdout.is_empty(), "{line}");
        assert!(lab.inventory().is_empty(), "{line}: {:#?}", lab.inventory());
        assert_eq!(lab.files(), before, "{line}");
        // Where no program is, either.
        for program in ["docker", "kind", "kubectl", "chainsaw"] {
            lab.without(program);
        }
        let again = lab.task(line).success();
        // The names of namespaces end with the number of the process.
        assert_eq!(
            again.stdout.lines().count(),
            ended.stdout.lines().count(),
            "{line}"
        );
    }
}

#[test]
fn what_a_dry_run_prints_can_be_pasted() {
    let lab = Lab::guide();
    let dry = lab.task("task e2e:setup-env DRY_RUN=true").success().stdout;
    let real = Lab::guide();
    real.task("task e2e:setup-env").success();
    // There is no curl here to wait with: the registry's thread takes a moment.
    let lines: Vec<&str> = dry
        .lines()
        .filter(|line| !line.starts_with("until curl "))
        .collect();
    lab.forget();
    lab.shell(&lines.join("\n"), &["cat", "mkdir", "mv", "rm"])
        .success();
    let comparable = |lab: &Lab| {
        let mut lines: Vec<String> = lab
            .lines()
            .iter()
            .map(|line| line.replace(&lab.port.to_string(), "PORT"))
            // Each call has an id of its own.
            .map(|line| match line.split_once("xtask.run=") {
                Some((before, after)) => format!("{before}RUN{}", &after[16..]),
                None => line,
            })
            .filter(|line| {
                !["docker info", "docker ps", "kind version"]
                    .iter()
                    .any(|start| line.starts_with(start))
            })
            .filter(|line| !line.contains(" ls --format"))
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(comparable(&lab), comparable(&real), "{dry}");
    assert_eq!(lab.inventory().len(), real.inventory().len());
    assert_eq!(
        lab.operator(CLUSTER, "release"),
        real.operator(CLUSTER, "release")
    );
}

#[test]
fn variables_that_a_task_does_not_use_are_refused() {
    for (line, says) in [
        (
            "task e2e:cleanup TARGET=pgvector",
            "does not use the variable `TARGET`",
        ),
        (
            "task e2e:setup-env KUBECONFIG_PATH=x",
            "does not use the variable `KUBECONFIG_PATH`",
        ),
        (
            "task e2e:test:ful TARGET=pgvector",
            "did you mean `e2e:test:full`?",
        ),
        ("task e2e:test TARGT=pgvector", "did you mean `TARGET`?"),
        (
            "task e2e:export-kubeconfig INTERNAL=yes",
            "`INTERNAL` must be `true` or `false`",
        ),
        (
            "task e2e:test:full registry=x TARGET=pgvector",
            "is an environment variable",
        ),
    ] {
        let lab = Lab::guide();
        lab.task(line).status(2).says(says);
        assert!(lab.lines().is_empty(), "{line}");
    }
}
