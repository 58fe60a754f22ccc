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
fn a_kubeconfig_of_another_cluster_with_our_names_is_not_ours() {
    let lab = Lab::new();
    lab.up();
    let context = format!("kind-{CLUSTER}");
    let theirs = super::engine::kubeconfig(&context);
    let loopback = theirs.replace("far.example:6443", "127.0.0.1:35000");
    let other = theirs.replace(
        "    server",
        "    certificate-authority-data: T1RIRVI=\n    server",
    );
    let before = lab.inventory();
    for text in [theirs, loopback, other] {
        lab.write("colleague.kc", &text);
        let ended = lab.e2e(&["cleanup", "--kubeconfig", "colleague.kc"]);
        ended.says("`colleague.kc` opens another");
        lab.never("kind delete");
        lab.never("docker rm");
        assert_eq!(lab.inventory(), before);
        for call in lab.made_of("kubectl get") {
            assert_eq!(call.after("--kubeconfig"), "colleague.kc");
        }
        // Nor is it written over.
        lab.e2e(&["export-kubeconfig", "colleague.kc"])
            .status(2)
            .says("`colleague.kc` is there and opens another cluster than");
        assert_eq!(lab.read("colleague.kc"), text);
        lab.forget();
    }
    // Our own means ours, by whichever address.
    for args in [
        &["export-kubeconfig", "own"][..],
        &["export-kubeconfig", "own", "--internal"],
    ] {
        lab.e2e(args).success();
        lab.e2e(&["cleanup", "--dry-run", "--kubeconfig", "own"])
            .success();
        lab.never("kubectl get namespace");
    }
    lab.e2e(&["cleanup", "--kubeconfig", "own"])
        .success()
        .says("the environment is gone");
    lab.only("kind delete");
    // What was exported is known when its cluster is gone.
    lab.up();
    let gone = lab.read("own").replace("Q0E=", "R09ORQ==");
    lab.write("own", &gone);
    lab.e2e(&["export-kubeconfig", "own"]).status(2);
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
fn a_labels_text_does_not_speak_for_another_label() {
    let lab = Lab::new();
    // Docker shows the end of each value as if it were a label of its own.
    let label = format!("owner=team-b,note=see%2C{LABEL}%2Cx=y");
    lab.put("networks", "pg-extensions-e2e", &label);
    lab.put("volumes", "registry.pg-extensions", &label);
    lab.put_container("registry.pg-extensions", &label, "x", "running");
    let node = format!("note=%0Asee%2Cio.x-k8s.kind.cluster={CLUSTER}");
    lab.put_container(CONTROL_PLANE, &node, "pg-extensions-e2e", "running");
    let vault = "io.x-k8s.kind.cluster=pg-extensions-vault,io.x-k8s.kind.role=control-plane";
    let of_vault = "pg-extensions-vault-control-plane";
    lab.put_container(of_vault, vault, "pg-extensions-e2e", "running");
    let before = lab.inventory();
    lab.e2e(&["cleanup"])
        .success()
        .says("the network `pg-extensions-e2e` was not made by xtask: it stays")
        .says("the container `registry.pg-extensions` was not made by xtask: it stays");
    lab.never("kind delete");
    assert_eq!(lab.inventory(), before);
    lab.e2e(&["setup-env"]).status(2).says("not made by xtask");
    assert_eq!(lab.inventory(), before);
}

#[test]
fn a_cluster_without_a_version_is_somebody_elses_on_our_network_too() {
    let lab = Lab::new();
    lab.put_network();
    for name in [
        "pg-extensions-vault",
        "pg-extensions-v1.x",
        "pg-extensions-v",
    ] {
        let label = format!("io.x-k8s.kind.cluster={name},io.x-k8s.kind.role=control-plane");
        lab.put_container(
            &format!("{name}-control-plane"),
            &label,
            "pg-extensions-e2e",
            "exited",
        );
    }
    // Its name is that of a cluster of ours, but its label says another.
    let label = "io.x-k8s.kind.cluster=theirs,io.x-k8s.kind.role=control-plane";
    lab.put_container(
        "pg-extensions-v1.35.0-control-plane",
        label,
        "pg-extensions-e2e",
        "exited",
    );
    lab.e2e(&["cleanup"]).success();
    lab.never("kind delete");
    assert_eq!(lab.names("containers").len(), 4);
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
