// SPDX-License-Identifier: Apache-2.0
//! What bake is asked before anything is built, how long its answers hold, and what becomes of those that it refuses.

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use super::ours::is_root;
use crate::cli::world::{BUILD, World, metadata};

const DRY: [&str; 3] = ["bake", "gamma", "--dry-run"];

/// How often bake was asked in a run.
#[track_caller]
fn asked(world: &World, environment: &[(&str, &str)]) -> usize {
    world.calls.forget();
    world.run_with(DRY, environment).success();
    world.calls.of("print extensions/gamma/metadata.hcl").len()
}

/// Bake is asked, and not a second time.
#[track_caller]
fn asked_once(world: &World, environment: &[(&str, &str)], why: &str) {
    assert_eq!(asked(world, environment), 1, "{why}");
    assert_eq!(asked(world, environment), 0, "{why}: again");
}

#[test]
fn an_answer_holds_as_long_as_all_that_it_depends_on() {
    let world = World::new();
    asked_once(&world, &[], "never before");
    let other = [("required_extensions", "[\"alpha\"]")];
    world.extension("gamma", &metadata("gamma", &other));
    asked_once(&world, &[], "another metadata.hcl");
    let bake_file = world.read("docker/bake.hcl");
    world.write("docker/bake.hcl", &format!("{bake_file}# More.\n"));
    asked_once(&world, &[], "another bake file");
    let registry = [("registry", "elsewhere:5000")];
    asked_once(&world, &registry, "another value of a variable");
    world.write("xtask.toml", "registry = \"third:5000\"\n");
    asked_once(&world, &[], "another setting");
    let of_bake = [("BUILDX_BAKE_GIT_AUTH_TOKEN", "x")];
    asked_once(&world, &of_bake, "a variable of bake's own");
    let as_json = [("registry_JSON", "\"fourth:5000\"")];
    asked_once(&world, &as_json, "a variable as JSON");
    let epoch = [("SOURCE_DATE_EPOCH", "1")];
    asked_once(&world, &epoch, "the time that builds are given");
    let bake_file = world.read("docker/bake.hcl");
    let of_proxy = "variable \"http_proxy\" {\n  default = \"\"\n}\n";
    world.write("docker/bake.hcl", &format!("{bake_file}{of_proxy}"));
    asked_once(&world, &[], "a variable more");
    for proxy in ["http://p:1", "http://p:2"] {
        let upper = [("HTTP_PROXY", proxy)];
        asked_once(&world, &upper, "a proxy, which bake finds in lower case");
    }
    let none = [("unheard_of", "x")];
    asked_once(&world, &[], "without that variable");
    assert_eq!(asked(&world, &none), 0, "a variable that nobody reads");
    let docker = world.tools.path().join("docker");
    let mut docker = fs::File::options().append(true).open(docker).unwrap();
    docker.write_all(b"# Another version.\n").unwrap();
    drop(docker);
    asked_once(&world, &[], "another docker");
    // The answers about others were not touched.
    assert_eq!(
        world
            .files()
            .iter()
            .filter(|path| path.ends_with("beta.json"))
            .count(),
        0
    );
}

#[test]
fn what_is_kept_is_of_no_moment() {
    let world = World::new();
    world.run(DRY).success();
    let kept = world.read("target/xtask/print/gamma.sealed");
    let stamps = |text: &str| {
        let words = text.split(|c: char| !c.is_ascii_digit());
        words.filter(|word| word.len() == 12).count()
    };
    assert_eq!(stamps(&kept), 0, "{kept}");
    world.run("bake gamma").success();
    let built = world.read("target/xtask/targets.json");
    assert_eq!(stamps(&built), 2, "{built}");
    assert_eq!(world.calls.of("print ").len(), 1);
}

#[test]
fn what_is_kept_is_for_its_user_alone() {
    let world = World::new();
    let mode = || {
        let file = world.root().join("target/xtask/print/gamma.sealed");
        fs::metadata(file).unwrap().mode() & 0o777
    };
    asked_once(&world, &[], "never before");
    assert_eq!(mode(), 0o600, "a login may be in it");
    // One of an earlier version.
    world.write("target/xtask/print/gamma.sealed", "");
    let file = world.root().join("target/xtask/print/gamma.sealed");
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    asked_once(&world, &[], "nothing that counts");
    assert_eq!(mode(), 0o600);
}

#[test]
fn an_answer_that_cannot_be_read_is_none() {
    let world = World::new();
    for text in ["", "{", "{\"inputs\":{},\"printed\":\"{}\"}", "\u{0}"] {
        world.write("target/xtask/print/gamma.sealed", text);
        asked_once(&world, &[], text);
    }
}

#[test]
fn an_answer_that_somebody_has_edited_is_none() {
    let world = World::new();
    asked_once(&world, &[], "never before");
    let place = "target/xtask/print/gamma.sealed";
    let kept = world.read(place);
    let planted = kept.replace("extensions/gamma", "https://evil.example/x.git");
    assert_ne!(planted, kept);
    world.write(place, &planted);
    world.run("bake gamma").success();
    assert_eq!(world.calls.of("print ").len(), 1);
    let built = world.read("target/xtask/targets.json");
    assert!(!built.contains("evil.example"), "{built}");
    // That of another extension does not count either.
    let other = world.read(place);
    world.run("bake alpha --dry-run").success();
    world.write("target/xtask/print/alpha.sealed", &other);
    world.calls.forget();
    world.run("bake alpha --dry-run").success();
    assert_eq!(world.calls.of("print ").len(), 1);
}

#[test]
fn an_answer_that_cannot_be_kept_is_asked_for_again() {
    let world = World::new();
    world.write("target/xtask/print", "a file");
    for _ in 0..2 {
        world
            .run(DRY)
            .success()
            .says("warning: bake will be asked again the next time: ")
            .says("target/xtask/print");
    }
    assert_eq!(world.calls.of("print ").len(), 2);
    world.run("bake gamma").success();
    assert_eq!(world.read("target/xtask/print"), "a file");
}

#[test]
fn what_is_another_thing_each_time_is_asked_each_time() {
    for line in [
        "id = uuidv4()\n",
        "id = sha256(now)\n",
        "not HCL {\n",
        "then = now\nid = formatdate(\"YYYYMMDD\", then)\n",
        "day = formatdate(\"DD\", now)\n",
    ] {
        let world = World::new();
        let bake_file = world.read("docker/bake.hcl");
        world.write("docker/bake.hcl", &(bake_file + line));
        for _ in 0..2 {
            assert_eq!(asked(&world, &[]), 1, "{line}");
        }
        assert!(!world.exists("target/xtask/print/gamma.sealed"), "{line}");
    }
}

#[test]
fn what_was_printed_is_built_with_its_paths_as_they_are() {
    let world = World::new();
    let name = "BUILDX_BAKE_FILE_RELATIVE_PATHS";
    world.run_with("bake gamma", &[(name, "1")]).success();
    let builds = world.calls.of(BUILD);
    assert_eq!(builds.len(), 1, "{builds:?}");
    let said = world.run_with(DRY, &[(name, "1")]).success().stdout;
    assert!(said.contains(&format!("{name}=0 ")), "{said}");
    let said = world.run(DRY).success().stdout;
    assert!(!said.contains(name), "{said}");
}

#[test]
fn what_is_kept_is_nothing_to_git_and_belongs_to_the_repositorys_owner() {
    let world = World::new();
    if is_root() {
        std::os::unix::fs::chown(world.root(), Some(65534), Some(65534)).unwrap();
    }
    world.run(DRY).success();
    assert_eq!(world.read("target/xtask/.gitignore"), "*\n");
    let kept = world.root().join("target/xtask/print/gamma.sealed");
    let owner = world.root().metadata().unwrap().uid();
    let ignored = world.root().join("target/xtask/.gitignore");
    let places = kept.ancestors().take_while(|place| *place != world.root());
    for place in places.chain([ignored.as_path()]) {
        assert_eq!(
            place.metadata().unwrap().uid(),
            owner,
            "{}",
            place.display()
        );
    }
}

#[test]
fn without_docker_a_model_stands_in_and_nothing_is_made() {
    let world = World::new();
    world.tools.without("docker");
    let before = world.files();
    world
        .run(DRY)
        .success()
        .says("note: there is no `docker` to ask bake with: names, tags and platforms are those that the default kind of bake file gives");
    assert_eq!(world.files(), before);
    world
        .run("bake gamma")
        .status(3)
        .says("`docker` is not installed or not on PATH");
    assert!(!world.exists("target/xtask/bake"));
}

#[test]
fn the_model_says_of_the_default_kind_of_bake_file_what_bake_does() {
    let world = World::new();
    let said = world.run("targets --images --json").success().stdout;
    assert!(said.contains("gamma-1_2-18-trixie"), "{said}");
    world.tools.without("docker");
    let modelled = world.run("targets --images --json").success();
    assert_eq!(modelled.stdout, said);
}

#[test]
fn a_bake_file_that_is_missing_is_said_with_what_names_it() {
    let world = World::new();
    fs::remove_file(world.root().join("docker/bake.hcl")).unwrap();
    world
        .run("bake gamma")
        .status(2)
        .says("`docker/bake.hcl` does not exist")
        .says("hint: the setting `paths.bake-file` says where the bake file is");
    assert!(world.calls.of_work().is_empty());
}

#[test]
fn what_bake_refuses_to_print_spoils_no_other() {
    let world = World::new();
    let said =
        "ERROR: docker/bake.hcl:3,10-17: Unknown variable; There is no variable named \"distr0\".";
    world.docker.print_fails("alpha", said);
    for args in [
        &["bake", "alpha"][..],
        &["smoke", "alpha"],
        &["bake", "gamma", "alpha", "--dry-run"],
    ] {
        world
            .run(args)
            .status(1)
            .says("failed to ask bake what it builds of `alpha`")
            .says("-f docker/bake.hcl -f extensions/alpha/metadata.hcl --print")
            .says(said);
    }
    world.calls.never(BUILD);
    world.run("bake gamma").success();
    world.run("smoke gamma").success();
    let found = world.run("checks --all --json").status(1).json();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    let table = world.run("checks --all").status(1);
    table.says("bake does not say what it builds of 1 extension");
    assert_eq!(found[0]["file"], "extensions/alpha/metadata.hcl");
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.starts_with("bake refuses it: ") && message.contains("distr0"));
    // A refusal is not kept.
    world.docker.print_fails("alpha", "ERROR: another one");
    world.run("bake alpha").status(1).says("ERROR: another one");
}

#[test]
fn of_all_those_that_bake_refuses_are_rows_that_were_not_read() {
    let said = "ERROR: docker/bake.hcl:3,10-17: Unknown variable";
    // An image is built without what it needs in a server.
    for (command, key, read, unread) in [
        ("bake", "reason", &["beta", "gamma"][..], &["alpha"][..]),
        ("smoke", "proof", &["gamma"], &["alpha", "beta"]),
    ] {
        let world = World::new();
        world.docker.print_fails("alpha", said);
        let names: Vec<String> = unread.iter().map(|name| format!("`{name}`")).collect();
        let ended = world
            .run([command, "--all", "--distro", "trixie", "--json"])
            .status(1)
            .says("warning: `alpha` is left out: ")
            .says(&format!(
                "error: {} of 3 extensions cannot be read: {}\n  `alpha`: failed to ask bake",
                unread.len(),
                names.join(", ")
            ))
            .says(&format!("`alpha`: {said}\n"));
        let rows = ended.json();
        let rows = rows.as_array().unwrap();
        let results = rows
            .iter()
            .map(|row| format!("{}: {}", row["name"].as_str().unwrap(), row["result"]));
        let mut results: Vec<String> = results.collect();
        results.sort();
        let passed = read.iter().map(|name| format!("{name}: \"passed\""));
        let not_read = unread.iter().map(|name| format!("{name}: \"not read\""));
        let mut wanted: Vec<String> = passed.chain(not_read).collect();
        wanted.sort();
        assert_eq!(results, wanted, "{command}");
        for row in rows.iter().filter(|row| row["result"] == "not read") {
            let why = row[key].as_str().unwrap();
            assert!(why.contains(said), "{why}");
        }
        let built = world.calls.bakes();
        assert!(
            !built.iter().any(|bake| bake.contains("alpha")),
            "{built:?}"
        );
    }
}

#[test]
fn a_target_default_without_a_matrix_is_built_and_no_target_is_no_share() {
    let world = World::new();
    let name = "gamma-1_2-18-trixie";
    world
        .docker
        .prints("gamma", &format!("\"{name}\""), "\"default\"");
    let images = world.run("targets --images --json --distro trixie");
    let images = images.success().json();
    let targets = images.as_array().unwrap().iter();
    let targets: Vec<&str> = targets.filter_map(|one| one["target"].as_str()).collect();
    assert!(targets.contains(&"default"), "{targets:?}");
    let world = World::new();
    world
        .docker
        .prints("gamma", "\"group\":{\"default\"", "\"group\":{\"other\"");
    for command in ["bake", "smoke"] {
        for names in [&["gamma"][..], &["gamma", "alpha"]] {
            world
                .run([&[command], names].concat())
                .status(2)
                .says("error: there is nothing to build: the group `default` of bake has no target of `gamma`");
        }
    }
    world.calls.never(BUILD);
    world.run("bake --all").success().says("4 images baked");
}

#[test]
fn a_matrix_leaves_out_what_bake_refuses_or_nobody_can_read_and_says_so() {
    let world = World::new();
    world.docker.print_fails("alpha", "ERROR: no such function");
    let not_hcl = "metadata = {\n";
    for (broken, left, of) in [
        (None, &["beta", "gamma"][..], "1 of 3"),
        (Some("gamma"), &["beta"], "2 of 3"),
    ] {
        if let Some(name) = broken {
            world.write(&format!("extensions/{name}/metadata.hcl"), not_hcl);
            world.docker.print_fails("alpha", "ERROR: no such function");
        }
        for args in ["targets --images --json", "targets --json --pg 18"] {
            let ended = world
                .run(args)
                .status(1)
                .says("warning: `alpha` is left out: failed to ask bake what it builds of `alpha`")
                .says(&format!("error: {of} extensions cannot be read: "));
            let rows = ended.json();
            let rows = rows.as_array().unwrap().iter();
            let mut names: Vec<&str> = rows
                .map(|row| row["name"].as_str().or(row.as_str()).unwrap())
                .collect();
            names.dedup();
            assert_eq!(names, left, "{args}");
        }
    }
    let names = world.run("targets --json").success().stdout;
    assert_eq!(names, "[\"alpha\",\"beta\",\"gamma\"]\n");
}

#[test]
fn a_bake_file_reaches_neither_the_users_keys_nor_what_is_outside_unless_that_is_meant() {
    for (field, said) in [
        (
            r#""contexts":{"keys":"cwd:///root/.ssh"}"#,
            "`/root/.ssh` is outside of the repository",
        ),
        (
            r#""contexts":{"keys":"x://../../../root/.ssh"}"#,
            "`x://../../../root/.ssh` is outside of the repository",
        ),
        (
            r#""ssh":["default"]"#,
            "it wants the keys of your SSH agent",
        ),
        (
            r#""ssh":[{"id":"k","paths":["/root/.ssh/id_ed25519"]}]"#,
            "`/root/.ssh/id_ed25519` is outside of the repository",
        ),
    ] {
        let world = World::new();
        let to = format!("{field},\"context\":");
        world.docker.prints("gamma", "\"context\":", &to);
        world
            .run(DRY)
            .status(2)
            .says(said)
            .says("if that is meant, BUILDX_BAKE_ENTITLEMENTS_FS=0 in the environment");
        let lifted = [("BUILDX_BAKE_ENTITLEMENTS_FS", "0")];
        world.run_with(DRY, &lifted).success();
    }
}
