// SPDX-License-Identifier: Apache-2.0
//! The operator that is there: left, upgraded, completed, or not taken back.

use std::fs;

use crate::cli::world::{CLUSTER, CONTROL_PLANE, World};

const APPLY: &str = "kubectl apply --server-side --force-conflicts --filename https";

#[test]
fn another_release_is_an_upgrade_in_place() {
    let world = World::e2e();
    world.run("e2e setup-env --cnpg-release 1.29").success();
    world.clusters.put_database(CLUSTER, "somewhere", "data");
    world.calls.forget();
    world
        .run("e2e setup-env --cnpg-release main")
        .success()
        .says("the operator is changed from 1.29 to main");
    world.calls.never("kind create");
    world.calls.never("kind delete");
    world.calls.never("kubectl delete");
    world.calls.in_order(&[
        "kubectl --namespace cnpg-system annotate --overwrite deployment/cnpg-controller-manager io.cloudnativepg.xtask.manifest=unfinished",
        APPLY,
        "kubectl --namespace cnpg-system rollout status",
        "kubectl --namespace cnpg-system annotate --overwrite deployment/cnpg-controller-manager io.cloudnativepg.xtask.manifest=https",
    ]);
    assert!(world.calls.only(APPLY).line().ends_with(
        "https://raw.githubusercontent.com/cloudnative-pg/artifacts/main/manifests/operator-manifest.yaml"
    ));
    assert_eq!(world.clusters.operator(CLUSTER, "release").unwrap(), "main");
}

#[test]
fn releases_are_texts() {
    for (release, manifest) in [
        (
            "1.30",
            "/artifacts/release-1.30/manifests/operator-manifest.yaml",
        ),
        (
            "1.3",
            "/artifacts/release-1.3/manifests/operator-manifest.yaml",
        ),
        ("1.30.1", "/release-1.30/releases/cnpg-1.30.1.yaml"),
        ("v1.30.1", "/release-1.30/releases/cnpg-1.30.1.yaml"),
    ] {
        let world = World::e2e();
        world
            .run(("e2e setup-env --cnpg-release", [release]))
            .success();
        let line = world.calls.only(APPLY).line();
        assert!(line.ends_with(manifest), "{release}: {line}");
    }
    let world = World::e2e();
    world.write("xtask.toml", "[cnpg]\nrelease = 1.30\n");
    world.run("config").status(2).says("`xtask.toml` line 2");
}

#[test]
fn a_step_back_is_refused_while_there_are_databases() {
    let world = World::e2e();
    world.run("e2e setup-env --cnpg-release main").success();
    world.clusters.put_database(CLUSTER, "somewhere", "data");
    world.calls.forget();
    world
        .run("e2e setup-env --cnpg-release 1.30")
        .status(2)
        .says("the operator is of release main")
        .says("1.30")
        .says("somewhere/data")
        .says("hint: ");
    world.calls.never(APPLY);
    world.calls.never("kind delete");
    // Without databases it may go back.
    fs::remove_file(
        world
            .clusters
            .of_kind(CLUSTER, "databases/somewhere.data.json"),
    )
    .unwrap();
    world
        .run("e2e setup-env --cnpg-release 1.30")
        .success()
        .says("the operator is changed from main to 1.30");
    assert_eq!(world.clusters.operator(CLUSTER, "release").unwrap(), "1.30");
}

#[test]
fn a_step_back_is_refused_on_nodes_that_were_stopped_too() {
    let world = World::e2e();
    world.run("e2e setup-env --cnpg-release main").success();
    world.clusters.put_database(CLUSTER, "somewhere", "data");
    world.engine.set_state(CONTROL_PLANE, "exited");
    world.calls.forget();
    let ended = world.run("e2e setup-env --cnpg-release 1.30");
    assert_eq!(
        world.clusters.operator(CLUSTER, "release").unwrap(),
        "main",
        "{ended:#?}"
    );
}

#[test]
fn an_upgrade_that_came_half_way_is_not_taken_for_the_release_before() {
    let world = World::e2e();
    world.set_up();
    world.tools.fails(
        "kubectl * rollout status",
        1,
        "error: timed out waiting for the condition\n",
    );
    world.run("e2e setup-env --cnpg-release main").status(1);
    // The pod of the release before still serves.
    std::fs::write(
        world.clusters.of_kind(CLUSTER, "operator/available"),
        "True\n",
    )
    .unwrap();
    world.tools.no_rules();
    world.calls.forget();
    world.run("e2e setup-env").success();
    world
        .calls
        .only("kubectl apply --server-side --force-conflicts --filename https");
    assert_eq!(world.clusters.operator(CLUSTER, "release").unwrap(), "1.30");
}

#[test]
fn one_that_never_became_available_is_applied_again() {
    let world = World::e2e();
    world.tools.fails(
        "kubectl * rollout status",
        1,
        "error: timed out waiting for the condition\n",
    );
    let ended = world
        .run("e2e setup-env")
        .status(1)
        .says("failed to wait for the operator")
        .says("timed out waiting for the condition");
    for name in ["operator.txt", "operator-events.txt", "operator.log"] {
        let texts = world.texts("target/xtask/runs");
        let kept = texts.iter().find(|(path, _)| path.ends_with(name));
        let (_, text) = kept.unwrap_or_else(|| panic!("{name}: {ended:#?}"));
        assert!(text.contains("said of the operator"), "{text}");
    }
    let folder = ended.stderr.split("what the cluster says: ").nth(1);
    let folder = folder.unwrap().lines().next().unwrap();
    assert!(world.exists(folder), "{folder}");
    world.tools.no_rules();
    world.calls.forget();
    world.run("e2e setup-env").success();
    world
        .calls
        .in_order(&[APPLY, "kubectl --namespace cnpg-system annotate"]);
    world.calls.never("kind create");
}

#[test]
fn one_that_stopped_being_available_is_repaired() {
    let world = World::e2e();
    world.set_up();
    fs::write(
        world.clusters.of_kind(CLUSTER, "operator/available"),
        "False\n",
    )
    .unwrap();
    world.run("e2e setup-env").success();
    world.calls.only(APPLY);
    assert_eq!(
        world.clusters.operator(CLUSTER, "available").unwrap(),
        "True"
    );
}

#[test]
fn a_manifest_of_ones_own_is_applied_when_it_has_changed() {
    let world = World::e2e();
    world.write("lab/operator.yaml", "kind: List\n");
    let args = ["setup-env", "--cnpg-release", "lab/operator.yaml"];
    world.run(("e2e", &args)).success();
    let apply = world
        .calls
        .only("kubectl apply --server-side --force-conflicts --filename lab");
    assert!(apply.line().ends_with("lab/operator.yaml"));
    world.calls.forget();
    world.run(("e2e", &args)).success();
    world
        .calls
        .never("kubectl apply --server-side --force-conflicts --filename lab");
    world.write("lab/operator.yaml", "kind: List # another\n");
    world.run(("e2e", &args)).success();
    world
        .calls
        .only("kubectl apply --server-side --force-conflicts --filename lab");
}

#[test]
fn a_manifest_is_found_from_where_the_user_stands() {
    let world = World::e2e();
    world.write("lab/operator.yaml", "kind: List\n");
    world
        .run_in("lab", "e2e setup-env --cnpg-release ./operator.yaml")
        .success();
    let apply = world
        .calls
        .only("kubectl apply --server-side --force-conflicts --filename lab");
    assert!(world.exists(apply.after("--filename")), "{}", apply.line());
}

#[test]
fn an_image_of_ones_own_is_the_operators_and_its_databases() {
    let world = World::e2e();
    let image = "lab.example/operator:7";
    world
        .run_with("e2e setup-env", &[("XTASK_IMAGES_OPERATOR", image)])
        .success();
    world.calls.in_order(&[
        APPLY,
        "kubectl --namespace cnpg-system set image",
        "kubectl --namespace cnpg-system set env",
        "kubectl --namespace cnpg-system rollout status",
        "kubectl --namespace cnpg-system annotate",
    ]);
    let env = world.calls.only("kubectl --namespace cnpg-system set env");
    assert_eq!(
        env.args().last().unwrap(),
        &format!("OPERATOR_IMAGE_NAME={image}")
    );
    // Without it the manifest's own comes back.
    world.calls.forget();
    world.run("e2e setup-env").success();
    world.calls.only(APPLY);
}

#[test]
fn what_is_no_release_is_refused() {
    for text in ["1", "1.2.3.4", "latest", "1.x", "main2"] {
        let world = World::e2e();
        world
            .run(("e2e setup-env --cnpg-release", [text]))
            .status(2)
            .says(&format!("`{text}` is not a release of the operator"))
            .says("hint: ");
        assert!(world.calls.names().is_empty(), "{text}");
    }
}
