// SPDX-License-Identifier: Apache-2.0
//! The lines of a dry run that stand for values, pasted into a shell, write the files that the run writes.

use std::{collections::BTreeMap, fs};

use crate::cli::world::{
    World,
    image::{annotations, index},
};

/// Runs `xtask e2e` with `args`, then a dry run's lines for values in a shell. Gives these lines.
#[track_caller]
fn pasted(world: &World, args: &[&str], env: &[(&str, &str)]) -> Vec<String> {
    let dry = world.run_with(("e2e", (args, "--dry-run")), env);
    let dry = dry.success().stdout;
    world.run_with(("e2e", args), env).success();
    let lines: Vec<String> = dry
        .lines()
        .filter(|line| line.contains("cargo xtask e2e generate-values "))
        .map(str::to_owned)
        .collect();
    let mut written = BTreeMap::new();
    for line in &lines {
        let words = shell_words::split(line).unwrap();
        let at = words.iter().position(|word| word == "--output").unwrap();
        let file = words[at + 1].clone();
        written.insert(file.clone(), world.read(&file));
        fs::remove_file(world.root().join(&file)).unwrap();
    }
    let cargo = format!(
        "#!/bin/sh\n[ \"$1\" = xtask ] && shift\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_xtask")
    );
    world.tools.program("cargo", &cargo);
    let export =
        |(name, value): &(&str, &str)| format!("export {name}={}", shell_words::quote(value));
    let mut script = vec!["set -e".to_owned()];
    script.extend(env.iter().map(export));
    script.extend_from_slice(&lines);
    world.shell(&script.join("\n"), &[]).success();
    assert!(!written.is_empty(), "{dry}");
    for (file, text) in written {
        assert_eq!(world.read(&file), text, "{lines:#?}");
    }
    lines
}

#[test]
fn an_image_and_what_it_needs() {
    let world = World::e2e_with_images();
    let lines = pasted(&world, &["test-full", "beta"], &[]);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("cargo xtask e2e generate-values beta --extension-image "));
    assert!(lines[0].ends_with(" --output target/xtask/e2e/values/beta-1_2-18-trixie.yaml"));
}

#[test]
fn with_a_registry_at_another_port() {
    let world = World::e2e_with_images();
    world.write("xtask.toml", "");
    let port = world.registry.port.to_string();
    let lines = pasted(
        &world,
        &["test-full", "beta", "--registry-port", &port],
        &[],
    );
    assert!(
        lines[0].starts_with(&format!("registry=localhost:{port} cargo xtask e2e ")),
        "{lines:?}"
    );
}

#[test]
fn with_another_image_for_psql() {
    let world = World::e2e_with_images();
    let env = [("XTASK_IMAGES_PSQL", "here.example/psql:1")];
    pasted(&world, &["test-full", "alpha"], &env);
}

#[test]
fn on_an_existing_cluster() {
    let world = World::e2e();
    let file = world.put_cluster("ci");
    world.clusters.put_operator("ci");
    let digest = world.registry.put(
        "registry.example/team/gamma-testing:1.2-18-trixie",
        &index(&annotations("trixie", "18", "1.2")),
    );
    world.docker.bake_writes(
        "gamma",
        &format!("{{\"gamma-1_2-18-trixie\":{{\"containerimage.digest\":\"{digest}\"}}}}"),
    );
    let args = ["test-full", "gamma", "--distro", "trixie"];
    let chosen = ["--kubeconfig", &file, "--context", "ci"];
    let env = [
        ("registry", "registry.example/team"),
        ("XTASK_CLUSTER_REGISTRY", "inside.example:5000/team"),
    ];
    let lines = pasted(&world, &[&args[..], &chosen].concat(), &env);
    assert!(lines[0].ends_with(" --context ci"), "{lines:?}");
}

#[test]
fn of_an_upgrade_to_what_is_built() {
    let world = World::e2e_with_images();
    world.write("test/upgrade/upgrade-test.yaml", "# The suite.\n");
    let from = world.registry.local("beta-testing:1.1-18-trixie");
    let older = index(&annotations("trixie", "18", "1.1"));
    world.registry.put(&from, &older);
    let args = ["upgrade-test", "beta", "--from", &from];
    let lines = pasted(&world, &args, &[]);
    // The newer image has values of its own.
    assert!(lines[1].contains(" --upgrade-to "), "{lines:?}");
}
