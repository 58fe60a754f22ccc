// SPDX-License-Identifier: Apache-2.0
//! Whether attestations are OCI artifacts: what a target's output says of it, and in place of that what a setting says.

use serde_json::{Map, Value};

use crate::config::OciArtifact;

/// The attribute of `BuildKit`'s image exporter. Without it, new builders make artifacts and old ones do not.
/// Fact: <https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>.
const ATTRIBUTE: &str = "oci-artifact";

/// Writes into a target's definition what the setting says; whether that has changed it.
pub(super) fn set(definition: &mut Value, setting: OciArtifact) -> bool {
    let value = match setting {
        OciArtifact::Auto => return false,
        OciArtifact::Always => "true",
        OciArtifact::Never => "false",
    };
    let Some(target) = definition.as_object_mut() else {
        return false;
    };
    let before = target.get("output").cloned();
    let outputs = target
        .entry("output")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(outputs) = outputs {
        if outputs.is_empty() {
            outputs.push(Value::Object(Map::from_iter([(
                "type".to_owned(),
                "image".into(),
            )])));
        }
        for output in outputs {
            set_in(output, value);
        }
    }
    target.get("output") != before.as_ref()
}

/// In one output: an object, or as older versions of bake print it, pairs between commas.
fn set_in(output: &mut Value, value: &str) {
    match output {
        Value::Object(fields) if is_image(fields.get("type").and_then(Value::as_str)) => {
            fields.insert(ATTRIBUTE.to_owned(), value.into());
        }
        Value::String(text) => {
            let field = |name: &str| {
                let mut fields = text.split(',').map(str::trim);
                fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
            };
            if is_image(field("type")) {
                let others = text.split(',').filter(|field| {
                    let name = field.split('=').next().unwrap_or_default();
                    name.trim() != ATTRIBUTE
                });
                let others: Vec<&str> = others.collect();
                *text = format!("{},{ATTRIBUTE}={value}", others.join(","));
            }
        }
        _ => {}
    }
}

/// Whether an output of this type is an image.
fn is_image(kind: Option<&str>) -> bool {
    matches!(kind, Some("image" | "registry" | "docker" | "oci"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn never(output: &Value) -> Value {
        let mut target = json!({ "output": output });
        assert!(set(&mut target, OciArtifact::Never));
        target["output"].clone()
    }

    #[test]
    fn outputs_of_both_kinds_are_changed_and_the_rest_of_them_is_kept() {
        let told = json!([{"type": "image", "oci-artifact": "true", "oci-mediatypes": "true"}]);
        let said = json!([{"type": "image", "oci-artifact": "false", "oci-mediatypes": "true"}]);
        assert_eq!(never(&told), said);
        assert_eq!(
            never(&json!(["type=image,oci-artifact=true,oci-mediatypes=true"])),
            json!(["type=image,oci-mediatypes=true,oci-artifact=false"])
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
        assert!(!set(&mut target, OciArtifact::Always));
        let mut image = json!({"output": [{"type": "image"}]});
        assert!(!set(&mut image, OciArtifact::Auto));
        assert_eq!(target, before);
    }
}
