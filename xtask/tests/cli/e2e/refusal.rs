// SPDX-License-Identifier: Apache-2.0
//! What stands in the way of an environment, and what the message says of it.

use std::net::TcpListener;

use crate::cli::world::{World, free_port, wait_for};

#[test]
fn a_port_that_somebody_else_has_is_said_with_the_way_round() {
    let world = World::e2e();
    let _other = TcpListener::bind(("127.0.0.1", world.registry.port)).unwrap();
    for words in [
        &["e2e", "setup-env"][..],
        &["e2e:setup-env"],
        &["e2e", "test-full", "alpha"],
    ] {
        let ended = world.run(words).status(3).says(&format!(
            "port {} of this machine is in use",
            world.registry.port
        ));
        let hint = ended.stderr.split("hint: ").nth(1).unwrap();
        assert!(hint.contains("--registry-port"), "{hint}");
    }
    assert!(world.engine.inventory().is_empty());
    let free = free_port().to_string();
    world
        .run(("e2e setup-env --registry-port", [&free]))
        .success();
}

#[test]
fn a_port_that_a_stopped_registry_had_may_be_taken_meanwhile() {
    let world = World::e2e();
    world.set_up();
    world.engine.set_state("registry.pg-extensions", "exited");
    let mut other = None;
    wait_for("the registry has left its port", || {
        other = TcpListener::bind(("127.0.0.1", world.registry.port)).ok();
        other.is_some()
    });
    world.run("e2e setup-env").status(3).says("--registry-port");
    world.calls.never("docker start");
}

#[test]
fn ports_that_are_none_are_refused() {
    for port in ["0", "65536", "-5", "http"] {
        let world = World::e2e();
        world
            .run(("e2e setup-env", [&format!("--registry-port={port}")]))
            .status(2)
            .says("--registry-port");
    }
    let world = World::e2e();
    world
        .run_with("e2e setup-env", &[("registry", "localhost")])
        .status(2)
        .says("`localhost` has no port")
        .says("--registry-port");
}

#[test]
fn a_manifest_that_is_not_there_is_refused_before_anything_is_made() {
    for words in [
        &["setup-env", "--cnpg-release", "nowhere/operator.yaml"][..],
        &["test-full", "alpha", "--cnpg-release", "./operator.yaml"],
    ] {
        let world = World::e2e_with_images();
        world
            .run(("e2e", words))
            .status(2)
            .says("the operator's manifest `")
            .says("operator.yaml` does not exist")
            .says("hint: ");
        assert!(world.engine.inventory().is_empty());
    }
    let world = World::e2e();
    world
        .run_with(
            "e2e setup-env",
            &[("XTASK_CNPG_MANIFEST", "lab/{release}.yaml")],
        )
        .status(2)
        .says("`lab/1.30.yaml` does not exist");
}

#[test]
fn a_manifest_that_cannot_be_fetched_is_said_with_the_way_round() {
    for said in [
        "error: unable to read URL \"https://raw.githubusercontent.com/cloudnative-pg/artifacts/release-1.30/manifests/operator-manifest.yaml\": Get \"https://raw.githubusercontent.com/x\": dial tcp: lookup raw.githubusercontent.com on 10.0.0.2:53: no such host",
        "Unable to connect to the server: dial tcp 185.199.108.133:443: i/o timeout",
    ] {
        let world = World::e2e();
        world
            .tools
            .fails("kubectl * --filename https://", 1, &format!("{said}\n"));
        world
            .run("e2e setup-env")
            .status(3)
            .says("failed to apply the operator's manifest `https://raw.githubusercontent.com/")
            .says(said)
            .says("hint: ")
            .says("cnpg.manifest");
        // What is there stays for the next attempt.
        assert_eq!(world.engine.names("containers").len(), 2);
        world.tools.no_rules();
        world.calls.forget();
        world.run("e2e setup-env").success();
        world.calls.never("kind create");
    }
}

#[test]
fn a_release_that_does_not_exist_is_named() {
    let world = World::e2e();
    world.tools.fails("kubectl * --filename https://", 1, "error: unable to read URL \"https://raw.githubusercontent.com/cloudnative-pg/artifacts/release-1.99/manifests/operator-manifest.yaml\", server reported 404 Not Found, status code=404\n");
    let ended = world.run("e2e setup-env --cnpg-release 1.99");
    assert!(matches!(ended.status, Some(1..=3)), "{ended:#?}");
    ended
        .says("release-1.99")
        .says("404 Not Found")
        .says("hint: ")
        .says("--cnpg-release");
}

#[test]
fn a_registry_that_never_answers_keeps_its_log() {
    let world = World::e2e();
    world.tools.fails("docker run", 125, "docker: Error response from daemon: driver failed programming external connectivity: Bind for 127.0.0.1:5000 failed: port is already allocated.\n");
    let ended = world.run("e2e setup-env");
    assert!(matches!(ended.status, Some(1 | 3)), "{ended:#?}");
    ended
        .says("failed to start the registry")
        .says("port is already allocated");
    world
        .calls
        .never("kubectl --namespace cnpg-system annotate");
}

#[test]
fn images_that_cannot_be_pulled_are_said() {
    let world = World::e2e();
    world.tools.fails("docker run", 125, "docker: Error response from daemon: failed to resolve reference \"docker.io/library/registry:3.1.1\": failed to do request: Head \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host\n");
    world
        .run("e2e setup-env")
        .status(3)
        .says("no such host")
        .says("hint: ")
        .says("images.registry");
}

#[test]
fn a_name_that_docker_or_kind_would_refuse_is_refused() {
    for name in ["Upper", "-x", "x-", "a b", "a_b", "x/y", &"x".repeat(31)] {
        let world = World::e2e();
        world
            .run_with("e2e setup-env", &[("XTASK_E2E_NAME", name)])
            .status(2)
            .says("`e2e.name`");
        assert!(world.calls.names().is_empty(), "{name}");
    }
}

#[test]
fn a_version_of_kubernetes_must_be_whole() {
    for version in ["1", "1.36", "latest", "1.36.x", "v1.36.1.0", ""] {
        let world = World::e2e();
        world
            .run(("e2e setup-env --kubernetes", [version]))
            .status(2)
            .says("is not a version of Kubernetes")
            .says("hint: ");
        assert!(world.calls.names().is_empty(), "{version}");
    }
    let world = World::e2e();
    world
        .run_with("e2e setup-env", &[("XTASK_IMAGES_NODE", "lab/node:latest")])
        .status(2)
        .says("does not say its version of Kubernetes");
}

#[test]
fn two_at_once_take_turns() {
    let world = World::e2e();
    world.tools.rule("kind create", "sleep 0.5");
    let spawn = || {
        world
            .command("e2e setup-env")
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let both = [spawn(), spawn()];
    let both = both.map(|child| child.wait_with_output().unwrap());
    for output in &both {
        crate::cli::world::Ended::from(output).success();
    }
    world.calls.only("kind create");
    world.calls.only("docker run");
}
