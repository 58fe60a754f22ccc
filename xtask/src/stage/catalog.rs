// SPDX-License-Identifier: Apache-2.0
//! A `ClusterImageCatalog`: for each PostgreSQL major the server's image and those of extensions. What is in it beside these
//! stays as it is.
//!
//! Facts: `api/v1/imagecatalog_types.go` of <https://github.com/cloudnative-pg/cloudnative-pg>, and the labels of
//! <https://github.com/cloudnative-pg/artifacts/tree/main/image-catalogs>.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::resources;
use crate::{
    failure::Failure,
    image::ImageRef,
    value::{ObjectName, Suite},
    yaml,
};

pub(crate) const KIND: &str = "ClusterImageCatalog";
const TYPE_LABEL: &str = "images.cnpg.io/type";
const DISTRO_LABEL: &str = "images.cnpg.io/os";
/// The type of images that extensions are mounted into: the others bring extensions of their own.
const MINIMAL: &str = "minimal";

/// The entries of one major, by the extensions' names.
pub(crate) type Entries = BTreeMap<String, Value>;

/// A catalog of minimal images, with the text that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Catalog {
    pub distro: Suite,
    text: String,
    value: Value,
    /// The text is not the one that it was read from: that could not be changed in place.
    reformatted: bool,
}

/// What a text is.
#[derive(Debug)]
pub(crate) enum Read {
    Catalog(Catalog),
    /// Something else, with what.
    Other(String),
}

/// A catalog's text after a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub text: String,
    /// The comments and the layout of before are gone: the text was not of a form that could be changed in place.
    pub reformatted: bool,
}

impl Catalog {
    /// One of these servers' images alone, by their majors, as the operator's own are called.
    pub(crate) fn new(
        name: &ObjectName,
        distro: &Suite,
        servers: &BTreeMap<u16, ImageRef>,
    ) -> Result<Self, Failure> {
        let images = servers.iter();
        let images =
            images.map(|(major, image)| json!({"major": major, "image": image.to_string()}));
        let value = json!({
            "apiVersion": resources::API_VERSION,
            "kind": KIND,
            "metadata": {
                "name": name,
                "labels": { TYPE_LABEL: MINIMAL, DISTRO_LABEL: distro },
            },
            "spec": { "images": images.collect::<Vec<_>>() },
        });
        Ok(Self {
            distro: distro.clone(),
            text: yaml::to_plain_text(&value)?,
            value,
            reformatted: false,
        })
    }

    /// Reads a text that others have written.
    pub(crate) fn read(text: &str) -> Read {
        let other = |what: &str| Read::Other(what.to_owned());
        let value = match yaml::one_document(text) {
            Ok(value) => value,
            Err(why) => return Read::Other(format!("it is not one document of YAML: {why}")),
        };
        if value["kind"] != KIND || value["apiVersion"] != resources::API_VERSION {
            return other("it is no `ClusterImageCatalog` of `postgresql.cnpg.io/v1`");
        }
        let labels = &value["metadata"]["labels"];
        if labels[TYPE_LABEL] != MINIMAL {
            return Read::Other(format!("its label `{TYPE_LABEL}` is not `{MINIMAL}`"));
        }
        let distro = labels[DISTRO_LABEL]
            .as_str()
            .and_then(|text| text.parse().ok());
        let Some(distro) = distro else {
            return Read::Other(format!(
                "it has no label `{DISTRO_LABEL}` with a Debian suite"
            ));
        };
        let images = value["spec"]["images"].as_array();
        if !images.is_some_and(|images| images.iter().all(is_image)) {
            return other("its `spec.images` is not a list of images, each with a `major`");
        }
        // The cluster would refuse it, and one of the two would be lost here.
        if let Some(twice) = images.and_then(|images| twice(images)) {
            return Read::Other(format!("it has {twice} twice"));
        }
        Read::Catalog(Self {
            distro,
            text: text.to_owned(),
            value,
            reformatted: false,
        })
    }

    /// The majors that it has images for.
    pub(crate) fn majors(&self) -> impl Iterator<Item = u64> {
        self.images().filter_map(|image| image["major"].as_u64())
    }

    /// The majors, and their servers' images.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (u64, &str)> {
        self.images()
            .filter_map(|one| Some((one["major"].as_u64()?, one["image"].as_str()?)))
    }

    /// The same with the server of one more major, behind the older ones.
    pub(crate) fn with_server(&self, major: u64, image: &str) -> Result<Self, Failure> {
        let mut value = self.value.clone();
        if let Some(images) = value["spec"]["images"].as_array_mut() {
            let older = images
                .iter()
                .rposition(|one| one["major"].as_u64() < Some(major));
            let place = older.map_or(0, |place| place + 1);
            images.insert(place, json!({"major": major, "image": image}));
        }
        let text = text::with_server(&self.text, major, image)
            .filter(|text| yaml::one_document(text).is_ok_and(|read| read == value));
        let is_kept = text.is_some();
        Ok(Self {
            distro: self.distro.clone(),
            text: match text {
                Some(text) => text,
                None => yaml::to_plain_text(&value)?,
            },
            value,
            reformatted: self.reformatted || !is_kept,
        })
    }

    /// What it says of the extensions of a major.
    pub(crate) fn entries(&self, major: u64) -> Entries {
        let mut images = self.images();
        let image = images.find(|image| image["major"] == major);
        let entries = image.and_then(|image| image["extensions"].as_array());
        let named = entries.into_iter().flatten().filter_map(|entry| {
            let name = entry["name"].as_str()?;
            Some((name.to_owned(), entry.clone()))
        });
        named.collect()
    }

    /// The same with these entries, of the majors that it has images for, sorted by name. Where nothing changes, the text
    /// does not either.
    pub(crate) fn with(&self, entries: &BTreeMap<u64, Entries>) -> Result<Written, Failure> {
        let mut wanted = self.value.clone();
        let images = wanted["spec"]["images"].as_array_mut();
        for image in images.into_iter().flatten() {
            let major = image["major"].as_u64();
            let (Some(of_major), Some(image)) = (
                major.and_then(|major| entries.get(&major)),
                image.as_object_mut(),
            ) else {
                continue;
            };
            if of_major.is_empty() {
                continue;
            }
            let list: Vec<Value> = of_major.values().cloned().collect();
            image.insert("extensions".into(), list.into());
        }
        if wanted == self.value {
            return Ok(Written {
                text: self.text.clone(),
                reformatted: self.reformatted,
            });
        }
        if let Some(text) = text::edited(&self.text, entries)
            && yaml::one_document(&text).is_ok_and(|value| value == wanted)
        {
            return Ok(Written {
                text,
                reformatted: self.reformatted,
            });
        }
        Ok(Written {
            text: yaml::to_plain_text(&wanted)?,
            reformatted: true,
        })
    }

    fn images(&self) -> impl Iterator<Item = &Value> {
        let images = self.value["spec"]["images"].as_array();
        images.into_iter().flatten()
    }
}

fn is_image(value: &Value) -> bool {
    let entries = value.get("extensions");
    let are_named = entries.is_none_or(|entries| match entries {
        Value::Null => true,
        Value::Array(list) => list.iter().all(|entry| entry["name"].is_string()),
        _ => false,
    });
    value["major"].is_u64() && are_named
}

/// The first major that is there twice, or the first extension of a major.
fn twice(images: &[Value]) -> Option<String> {
    let mut majors = BTreeSet::new();
    for image in images {
        let major = image["major"].as_u64()?;
        if !majors.insert(major) {
            return Some(format!("PostgreSQL {major}"));
        }
        let mut names = BTreeSet::new();
        let entries = image["extensions"].as_array().into_iter().flatten();
        let mut all = entries.filter_map(|entry| entry["name"].as_str());
        if let Some(name) = all.find(|name| !names.insert(*name)) {
            return Some(format!("the extension `{name}` for PostgreSQL {major}"));
        }
    }
    None
}

/// The image that an entry has, where it is a reference.
pub(crate) fn reference(entry: &Value) -> Option<ImageRef> {
    entry["image"]["reference"].as_str()?.parse().ok()
}

/// An entry as it is to be: what is `ours` in place of what the catalog has of it, and what it has beside that.
pub(crate) fn merged(old: Option<&Value>, ours: &Value) -> Value {
    let (Some(old), Some(new)) = (old.and_then(Value::as_object), ours.as_object()) else {
        return ours.clone();
    };
    let known = resources::mounted_fields();
    let mut all: Map<String, Value> = old.clone();
    all.retain(|field, _| new.contains_key(field) || !known.contains(&field.as_str()));
    for (field, value) in new {
        match (all.get_mut(field), value) {
            (Some(Value::Object(there)), Value::Object(value)) => there.extend(value.clone()),
            _ => {
                all.insert(field.clone(), value.clone());
            }
        }
    }
    all.into()
}

#[cfg(test)]
mod tests;
