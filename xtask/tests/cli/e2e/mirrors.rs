// SPDX-License-Identifier: Apache-2.0
//! Mirrors: where they are said, which of them wins, and what is none.

use super::nodes::hosts;
use crate::cli::world::{CONTROL_PLANE, World};

#[test]
fn mirrors_of_the_file_reach_the_nodes() {
    for keys in [
        "\"ghcr.io\" = \"https://mirror.example/v2/ghcr\"\n\"docker.io\" = \"http://other.example:8080\"\n",
        "ghcr.io = \"https://mirror.example/v2/ghcr\"\ndocker.io = \"http://other.example:8080\"\n",
    ] {
        let world = World::e2e();
        world.write(
            "xtask.toml",
            &format!(
                "registry = \"localhost:{}\"\n[mirrors]\n{keys}",
                world.registry.port
            ),
        );
        world.run("e2e setup-env").success();
        let text = hosts(&world, "ghcr.io");
        // A path of somebody's own is used as it is.
        assert!(
            text.contains("[host.\"https://mirror.example/v2/ghcr\"]")
                && text.contains("override_path = true"),
            "{text}"
        );
        let text = hosts(&world, "docker.io");
        assert!(
            text.contains("[host.\"http://other.example:8080\"]")
                && !text.contains("override_path"),
            "{text}"
        );
    }
}

#[test]
fn mirrors_of_the_command_line_win_one_by_one() {
    let world = World::e2e();
    world.write(
        "xtask.toml",
        &format!(
            "registry = \"localhost:{}\"\n[mirrors]\n\"ghcr.io\" = \"https://one.example\"\n\"quay.io\" = \"https://two.example\"\n",
            world.registry.port
        ),
    );
    world.run("e2e setup-env --mirror ghcr.io=https://three.example,docker.io=https://four.example --mirror=registry.k8s.io=https://five.example/k8s/")
    .success();
    for (host, url) in [
        ("ghcr.io", "https://three.example"),
        ("quay.io", "https://two.example"),
        ("docker.io", "https://four.example"),
        ("registry.k8s.io", "https://five.example/k8s"),
    ] {
        let text = hosts(&world, host);
        assert!(text.contains(&format!("[host.\"{url}\"]")), "{text}");
    }
    // What is no longer wished is taken back.
    world.write(
        "xtask.toml",
        &format!("registry = \"localhost:{}\"\n", world.registry.port),
    );
    world.run("e2e setup-env").success().says("-ghcr.io");
    assert!(world.engine.hosts_toml(CONTROL_PLANE, "ghcr.io").is_none());
}

#[test]
fn a_mirror_of_a_seeds_host_is_asked_after_the_registry() {
    let world = World::e2e();
    world.engine.put_image("ghcr.io/x/y:1");
    world
        .run_with(
            "e2e setup-env --mirror ghcr.io=https://mirror.example",
            &[("XTASK_E2E_SEED", "ghcr.io/x/y:1")],
        )
        .success();
    let text = hosts(&world, "ghcr.io");
    assert!(
        text.contains("server = \"https://mirror.example\"")
            && text.contains("[host.\"http://registry.pg-extensions:5000\"]"),
        "{text}"
    );
}

#[test]
fn mirrors_that_are_none_are_refused() {
    for value in [
        "ghcr.io",
        "=https://mirror.example",
        "ghcr.io=",
        "ghcr.io=mirror.example",
        "ghcr.io=ftp://mirror.example",
        "ghcr.io=https://",
        "ghcr.io=https://mirror example",
        "ghcr.io=https://mirror\".example",
        "ghcr.io/team=https://mirror.example",
        "https://ghcr.io=https://mirror.example",
    ] {
        let world = World::e2e();
        let ended = world.run(("e2e setup-env --mirror", [value]));
        assert_eq!(ended.status, Some(2), "{value}: {ended:#?}");
        assert!(
            ended.stderr.contains("mirror") || ended.stderr.contains("host"),
            "{value}: {}",
            ended.stderr
        );
        assert!(world.calls.names().is_empty(), "{value}");
        let ended = world.run_with("e2e setup-env", &[("XTASK_MIRRORS", value)]);
        assert_eq!(ended.status, Some(2), "{value}: {ended:#?}");
    }
    for text in [
        "[mirrors]\n\"ghcr.io\" = 5\n",
        "[mirrors]\n\"ghcr.io\" = [\"https://a\"]\n",
        "mirrors = \"ghcr.io\"\n",
    ] {
        let world = World::e2e();
        world.write("xtask.toml", text);
        world
            .run("e2e setup-env")
            .status(2)
            .says("mirrors")
            .says("xtask.toml");
    }
}
