// SPDX-License-Identifier: Apache-2.0
//! What an image says of itself, as a registry gives it.

use serde_json::{Value, json};

/// The two manifests of every index here, which the fakes know: `{}` and `{ }`.
pub(crate) const MANIFESTS: [&str; 2] = [
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "sha256:257c1be96ae69f4b01c2c69bdb6d78605f59175819fb007d0bf245bf48444c4a",
];

/// What an image says of itself, as our bake file has it.
pub(crate) fn annotations(distro: &str, major: &str, sql: &str) -> Value {
    json!({
        "org.opencontainers.image.licenses": "PostgreSQL",
        "io.cloudnativepg.image.base.name": format!("ghcr.io/cloudnative-pg/postgresql:{major}-minimal-{distro}"),
        "io.cloudnativepg.image.base.pgmajor": major,
        "io.cloudnativepg.image.base.os": distro,
        "io.cloudnativepg.image.sql.version": sql,
    })
}

/// An index with one image for this machine's platform and its attestation. `null` for no annotations.
pub(crate) fn index(annotations: &Value) -> Value {
    index_for(architecture(), annotations)
}

pub(crate) fn index_for(architecture: &str, annotations: &Value) -> Value {
    let mut index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {"digest": MANIFESTS[0], "platform": {"os": "linux", "architecture": architecture}},
            {"digest": MANIFESTS[1], "platform": {"os": "unknown", "architecture": "unknown"}},
        ],
    });
    if !annotations.is_null() {
        index["annotations"] = annotations.clone();
    }
    index
}

/// A single image, without an index.
pub(crate) fn manifest(annotations: &Value) -> Value {
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "layers": [],
    });
    if !annotations.is_null() {
        manifest["annotations"] = annotations.clone();
    }
    manifest
}

/// This machine's, as Kubernetes calls it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
