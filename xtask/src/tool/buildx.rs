// SPDX-License-Identifier: Apache-2.0
//! `docker buildx bake`: its arguments, and the metadata file it writes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{failure::Failure, plan::Cmd};

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
