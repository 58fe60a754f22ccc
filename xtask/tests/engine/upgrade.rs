// SPDX-License-Identifier: Apache-2.0
//! Older versions of extensions, updated with what is in them; and what is said of those that cannot be.

use std::fs;

use serde_json::{Value, json};

use crate::support::{ended::Ended, repository::Repository};

/// Adds a step to the shared Dockerfile that changes what goes into pgvector's image.
fn with_scripts(repository: &Repository, lines: &str) {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/Dockerfile");
    let text = fs::read_to_string(source).unwrap();
    let end = "\nFROM scratch\n";
    assert!(text.contains(end), "{text}");
    let new = r#"new=$(sed -n "s/^default_version = '\(.*\)'/\1/p" vector.control)"#;
    let added = format!("RUN cd /build/image/share/extension; {new}; {lines}\n{end}");
    let dockerfile = repository.path().join("docker/Dockerfile");
    fs::write(dockerfile, text.replace(end, &added)).unwrap();
}

fn upgrade(repository: &Repository, more: &[&str]) -> Ended {
    repository.xtask(&[&["upgrade-paths", "pgvector", "--json"], more].concat())
}

fn rows(ended: &Ended) -> Vec<Value> {
    ended.json().as_array().unwrap().clone()
}

/// That of an older version, of an image maybe.
#[track_caller]
fn row(ended: &Ended, from: &str, image: &Value) -> Value {
    let mut rows = rows(ended).into_iter();
    let found = rows.find(|row| row["from"] == from && row["image"] == *image);
    found.unwrap_or_else(|| panic!("{from} is not in {ended:#?}"))
}

#[track_caller]
fn has_failed(row: &Value, why: &str) {
    let proof = row["proof"].as_str().unwrap();
    assert!(
        row["result"] == "failed" && proof.contains(why),
        "{why} is not in {row:#}"
    );
}

/// Versions that never were: `old` is the new one by another name, and each of the others has a fault.
#[test]
fn an_older_version_keeps_its_data_and_each_fault_is_named() {
    let repository = Repository::new();
    with_scripts(
        &repository,
        r#"make() { cat vector--$new.sql > "vector--$1.sql"; echo "$2" >> "vector--$1.sql"; echo "$3" > "vector--$1--$new.sql"; }; \
        make old; make eaten '' 'DELETE FROM public.item WHERE id > 990;'; \
        make less 'DROP FUNCTION l2_normalize(vector);'; \
        make gone "CREATE FUNCTION gone() RETURNS int AS 'MODULE_PATHNAME', 'vector_gone' LANGUAGE C;"; \
        make far "CREATE FUNCTION far() RETURNS int AS '\$libdir/far/vector', 'vector_in' LANGUAGE C;""#,
    );
    let ended = upgrade(&repository, &[]).status(1);
    let of = |from: &str| row(&ended, from, &Value::Null);
    let old = of("old");
    assert_eq!(old["result"], "passed", "{old:#}");
    assert_eq!(old["data"], "tables 1, rows 1000", "{old:#}");
    assert!(
        old["proof"].as_str().unwrap().contains("nearest neighbour"),
        "{old:#}"
    );
    assert_eq!(old["lacks"], json!([]), "{old:#}");
    has_failed(&of("eaten"), "its data is not what it was");
    has_failed(
        &of("gone"),
        "its script vector--gone.sql makes a function `vector_gone`, which `vector.so` of the image lacks",
    );
    has_failed(
        &of("far"),
        "of vector--far.sql names `$libdir/far/vector`, and the image has no such module where the server looks",
    );
    let less = of("less");
    assert_eq!(less["result"], "passed", "{less:#}");
    let lacks = "function public.l2_normalize(public.vector)";
    assert_eq!(less["lacks"], json!([lacks]), "{less:#}");
    // The image's own scripts start from many versions that no script of it makes.
    let not_run = rows(&ended)
        .into_iter()
        .filter(|row| row["result"] == "not run");
    let not_run: Vec<Value> = not_run.collect();
    let why = "no script of the image makes it: `--from` takes an image that has it";
    assert!(
        not_run.len() > 20 && not_run.iter().all(|row| row["proof"] == why),
        "{not_run:#?}"
    );
    ended
        .says("older versions cannot be updated")
        .says(&format!("lacks what one made new has: {lacks}"));
    repository.has_no_containers();
}

/// The older image's own library makes the data, and the new one's is to work with it.
#[test]
fn what_an_older_image_has_made_is_updated_to_the_newest() {
    let repository = Repository::new();
    let older = [
        "localhost/xtask-upgrade:same",
        "localhost/xtask-upgrade:other",
    ];
    let version = r#"mv vector--$new.sql vector--0.1.sql; sed -i "s/^default_version = .*/default_version = '0.1'/" vector.control"#;
    let other = "mv ../../lib/vector.so ../../lib/other.so; sed -i s/MODULE_PATHNAME/other/ vector--0.1.sql";
    for (image, lines) in older
        .iter()
        .zip([version.to_owned(), format!("{version}; {other}")])
    {
        with_scripts(&repository, &lines);
        let baked = repository
            .xtask(&["bake", "pgvector", "--json"])
            .success()
            .json();
        let baked = baked[0]["image"].as_str().unwrap().to_owned();
        repository.docker(&["tag", &baked, image]).success();
    }
    with_scripts(&repository, "echo > vector--0.1--$new.sql");
    let ended = upgrade(&repository, &["--from", &older.join(",")]);
    repository
        .docker(&[&["image", "rm"], &older[..]].concat())
        .success();
    let ended = ended.status(1);
    let same = row(&ended, "0.1", &json!(older[0]));
    assert_eq!(same["result"], "passed", "{same:#}");
    assert_eq!(same["data"], "tables 1, rows 1000", "{same:#}");
    // Its functions are of a library that the new image does not have.
    let other = row(&ended, "0.1", &json!(older[1]));
    has_failed(&other, "its data cannot be read any more");
    has_failed(&other, "could not access file");
    repository.has_no_containers();
}
