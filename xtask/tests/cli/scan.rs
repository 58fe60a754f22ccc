// SPDX-License-Identifier: Apache-2.0
//! `scan`: what scanners are asked, and what becomes of what they find.

use serde_json::json;

use crate::cli::world::World;

const IMAGE: &str = "localhost:5000/gamma:1";
/// The end of the calls that leave a report in a file.
const REPORT: &str = r#"{"runs":[{"results":[{"level":"error"},{"level":"note"}]}]}"#;

/// Scanners that find something, and an image of one package.
fn world() -> World {
    let world = World::new();
    world
        .docker
        .labels(r#"{"io.cloudnativepg.image.base.os":"trixie"}"#);
    let package = "Package: libx1\nSource: x\nVersion: 1.2-3\n";
    world.docker.file("var/lib/dpkg/status.d/libx1", package);
    let reports = |at: &str| format!("printf '%s' '{REPORT}' > \"${at}\"\n");
    world.tools.fake("trivy", &reports("8"));
    world.tools.fake("grype", &reports("5"));
    world.tools.fake("dockle", &reports("7"));
    let lines = "cat \"$4\" >&2\necho 'CVE-2026-1 libx1 (fixed, medium urgency)'\n";
    world.tools.fake("debsecan", lines);
    world
}

#[test]
fn each_scanner_is_asked_in_its_own_way_and_its_report_stays() {
    let world = world();
    let args = [
        "scan",
        IMAGE,
        "--with",
        "debsecan,trivy,grype,dockle",
        "--json",
    ];
    let rows = world.run(args).success().json();
    let digest = format!("localhost:5000/gamma@sha256:{:064}", 1);
    let saved = world
        .calls
        .only("docker save --output target/xtask/scan/xtask-scan-");
    assert!(saved.to_string().ends_with(&digest), "{saved}");
    for (place, (scanner, end, counts)) in [
        ("trivy", "sarif", [1, 0, 1]),
        ("grype", "sarif", [1, 0, 1]),
        ("dockle", "sarif", [1, 0, 1]),
        ("debsecan", "txt", [0, 1, 0]),
    ]
    .into_iter()
    .enumerate()
    {
        let row = &rows[place];
        assert_eq!(
            (&row["scanner"], &row["result"]),
            (&json!(scanner), &json!("scanned"))
        );
        assert_eq!(
            json!([row["errors"], row["warnings"], row["notes"]]),
            json!(counts)
        );
        let report = row["report"].as_str().unwrap();
        let begin = "target/xtask/scan/localhost-5000-gamma-1-";
        assert!(report.starts_with(begin), "{report}");
        assert!(report.ends_with(&format!(".{scanner}.{end}")), "{report}");
        assert!(!world.read(report).is_empty());
    }
    world.calls.only(
        "trivy image --quiet --exit-code 0 --format sarif --output target/xtask/scan/xtask-scan-",
    );
    world
        .calls
        .only("grype --quiet --output sarif --file target/xtask/scan/xtask-scan-");
    world
        .calls
        .only("dockle --quiet --exit-code 0 --format sarif --output target/xtask/scan/xtask-scan-");
    world
        .calls
        .only("debsecan --format summary --status target/xtask/scan/xtask-scan-");
    let left = world.root().join("target/xtask/scan").read_dir().unwrap();
    assert_eq!(left.count(), 4, "the reports alone");
}

#[test]
fn what_is_found_fails_where_it_is_as_bad_as_the_user_says() {
    let world = world();
    let scan = |more: &str| world.run(format!("scan {IMAGE} --with debsecan {more}").as_str());
    scan("")
        .success()
        .says("0 errors, 1 warning, 0 notes; reports are in `target/xtask/scan`");
    scan("--fail-on error").success();
    scan("--fail-on warning --output reports")
        .status(1)
        .says("at least as bad as `--fail-on warning` allows: 1 in all")
        .says("localhost:5000/gamma:1: 1 (reports/localhost-5000-gamma-1-");
    scan("--fail-on none").status(2);
}

#[test]
fn two_images_have_two_reports() {
    let world = world();
    let report = |image: &str| {
        let args = ["scan", image, "--with", "debsecan", "--json"];
        world.run(args).success().json()[0]["report"].clone()
    };
    assert_ne!(
        report("localhost:5000/a/gamma:1"),
        report("localhost:5000/a-gamma:1")
    );
}

#[test]
fn a_scanner_that_could_not_look_has_not_found_nothing() {
    let world = world();
    world.tools.fails(
        "trivy image",
        1,
        "FATAL: failed to download vulnerability DB\n",
    );
    let ended = world
        .run(["scan", IMAGE, "--with", "trivy,debsecan"])
        .status(1);
    assert!(
        ended
            .stdout
            .contains("failed   localhost:5000/gamma:1  trivy     -"),
        "{}",
        ended.stdout
    );
    ended.says("failed to download vulnerability DB");
    // Its own settings may let it fail on what it has found, which it says by its status.
    world.tools.rule(
        "grype ",
        &format!("printf '%s' '{REPORT}' > \"$5\"; exit 2"),
    );
    world.run(["scan", IMAGE, "--with", "grype"]).success();
    // What an earlier run has left is no report of this one.
    world.run(["scan", IMAGE, "--with", "dockle"]).success();
    world.tools.rule("dockle ", "exit 0");
    let ended = world.run(["scan", IMAGE, "--with", "dockle"]).status(1);
    ended.says("`dockle` has left no report in SARIF: ");
    // Of an image that names no packages debsecan would find nothing wrong.
    let bare = World::new();
    bare.docker.labels("null");
    bare.tools.fake("debsecan", "exit 0\n");
    let ended = bare.run(["scan", IMAGE, "--with", "debsecan"]).status(1);
    ended.says("the image does not say which packages it is made of");
    bare.calls.never("debsecan");
}

/// What a clone says must not become a program.
#[test]
fn settings_choose_from_the_table_and_name_no_program() {
    let world = world();
    for name in ["sh", "/bin/sh", "./trivy", "trivy --config x", "-x"] {
        world.write("xtask.toml", &format!("[scan]\nwith = [\"{name}\"]\n"));
        world
            .run(["scan", IMAGE])
            .status(2)
            .says("it must be a list; `");
    }
    world.write(
        "xtask.toml",
        "[scan]\nwith = [\"debsecan\"]\ntracker = \"recorded\"\n",
    );
    world.run(["scan", IMAGE]).success();
    let source = format!(
        "--suite trixie --source file://{}/recorded",
        world.root().display()
    );
    let asked = world.calls.only("debsecan ").to_string();
    assert!(asked.ends_with(&source), "{asked}");
    world.write("xtask.toml", "");
    world
        .run(["scan", IMAGE])
        .status(2)
        .says("no scanner is chosen");
    world.tools.without("grype");
    let ended = world.run(["scan", IMAGE, "--with", "grype"]).status(3);
    ended.says("hint: install grype: https://github.com/anchore/grype#installation");
    let ended = world
        .run(["prereqs", "--for", "scan", "--set", "scan.with=grype"])
        .status(3);
    assert!(ended.stdout.contains("grype"), "{}", ended.stdout);
}
