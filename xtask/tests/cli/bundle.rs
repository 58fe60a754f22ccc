// SPDX-License-Identifier: Apache-2.0
//! `bundle`: what goes into the file, what comes out of it, and what is refused.

use std::fs;

use serde_json::Value;

use crate::cli::world::{
    World,
    image::{annotations, manifest},
};

const REGISTRY: &str = "ghcr.io/cloudnative-pg";
const BASE: &str = "ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie";
const OPERATOR: &str = "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0";
const EXPORT: &str = "bundle export b.tar beta --distro trixie --cnpg-release ./operator.yaml";
const IMPORT: &str = "bundle import b.tar --to localhost:5001/site";

/// What oras does with a folder in OCI's layout, on the registries of the fakes.
const TO_LAYOUT: &str = r#"for word in "$@"; do from=$layout layout=$word; done
  folder=${layout%@*} hex=${layout##*@sha256:}
  mkdir -p "$folder/blobs/sha256"
  cp "$here/engine/registries/$from" "$folder/blobs/sha256/$hex" || exit 1
  size=$(wc -c < "$folder/blobs/sha256/$hex")
  echo "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$hex\",\"size\":$size}" >> "$folder/list"
  echo "{\"manifests\":[$(paste -sd, "$folder/list")]}" > "$folder/index.json"
  exit 0"#;
const FROM_LAYOUT: &str = r#"for word in "$@"; do layout=$to to=$word; done
  all=$here/engine/registries hex=${layout##*@sha256:}
  mkdir -p "$all/${to%/*}"
  cp "${layout%@*}/blobs/sha256/$hex" "$all/$to" && cp "$all/$to" "$all/${to%:*}@sha256:$hex" || exit 1
  echo "Copied  $(printf %.12s "$hex") application/x"
  exit 0"#;

/// A world in which beta, which needs alpha, is published, with one of the signatures that refer to nothing.
fn world() -> (World, String) {
    let world = World::new();
    world.with_oras();
    world
        .tools
        .rule("oras cp --no-tty --recursive --to-oci-layout", TO_LAYOUT);
    world.tools.rule(
        "oras cp --no-tty --recursive --from-oci-layout",
        FROM_LAYOUT,
    );
    let put = |name: &str, of: &str| {
        world
            .registry
            .put(name, &manifest(&annotations("trixie", "18", of)))
    };
    put(&format!("{REGISTRY}/alpha:1.2-18-trixie"), "alpha");
    let beta = put(&format!("{REGISTRY}/beta:1.2-18-trixie"), "beta");
    put(BASE, "base");
    put(OPERATOR, "operator");
    let signature = format!("{REGISTRY}/beta:{}.sig", beta.replacen(':', "-", 1));
    put(&signature, "signature");
    world.write(
        "operator.yaml",
        &format!(
            "kind: Namespace\n---\nkind: Deployment\nmetadata: {{name: cnpg-controller-manager}}\nspec:\n  template:\n    spec:\n      \
             containers:\n        - image: {OPERATOR}\n          env: [{{name: OPERATOR_IMAGE_NAME, value: {OPERATOR}}}]\n"
        ),
    );
    (world, signature)
}

fn texts(rows: &Value, key: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[key].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn images_needs_signatures_bases_and_the_operator_go_in_and_come_out() {
    let (world, signature) = world();
    let ended = world.run(format!("{EXPORT} --json").as_str()).success();
    let names = [
        format!("{REGISTRY}/alpha:1.2-18-trixie"),
        format!("{REGISTRY}/beta:1.2-18-trixie"),
        signature,
        OPERATOR.to_owned(),
        BASE.to_owned(),
    ];
    assert_eq!(texts(&ended.json(), "image"), names);
    let bytes = fs::read(world.root().join("b.tar")).unwrap();
    // Once more, over what is there: it is a bundle of ours, and the same.
    world.run(EXPORT).success();
    assert_eq!(fs::read(world.root().join("b.tar")).unwrap(), bytes);

    let ended = world.run(format!("{IMPORT} --json").as_str()).success();
    let rows = ended.json();
    ended.says("5 images in `localhost:5001/site`");
    let pushed = texts(&rows, "pushed");
    for (name, pushed) in names.iter().zip(&pushed) {
        let path = name.strip_prefix("ghcr.io/").unwrap();
        assert!(
            pushed.starts_with(&format!("localhost:5001/site/{path}@sha256:")),
            "{pushed}"
        );
        let file = world
            .state("engine/registries")
            .join(pushed.split_once('@').unwrap().0);
        assert!(file.is_file(), "{pushed}");
    }
    let operator = &pushed[3];
    let text = world.read("target/xtask/bundle/operator-manifest.yaml");
    assert!(
        text.contains(&format!("- image: {operator}\n"))
            && text.contains(&format!("value: {operator}}}")),
        "{text}"
    );
    let left = fs::read_dir(world.root().join("target/xtask/bundle")).unwrap();
    assert_eq!(left.count(), 1, "the layouts stay behind");
    world.run("bundle export small.tar alpha --distro trixie --without-base --without-operator --json").success();
}

#[test]
fn what_is_not_there_is_said_and_nothing_is_written() {
    let (world, _) = world();
    for (command, why) in [
        (
            "bundle export b.tar gamma --distro trixie --without-operator",
            "`ghcr.io/cloudnative-pg/gamma:1.2-18-trixie` is not in its registry",
        ),
        (
            "bundle export b.tar beta --distro bookworm --without-operator",
            "alpha:1.2-18-bookworm` is not in its registry",
        ),
        (
            "bundle export b.tar beta --distro trixie --cnpg-release ./xtask.toml.yaml",
            "the operator's manifest `xtask.toml.yaml` does not exist",
        ),
        (
            "bundle export b.tar beta --distro trixie --cnpg-release extensions/beta/metadata.hcl",
            "is no manifest of the operator",
        ),
        (
            "bundle import b.tar --to localhost:5001",
            "`b.tar` does not exist",
        ),
        (
            "bundle import b.tar --to https://x",
            "`--to`: it must be the host of a registry",
        ),
    ] {
        world.run(command).status(2).says(why);
        assert!(!world.root().join("b.tar").exists());
    }
    world.write("b.tar", "my notes");
    world
        .run(EXPORT)
        .status(2)
        .says("`b.tar` is there, and is no bundle: it would be written over");
    assert_eq!(world.read("b.tar"), "my notes");
    world
        .run(IMPORT)
        .status(2)
        .says("the bundle is damaged, or is none");
    world.calls.never("oras cp");
}

#[test]
fn a_bundle_that_somebody_has_changed_is_refused_before_anything_is_pushed() {
    let (world, _) = world();
    world.run(EXPORT).success();
    let file = world.root().join("b.tar");
    let bytes = fs::read(&file).unwrap();
    world.calls.forget();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let at = text.find("\"alpha\"").unwrap();
    let mut changed = bytes.clone();
    changed[at + 1] = b'b';
    for bytes in [&changed[..], &bytes[..bytes.len() / 2]] {
        fs::write(&file, bytes).unwrap();
        world
            .run(IMPORT)
            .status(2)
            .says("the bundle is damaged, or is none");
    }
    world.calls.never("oras cp");
    assert_eq!(
        fs::read_dir(world.root().join("target/xtask/bundle"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_registry_that_has_another_image_afterwards_is_a_failure() {
    let (world, _) = world();
    world.run(EXPORT).success();
    world.tools.rule(
        "oras resolve --plain-http -- localhost:5001/site/cloudnative-pg/alpha",
        "echo sha256:0000000000000000000000000000000000000000000000000000000000000000; exit 0",
    );
    world
        .run(IMPORT)
        .status(1)
        .says("and the registry has `sha256:00000000");
}

#[test]
fn what_the_registry_has_is_not_lost_to_a_bundle() {
    let (world, signature) = world();
    world.run(EXPORT).success();
    let tag = signature.rsplit_once(':').unwrap().1;
    let there = format!("localhost:5001/site/cloudnative-pg/beta:{tag}");
    let signed = |name: &str| serde_json::json!({"layers": [{"digest": format!("sha256:{}", name.repeat(32))}]});
    world.registry.put(&there, &signed("bb"));
    // What the bundle has under that tag holds no signature at all, so nothing of it is lacking there.
    world
        .run(IMPORT)
        .success()
        .says("the registry has these signatures and more");
    let kept = fs::read_to_string(world.state("engine/registries").join(&there)).unwrap();
    assert_eq!(kept, signed("bb").to_string());
    // A rolling tag is moved, and what it was is said.
    let rolling = "localhost:5001/site/cloudnative-pg/alpha:1.2-18-trixie";
    let before = world.registry.put(rolling, &signed("cc"));
    world
        .run(IMPORT)
        .success()
        .says(&format!("`{rolling}` was `{before}` until now"));
}

#[test]
fn dry_runs_write_and_push_nothing() {
    let (world, _) = world();
    let ended = world.run(format!("{EXPORT} --dry-run").as_str()).success();
    assert!(
        ended.stdout.contains(
            "oras cp --no-tty --recursive --to-oci-layout -- ghcr.io/cloudnative-pg/beta@sha256:"
        ),
        "{}",
        ended.stdout
    );
    assert!(!world.root().join("b.tar").exists());
    world.calls.never("oras cp");
    world.run(EXPORT).success();
    world.calls.forget();
    let ended = world.run(format!("{IMPORT} --dry-run").as_str()).success();
    assert!(
        ended.stdout.contains(
            "oras cp --no-tty --recursive --from-oci-layout --to-plain-http -- target/xtask/bundle/"
        ),
        "{}",
        ended.stdout
    );
    world.calls.never("oras");
}
