// SPDX-License-Identifier: Apache-2.0
//! Runs on a page (`report`), and those that are still there (`runs`).

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::{Value, json};

use crate::cli::world::{World, end_by, wait_for};

/// The folders of runs, the oldest first.
fn runs(world: &World) -> Vec<PathBuf> {
    let all = fs::read_dir(world.root().join("target/xtask/runs")).unwrap();
    let mut all: Vec<PathBuf> = all.map(|run| run.unwrap().path()).collect();
    all.sort();
    all
}

/// The report of the only run.
#[track_caller]
fn report(world: &World) -> String {
    let all = runs(world);
    assert_eq!(all.len(), 1, "{all:?}");
    let path = all[0].join("report.html");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    fs::read_to_string(path).unwrap()
}

/// Puts a run with this name and id there, whose record says what others say and this.
fn put(world: &World, name: &str, more: &Value) {
    let mut record = json!({"id": &name[11..], "version": "0.1.0", "command": "smoke", "arguments": ["smoke", "--all"],
        "started": format!("2026-01-02T03:04:{}.678Z", &name[8..10]), "ended": "2026-01-02T03:04:15.678Z", "seconds": 10.0, "exit_code": 0,
        "failure": null, "plans": [], "steps": [], "result": null});
    for (key, value) in more.as_object().unwrap() {
        record[key] = value.clone();
    }
    let folder = world.root().join("target/xtask/runs").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("run.json"), record.to_string()).unwrap();
}

const FIRST: &str = "1700000001-aa00000000000001";
const SECOND: &str = "1700000002-ab00000000000002";

fn row(result: &str, digest: &str) -> Value {
    json!({"result": [{"name": "alpha", "distro": "trixie", "pg_major": "18", "result": result, "digest": digest, "size": "1MB"}]})
}

#[test]
fn a_failing_run_leaves_a_page_with_cause_command_and_log() {
    let world = World::new();
    world.docker.bake_fails(
        "alpha",
        "ERROR: </pre><script>alert(1)</script>\nthat was it\n",
    );
    world.run("smoke alpha beta --jobs 1").status(1);
    let page = report(&world);
    for part in [
        "failed to bake `alpha`",
        "docker buildx bake",
        "that was it",
        "with status 17 after",
        "<a href=\"./bake-alpha.log\">",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ] {
        let part = part.replace("`alpha`", "<code>alpha</code>");
        assert!(page.contains(&part), "{part} in {page}");
    }
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn a_good_run_has_its_results_and_is_compared_with_the_one_before() {
    let world = World::new();
    world
        .docker
        .sizes("localhost:5000/alpha-testing:1.2-18-trixie\t1.25MB\n");
    let args = "smoke alpha --distro trixie";
    world.run(args).success();
    let page = report(&world);
    for part in [
        "18-trixie",
        "1.25MB",
        "smoke alpha 18-trixie",
        "What the end waited for",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("Since the run before"), "{page}");
    world.tools.fails("docker run", 1, "ERROR:  it broke\n");
    world.run((args, "--retest")).status(1);
    let page = world.run("report").success().stdout;
    let page = fs::read_to_string(world.root().join(page.trim())).unwrap();
    for part in [
        "Since the run before",
        "the same command",
        "<span class=\"worse\">failed</span>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn what_builds_nothing_leaves_no_page_and_reads_no_foreign_ones() {
    let world = World::new();
    world.run("targets").success();
    world.run("runs").success().says("there are no runs yet");
    world
        .run("report")
        .status(2)
        .says("there are no runs in `target/xtask/runs`");
    assert!(!world.root().join("target/xtask/runs").exists());
}

#[test]
fn a_page_is_made_again_of_any_run_and_its_path_is_data() {
    let world = World::new();
    put(&world, FIRST, &row("passed", "sha256:1"));
    put(&world, SECOND, &row("failed", "sha256:2"));
    let path = format!("target/xtask/runs/{SECOND}/report.html");
    assert_eq!(world.run("report").success().stdout, format!("{path}\n"));
    let page = fs::read_to_string(world.root().join(&path)).unwrap();
    assert!(
        page.contains("sha256:2") && page.contains("Since the run before"),
        "{page}"
    );
    let first = world.run(["report", &FIRST[11..15]]).success();
    assert_eq!(
        first.stdout,
        format!("target/xtask/runs/{FIRST}/report.html\n")
    );
    let elsewhere = world
        .run_in("extensions", ["report", &SECOND[11..]])
        .success();
    assert_eq!(
        elsewhere.stdout,
        format!("{}\n", world.root().join(&path).display())
    );
    for (run, said) in [
        ("a", "2 runs begin with `a`"),
        ("zz", "no run in `target/xtask/runs` begins with `zz`"),
        ("../x", "begins with `../x`"),
    ] {
        world.run(["report", run]).status(2).says(said);
    }
    world
        .run("report --open")
        .status(3)
        .says("`xdg-open`, which opens files")
        .says("open the file by hand");
    world.tools.fake("xdg-open", "exit 0\n");
    world.run("report --open").success();
    let open = world.calls.only("xdg-open").line();
    assert_eq!(
        open,
        format!("xdg-open {}", world.root().join(&path).display())
    );
}

#[test]
fn a_record_that_is_none_is_said_and_the_others_are_listed() {
    let world = World::new();
    put(&world, FIRST, &json!({}));
    put(&world, SECOND, &json!({"exit_code": null, "ended": null}));
    let broken = world
        .root()
        .join("target/xtask/runs/1700000003-ac00000000000003");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("run.json"), "{\"id\":").unwrap();
    let listed = world
        .run("runs --json")
        .success()
        .says("is no record of a run");
    let listed = listed.json();
    let of = |field: &str| -> Vec<String> {
        let all = listed.as_array().unwrap().iter();
        all.map(|run| run[field].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(of("id"), [&SECOND[11..], &FIRST[11..]]);
    assert_eq!(of("result"), ["killed", "passed"]);
    world
        .run("report ac")
        .status(2)
        .says("is no record of a run");
    let text = world.run("runs").success().stdout;
    assert!(
        text.starts_with("RUN") && text.contains("aa000000  passed"),
        "{text}"
    );
}

#[test]
fn a_run_that_goes_on_is_one_and_a_killed_one_has_a_page_too() {
    let world = World::new();
    world.docker.bake_hangs("alpha");
    let child = world.started("bake alpha");
    wait_for("the step in the record", || {
        let text = fs::read_to_string(runs(&world)[0].join("run.json")).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        let steps = record["steps"].as_array().unwrap();
        steps
            .iter()
            .any(|step| step["name"] == "bake alpha" && step["started"].is_string())
    });
    let listed = world.run("runs --json").success().json();
    assert_eq!(listed[0]["result"], "running");
    world
        .run("runs prune --newest 0")
        .success()
        .says("there is nothing to remove");
    world.run("report").success();
    assert!(report(&world).contains("went on when the page was made"));
    end_by("-KILL", child);
    let left = fs::read_to_string(world.state("hanging")).unwrap();
    let group = format!("-{}", left.trim());
    std::process::Command::new("kill")
        .args(["-KILL", "--", &group])
        .status()
        .unwrap();
    world.run("report").success();
    let page = report(&world);
    assert!(
        page.contains("it was killed") && page.contains("it had not ended"),
        "{page}"
    );
}

#[test]
fn two_runs_are_compared() {
    let world = World::new();
    put(&world, FIRST, &row("passed", "sha256:1"));
    put(&world, SECOND, &row("failed", "sha256:2"));
    let compared = world
        .run(["runs", "compare", FIRST, "--json"])
        .success()
        .json();
    assert_eq!(
        compared["changes"],
        json!([
            {"of": "alpha 18-trixie", "what": "result", "before": "passed", "now": "failed"},
            {"of": "alpha 18-trixie", "what": "digest", "before": "sha256:1", "now": "sha256:2"},
        ])
    );
    let same = world.run(["runs", "compare", FIRST, FIRST]).success();
    same.says("is as").says("was");
}

#[test]
fn old_runs_go_when_they_are_to_and_what_is_kept_stays() {
    let world = World::new();
    put(&world, FIRST, &json!({}));
    put(&world, SECOND, &json!({}));
    fs::create_dir(world.root().join("target/xtask/runs/notes")).unwrap();
    fs::create_dir_all(world.root().join("target/xtask/e2e")).unwrap();
    fs::write(world.root().join("target/xtask/e2e/last-tests"), FIRST).unwrap();
    world
        .run("runs prune")
        .success()
        .says("there is nothing to remove");
    let old = ["runs", "prune", "--older-than", "7days"];
    world
        .run((&old[..], "--dry-run"))
        .success()
        .says("1 run would be removed");
    assert_eq!(runs(&world).len(), 3);
    let gone = world.run((&old[..], "--json")).success().json();
    assert_eq!(gone[0]["folder"], format!("target/xtask/runs/{SECOND}"));
    assert_eq!(
        (&gone[0]["removed"], gone.as_array().unwrap().len()),
        (&json!(true), 1)
    );
    let left: Vec<_> = runs(&world)
        .iter()
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(left, [FIRST, "notes"]);
    world
        .run("runs prune --newest 1 --older-than 1day")
        .status(2);
    world.run("runs prune --older-than soon").status(2);
}

#[test]
fn a_step_summary_says_the_essentials_and_where_the_page_is() {
    let world = World::new();
    world.docker.bake_fails("alpha", "ERROR: no\n");
    let summary = world.root().join("summary.md");
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    world.run_with("bake alpha", &variables).status(1);
    let text = fs::read_to_string(&summary).unwrap();
    let folder = runs(&world)[0]
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    for part in [
        "**cargo xtask bake alpha**: failed in ".to_owned(),
        format!("`target/xtask/runs/{folder}/report.html`"),
        "- **bake alpha**: failed to bake \\`alpha\\`".to_owned(),
        "ERROR&#58; no".to_owned(),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
}

/// Puts a run of a thousand steps there, on eight places, with an image for each of four servers.
fn put_large(world: &World) {
    let time =
        |seconds: usize| format!("2026-01-02T03:{:02}:{:02}.000Z", seconds / 60, seconds % 60);
    let (mut steps, mut results) = (Vec::new(), Vec::new());
    for at in 0..1_000 {
        let (place, name) = (at % 8, at / 5);
        let before: Vec<usize> = (at % 5 > 0).then_some(at - at % 5).into_iter().collect();
        let verdict = if at % 97 == 1 { "failed" } else { "passed" };
        let title = match at % 5 {
            0 => format!("bake extension-{name}"),
            server => format!("smoke extension-{name} {}-trixie", 14 + server),
        };
        steps.push(json!({"id": at, "name": title, "after": before, "after_end_of": [], "command": "docker run", "quiet": at % 5 == 0,
            "pool": null, "proof": null, "started": time(1 + at / 8 * 2 + place % 2), "ended": null, "seconds": 2.0,
            "outcome": verdict, "reason": null, "failure": null, "log": null, "retried": null}));
        if at % 5 > 0 {
            results.push(json!({"name": format!("extension-{name}"), "distro": "trixie", "pg_major": (14 + at % 5).to_string(),
                "result": verdict, "digest": format!("sha256:{at:064}"), "size": "1MB", "proof": "3 rows", "seconds": 2.0}));
        }
    }
    let plans = json!([{"first": 0, "began": time(1), "at_once": 8, "pools": {}}]);
    let more = json!({"seconds": 260.0, "started": time(0), "exit_code": 1, "plans": plans, "steps": steps, "result": results,
        "failure": {"kind": "failed", "message": "smoke failed", "cause": null, "command": null, "details": [], "hint": null}});
    put(world, "1700000009-1a00000000000009", &more);
}

/// Pages of runs of all kinds, each by its name with what must be on it, in the world's root.
fn pages(world: &World) -> Vec<String> {
    let mut pages = Vec::new();
    let mut page = |name: &str, run: &str, texts: &str| {
        let made = world.run(["report", run]).success().stdout;
        let to = world.root().join(format!("{name}.html"));
        fs::copy(world.root().join(made.trim()), &to).unwrap();
        pages.push(format!("{}={texts}", to.display()));
    };
    world
        .docker
        .sizes("localhost:5000/alpha-testing:1.2-18-trixie\t1.25MB\n");
    world.run("smoke --all").success();
    page(
        "good",
        "latest",
        "1.25MB|What the end waited for|smoke alpha 18-trixie",
    );
    world
        .docker
        .bake_fails("alpha", "ERROR: </script><script>alert(1)</script>\n");
    world.run("smoke --all").status(1);
    let failed = world
        .root()
        .join(world.run("report").success().stdout.trim());
    let failed = failed.parent().unwrap();
    fs::create_dir(failed.join("bake-alpha")).unwrap();
    fs::write(failed.join("bake-alpha/pods"), "pod/alpha-1   Pending\n").unwrap();
    page(
        "failed",
        "latest",
        "What failed|Since the run before|pod/alpha-1|<script>alert(1)</script>",
    );
    put(
        world,
        "1700000005-2a00000000000005",
        &json!({"exit_code": null, "ended": null, "seconds": null}),
    );
    page("killed", "2a", "it was killed");
    put_large(world);
    page("large", "1a", "All 1000 steps|that passed everywhere");
    pages
}

#[ignore = "needs Node and a browser: lane report"]
#[test]
fn a_browser_shows_reports_of_all_kinds() {
    let world = World::new();
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let ended = std::process::Command::new(variable("XTASK_TEST_NODE"))
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/browser/look.mjs"
        ))
        .args([variable("XTASK_TEST_BROWSER"), variable("XTASK_TEST_TOOLS")])
        .arg(std::env::var("XTASK_TEST_PICTURES").unwrap_or_else(|_| "-".to_owned()))
        .args(pages(&world))
        .status();
    assert!(ended.unwrap().success(), "what was found is above");
}
