// SPDX-License-Identifier: Apache-2.0
//! `versions`: what base images are asked for, what is said of the answers, and what is written.

use serde_json::{Value, json};

use crate::cli::world::{World, metadata};

const GAMMA: &str = "extensions/gamma/metadata.hcl";

/// What the script prints in a base image for the pins of these tests: `bookworm` has no newer one.
const PRINTED: &str = "postgresql-18-gamma=1.2-1.pgdg13+1\t1:1.10-1.pgdg13+2\tnewer\n\
                       postgresql-18-gamma=1.2-1.pgdg12+1\t1.2-1.pgdg12+1\tsame\n\
                       other=1\t2\tnewer\n\
                       postgresql-18-gamma=1.2-1.pgdg13+1\t2\u{1b}[2J\tnewer\n\
                       postgresql-18-gamma=1:1.10-1.pgdg13+2\n\
                       postgresql-18-gamma=1:1.10-1.pgdg13+2\tgamma\tdefault_version = '1.9'\n\
                       postgresql-18-gamma=1:1.10-1.pgdg13+2\tsize\t746\t274984\n\
                       postgresql-18-gamma=1.2-1.pgdg13+1\tsize\tmany\t1\n\
                       postgresql-18-gamma=1:1.10-1.pgdg13+2\tgamma\tscript 1.2--1.5\n\
                       postgresql-18-gamma=1:1.10-1.pgdg13+2\tgamma\tscript 1.5--1.9\n\
                       postgresql-18-gamma=1:1.10-1.pgdg13+2\tgamma\tscript 1.9\n\
                       postgresql-18-gamma=1.2-1.pgdg12+1\n\
                       postgresql-18-gamma=1.2-1.pgdg12+1\tgamma\tdefault_version = '1.2'\n";

fn versions(sql: &str) -> String {
    let pin = |distro: &str, number: u8| {
        format!(
            "    {distro} = {{\n      \"18\" = {{\n        // renovate: suite={distro}-pgdg depName=postgresql-18-gamma\n        package = \"1.2-1.pgdg{number}+1\"   # kept\n        sql     = \"{sql}\"\n      }}\n    }}\n"
        )
    };
    format!("{{\n{}{}  }}", pin("trixie", 13), pin("bookworm", 12))
}

/// `gamma` is pinned for two distros.
fn world() -> World {
    let world = World::new();
    world.extension(
        "gamma",
        &metadata("gamma", &[("versions", &versions("1.2"))]),
    );
    world.docker.has_newest(PRINTED);
    world
}

fn state(rows: &Value, distro: &str) -> Value {
    let rows = rows.as_array().unwrap();
    let row = rows.iter().find(|row| row["distro"] == distro);
    row.unwrap()["state"].clone()
}

#[test]
fn each_pin_is_shown_beside_the_newest_of_its_base_image() {
    let world = world();
    let before = world.read(GAMMA);
    let ended = world.run("versions gamma --json").success();
    let rows = ended.json();
    let trixie = &rows.as_array().unwrap()[1];
    assert_eq!(
        *trixie,
        json!({
            "state": "outdated", "name": "gamma", "distro": "trixie", "pg_major": "18",
            "debian_package": "postgresql-18-gamma",
            "pinned": { "package": "1.2-1.pgdg13+1", "sql": "1.2" },
            "newest": { "package": "1:1.10-1.pgdg13+2", "sql": "1.9" },
            "update_path": ["1.2", "1.5", "1.9"],
            "sizes": { "pinned": null, "newest": { "installed": 763_904, "download": 274_984 } },
        }),
        "{rows:#}"
    );
    assert_eq!(state(&rows, "bookworm"), "current");
    ended.says("1 of 2 pins are behind: `--update` writes what is newest");
    assert_eq!(world.read(GAMMA), before, "nothing is written");
    let calls = world.calls.of("docker run ");
    assert_eq!(calls.len(), 2, "one for each base image");
    for call in &calls {
        let line = call.line();
        assert!(line.contains("docker run --rm --user 0 --entrypoint sh --name xtask-versions-"));
        assert!(
            line.contains(" versions postgresql-18-gamma=1.2-1.pgdg1"),
            "{line}"
        );
    }
    let table = world.run("versions gamma").success();
    assert!(
        table.stdout.contains("1:1.10-1.pgdg13+2 (SQL 1.9)"),
        "{}",
        table.stdout
    );
}

#[test]
fn an_update_changes_the_two_values_and_nothing_else() {
    let world = world();
    let before = world.read(GAMMA);
    let ended = world.run("versions --all --update --json").success();
    let expected = before
        .replace("\"1.2-1.pgdg13+1\"", "\"1:1.10-1.pgdg13+2\"")
        .replacen("sql     = \"1.2\"", "sql     = \"1.9\"", 1);
    assert_eq!(world.read(GAMMA), expected);
    let rows = ended.json();
    let gamma: Vec<&Value> = rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["name"] == "gamma")
        .collect();
    assert_eq!(gamma[0]["state"], "current");
    assert_eq!(gamma[1]["state"], "updated");
    ended.says("1 of ");
    // A dry run asks and writes nothing.
    let asked = world.calls.of("docker run ").len();
    let dry = world.run("versions gamma --update --dry-run").success();
    let said = "cargo xtask versions gamma --update --distro bookworm,trixie --pg 18\n";
    assert!(dry.stdout.contains(said), "{}", dry.stdout);
    assert_eq!(world.calls.of("docker run ").len(), asked);
    assert_eq!(world.read(GAMMA), expected);
}

#[test]
fn a_pull_request_says_what_changes_for_images_and_for_databases() {
    let world = world();
    let asked = world.run("versions gamma --pr-body").success();
    let packages = "### Newer packages\n\n| EXTENSION | PG | DISTRO | PACKAGE | INSTALLED | DOWNLOAD |\n\
                    | --- | --- | --- | --- | --- | --- |\n\
                    | gamma | 18 | trixie | 1.2-1.pgdg13+1 → 1:1.10-1.pgdg13+2 | - → 763.9 kB | - → 274.9 kB |\n\n";
    let versions = "### SQL versions\n\n| EXTENSION | PG | DISTRO | SQL VERSION | ALTER EXTENSION … UPDATE |\n\
                    | --- | --- | --- | --- | --- |\n\
                    | gamma | 18 | trixie | 1.2 → 1.9 | 1.2 → 1.5 → 1.9 (2 scripts) |\n\n";
    let body = format!("{packages}{versions}");
    assert_eq!(asked.stdout, body);
    let updated = world.run("versions gamma --update --pr-body").success();
    assert_eq!(updated.stdout, body);
    // Now all is the newest: there is nothing to ask for.
    let printed = PRINTED.replace(
        "=1.2-1.pgdg13+1\t1:1.10-1.pgdg13+2\tnewer",
        "=1:1.10-1.pgdg13+2\t1:1.10-1.pgdg13+2\tsame",
    );
    world.docker.has_newest(&printed);
    let none = world.run("versions gamma --update --pr-body").success();
    assert_eq!(none.stdout, "");
    none.says("2 of 2 pins are the newest");
    world.run("versions gamma --pr-body --json").status(2);
}

#[test]
fn an_sql_version_that_no_script_leads_to_is_said() {
    let world = world();
    world
        .docker
        .has_newest(&PRINTED.replace("script 1.5--1.9", "script 1.5--1.8"));
    let body = world.run("versions gamma --pr-body").success().stdout;
    let said = "| 1.2 → 1.9 | no script leads there, so a database stays at 1.2 |";
    assert!(body.contains(said), "{body}");
    let rows = world.run("versions gamma --json").success().json();
    assert_eq!(rows[1]["update_path"], json!([]));
}

#[test]
fn an_sql_version_that_the_package_does_not_make_is_found() {
    let world = world();
    world.extension(
        "gamma",
        &metadata("gamma", &[("versions", &versions("1.3"))]),
    );
    let rows = world.run("versions gamma --json").success().json();
    assert_eq!(state(&rows, "bookworm"), "other-sql");
    world
        .run("versions gamma --update --distro bookworm")
        .success();
    let text = world.read(GAMMA);
    assert!(
        text.contains("\"1.2-1.pgdg12+1\"   # kept\n        sql     = \"1.2\""),
        "{text}"
    );
    assert!(
        text.contains("\"1.2-1.pgdg13+1\"   # kept\n        sql     = \"1.3\""),
        "{text}"
    );
}

#[test]
fn what_is_not_known_is_said_and_not_written() {
    let world = world();
    let before = world.read(GAMMA);
    // A newer package whose control file could not be read.
    let printed = "postgresql-18-gamma=1.2-1.pgdg13+1\t1.10-1.pgdg13+2\tnewer\n\
                   postgresql-18-gamma=1.2-1.pgdg12+1\t1.1-1.pgdg12+1\tolder\n";
    world.docker.has_newest(printed);
    let ended = world.run("versions gamma --update --json").status(1);
    let rows = ended.json();
    assert_eq!(state(&rows, "trixie"), "outdated");
    assert_eq!(state(&rows, "bookworm"), "ahead");
    ended
        .says("no control file of `gamma` says which SQL version package 1.10-1.pgdg13+2 for 18-trixie makes")
        .says("by hand");
    assert_eq!(world.read(GAMMA), before);
    // What is known of the other one is written all the same.
    let newer = printed.replace("1.1-1.pgdg12+1\tolder", "1.3-1.pgdg12+1\tnewer");
    let known = "postgresql-18-gamma=1.3-1.pgdg12+1";
    world.docker.has_newest(&format!(
        "{newer}{known}\n{known}\tgamma\tdefault_version = '1.3'\n"
    ));
    let ended = world.run("versions gamma --update --json").status(1);
    let rows = ended.json();
    assert_eq!(state(&rows, "trixie"), "outdated");
    assert_eq!(state(&rows, "bookworm"), "updated");
    ended.says("written: 1.3-1.pgdg12+1 for 18-bookworm");
    let text = world.read(GAMMA);
    assert!(text.contains("\"1.3-1.pgdg12+1\""), "{text}");
    assert!(text.contains("\"1.2-1.pgdg13+1\""), "{text}");
    world.write(GAMMA, &before);
    world.docker.has_newest("");
    let ended = world.run("versions gamma --json").success();
    assert_eq!(state(&ended.json(), "trixie"), "absent");
    ended.says("no pin can be compared");
    world.docker.apt_fails("E: The repository is not signed.");
    let ended = world.run("versions gamma --update --json").status(1);
    assert_eq!(state(&ended.json(), "trixie"), "not-asked");
    ended.says("is not signed");
    assert_eq!(world.read(GAMMA), before);
    // Nobody says what package `alpha` is a version of.
    let rows = world.run("versions alpha --json").success().json();
    assert_eq!(
        rows.as_array().unwrap()[0]["state"],
        "no-package",
        "{rows:#}"
    );
    // What is built from source is no version of a package, and that is no fault.
    world.extension(
        "gamma",
        &metadata(
            "gamma",
            &[("packages", "[]"), ("auto_update_os_libs", "true")],
        ),
    );
    let before = world.read(GAMMA);
    let ended = world.run("versions gamma --update --json").success();
    assert_eq!(state(&ended.json(), "trixie"), "from-source", "{ended:?}");
    ended.says("nothing here is from the archive");
    assert_eq!(world.read(GAMMA), before, "nothing is written");
    world
        .run("update-os-libs gamma")
        .status(2)
        .says("`gamma` is made of no Debian package");
    world.run("versions").status(2);
    world.run("versions nothing").status(2).says("nothing");
}
