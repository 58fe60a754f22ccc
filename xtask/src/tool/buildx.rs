// SPDX-License-Identifier: Apache-2.0
//! `docker buildx bake`: its arguments, and the metadata file it writes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use sha2::{Digest, Sha256};

use crate::{
    exec::{Exec, Reason},
    failure::Failure,
    image::{self, ImageRef},
    plan::Cmd,
};

/// One call of bake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bake {
    pub purpose: String,
    /// Later files win.
    pub files: Vec<PathBuf>,
    /// Empty: bake's default group.
    pub targets: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub builder: Option<String>,
    pub metadata_file: Option<PathBuf>,
    pub set: Vec<String>,
    pub push: bool,
    pub no_cache: bool,
    pub check: bool,
}

impl Bake {
    pub(crate) fn cmd(&self) -> Cmd {
        let mut cmd = Cmd::new("docker", &self.purpose);
        for (name, value) in &self.variables {
            cmd = cmd.env(name, value);
        }
        if self.metadata_file.is_some() {
            // Provenance in the file made it 444 KB of JSON; nobody here reads it.
            cmd = cmd.env("BUILDX_METADATA_PROVENANCE", "disabled");
        }
        cmd = cmd.args(["buildx", "bake"]);
        for file in &self.files {
            cmd = cmd.arg("-f").arg(file);
        }
        if let Some(builder) = &self.builder {
            cmd = cmd.arg("--builder").arg(builder);
        }
        if let Some(file) = &self.metadata_file {
            cmd = cmd.arg("--metadata-file").arg(file);
        }
        for set in &self.set {
            cmd = cmd.arg("--set").arg(set);
        }
        for (wanted, flag) in [
            (self.no_cache, "--no-cache"),
            (self.push, "--push"),
            (self.check, "--check"),
        ] {
            if wanted {
                cmd = cmd.arg(flag);
            }
        }
        cmd.args(&self.targets)
    }
}

/// Reads an image's index or manifest from its registry.
pub(crate) fn manifest_cmd(reference: &str) -> Cmd {
    Cmd::new("docker", format!("read the manifest of `{reference}`"))
        .args(["buildx", "imagetools", "inspect", "--raw"])
        .arg(reference)
}

/// Describes the builder in use.
pub(crate) fn inspect_cmd(builder: Option<&str>) -> Cmd {
    Cmd::new("docker", "ask buildx for its builder")
        .args(["buildx", "inspect"])
        .args(builder)
}

/// The driver in the output of [`inspect_cmd`]: `docker`, `docker-container`, `kubernetes`, `remote`.
pub(crate) fn parse_driver(text: &str) -> Option<&str> {
    text.lines()
        .find_map(|line| line.strip_prefix("Driver:"))
        .map(str::trim)
}

/// What `--metadata-file` holds: per target an object with the image's digest and names. There may be
/// other top-level keys (`buildx.build.warnings`), which are not targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Metadata {
    entries: BTreeMap<String, Value>,
}

impl Metadata {
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        Ok(
            Self::parse(&fs_err::read_to_string(file)?).map_err(|error| {
                Failure::failed(format!(
                    "`{}` is not what bake writes: {error}",
                    file.display()
                ))
            })?,
        )
    }

    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self {
            entries: serde_json::from_str(text)?,
        })
    }

    /// The digest of what was built: of the index where there is one.
    pub(crate) fn digest(&self, target: &str) -> Option<&str> {
        self.entries
            .get(target)?
            .get("containerimage.digest")?
            .as_str()
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    pub(crate) fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(&self.entries).unwrap_or_default();
        text + "\n"
    }
}

/// An image in a registry, as its index or manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// `repository[:tag]@digest`, however it was asked for.
    pub reference: String,
    /// The index's; of a single manifest its own.
    pub annotations: BTreeMap<String, String>,
    /// `linux/amd64`, …; empty when the manifest itself does not say.
    pub platforms: Vec<String>,
}

impl Described {
    /// Asks the registry. An image that is not there is a failure with what the registry said.
    pub(crate) fn read(reference: &str, exec: &dyn Exec) -> Result<Self, Failure> {
        let image: ImageRef = reference.parse()?;
        let raw = ask(&manifest_cmd(reference), reference, exec)?;
        let (mut described, first) = Self::parse(&image, &raw)?;
        // An index that was made without annotations: its manifests may have them.
        if let (true, Some(first)) = (described.annotations.is_empty(), first) {
            let reference = format!("{}@{first}", image.repository);
            let raw = ask(&manifest_cmd(&reference), &reference, exec)?;
            described.annotations = Self::parse(&image, &raw)?.0.annotations;
        }
        Ok(described)
    }

    /// Reads an index or a manifest. Also gives the digest of the first image in an index.
    fn parse(image: &ImageRef, raw: &str) -> Result<(Self, Option<String>), Failure> {
        let value: Value = serde_json::from_str(raw).map_err(|error| {
            Failure::failed(format!("`{image}` has a manifest that is no JSON: {error}"))
        })?;
        let text = |value: &Value, pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let annotations = value.get("annotations").and_then(Value::as_object);
        let annotations = annotations
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect();
        let manifests = value.get("manifests").and_then(Value::as_array);
        // Attestations stand in an index as images of an unknown platform.
        let images: Vec<(String, Option<String>)> = manifests
            .into_iter()
            .flatten()
            .filter_map(|manifest| {
                let system = text(manifest, "/platform/os")?;
                let architecture = text(manifest, "/platform/architecture")?;
                let platform = format!("{system}/{architecture}");
                (system != "unknown").then(|| (platform, text(manifest, "/digest")))
            })
            .collect();
        let digest = match &image.digest {
            Some(digest) => digest.clone(),
            None => format!("sha256:{}", image::hex(&Sha256::digest(raw.as_bytes()))),
        };
        let first = images.first().and_then(|(_, digest)| digest.clone());
        let tag = image
            .tag
            .as_ref()
            .map_or_else(String::new, |tag| format!(":{tag}"));
        let described = Self {
            reference: format!("{}{tag}@{digest}", image.repository),
            annotations,
            platforms: images.into_iter().map(|(platform, _)| platform).collect(),
        };
        Ok((described, first))
    }

    /// Refuses an image that has nothing for the platform: containerd mounts a foreign one without a word.
    pub(crate) fn check_platform(&self, wanted: &str, exec: &dyn Exec) -> Result<(), Failure> {
        let mut platforms = self.platforms.clone();
        if platforms.is_empty() {
            let cmd = Cmd::new(
                "docker",
                format!("read the platform of `{}`", self.reference),
            )
            .args([
                "buildx",
                "imagetools",
                "inspect",
                "--format",
                "{{.Image.OS}}/{{.Image.Architecture}}",
            ])
            .arg(&self.reference);
            platforms.push(ask(&cmd, &self.reference, exec)?.trim().to_owned());
        }
        if platforms.iter().any(|platform| platform == wanted) {
            return Ok(());
        }
        Err(Failure::invalid(format!(
            "image `{}` is for {}, and the cluster's nodes are {wanted}",
            self.reference,
            platforms.join(" and ")
        ))
        .hint(format!(
            "build it for the nodes: `cargo xtask bake … --push --platform {wanted}`"
        )))
    }
}

/// Asks a registry about an image; says so when it is not there, cannot be reached or wants a login.
fn ask(cmd: &Cmd, reference: &str, exec: &dyn Exec) -> Result<String, Failure> {
    let patience = std::time::Duration::from_secs(60);
    exec.read(cmd, Some(patience)).map_err(|failed| {
        let cause = failed
            .cause()
            .unwrap_or_default()
            .trim_start_matches("ERROR: ")
            .to_owned();
        match failed.reason {
            Reason::Status(_) if cause.ends_with("not found") => {
                Failure::invalid(format!("image `{reference}` is not in its registry"))
                    .hint("build and push it: `cargo xtask bake … --push`")
            }
            Reason::Status(_) => match crate::tool::hint(&failed) {
                Some((kind, hint)) => Failure {
                    kind,
                    ..Failure::failed(format!("image `{reference}` cannot be read: {cause}"))
                        .hint(hint)
                },
                None => {
                    Failure::unavailable(format!("image `{reference}` cannot be read: {cause}"))
                }
            },
            _ => Failure::from(failed),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_in_bakes_order_and_the_metadata_file_wins() {
        let bake = Bake {
            purpose: "bake `postgis`".into(),
            files: vec![
                "docker/bake.hcl".into(),
                "extensions/postgis/metadata.hcl".into(),
            ],
            targets: vec!["postgis-3_6_4-18-trixie".into()],
            variables: vec![("registry".into(), "localhost:5000".into())],
            metadata_file: Some("target/m.json".into()),
            set: vec!["*.platform=linux/amd64".into()],
            push: true,
            ..Bake::default()
        };
        assert_eq!(
            bake.cmd().to_string(),
            "registry=localhost:5000 BUILDX_METADATA_PROVENANCE=disabled docker buildx bake -f docker/bake.hcl \
             -f extensions/postgis/metadata.hcl --metadata-file target/m.json --set '*.platform=linux/amd64' --push \
             postgis-3_6_4-18-trixie"
        );
    }

    #[test]
    fn an_index_and_a_manifest_are_both_read() {
        let image: ImageRef = "localhost:5000/x:1".parse().unwrap();
        let index = r#"{"manifests":[{"digest":"sha256:aa","platform":{"os":"linux","architecture":"amd64"}},
            {"digest":"sha256:bb","platform":{"os":"unknown","architecture":"unknown"}}],"annotations":{"a":"b"}}"#;
        let (described, first) = Described::parse(&image, index).unwrap();
        assert_eq!(described.platforms, ["linux/amd64"]);
        assert_eq!(described.annotations["a"], "b");
        assert_eq!(first.as_deref(), Some("sha256:aa"));
        let (described, first) = Described::parse(&image, "{}").unwrap();
        // What `printf '{}' | sha256sum` prints.
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(
            described.reference,
            format!("localhost:5000/x:1@sha256:{digest}")
        );
        assert!(first.is_none() && described.platforms.is_empty());
    }

    #[test]
    fn a_metadata_file_may_hold_warnings_beside_the_targets() {
        let text = r#"{"buildx.build.warnings":[{"vertex":"x"}],"pgvector-0_8_6-18-trixie":{"containerimage.digest":"sha256:ab","image.name":"a,b"}}"#;
        let metadata = Metadata::parse(text).unwrap();
        assert_eq!(
            metadata.digest("pgvector-0_8_6-18-trixie"),
            Some("sha256:ab")
        );
        assert_eq!(metadata.digest("buildx.build.warnings"), None);
    }
}
