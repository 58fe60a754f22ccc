// SPDX-License-Identifier: Apache-2.0
//! Bakes: what is in the images and on them, and what is said when one fails.

use std::{fs, process::Command};

use serde_json::Value;

use crate::support::repository::{Registry, Repository, sandboxed};

/// Every annotation that behaviour demands on index, manifest and as a label.
const ANNOTATIONS: &[&str] = &[
    "org.opencontainers.image.created",
    "org.opencontainers.image.url",
    "org.opencontainers.image.source",
    "org.opencontainers.image.version",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.vendor",
    "org.opencontainers.image.title",
    "org.opencontainers.image.description",
    "org.opencontainers.image.documentation",
    "org.opencontainers.image.authors",
    "org.opencontainers.image.licenses",
    "org.opencontainers.image.base.name",
    "io.cloudnativepg.image.base.name",
    "io.cloudnativepg.image.base.pgmajor",
    "io.cloudnativepg.image.base.os",
    "io.cloudnativepg.image.sql.version",
];

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

fn inspect(repository: &Repository, reference: &str) -> Value {
    repository
        .docker(&["buildx", "imagetools", "inspect", "--raw", reference])
        .success()
        .json()
}

#[test]
fn a_pushed_image_carries_its_annotations_on_index_manifest_and_as_labels() {
    let repository = Repository::new();
    let registry = Registry::start(&repository);
    let env = [
        ("registry", registry.host()),
        ("revision", "0123abc".into()),
    ];
    let env: Vec<(&str, &str)> = env
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let ended = repository
        .xtask_with(
            &[
                "bake",
                "pgvector",
                "--push",
                "--platform",
                "linux/amd64,linux/arm64",
                "--metadata-file",
                "out/m.json",
                "--json",
                // What others have built before may be of another Dockerfile, and have another time.
                "--no-cache",
            ],
            &env,
        )
        .success();
    let images = ended.json();
    let image = &images[0];
    let (tag, digest) = (text(image, "/image"), text(image, "/digest"));
    assert!(tag.starts_with(&registry.host()), "{tag}");

    let index = inspect(&repository, tag);
    let mut platforms = Vec::new();
    for name in ANNOTATIONS {
        assert!(
            !text(
                &index["annotations"],
                &format!("/{}", name.replace('/', "~1"))
            )
            .is_empty(),
            "{name}"
        );
    }
    assert_eq!(
        index["annotations"]["io.cloudnativepg.image.base.pgmajor"],
        "18"
    );
    assert_eq!(
        index["annotations"]["org.opencontainers.image.revision"],
        "0123abc"
    );
    assert_eq!(
        index["annotations"]["org.opencontainers.image.base.name"],
        "scratch"
    );
    let repository_name = tag.rsplit_once(':').unwrap().0;
    for (platform, inner) in manifests(&repository, repository_name, &index) {
        platforms.push(platform.clone());
        for name in ANNOTATIONS {
            assert_eq!(
                inner["annotations"][name], index["annotations"][name],
                "{name} on {platform}"
            );
        }
    }
    platforms.sort();
    assert_eq!(
        platforms,
        ["amd64", "arm64"],
        "both platforms, on a machine that can run one of them"
    );

    check_labels(&repository, tag, &index);
    let written = fs::read_to_string(repository.path().join("out/m.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(
        text(&written[text(image, "/target")], "/containerimage.digest"),
        digest
    );

    check_reproducible(&repository, &env, tag, &index);

    // The same image by its digest, as `e2e` and users will name it.
    let reference = format!("{repository_name}@{digest}");
    let smoked = repository
        .xtask_with(
            &["smoke", "pgvector", "--image", &reference, "--json"],
            &env,
        )
        .success();
    assert_eq!(smoked.json()[0]["result"], "passed");
}

/// The manifests of an index's images, with their architectures.
fn manifests(repository: &Repository, name: &str, index: &Value) -> Vec<(String, Value)> {
    let all = index["manifests"].as_array().unwrap().iter();
    let images = all.filter(|one| text(one, "/platform/architecture") != "unknown");
    let read = |one: &Value| {
        let reference = format!("{name}@{}", text(one, "/digest"));
        let architecture = text(one, "/platform/architecture").to_owned();
        (architecture, inspect(repository, &reference))
    };
    images.map(read).collect()
}

/// Built once more, at another time and without a cache, it is the same image, of which nothing is pushed. Pushed elsewhere, it
/// differs by the annotation alone that says when it was built.
fn check_reproducible(repository: &Repository, env: &[(&str, &str)], tag: &str, first: &Value) {
    let push = "bake pgvector --push --json --platform linux/amd64,linux/arm64";
    let push: Vec<&str> = push.split(' ').collect();
    let again = [&push[..], &["--no-cache"]].concat();
    let ended = repository.xtask_with(&again, env).success().json();
    assert_eq!(ended[0]["result"], "unchanged");
    assert_eq!(inspect(repository, tag), *first);
    // On another machine, which has noted nothing, the registry is asked.
    fs::remove_dir_all(repository.path().join("target/xtask/images")).unwrap();
    let ended = repository.xtask_with(&push, env).success().json();
    assert_eq!(ended[0]["result"], "unchanged");
    assert_eq!(ended[0]["tags"], serde_json::json!([tag]));
    assert_eq!(inspect(repository, tag), *first);
    // Where it is not, it is exported.
    let elsewhere = |(name, value): &(&str, &str)| match *name {
        "registry" => ("registry".to_owned(), format!("{value}/again")),
        name => (name.to_owned(), (*value).to_owned()),
    };
    let elsewhere: Vec<(String, String)> = env.iter().map(elsewhere).collect();
    let elsewhere = elsewhere
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let elsewhere: Vec<(&str, &str)> = elsewhere.collect();
    let ended = repository.xtask_with(&push, &elsewhere).success().json();
    assert_eq!(ended[0]["result"], "passed");
    let second = text(&ended[0], "/image");
    let names = [tag, second].map(|tag| tag.rsplit_once(':').unwrap().0);
    let second = inspect(repository, second);
    let created = "org.opencontainers.image.created";
    assert_ne!(
        first["annotations"][created],
        second["annotations"][created]
    );
    let [first, second] = [(first, names[0]), (&second, names[1])].map(|(index, name)| {
        let mut manifests = manifests(repository, name, index);
        for (_, manifest) in &mut manifests {
            manifest["annotations"][created] = Value::Null;
        }
        manifests
    });
    assert_eq!(first, second);
}

fn check_labels(repository: &Repository, tag: &str, index: &Value) {
    let labels = repository
        .docker(&[
            "image",
            "inspect",
            "--format",
            "{{json .Config.Labels}}",
            tag,
        ])
        .success()
        .json();
    for name in ANNOTATIONS {
        let wanted = match *name {
            "org.opencontainers.image.created" => &Value::from("1970-01-01T00:00:00Z"),
            name => &index["annotations"][name],
        };
        assert_eq!(labels[name], *wanted, "label {name}");
    }
}

#[test]
fn an_image_holds_its_own_packages_files_and_nothing_else() {
    let repository = Repository::new();
    let built = repository
        .xtask(&["bake", "pgrouting", "--json"])
        .success()
        .json();
    let tag = text(&built[0], "/image");
    repository
        .docker(&["create", "--name", "xtask-test-files", tag, "none"])
        .success();
    let archive = repository.path().join("files.tar");
    let exported = repository.docker(&[
        "export",
        "--output",
        &archive.to_string_lossy(),
        "xtask-test-files",
    ]);
    repository
        .docker(&["rm", "--force", "xtask-test-files"])
        .success();
    exported.success();
    let listed = Command::new("tar")
        .arg("-tf")
        .arg(&archive)
        .output()
        .unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let files: Vec<&str> = listed.lines().filter(|line| !line.ends_with('/')).collect();
    assert!(
        files
            .iter()
            .any(|file| file.starts_with("lib/libpgrouting")),
        "{listed}"
    );
    assert!(
        files.contains(&"share/extension/pgrouting.control"),
        "{listed}"
    );
    assert!(
        files
            .iter()
            .any(|file| file.starts_with("licenses/") && file.ends_with("/copyright")),
        "{listed}"
    );
    assert!(
        !files.iter().any(|file| file.contains("postgis")),
        "{listed}"
    );
}

#[test]
fn bake_works_without_xtask_and_names_what_xtask_names() {
    let repository = Repository::new();
    let args = [
        "buildx",
        "bake",
        "-f",
        "docker/bake.hcl",
        "-f",
        "extensions/postgis/metadata.hcl",
        "--print",
    ];
    let printed = repository.docker(&args).success().json();
    let planned = repository
        .xtask(&["targets", "--images", "--json"])
        .success()
        .json();
    let ours: Vec<&Value> = planned
        .as_array()
        .unwrap()
        .iter()
        .filter(|image| image["name"] == "postgis")
        .collect();
    let targets = printed["target"].as_object().unwrap();
    let images = targets.keys().filter(|name| !name.starts_with("archive-"));
    assert_eq!(ours.len(), images.count());
    for image in ours {
        let target = &printed["target"][text(image, "/target")];
        assert_eq!(target["args"]["POSTGIS_MAJOR"], "3");
        assert_eq!(target["args"]["PG_MAJOR"], image["pg_major"]);
        assert_eq!(target["args"]["EXT_VERSION"], image["package"]);
        assert_eq!(target["args"]["BASE"], image["base"]);
        assert_eq!(target["tags"][0], image["tags"][0]);
        assert_eq!(target["platforms"], image["platforms"]);
        assert_eq!(
            target["annotations"].as_array().unwrap().len(),
            ANNOTATIONS.len()
        );
        assert_eq!(
            target["labels"].as_object().unwrap().len(),
            ANNOTATIONS.len()
        );
        let stamped = text(target, "/tags/1");
        assert!(
            stamped.len() == text(target, "/tags/0").len() + 13,
            "{stamped}"
        );
    }
}

#[test]
fn the_archives_index_is_the_same_for_both_kinds_of_dockerfile() {
    let repository = Repository::new();
    repository.xtask(&["bake", "wal2json", "postgis"]).success();
    let definitions = "target/xtask/targets.json";
    let text = fs::read_to_string(repository.path().join(definitions)).unwrap();
    let defined: Value = serde_json::from_str(&text).unwrap();
    let plain = |name: &str| {
        let mut targets = defined["target"].as_object().unwrap().keys();
        let target = targets.find(|target| target.starts_with(&format!("{name}-")));
        let platform = "*.platform=linux/amd64";
        let asked_at = format!("*.args.ASKED_AT={}", repository.path().display());
        let args = [
            "buildx",
            "bake",
            "-f",
            definitions,
            "--progress",
            "plain",
            "--set",
            platform,
            "--set",
            &asked_at,
            "--set",
            "*.output=type=cacheonly",
            "--set",
            "*.attest=type=sbom,disabled=true",
            target.unwrap(),
        ];
        let said = repository.docker(&args).success().stderr;
        let index =
            |line: &&str| line.contains(" index 2/2] RUN ") || line.contains("[index 2/2] RUN ");
        let steps: Vec<String> = said
            .lines()
            .filter(index)
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect();
        assert!(!steps.is_empty(), "{said}");
        let cached = |step: &&String| said.lines().any(|line| line == format!("{step} CACHED"));
        steps.len() - steps.iter().filter(cached).count()
    };
    assert_ne!(plain("wal2json"), 0, "asked at a new moment, apt is run");
    assert_eq!(plain("postgis"), 0, "and not once more");
}

#[test]
fn the_lines_of_a_dry_run_do_the_same_in_a_shell() {
    let repository = Repository::new();
    // The archive's versions must be known before a dry run can name them.
    repository.xtask(&["bake", "wal2json"]).success();
    let lines = repository
        .xtask(&[
            "bake",
            "wal2json",
            "--metadata-file",
            "out/m.json",
            "--dry-run",
        ])
        .success()
        .stdout;
    fs::remove_dir_all(repository.path().join("target")).unwrap();
    let shell = Command::new("sh")
        .args(["-e", "-c", &lines])
        .current_dir(repository.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&shell.stderr).into_owned();
    assert!(shell.status.success(), "{lines}\n{said}");
    let written = fs::read_to_string(repository.path().join("out/m.json")).unwrap();
    assert!(written.contains("containerimage.digest"), "{written}");
}

#[test]
fn a_failing_build_shows_the_tools_first_error() {
    let repository = Repository::new();
    repository.replace(
        "docker/Dockerfile",
        "\"$package=$version\"",
        "\"$package=$version.nowhere\"",
    );
    repository
        .xtask(&["bake", "wal2json"])
        .status(1)
        .says("failed to bake `wal2json`")
        .says("first error: ")
        .says("was not found")
        .says("in Dockerfile:")
        .says("command: BUILDX_METADATA_PROVENANCE=disabled docker buildx bake -f target/xtask/targets.json")
        .says("full log: target/xtask/runs/")
        .says("hint: ");
}

#[test]
fn a_registry_that_is_down_is_named_and_nothing_is_half_written() {
    let repository = Repository::new();
    // Nobody may listen on port 1 but root's own tcpmux, which nobody has.
    repository
        .xtask_with(
            &["bake", "wal2json", "--push", "--metadata-file", "m.json"],
            &[("registry", "localhost:1")],
        )
        .status(3)
        .says("hint: nothing answers at the registry");
    assert!(!repository.path().join("m.json").exists());
}

#[test]
fn repeated_bakes_leave_one_timestamped_image_and_no_foreign_one_is_touched() {
    let repository = Repository::new();
    let nameless = || {
        let list = ["image", "ls", "--filter", "dangling=true", "--quiet"];
        repository.docker(&list).success().stdout
    };
    let before = nameless();
    let built = repository
        .xtask(&["bake", "wal2json", "--json"])
        .success()
        .json();
    let tag = text(&built[0], "/image").to_owned();
    let (name, rolling) = tag.rsplit_once(':').unwrap();
    let (version, rest) = rolling.split_once('-').unwrap();
    let old = format!("{name}:{version}-202001010000-{rest}");
    let foreign = [
        format!("{name}:mine"),
        format!("{name}:{version}-202001010000-17-other"),
    ];
    for copy in foreign.iter().chain([&old]) {
        repository.docker(&["tag", &tag, copy]).success();
    }
    // What comes to the same image adds no tag and drops none; what is not known is exported.
    let unchanged = repository.xtask(&["bake", "wal2json", "--json"]);
    assert_eq!(unchanged.success().json()[0]["result"], "unchanged");
    fs::remove_dir_all(repository.path().join("target/xtask/images")).unwrap();
    repository.xtask(&["bake", "wal2json"]).success();
    let listed = repository
        .docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name])
        .success()
        .stdout;
    let stamped = listed
        .lines()
        .filter(|line| line.starts_with(&format!("{name}:{version}-2")) && line.ends_with(rest))
        .count();
    assert_eq!(stamped, 1, "{listed}");
    for copy in &foreign {
        assert!(listed.contains(copy.as_str()), "{copy} is gone:\n{listed}");
        repository.docker(&["image", "rm", copy]).success();
    }
    if sandboxed() {
        assert_eq!(nameless(), before, "images without a name stay behind");
    }
}

#[test]
fn bakes_own_check_passes_for_every_extension() {
    let repository = Repository::new();
    repository
        .xtask(&["checks", "--all"])
        .success()
        .says("8 extensions checked: no findings");
    // The one that is shared, and one of an extension's own.
    for (file, name) in [
        ("docker/Dockerfile", "pgaudit"),
        ("extensions/postgis/Dockerfile", "postgis"),
    ] {
        repository.replace(file, "FROM scratch", "FROM scratch\nNONSENSE here");
        repository
            .xtask(&["checks", name])
            .status(1)
            .says("bake refuses it: ")
            .says("unknown instruction: NONSENSE");
    }
}
