// SPDX-License-Identifier: Apache-2.0
//! `sign`, `verify` and `sbom`: what cosign and oras are asked, and who gets the password.

use std::fs;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::cli::world::{World, image::architecture};

const IMAGE: &str = "localhost:5000/x-testing";
const PASSWORD: &[(&str, &str)] = &[("COSIGN_PASSWORD", "s3cret")];
const WITH_KEY: &str = "--metadata-file built.json --no-transparency-log --key";

/// A world with an image in a registry, the metadata file `built.json` that speaks of it, two pairs of keys, and the tools. Gives
/// the image's name by its digest too.
fn world() -> (World, String) {
    let world = World::new();
    world.with_oras();
    world
        .tools
        .fake("cosign", include_str!("world/fakes/cosign.sh"));
    for key in ["ours.key", "ours.pub", "other.key", "other.pub"] {
        world.write(key, "");
    }
    let digest = world
        .registry
        .put(&format!("{IMAGE}:1-18-trixie"), &json!({"manifests": []}));
    let built = json!({"x-1-18-trixie": {"containerimage.digest": digest, "image.name": format!("{IMAGE}:1-18-trixie")}});
    world.write("built.json", &built.to_string());
    let image = format!("{IMAGE}@{digest}");
    (world, image)
}

#[test]
fn an_image_is_signed_by_its_digest_and_once_with_a_key() {
    let (world, image) = world();
    let sign = format!("sign {WITH_KEY} ours.key");
    let ended = world
        .run_with(sign.as_str(), PASSWORD)
        .success()
        .says("1 image signed");
    assert!(
        ended.stdout.contains(&format!("signed  {image}")),
        "{}",
        ended.stdout
    );
    assert_eq!(
        world.calls.only("cosign sign").line(),
        format!(
            "cosign sign --yes --key=ours.key --use-signing-config=false --tlog-upload=false -- {image}"
        )
    );
    world.calls.forget();
    world
        .run_with(sign.as_str(), PASSWORD)
        .success()
        .says("unchanged: it has a signature of this key")
        .says("1 image unchanged");
    world.calls.never("cosign sign");
    // Another key's is another signature. A tag is asked for first.
    let named = format!(
        "sign {IMAGE}:1-18-trixie --key {}/other.key",
        world.root().display()
    );
    world.run_with(named.as_str(), PASSWORD).success();
    let line = world.calls.only("cosign sign").line();
    assert!(
        line.ends_with(&format!("--key=other.key -- {image}")),
        "{line}"
    );
}

#[test]
fn the_password_of_the_key_is_cosigns_alone_and_stands_nowhere() {
    let (world, _) = world();
    let seen = world.state("seen");
    for program in ["oras", "docker"] {
        let line = format!(
            "echo \"{program} ${{COSIGN_PASSWORD-none}}\" >> {}",
            seen.display()
        );
        world.tools.rule(program, &line);
    }
    world
        .run_with("sign alpha --key ours.key --verbose", PASSWORD)
        .status(2);
    let named = format!("sign {IMAGE}:1-18-trixie --key ours.key --verbose");
    let ended = world.run_with(named.as_str(), PASSWORD).success();
    assert!(!format!("{ended:?}").contains("s3cret"), "{ended:#?}");
    let seen = fs::read_to_string(seen).unwrap();
    assert!(
        seen.contains("oras none") && seen.contains("docker none"),
        "{seen}"
    );
    assert!(!seen.contains("s3cret"), "{seen}");
    let log = fs::read_to_string(world.state("log")).unwrap();
    assert!(!log.contains("s3cret"), "{log}");
    for entry in walk(&world.root().join("target/xtask")) {
        let text = String::from_utf8_lossy(&fs::read(&entry).unwrap()).into_owned();
        assert!(!text.contains("s3cret"), "{}", entry.display());
    }
    // Without one nobody is asked for it.
    world.calls.forget();
    world
        .run(format!("sign {WITH_KEY} ours.key").as_str())
        .status(2)
        .says("not in the environment variable `COSIGN_PASSWORD`");
    world.calls.never("cosign");
}

#[test]
fn a_key_in_a_variable_is_cosigns_alone() {
    let (world, _) = world();
    let seen = world.state("seen");
    for program in ["oras", "docker", "cosign"] {
        let line = format!("echo \"{program} ${{MY_KEY-none}}\" >> {}", seen.display());
        world.tools.rule(program, &line);
    }
    let environment = [("COSIGN_PASSWORD", ""), ("MY_KEY", "ours")];
    for command in ["sign", "verify"] {
        let named = format!("{command} {IMAGE}:1-18-trixie --key env://MY_KEY");
        world.run_with(named.as_str(), &environment).success();
    }
    let seen = fs::read_to_string(seen).unwrap();
    let lines: std::collections::BTreeSet<&str> = seen.lines().collect();
    assert!(
        lines.contains("oras none") && lines.contains("cosign ours"),
        "{seen}"
    );
    assert!(
        !lines.contains("oras ours") && !lines.contains("docker ours"),
        "{seen}"
    );
}

/// The files in a folder, at any depth.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn what_is_not_signed_by_whom_it_is_to_be_is_refused() {
    let (world, image) = world();
    let verify = |key: &str| format!("verify {WITH_KEY} {key} --json");
    world
        .run(verify("ours.pub").as_str())
        .status(1)
        .says("no signatures found");
    world
        .run_with(format!("sign {WITH_KEY} ours.key").as_str(), PASSWORD)
        .success();
    let rows = world
        .run(verify("ours.pub").as_str())
        .success()
        .says("1 of 1 passed")
        .json();
    assert_eq!(
        rows,
        json!([{"result": "passed", "title": "x-1-18-trixie", "image": image, "signatures": 1}])
    );
    let rows = world.run(verify("other.pub").as_str()).status(1).json();
    assert_eq!(
        (&rows[0]["result"], &rows[0]["signatures"]),
        (&json!("failed"), &json!(0))
    );
    // Somebody has put another image under the tag.
    world
        .registry
        .put(&format!("{IMAGE}:1-18-trixie"), &json!({"tampered": true}));
    world
        .run(format!("verify {IMAGE}:1-18-trixie --key ours.pub --no-transparency-log").as_str())
        .status(1)
        .says("no signatures found");
    // What cosign says of another image proves nothing.
    world.tools.rule(
        "cosign verify",
        "echo '[{\"critical\":{\"image\":{\"docker-manifest-digest\":\"sha256:0\"}}}]'; exit",
    );
    world
        .run(verify("ours.pub").as_str())
        .status(1)
        .says("has verified nothing that is about");
}

#[test]
fn a_promoted_image_is_looked_for_where_it_is_now() {
    let (world, image) = world();
    let there = image.replace(IMAGE, "ghcr.io/owner/x");
    let verify = "verify --metadata-file built.json --promoted-to ghcr.io/owner --certificate-identity-regexp ^https://github.com/owner/ --certificate-oidc-issuer https://token.actions.githubusercontent.com";
    let ended = world.run(format!("{verify} --dry-run").as_str()).success();
    assert_eq!(
        ended.stdout,
        format!(
            "cosign verify --output json '--certificate-identity-regexp=^https://github.com/owner/' --certificate-oidc-issuer=https://token.actions.githubusercontent.com -- {there}\n"
        )
    );
    world
        .run("sign --metadata-file built.json --keyless")
        .success();
    world.run(verify).success();
    assert_eq!(
        world.calls.only("cosign sign").line(),
        format!("cosign sign --yes -- {image}")
    );
}

#[test]
fn a_dry_run_signs_in_a_shell_what_is_not_signed() {
    let (world, _) = world();
    let printed = world
        .run(format!("sign {WITH_KEY} ours.key --dry-run").as_str())
        .success()
        .stdout;
    world.calls.never("cosign");
    for signed in [1, 0] {
        world.calls.forget();
        let lines = format!("export COSIGN_PASSWORD=\nset -e\n{printed}");
        assert_eq!(world.shell(&lines, &[]).status, Some(0), "{printed}");
        assert_eq!(world.calls.of("cosign sign").len(), signed, "{printed}");
    }
}

#[test]
fn mistakes_are_said_before_anything_is_asked() {
    let (world, _) = world();
    let file = "--metadata-file built.json";
    for (words, said) in [
        (format!("sign {file}"), "with what is to be signed?"),
        (
            format!("sign {file} --key nowhere.key"),
            "the key `nowhere.key` is no file",
        ),
        (
            format!("sign {file} --key env://NOBODY"),
            "no variable `NOBODY`",
        ),
        (
            format!("sign {file} --key https://u:s3cret@h/k"),
            "is no key",
        ),
        (
            format!("sign {file} --key ours.key --keyless"),
            "cannot be used with",
        ),
        (
            format!("sign {file} --keyless --no-transparency-log"),
            "--key",
        ),
        (format!("verify {file}"), "whose signature is wanted?"),
        (
            format!("verify {file} --certificate-identity x"),
            "whose signature is wanted?",
        ),
        (
            format!("verify {file} --key ours.pub --promoted-to https://x"),
            "without a scheme",
        ),
        ("sign --keyless".into(), "which extension?"),
        (
            "verify a//b --key ours.pub".into(),
            "is not an image reference",
        ),
        (format!("sbom {file} --platform x"), "it must be"),
    ] {
        let ended = world.run(words.as_str()).status(2).says(said);
        assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    }
    world.calls.never("oras");
    world.calls.never("cosign");
}

/// Puts a text into the registry as a blob or a manifest, by its digest alone.
fn put_blob(world: &World, text: &str) -> String {
    let digits = Sha256::digest(text.as_bytes());
    let hex = digits
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let place = world
        .state("engine/registries")
        .join(format!("{IMAGE}@sha256:{hex}"));
    fs::write(place, text).unwrap();
    format!("sha256:{hex}")
}

/// What moves, colours and turns a terminal that believes it.
const HOSTILE: &str = "\u{9b}2J\u{7f}\u{202e}\u{1b}[2J";

#[test]
fn the_bill_of_materials_is_that_of_the_image_and_of_the_platform() {
    let (world, _) = world();
    let of = |architecture: &str, size: u64| {
        let image = put_blob(
            &world,
            &json!({"layers": [], "for": architecture}).to_string(),
        );
        let statement = json!({
            "predicateType": "https://spdx.dev/Document",
            "subject": [{"digest": {"sha256": image.trim_start_matches("sha256:")}}],
            "predicate": {"spdxVersion": "SPDX-2.3", "name": architecture, "comment": HOSTILE},
        });
        let blob = put_blob(&world, &statement.to_string());
        let attestations = json!({"layers": [{"digest": blob, "size": size, "annotations": {"in-toto.io/predicate-type": "https://spdx.dev/Document"}}]});
        let attestations = put_blob(&world, &attestations.to_string());
        let manifests = json!([
            {"digest": image, "platform": {"os": "linux", "architecture": architecture}},
            {"digest": attestations, "platform": {"os": "unknown", "architecture": "unknown"},
             "annotations": {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image}},
        ]);
        (manifests, image)
    };
    let (here, image) = of(architecture(), 200);
    let (there, other) = of("s390x", 200);
    let (large, _) = of("riscv64", 1 << 30);
    let all = [&here, &there, &large].map(|one| one.as_array().unwrap().clone());
    let all = all.concat();
    let tag = format!("{IMAGE}:1");
    world.registry.put(&tag, &json!({"manifests": all}));
    let name = |words: &str| world.run(words).success().json()["name"].clone();
    assert_eq!(name(&format!("sbom {tag}")), architecture());
    assert_eq!(name(&format!("sbom {tag} --platform linux/s390x")), "s390x");
    world
        .run(format!("sbom {tag} --platform linux/arm/v7").as_str())
        .status(2)
        .says("has attestations for");
    // What is too large is not fetched at all.
    world.calls.forget();
    world
        .run(format!("sbom {tag} --platform linux/riscv64").as_str())
        .status(1)
        .says("the bill of materials has 1.0 GB, and 134.2 MB at most are read")
        .says("hint: `oras blob fetch --output sbom.json");
    world.calls.never("oras blob fetch");
    // What a registry says acts on nobody's terminal.
    let hostile = world.run(format!("sbom {tag}").as_str()).success();
    assert_eq!(hostile.json()["comment"], HOSTILE);
    let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!hostile.stdout.contains(acts), "{:?}", hostile.stdout);
    // One that is about another image is none of this one.
    let text = json!({"manifests": here})
        .to_string()
        .replace(&image, &other);
    world
        .registry
        .put(&tag, &serde_json::from_str(&text).unwrap());
    world
        .run(format!("sbom {tag}").as_str())
        .status(1)
        .says("is no bill of materials of it");
    world.registry.put(&tag, &json!({"manifests": []}));
    world
        .run(format!("sbom {tag}").as_str())
        .status(1)
        .says("no SBOM is attached");
}
