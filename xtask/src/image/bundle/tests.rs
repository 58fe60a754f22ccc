// SPDX-License-Identifier: Apache-2.0

use std::{collections::BTreeSet, path::Path};

use tar::{Builder, EntryType, Header};

use super::*;
use crate::own::Location;

/// A layout as tools leave it: an image of one blob, and a signature of it.
struct Made {
    folder: tempfile::TempDir,
    image: Digest,
}

fn put(folder: &Path, bytes: &[u8]) -> (Digest, usize) {
    let digest = Digest::of(bytes);
    let path = folder
        .join(BLOBS)
        .join(digest.trim_start_matches("sha256:"));
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, bytes).unwrap();
    (digest, bytes.len())
}

fn entry(kind: &str, (digest, size): &(Digest, usize)) -> Value {
    json!({"mediaType": kind, "digest": digest, "size": size})
}

fn made() -> Made {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let (config, layer) = (put(root, b"{}"), put(root, b"a layer"));
    let image = json!({"config": entry(EMPTY_TYPE, &config), "layers": [entry("x", &layer)]});
    let image = put(root, image.to_string().as_bytes());
    let signature = json!({"subject": entry(MANIFEST_TYPE, &image), "layers": []});
    let signature = put(root, signature.to_string().as_bytes());
    let mut listed = [
        entry(MANIFEST_TYPE, &signature),
        entry(MANIFEST_TYPE, &image),
    ];
    listed[1]["annotations"] = json!({NAME: "of a tool", "more": "stays"});
    let index = json!({"manifests": listed});
    fs_err::write(root.join(INDEX), index.to_string()).unwrap();
    Made {
        folder,
        image: image.0,
    }
}

fn names(digest: &Digest) -> BTreeSet<Named> {
    let named = |name: &str| Named {
        name: name.into(),
        digest: digest.clone(),
    };
    BTreeSet::from([named("ghcr.io/x/a:1"), named("ghcr.io/x/a:1-2026")])
}

fn packed(made: &Made) -> Vec<u8> {
    let operator = Operator {
        text: "image: ghcr.io/x/operator:1\n".into(),
        image: "ghcr.io/x/operator:1".into(),
    };
    let mut bytes: Vec<u8> = Vec::new();
    pack(
        made.folder.path(),
        &names(&made.image),
        Some(&operator),
        &mut bytes,
    )
    .unwrap();
    bytes
}

/// What is said of a bundle of these bytes, and whether anything lies outside of its folder.
fn refusal(bytes: &[u8]) -> String {
    let place = tempfile::tempdir().unwrap();
    let folder = Location::ours(place.path(), place.path().join("in/here"));
    let refused = unpack(bytes, &folder).map(|_| ()).unwrap_err();
    let entries = fs_err::read_dir(place.path()).unwrap();
    let others = entries.filter(|entry| entry.as_ref().unwrap().file_name() != "in");
    assert_eq!(others.count(), 0);
    refused.message
}

#[test]
fn what_is_packed_is_unpacked_and_the_same_each_time() {
    let made = made();
    let bytes = packed(&made);
    assert_eq!(bytes, packed(&made));
    let said = index(&bytes[..]).unwrap();
    let called: Vec<String> = said
        .images
        .iter()
        .map(|(image, _)| image.to_string())
        .collect();
    assert_eq!(called, ["ghcr.io/x/a:1", "ghcr.io/x/a:1-2026"]);
    let place = tempfile::tempdir().unwrap();
    let folder = Location::ours(place.path(), place.path().join("in"));
    let unpacked = unpack(&bytes[..], &folder).unwrap();
    // The config and the artifact's are the same.
    assert_eq!(unpacked.blobs, 6);
    let (text, image) = said.operator_in(&folder).unwrap().unwrap();
    assert_eq!(
        (text.as_str(), image.as_str()),
        ("image: ghcr.io/x/operator:1\n", "ghcr.io/x/operator:1")
    );
    let layout: Value =
        serde_json::from_slice(&fs_err::read(place.path().join("in/index.json")).unwrap()).unwrap();
    let manifests = layout["manifests"].as_array().unwrap();
    let of_image = |one: &&Value| one["digest"] == *made.image;
    let annotations: Vec<&Value> = manifests
        .iter()
        .filter(of_image)
        .map(|one| &one["annotations"])
        .collect();
    assert_eq!(annotations.len(), 2);
    assert_eq!(
        *annotations[0],
        json!({"more": "stays", NAME: "ghcr.io/x/a:1", CONTAINERD_NAME: "ghcr.io/x/a:1"})
    );
}

#[test]
fn an_image_that_has_not_arrived_is_said() {
    let made = made();
    let mut bytes: Vec<u8> = Vec::new();
    let failed = pack(
        made.folder.path(),
        &names(&Digest::of(b"other")),
        None,
        &mut bytes,
    )
    .unwrap_err();
    assert!(
        failed
            .to_string()
            .contains("`ghcr.io/x/a:1` has not arrived")
    );
}

/// The same archive with other entries.
fn changed(
    bytes: &[u8],
    change: impl Fn(&str, Vec<u8>) -> Vec<(String, EntryType, Vec<u8>)>,
) -> Vec<u8> {
    use std::io::Read as _;
    let mut archive = Builder::new(Vec::new());
    for entry in tar::Archive::new(bytes).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        for (path, kind, bytes) in change(&path, text) {
            let mut header = Header::new_gnu();
            header.set_entry_type(kind);
            header.set_mode(0o644);
            let is_link = kind.is_symlink() || kind.is_hard_link();
            header.set_size(if is_link { 0 } else { bytes.len() as u64 });
            if is_link {
                header.set_link_name("/etc/passwd").unwrap();
            }
            // The library itself refuses to write such a name.
            let name = path.as_bytes();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name);
            header.set_cksum();
            archive
                .append(&header, if is_link { &[][..] } else { &bytes[..] })
                .unwrap();
        }
    }
    archive.into_inner().unwrap()
}

#[test]
fn what_is_hostile_or_damaged_is_refused() {
    let made = made();
    let good = packed(&made);
    let hex = made.image.trim_start_matches("sha256:").to_owned();
    let own = format!("{BLOBS}{hex}");
    let same = |path: &str, bytes: Vec<u8>| vec![(path.to_owned(), EntryType::Regular, bytes)];
    let with = |path: &'static str, kind| {
        changed(&good, move |own, bytes| {
            let mut all = vec![(own.to_owned(), EntryType::Regular, bytes)];
            if own == INDEX {
                all.push((path.to_owned(), kind, b"text".to_vec()));
            }
            all
        })
    };
    for path in [
        "../evil",
        "/evil",
        "blobs/sha256/../../../../evil",
        "blobs/sha256/evil",
        "evil",
    ] {
        let message = refusal(&with(path, EntryType::Regular));
        assert!(message.contains("which is no blob"), "{path}: {message}");
    }
    let link = changed(&good, |path, bytes| {
        let kind = if path == own {
            EntryType::Symlink
        } else {
            EntryType::Regular
        };
        vec![(path.to_owned(), kind, bytes)]
    });
    assert!(refusal(&link).contains("which is no blob"));
    let other = changed(&good, |path, bytes| match path {
        path if path == own => same(path, b"{}".to_vec()),
        path => same(path, bytes),
    });
    assert!(
        refusal(&other).contains("is `sha256:44136fa3"),
        "{}",
        refusal(&other)
    );
    let lacking = changed(&good, |path, bytes| match path {
        path if path == own => Vec::new(),
        path => same(path, bytes),
    });
    assert!(refusal(&lacking).contains("is missing"));
    let twice = changed(&good, |path, bytes| match path {
        path if path == own => [same(path, bytes.clone()), same(path, bytes)].concat(),
        path => same(path, bytes),
    });
    assert!(refusal(&twice).contains("twice"));
    for (from, to, why) in [
        ("ghcr.io/x/a:1\"", "--help\"", "no reference"),
        ("\"manifests\"", "\"others\"", "lists no manifests"),
        ("sha256:", "sha512:", "as a digest"),
        ("\"size\"", "\"length\"", "does not say the size"),
        ("{", "[", "no JSON"),
    ] {
        let index = changed(&good, |path, bytes| match path {
            INDEX => same(
                path,
                String::from_utf8(bytes)
                    .unwrap()
                    .replace(from, to)
                    .into_bytes(),
            ),
            path => same(path, bytes),
        });
        assert!(refusal(&index).contains(why), "{why}: {}", refusal(&index));
    }
    for cut in [0, 100, 600, 2_000, good.len() / 2] {
        assert!(
            refusal(&good[..cut]).starts_with("the bundle is damaged, or is none"),
            "{cut}"
        );
    }
    assert!(refusal(b"not an archive at all").contains("is none"));
    let reversed = changed(&good, |path, bytes| {
        same(if path == LAYOUT { "layout" } else { path }, bytes)
    });
    assert!(refusal(&reversed).contains("`oci-layout` does not stand where"));
}
