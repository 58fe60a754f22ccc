// SPDX-License-Identifier: Apache-2.0
//! A cluster of somebody's own in place of kind.

use crate::cli::world::{
    World,
    image::{annotations, index},
};

pub(super) const REGISTRY: (&str, &str) = ("registry", "registry.example/team");

/// Nothing of the engine was made or removed, and kind was not asked.
#[track_caller]
pub(super) fn engine_was_left_alone(world: &World) {
    world.calls.never("kind ");
    for start in [
        "docker network",
        "docker volume",
        "docker run",
        "docker exec",
    ] {
        world.calls.never(start);
    }
}

#[test]
fn it_gets_an_operator_when_it_has_none() {
    let world = World::e2e();
    let file = world.put_cluster("ci");
    world
        .run_with(("e2e setup-env --kubeconfig", [&file]), &[REGISTRY])
        .success();
    engine_was_left_alone(&world);
    let apply = world
        .calls
        .only("kubectl apply --server-side --force-conflicts --filename https");
    assert_eq!(apply.args()[..2], ["--kubeconfig", "theirs.kubeconfig"]);
    // Which is ours from then on.
    world.calls.forget();
    world
        .run_with(
            (
                "e2e",
                &["setup-env", "--kubeconfig", &file, "--cnpg-release", "main"],
            ),
            &[REGISTRY],
        )
        .success()
        .says("the operator is changed from 1.30 to main");
}

#[test]
fn an_upgrade_that_came_half_way_is_still_ours_to_finish() {
    let world = World::e2e();
    let file = world.put_cluster("ci");
    let setup = ["setup-env", "--kubeconfig", &file];
    world.run_with(("e2e", &setup), &[REGISTRY]).success();
    let timed_out = "error: timed out waiting for the condition\n";
    world.tools.fails("kubectl * rollout status", 1, timed_out);
    let upgrade = [&setup[..], &["--cnpg-release", "main"]].concat();
    world.run_with(("e2e", &upgrade), &[REGISTRY]).status(1);
    world.tools.no_rules();
    world
        .run_with(("e2e", &setup), &[REGISTRY])
        .success()
        .says("the operator is changed from half installed to 1.30");
    let release = std::fs::read_to_string(world.clusters.file("ci", "operator/release"));
    assert_eq!(release.unwrap(), "1.30\n");
}

#[test]
fn an_operator_of_theirs_stays() {
    let world = World::e2e();
    let file = world.put_cluster("ci");
    world.clusters.put_operator("ci");
    world
        .run_with(("e2e setup-env --kubeconfig", [&file]), &[REGISTRY])
        .success()
        .says("an operator of its own (`their/operator:9`), which is left as it is");
    world.calls.never("kubectl apply");
    world
        .calls
        .never("kubectl --namespace cnpg-system annotate");
}

#[test]
fn suites_run_in_the_context_that_was_named() {
    let world = World::e2e();
    let file = world.put_cluster("ci");
    world.clusters.put_operator("ci");
    world.put_values("alpha");
    world
        .run((
            "e2e",
            &["test", "alpha", "--kubeconfig", &file, "--context", "ci"],
        ))
        .success();
    engine_was_left_alone(&world);
    for test in world.calls.of("chainsaw ") {
        let absolute = world.root().join(&file).canonicalize().unwrap();
        assert_eq!(test.variable("KUBECONFIG"), absolute.to_str().unwrap());
        assert_eq!(test.after("--kube-context"), "ci");
    }
    for call in world.calls.of("kubectl --context") {
        assert_eq!(call.after("--context"), "ci");
    }
    // What others have in their cluster is not cleared away.
    let left = r#"{"kind": "Namespace", "metadata": {"name": "xtask-theirs", "labels": {"io.cloudnativepg.xtask.environment": "suite"}}}"#;
    std::fs::write(
        world
            .clusters
            .file("ci", "objects/Namespace-xtask-theirs.json"),
        left,
    )
    .unwrap();
    world
        .run(("e2e test alpha --kubeconfig", [&file]))
        .success();
    assert!(
        world
            .clusters
            .file("ci", "objects/Namespace-xtask-theirs.json")
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
            let world = World::e2e();
            let file = world.put_cluster("ci");
            world.put_values("alpha");
            world
                .tools
                .fails("kubectl * get nodes,", 1, &format!("{said}\n"));
            let args = [words, &["--kubeconfig", &file]].concat();
            let ended = world.run_with(("e2e", &args), &[REGISTRY]);
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
    let world = World::e2e();
    let file = world.put_cluster("ci");
    world.put_values("alpha");
    let ended = world.run((
        "e2e",
        &["test", "alpha", "--kubeconfig", &file, "--context", "cy"],
    ));
    assert!(matches!(ended.status, Some(2 | 3)), "{ended:#?}");
    ended.says("cy").says("hint: ");
    world
        .run("e2e test alpha --kubeconfig nowhere")
        .status(2)
        .says("`nowhere`")
        .says("hint: ");
    world
        .run("e2e setup-env --context ci")
        .status(2)
        .says("context `ci` needs a kubeconfig");
    world.write("text", "no kubeconfig at all\n");
    let ended = world.run("e2e test alpha --kubeconfig text");
    assert_eq!(ended.status, Some(2), "{ended:#?}");
    ended.says("text");
}

#[test]
fn images_are_pushed_to_a_registry_that_both_can_reach() {
    let world = World::e2e();
    let file = world.put_cluster("ci");
    world.clusters.put_operator("ci");
    let (here, there) = ("registry.example/team", "inside.example:5000");
    let digest = world.registry.put(
        &format!("{here}/gamma-testing:1.2-18-trixie"),
        &index(&annotations("trixie", "18", "1.2")),
    );
    world.docker.bake_writes(
        "gamma",
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
    world
        .run_with(
            ("e2e", &args),
            &[
                REGISTRY,
                ("XTASK_CLUSTER_REGISTRY", "inside.example:5000/team"),
            ],
        )
        .success();
    engine_was_left_alone(&world);
    let bake = world.calls.only("docker buildx bake").line();
    assert!(bake.contains(" --push"), "{bake}");
    let values = world.chainsaw.values_of("shared-suite-of-gamma-18-trixie");
    let wanted = format!("'{there}/team/gamma-testing:1.2-18-trixie@{digest}'");
    assert!(values.contains(&wanted), "{values}");
}

#[test]
fn several_releases_are_not_for_a_cluster_of_theirs() {
    let world = World::e2e_with_images();
    let file = world.put_cluster("ci");
    world
        .run_with(
            (
                "e2e",
                &[
                    "test-full",
                    "alpha",
                    "--kubeconfig",
                    &file,
                    "--cnpg-release",
                    "1.29,1.30",
                ],
            ),
            &[REGISTRY],
        )
        .status(2)
        .says("one release at a time");
    world.calls.never("kubectl apply");
}

#[test]
fn our_own_kubeconfig_means_our_cluster_whatever_the_settings_name() {
    let world = World::e2e_up(&["alpha"]);
    world.run("e2e export-kubeconfig own").success();
    let theirs = world.put_cluster("ci");
    world.calls.forget();
    let settings = [("XTASK_CLUSTER_KUBECONFIG", theirs.as_str())];
    world
        .run_with("e2e test alpha --kubeconfig own", &settings)
        .success();
    for call in world.calls.of("kubectl get") {
        assert_eq!(call.after("--kubeconfig"), "target/xtask/e2e/kubeconfig");
    }
}
