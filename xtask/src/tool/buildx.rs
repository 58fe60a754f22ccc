// SPDX-License-Identifier: Apache-2.0
//! `docker buildx`: the arguments of bake, and what is known of the builder.

use std::path::PathBuf;

use crate::plan::Cmd;

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
        if !self.targets.is_empty() {
            cmd = cmd.arg("--");
        }
        cmd.args(&self.targets)
    }
}

/// Describes the builder in use.
pub(crate) fn inspect_cmd(builder: Option<&str>) -> Cmd {
    Cmd::new("docker", "ask buildx for its builder")
        .args(["buildx", "inspect", "--"])
        .args(builder)
}

/// The driver in the output of [`inspect_cmd`]: `docker`, `docker-container`, `kubernetes`, `remote`.
pub(crate) fn parse_driver(text: &str) -> Option<&str> {
    text.lines()
        .find_map(|line| line.strip_prefix("Driver:"))
        .map(str::trim)
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
             -f extensions/postgis/metadata.hcl --metadata-file target/m.json --set '*.platform=linux/amd64' --push -- \
             postgis-3_6_4-18-trixie"
        );
    }
}
