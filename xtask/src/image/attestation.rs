// SPDX-License-Identifier: Apache-2.0
//! What BuildKit attaches to an image: in the index a manifest of attestations for each platform, with a statement of in-toto in each
//! of its layers. Facts: BuildKit, `docs/attestations/attestation-storage.md`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::value::{Digest, Platform};

/// In the index, what a manifest is that holds attestations, and of which image.
const KIND: &str = "vnd.docker.reference.type";
const OF: &str = "vnd.docker.reference.digest";
const ATTESTATIONS: &str = "attestation-manifest";
/// In the manifest, what a statement is about.
const PREDICATE: &str = "in-toto.io/predicate-type";
/// What predicates of provenance begin with; a version stands behind it.
const PROVENANCE: &str = "https://slsa.dev/provenance/";
/// A bill of materials.
pub(crate) const SPDX: &str = "https://spdx.dev/Document";

/// The image for one platform, and the manifest with its attestations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attested {
    pub platform: Platform,
    pub image: Digest,
    pub attestations: Digest,
}

/// The images of an index that have attestations.
pub(crate) fn attested(index: &str) -> Vec<Attested> {
    let index: Value = serde_json::from_str(index).unwrap_or_default();
    let manifests = || index["manifests"].as_array().into_iter().flatten();
    let digest = |value: &Value| value.as_str()?.parse::<Digest>().ok();
    let images = manifests().filter_map(|manifest| {
        let platform = &manifest["platform"];
        let text = |key: &str| platform[key].as_str();
        let mut name = format!("{}/{}", text("os")?, text("architecture")?);
        if let Some(variant) = text("variant") {
            name = format!("{name}/{variant}");
        }
        let image = digest(&manifest["digest"])?;
        let of_it = manifests().find(|other| {
            other["annotations"][KIND] == ATTESTATIONS && other["annotations"][OF] == *image
        })?;
        Some(Attested {
            platform: name.parse().ok()?,
            image,
            attestations: digest(&of_it["digest"])?,
        })
    });
    images.collect()
}

/// What is attested in a manifest of attestations, as bake calls it: `provenance`, `sbom`, or a predicate that it has no word for.
pub(crate) fn kinds(manifest: &str) -> BTreeSet<String> {
    let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
    let layers = manifest["layers"].as_array().into_iter().flatten();
    let predicates = layers.filter_map(|layer| layer["annotations"][PREDICATE].as_str());
    let kind = |predicate: &str| match predicate {
        SPDX => "sbom".to_owned(),
        other if other.starts_with(PROVENANCE) => "provenance".to_owned(),
        other => other.to_owned(),
    };
    predicates.map(kind).collect()
}

/// Where a statement is, and how large it is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
}

/// The statement of this kind in a manifest of attestations.
pub(crate) fn statement(manifest: &str, predicate: &str) -> Option<Statement> {
    let manifest: Value = serde_json::from_str(manifest).ok()?;
    let mut layers = manifest["layers"].as_array()?.iter();
    let layer = layers.find(|layer| layer["annotations"][PREDICATE] == predicate)?;
    Some(Statement {
        digest: layer["digest"].as_str()?.parse().ok()?,
        size: layer["size"].as_u64()?,
    })
}

/// What a statement says of an image. None: it is no statement of this kind, or one about something else.
pub(crate) fn predicate(statement: &str, kind: &str, image: &Digest) -> Option<Value> {
    let mut statement: Value = serde_json::from_str(statement).ok()?;
    let hex = image.strip_prefix("sha256:")?;
    let mut subjects = statement["subject"].as_array()?.iter();
    let is_of_it = subjects.any(|subject| subject["digest"]["sha256"] == hex);
    (is_of_it && statement["predicateType"] == kind).then(|| statement["predicate"].take())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_statement_is_found_by_way_of_its_platform_and_must_be_about_the_image() {
        let [image, other, attestations, blob] =
            [b"i", b"o", b"a", b"b"].map(|text| Digest::of(text));
        let index = json!({"manifests": [
            {"digest": image, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
            {"digest": other, "platform": {"os": "linux", "architecture": "amd64"}},
            {"digest": attestations, "platform": {"os": "unknown", "architecture": "unknown"},
             "annotations": {KIND: ATTESTATIONS, OF: image}},
        ]});
        let found = attested(&index.to_string());
        let wanted = Attested {
            platform: "linux/arm64/v8".parse().unwrap(),
            image: image.clone(),
            attestations,
        };
        assert_eq!(found, [wanted]);
        let manifest = json!({"layers": [
            {"digest": other, "annotations": {PREDICATE: "https://slsa.dev/provenance/v1"}},
            {"digest": blob, "size": 7, "annotations": {PREDICATE: SPDX}},
        ]});
        let wanted = Statement {
            digest: blob,
            size: 7,
        };
        assert_eq!(statement(&manifest.to_string(), SPDX), Some(wanted));
        let hex = image.strip_prefix("sha256:").unwrap();
        let said = json!({"predicateType": SPDX, "subject": [{"digest": {"sha256": hex}}], "predicate": {"a": 1}});
        let said = said.to_string();
        assert_eq!(predicate(&said, SPDX, &image), Some(json!({"a": 1})));
        assert_eq!(predicate(&said, SPDX, &other), None);
        assert_eq!(predicate(&said, "other", &image), None);
        for text in [
            "",
            "[]",
            "{}",
            "no JSON",
            r#"{"manifests": [{"digest": "--x"}]}"#,
        ] {
            assert!(
                attested(text).is_empty() && statement(text, SPDX).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn kinds_of_attestations_are_called_as_bake_calls_them() {
        let layer = |predicate: &str| json!({"annotations": {PREDICATE: predicate}});
        let manifest = json!({"layers": [
            layer("https://slsa.dev/provenance/v0.2"), layer(SPDX), layer("https://other/"), {"annotations": {}},
        ]});
        let kinds: Vec<String> = kinds(&manifest.to_string()).into_iter().collect();
        assert_eq!(kinds, ["https://other/", "provenance", "sbom"]);
        assert!(super::kinds("no JSON").is_empty());
    }
}
