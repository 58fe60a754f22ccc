// SPDX-License-Identifier: Apache-2.0
//! What a registry has of a target that nothing is noted of, because another machine has pushed it: an image with the same annotations
//! and the same kinds of attestations. Whether its files are the same the build shows, which must come to its configurations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::known::Known;
use crate::{
    exec::Exec,
    image::{ImageRef, attestation},
    tool::imagetools,
    value::Digest,
};

/// What of an image can be seen before it is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::stage::bake) struct Wanted {
    /// The names that stay from one bake to the next.
    pub tags: Vec<ImageRef>,
    /// Of the index, without those that say when it was made.
    pub of_index: BTreeMap<String, String>,
    /// The same of each manifest.
    pub of_manifests: BTreeMap<String, String>,
    /// As bake calls them: `provenance`, `sbom`.
    pub attested: BTreeSet<String>,
}

/// The image that all these names have, where it is such a one. What cannot be asked is none.
pub(super) fn find(wanted: &Wanted, asked: &Digest, exec: &dyn Exec) -> Option<Known> {
    let raw = |image: &ImageRef| exec.read(&imagetools::manifest_cmd(image), None).ok();
    let (first, others) = wanted.tags.split_first()?;
    let index = raw(first)?;
    if others
        .iter()
        .any(|other| raw(other).as_ref() != Some(&index))
    {
        return None;
    }
    let parsed: Value = serde_json::from_str(&index).ok()?;
    if !says(&parsed, &wanted.of_index) {
        return None;
    }
    let manifest = |digest: &Digest| raw(&first.by_digest(digest));
    let mut configurations = Vec::new();
    let images = images(&parsed)?;
    for image in &images {
        let manifest: Value = serde_json::from_str(&manifest(image)?).ok()?;
        if !says(&manifest, &wanted.of_manifests) {
            return None;
        }
        configurations.push(manifest["config"]["digest"].as_str()?.parse().ok()?);
    }
    let attested = attestation::attested(&index);
    let attested = images.iter().map(|image| {
        let of_it = attested.iter().find(|one| one.image == *image);
        of_it.map_or(Some(BTreeSet::new()), |one| {
            Some(attestation::kinds(&manifest(&one.attestations)?))
        })
    });
    for kinds in attested {
        if kinds? != wanted.attested {
            return None;
        }
    }
    configurations.sort();
    let digest = Digest::of(index.as_bytes());
    let names: Vec<String> = wanted.tags.iter().map(ToString::to_string).collect();
    Some(Known {
        asked: asked.clone(),
        said: json!({"containerimage.digest": digest, "image.name": names.join(",")}),
        digest,
        configurations,
    })
}

/// Whether an index or a manifest has these annotations.
fn says(described: &Value, annotations: &BTreeMap<String, String>) -> bool {
    let mut all = annotations.iter();
    all.all(|(name, value)| described["annotations"][name] == **value)
}

/// The manifests of an index that are images. None: one of them has no digest, or there is none.
fn images(index: &Value) -> Option<Vec<Digest>> {
    let manifests = index["manifests"].as_array()?.iter();
    let images = manifests.filter(|manifest| manifest["platform"]["os"] != "unknown");
    let images = images.map(|manifest| manifest["digest"].as_str()?.parse().ok());
    let images: Vec<Digest> = images.collect::<Option<_>>()?;
    (!images.is_empty()).then_some(images)
}
