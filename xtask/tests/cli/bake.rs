// SPDX-License-Identifier: Apache-2.0
//! What `bake` asks of docker, in which order, and what it says when that goes wrong.

use std::fs;

use crate::cli::world::{BUILD, World};

#[test]
fn one_extension_is_one_bake_for_this_machines_platform() {
    let world = World::new();
    world
        .run("bake alpha")
        .success()
        .says("this machine's platform")
        .says("2 images baked");
    let platform = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    assert_eq!(
        world.calls.only("print ").to_string(),
        "registry=localhost:5000 docker buildx bake -f docker/bake.hcl -f extensions/alpha/metadata.hcl --print"
    );
    assert_eq!(
        world.calls.only(BUILD).to_string(),
        format!(
            "BUILDX_METADATA_PROVENANCE=disabled docker buildx bake -f target/xtask/targets.json --metadata-file target/xtask/bake/alpha.json \
             --progress rawjson --set *.platform=linux/{platform} -- alpha-1_2-18-bookworm alpha-1_2-18-trixie"
        )
    );
}

#[test]
fn flags_and_variables_reach_bake() {
    let world = World::new();
    let env = [("registry", "ghcr.io/me"), ("environment", "production")];
    let args = [
        "bake",
        "alpha",
        "--push",
        "--no-cache",
        "--distro",
        "trixie",
        "--builder",
        "farm",
    ];
    world.docker.builder("Driver: docker-container\n");
    world
        .run_with(args, &env)
        .success()
        .says("for linux/amd64 and linux/arm64: pushed to a registry that is not local");
    let asked = world.calls.only("print ");
    for (name, value) in env {
        assert_eq!(asked.variable(name), value);
    }
    assert_eq!(
        world.calls.only(BUILD).line(),
        "docker buildx bake -f target/xtask/targets.json --builder farm --metadata-file target/xtask/bake/alpha.json \
         --progress rawjson --no-cache --push -- alpha-1_2-18-trixie"
    );
    let built: serde_json::Value =
        serde_json::from_str(&world.read("target/xtask/targets.json")).unwrap();
    assert_eq!(
        built["target"]["alpha-1_2-18-trixie"]["tags"][0],
        "ghcr.io/me/alpha:1.2-18-trixie"
    );
}

#[test]
fn a_dry_run_prints_what_a_run_executes_and_touches_nothing() {
    for (jobs, builds) in [(&[][..], 1), (&["--jobs", "1"], 3)] {
        let world = World::new();
        let before = world.files_but_answers();
        let args = [&["bake", "--all"], jobs].concat();
        let dry = world.run((&args, "--dry-run")).success().stdout;
        let calls = world.calls.of_work();
        assert!(calls.is_empty(), "{calls:#?}");
        assert_eq!(world.files_but_answers(), before);
        let mut printed: Vec<Vec<String>> = dry
            .lines()
            .filter_map(|line| line.trim().split(" && ").next())
            .filter_map(|line| line.split(" > ").next())
            .filter(|line| line.contains("docker buildx bake"))
            .map(|line| shell_words::split(line.trim_end_matches(" &&")).unwrap())
            .collect();
        assert_eq!(printed.len(), 3 + builds, "{dry}");
        world.run(args).success();
        let mut run: Vec<Vec<String>> = ["print ", BUILD]
            .iter()
            .flat_map(|start| world.calls.of(start))
            .map(|call| call.printed())
            .collect();
        for words in [&mut printed, &mut run] {
            words.sort();
        }
        assert_eq!(printed, run);
    }
}

#[test]
fn both_grammars_print_the_same_plan() {
    let world = World::new();
    for (task, canonical) in [
        (vec!["DRY_RUN=true"], vec!["bake", "--all", "--dry-run"]),
        (
            vec!["bake:all", "PUSH=true", "DRY_RUN=true"],
            vec!["bake", "--all", "--push", "--dry-run"],
        ),
        (
            vec![
                "bake",
                "TARGET=alpha",
                "DRY_RUN=true",
                "METADATA_FILE=m.json",
            ],
            vec!["bake", "alpha", "--dry-run", "--metadata-file", "m.json"],
        ),
        (
            vec!["bake", "--target", "alpha", "--dry-run"],
            vec!["bake", "alpha", "--dry-run"],
        ),
    ] {
        assert_eq!(
            world.run(&task).success().stdout,
            world.run(&canonical).success().stdout
        );
    }
}

#[test]
fn a_dependency_is_baked_beside_what_needs_it() {
    let world = World::new();
    world.run("bake beta alpha").success();
    assert_eq!(world.calls.bakes(), ["start alpha+beta", "end alpha+beta"]);
    let serial = World::new();
    serial.run("bake beta alpha --jobs 1").success();
    assert_eq!(
        serial.calls.bakes(),
        ["start alpha", "end alpha", "start beta", "end beta"]
    );
}

#[test]
fn independent_bakes_run_side_by_side_unless_told_otherwise() {
    let world = World::new();
    world.run("bake alpha gamma").success();
    assert_eq!(
        world.calls.bakes(),
        ["start alpha+gamma", "end alpha+gamma"]
    );
    let serial = World::new();
    serial.run("bake alpha gamma --jobs 1").success();
    assert_eq!(
        serial.calls.bakes(),
        ["start alpha", "end alpha", "start gamma", "end gamma"]
    );
}

#[test]
fn a_failure_stops_the_rest_unless_told_to_keep_going() {
    let world = World::new();
    world.docker.bake_fails(
        "alpha",
        "#7 1.2 E: Version '1.2' for 'x' was not found\n#7 ERROR: exit code: 100\n",
    );
    let ended = world
        .run("bake alpha beta gamma --jobs 1 --metadata-file all.json")
        .status(1)
        .says("failed to bake `alpha` (pg 18, bookworm; pg 18, trixie)")
        .says("command: BUILDX_METADATA_PROVENANCE=disabled docker buildx bake -f target/xtask/targets.json ")
        .says("exited with status 17")
        .says("was not found")
        .says("update `package` in metadata.hcl");
    assert_eq!(world.calls.bakes(), ["start alpha", "end alpha"]);
    assert!(!world.exists("all.json"));
    let log = ended
        .stderr
        .split("full log: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    assert!(
        fs::read_to_string(world.root().join(log))
            .unwrap()
            .contains("exit code: 100")
    );

    for args in [
        "bake --all --jobs 1",
        "bake alpha beta gamma --jobs 1 --keep-going",
    ] {
        let going = World::new();
        going.docker.bake_fails("alpha", "error: no\n");
        going.run(args).status(1);
        assert_eq!(
            going.calls.bakes(),
            [
                "start alpha",
                "end alpha",
                "start beta",
                "end beta",
                "start gamma",
                "end gamma"
            ],
            "{args}"
        );
    }
}

#[test]
fn of_all_one_that_cannot_be_built_keeps_only_what_needs_it_from_being_tested() {
    let world = World::new();
    world.docker.bake_fails("alpha", "error: no\n");
    let rows = world.run("smoke --all --distro trixie --jobs 1 --json");
    let rows = rows.status(1).says("failed to bake `alpha`").json();
    let mut results: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {}", row["name"], row["result"]))
        .collect();
    results.sort();
    let wanted = [
        "\"alpha\" \"not run\"",
        "\"beta\" \"not run\"",
        "\"gamma\" \"passed\"",
    ];
    assert_eq!(results, wanted);
}

#[test]
fn a_registry_that_is_down_is_a_missing_service() {
    let world = World::new();
    world.docker.bake_fails("alpha", "ERROR: failed to push localhost:5000/alpha: dial tcp 127.0.0.1:5000: connect: connection refused\n");
    world
        .run("bake alpha --push")
        .status(3)
        .says("nothing answers at the registry");
}

#[test]
fn the_metadata_files_are_merged_into_the_users_own() {
    let world = World::new();
    world
        .run("bake alpha gamma --metadata-file deep/all.json")
        .success();
    let text = fs::read_to_string(world.root().join("deep/all.json")).unwrap();
    for target in ["alpha-1_2-18-trixie", "gamma-1_2-18-bookworm"] {
        assert!(text.contains(target), "{text}");
    }
    // Relative to where the user stands, not to the root.
    world
        .run_in("docker", "bake alpha --metadata-file here.json")
        .success();
    assert!(world.exists("docker/here.json"));
}

#[test]
fn two_targets_of_one_name_have_no_place_in_one_metadata_file() {
    let world = World::new();
    for name in ["alpha", "gamma"] {
        let own = format!("\"{name}-1_2-18-trixie\"");
        world.docker.prints(name, &own, "\"pg-1_2-18-trixie\"");
    }
    let bake = "bake alpha gamma --distro trixie";
    for more in [&[][..], &["--dry-run"]] {
        world
            .run(((bake, "--metadata-file all.json"), more))
            .status(2)
            .says("`all.json` cannot hold both `alpha 18-trixie` and `gamma 18-trixie`: bake calls both `pg-1_2-18-trixie`")
            .says("hint: write a file for each extension: `cargo xtask bake gamma --metadata-file FILE`");
    }
    world.calls.never(BUILD);
    assert!(!world.exists("all.json"));
    // Neither a file of one of them nor building both is refused.
    for fine in ["bake gamma --distro trixie --metadata-file all.json", bake] {
        world.run((fine, "--dry-run")).success();
    }
}

#[test]
fn superseded_tags_are_dropped_and_others_are_not() {
    let world = World::new();
    world.docker.tags("1.2-18-trixie\n1.2-202601010000-18-trixie\n1.2-202602020000-18-trixie\n1.2-202601010000-18-bookworm\nmine\n");
    world.run("bake alpha --distro trixie").success();
    assert_eq!(
        world.calls.only("docker image rm").line(),
        "docker image rm -- localhost:5000/alpha-testing:1.2-202601010000-18-trixie"
    );
}

#[test]
fn results_are_json_when_asked_for() {
    let world = World::new();
    world
        .docker
        .sizes("localhost:5000/alpha-testing:1.2-18-trixie\t1.25MB\n");
    let images = world
        .run("bake alpha --distro trixie --json")
        .success()
        .json();
    assert_eq!(
        images[0]["image"],
        "localhost:5000/alpha-testing:1.2-18-trixie"
    );
    assert_eq!(images[0]["digest"], format!("sha256:{}", "ab".repeat(32)));
    assert_eq!(images[0]["size"], "1.25MB");
    let events = world.run("bake alpha --format json").success();
    assert!(events.stderr.is_empty(), "{}", events.stderr);
    let kinds: Vec<String> = events
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["event"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    for kind in ["note", "started", "output", "finished", "result"] {
        assert!(kinds.iter().any(|known| known == kind), "{kind}: {kinds:?}");
    }
}

#[test]
fn results_tell_of_what_failed_and_of_what_was_not_run_too() {
    let world = World::new();
    world.docker.bake_fails("alpha", "ERROR: no\n");
    let ended = world
        .run("bake --all --distro trixie --keep-going --json")
        .status(1);
    let results = ended.json();
    let result = |name: &str| {
        let rows = results.as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(result("alpha"), "failed");
    assert_eq!(result("beta"), "passed", "its image needs no other");
    assert_eq!(result("gamma"), "passed");
}

#[test]
fn attestations_are_artifacts_as_the_setting_says() {
    let world = World::new();
    let output = |set: &[(&str, &str)]| {
        world.run_with("bake gamma --distro trixie", set).success();
        let text = world.read("target/xtask/targets.json");
        let defined: serde_json::Value = serde_json::from_str(&text).unwrap();
        defined["target"]["gamma-1_2-18-trixie"]["output"].to_string()
    };
    let plain = output(&[]);
    assert!(!plain.contains("false"), "{plain}");
    let never = output(&[("XTASK_BAKE_OCI_ARTIFACT", "never")]);
    assert!(
        never.contains(r#""oci-artifact":"false""#) || never.contains("oci-artifact=false"),
        "{never}"
    );
    // The lines of a dry run build the same: they write the definitions, and do not ask bake for others.
    let set = [("XTASK_BAKE_OCI_ARTIFACT", "never")];
    let lines = world
        .run_with("bake gamma --dry-run", &set)
        .success()
        .stdout;
    assert!(lines.contains("oci-artifact"), "{lines}");
}

#[test]
fn a_proxys_login_is_in_no_provenance() {
    let provenance = "*.attest=type=provenance,mode=min";
    let bake = |attest: &str, proxy: &str| {
        let world = World::new();
        let to = format!("\"attest\":[{attest}],\"context\":");
        world.docker.prints("gamma", "\"context\":", &to);
        let folder = world.home().join(".docker");
        fs::create_dir(&folder).unwrap();
        let proxies = format!(r#"{{"proxies": {{"default": {{"httpProxy": "{proxy}"}}}}}}"#);
        fs::write(folder.join("config.json"), proxies).unwrap();
        let ended = world.run("bake gamma").success();
        assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
        let call = world.calls.only(BUILD);
        let says = ended.stderr.contains("provenance without the arguments");
        assert_eq!(says, call.line().contains(provenance), "{}", call.line());
        says
    };
    let login = "http://u:s3cret@proxy:3128";
    // As buildx prints it, and as older ones did.
    assert!(bake(r#"{"mode":"max","type":"provenance"}"#, login));
    assert!(bake(r#""type=provenance,mode=max""#, login));
    assert!(!bake(r#""type=provenance,mode=max""#, "http://proxy:3128"));
    // Where no mode is named, BuildKit takes `max`.
    assert!(bake(r#"{"type":"provenance"}"#, login));
    assert!(!bake(
        r#"{"mode":"min","type":"provenance"},{"mode":"max","type":"sbom"}"#,
        login
    ));
}

#[test]
fn all_tags_are_in_the_results() {
    let world = World::new();
    world.docker.bake_writes(
        "gamma",
        r#"{"gamma-1_2-18-trixie":{"image.name":"localhost:5000/gamma:1.2-18-trixie,localhost:5000/gamma:1.2-202611260915-18-trixie",
            "containerimage.digest":"sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}}"#,
    );
    let baked = world
        .run("bake gamma --distro trixie --json")
        .success()
        .json();
    assert_eq!(
        baked[0]["tags"],
        serde_json::json!([
            "localhost:5000/gamma:1.2-18-trixie",
            "localhost:5000/gamma:1.2-202611260915-18-trixie"
        ])
    );
    let planned = world
        .run("targets --images --distro trixie --json")
        .success()
        .json();
    let mut planned = planned.as_array().unwrap().iter();
    let gamma = planned.find(|image| image["name"] == "gamma").unwrap();
    let tags = gamma["tags"].as_array().unwrap();
    assert!(
        tags[1]
            .as_str()
            .unwrap()
            .contains(":1.2-{YYYYMMDDhhmm}-18-trixie"),
        "{tags:?}"
    );
    assert_eq!(tags.len(), 2);
}
