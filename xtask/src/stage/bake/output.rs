// SPDX-License-Identifier: Apache-2.0
//! Where a target's image goes and in which form: what its definition says, and in place of that what a run wants.

use serde_json::{Map, Value};

use crate::config::OciArtifact;

/// The attribute of `BuildKit`'s image exporter. Without it, new builders make artifacts and old ones do not.
/// Fact: <https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>.
const ATTRIBUTE: &str = "oci-artifact";

/// The exporter that hands images to the engine, through buildx.
const TO_ENGINE: &str = "docker";

/// Attributes that only the exporter of a builder's own store has.
/// Fact: <https://docs.docker.com/build/exporters/image-registry/>.
const OF_STORE: &[&str] = &[
    "dangling-name-prefix",
    "name-canonical",
    "push",
    "push-by-digest",
    "registry.insecure",
    "store",
    "unpack",
];

/// What a run wants of the outputs of all targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outputs {
    /// Whether attestations are OCI artifacts.
    pub artifact: OciArtifact,
    /// Images are handed to the engine, in place of staying in the builder.
    pub loaded: bool,
}

impl Outputs {
    /// Writes it into a target's definition; whether that has changed it.
    pub(super) fn set(self, definition: &mut Value) -> bool {
        let artifact = match self.artifact {
            OciArtifact::Auto => None,
            OciArtifact::Always => Some("true"),
            OciArtifact::Never => Some("false"),
        };
        if artifact.is_none() && !self.loaded {
            return false;
        }
        let Some(target) = definition.as_object_mut() else {
            return false;
        };
        let before = target.get("output").cloned();
        let outputs = target
            .entry("output")
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(outputs) = outputs {
            if outputs.is_empty() {
                let image = Map::from_iter([("type".to_owned(), "image".into())]);
                outputs.push(Value::Object(image));
            }
            for output in outputs {
                let mut fields = Fields::of(output);
                if let Some(value) = artifact.filter(|_| fields.are_of_an_image()) {
                    fields.set(ATTRIBUTE, value);
                }
                if self.loaded && fields.are_of_the_store() {
                    fields.hand_over();
                }
                *output = fields.into();
            }
        }
        target.get("output") != before.as_ref()
    }
}

/// One output: an object, or as older versions of bake print it, pairs between commas.
enum Fields {
    Object(Map<String, Value>),
    Text(Vec<(String, String)>),
    Other(Value),
}

impl Fields {
    fn of(output: &Value) -> Self {
        match output {
            Value::Object(fields) => Self::Object(fields.clone()),
            Value::String(text) => {
                let pair = |field: &str| {
                    let (key, value) = field.split_once('=').unwrap_or((field, ""));
                    (key.trim().to_owned(), value.trim().to_owned())
                };
                Self::Text(text.split(',').map(pair).collect())
            }
            other => Self::Other(other.clone()),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        match self {
            Self::Object(fields) => fields.get(name)?.as_str(),
            Self::Text(pairs) => {
                let pair = pairs.iter().find(|(key, _)| key == name);
                pair.map(|(_, value)| value.as_str())
            }
            Self::Other(_) => None,
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        match self {
            Self::Object(fields) => {
                fields.insert(name.to_owned(), value.into());
            }
            Self::Text(pairs) => match pairs.iter_mut().find(|(key, _)| key == name) {
                Some(pair) => value.clone_into(&mut pair.1),
                None => pairs.push((name.to_owned(), value.to_owned())),
            },
            Self::Other(_) => {}
        }
    }

    fn remove(&mut self, name: &str) {
        match self {
            Self::Object(fields) => {
                fields.remove(name);
            }
            Self::Text(pairs) => pairs.retain(|(key, _)| key != name),
            Self::Other(_) => {}
        }
    }

    fn are_of_an_image(&self) -> bool {
        matches!(
            self.get("type"),
            Some("image" | "registry" | TO_ENGINE | "oci")
        )
    }

    /// The image is to be in the builder's own store; a file is not.
    fn are_of_the_store(&self) -> bool {
        matches!(self.get("type"), Some("image" | "registry"))
    }

    fn hand_over(&mut self) {
        self.set("type", TO_ENGINE);
        for name in OF_STORE {
            self.remove(name);
        }
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        match fields {
            Fields::Object(fields) => Self::Object(fields),
            Fields::Text(pairs) => {
                let pair = |(key, value): (String, String)| match value.as_str() {
                    "" => key,
                    value => format!("{key}={value}"),
                };
                let pairs: Vec<String> = pairs.into_iter().map(pair).collect();
                Self::String(pairs.join(","))
            }
            Fields::Other(other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const fn wanted(artifact: OciArtifact, loaded: bool) -> Outputs {
        Outputs { artifact, loaded }
    }

    fn changed(outputs: Outputs, output: &Value) -> Value {
        let mut target = json!({ "output": output });
        assert!(outputs.set(&mut target));
        target["output"].clone()
    }

    fn never(output: &Value) -> Value {
        changed(wanted(OciArtifact::Never, false), output)
    }

    #[test]
    fn outputs_of_both_kinds_are_changed_and_the_rest_of_them_is_kept() {
        let told = json!([{"type": "image", "oci-artifact": "true", "oci-mediatypes": "true"}]);
        let said = json!([{"type": "image", "oci-artifact": "false", "oci-mediatypes": "true"}]);
        assert_eq!(never(&told), said);
        assert_eq!(
            never(&json!(["type=image,oci-artifact=true,oci-mediatypes=true"])),
            json!(["type=image,oci-artifact=false,oci-mediatypes=true"])
        );
        assert_eq!(
            never(&json!([])),
            json!([{"type": "image", "oci-artifact": "false"}])
        );
    }

    #[test]
    fn what_is_no_image_or_not_asked_for_stays() {
        let mut target = json!({"output": [{"type": "local", "dest": "x"}, "type=tar,dest=y"]});
        let before = target.clone();
        assert!(!wanted(OciArtifact::Always, true).set(&mut target));
        let mut image = json!({"output": [{"type": "image"}]});
        assert!(!wanted(OciArtifact::Auto, false).set(&mut image));
        assert_eq!(target, before);
    }

    #[test]
    fn an_image_of_a_store_is_handed_over_as_it_is_and_a_file_stays_a_file() {
        let loaded = |output: &Value| changed(wanted(OciArtifact::Auto, true), output);
        let stored =
            json!([{"type": "image", "oci-artifact": "true", "push": "true", "store": "true"}]);
        let handed = json!([{"type": "docker", "oci-artifact": "true"}]);
        assert_eq!(loaded(&stored), handed);
        assert_eq!(
            loaded(&json!(["type=registry,oci-mediatypes=true"])),
            json!(["type=docker,oci-mediatypes=true"])
        );
        assert_eq!(loaded(&json!([])), json!([{"type": "docker"}]));
        for file in ["type=oci,dest=a.tar", "type=docker"] {
            let mut target = json!({ "output": [file] });
            assert!(!wanted(OciArtifact::Auto, true).set(&mut target), "{file}");
        }
    }
}
