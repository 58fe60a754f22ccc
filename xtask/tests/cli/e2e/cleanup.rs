// SPDX-License-Identifier: Apache-2.0
//! `e2e cleanup`: what we made goes, what others made stays.

use super::lab::{CLUSTER, CONTROL_PLANE, LABEL, Lab};

#[test]
fn all_that_was_made_goes_and_nothing_else() {
    let lab = Lab::new();
    lab.put_strangers();
    let before = lab.inventory();
    lab.e2e(&["setup-env", "--nodes", "2"]).success();
    lab.forget();
    lab.e2e(&["cleanup"])
        .success()
        .says("the environment is gone");
    assert_eq!(lab.inventory(), before);
    assert!(!lab.exists("target/xtask/e2e"));
    lab.in_order(&["kind delete", "docker network rm"]);
    lab.in_order(&["docker rm", "docker volume rm"]);
    lab.in_order(&["docker rm", "docker network rm"]);
}

#[test]
fn twice_is_once() {
    let lab = Lab::new();
    lab.up();
    lab.e2e(&["cleanup"]).success();
    lab.forget();
    let ended = lab
        .e2e(&["cleanup"])
        .success()
        .says("there is nothing to remove");
    assert_eq!(ended.stdout, "");
    for line in lab.lines() {
        assert!(!line.contains(" rm ") && !line.contains("delete"), "{line}");
    }
}

#[test]
fn where_nothing_is_it_says_so() {
    let lab = Lab::new();
    lab.put_strangers();
    let before = lab.inventory();
    for words in [&["e2e", "cleanup"][..], &["e2e:cleanup"]] {
        lab.told(words, &[])
            .success()
            .says("there is nothing to remove");
    }
    assert_eq!(lab.inventory(), before);
}

#[test]
fn things_of_that_name_which_others_made_stay_and_are_named() {
    let lab = Lab::new();
    lab.put("networks", "pg-extensions-e2e", "team=a");
    lab.put("volumes", "registry.pg-extensions", "");
    lab.put_container(
        "registry.pg-extensions",
        "team=a",
        "pg-extensions-e2e",
        "running",
    );
    let label = format!("io.x-k8s.kind.cluster={CLUSTER}");
    lab.put_container(CONTROL_PLANE, &label, "pg-extensions-e2e", "running");
    let before = lab.inventory();
    lab.e2e(&["cleanup"])
        .success()
        .says("the network `pg-extensions-e2e` was not made by xtask: it stays")
        .says("the volume `registry.pg-extensions` was not made by xtask: it stays")
        .says("the container `registry.pg-extensions` was not made by xtask: it stays");
    assert_eq!(lab.inventory(), before);
}

#[test]
fn a_cluster_of_that_name_on_another_network_stays() {
    let lab = Lab::new();
    lab.put_network();
    let label = format!("io.x-k8s.kind.cluster={CLUSTER}");
    lab.put_container(CONTROL_PLANE, &label, "kind", "running");
    lab.e2e(&["cleanup"]).success();
    assert_eq!(lab.names("containers"), [CONTROL_PLANE]);
    assert!(lab.names("networks").is_empty());
}

#[test]
fn without_kind_the_nodes_are_removed_by_docker() {
    let lab = Lab::new();
    lab.e2e(&["setup-env", "--nodes", "2"]).success();
    lab.without("kind");
    lab.without("kubectl");
    lab.e2e(&["cleanup"])
        .success()
        .says("the environment is gone");
    assert!(lab.inventory().is_empty(), "{:#?}", lab.inventory());
}

#[test]
fn clusters_of_every_version_go_whatever_their_state() {
    let lab = Lab::new();
    lab.put_network();
    for (version, state) in [
        ("v1.34.0", "exited"),
        ("v1.35.0", "created"),
        ("v1.36.1", "running"),
    ] {
        let cluster = format!("pg-extensions-{version}");
        let label = format!("io.x-k8s.kind.cluster={cluster},io.x-k8s.kind.role=control-plane");
        lab.put_container(
            &format!("{cluster}-control-plane"),
            &label,
            "pg-extensions-e2e",
            state,
        );
    }
    lab.e2e(&["cleanup"]).success();
    assert!(lab.inventory().is_empty(), "{:#?}", lab.inventory());
    assert_eq!(lab.made_of("kind delete").len(), 3);
}

#[test]
fn one_half_of_it_goes_as_well() {
    for kind in ["networks", "volumes"] {
        let lab = Lab::new();
        let name = if kind == "networks" {
            "pg-extensions-e2e"
        } else {
            "registry.pg-extensions"
        };
        lab.put(kind, name, LABEL);
        lab.e2e(&["cleanup"]).success();
        assert!(lab.inventory().is_empty());
    }
    let lab = Lab::new();
    lab.put_container("registry.pg-extensions", LABEL, "", "created");
    lab.e2e(&["cleanup"]).success();
    assert!(lab.inventory().is_empty());
}

#[test]
fn what_cannot_be_removed_does_not_keep_the_rest() {
    let lab = Lab::new();
    lab.up();
    lab.fails("'kind delete '*", 1, "ERROR: it broke\n");
    lab.e2e(&["cleanup"])
        .status(1)
        .says("ERROR: it broke")
        .says("cleaning up failed");
    assert!(lab.names("volumes").is_empty());
    assert_eq!(lab.names("containers"), [CONTROL_PLANE]);
    lab.no_rules();
    lab.e2e(&["cleanup"]).success();
    assert!(lab.inventory().is_empty());
}

#[test]
fn a_dry_run_names_it_all_and_removes_nothing() {
    let lab = Lab::new();
    lab.up();
    let before = lab.inventory();
    for words in [
        &["e2e", "cleanup", "--dry-run"][..],
        &["e2e:cleanup", "DRY_RUN=true"],
    ] {
        let ended = lab.told(words, &[]).success();
        for part in [
            &format!("kind delete cluster --name {CLUSTER}"),
            "--filter 'name=^registry[.]pg-extensions$' | xargs -r docker rm --force --volumes --",
            "--filter 'name=^registry[.]pg-extensions$' | xargs -r docker volume rm --",
            "--filter 'name=^pg-extensions-e2e$' | xargs -r docker network rm --",
        ] {
            assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
        }
    }
    assert_eq!(lab.inventory(), before);
    assert!(lab.exists("target/xtask/e2e/kubeconfig"));
    // Pasted, the lines do the same.
    let dry = lab.e2e(&["cleanup", "--dry-run"]).success().stdout;
    lab.shell(&dry, &["rm", "xargs"]).success();
    assert!(lab.inventory().is_empty());
    assert!(!lab.exists("target/xtask/e2e"));
}
