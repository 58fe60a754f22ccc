// SPDX-License-Identifier: Apache-2.0
//! Repositories that are not ours, unmodified: planned, baked and smoked with Debian's packages. Their own pins are of an
//! archive that forgets, so all of it is for the sandbox.

use serde_json::Value;

use crate::support::{
    ended::Ended,
    repository::{Repository, sandboxed},
};

/// As the second repository names what the first one builds.
const ELSEWHERE: &str = "localhost:5000/foreign/elsewhere:18";

fn run(repository: &Repository, args: &[&str]) -> Ended {
    repository.xtask_with(args, &[("XTASK_SANDBOX_BASE", "debian")])
}

/// The rows of an answer, each as `name: result: proof`.
fn rows(answer: &Value) -> Vec<String> {
    let rows = answer.as_array().unwrap().iter();
    let mut rows: Vec<String> = rows
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap();
            format!("{}: {}: {}", text("name"), text("result"), text("proof"))
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn other_matrices_schemas_and_neighbours_are_planned_baked_and_smoked_as_they_are() {
    if !sandboxed() {
        return;
    }
    let matrix = Repository::foreign("matrix");
    planned_as_printed(&matrix);
    let smoked = run(&matrix, &["smoke", "--all", "--json"])
        .status(1)
        .says("`broken` is left out: ")
        .says("There is no function named \"licenses_of_nobody\"")
        .says("is built for linux/riscv64 alone")
        .json();
    let smoked_rows = rows(&smoked);
    assert_eq!(smoked_rows.len(), 2, "{smoked_rows:?}");
    assert!(
        smoked_rows[0].starts_with("broken: not read: "),
        "{smoked_rows:?}"
    );
    assert_eq!(smoked_rows[1], "vector: passed: distance 2");
    let plan = run(&matrix, &["smoke", "vector", "--dry-run"])
        .success()
        .stdout;
    assert!(
        plan.contains("VECTOR_HOME=/extensions/vector/share"),
        "{plan}"
    );

    // By digest: a tag is not what `smoke` has tested.
    let image = smoked
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "vector");
    let image = image.unwrap()["image"].as_str().unwrap();
    matrix.docker(&["tag", image, ELSEWHERE]).success();
    let older = Repository::foreign("older");
    let smoked = run(&older, &["smoke", "--all", "--json"]);
    let planned = run(&older, &["targets", "--images", "--json"]);
    matrix.docker(&["image", "rm", ELSEWHERE]).success();
    let smoked = smoked
        .status(1)
        .says("`adrift` is left out: ")
        .says("`[external.nowhere]`");
    let rows = rows(&smoked.json());
    assert!(rows[0].starts_with("adrift: not run: "), "{rows:?}");
    assert_eq!(rows[1..], ["decoder: passed: beside vector"]);
    // The image of what needs something that is nowhere is built all the same.
    let planned = planned.success().json();
    let images = planned.as_array().unwrap().iter().map(|row| &row["image"]);
    let wanted = ["adrift", "decoder"].map(|name| format!("localhost:5000/foreign/{name}"));
    assert!(images.eq(&wanted), "{planned:#}");
    older.has_no_containers();
}

#[test]
fn one_dockerfile_in_the_bake_file_and_servers_that_only_names_say_are_no_hindrance() {
    if !sandboxed() {
        return;
    }
    let inline = Repository::foreign("inline");
    let smoked = run(&inline, &["smoke", "--all", "--json"])
        .success()
        .says(
            "is not available: `postgresql-18-hypopg`, which its metadata names, holds no `stray`",
        )
        .json();
    let rows = rows(&smoked);
    assert_eq!(
        rows[0],
        "similar: passed: pg_trgm 3, similar_words 3, vector 3"
    );
    assert!(rows[1].starts_with("stray: not available: "), "{rows:?}");
    run(&inline, &["checks", "similar"])
        .success()
        .says("`licenses` is a string, taken as a list of it")
        .says("`postgresql_parameters.max_parallel_workers` is a number, taken as `\"3\"`")
        .says("unknown field `distributors`")
        .says("`image_name` is `Similar`, taken as `similar`");
    inline.has_no_containers();
}

/// What is planned for the published base images is what bake prints.
fn planned_as_printed(repository: &Repository) {
    let args = [
        "buildx",
        "bake",
        "-f",
        "docker-bake.hcl",
        "-f",
        "vector/metadata.hcl",
        "--print",
    ];
    let printed = repository.docker(&args).success().json();
    let planned = run(repository, &["targets", "--images", "--json"])
        .status(1)
        .says("`broken` is left out: ")
        .json();
    let planned = planned.as_array().unwrap().iter();
    let vector: Vec<&Value> = planned.filter(|image| image["name"] == "vector").collect();
    let targets = printed["target"].as_object().unwrap();
    assert_eq!(vector.len(), targets.len());
    for image in vector {
        let target = &targets[image["target"].as_str().unwrap()];
        assert_eq!(target["args"]["MAJOR"], image["pg_major"]);
        assert_eq!(target["args"]["PACKAGE_VERSION"], image["package"]);
        assert_eq!(target["args"]["IMAGE"], image["base"]);
        assert_eq!(target["platforms"], image["platforms"]);
        assert_eq!(target["tags"][0], image["tags"][0]);
    }
}
