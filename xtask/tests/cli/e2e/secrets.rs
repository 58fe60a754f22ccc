// SPDX-License-Identifier: Apache-2.0
//! The private registry's password: it reaches the nodes, and nobody else.

use std::{fs, os::unix::fs::PermissionsExt};

use base64::Engine as _;

use crate::cli::world::{
    CLUSTER, CONTROL_PLANE, Ended, World,
    image::{annotations, index},
};

const PASSWORD: &str = "hunter2'$(id)";

const LOGIN: [(&str, &str); 3] = [
    ("REGISTRY_HOST", "registry.example"),
    ("REGISTRY_USERNAME", "ci"),
    ("REGISTRY_PASSWORD", PASSWORD),
];

/// The password as it is, and as a config.json holds it.
fn forms() -> [String; 3] {
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    [
        "hunter2".into(),
        encode(PASSWORD),
        encode(&format!("ci:{PASSWORD}")),
    ]
}

#[track_caller]
fn kept_secret(world: &World, ended: &Ended) {
    for secret in forms() {
        assert!(!ended.stdout.contains(&secret), "{}", ended.stdout);
        assert!(!ended.stderr.contains(&secret), "{}", ended.stderr);
        for line in world.calls.names() {
            assert!(!line.contains(&secret), "{line}");
        }
        // Whatever is left in the repository: logs, evidence, configurations.
        for (path, text) in world.texts("") {
            assert!(!text.contains(&secret), "{}: {text}", path.display());
        }
    }
}

#[test]
fn the_login_reaches_every_node_through_standard_input() {
    let world = World::e2e();
    let ended = world.run_with("e2e setup-env --nodes 2", &LOGIN).success();
    kept_secret(&world, &ended);
    for node in [CONTROL_PLANE.to_owned(), format!("{CLUSTER}-worker")] {
        let text = world
            .engine
            .on_node(&node, "var/lib/kubelet/config.json")
            .unwrap();
        let config: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            config["auths"]["registry.example"]["auth"],
            forms()[2].as_str()
        );
        let file = world
            .engine
            .path("containers")
            .join(&node)
            .join("files/var/lib/kubelet/config.json");
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let write = world.calls.only(&format!(
            "docker exec --interactive {node} install --mode=600 /dev/stdin"
        ));
        assert_eq!(write.stdin, text);
        world.calls.in_order(&[
            "kind create",
            &format!("docker exec --interactive {node} install"),
            &format!("docker exec --interactive {node} systemctl restart kubelet"),
        ]);
    }
}

#[test]
fn host_and_user_may_be_options_or_variables_of_the_task() {
    let password = [("REGISTRY_PASSWORD", PASSWORD)];
    for words in [
        &[
            "e2e",
            "setup-env",
            "--registry-host",
            "registry.example",
            "--registry-username",
            "ci",
        ][..],
        &[
            "e2e:setup-env",
            "REGISTRY_HOST=registry.example",
            "REGISTRY_USERNAME=ci",
        ],
    ] {
        let world = World::e2e();
        let ended = world.run_with(words, &password).success();
        kept_secret(&world, &ended);
        let text = world
            .engine
            .on_node(CONTROL_PLANE, "var/lib/kubelet/config.json");
        assert!(text.unwrap().contains(&forms()[2]));
    }
}

#[test]
fn however_much_is_shown_it_is_not() {
    for more in [
        &["--verbose"][..],
        &["--dry-run"],
        &["--format", "json"],
        &["--verbose", "--dry-run", "--format", "json"],
    ] {
        let world = World::e2e();
        let ended = world.run_with(("e2e setup-env", more), &LOGIN).success();
        kept_secret(&world, &ended);
        if more.contains(&"--dry-run") {
            assert!(ended.stdout.contains("<redacted>"), "{}", ended.stdout);
        }
    }
    let world = World::e2e();
    let env = [&LOGIN[..], &[("XTASK_LOG", "trace")]].concat();
    let ended = world.run_with("e2e setup-env", &env).success();
    kept_secret(&world, &ended);
    let world = World::e2e();
    let env = [&LOGIN[..], &[("GITHUB_ACTIONS", "true")]].concat();
    let ended = world.run_with("e2e setup-env", &env).success();
    kept_secret(&world, &ended);
    let ended = world.run_with("config --json", &LOGIN).success();
    kept_secret(&world, &ended);
    let ended = world.run_with("e2e status --json", &LOGIN).success();
    kept_secret(&world, &ended);
}

#[test]
fn a_login_that_cannot_be_written_does_not_show_it() {
    for (pattern, said) in [
        (
            "docker exec * install",
            "install: cannot create regular file: No space left on device\n",
        ),
        ("docker exec * cmp", "Error: no such container\n"),
        (
            "docker exec * systemctl",
            "Failed to restart kubelet.service\n",
        ),
    ] {
        for more in [&[][..], &["--verbose"], &["--format", "json"]] {
            let world = World::e2e();
            world.tools.fails(pattern, 1, said);
            let ended = world.run_with(("e2e setup-env", more), &LOGIN);
            kept_secret(&world, &ended);
            if !pattern.contains("cmp") {
                assert_eq!(ended.status, Some(1), "{ended:#?}");
                let all = format!("{}{}", ended.stdout, ended.stderr);
                assert!(all.contains(said.trim_end()), "{all}");
            }
        }
    }
}

#[test]
fn the_same_login_is_not_written_again() {
    let world = World::e2e();
    world.run_with("e2e setup-env", &LOGIN).success();
    world.calls.forget();
    world.run_with("e2e setup-env", &LOGIN).success();
    world.calls.never(&format!(
        "docker exec --interactive {CONTROL_PLANE} install"
    ));
    world.calls.never(&format!(
        "docker exec --interactive {CONTROL_PLANE} systemctl"
    ));
    // Another one is.
    let other = [LOGIN[0], LOGIN[1], ("REGISTRY_PASSWORD", "another")];
    world.run_with("e2e setup-env", &other).success();
    world.calls.only(&format!(
        "docker exec --interactive {CONTROL_PLANE} install"
    ));
    world.calls.only(&format!(
        "docker exec --interactive {CONTROL_PLANE} systemctl restart kubelet"
    ));
}

#[test]
fn as_an_argument_it_is_refused_and_not_repeated() {
    let mut wrong = Vec::new();
    for words in [
        &["e2e:setup-env", "REGISTRY_PASSWORD=hunter2"][..],
        &["REGISTRY_PASSWORD=hunter2", "e2e:setup-env"],
        &[
            "e2e:setup-env",
            "REGISTRY_HOST=registry.example",
            "REGISTRY_USERNAME=ci",
            "REGISTRY_PASSWORD=hunter2",
        ],
        &["e2e:test:full", "TARGET=alpha", "REGISTRY_PASSWORD=hunter2"],
        &["e2e:test:full:all", "REGISTRY_PASSWORD=hunter2"],
        &["bake", "REGISTRY_PASSWORD=hunter2"],
        &["REGISTRY_PASSWORD=hunter2"],
        &["e2e", "setup-env", "REGISTRY_PASSWORD=hunter2"],
        &["e2e", "test-full", "alpha", "REGISTRY_PASSWORD=hunter2"],
        &["targets", "REGISTRY_PASSWORD=hunter2"],
    ] {
        let world = World::e2e();
        let ended = world.run(words);
        let said = ["`REGISTRY_PASSWORD`", "environment"]
            .iter()
            .all(|part| ended.stderr.contains(part));
        let repeated = ended.stderr.contains("hunter2") || ended.stdout.contains("hunter2");
        if ended.status != Some(2) || !said || repeated || !world.calls.names().is_empty() {
            wrong.push((words, ended.status, ended.stderr));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Mistyped it may still be one.
    for word in ["registry_password=hunter2", "REGISTRY_PASWORD=hunter2"] {
        let world = World::e2e();
        let ended = world.run(["e2e:setup-env", word]).status(2);
        kept_secret(&world, &ended);
    }
}

#[test]
fn no_tool_finds_it_in_its_environment() {
    let world = World::e2e_with_images();
    let leaked = world.state("leaked");
    world.tools.rule(
        "*",
        &format!(
            "[ -z \"$REGISTRY_PASSWORD\" ] || echo \"$program $*\" >> {}",
            leaked.display()
        ),
    );
    world.run_with("e2e test-full alpha", &LOGIN).success();
    let leaked = fs::read_to_string(leaked).unwrap_or_default();
    assert_eq!(leaked, "", "the login goes through standard input alone");
}

#[test]
fn an_image_is_read_with_the_login_that_was_given_for_it() {
    let world = World::e2e_up(&["alpha"]);
    let image = "registry.example/team/alpha:1.2-18-trixie";
    world
        .registry
        .put(image, &index(&annotations("trixie", "18", "1.2")));
    let seen = world.state("seen");
    let keep = format!("echo \"$DOCKER_AUTH_CONFIG\" >> {}", seen.display());
    world.tools.rule("docker buildx imagetools", &keep);
    let line = format!("generate-values TARGET=alpha EXTENSION_IMAGE={image}");
    let with_user = format!("{line} REGISTRY_USERNAME=ci");
    let ended = world.run_with(&with_user[..], &LOGIN[2..]).success();
    kept_secret(&world, &ended);
    let lines = fs::read_to_string(&seen).unwrap();
    let login = format!(
        r#"{{"auths":{{"registry.example":{{"auth":"{}"}}}}}}"#,
        forms()[2]
    );
    assert!(!lines.is_empty() && lines.lines().all(|line| line == login));
    let inherited = world.run_with(&line[..], &LOGIN[1..]).success();
    assert!(
        !inherited.stderr.contains("environment"),
        "{}",
        inherited.stderr
    );
    let lines = fs::read_to_string(&seen).unwrap();
    assert!(lines.lines().all(|line| line == login));
    // Without a user docker's own login is used, and a password that is there for something else goes nowhere.
    fs::remove_file(&seen).unwrap();
    world.run_with(&line[..], &LOGIN[2..]).success();
    assert_eq!(fs::read_to_string(&seen).unwrap().trim(), "");
    let refused = "ERROR: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials\n";
    world.tools.fails("docker buildx imagetools", 1, refused);
    world
        .run(&line[..])
        .status(3)
        .says("hint: log in to the registry with `docker login`");
    world
        .run(&with_user[..])
        .status(2)
        .says("the login for `registry.example` lacks `REGISTRY_PASSWORD`");
}

#[test]
fn parts_of_the_login_that_are_missing_are_named() {
    for left in 0..3 {
        let world = World::e2e();
        let mut env = LOGIN.to_vec();
        let (missing, _) = env.remove(left);
        let ended = world
            .run_with("e2e setup-env", &env)
            .status(2)
            .says(&format!("lacks `{missing}`"))
            .says("hint: ");
        kept_secret(&world, &ended);
        assert!(world.calls.names().is_empty(), "{missing}");
        let world = World::e2e();
        world
            .run_with("e2e setup-env", &LOGIN[left..=left])
            .status(2)
            .says(" and ");
    }
    // A shell leaves an empty variable behind.
    let empty = LOGIN.map(|(name, _)| (name, ""));
    World::e2e().run_with("e2e setup-env", &empty).success();
}

#[test]
fn a_login_in_the_file_lacks_its_password_only() {
    let world = World::e2e();
    world.write(
        "xtask.toml",
        "[credentials]\nhost = \"registry.example\"\nusername = \"ci\"\n",
    );
    world
        .run("e2e setup-env")
        .status(2)
        .says("lacks `REGISTRY_PASSWORD`");
    world.write("xtask.toml", "[credentials]\npassword = \"hunter2\"\n");
    let ended = world
        .run("e2e setup-env")
        .status(2)
        .says("`credentials.password`");
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}
