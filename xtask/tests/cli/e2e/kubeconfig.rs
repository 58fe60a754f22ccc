// SPDX-License-Identifier: Apache-2.0
//! `e2e export-kubeconfig`: a private file of ours, and never somebody else's.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use crate::cli::world::{CLUSTER, World, clusters::kubeconfig};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn without_a_path_it_is_a_private_file_of_ours() {
    let world = World::e2e();
    world.set_up();
    for (args, file, server) in [
        (
            &["export-kubeconfig"][..],
            "target/xtask/e2e/kubeconfig",
            "127.0.0.1:35000",
        ),
        (
            &["export-kubeconfig", "--internal"],
            "target/xtask/e2e/kubeconfig-internal",
            "pg-extensions-v1.36.1-control-plane:6443",
        ),
    ] {
        let ended = world.run(("e2e", args)).success();
        let path = world.root().canonicalize().unwrap().join(file);
        assert_eq!(
            ended.stdout,
            format!("export KUBECONFIG={}\n", path.display())
        );
        assert_eq!(mode(&path), 0o600);
        let text = world.read(file);
        assert!(text.contains(server), "{text}");
        // The line does what it says in a shell.
        let line = format!("{}[ -s \"$KUBECONFIG\" ]", ended.stdout);
        world.shell(&line, &[]).success();
    }
    assert!(
        !world.root().join("../.kube").exists(),
        "HOME is left alone"
    );
}

#[test]
fn a_path_is_meant_from_where_the_user_stands_and_is_private_too() {
    let world = World::e2e();
    world.set_up();
    let ended = world
        .run_in("docker", "e2e export-kubeconfig './my config'")
        .success();
    let path = world.root().join("docker/my config");
    assert_eq!(mode(&path), 0o600);
    let line = format!("{}[ -s \"$KUBECONFIG\" ]", ended.stdout);
    world.shell(&line, &[]).success();
    // A file that others could read becomes private.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    world
        .run("e2e export-kubeconfig 'docker/my config'")
        .success();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn the_old_spelling() {
    let world = World::e2e();
    world.set_up();
    world
        .run("e2e:export-kubeconfig KUBECONFIG_PATH=./kubeconfig")
        .success();
    assert!(world.read("kubeconfig").contains("127.0.0.1"));
    world
        .run("e2e:export-kubeconfig KUBECONFIG_PATH=./kubeconfig INTERNAL=true")
        .success();
    assert!(world.read("kubeconfig").contains("control-plane:6443"));
    world
        .run("e2e:export-kubeconfig KUBECONFIG_PATH=./kubeconfig INTERNAL=false")
        .success();
    assert!(world.read("kubeconfig").contains("127.0.0.1"));
}

#[test]
fn a_file_of_somebody_else_is_not_touched() {
    let both = kubeconfig("work").replace(
        "users:",
        &format!("- context:\n    cluster: x\n  name: kind-{CLUSTER}\nusers:"),
    );
    for text in [
        kubeconfig("work"),
        both,
        kubeconfig("kind-kind"),
        kubeconfig("kind-pg-extensions"),
        "shopping: list\n".to_owned(),
        "no kubeconfig at all\n".to_owned(),
        "\u{0}\u{1}\u{2}\n".to_owned(),
        "{\"json\": true}\n".to_owned(),
        "# only a comment\n".to_owned(),
    ] {
        let world = World::e2e();
        world.set_up();
        world.write("theirs", &text);
        let file = world.root().join("theirs");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let ended = world.run("e2e export-kubeconfig theirs");
        assert_eq!(ended.status, Some(2), "{text}\n{ended:#?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        assert_eq!(mode(&file), 0o640);
        assert_eq!(ended.stdout, "");
        ended
            .says("`theirs`")
            .says("it is left as it is")
            .says("--merge");
    }
}

#[test]
fn a_folder_is_refused() {
    let world = World::e2e();
    world.set_up();
    let ended = world.run("e2e export-kubeconfig docker");
    assert_ne!(ended.status, Some(0));
    ended.says("docker");
    assert!(world.exists("docker/bake.hcl"));
}

#[test]
fn an_empty_file_and_our_own_are_written_over() {
    let world = World::e2e();
    world.set_up();
    for text in [String::new(), world.read("target/xtask/e2e/kubeconfig")] {
        world.write("ours", &text);
        world.run("e2e export-kubeconfig ours").success();
        assert!(world.read("ours").contains("127.0.0.1:35000"));
    }
    // A cluster that was created again has another authority; the file is still the one that we wrote.
    world.tools.rule(
        "kind get kubeconfig",
        "sh \"$here/../bin/kind.real\" \"$@\" | sed s/Q0E=/TkVX/; exit",
    );
    let programs = world.tools.path();
    fs::copy(programs.join("kind"), programs.join("kind.real")).unwrap();
    world.run("e2e export-kubeconfig ours").success();
    assert!(world.read("ours").contains("TkVX"));
}

#[test]
fn merging_is_kinds_business_and_keeps_the_rest() {
    let world = World::e2e();
    world.set_up();
    world.write("theirs", &kubeconfig("work"));
    let ended = world.run("e2e export-kubeconfig theirs --merge").success();
    let call = world.calls.only("kind export");
    assert_eq!(
        call.line(),
        format!("kind export kubeconfig --name {CLUSTER} --kubeconfig theirs")
    );
    let text = world.read("theirs");
    assert!(text.starts_with(&kubeconfig("work")), "{text}");
    assert!(ended.stdout.starts_with("export KUBECONFIG="));
    world
        .run("e2e export-kubeconfig theirs --merge --internal")
        .success();
    assert!(world.read("theirs").contains("--internal"));
    world
        .run("e2e export-kubeconfig --merge")
        .status(2)
        .says("`--merge` needs a file");
}

#[test]
fn what_kind_makes_as_root_belongs_to_the_repositorys_owner() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let world = World::e2e();
    world.set_up();
    chown(world.root(), Some(1234), Some(1234)).unwrap();
    world.write("roots", &kubeconfig("work"));
    for (file, owner) in [("new", 1234), ("roots", 0)] {
        world
            .run(("e2e export-kubeconfig", [file, "--merge"]))
            .success();
        let found = fs::metadata(world.root().join(file)).unwrap();
        assert_eq!(found.uid(), owner, "{file}");
    }
}

#[test]
fn without_a_cluster_there_is_nothing_to_export() {
    let world = World::e2e();
    world
        .run("e2e export-kubeconfig it")
        .status(2)
        .says("there is no kind cluster of this environment")
        .says("hint: `cargo xtask e2e setup-env`");
    assert!(!world.exists("it"));
}

#[test]
fn the_cluster_that_is_there_is_meant_whatever_its_version() {
    let world = World::e2e();
    world.run("e2e setup-env --kubernetes 1.35.0").success();
    world.run("e2e export-kubeconfig it").success();
    assert!(world.read("it").contains("kind-pg-extensions-v1.35.0"));
    world.put_values("gamma");
    world.run("e2e test gamma").success();
    world.run("e2e test gamma --kubeconfig it").success();
}

#[test]
fn a_kind_that_fails_leaves_the_old_file() {
    let world = World::e2e();
    world.set_up();
    let ours = world.read("target/xtask/e2e/kubeconfig");
    world.write("ours", &ours);
    world.tools.rule(
        "kind get kubeconfig",
        "echo 'apiVersion: v1'; fail 'ERROR: it broke'",
    );
    world
        .run("e2e export-kubeconfig ours")
        .status(1)
        .says("ERROR: it broke");
    assert_eq!(world.read("ours"), ours);
}

#[test]
fn a_pipe_is_no_kubeconfig_whether_somebody_reads_it_or_not() {
    let world = World::e2e();
    world.set_up();
    let path = world.root().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    world
        .run("e2e export-kubeconfig pipe")
        .status(2)
        .says("it is a pipe that nobody reads");
    // Both ends in one hand: it is read, and says nothing.
    let held = fs::File::options()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    for more in [&[][..], &["--merge"]] {
        world
            .run(("e2e export-kubeconfig pipe", more))
            .status(2)
            .says("it is not an ordinary file");
    }
    drop(held);
}
