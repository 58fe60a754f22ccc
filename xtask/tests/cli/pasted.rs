// SPDX-License-Identifier: Apache-2.0
//! A dry run's lines, pasted into a shell, do what the run does.

use std::fs;

use crate::cli::world::{BUILD, Call, World, metadata};

const TOOLS: &[&str] = &[
    "awk", "cat", "cp", "jq", "mkdir", "rm", "sort", "tar", "xargs",
];

const TAGS: &str = "1.2-18-trixie\n1.2-202601010000-18-trixie\n1.2-202602020000-18-trixie\n1.2-202512010000-18-trixie\n11.2-202601010000-18-trixie\nmine\n";

/// The questions to bake, of which several are asked at once.
fn asked(world: &World) -> Vec<String> {
    let calls = world.calls.of("print ");
    let mut lines: Vec<String> = calls.iter().map(Call::to_string).collect();
    lines.sort();
    lines
}

/// The log with what differs from call to call replaced: a process number, a digest for a tag. Sorted: what follows each
/// image of one call of bake runs side by side.
fn comparable(world: &World) -> Vec<String> {
    let digest = format!("@sha256:{}", "ab".repeat(32));
    let calls = world.calls.of_work();
    let mut lines: Vec<String> = calls.iter().map(Call::to_string).collect();
    // Before it pushes a run looks what the registry has.
    lines.retain(|line| !line.starts_with("docker buildx imagetools inspect --raw"));
    for line in &mut lines {
        *line = line.replace(&digest, ":1.2-18-trixie");
        for mark in [
            "xtask-smoke-",
            "xtask-data-",
            "xtask-inspect-",
            "xtask.run=",
        ] {
            while let Some(at) = line.find(mark) {
                let rest = &line[at + mark.len()..];
                let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
                *line = format!("{}xtask_{}", &line[..at], &rest[digits..]);
            }
        }
    }
    lines.sort();
    lines
}

/// What the calls were given to read: a test's script and proof.
fn read(world: &World) -> Vec<String> {
    let calls = world.calls.of_work().into_iter();
    let mut read: Vec<String> = calls.map(|call| call.stdin).collect();
    read.sort();
    assert!(read.iter().any(|text| !text.is_empty()));
    read
}

fn json(world: &World, file: &str) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(world.root().join(file)).unwrap()).unwrap()
}

#[test]
fn a_bake() {
    let args = [
        "bake",
        "--all",
        "--push",
        "--no-cache",
        "--metadata-file",
        "all.json",
    ];
    // In one call, and one call after the other.
    for jobs in [&[][..], &["--jobs", "1"]] {
        let args = [&args[..], jobs].concat();
        let (run, pasted) = (World::new(), World::new());
        for world in [&run, &pasted] {
            world.docker.tags(TAGS);
            world.write(
                "xtask.toml",
                "registry = \"here:5000/me\"\nrevision = \"it's $HOME\"\n",
            );
        }
        let dry = pasted.run((&args, "--dry-run")).success().stdout;
        pasted.calls.forget();
        run.run(&args).success();
        pasted.shell(&dry, TOOLS).success();
        assert_eq!(comparable(&run), comparable(&pasted), "{dry}");
        assert_eq!(asked(&run), asked(&pasted), "{dry}");
        assert_eq!(pasted.calls.bakes(), run.calls.bakes(), "{dry}");
        assert_eq!(json(&run, "all.json"), json(&pasted, "all.json"));
        let removed = "docker image rm -- here:5000/me/alpha-testing:1.2-202512010000-18-trixie here:5000/me/alpha-testing:1.2-202601010000-18-trixie";
        let lines: Vec<String> = run.calls.of_work().iter().map(Call::line).collect();
        assert!(lines.iter().any(|line| line == removed), "{lines:#?}");
    }
}

#[test]
fn a_bake_whose_metadata_file_lies_in_a_folder_that_is_not_there() {
    let world = World::new();
    let args = [
        "bake",
        "alpha",
        "--metadata-file",
        "deep/down/all.json",
        "--dry-run",
    ];
    let dry = world.run(args).success().stdout;
    world.shell(&dry, TOOLS).success();
    assert!(world.exists("deep/down/all.json"), "{dry}");
}

#[test]
fn a_smoke_test() {
    for (mount, is_kept) in [("image", true), ("copy", true), ("image", false)] {
        let environment = [("XTASK_SMOKE_MOUNT", mount)];
        let args = ["smoke", "beta", "--distro", "trixie"];
        let (run, pasted) = (World::new(), World::new());
        for world in [&run, &pasted] {
            if !is_kept {
                world.docker.keeps_no_data();
                world
                    .docker
                    .data_directories(&["sha256:01d", "sha256:0a mine:1"]);
            }
            let odd = [
                ("required_extensions", "[\"alpha\"]"),
                (
                    "postgresql_parameters",
                    "{ \"x.y\" = \"it's $HOME \\\"here\\\"\" }",
                ),
            ];
            world.extension("beta", &metadata("beta", &odd));
            world.write(
                "extensions/beta/smoke.sql",
                "SELECT 'it''s', $$a\nb$$, \"c\\d\";\n",
            );
        }
        let dry = pasted
            .run_with((&args, "--dry-run"), &environment)
            .success()
            .stdout;
        pasted.calls.forget();
        run.run_with(args, &environment).success();
        pasted.shell(&dry, TOOLS).success();
        assert_eq!(comparable(&run), comparable(&pasted), "{dry}");
        assert_eq!(asked(&run), asked(&pasted), "{dry}");
        for world in [&run, &pasted] {
            let test = if mount == "copy" {
                "docker start"
            } else {
                "docker run --rm"
            };
            world.calls.in_order(&[BUILD, test]);
        }
        assert_eq!(read(&run), read(&pasted));
        assert!(!run.exists("target/xtask/smoke/xtask-smoke"), "{mount}");
    }
}

#[test]
fn an_inspection() {
    let args = ["inspect", "localhost:5000/gamma:1"];
    let (run, pasted) = (World::new(), World::new());
    for world in [&run, &pasted] {
        world.docker.labels("null");
        world.docker.file("lib/gamma.so", "1234");
    }
    let dry = pasted.run((&args, "--dry-run")).success().stdout;
    run.run(args).success();
    let ended = pasted.shell(&format!("set -e\n{dry}"), TOOLS).success();
    assert!(ended.stdout.contains("lib/gamma.so"), "{}", ended.stdout);
    assert_eq!(comparable(&run), comparable(&pasted), "{dry}");
    let left = pasted.root().join("target/xtask/inspect");
    assert_eq!(left.read_dir().unwrap().count(), 0);
}

/// Each of these once ended the text that it stands in: a heredoc's delimiter, a file without a final end
/// of line, and quotes.
#[test]
fn a_proof_that_looks_like_the_end_of_a_script() {
    for mount in ["image", "copy"] {
        let environment = [("XTASK_SMOKE_MOUNT", mount)];
        let args = ["smoke", "gamma", "--no-bake", "--distro", "trixie"];
        let (run, pasted) = (World::new(), World::new());
        for world in [&run, &pasted] {
            let sql = "SELECT 1;\nXTASK_EOF\ntouch injected\n'$(touch injected)`touch injected`\\\n-- %s %%\u{1b}[1m\u{202e}";
            world.write("extensions/gamma/smoke.sql", sql);
        }
        let dry = pasted
            .run_with((&args, "--dry-run"), &environment)
            .success()
            .stdout;
        assert!(!dry.contains(['\u{1b}', '\u{202e}']), "{dry:?}");
        run.run_with(args, &environment).success();
        let ended = pasted
            .shell(&format!("set -e\n{dry}echo the end"), TOOLS)
            .success();
        assert!(ended.stdout.ends_with("the end\n"), "{}", ended.stdout);
        assert!(!pasted.exists("injected"));
        assert_eq!(comparable(&run), comparable(&pasted), "{dry}");
        assert_eq!(read(&run), read(&pasted));
    }
}

#[test]
fn a_metadata_file_whose_name_looks_like_an_option() {
    let world = World::new();
    let dry = world
        .run("bake gamma --metadata-file=-m.json --dry-run")
        .success()
        .stdout;
    world.shell(&dry, TOOLS).success();
    assert!(world.exists("-m.json"), "{dry}");
}

#[test]
fn the_metadata_file_of_an_empty_share() {
    let bake = "bake gamma --distro trixie --shard 9/9 --metadata-file deep/m.json";
    let world = World::new();
    world.run(bake).success();
    let (lines, written) = (
        world.run((bake, "--dry-run")).success().stdout,
        World::new(),
    );
    written.shell(&lines, TOOLS).success();
    assert_eq!(written.read("deep/m.json"), world.read("deep/m.json"));
}

#[test]
fn printing_needs_no_tool_and_leaves_no_trace() {
    let world = World::new();
    world.tools.without("docker");
    let before = world.files();
    for args in [
        &["bake", "--all", "--dry-run"][..],
        &[
            "bake",
            "alpha",
            "--push",
            "--metadata-file",
            "m.json",
            "--dry-run",
        ],
        &["smoke", "--all", "--dry-run"],
        &[
            "smoke",
            "gamma",
            "--image",
            "x/y:1",
            "--distro",
            "trixie",
            "--dry-run",
        ],
        &["smoke", "beta", "--no-bake", "--dry-run"],
        &["DRY_RUN=true"],
        &["bake:all", "DRY_RUN=true", "PUSH=true"],
        &["smoke:all", "DRY_RUN=true"],
    ] {
        let lines = world.run(args).success().stdout;
        assert!(lines.contains("docker "), "{args:?}: {lines}");
    }
    assert_eq!(world.files(), before);
}
