// SPDX-License-Identifier: Apache-2.0
//! Real images between real registries, with and without the API for what refers to an image, signed by the real cosign.

use std::{fs, process::Stdio};

use crate::support::{
    ended::Ended,
    referrers::Referrers,
    repository::{Registry, Repository},
};

pub(super) const PASSWORD: (&str, &str) = ("COSIGN_PASSWORD", "s3cret");

/// A program of the release's, as the commands would start it.
pub(super) fn tool(repository: &Repository, words: &[&str]) -> Ended {
    let mut command = repository.tool(words);
    command.env(PASSWORD.0, PASSWORD.1).stdin(Stdio::null());
    Ended::from(&command.output().unwrap())
}

#[test]
fn a_signed_image_is_promoted_whole_and_a_tampered_one_is_refused() {
    let repository = Repository::new();
    let from = Registry::start(&repository);
    let to = Referrers::start(&repository, from.port + 1);
    let testing = format!("{}/t", from.host());
    let released = format!("{}/rel", to.host());
    repository
        .xtask_with(
            &[
                "bake",
                "pgvector",
                "--push",
                "--metadata-file",
                "built.json",
            ],
            &[("registry", &testing)],
        )
        .success();
    tool(&repository, &["cosign", "generate-key-pair"]).success();
    let key = |command: &str, file: &str, more: &[&str]| {
        let words = [
            command,
            "--metadata-file",
            "built.json",
            "--no-transparency-log",
            "--key",
            file,
        ];
        repository.xtask_with(&[&words[..], more].concat(), &[PASSWORD])
    };
    key("verify", "cosign.pub", &[])
        .status(1)
        .says("no signatures found");
    key("sign", "cosign.key", &[])
        .success()
        .says("1 image signed");
    key("sign", "cosign.key", &[])
        .success()
        .says("1 image unchanged");

    // Killed as soon as something has arrived: nothing names the image yet, and the next run does the rest.
    let promote = [
        "promote",
        "--metadata-file",
        "built.json",
        "--to",
        &released,
        "--untested",
    ];
    let mut killed = repository.command(&promote);
    killed.stdout(Stdio::null()).stderr(Stdio::null());
    let mut killed = killed.spawn().unwrap();
    to.wait_for_arrival();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let rows = repository
        .xtask(&[&promote[..], &["--json"]].concat())
        .success()
        .json();
    assert_eq!(rows[0]["result"], "passed", "{rows:#}");
    let (image, digest) = (
        rows[0]["image"].as_str().unwrap(),
        rows[0]["digest"].as_str().unwrap(),
    );
    assert_eq!(image, format!("{released}/pgvector@{digest}"));
    repository
        .xtask(&promote)
        .success()
        .says("1 image unchanged");

    // Every tag names on both sides what bake has made, and what refers to it has come along.
    for tag in rows[0]["tags"].as_array().unwrap() {
        let tag = tag.as_str().unwrap();
        for place in [
            format!("{testing}/pgvector-testing"),
            format!("{released}/pgvector"),
        ] {
            let found =
                tool(&repository, &["oras", "resolve", &format!("{place}:{tag}")]).success();
            assert_eq!(found.stdout.trim(), digest, "{place}:{tag}");
        }
    }
    let there = ["--promoted-to", released.as_str()];
    key("verify", "cosign.pub", &there)
        .success()
        .says("1 of 1 passed");

    let back = format!("{}/back", from.host());
    signed_by_an_older_cosign_it_goes_back(&repository, image, digest, &back);
    what_a_registry_has_lost_is_brought_back(&repository, &from, image, &back);
    let other = other_image(&repository, &back);
    verify(&repository, &other)
        .status(1)
        .says("no signatures found");
}

/// From a registry with the API to one without; an older cosign's signature has a tag of its own.
fn signed_by_an_older_cosign_it_goes_back(
    repository: &Repository,
    image: &str,
    digest: &str,
    back: &str,
) {
    let older = [
        "cosign",
        "sign",
        "--yes",
        "--key=cosign.key",
        "--use-signing-config=false",
        "--tlog-upload=false",
        "--new-bundle-format=false",
        "--registry-referrers-mode=legacy",
        "--",
        image,
    ];
    tool(repository, &older).success();
    repository
        .xtask(&["promote", image, "--to", back, "--untested"])
        .success()
        // The attestations of newer BuildKits refer to the image as well.
        .says("that refer")
        .says("1 signature's tag beside it");
    let tags = tool(
        repository,
        &["oras", "repo", "tags", &format!("{back}/pgvector")],
    )
    .success();
    assert!(tags.stdout.contains(".sig"), "{}", tags.stdout);
    let copied = format!("{back}/pgvector@{digest}");
    verify(repository, &copied).success();
    what_a_kill_has_left_unlisted_is_listed(repository, image, digest, back);
}

/// As a client leaves a registry without the API that ends between the push of a signature and that of the index which lists it.
fn what_a_kill_has_left_unlisted_is_listed(
    repository: &Repository,
    image: &str,
    digest: &str,
    back: &str,
) {
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    fs::write(repository.path().join("empty.json"), empty).unwrap();
    let name = format!("{back}/pgvector:{}", digest.replace(':', "-"));
    tool(
        repository,
        &["oras", "manifest", "push", &name, "empty.json"],
    )
    .success();
    let promote = ["promote", image, "--to", back, "--untested"];
    repository
        .xtask(&promote)
        .success()
        .says("that refer")
        .says("1 image promoted");
    repository
        .xtask(&promote)
        .success()
        .says("1 image unchanged");
}

/// By the commands that the failure names.
fn what_a_registry_has_lost_is_brought_back(
    repository: &Repository,
    registry: &Registry,
    image: &str,
    back: &str,
) {
    let fetch = ["oras", "manifest", "fetch", "--plain-http"];
    let read = |image: &str| {
        let read = tool(repository, &[&fetch[..], &[image]].concat());
        read.success().json()
    };
    let index = read(image);
    let (repository_of, _) = image.split_once('@').unwrap();
    let child = index["manifests"][0]["digest"].as_str().unwrap();
    let layer = read(&format!("{repository_of}@{child}"))["layers"][0]["digest"].clone();
    registry.lose(layer.as_str().unwrap());
    let promote = ["promote", image, "--to", back, "--untested"];
    let failed = repository
        .xtask(&promote)
        .status(1)
        .says("a part of the image, is not there");
    let (_, hint) = failed.stderr.split_once("has lost it: `").unwrap();
    let (commands, _) = hint.split_once('`').unwrap();
    tool(repository, &["sh", "-c", commands]).success();
    repository.xtask(&promote).success();
}

fn verify(repository: &Repository, image: &str) -> Ended {
    let words = [
        "verify",
        "--no-transparency-log",
        "--key",
        "cosign.pub",
        image,
    ];
    repository.xtask(&words)
}

/// Pushes an image that nobody has signed under the name of one that is. Gives the name.
fn other_image(repository: &Repository, registry: &str) -> String {
    let name = format!("{registry}/pgvector:0");
    fs::write(repository.path().join("tampered"), "x").unwrap();
    tool(repository, &["oras", "push", &name, "tampered:text/plain"]).success();
    name
}

/// The scanner of a build is an image, which here says what we want to find again.
#[test]
fn the_bill_of_materials_that_buildkit_attaches_is_printed() {
    let repository = Repository::new();
    let registry = Registry::start(&repository);
    let baked = repository
        .xtask(&["bake", "pgvector", "--json"])
        .success()
        .json();
    let label = "{{index .Config.Labels \"io.cloudnativepg.image.base.name\"}}";
    let baked = baked[0]["image"].as_str().unwrap();
    let base = repository
        .docker(&["image", "inspect", "--format", label, baked])
        .success()
        .stdout;
    let folder = repository.path().join("scanner");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("scan"),
        "#!/bin/bash\nprintf '{\"_type\":\"https://in-toto.io/Statement/v0.1\",\"predicateType\":\"https://spdx.dev/Document\",\"predicate\":{\"spdxVersion\":\"SPDX-2.3\",\"name\":\"probe\"}}' > \"$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json\"\n",
    )
    .unwrap();
    let dockerfile = format!(
        "FROM {} AS scanner\nCOPY --chmod=755 scan /scan\nENTRYPOINT [\"/scan\"]\nFROM scratch AS image\nCOPY scan /file\n",
        base.trim()
    );
    fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
    let scanner = format!("{}/scanner:1", registry.host());
    let image = format!("{}/probe:1", registry.host());
    let build = |target: &str, tag: &str, more: &[&str]| {
        let words = [
            "buildx", "build", "--target", target, "--tag", tag, "--push",
        ];
        repository
            .docker(&[&words[..], more, &["--", "scanner"]].concat())
            .success();
    };
    build("scanner", &scanner, &[]);
    repository
        .xtask(&["sbom", &scanner])
        .status(1)
        .says("no SBOM is attached");
    build(
        "image",
        &image,
        &["--attest", &format!("type=sbom,generator={scanner}")],
    );
    let document = repository.xtask(&["sbom", &image]).success().json();
    assert_eq!(
        (&document["spdxVersion"], &document["name"]),
        (&"SPDX-2.3".into(), &"probe".into())
    );
}
