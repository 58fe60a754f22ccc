// SPDX-License-Identifier: Apache-2.0
//! A catalog that `catalogs` writes, and the cluster of `manifest --catalog` that takes its images from it.

use std::fs;

use super::lab::Lab;

/// Of its own: the suites' namespaces come and go.
const NAMESPACE: &str = "xtask-catalog";
const PG: &str = "18";

#[test]
fn a_cluster_takes_its_extension_from_a_catalog() {
    let lab = Lab::up();
    let (_, digest) = lab.pushed(&["--pg", PG]);
    let rows = lab
        .xtask(&["catalogs", "--output", "catalogs", "--json"])
        .success()
        .json();
    let row = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "pgvector" && row["pg_major"] == PG)
        .unwrap();
    assert!(row["image"].as_str().unwrap().ends_with(&digest), "{row:#}");
    let distro = row["distro"].as_str().unwrap();
    let file = format!("catalogs/catalog-minimal-{distro}.yaml");
    lab.kubectl(&["apply", "--dry-run=server", "-f", &file])
        .success();
    lab.kubectl(&["apply", "-f", &file]).success();
    let args = [
        "manifest",
        "pgvector",
        "--distro",
        distro,
        "--pg",
        PG,
        "--catalog",
    ];
    let manifest = lab.xtask(&args).success().stdout;
    assert!(
        !manifest.contains("localhost") && !manifest.contains("imageName"),
        "{manifest}"
    );
    fs::write(lab.repository.path().join("cluster.yaml"), manifest).unwrap();
    lab.kubectl(&["create", "namespace", NAMESPACE]).success();
    let of_it = |args: &[&str]| lab.kubectl(&[&["--namespace", NAMESPACE], args].concat());
    of_it(&["apply", "-f", "cluster.yaml"]).success();
    let applied = [
        "--for=jsonpath={.status.applied}=true",
        "database/pgvector-app",
        "--timeout=5m",
    ];
    of_it(&[&["wait"][..], &applied].concat()).success();
    let image = "jsonpath={.items[*].spec.volumes[*].image.reference}";
    let mounted = of_it(&["get", "pods", "--output", image]).success().stdout;
    assert!(mounted.contains(&digest), "{mounted}");
    // Nothing has changed, so nothing is written, and no database restarts.
    lab.xtask(&["catalogs", "--output", "catalogs"])
        .success()
        .says("up to date");
    lab.kubectl(&["delete", "namespace", NAMESPACE]).success();
    lab.kubectl(&["delete", "-f", &file]).success();
}
