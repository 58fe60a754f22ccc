// SPDX-License-Identifier: Apache-2.0
//! Images in the fake registries, with what they say of themselves, and the extensions that are theirs.

use std::{fs, path::Path};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    super::fixture::metadata,
    lab::{Lab, architecture},
};

/// The images of `gamma` in [`Lab::built`]: two distributions, and two majors each.
pub(crate) const GAMMA: [(&str, &str); 4] = [
    ("bookworm", "18"),
    ("bookworm", "19"),
    ("trixie", "18"),
    ("trixie", "19"),
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
            {"digest": format!("sha256:{}", "1a".repeat(32)), "platform": {"os": "linux", "architecture": architecture}},
            {"digest": format!("sha256:{}", "1b".repeat(32)), "platform": {"os": "unknown", "architecture": "unknown"}},
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

/// Writes an image below a folder, by its tag and by its digest. Gives the digest.
fn put(folder: &Path, reference: &str, described: &Value) -> String {
    let raw = described.to_string();
    let digits = Sha256::digest(raw.as_bytes());
    let digits = digits
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let digest = format!("sha256:{digits}");
    let repository = reference.rsplit_once(':').unwrap().0;
    for name in [reference.to_owned(), format!("{repository}@{digest}")] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &raw).unwrap();
    }
    digest
}

impl Lab {
    /// With `alpha` (trixie), `beta` (trixie, which needs alpha) and `gamma` (bookworm and trixie, 18 and
    /// 19), whose bakes push images that say what they are.
    pub(crate) fn built() -> Self {
        let lab = Self::new();
        fs::remove_dir_all(lab.root().join("extensions/alpha/test")).unwrap();
        lab.put_built("alpha", &[("trixie", "18")], &[]);
        lab.put_built(
            "beta",
            &[("trixie", "18")],
            &[("required_extensions", "[\"alpha\"]")],
        );
        lab.put_built("gamma", &GAMMA, &[]);
        lab
    }

    /// The digest that the bakes of an extension write for a target.
    pub(crate) fn digest_of(&self, extension: &str, target: &str) -> String {
        let text = fs::read_to_string(self.fake(&format!("metadata.{extension}"))).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value[target]["containerimage.digest"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// An image that its registry has. Gives its digest.
    pub(crate) fn put_image(&self, reference: &str, described: &Value) -> String {
        put(&self.engine("registries"), reference, described)
    }

    /// What the registry says of the platform of an image without an index.
    pub(crate) fn put_platform(&self, reference: &str, platform: &str) {
        let path = self
            .engine("registries")
            .join(format!("{reference}.platform"));
        fs::write(path, format!("{platform}\n")).unwrap();
    }

    /// An image that the local registry has as soon as a bake of `extension` has pushed it. Gives its digest.
    pub(crate) fn put_baked(&self, extension: &str, path: &str, described: &Value) -> String {
        let folder = self.fake("baked").join(extension);
        put(
            &folder,
            &format!("localhost:{}/{path}", self.port),
            described,
        )
    }

    /// An extension whose bakes push images that say what they are; `pairs` are (distro, major).
    pub(crate) fn put_built(&self, name: &str, pairs: &[(&str, &str)], more: &[(&str, &str)]) {
        let mut distros: Vec<&str> = pairs.iter().map(|(distro, _)| *distro).collect();
        distros.dedup();
        let versions: Vec<String> = distros
            .iter()
            .map(|distro| {
                let release = if *distro == "trixie" { 13 } else { 12 };
                let majors = pairs.iter().filter(|pair| pair.0 == *distro);
                let majors: Vec<String> = majors
                    .map(|(_, major)| {
                        format!(
                            "\"{major}\" = {{ package = \"1.2-1.pgdg{release}+1\", sql = \"1.2\" }}"
                        )
                    })
                    .collect();
                format!("{distro} = {{\n{}\n}}\n", majors.join("\n"))
            })
            .collect();
        let versions = format!("{{\n{}}}", versions.concat());
        let fields = [&[("versions", versions.as_str())], more].concat();
        self.extension(name, &metadata(name, &fields));
        let mut targets = serde_json::Map::new();
        for (distro, major) in pairs {
            let mut said = annotations(distro, major, "1.2");
            // So that no two images have the same digest.
            said["org.opencontainers.image.title"] = json!(format!("{name} 1.2 {major} {distro}"));
            let path = format!("{name}-testing:1.2-{major}-{distro}");
            let digest = self.put_baked(name, &path, &index(&said));
            targets.insert(
                format!("{name}-1_2-{major}-{distro}"),
                json!({"containerimage.digest": digest}),
            );
        }
        targets.insert("buildx.build.warnings".into(), json!([]));
        self.answer(
            &format!("metadata.{name}"),
            &Value::from(targets).to_string(),
        );
    }
}
