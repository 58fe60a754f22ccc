// SPDX-License-Identifier: Apache-2.0
//! What a manifest or an index lists, by digests. What is no digest is left out: it would become a part of a reference.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::value::Digest;

/// The manifests of an index; of what is no index none.
pub(crate) fn manifests(text: &str) -> BTreeSet<Digest> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    digests(&value["manifests"])
}

/// The layers of a manifest, which of cosign's are its signatures.
pub(crate) fn layers(text: &str) -> BTreeSet<Digest> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    digests(&value["layers"])
}

/// The blobs of a manifest: its layers and its configuration.
pub(crate) fn blobs(text: &str) -> BTreeSet<Digest> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let mut blobs = digests(&value["layers"]);
    blobs.extend(digest(&value["config"]));
    blobs
}

fn digests(list: &Value) -> BTreeSet<Digest> {
    let entries = list.as_array().into_iter().flatten();
    entries.filter_map(digest).collect()
}

fn digest(descriptor: &Value) -> Option<Digest> {
    descriptor["digest"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_manifest_lists_is_read_and_what_is_no_digest_is_not() {
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let index = format!(
            r#"{{"manifests": [{{"digest": "{one}"}}, {{"digest": "--x"}}], "layers": [{{"digest": "{other}"}}], "config": {{"digest": "{one}"}}}}"#
        );
        assert_eq!(manifests(&index), BTreeSet::from([one.clone()]));
        assert_eq!(layers(&index), BTreeSet::from([other.clone()]));
        assert_eq!(blobs(&index), BTreeSet::from([one, other]));
        for text in ["no JSON", "[]", ""] {
            assert!(
                manifests(text).is_empty() && blobs(text).is_empty(),
                "{text}"
            );
        }
    }
}
