// SPDX-License-Identifier: Apache-2.0
//! What `bake` asks of docker, in which order, and what it says when that goes wrong.

use std::fs;

use super::fixture::Fixture;

/// A logged call as the words that a shell would have made of the printed line.
fn logged(line: &str) -> Vec<String> {
    let (environment, rest) = line.split_once(" [").unwrap();
    let value = |name: &str| {
        let (_, rest) = environment.split_once(&format!("{name}=")).unwrap();
        rest.split(' ').next().unwrap().to_owned()
    };
    let mut words = vec![format!("registry={}", value("registry"))];
    if !value("provenance").is_empty() {
        words.push(format!(
            "BUILDX_METADATA_PROVENANCE={}",
            value("provenance")
        ));
    }
    words.push("docker".into());
    words.extend(rest.trim_end_matches(']').split("] [").map(str::to_owned));
    words
}

#[test]
fn one_extension_is_one_bake_for_this_machines_platform() {
    let fixture = Fixture::new();
    fixture
        .xtask(&["bake", "alpha"])
        .success()
        .says("this machine's platform")
        .says("2 images baked");
    let platform = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    assert_eq!(
        fixture.calls_of("[bake]"),
        [format!(
            "registry=localhost:5000 environment= provenance=disabled [buildx] [bake] [-f] [docker/bake.hcl] [-f] [extensions/alpha/metadata.hcl] \
             [--metadata-file] [target/xtask/bake/alpha.json] [--set] [*.platform=linux/{platform}]"
        )]
    );
}

#[test]
fn flags_and_variables_reach_bake() {
    let fixture = Fixture::new();
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
    fixture.answer("inspect", "Driver: docker-container\n");
    fixture
        .xtask_with(&args, &env)
        .success()
        .says("for linux/amd64 and linux/arm64: pushed to a registry that is not local");
    assert_eq!(
        fixture.calls_of("[bake]"),
        [
            "registry=ghcr.io/me environment=production provenance=disabled [buildx] [bake] [-f] [docker/bake.hcl] [-f] [extensions/alpha/metadata.hcl] \
          [--builder] [farm] [--metadata-file] [target/xtask/bake/alpha.json] [--no-cache] [--push] [--] [alpha-1_2-18-trixie]"
        ]
    );
}

#[test]
fn a_dry_run_prints_what_a_run_executes_and_touches_nothing() {
    let fixture = Fixture::new();
    let dry = fixture
        .xtask(&["bake", "--all", "--dry-run"])
        .success()
        .stdout;
    assert!(fixture.calls().is_empty(), "{:?}", fixture.calls());
    assert!(!fixture.exists("target"));
    let printed: Vec<Vec<String>> = dry
        .lines()
        .filter(|line| line.contains("docker buildx bake"))
        .map(|line| shell_words::split(line).unwrap())
        .collect();
    assert_eq!(printed.len(), 3);
    fixture.xtask(&["bake", "--all", "--jobs", "1"]).success();
    let run: Vec<Vec<String>> = fixture
        .calls_of("[bake]")
        .iter()
        .map(|line| logged(line))
        .collect();
    assert_eq!(printed, run);
}

#[test]
fn both_grammars_print_the_same_plan() {
    let fixture = Fixture::new();
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
            fixture.xtask(&task).success().stdout,
            fixture.xtask(&canonical).success().stdout
        );
    }
}

#[test]
fn a_dependency_is_baked_before_what_needs_it() {
    let fixture = Fixture::new();
    fixture.xtask(&["bake", "beta", "alpha"]).success();
    assert_eq!(
        fixture.order(),
        ["start alpha", "end alpha", "start beta", "end beta"]
    );
}

#[test]
fn independent_bakes_run_side_by_side_unless_told_otherwise() {
    let fixture = Fixture::new();
    // Neither ends before both have started.
    fixture.answer("barrier", "2");
    fixture.xtask(&["bake", "alpha", "gamma"]).success();
    let serial = Fixture::new();
    serial
        .xtask(&["bake", "alpha", "gamma", "--jobs", "1"])
        .success();
    assert_eq!(
        serial.order(),
        ["start alpha", "end alpha", "start gamma", "end gamma"]
    );
}

#[test]
fn a_failure_stops_the_rest_unless_told_to_keep_going() {
    let fixture = Fixture::new();
    fixture.answer(
        "fail.alpha",
        "#7 1.2 E: Version '1.2' for 'x' was not found\n#7 ERROR: exit code: 100\n",
    );
    let ended = fixture
        .xtask(&["bake", "--all", "--jobs", "1", "--metadata-file", "all.json"])
        .status(1)
        .says("failed to bake `alpha` (pg 18, bookworm; pg 18, trixie)")
        .says("command: registry=localhost:5000 BUILDX_METADATA_PROVENANCE=disabled docker buildx bake -f docker/bake.hcl")
        .says("exited with status 17")
        .says("was not found")
        .says("update `package` in metadata.hcl");
    assert_eq!(fixture.order(), ["start alpha", "end alpha"]);
    assert!(!fixture.exists("all.json"));
    let log = ended
        .stderr
        .split("full log: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    assert!(
        fs::read_to_string(fixture.root().join(log))
            .unwrap()
            .contains("exit code: 100")
    );

    let going = Fixture::new();
    going.answer("fail.alpha", "error: no\n");
    going
        .xtask(&["bake", "--all", "--jobs", "1", "--keep-going"])
        .status(1);
    assert_eq!(
        going.order(),
        ["start alpha", "end alpha", "start gamma", "end gamma"],
        "beta needs alpha"
    );
}

#[test]
fn a_registry_that_is_down_is_a_missing_service() {
    let fixture = Fixture::new();
    fixture.answer("fail.alpha", "ERROR: failed to push localhost:5000/alpha: dial tcp 127.0.0.1:5000: connect: connection refused\n");
    fixture
        .xtask(&["bake", "alpha", "--push"])
        .status(3)
        .says("nothing answers at the registry");
}

#[test]
fn the_metadata_files_are_merged_into_the_users_own() {
    let fixture = Fixture::new();
    fixture
        .xtask(&["bake", "alpha", "gamma", "--metadata-file", "deep/all.json"])
        .success();
    let text = fs::read_to_string(fixture.root().join("deep/all.json")).unwrap();
    for target in ["alpha-1_2-18-trixie", "gamma-1_2-18-bookworm"] {
        assert!(text.contains(target), "{text}");
    }
    // Relative to where the user stands, not to the root.
    let output = fixture
        .command(&["bake", "alpha", "--metadata-file", "here.json"])
        .current_dir(fixture.root().join("docker"))
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(fixture.exists("docker/here.json"));
}

#[test]
fn superseded_tags_are_dropped_and_others_are_not() {
    let fixture = Fixture::new();
    fixture.answer("tags", "1.2-18-trixie\n1.2-202601010000-18-trixie\n1.2-202602020000-18-trixie\n1.2-202601010000-18-bookworm\nmine\n");
    fixture
        .xtask(&["bake", "alpha", "--distro", "trixie"])
        .success();
    let removed = fixture.calls_of("[image] [rm]");
    assert_eq!(removed.len(), 1, "{removed:?}");
    assert!(
        removed[0].ends_with(
            "[image] [rm] [--] [localhost:5000/alpha-testing:1.2-202601010000-18-trixie]"
        ),
        "{removed:?}"
    );
}

#[test]
fn results_are_json_when_asked_for() {
    let fixture = Fixture::new();
    fixture.answer(
        "sizes",
        "localhost:5000/alpha-testing:1.2-18-trixie\t1.25MB\n",
    );
    let images = fixture
        .xtask(&["bake", "alpha", "--distro", "trixie", "--json"])
        .success()
        .json();
    assert_eq!(
        images[0]["image"],
        "localhost:5000/alpha-testing:1.2-18-trixie"
    );
    assert_eq!(images[0]["digest"], format!("sha256:{}", "ab".repeat(32)));
    assert_eq!(images[0]["size"], "1.25MB");
    let events = fixture
        .xtask(&["bake", "alpha", "--format", "json"])
        .success();
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
    let fixture = Fixture::new();
    fixture.answer("fail.alpha", "ERROR: no\n");
    let ended = fixture
        .xtask(&[
            "bake",
            "--all",
            "--distro",
            "trixie",
            "--keep-going",
            "--json",
        ])
        .status(1);
    let results = ended.json();
    let result = |name: &str| {
        let rows = results.as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(result("alpha"), "failed");
    assert_eq!(result("beta"), "not run", "it needs alpha");
    assert_eq!(result("gamma"), "passed");
}
