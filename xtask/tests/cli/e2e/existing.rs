// SPDX-License-Identifier: Apache-2.0
//! A cluster of somebody's own in place of kind.

use super::{
    image::{annotations, index},
    lab::Lab,
};

const REGISTRY: (&str, &str) = ("registry", "registry.example/team");

/// Nothing of the engine was made or removed, and kind was not asked.
#[track_caller]
fn engine_was_left_alone(lab: &Lab) {
    lab.never("kind ");
    for start in [
        "docker network",
        "docker volume",
        "docker run",
        "docker exec",
    ] {
        lab.never(start);
    }
}

#[test]
fn it_gets_an_operator_when_it_has_none() {
    let lab = Lab::new();
    let file = lab.put_existing("ci");
    lab.e2e_with(&["setup-env", "--kubeconfig", &file], &[REGISTRY])
        .success();
    engine_was_left_alone(&lab);
    let apply = lab.only("kubectl apply --server-side --force-conflicts --filename https");
    assert_eq!(apply.args[..2], ["--kubeconfig", "theirs.kubeconfig"]);
    // Which is ours from then on.
    lab.forget();
    lab.e2e_with(
        &["setup-env", "--kubeconfig", &file, "--cnpg-release", "main"],
        &[REGISTRY],
    )
    .success()
    .says("the operator (1.30) becomes main");
}

#[test]
fn an_upgrade_that_came_half_way_is_still_ours_to_finish() {
    let lab = Lab::new();
    let file = lab.put_existing("ci");
    let setup = ["setup-env", "--kubeconfig", &file];
    lab.e2e_with(&setup, &[REGISTRY]).success();
    let timed_out = "error: timed out waiting for the condition\n";
    lab.fails("'kubectl '*' rollout status '*", 1, timed_out);
    let upgrade = [&setup[..], &["--cnpg-release", "main"]].concat();
    lab.e2e_with(&upgrade, &[REGISTRY]).status(1);
    lab.no_rules();
    lab.e2e_with(&setup, &[REGISTRY])
        .success()
        .says("the operator (half installed) becomes 1.30");
    let release = std::fs::read_to_string(lab.fake("kube/ci/operator/release"));
    assert_eq!(release.unwrap(), "1.30\n");
}

#[test]
fn an_operator_of_theirs_stays() {
    let lab = Lab::new();
    let file = lab.put_existing("ci");
    lab.put_operator("ci");
    lab.e2e_with(&["setup-env", "--kubeconfig", &file], &[REGISTRY])
        .success()
        .says("an operator of its own (`their/operator:9`), which is left as it is");
    lab.never("kubectl apply");
    lab.never("kubectl --namespace cnpg-system annotate");
}

#[test]
fn suites_run_in_the_context_that_was_named() {
    let lab = Lab::new();
    let file = lab.put_existing("ci");
    lab.put_operator("ci");
    lab.put_values("alpha");
    lab.e2e(&["test", "alpha", "--kubeconfig", &file, "--context", "ci"])
        .success();
    engine_was_left_alone(&lab);
    for test in lab.made_of("chainsaw ") {
        let absolute = lab.root().join(&file).canonicalize().unwrap();
        assert_eq!(test.kubeconfig, absolute.to_str().unwrap());
        assert_eq!(test.after("--kube-context"), "ci");
    }
    for call in lab.made_of("kubectl --context") {
        assert_eq!(call.after("--context"), "ci");
    }
    // What others have in their cluster is not cleared away.
    let left = r#"{"kind": "Namespace", "metadata": {"name": "xtask-theirs", "labels": {"io.cloudnativepg.xtask.environment": "suite"}}}"#;
    std::fs::write(
        lab.fake("kube/ci/objects/Namespace-xtask-theirs.json"),
        left,
    )
    .unwrap();
    lab.e2e(&["test", "alpha", "--kubeconfig", &file]).success();
    assert!(
        lab.fake("kube/ci/objects/Namespace-xtask-theirs.json")
            .exists()
    );
}

#[test]
fn one_that_cannot_be_used_is_said() {
    for (said, hint) in [
        (
            "Unable to connect to the server: dial tcp: lookup far.example: no such host",
            "is the cluster up?",
        ),
        (
            "error: You must be logged in to the server (Unauthorized)",
            "its credentials are not accepted",
        ),
        (
            "Error from server (Forbidden): nodes is forbidden: User \"x\" cannot list resource",
            "its credentials are not accepted",
        ),
    ] {
        for words in [&["test", "alpha"][..], &["setup-env"], &["status"]] {
            let lab = Lab::new();
            let file = lab.put_existing("ci");
            lab.put_values("alpha");
            lab.fails("'kubectl '*' get nodes,'*", 1, &format!("{said}\n"));
            let args = [words, &["--kubeconfig", &file]].concat();
            let ended = lab.e2e_with(&args, &[REGISTRY]);
            assert_eq!(ended.status, Some(3), "{words:?}: {ended:#?}");
            assert!(
                ended.stderr.contains(said) && ended.stderr.contains(&format!("hint: {hint}")),
                "{words:?}: {}",
                ended.stderr
            );
        }
    }
}

#[test]
fn a_context_or_a_file_that_is_not_there_is_said() {
    let lab = Lab::new();
    let file = lab.put_existing("ci");
    lab.put_values("alpha");
    let ended = lab.e2e(&["test", "alpha", "--kubeconfig", &file, "--context", "cy"]);
    assert!(matches!(ended.status, Some(2 | 3)), "{ended:#?}");
    ended.says("cy").says("hint: ");
    lab.e2e(&["test", "alpha", "--kubeconfig", "nowhere"])
        .status(2)
        .says("`nowhere`")
        .says("hint: ");
    lab.e2e(&["setup-env", "--context", "ci"])
        .status(2)
        .says("context `ci` of which kubeconfig?");
    lab.write("text", "no kubeconfig at all\n");
    let ended = lab.e2e(&["test", "alpha", "--kubeconfig", "text"]);
    assert_eq!(ended.status, Some(2), "{ended:#?}");
    ended.says("text");
}

#[test]
fn images_are_pushed_to_a_registry_that_both_can_reach() {
    let lab = Lab::new();
    let file = lab.put_existing("ci");
    lab.put_operator("ci");
    let (here, there) = ("registry.example/team", "inside.example:5000");
    let digest = lab.put_image(
        &format!("{here}/gamma-testing:1.2-18-trixie"),
        &index(&annotations("trixie", "18", "1.2")),
    );
    lab.answer(
        "metadata.gamma",
        &format!("{{\"gamma-1_2-18-trixie\":{{\"containerimage.digest\":\"{digest}\"}}}}"),
    );
    let args = [
        "test-full",
        "gamma",
        "--distro",
        "trixie",
        "--kubeconfig",
        &file,
        "--json",
    ];
    lab.e2e_with(
        &args,
        &[
            REGISTRY,
            ("XTASK_CLUSTER_REGISTRY", "inside.example:5000/team"),
        ],
    )
    .success();
    engine_was_left_alone(&lab);
    let bake = lab.only("docker buildx bake").line();
    assert!(bake.contains(" --push"), "{bake}");
    let values = std::fs::read_to_string(lab.fake("values/shared-suite-of-gamma-18-trixie"));
    let values = values.unwrap();
    let wanted = format!("'{there}/team/gamma-testing:1.2-18-trixie@{digest}'");
    assert!(values.contains(&wanted), "{values}");
}

#[test]
fn several_releases_are_not_for_a_cluster_of_theirs() {
    let lab = Lab::built();
    let file = lab.put_existing("ci");
    lab.e2e_with(
        &[
            "test-full",
            "alpha",
            "--kubeconfig",
            &file,
            "--cnpg-release",
            "1.29,1.30",
        ],
        &[REGISTRY],
    )
    .status(2)
    .says("one release at a time");
    lab.never("kubectl apply");
}

#[test]
fn cleaning_it_up_by_name_removes_what_suites_and_psql_made() {
    let lab = Lab::new();
    let file = lab.put_existing("ci");
    lab.put_operator("ci");
    let object = |name: &str, labels: &str| {
        let path = lab.fake(&format!("kube/ci/objects/Namespace-{name}.json"));
        let text = format!(
            r#"{{"kind": "Namespace", "metadata": {{"name": "{name}", "labels": {labels}}}}}"#
        );
        std::fs::write(&path, text).unwrap();
        path
    };
    let theirs = object("theirs", "{}");
    let owned = |owner: &str| {
        ["suite", "psql"].map(|role| {
            let labels = format!(
                r#"{{"io.cloudnativepg.xtask.environment": "{role}", "io.cloudnativepg.xtask.owner": "{owner}"}}"#
            );
            object(&format!("xtask-{role}-{owner}"), &labels)
        })
    };
    // A first call draws what tells this checkout from others.
    lab.e2e(&["cleanup", "--kubeconfig", &file]).success();
    let drawn: serde_json::Value = serde_json::from_str(&lab.read("target/xtask/owner")).unwrap();
    let ours = owned(drawn["owner"].as_str().unwrap());
    // Another machine's, or another user's, on the same cluster.
    let of_others = owned("fedcba9876543210");
    // In a copy of this checkout nothing of it is ours.
    let note = lab.read("target/xtask/owner");
    let root = std::fs::canonicalize(lab.root()).unwrap();
    let copied = note.replace(root.to_str().unwrap(), "/copied/from");
    assert_ne!(copied, note);
    lab.write("target/xtask/owner", &copied);
    let copy = lab.e2e(&["cleanup", "--kubeconfig", &file, "--dry-run"]);
    assert!(!copy.success().stdout.contains("delete namespace"));
    lab.write("target/xtask/owner", &note);
    let dry = lab.e2e(&["cleanup", "--kubeconfig", &file, "--dry-run"]);
    assert!(dry.success().stdout.contains("delete namespace"));
    assert!(ours.iter().all(|path| path.exists()));
    lab.e2e(&["cleanup", "--kubeconfig", &file]).success();
    engine_was_left_alone(&lab);
    assert!(!ours.iter().any(|path| path.exists()));
    assert!(theirs.exists());
    assert!(of_others.iter().all(|path| path.exists()));
    lab.e2e(&["cleanup", "--kubeconfig", &file])
        .success()
        .says("nothing to remove");
}

#[test]
fn a_full_test_with_cleanup_leaves_it() {
    let lab = Lab::built();
    let file = lab.put_existing("ci");
    lab.put_operator("ci");
    let registry = format!("localhost:{}", lab.port);
    lab.up();
    let before = lab.inventory();
    lab.e2e_with(
        &["test-full", "alpha", "--kubeconfig", &file, "--cleanup"],
        &[("registry", &registry)],
    )
    .success()
    .says("the existing cluster stays");
    assert_eq!(lab.inventory(), before);
}

#[test]
fn cleaning_up_does_not_concern_it() {
    let lab = Lab::new();
    let file = lab.put_existing("ci");
    lab.put_operator("ci");
    lab.e2e_with(&["cleanup"], &[("XTASK_CLUSTER_KUBECONFIG", &file)])
        .success();
    lab.never("kubectl ");
    assert!(lab.fake("kube/ci/operator").exists());
}

#[test]
fn a_namespace_of_somebody_else_is_neither_used_nor_removed() {
    let lab = Lab::new();
    let file = lab.put_existing("ci");
    lab.put_operator("ci");
    lab.put_values("alpha");
    let psql = ["psql", "alpha", "--kubeconfig", &file, "--", "SELECT 1"];
    lab.e2e(&psql).success();
    lab.e2e(&["psql", "alpha", "--delete", "--kubeconfig", &file])
        .success();
    let drawn: serde_json::Value = serde_json::from_str(&lab.read("target/xtask/owner")).unwrap();
    let name = format!(
        "xtask-psql-alpha-{}",
        &drawn["owner"].as_str().unwrap()[..8]
    );
    let theirs = lab.fake(&format!("kube/ci/objects/Namespace-{name}.json"));
    // With a database in it that looks like ours.
    let digest = "cd".repeat(32);
    let image = format!("ghcr.io/x/alpha-testing:1.2-18-trixie@sha256:{digest}");
    let database = lab.fake(&format!("kube/ci/databases/{name}.alpha"));
    for labels in [
        "",
        r#""io.cloudnativepg.xtask.environment": "suite""#,
        r#""io.cloudnativepg.xtask.environment": "psql", "io.cloudnativepg.xtask.owner": "0123456789abcdef""#,
    ] {
        std::fs::write(
            &theirs,
            format!(
                r#"{{"kind": "Namespace", "metadata": {{"name": "{name}", "labels": {{{labels}}}}}}}"#
            ),
        )
        .unwrap();
        std::fs::write(&database, format!("{image} Cluster in healthy state")).unwrap();
        lab.forget();
        lab.e2e(&psql)
            .status(1)
            .says(&format!("the namespace `{name}` already exists"));
        lab.never("chainsaw ");
        lab.never(&format!("kubectl --namespace {name}"));
        lab.never("kubectl delete");
    }
    lab.e2e(&["psql", "alpha", "--delete", "--kubeconfig", &file])
        .success();
    assert!(theirs.exists());
}
