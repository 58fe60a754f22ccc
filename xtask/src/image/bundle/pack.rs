// SPDX-License-Identifier: Apache-2.0
//! Makes a bundle of a layout that a tool has filled: the same bytes for the same images.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Write},
    path::Path,
};

use serde_json::{Value, json};
use tar::{Builder, Header};

use super::{
    BLOBS, EMPTY_TYPE, INDEX, INDEX_TYPE, LAYOUT, MANIFEST_TYPE, Named, OPERATOR_IMAGE,
    OPERATOR_TYPE, described,
};
use crate::{failure::Failure, own::source, value::Digest};

/// The operator's manifest.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub text: String,
    /// The operator's image as the manifest calls it.
    pub image: String,
}

/// Writes the archive: first what says what is in it, then the blobs by their digests.
pub(crate) fn pack(
    layout: &Path,
    names: &BTreeSet<Named>,
    operator: Option<&Operator>,
    to: &mut dyn Write,
) -> anyhow::Result<u64> {
    let listed = source::read_own(layout, Path::new(INDEX))?.unwrap_or_default();
    let listed: Value = serde_json::from_str(&listed)?;
    let mut manifests: BTreeMap<String, Value> = BTreeMap::new();
    for one in listed["manifests"].as_array().into_iter().flatten() {
        let digest = one["digest"].as_str().unwrap_or_default().to_owned();
        manifests.insert(digest, one.clone());
    }
    let mut index = Vec::new();
    for (digest, manifest) in &manifests {
        let mut own = names
            .iter()
            .filter(|named| *named.digest == **digest)
            .peekable();
        if own.peek().is_none() {
            index.push(described(manifest, None));
        }
        index.extend(own.map(|named| described(manifest, Some(&named.name))));
    }
    if let Some(missing) = names
        .iter()
        .find(|named| !manifests.contains_key(&*named.digest))
    {
        return Err(
            Failure::failed(format!("`{}` has not arrived in the layout", missing.name)).into(),
        );
    }
    let artifact = operator.map(Artifact::of);
    index.extend(artifact.as_ref().map(|artifact| artifact.described.clone()));
    let index = json!({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": index});
    let mut archive = Archive {
        tar: Builder::new(to),
        size: 0,
    };
    archive.add(LAYOUT, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    archive.add(INDEX, index.to_string().as_bytes())?;
    archive.add_blobs(
        layout,
        artifact.map(|artifact| artifact.blobs).unwrap_or_default(),
    )?;
    archive.tar.into_inner()?.flush()?;
    Ok(archive.size)
}

/// The operator's manifest as an artifact of the layout.
struct Artifact {
    described: Value,
    /// By their digests.
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Artifact {
    fn of(operator: &Operator) -> Self {
        let text = operator.text.as_bytes().to_vec();
        let empty = b"{}".to_vec();
        let entry = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "digest": Digest::of(bytes).to_string(), "size": bytes.len()});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": OPERATOR_TYPE,
            "config": entry(EMPTY_TYPE, &empty),
            "layers": [entry("application/yaml", &text)],
        });
        let manifest = manifest.to_string().into_bytes();
        let mut described = entry(MANIFEST_TYPE, &manifest);
        described["artifactType"] = json!(OPERATOR_TYPE);
        described["annotations"] = json!({OPERATOR_IMAGE: operator.image});
        let blobs = [text, empty, manifest];
        let named = blobs.map(|bytes| (hex_of(&Digest::of(&bytes)), bytes));
        Self {
            described,
            blobs: named.into_iter().collect(),
        }
    }
}

fn hex_of(digest: &Digest) -> String {
    digest.trim_start_matches("sha256:").to_owned()
}

struct Archive<'a> {
    tar: Builder<&'a mut dyn Write>,
    /// Of all files.
    size: u64,
}

impl Archive<'_> {
    fn add(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.add_all(path, bytes.len() as u64, bytes)
    }

    /// Nothing of a file but its bytes is kept: a bundle does not depend on who makes it, and when.
    fn add_all(&mut self, path: &str, size: u64, from: impl Read) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        self.size += size;
        self.tar.append_data(&mut header, path, from)
    }

    /// Those of the layout, and more, in the order of their names.
    fn add_blobs(
        &mut self,
        layout: &Path,
        mut more: BTreeMap<String, Vec<u8>>,
    ) -> anyhow::Result<()> {
        let mut names: BTreeSet<String> = more.keys().cloned().collect();
        for entry in fs_err::read_dir(layout.join(BLOBS))? {
            names.insert(entry?.file_name().to_string_lossy().into_owned());
        }
        for name in names
            .iter()
            .filter(|name| Digest::is(&format!("sha256:{name}")))
        {
            let path = format!("{BLOBS}{name}");
            if let Some(bytes) = more.remove(name) {
                self.add(&path, &bytes)?;
                continue;
            }
            let file = source::open_own(layout, Path::new(&path))?;
            let size = file.metadata()?.len();
            self.add_all(&path, size, file)?;
        }
        Ok(())
    }
}
