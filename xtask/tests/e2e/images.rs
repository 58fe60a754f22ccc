// SPDX-License-Identifier: Apache-2.0
//! Images in the cluster: from nothing to green, a rebuilt one, a broken one, an older one.

use std::fs;

use serde_json::Value;

use super::lab::Lab;

/// `XTASK_CI_ALL`, which `cargo xtask ci --all-extensions` sets, tests all eight.
fn selection() -> Vec<&'static str> {
    if std::env::var_os("XTASK_CI_ALL").is_some() {
        vec!["--all"]
    } else {
        vec!["pgvector", "pgrouting"]
    }
}

fn values(lab: &Lab, extension: &str) -> String {
    let folder = lab.repository.path().join("target/xtask/e2e/values");
    let mut files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let own = |path: &std::path::PathBuf| {
        path.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with(&format!("{extension}-"))
    };
    fs::read_to_string(files.find(own).unwrap()).unwrap()
}

/// The digest that bake wrote for an extension's image.
fn baked(lab: &Lab, extension: &str) -> String {
    let text = lab.read(&format!("target/xtask/bake/{extension}.json"));
    let metadata: Value = serde_json::from_str(&text).unwrap();
    let mut targets = metadata.as_object().unwrap().values();
    let digest = targets.find_map(|target| target.get("containerimage.digest"));
    digest.unwrap().as_str().unwrap().to_owned()
}

#[test]
fn from_nothing_to_green_while_the_cluster_comes_up() {
    let lab = Lab::new();
    lab.xtask(&["e2e", "cleanup"]).success();
    let mut args = vec!["e2e", "test-full"];
    args.extend(selection());
    args.extend(["--format", "json"]);
    let ended = lab.xtask(&args).success();
    let events: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let at = |event: &str, step: &str| {
        let found = events.iter().position(|line| {
            line["event"] == event
                && line["step"]
                    .as_str()
                    .is_some_and(|name| name.starts_with(step))
        });
        found.unwrap_or_else(|| panic!("no `{event}` of `{step}` in:\n{}", ended.stdout))
    };
    let (kind, bake) = ("kind cluster", "bake pgvector");
    assert!(
        at("started", bake) < at("finished", kind),
        "the bake waited for the cluster"
    );
    assert!(
        at("started", kind) < at("finished", bake),
        "the cluster waited for the bake"
    );
    let last = lab.read("target/xtask/e2e/last-tests");
    let record = lab.read(&format!("target/xtask/runs/{last}/run.json"));
    let record: Value = serde_json::from_str(&record).unwrap();
    let results = record["result"].as_array().unwrap();
    assert!(results.len() >= 2);
    for result in results {
        assert_eq!(
            (&result["shared"], &result["own"]),
            (&"passed".into(), &"passed".into()),
            "{result:#}"
        );
        let digest = baked(&lab, result["extension"].as_str().unwrap());
        assert!(
            result["image"].as_str().unwrap().ends_with(&digest),
            "{result:#}"
        );
    }
    // What pgrouting needs is what was built for it in the same run.
    let values = values(&lab, "pgrouting");
    assert!(
        values.contains(&baked(&lab, "pgrouting")) && values.contains(&baked(&lab, "postgis")),
        "{values}"
    );
    // Reports for machines.
    let runs = lab.repository.path().join("target/xtask/runs");
    let reports = walkdir::WalkDir::new(runs).into_iter().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|ending| ending == "xml")
    });
    assert!(reports.count() >= 2 * results.len());
}

#[test]
fn a_rebuilt_image_under_the_same_tag_is_the_one_that_is_mounted() {
    let lab = Lab::up();
    lab.xtask(&["e2e", "test-full", "pgvector"]).success();
    let before = baked(&lab, "pgvector");
    lab.repository.replace(
        "docker/Dockerfile",
        "\nFROM scratch\n",
        "RUN for file in image/share/extension/vector--*.sql; do echo '-- rebuilt' >> \"$file\"; done\n\nFROM scratch\n",
    );
    lab.xtask(&["e2e", "test-full", "pgvector", "--skip-delete"])
        .success();
    let after = baked(&lab, "pgvector");
    assert_ne!(before, after);
    let pods = lab.kubectl(&[
        "get",
        "pods",
        "--all-namespaces",
        "--selector",
        "cnpg.io/instanceName=pgvector-1",
        "--output",
        "json",
    ]);
    let pods = pods.success().json();
    let pod = &pods["items"][0];
    let mounted = pod.pointer("/spec/volumes").unwrap().to_string();
    assert!(
        mounted.contains(&after) && !mounted.contains(&before),
        "{mounted}"
    );
    let namespace = pod["metadata"]["namespace"].as_str().unwrap();
    let file = "tail -n 1 /extensions/pgvector/share/extension/vector--*[0-9].sql";
    let args = [
        "--namespace",
        namespace,
        "exec",
        "pgvector-1",
        "--container",
        "postgres",
        "--",
        "sh",
        "-c",
        file,
    ];
    let text = lab.kubectl(&args).success().stdout;
    assert!(text.contains("-- rebuilt"), "{text}");
}

#[test]
fn a_failing_suite_says_why_and_can_be_run_again_alone() {
    let lab = Lab::up();
    let proof = lab.read("extensions/pgvector/smoke.sql");
    let broken = format!("{proof}\nSELECT nosuchfunction(1);\n");
    fs::write(
        lab.repository.path().join("extensions/pgvector/smoke.sql"),
        broken,
    )
    .unwrap();
    let ended = lab
        .xtask(&["e2e", "test-full", "pgvector"])
        .status(1)
        .says("probable cause: PostgreSQL refuses a statement of the suite: function nosuchfunction(integer) does not exist");
    assert!(
        ended.stdout.contains("failed  pgvector"),
        "{}",
        ended.stdout
    );
    let folder = ended
        .stderr
        .split("what the cluster says: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    for (file, text) in [
        ("objects.yaml", "kind: Cluster"),
        ("pods.txt", "pgvector-1"),
        ("events.txt", "pgvector"),
        ("instances.log", "nosuchfunction"),
        ("operator.log", "cnpg"),
    ] {
        let kept = lab.read(&format!("{folder}/{file}"));
        assert!(kept.contains(text), "{file} has no `{text}`:\n{kept}");
    }
    fs::write(
        lab.repository.path().join("extensions/pgvector/smoke.sql"),
        proof,
    )
    .unwrap();
    let again = lab
        .xtask(&["e2e", "test", "--rerun-failed", "--json"])
        .success()
        .json();
    assert_eq!(again[0]["result"], "passed");
    let none = lab.xtask(&["e2e", "test", "--rerun-failed"]).success();
    none.says("nothing failed the last time");
}

#[test]
fn an_older_image_gives_way_to_a_newer_one_and_the_data_stays() {
    let lab = Lab::up();
    let (newer, _) = lab.pushed(&[]);
    let (older, version) = make_older(&lab, &newer);
    let args = [
        "e2e",
        "upgrade-test",
        "pgvector",
        "--from",
        &older,
        "--json",
    ];
    let result = lab.xtask(&args).success().json();
    assert_eq!(result[0]["result"], "passed");
    let values = lab.read("target/xtask/e2e/values/pgvector-upgrade.yaml");
    assert_eq!(field(&values, "version:"), version);
    assert_ne!(field(&values, "  version:"), version);
}

/// A field of a values file.
fn field(values: &str, name: &str) -> String {
    let line = values.lines().find(|line| line.starts_with(name)).unwrap();
    line.split('\'').nth(1).unwrap().to_owned()
}

/// An image of the version before: the package has every step of its history, and without the last one
/// it ends a version earlier. It is annotated on the manifest alone, having no index. Gives its name and
/// its version.
fn make_older(lab: &Lab, newer: &str) -> (String, String) {
    let args = [
        "e2e",
        "generate-values",
        "pgvector",
        "--extension-image",
        newer,
        "--output",
        "values.yaml",
    ];
    lab.xtask(&args).success();
    let values = lab.read("values.yaml");
    let (base, version) = (field(&values, "pg_image:"), field(&values, "version:"));
    let mount = format!("type=image,source={newer},target=/image");
    let list = format!("ls /image/share/extension/vector--*--{version}.sql");
    let step = lab
        .docker(&["run", "--rm", "--mount", &mount, &base, "sh", "-c", &list])
        .success();
    let step = step.stdout.trim().rsplit('/').next().unwrap().to_owned();
    let before = step
        .trim_start_matches("vector--")
        .split("--")
        .next()
        .unwrap()
        .to_owned();
    let folder = lab.repository.path().join("older");
    fs::create_dir(&folder).unwrap();
    let dockerfile = format!(
        "FROM {newer} AS newer\nFROM {base} AS edit\nUSER 0\nCOPY --from=newer / /image/\nWORKDIR /image/share/extension\n\
         RUN mv vector--{version}.sql vector--{before}.sql && sed -i s/{version}/{before}/ vector.control && rm {step}\n\
         FROM scratch\nCOPY --from=edit /image/ /\nUSER 65532:65532\n"
    );
    fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
    let (repository, tag) = newer.rsplit_once(':').unwrap();
    let older = format!("{repository}:older");
    let distro = tag.rsplit('-').next().unwrap();
    let mut build = vec![
        "buildx",
        "build",
        "--quiet",
        "--provenance=false",
        "--push",
        "--tag",
        &older,
    ];
    let annotations = [
        format!("base.name={base}"),
        format!("base.os={distro}"),
        "base.pgmajor=18".to_owned(),
        format!("sql.version={before}"),
    ]
    .map(|pair| format!("manifest:io.cloudnativepg.image.{pair}"));
    for annotation in &annotations {
        build.extend(["--annotation", annotation]);
    }
    let folder = folder.to_string_lossy().into_owned();
    build.push(&folder);
    lab.docker(&build).success();
    (older, before)
}
