// SPDX-License-Identifier: Apache-2.0
//! The metadata file that bake writes.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::{failure::Failure, own::source};

/// What `--metadata-file` holds: per target an object with the image's digest and names. There may be
/// other top-level keys (`buildx.build.warnings`), which are not targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Metadata {
    entries: BTreeMap<String, Value>,
}

impl Metadata {
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let failed = |why: String| {
            Failure::failed(format!(
                "`{}` is not what bake writes: {why}",
                file.display()
            ))
        };
        let text =
            source::read(Path::new("."), file)?.ok_or_else(|| failed("it is not there".into()))?;
        Ok(Self::parse(&text).map_err(|error| failed(error.to_string()))?)
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
    fn a_metadata_file_may_hold_warnings_beside_the_targets() {
        let text = r#"{"buildx.build.warnings":[{"vertex":"x"}],"pgvector-0_8_6-18-trixie":{"containerimage.digest":"sha256:ab","image.name":"a,b"}}"#;
        let metadata = Metadata::parse(text).unwrap();
        assert_eq!(
            metadata.digest("pgvector-0_8_6-18-trixie"),
            Some("sha256:ab")
        );
        assert_eq!(metadata.digest("buildx.build.warnings"), None);
    }

    #[test]
    fn merged_metadata_keeps_its_numbers() {
        let text = r#"{"a":330000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000052}"#;
        let metadata = Metadata::parse(text).unwrap();
        assert_eq!(Metadata::parse(&metadata.to_json()).unwrap(), metadata);
    }
}
