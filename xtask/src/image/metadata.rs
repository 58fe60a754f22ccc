// SPDX-License-Identifier: Apache-2.0
//! The metadata file that bake writes.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    exec::Exec,
    failure::Failure,
    own::{file, source},
    plan::{Console, Location, Performed, Work, shell::operand},
    value::Digest,
};

/// What `--metadata-file` holds: per target an object with the image's digest and names. There may be
/// other top-level keys (`buildx.build.warnings`), which are not targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Metadata {
    entries: BTreeMap<String, Value>,
}

impl Metadata {
    /// One below the root.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        Self::of_text(file, source::read(Path::new("."), file)?, Failure::failed)
    }

    /// One that the user names, wherever it is.
    pub(crate) fn read_named(file: &Path) -> anyhow::Result<Self> {
        Self::of_text(file, source::read_named(file)?, Failure::invalid)
    }

    fn of_text(
        file: &Path,
        text: Option<String>,
        failure: fn(String) -> Failure,
    ) -> anyhow::Result<Self> {
        let failed = |why: String| {
            failure(format!(
                "`{}` is not what bake writes: {why}",
                file.display()
            ))
        };
        let text = text.ok_or_else(|| failed("it does not exist".into()))?;
        Ok(Self::parse(&text).map_err(|error| failed(error.to_string()))?)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self {
            entries: serde_json::from_str(text)?,
        })
    }

    /// What is known when only the digests of targets are.
    pub(crate) fn of_digests<'a>(digests: impl IntoIterator<Item = (&'a str, &'a Digest)>) -> Self {
        let entry = |(target, digest): (&str, &Digest)| {
            (
                target.to_owned(),
                json!({ "containerimage.digest": digest.to_string() }),
            )
        };
        Self {
            entries: digests.into_iter().map(entry).collect(),
        }
    }

    /// What it says of a target.
    pub(crate) fn entry(&self, target: &str) -> Option<&Value> {
        self.entries.get(target)
    }

    /// What these targets are said to be.
    pub(crate) fn of_entries(entries: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self {
            entries: entries.into_iter().collect(),
        }
    }

    /// What it says of all but these targets: of others, and of the whole build.
    pub(crate) fn without(&self, targets: &[&String]) -> Self {
        let entries = self.entries.iter();
        let entries = entries.filter(|(target, _)| !targets.contains(target));
        Self {
            entries: entries
                .map(|(target, said)| (target.clone(), said.clone()))
                .collect(),
        }
    }

    /// The targets of which it has a digest.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &String> {
        let targets = self.entries.keys();
        targets.filter(|target| self.digest(target).is_some())
    }

    /// The digest of what was built: of the index where there is one. What is no digest is none: it becomes
    /// a part of arguments.
    pub(crate) fn digest(&self, target: &str) -> Option<Digest> {
        self.text(target, "containerimage.digest")?.parse().ok()
    }

    /// The names that the image was given, its tags; in bake's order.
    pub(crate) fn names(&self, target: &str) -> Vec<String> {
        let names = self.text(target, "image.name").unwrap_or_default();
        let names = names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }

    /// Whether the target was built. Without the containerd image store there may be the digest of a
    /// configuration alone, and what stays in a builder of its own has but the build's name
    /// (<https://docs.docker.com/reference/cli/docker/buildx/bake/#metadata-file>); what is `pushed` has a digest.
    pub(crate) fn has_built(&self, target: &str, pushed: bool) -> bool {
        let configuration = || {
            let digest = self.text(target, "containerimage.config.digest");
            digest.is_some_and(Digest::is)
        };
        let in_builder = || self.text(target, "buildx.build.ref").is_some();
        self.digest(target).is_some() || !pushed && (configuration() || in_builder())
    }

    fn text(&self, target: &str, key: &str) -> Option<&str> {
        self.entries.get(target)?.get(key)?.as_str()
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    pub(crate) fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(&self.entries).unwrap_or_default();
        text + "\n"
    }
}

/// Merges the metadata files of several extensions into one.
#[derive(Clone, Debug)]
pub(crate) struct Merge {
    pub from: Vec<PathBuf>,
    /// The files of whole calls of bake, in which the same stands: a dry run knows no others.
    pub calls: Vec<PathBuf>,
    pub into: Location,
}

impl Work for Merge {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let mut all = Metadata::default();
        for path in &self.from {
            all.extend(Metadata::read(path)?);
        }
        file::write_atomically(&self.into, &all.to_json())?;
        Ok(Performed::Done(None))
    }
}

impl fmt::Display for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.into.parent();
        if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
            write!(f, "mkdir -p -- {} && ", operand(folder))?;
        }
        let into = operand(&self.into);
        match self.calls.as_slice() {
            [] => return write!(f, "printf '{{}}\\n' > {into}"),
            [only] => return write!(f, "cp -- {} {into}", operand(only)),
            _ => f.write_str("jq -s add")?,
        }
        for path in &self.calls {
            write!(f, " {}", operand(path))?;
        }
        write!(f, " > {into}")
    }
}

/// What a bake must build, and where it says what it has built: a bake file may leave a target out.
#[derive(Clone, Debug)]
pub(crate) struct Promised {
    pub names: Vec<String>,
    pub metadata: PathBuf,
    pub pushed: bool,
}

impl Promised {
    /// Fails when it has not built all of it.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let said = Metadata::read(&self.metadata)?;
        let missing: Vec<String> = self
            .names
            .iter()
            .filter(|name| !said.has_built(name, self.pushed))
            .map(|name| format!("`{name}`"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let file = self.metadata.display();
        Err(
            Failure::failed(format!("bake has not built {}", missing.join(", ")))
                .detail(format!("`{file}` has no digest for it"))
                .hint("see that the bake file has a target with exactly this name in its default group"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_merged_with_jq_and_a_single_one_is_copied() {
        let merge = |from: &[&str], into: &str| {
            let from = from.iter().map(PathBuf::from).collect();
            let into = Location::output(into);
            let merge = Merge {
                from: Vec::new(),
                calls: from,
                into,
            };
            merge.to_string()
        };
        assert_eq!(
            merge(&["x.json", "y.json"], "all.json"),
            "jq -s add x.json y.json > all.json"
        );
        // jq would wait for what is typed.
        assert_eq!(merge(&[], "all.json"), "printf '{}\\n' > all.json");
        assert_eq!(
            merge(&["x.json"], "a b/all.json"),
            "mkdir -p -- 'a b' && cp -- x.json 'a b/all.json'"
        );
    }

    #[test]
    fn a_metadata_file_may_hold_warnings_beside_the_targets() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let text = format!(
            r#"{{"buildx.build.warnings":[{{"vertex":"x"}}],"pgvector-0_8_6-18-trixie":{{"containerimage.digest":"{digest}","image.name":"a,b"}}}}"#
        );
        let metadata = Metadata::parse(&text).unwrap();
        assert_eq!(
            metadata.digest("pgvector-0_8_6-18-trixie").as_deref(),
            Some(digest.as_str())
        );
        assert_eq!(metadata.digest("buildx.build.warnings"), None);
    }

    #[test]
    fn what_is_no_digest_is_none() {
        let hex = "ab".repeat(32);
        for text in [
            "",
            "x,type=bind,source=/etc,target=/host",
            &format!("sha256:{hex},type=bind"),
            &format!("sha512:{hex}"),
            &format!("sha256:{}", hex.to_uppercase()),
            &format!("sha256:{hex}\n"),
        ] {
            let said = serde_json::json!({"a": {"containerimage.digest": text}});
            let metadata = Metadata::parse(&said.to_string()).unwrap();
            assert_eq!(metadata.digest("a"), None, "{text:?}");
            assert!(!metadata.has_built("a", false), "{text:?}");
        }
    }

    #[test]
    fn what_was_built_is_told_by_its_digest_or_where_nothing_was_pushed_by_its_build() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (key, text, here, pushed) in [
            ("containerimage.digest", digest.as_str(), true, true),
            ("containerimage.config.digest", digest.as_str(), true, false),
            ("buildx.build.ref", "farm/farm0/abc", true, false),
            ("image.name", "a", false, false),
        ] {
            let said = serde_json::json!({"a": {key: text}});
            let metadata = Metadata::parse(&said.to_string()).unwrap();
            assert_eq!(metadata.has_built("a", false), here, "{key}");
            assert_eq!(metadata.has_built("a", true), pushed, "{key}");
            assert!(!metadata.has_built("b", false), "{key}");
        }
    }

    #[test]
    fn merged_metadata_keeps_its_numbers() {
        let text = r#"{"a":330000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000052}"#;
        let metadata = Metadata::parse(text).unwrap();
        assert_eq!(Metadata::parse(&metadata.to_json()).unwrap(), metadata);
    }
}
