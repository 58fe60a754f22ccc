// SPDX-License-Identifier: Apache-2.0
//! A bundle: images of several registries, what refers to them, and the operator's manifest, in one archive. It is an OCI image layout,
//! which other tools read as well; nothing in it is believed that its digest does not prove.
//!
//! Facts: `image-layout.md` and `manifest.md` of <https://github.com/opencontainers/image-spec>.

mod pack;
mod unpack;

use serde_json::{Value, json};

pub(crate) use pack::{Operator, pack};
pub(crate) use unpack::{index, unpack};

use crate::value::{Digest, ImageRef};

/// The files of a layout that are no blobs.
const LAYOUT: &str = "oci-layout";
const INDEX: &str = "index.json";
/// Where the blobs are, each called by its digest.
const BLOBS: &str = "blobs/sha256/";

/// What an image is called: by the specification, and by containerd.
const NAME: &str = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME: &str = "io.containerd.image.name";

const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// The operator's manifest, as an artifact in the layout.
const OPERATOR_TYPE: &str = "application/vnd.cloudnative-pg.operator-manifest.v1+yaml";
/// Which image in that manifest is the operator's.
const OPERATOR_IMAGE: &str = "io.cloudnativepg.operator.image";

/// No index of a bundle, and no manifest of an image, is nearly as long, in bytes.
const LONGEST: u64 = 4 << 20;

/// An image of a bundle by one of its names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    /// As it was called where it came from: with a tag, or else by its digest.
    pub name: String,
    pub digest: Digest,
}

/// What a bundle says that it holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Index {
    pub images: Vec<(ImageRef, Digest)>,
    /// The artifact with the operator's manifest, and what the operator's image is called in that.
    pub operator: Option<(Digest, String)>,
    /// All manifests that it lists.
    manifests: Vec<Descriptor>,
}

/// A manifest or a blob, as an index or a manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Descriptor {
    digest: Digest,
    size: u64,
    /// It is an index or a manifest, which lists others.
    lists: bool,
}

impl Descriptor {
    /// The error is what is wrong with it.
    fn of(value: &Value) -> Result<Self, String> {
        let said = value["digest"].as_str().unwrap_or_default();
        let digest: Digest = said
            .parse()
            .map_err(|wanted| format!("it lists `{said}` as a digest, which must be {wanted}"))?;
        let size = value["size"].as_u64();
        let size = size.ok_or_else(|| format!("it does not say the size of `{digest}`"))?;
        let kind = value["mediaType"].as_str().unwrap_or_default();
        let lists = [
            INDEX_TYPE,
            MANIFEST_TYPE,
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        ]
        .contains(&kind);
        Ok(Self {
            digest,
            size,
            lists,
        })
    }
}

impl Index {
    /// Reads `index.json`. The error is what is wrong with it.
    fn parse(text: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| format!("`{INDEX}` is no JSON: {error}"))?;
        let mut index = Self::default();
        let listed = value["manifests"].as_array();
        let listed = listed.ok_or_else(|| format!("`{INDEX}` lists no manifests"))?;
        for one in listed {
            let descriptor = Descriptor::of(one)?;
            let annotations = &one["annotations"];
            if one["artifactType"] == OPERATOR_TYPE {
                let image = annotations[OPERATOR_IMAGE].as_str().unwrap_or_default();
                if !image.is_empty() {
                    reference(image)?;
                }
                index.operator = Some((descriptor.digest.clone(), image.to_owned()));
            } else if let Some(name) = annotations[NAME].as_str() {
                index
                    .images
                    .push((reference(name)?, descriptor.digest.clone()));
            }
            index.manifests.push(descriptor);
        }
        index.images.sort_by_key(|(image, _)| image.to_string());
        Ok(index)
    }
}

/// What the layout calls an image.
fn reference(name: &str) -> Result<ImageRef, String> {
    name.parse().map_err(|_| {
        let name = crate::printable::printable(name);
        format!("it calls an image `{name}`, which is no reference")
    })
}

/// What an index of a layout says of a manifest.
fn described(value: &Value, name: Option<&str>) -> Value {
    let mut value = value.clone();
    let Some(map) = value.as_object_mut() else {
        return value;
    };
    let mut annotations = map.remove("annotations").unwrap_or_else(|| json!({}));
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.remove(NAME);
        if let Some(name) = name {
            annotations.insert(NAME.into(), json!(name));
            annotations.insert(CONTAINERD_NAME.into(), json!(name));
        }
    }
    if annotations.as_object().is_some_and(|all| !all.is_empty()) {
        map.insert("annotations".into(), annotations);
    }
    value
}

#[cfg(test)]
mod tests;
