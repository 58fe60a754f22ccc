// SPDX-License-Identifier: Apache-2.0
//! A machine without kubectl, without chainsaw, or without both: the kind cluster's node has the one, a container beside
//! it runs the other.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::cli::world::{CLUSTER, CONTROL_PLANE, World, end_by, free_port};

const INTERNAL: &str = "target/xtask/e2e/kubeconfig-internal";

/// A world that lacks these programs.
fn without(world: World, programs: &[&str]) -> World {
    for program in programs {
        world.tools.without(program);
    }
    world
}

fn alone() -> World {
    without(World::e2e_with_images(), &["kubectl", "chainsaw"])
}

/// How calls of the node's kubectl begin.
fn in_node(args: &str) -> String {
    format!(
        "docker exec --interactive {CONTROL_PLANE} kubectl --kubeconfig /etc/kubernetes/admin.conf {args}"
    )
}

#[test]
fn docker_and_kind_are_enough() {
    let world = alone();
    world.write("extensions/alpha/test/chainsaw-test.yaml", "# alpha's\n");
    world.write("my operator.yaml", "kind: Deployment\n");
    let release = ["--cnpg-release", "./my operator.yaml"];
    world
        .run(("e2e test-full alpha", release))
        .success()
        .says("asks the cluster");
    assert_eq!(world.clusters.namespaces(CLUSTER), [""; 0]);
    // A file of this machine goes in by standard input, and so does what was never one.
    let apply = world.calls.of(&in_node(
        "apply --server-side --force-conflicts --filename -",
    ));
    let read: Vec<&str> = apply.iter().map(|call| call.stdin.as_str()).collect();
    assert!(read.contains(&"kind: Deployment\n"), "{read:?}");
    let made = world.calls.of(&in_node("create --filename -"));
    assert_eq!(made.len(), 2);
    let suites = world.calls.of("docker run --rm --name xtask-alpha-");
    assert_eq!(suites.len(), 2);
    for folder in ["test", "extensions/alpha/test"] {
        let test = format!(" test {folder} --values ");
        let suite = suites.iter().find(|suite| suite.line().contains(&test));
        let suite = suite.unwrap();
        let root = world.root().canonicalize().unwrap();
        let root = root.display();
        assert!(suite.ends_options());
        assert_eq!(suite.after("--network"), "pg-extensions-e2e");
        assert_eq!(suite.after("--workdir"), root.to_string());
        assert_eq!(
            suite.after("--env"),
            format!("KUBECONFIG={root}/{INTERNAL}")
        );
        let line = suite.line();
        let reports = suite.after("--report-path");
        for mount in [
            format!("type=bind,source={root},target={root},readonly"),
            format!("type=bind,source={root}/{reports},target={root}/{reports} "),
            format!("source={root}/target/xtask/e2e/kubectl,target=/usr/bin/kubectl,readonly"),
        ] {
            assert!(line.contains(&mount), "{mount}: {line}");
        }
        let image = "ghcr.io/kyverno/chainsaw:v0.2.14@sha256:";
        assert!(line.contains(image), "{line}");
        assert_eq!(suite.after("--namespace"), suite.after("--name"));
    }
    let kept = fs::metadata(world.root().join(INTERNAL)).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    assert!(world.read(INTERNAL).contains("control-plane:6443"));
}

#[test]
fn what_is_there_is_used() {
    let world = without(World::e2e_with_images(), &["chainsaw"]);
    world.run("e2e test-full alpha").success();
    assert!(!world.calls.of("kubectl ").is_empty());
    world.calls.never(&in_node(""));
    assert!(
        !world
            .calls
            .of("docker run --rm --name xtask-alpha-")
            .is_empty()
    );
    let world = without(World::e2e_with_images(), &["kubectl"]);
    world.run("e2e test-full alpha").success();
    assert!(!world.calls.of(&in_node("")).is_empty());
    assert!(!world.calls.of("chainsaw test ").is_empty());
    world.calls.never("docker run --rm --name xtask-alpha-");
}

#[test]
fn the_lines_of_a_dry_run_do_the_same() {
    let world = alone();
    let dry = world.run("e2e test-full alpha --dry-run").success().stdout;
    world.calls.never("docker exec");
    world.run("e2e test-full alpha").success();
    // What is new in every run.
    let plain = |text: &str, run: &str| text.replace(run, "RUN").replace(&run[..8], "RUN");
    let run = |line: &str| {
        let (_, rest) = line.split_once("io.cloudnativepg.xtask.run=").unwrap();
        rest[..16].to_owned()
    };
    let printed: Vec<String> = dry
        .lines()
        .filter(|line| line.starts_with("docker run --rm") || line.starts_with("docker exec"))
        .map(|line| {
            // Up to where its input comes from, and to what is said when it fails.
            let alone = line
                .split(" < ")
                .next()
                .and_then(|line| line.split(" || ").next());
            let words = shell_words::split(alone.unwrap()).unwrap();
            plain(&words.join(" "), &run(&dry))
        })
        .collect();
    let mut missing = printed.clone();
    let asked = world.calls.only("docker run --rm --name xtask-chainsaw-");
    let id = run(&asked.line());
    for call in world.calls.all() {
        let mut words = call.printed().join(" ");
        if words.contains(" --report-path ") {
            // Those of a run go to its own folder.
            words = words.replace(call.after("--report-path"), "target/xtask/e2e/reports");
        }
        missing.retain(|line| *line != plain(&words, &id));
    }
    assert!(printed.len() >= 6, "{printed:#?}");
    assert!(
        missing.is_empty(),
        "{missing:#?}\n{}",
        world.calls.names().join("\n")
    );
}

#[test]
fn a_suite_that_is_stopped_leaves_no_container() {
    for signal in ["-INT", "-TERM"] {
        let world = without(World::e2e_up(&["alpha"]), &["kubectl", "chainsaw"]);
        // As the engine has it: it is there for longer than who has asked for it.
        world.tools.rule(
            "docker run --rm --name xtask-alpha-",
            "mkdir \"$here/engine/containers/$4\"; echo \"$6\" > \"$here/engine/containers/$4/labels\"; hang",
        );
        let child = world.started("e2e test alpha");
        let suites = world.calls.of("docker run --rm --name xtask-alpha-");
        let containers = world.state("engine/containers");
        let containers: Vec<_> = suites
            .iter()
            .map(|suite| containers.join(suite.after("--name")))
            .collect();
        assert!(containers.iter().any(|container| container.exists()));
        end_by(signal, child).status(130);
        assert!(!containers.iter().any(|container| container.exists()));
        assert!(world.clusters.namespaces(CLUSTER).is_empty());
    }
}

#[test]
fn a_suite_that_fails_says_why_as_chainsaw_does() {
    let world = without(World::e2e_up(&["alpha"]), &["kubectl", "chainsaw"]);
    world.chainsaw.fails("shared-suite-of-alpha", "it broke\n");
    world
        .run("e2e test alpha")
        .status(1)
        .says("shared suite of alpha")
        .says("it broke");
    assert!(world.clusters.namespaces(CLUSTER).is_empty());
}

#[test]
fn an_image_that_cannot_be_had_is_said() {
    let world = without(World::e2e_up(&["alpha"]), &["chainsaw"]);
    let said = "docker: Error response from daemon: failed to resolve reference: no such host\n";
    world
        .tools
        .fails("docker run --rm --name xtask-chainsaw-", 125, said);
    world
        .run("e2e test alpha")
        .says("ask the image for its chainsaw")
        .says("hint: ");
    world.calls.never("docker run --rm --name xtask-alpha-");
}

#[test]
fn people_get_in_by_way_of_the_node() {
    let world = without(World::e2e_up(&["alpha"]), &["kubectl", "chainsaw"]);
    let ended = world.run(("e2e psql alpha --", ["SELECT 'a b'"])).success();
    assert!(ended.stdout.contains("psql was here"), "{}", ended.stdout);
    let call = world
        .calls
        .only(&in_node("--namespace xtask-psql-alpha exec"));
    assert_eq!(call.args().last(), Some(&"SELECT 'a b'"));
    for command in [
        "status",
        "export-kubeconfig ours",
        "export-kubeconfig ours",
        "cleanup",
    ] {
        world.run(format!("e2e {command}").as_str()).success();
    }
    assert!(world.engine.inventory().is_empty());
}

/// A world with a cluster of somebody else, which has an operator, and values of `alpha`. Gives its kubeconfig too.
fn with_theirs(programs: &[&str]) -> (World, String) {
    let world = without(World::e2e(), programs);
    let file = world.put_cluster("ci");
    world.clusters.put_operator("ci");
    world.put_values("alpha");
    (world, file)
}

const REGISTRY: (&str, &str) = ("registry", "registry.example/team");

#[test]
fn an_existing_cluster_has_no_node_of_ours() {
    let (world, file) = with_theirs(&["kubectl"]);
    world
        .run_with(("e2e test alpha --kubeconfig", [&file]), &[REGISTRY])
        .status(3)
        .says("`kubectl` is not installed or not on PATH")
        .says("hint: install kubectl");
    world.calls.never("docker exec");
    world.calls.never("docker run");
}

#[test]
fn suites_reach_an_existing_cluster_as_this_machine_does() {
    let (world, file) = with_theirs(&["chainsaw"]);
    let theirs = world.root().canonicalize().unwrap().join(&file);
    let text = fs::read_to_string(&theirs).unwrap();
    let secrets = world.root().join("secrets");
    fs::create_dir(&secrets).unwrap();
    for name in ["ca.crt", "key"] {
        fs::write(secrets.join(name), "s3cret").unwrap();
    }
    let named = text
        .replace(
            "  name: ci\ncontexts",
            "    certificate-authority: secrets/ca.crt\n  name: ci\ncontexts",
        )
        .replace(
            "    token: abc",
            "    client-key: secrets/key\n    token: abc",
        );
    assert_eq!(named.matches("secrets/").count(), 2);
    fs::write(&theirs, &named).unwrap();
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o600)).unwrap();
    let args = ["test", "alpha", "--kubeconfig", &file, "--context", "ci"];
    let set = [REGISTRY, ("HTTPS_PROXY", "http://u:s3cret@proxy:3128")];
    world.run_with(("e2e", &args), &set).success();
    let suites = world.calls.of("docker run --rm --name xtask-alpha-");
    assert_eq!(suites.len(), 2);
    let (suite, line) = (&suites[0], suites[0].line());
    assert!(suite.ends_options());
    assert_eq!(suite.after("--network"), "host");
    assert_eq!(
        suite.after("--env"),
        format!("KUBECONFIG={}", theirs.display())
    );
    assert_eq!(suite.after("--kube-context"), "ci");
    // The value is docker's to take from its own environment.
    assert!(line.contains(" --env HTTPS_PROXY "), "{line}");
    let root = world.root().canonicalize().unwrap();
    for name in [&file, "secrets/ca.crt", "secrets/key"] {
        let path = root.join(name);
        let mount = format!("type=bind,source={0},target={0},readonly", path.display());
        assert!(line.contains(&mount), "{mount}: {line}");
    }
    // No copy of what opens their cluster is anywhere, and the file is as it was.
    assert_eq!(fs::read_to_string(&theirs).unwrap(), named);
    assert_eq!(
        fs::metadata(&theirs).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for entry in walkdir::WalkDir::new(world.root().join("target"))
        .into_iter()
        .flatten()
    {
        let text = fs::read(entry.path()).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&text).contains("token: abc"),
            "{}",
            entry.path().display()
        );
    }
    // Its kubectl is that of the node image, of which no container is left.
    let opened = world.calls.only("docker create --name xtask-kubectl-");
    assert!(
        opened.line().contains("kindest/node:v"),
        "{}",
        opened.line()
    );
    assert!(world.engine.inventory().is_empty());
    world.calls.never("kind ");
}

#[test]
fn credentials_that_a_program_gives_are_for_this_machine_alone() {
    let (world, file) = with_theirs(&["chainsaw"]);
    let theirs = world.root().join(&file);
    let text = fs::read_to_string(&theirs).unwrap();
    let asks = text.replace("    token: abc", "    exec:\n      command: aws");
    fs::write(&theirs, asks).unwrap();
    world
        .run_with(("e2e test alpha --kubeconfig", [&file]), &[REGISTRY])
        .status(3)
        .says("`chainsaw` is not installed or not on PATH")
        .says("credentials from the program `aws`")
        .says("hint: install Chainsaw");
    world.calls.never("docker run");
}

#[test]
fn without_an_engine_chainsaw_is_what_is_missing() {
    let (world, file) = with_theirs(&["chainsaw", "docker"]);
    world
        .run_with(("e2e test alpha --kubeconfig", [&file]), &[REGISTRY])
        .status(3)
        .says("`chainsaw` is not installed or not on PATH")
        .says("`docker` is not installed")
        .says("hint: install Chainsaw");
}

#[test]
fn prerequisites_say_which_way_is_taken() {
    let world = without(alone(), &["kind"]);
    let of_kind = world.run("prereqs --for e2e").status(3);
    assert_eq!(of_kind.stdout.matches("missing").count(), 1);
    let world = alone();
    let ended = world.run("prereqs --for e2e").success();
    for way in [
        "the kind cluster's node",
        "in a container of `images.chainsaw`",
    ] {
        assert!(ended.stdout.contains(way), "{}", ended.stdout);
    }
    // A cluster of somebody else has no node for the one, and needs no kind.
    let theirs = [("XTASK_CLUSTER_KUBECONFIG", "theirs")];
    let world = without(world, &["kind"]);
    let ended = world.run_with("prereqs --for e2e", &theirs).status(3);
    let missing: Vec<&str> = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("missing"))
        .collect();
    assert_eq!(missing.len(), 1, "{}", ended.stdout);
    assert!(missing[0].contains("kubectl"), "{}", missing[0]);
    assert!(ended.stdout.contains("in a container of `images.chainsaw`"));
}

#[test]
fn a_sandbox_brings_kubectl_along() {
    let world = alone();
    let port = free_port().to_string();
    let dry = world.run((
        "e2e setup-env --sandbox --dry-run --registry-port",
        [port.as_str()],
    ));
    // Where there can be no sandbox, it says so.
    if dry.status == Some(0) {
        assert!(
            dry.stdout.contains("\nkubectl --kubeconfig "),
            "{}",
            dry.stdout
        );
        assert!(
            !dry.stdout.contains("control-plane kubectl"),
            "{}",
            dry.stdout
        );
    }
}
