// SPDX-License-Identifier: Apache-2.0
//! What refers to an image and to the manifests in it. A registry without the API for that has an index under a tag that stands for
//! it, which a client writes behind the manifest that it lists: where the client ends between the two, the next copy finds the
//! manifest and leaves the index as it is. Then it is written here. Fact: OCI's distribution specification, "Referrers Tag Schema".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::origin::Origin;
use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::ImageRef,
    plan::Console,
    stage::pushed::{LIMIT, PATIENCE, find},
    tool::oras::{self, Referrer},
    value::Digest,
};

/// All that refers to these manifests, by its digest.
pub(super) fn of(
    origin: &Origin,
    manifests: &BTreeSet<Digest>,
    exec: &dyn Exec,
) -> Result<BTreeMap<Digest, Referrer>, Failure> {
    let mut all = BTreeMap::new();
    for digest in manifests {
        let printed = origin.discover(digest, exec)?;
        let found = oras::parse_referrers(&printed, digest).ok_or_else(|| {
            Failure::failed(format!(
                "oras does not say what refers to `{digest}` in `{origin}`"
            ))
        })?;
        all.extend(found);
    }
    Ok(all)
}

/// Lets the registry's indexes list what has arrived and is in none of them. Gives how many were written.
pub(crate) fn complete(
    origin: &Origin,
    to: &ImageRef,
    manifests: &BTreeSet<Digest>,
    exec: &dyn Exec,
    console: &mut Console<'_>,
) -> Result<usize, Failure> {
    let ours = of(origin, manifests, exec)?;
    let theirs = of(&Origin::Registry(to.clone()), manifests, exec)?;
    let mut unlisted: BTreeMap<&Digest, Vec<&Value>> = BTreeMap::new();
    for (digest, referrer) in &ours {
        if !theirs.contains_key(digest) && find(&to.by_digest(digest), exec)?.is_some() {
            let of_it = unlisted.entry(&referrer.subject).or_default();
            of_it.push(&referrer.descriptor);
        }
    }
    let count = unlisted.len();
    for (subject, descriptors) in unlisted {
        let name = to.by_tag(&subject.replacen(':', "-", 1));
        let index = match find(&name, exec)? {
            Some(_) => Some(exec.read(&oras::manifest_cmd(&name), Some(PATIENCE))?),
            None => None,
        };
        let how = Supervision {
            timeout: Some(LIMIT),
            ..Supervision::default()
        };
        let index = with(index.as_deref(), &descriptors).ok_or_else(|| is_no_index(&name))?;
        exec.run(&oras::push_index_cmd(&name, &index), how, console.line)?;
    }
    Ok(count)
}

/// An index with further entries; what it has stays as it is. None: what is there is no index.
fn with(index: Option<&str>, descriptors: &[&Value]) -> Option<String> {
    let mut index: Value = match index {
        Some(text) => serde_json::from_str(text).ok()?,
        None => json!({"schemaVersion": 2, "mediaType": oras::INDEX, "manifests": []}),
    };
    let entries = index.get_mut("manifests")?.as_array_mut()?;
    for descriptor in descriptors {
        let is_it = |entry: &Value| entry["digest"] == descriptor["digest"];
        if !entries.iter().any(is_it) {
            entries.push((*descriptor).clone());
        }
    }
    Some(index.to_string())
}

/// The tag of an index has something else.
fn is_no_index(name: &ImageRef) -> Failure {
    Failure::failed(format!(
        "`{name}` is to be the index of what refers to an image, and is no index"
    ))
    .detail("it was left as it is")
    .hint("look at it (`docker buildx imagetools inspect --raw`), and give it another name if somebody needs it; then run this again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_index_lists_stays_and_nothing_is_listed_twice() {
        let [one, other] = ["1", "2"].map(|digest| json!({"digest": digest, "size": 1}));
        let entries = |index: &str| -> Value {
            let index: Value = serde_json::from_str(index).unwrap();
            assert_eq!(index["mediaType"], oras::INDEX);
            index["manifests"].clone()
        };
        let first = with(None, &[&one]).unwrap();
        assert_eq!(entries(&first), json!([one]));
        let both = with(Some(&first), &[&one, &other]).unwrap();
        assert_eq!(entries(&both), json!([one, other]));
        let annotated = first.replacen('{', r#"{"annotations":{"a":"b"},"#, 1);
        let annotated: Value =
            serde_json::from_str(&with(Some(&annotated), &[&other]).unwrap()).unwrap();
        assert_eq!(annotated["annotations"], json!({"a": "b"}));
    }

    #[test]
    fn what_is_no_index_is_not_written_over() {
        let descriptor = json!({"digest": "1"});
        for other in [
            "",
            "no JSON",
            "[]",
            "{}",
            r#"{"manifests": 1}"#,
            r#"{"layers": []}"#,
        ] {
            assert_eq!(with(Some(other), &[&descriptor]), None, "{other}");
        }
    }
}
