// SPDX-License-Identifier: Apache-2.0
//! `e2e upgrade-test`: an older image, replaced by a newer one under a running database.

use super::{
    image::{annotations, index},
    lab::Lab,
};

/// With the suite, and two images of `gamma`. Gives their references and digests.
fn lab_with_two(newer_distro: &str) -> (Lab, [String; 2], [String; 2]) {
    let lab = Lab::built();
    lab.write("test/upgrade/upgrade-test.yaml", "# The suite.\n");
    let of = |tag: &str| format!("localhost:{}/gamma-testing:{tag}", lab.port);
    let references = [of("1.1-18-trixie"), of("1.9-18-trixie")];
    let digests = [("1.1", "trixie"), ("1.9", newer_distro)];
    let mut digests = digests
        .iter()
        .zip(&references)
        .map(|((sql, distro), reference)| {
            lab.put_image(reference, &index(&annotations(distro, "18", sql)))
        });
    let digests = [digests.next().unwrap(), digests.next().unwrap()];
    (lab, references, digests)
}

#[test]
fn both_images_are_in_the_values() {
    let (lab, [from, to], digests) = lab_with_two("trixie");
    let result = lab
        .e2e(&[
            "upgrade-test",
            "gamma",
            "--from",
            &from,
            "--to",
            &to,
            "--json",
        ])
        .success()
        .json();
    assert_eq!(result[0]["result"], "passed");
    let test = lab.only("chainsaw test test/upgrade");
    assert_eq!(test.after("--test-file"), "upgrade-test");
    let values = lab.read(test.after("--values"));
    let (older, newer) = values.split_once("\nupgrade:").unwrap();
    assert!(
        older.contains(&digests[0]) && older.contains("version: '1.1'"),
        "{older}"
    );
    assert!(
        newer.contains(&digests[1]) && newer.contains("version: '1.9'"),
        "{newer}"
    );
    lab.never("docker buildx bake");
}

#[test]
fn the_line_of_a_dry_run_writes_the_same_values() {
    let (lab, [from, to], _) = lab_with_two("trixie");
    let args = ["upgrade-test", "gamma", "--from", &from, "--to", &to];
    let dry = lab
        .e2e(&[&args[..], &["--dry-run"]].concat())
        .success()
        .stdout;
    lab.e2e(&args).success();
    let file = lab
        .only("chainsaw test test/upgrade")
        .after("--values")
        .to_owned();
    let written = lab.read(&file);
    assert!(written.contains("\nupgrade:"), "{written}");
    std::fs::remove_file(lab.root().join(&file)).unwrap();
    let line = dry
        .lines()
        .find_map(|line| line.strip_prefix("cargo xtask e2e "));
    let words = shell_words::split(line.unwrap()).unwrap();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    lab.e2e(&words).success();
    assert_eq!(lab.read(&file), written, "{words:?}");
}

#[test]
fn without_a_newer_one_it_is_built() {
    let (lab, [from, _], _) = lab_with_two("trixie");
    lab.e2e(&["upgrade-test", "gamma", "--from", &from])
        .success();
    let bake = lab.only("docker buildx bake").line();
    assert!(
        bake.ends_with(" gamma-1_2-18-trixie"),
        "only the image for the same server: {bake}"
    );
    let test = lab.only("chainsaw test test/upgrade");
    let values = lab.read(test.after("--values"));
    let newer = values.split_once("\nupgrade:").unwrap().1;
    assert!(
        newer.contains("gamma-testing:1.2-18-trixie@sha256:"),
        "{newer}"
    );
}

#[test]
fn images_for_different_servers_are_refused() {
    let (lab, [from, to], _) = lab_with_two("bookworm");
    lab.e2e(&["upgrade-test", "gamma", "--from", &from, "--to", &to])
        .status(2)
        .says("different servers")
        .says("trixie and bookworm");
    lab.never("chainsaw ");
}

#[test]
fn a_failure_says_what_the_cluster_said() {
    let (lab, [from, to], _) = lab_with_two("trixie");
    lab.suite_fails("gamma", "it broke\n");
    lab.e2e(&["upgrade-test", "gamma", "--from", &from, "--to", &to])
        .status(1)
        .says("it broke")
        .says("what the cluster says: ");
    assert_eq!(lab.namespaces(), Vec::<String>::new());
}

#[test]
fn what_to_upgrade_must_be_said() {
    let (lab, _, _) = lab_with_two("trixie");
    lab.e2e(&["upgrade-test", "gamma"]).status(2).says("--from");
    lab.e2e(&["upgrade-test", "--from", "x/y:1"])
        .status(2)
        .says("which extension?");
    assert!(lab.lines().is_empty());
}
